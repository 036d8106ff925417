//! The store on a PostgreSQL server, shared by any number of machines.
//!
//! The clock of the database is the only one that counts: leases, moments of cases, pauses. A row is changed only by who
//! knows its version. A lease ends with the lease of its process, which is renewed in the background, so that the cases
//! of a machine that is gone rest for seconds.

mod accounts;
mod budget;
mod cases;
pub(crate) mod database;
mod durability;
mod holds;
mod link;
mod look;
mod losses;
mod memory;
mod opening;
mod owners;
mod pool;
mod queries;
mod rates;
mod remnants;
mod schema;
mod session;
mod side;
mod store;
mod time;
mod tls;
mod warnings;
mod workers;
