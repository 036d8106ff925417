//! Post-booking client for the Atlas flight API: refunds, voids, ancillaries after ticketing, order
//! maintenance, PNR claim and extraction, notifications.
//!
//! Every reply answers what matters when money moves: *did it happen?* ([`Outcome`]).
//!
//! ```no_run
//! use atlas_postbooking::{blocking::Client, wire::VoidQuotationRequest};
//!
//! let client = Client::new(r#"{"baseUrl":"https://sandbox.example","clientId":"…","clientSecret":"…"}"#)?;
//! let order_no = Some("TESTA20260302160000000".into());
//! match client.void_quotation(&VoidQuotationRequest { order_no }) {
//!     Ok(answer) => println!("voidable: {:?}", answer.data.is_voidable),
//!     Err(failure) => println!("{:?}: {failure}", failure.outcome()),
//! }
//! # Ok::<(), atlas_postbooking::Error>(())
//! ```
#![forbid(unsafe_code)]

mod budget;
mod call;
mod cancel;
mod case;
mod client;
mod config;
mod describe;
pub mod dispatch;
mod envelope;
mod follow;
mod json;
mod judge;
mod live;
mod local;
mod log;
mod operation;
mod options;
mod order_list;
mod outcome;
mod reply;
mod retry;
mod runtime;
mod status;
mod transport;
pub mod wire;

pub use cancel::Cancel;
pub use client::{Answer, Client, Failure, blocking};
pub use follow::{Follow, FollowSteps};
pub use log::{LogLevel, LogLine};
pub use operation::OperationKind;
pub use order_list::{OrderPages, Orders};
pub use outcome::{Advice, Detail, Error, Outcome, Status};
pub use reply::Reply;

/// The version of this library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
