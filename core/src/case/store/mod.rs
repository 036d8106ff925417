//! Where cases are stored: what any store must do. SQLite is embedded, for one machine; a PostgreSQL server is shared by
//! any number of them.
//!
//! A row has a version that every change raises: it is the fencing token. Taking the lease raises it too, so that an
//! earlier owner's writes are refused from then on, however late they come.

mod accounts;
mod backup;
pub(crate) mod budget;
mod check;
pub(crate) mod connection;
pub(crate) mod file;
mod file_side;
mod holds;
pub(crate) mod identity;
pub(crate) mod moving;
pub(crate) mod patience;
mod place;
#[cfg(test)]
mod plans;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
pub(crate) mod remnant;
mod remnants;
pub(crate) mod retention;
mod rewound;
pub(crate) mod side;
mod sqlite;
mod tables;
mod transactions;
mod whose;
mod witness;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use identity::Identity;
use remnant::Remnant;
use side::Side;

use super::clock::{self, Stamp};
use super::machine::event::Quote;
use super::model::Case;
use super::passengers::OrderPassengers;
use super::vocabulary::{Kind, Way};
use crate::error::{Advice, Error, ErrorCode};
use crate::exchange::context::Warning;
use crate::exchange::rate_limiter::Place;
use crate::token_bucket::Rate;
use crate::unix_time::Millis;

/// A case as stored, with its fencing token.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub case: Case,
    pub version: i64,
    /// The owner of the lease, and when it ends: milliseconds of the machine's clock since its start, which does not
    /// jump. [`ELSEWHERE`] for one of another machine.
    pub owner: Option<(String, Millis)>,
}

impl Row {
    /// After the case was saved: its new fencing token, which is the number of the change as well.
    pub fn saved(&mut self, version: i64) {
        self.version = version;
        self.case.change = version;
    }
}

/// The owner of a lease that this machine cannot look at, and that the store believes to live until then.
pub(crate) const ELSEWHERE: &str = "elsewhere";

/// Rows that were read at one moment.
#[derive(Debug)]
pub(crate) struct Page {
    pub rows: Vec<Row>,
    /// The highest number that the store had given.
    pub highest: i64,
    /// The highest number of a case that was purged.
    pub purged: i64,
}

/// The right to drive a case: by whom, and until when at most.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub owner: String,
    pub until: Millis,
}

/// The result of claiming a key and its holds.
#[derive(Debug)]
pub(crate) enum Claim {
    /// The case is new; the caller has its lease.
    New(Row),
    /// The key is known.
    Known(Row),
    /// Another case has one of the holds.
    Held(Box<Case>),
    /// The key belongs to a case that was purged.
    Purged(Box<Remnant>),
}

/// Which case.
#[derive(Debug, Clone)]
pub(crate) enum Name {
    Id(String),
    Key(String),
}

/// Which cases.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub open: Option<bool>,
    pub order_no: Option<String>,
    pub kind: Option<Kind>,
    /// Ids greater than this.
    pub after: Option<String>,
    /// Written after this number; then in the order of the changes.
    pub changed_since: Option<i64>,
    pub limit: usize,
    /// Only those whose outcome is unknown, or that a dead process left while sending.
    pub unknown: bool,
}

/// How much there is to do.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Counts {
    pub due: u64,
    pub open: u64,
    pub next: Option<Millis>,
}

/// An offer that a quotation of this account gave.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct KnownOffer {
    pub way: Way,
    pub order_no: String,
    /// The passengers that a refund's offer is for, as the store counts them; empty: everybody, or not known.
    #[serde(default)]
    pub positions: Vec<usize>,
    /// `ticket_marks` of a refund's tickets; empty where the quotation listed none.
    #[serde(default)]
    pub tickets: Vec<String>,
    pub quote: Quote,
}

/// Whether the list of a booking's orders may be missing.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Listing {
    /// An order of this account came with it before.
    pub is_listed: bool,
    /// When somebody last confirmed that the store had lost what was sent through it.
    pub confirmed_at: Option<Millis>,
}

pub(crate) type Stored<T> = Result<T, Error>;

/// A store of cases of one account. Calls block; each is one transaction, synced when it returns, except where it says so.
pub(crate) trait Store: Send + Sync {
    /// Keeps connections open until the guard is dropped. Between calls none is open, so that a fork is harmless.
    fn connection_scope(&self) -> ConnectionScope<'_>;

    /// Now, by the clock that all users of the store share; None if it must be waited for.
    fn quick_now(&self) -> Option<Stamp> {
        Some(clock::now())
    }

    /// As [`Store::quick_now`], waiting for it.
    fn now(&self) -> Stored<Stamp> {
        Ok(clock::now())
    }

    /// Until when this version of a case is this process's own, by this machine's clock since its start: after that
    /// nothing of it may leave. It moves on with the lease of the process. None where the case's own lease is all there
    /// is, which ends later than its call.
    fn lease_end(&self, _id: &str, _version: i64) -> Option<Arc<AtomicI64>> {
        None
    }

    /// In one exclusive transaction: the key is new, no other case holds one of its orders (but the one that it
    /// was opened after), and the case is written with its lease.
    fn claim(&self, case: &Case, lease: &Lease) -> Stored<Claim>;

    /// As [`Store::claim`] for a case that is there: it takes its holds anew, and the row is replaced only if no other
    /// case has one. Gives `Known` with the new version, or `Held`; None if the lease was lost.
    fn reclaim(&self, row: &Row, lease: &Lease) -> Stored<Option<Claim>>;

    fn load(&self, name: &Name) -> Stored<Option<Row>>;

    /// Takes the lease, unless an owner that `is_alive` has it.
    fn lease(&self, id: &str, lease: &Lease, is_alive: &dyn Fn(&str, Millis) -> bool) -> Stored<Option<Row>>;

    /// Compare and swap: writes the case if the version is still the row's, and gives the new version; None if not, or
    /// if it is about to pay an order that another case pays or has paid.
    /// Without a lease, the lease ends.
    fn save(&self, row: &Row, lease: Option<&Lease>) -> Stored<Option<i64>>;

    /// As [`Store::save`] of a settled case without a lease; in the same transaction the raw replies are replaced by
    /// what `strip` retains of them, given the step. A reply that it cannot read stays.
    fn settle(&self, row: &Row, strip: &dyn Fn(&str, &[u8]) -> Option<String>) -> Stored<Option<i64>>;

    /// Stores the raw reply of a submit, before it is decoded.
    fn store_reply(&self, id: &str, step: &str, attempt: u32, body: &[u8]) -> Stored<()>;

    /// The raw reply of an attempt, or what was retained of it.
    fn stored_reply(&self, id: &str, step: &str, attempt: u32) -> Stored<Option<Vec<u8>>>;

    /// Gives a lease back without changing the case.
    fn release(&self, row: &Row) -> Stored<()>;

    /// Names a stored intent in the witness, before its body leaves: `number` is the case's change. Fails if the store
    /// is rewound or its file was replaced: then nothing may leave. Gives a warning if the witness cannot be written.
    fn write_witness(&self, id: &str, number: i64) -> Stored<Option<String>>;

    /// What was noticed of the store since it was last asked, for the caller of the present call.
    fn take_warnings(&self) -> Vec<Warning> {
        Vec::new()
    }

    /// Why nothing may be sent through this store, if so.
    fn rewound(&self) -> Stored<Option<Error>>;

    /// While it is rewound: ids of the account's cases that must be asked about before it can be confirmed.
    fn to_be_asked(&self) -> Stored<Vec<String>>;

    /// Settles what is missing in a rewound store, once every case that may have been sent was asked about.
    fn confirm(&self, by: &str, evidence: &str, now: Millis) -> Stored<()>;

    /// Why this client has no account in the store, if so.
    fn refusal(&self) -> Option<Error>;

    /// Names the unnamed account of a host and client id.
    fn adopt_account(&self, who: &Identity) -> Stored<()>;

    /// Writes a copy, marked as one.
    fn backup(&self, path: &Path) -> Stored<()>;

    /// The whole store, with all of its accounts, for a move.
    fn side(&self) -> Stored<Box<dyn Side + '_>>;

    /// What stays of a purged case.
    fn purged(&self, name: &Name) -> Stored<Option<Remnant>>;

    /// Orders that purged cases made.
    fn made_by_purged(&self) -> Stored<Vec<String>>;

    /// Whether a case of this account has made this order.
    fn has_made(&self, order: &str) -> Stored<bool>;

    fn list(&self, filter: &Filter) -> Stored<Vec<Case>>;

    /// As [`Store::list`], with the owners, and the numbers of that moment.
    fn page(&self, filter: &Filter) -> Stored<Page>;

    /// Ids of cases that are due and without a live owner, the longest due first.
    fn due(&self, now: Millis, limit: usize, is_alive: &dyn Fn(&str, Millis) -> bool) -> Stored<Vec<String>>;

    fn counts(&self, now: Millis) -> Stored<Counts>;

    /// Cases that a notification about this order may be about.
    fn cases_for_order(&self, order_no: &str) -> Stored<Vec<String>>;

    /// Whether this notification is new; it is remembered.
    fn record_notification(&self, dedupe: &str, now: Millis) -> Stored<bool>;

    /// Remembers an offer; need not be synced.
    fn remember_offer(&self, offer_id: &str, offer: &KnownOffer, at: Stamp) -> Stored<()>;

    fn known_offer(&self, offer_id: &str) -> Stored<Option<KnownOffer>>;

    /// Remembers that the vendor lists a booking's orders for this account; need not be synced.
    fn remember_listing(&self) -> Stored<()>;

    /// What is known where an order comes without the list of its booking's orders.
    fn listing(&self) -> Stored<Listing>;

    /// Whether a refund or void of this order was executed by a case that is purged.
    fn gave_back_by_purged(&self, order_no: &str) -> Stored<bool>;

    /// Another case that has one of the holds of this one.
    fn rival(&self, case: &Case) -> Stored<Option<Case>>;

    /// The passengers of an order, as this store first read them.
    fn order_passengers(&self, order_no: &str) -> Stored<Option<OrderPassengers>>;

    /// Stores the passengers of an order, unless they are stored, and gives those that are.
    fn remember_order_passengers(&self, order_no: &str, passengers: &OrderPassengers) -> Stored<OrderPassengers>;

    /// Takes a token of a shared request budget and gives how long to wait; None, and nothing is taken, if that is
    /// longer than `limit`. Need not be synced.
    fn acquire(&self, budget: &str, rate: Rate, limit: Millis) -> Stored<Option<Place>>;

    /// How often a pause of the budget was ended.
    fn epoch(&self, budget: &str) -> Stored<i64>;

    /// The vendor answered 429 or 905: every budget of the account slows down. `wait` is its Retry-After.
    fn on_rate_limited(&self, wait: Option<Millis>, test_end: Option<Millis>) -> Stored<()>;

    /// The present rate in requests per second, and the wait for the next request.
    fn current_rate(&self, budget: &str, rate: Rate) -> Stored<(f64, Millis)>;

    /// How long a Retry-After still stops the account. A pause whose end by a test clock is over is ended.
    fn pause_left(&self, test_now: Option<Millis>, rates: &[(&'static str, Rate)]) -> Stored<Millis>;

    /// Ends a pause, and makes the cases that waited for it due; gives how many.
    fn unpause(&self, now: Millis, rates: &[(&'static str, Rate)]) -> Stored<u64>;

    /// How many bytes of what was written cannot be moved into the file, since a reader keeps a transaction open; None
    /// where that is no matter.
    fn held_log(&self) -> Stored<Option<u64>> {
        Ok(None)
    }

    /// Removes final cases unchanged since then. What stays of them is a [`Remnant`].
    fn purge(&self, before: Millis) -> Stored<u64>;
}

/// See [`Store::connection_scope`].
pub(crate) struct ConnectionScope<'s>(pub(in crate::case::store) &'s dyn EndScope);

/// What a [`ConnectionScope`] does when it ends.
pub(crate) trait EndScope: Send + Sync {
    fn end_scope(&self);
}

impl Drop for ConnectionScope<'_> {
    fn drop(&mut self) {
        self.0.end_scope();
    }
}

/// No descriptor is left for a file of the store.
pub(crate) fn out_of_descriptors(error: &std::io::Error) -> Error {
    let mut error = Error::new(ErrorCode::Io, format!("no descriptor is left for the store: {error}"));
    (error.advice, error.retryable) = (Advice::Retry, true);
    error
}

/// Whether an error of the system says so: EMFILE of the process or ENFILE of the machine, 24 and 23 on every Unix.
pub(crate) fn has_no_descriptor(error: &std::io::Error) -> bool {
    cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24))
}

/// An error of the store, before anything was sent.
pub(crate) fn store_error(code: ErrorCode, message: impl Into<String>) -> Error {
    let mut error = Error::new(code, message);
    error.advice = match code {
        ErrorCode::StoreBusy => Advice::Retry,
        _ => Advice::FixConfig,
    };
    error.retryable = code == ErrorCode::StoreBusy;
    error
}
