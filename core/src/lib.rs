//! Post-booking client for the Atlas flight API: refunds, voids, ancillaries after ticketing, order
//! maintenance, PNR claim and extraction, notifications.
//!
//! Every reply says whether the effect asked for exists at the vendor: executed, not executed, or unknown ([`Outcome`]).
//! `ARCHITECTURE.md` in the repository shows how the modules fit together.
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
//!
//! With a store, a refund, void or purchase is a case: it is submitted at most once, also after a crash, and asked about
//! until its state is final.
//!
//! ```no_run
//! use atlas_postbooking::blocking::Client;
//! use atlas_postbooking::wire::{Amount, CaseExpect, CaseFollowRequest, CaseOpenRequest};
//! use atlas_postbooking::Outcome;
//!
//! let client = Client::new(
//!     r#"{"baseUrl":"https://sandbox.example","clientId":"…","clientSecret":"…","store":{"path":"cases.db"}}"#,
//! )?;
//! // The key names the intention: run again after a crash, the same program goes on with the same case.
//! let key = Some("refund-of-ticket-4711".to_owned());
//! let expect = CaseExpect { currency: Some("USD".into()), min_refund: Amount::parse("20.00"), ..Default::default() };
//! let opened = client.cases().open(&CaseOpenRequest {
//!     kind: Some("refund".into()),
//!     order_no: Some("TESTA20260302160000000".into()),
//!     key: key.clone(),
//!     expect: Some(expect),
//!     ..Default::default()
//! });
//! match opened {
//!     Ok(answer) => println!("submitted: {:?}", answer.data.code),
//!     Err(failure) => match failure.outcome() {
//!         Outcome::NotExecuted => println!("no, for certain: {failure}"),
//!         // Nothing is lost: the case is in the store, and is asked about.
//!         _ => println!("not known yet: {failure}; state {:?}", failure.case().and_then(|case| case.state)),
//!     },
//! }
//! // Hours or weeks later, from any process on this machine: make the queries that are due.
//! for step in client.follow(CaseFollowRequest { key, ..Default::default() }) {
//!     match step {
//!         Ok(progress) => println!("{} open", progress.open.map_or(0, |open| open.to_i64().unwrap_or(0))),
//!         Err(failure) => println!("{failure}"),
//!     }
//! }
//! # Ok::<(), atlas_postbooking::Error>(())
//! ```
#![forbid(unsafe_code)]

#[cfg(not(target_pointer_width = "64"))]
compile_error!("atlas-postbooking needs a 64-bit target: sizes of answers and ids of handles are 64 bits wide");

mod cancel;
mod case;
mod client;
mod config;
mod contract;
mod digest;
mod error;
mod exchange;
mod json;
mod log;
mod process;
mod reading;
mod redact;
mod reply;
mod threads;
mod token_bucket;
mod tolerance;
mod transport;
mod unix_time;
mod webhook;
pub mod wire;
mod workers;

pub use cancel::Cancel;
#[cfg(feature = "exploration")]
#[doc(hidden)]
pub use case::operations::{exploration, exploration_store};
pub use client::cases::{BlockingCases, Cases};
pub use client::dispatch;
pub use client::follow::{Follow, FollowSteps};
pub use client::order_pages::{OrderPages, Orders};
pub use client::queue::{Completion, Next, Queue, StartError};
pub use client::{Answer, Client, Failure, blocking};
pub use contract::operation::OperationKind;
pub use error::{Advice, Detail, Error, ErrorCode, FailedConnection, Outcome, Status};
pub use log::{LogLevel, LogLine};
pub use reply::Reply;
pub use reply::fields::{Fields, Scalar};

/// The version of this library.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
