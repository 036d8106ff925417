//! The rules of cases, one file per section; each test is named after its rule.
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod accounts;
mod adoption;
mod budget;
mod evidence;
#[path = "../fixture/mod.rs"]
mod fixture;
mod guards;
mod human;
mod keys;
mod notifications;
mod pace;
mod passengers;
mod rewound;
mod steps;
mod stores;
mod table;
mod vendor_state;
