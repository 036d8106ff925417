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
//! ```
//! use atlas_postbooking::blocking::Client;
//! use atlas_postbooking::wire::{Amount, CaseExpect, CaseFollowRequest, CaseGetRequest, CaseOpenRequest};
//! use atlas_postbooking::{Failure, Outcome};
//!
//! /// Refunds an order and waits until the money is back, or until it is certain that it does not come.
//! fn refund(client: &Client, order_no: &str) -> Result<(), Failure> {
//!     // The key names the intention: run again after a crash, the same program goes on with the same case.
//!     let key = Some(format!("refund-of-{order_no}"));
//!     let expect = CaseExpect { currency: Some("USD".into()), min_refund: Amount::parse("20.00"), ..Default::default() };
//!     let opened = client.cases().open(&CaseOpenRequest {
//!         kind: Some("refund".into()),
//!         order_no: Some(order_no.into()),
//!         key: key.clone(),
//!         expect: Some(expect),
//!         ..Default::default()
//!     });
//!     match opened {
//!         Ok(answer) => println!("submitted: {:?}", answer.data.code),
//!         Err(failure) if failure.outcome() == Outcome::NotExecuted => return Err(failure),
//!         // Nothing is lost: the case is in the store, and is asked about.
//!         Err(failure) => println!("not known yet: {:?}", failure.case().and_then(|case| case.state)),
//!     }
//!     // Hours or weeks, from any process on this machine: the queries that are due, until no case of this key is open.
//!     let follow = client.follow(CaseFollowRequest { key: key.clone(), ..Default::default() });
//! #   let follow = follow.every(std::time::Duration::from_millis(20));
//!     for step in follow {
//!         println!("next query: {:?}", step?.next_due_at);
//! #       VENDOR.with_borrow(|vendor| vendor.as_ref().map(|vendor| vendor.advance("20h")));
//!     }
//!     let case = client.cases().get(&CaseGetRequest { key, ..Default::default() })?.data;
//!     println!("{:?}, paid back: {:?}", case.state, case.money.and_then(|money| money.actual_refund));
//! #   assert_eq!((case.state.as_deref(), case.r#final), (Some("refunded"), Some(true)));
//!     Ok(())
//! }
//!
//! # thread_local! {
//! #     static VENDOR: std::cell::RefCell<Option<atlas_simulator::Simulator>> = const { std::cell::RefCell::new(None) };
//! # }
//! # /// The configuration of a client of a simulated vendor, and an order there that can be refunded.
//! # fn scene() -> (String, String) {
//! #     let vendor = atlas_simulator::Simulator::start(Default::default()).unwrap();
//! #     let order = vendor.create_order(serde_json::json!({"airline": "Y4", "paymentMethod": 1})).unwrap();
//! #     let file = std::env::temp_dir().join(format!("atlas-postbooking-example-{}.db", std::process::id()));
//! #     let clock = serde_json::json!({"url": format!("{}/_sim/clock", vendor.url())});
//! #     let config = serde_json::json!({
//! #         "baseUrl": vendor.url(), "clientId": "demo", "clientSecret": "secret", "clock": clock, "store": {"path": file},
//! #     });
//! #     VENDOR.set(Some(vendor));
//! #     (config.to_string(), order["orderNo"].as_str().unwrap().to_owned())
//! # }
//! let config = r#"{"baseUrl":"https://sandbox.example","clientId":"…","clientSecret":"…","store":{"path":"cases.db"}}"#;
//! let order_no = "TESTA20260302160000000";
//! # let (config, order_no) = scene();
//! # let (config, order_no) = (config.as_str(), order_no.as_str());
//! let client = Client::new(config)?;
//! if let Err(failure) = refund(&client, order_no) {
//!     println!("{:?}: {failure}", failure.outcome());
//! #   panic!("{}", failure.reply().json());
//! }
//! # let _ = std::fs::remove_file(std::env::temp_dir().join(format!("atlas-postbooking-example-{}.db", std::process::id())));
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
