//! The store under faults: files that are not a case store, full or read-only disks, torn logs; which bytes stay in it;
//! forks, processes and accounts that share it. The simulator's ledger is the oracle.
#![cfg(target_os = "linux")]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

mod child;
mod damage;
mod disk;
mod fixture;
mod place;
mod secrets;
mod sharing;
