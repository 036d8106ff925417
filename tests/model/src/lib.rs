//! Every state that two or three hosts can bring cases into, within bounds: the real state machine of cases, and models
//! of the store, the vendor, the network and the hosts around it. `docs/decisions/0014-explored-states.md` says what is
//! modelled and what is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

pub mod bounds;
pub mod explorations;
pub mod host;
pub mod moves;
pub mod promises;
pub mod store;
pub mod subjects;
pub mod vendor;
pub mod world;
