//! Post-booking client for the Atlas flight API.
#![forbid(unsafe_code)]
