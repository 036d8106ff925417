//! The rules of cases, one file per section; each test is named after its rule.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../fixture/mod.rs"]
mod fixture;
mod passengers;
