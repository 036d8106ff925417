//! The store on a PostgreSQL server, shared by processes that cannot see each other: killed, stopped, cut off. The
//! simulator's ledger is the oracle.
//!
//! `python3 tests/support/postgres.py cargo test -p atlas-postbooking --test server --test rules` starts a server for
//! them; without one these tests are left out.
#![cfg(all(target_os = "linux", feature = "postgres"))]
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr
)]

mod cluster;
mod connections;
mod fates;
#[path = "../fixture/mod.rs"]
mod fixture;
mod hosts;
mod losses;
mod moving;
mod process;
mod races;
mod restores;

/// Leaves a test out where there is no server.
#[macro_export]
macro_rules! needs_server {
    () => {
        if !$crate::fixture::on_server() {
            eprintln!("SKIPPED: no server, see tests/support/postgres.py");
            return;
        }
    };
}
