//! Drives cases: queries, submits and stores what the state machine decides.

pub(crate) mod driver;
pub(crate) mod lease;
mod ownership;
mod queries;
