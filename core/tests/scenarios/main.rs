//! Situations in which an implementation can easily submit twice, report a wrong outcome, or stop making progress.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod claims;
#[path = "../fixture/mod.rs"]
mod fixture;
mod outcomes;
mod payments;
mod refunds;
