//! Cases: one refund, void, ancillary order, regenerated order, stop or claim, from the intention to the final state.
//!
//! [`machine::step`] decides, purely; [`vendor`] writes the requests and reads the answers; [`engine`] queries, submits
//! and stores; [`operations`] are the `case.*` operations and the journaled direct submits.

mod clock;
pub(crate) mod engine;
mod error;
mod hold;
mod id;
mod machine;
mod model;
#[cfg(test)]
mod model_tests;
mod open_request;
pub(crate) mod operations;
mod passengers;
mod reply;
mod schedule;
pub(crate) mod service;
mod store;
mod vendor;
mod view;
mod vocabulary;
