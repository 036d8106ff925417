//! Situations in which a careless case would pay twice, tell a wrong verdict, or be stuck.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod claims;
mod ends;
mod giving_back;
mod payments;
#[path = "../stage/mod.rs"]
mod stage;
