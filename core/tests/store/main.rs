//! The store under faults: files that are no store of ours, disks that are full or read-only, logs that are torn;
//! what stays in its bytes; forks, processes and accounts that share it. The simulator is the witness.
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
mod secrets;
mod sharing;
mod stage;
