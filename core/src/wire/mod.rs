//! The messages of the vendor's API and of the case operations: value types, one file of messages per area, and
//! what works along their tables (request checks, reply normalisation, retention, `Debug`).
//!
//! Every message is public under [`crate::wire`]: requests are built from them, typed replies are read into them.
//! Field names are the vendor's in JSON and snake_case in Rust. Facts about fields carry the source's tag from the
//! published material: `R26` refund schema of 2026-04, `V26` void schema of mid 2026, `A26` ancillary schema of
//! 2026-04, `OF`/`ST`/`NW` order, payment and webhook schemas of 2026-04, `live` recorded sandbox traffic of 2026-08.

mod amount;
mod ancillary;
mod case;
mod case_operations;
pub(crate) mod complete;
mod debug;
mod fare;
mod itinerary;
mod message;
mod moment;
mod normalize;
mod one_pass;
mod order;
mod order_details;
mod passenger;
mod payment;
mod pnr;
mod refund;
mod refund_parts;
mod request;
pub(crate) mod retention;
pub(crate) mod shape;
mod value;
mod void;
mod webhook;

pub use amount::Amount;
pub use ancillary::*;
pub use case::*;
pub use case_operations::*;
pub use fare::*;
pub use itinerary::*;
pub use order::*;
pub use order_details::*;
pub use passenger::*;
pub use payment::*;
pub use pnr::*;
pub use refund::*;
pub use refund_parts::*;
pub use value::{Code, Date, Instant, LocalTime, Number};
pub use void::*;
pub use webhook::*;

pub(crate) use amount::write_amount;
pub(crate) use complete::to_json;
pub(crate) use moment::Clock;
pub(crate) use normalize::{Path, Warnings, whole, write_object};
#[cfg(fuzzing)]
#[doc(hidden)]
pub use one_pass::both_ways::compare_readings;
pub(crate) use one_pass::{Body, read_body};
pub(crate) use request::{Problem, encode, nearest};
pub(crate) use retention::strip;
pub(crate) use webhook::event_shape;

/// Every message of every table.
#[cfg(test)]
fn all_messages() -> impl Iterator<Item = &'static shape::Shape> {
    [
        ancillary::MESSAGES,
        case::MESSAGES,
        case_operations::MESSAGES,
        fare::MESSAGES,
        itinerary::MESSAGES,
        order::MESSAGES,
        order_details::MESSAGES,
        passenger::MESSAGES,
        payment::MESSAGES,
        pnr::MESSAGES,
        refund::MESSAGES,
        refund_parts::MESSAGES,
        void::MESSAGES,
        webhook::MESSAGES,
    ]
    .into_iter()
    .flatten()
    .copied()
}
