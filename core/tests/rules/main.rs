//! The rules of cases, one file per section.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

#[path = "../fixture/mod.rs"]
mod fixture;

mod accounts;
mod budget;
mod stores;
