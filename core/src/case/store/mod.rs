//! Where cases are kept: what any store must do. SQLite is the one that is embedded; PostgreSQL is to follow.
//!
//! A row has a version that every change raises: it is the fencing token. Who takes the lease raises it too, so
//! that an earlier owner's writes are refused from then on, however late it wakes up.

mod budget;
mod check;
mod file;
mod sqlite;

pub(crate) use file::Sqlite;

use super::event::Quote;
use super::model::{Case, Kind, Millis, Stamp, Way};
use crate::config::Rate;
use crate::outcome::{Advice, Error, Status};

/// A case as stored, with its fencing token.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub case: Case,
    pub version: i64,
    /// Who drives it now, until when at most: on the machine's clock since its start, which does not jump.
    pub owner: Option<(String, Millis)>,
}

/// Who wants to drive a case, and for how long at most.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub owner: String,
    pub until: Millis,
}

/// What came of claiming a key and an order.
#[derive(Debug)]
pub(crate) enum Claim {
    /// The case is new, and ours.
    New(Row),
    /// The key is known.
    Known(Row),
    /// Another case holds the order.
    Held(Box<Case>),
    /// The key belonged to a case that was purged.
    Purged,
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
    pub quote: Quote,
}

pub(crate) type Stored<T> = Result<T, Error>;

/// A store of cases of one account. Calls block; each is one transaction, synced when it returns, except where it says so.
pub(crate) trait Store: Send + Sync {
    /// Keeps connections open until the guard is dropped. Between calls nothing is open, so that a fork is harmless.
    fn visit(&self) -> Visit<'_>;

    /// In one exclusive transaction: the key is new, no other case holds one of its orders (but the one named by
    /// `after`), and the case is written with its lease.
    fn claim(&self, case: &Case, lease: &Lease, after: Option<&str>) -> Stored<Claim>;

    fn load(&self, name: &Name) -> Stored<Option<Row>>;

    /// Takes the lease, unless an owner that `is_alive` has it.
    fn lease(&self, id: &str, lease: &Lease, is_alive: &dyn Fn(&str, Millis) -> bool) -> Stored<Option<Row>>;

    /// Compare and swap: writes the case if the version is still the row's, and gives the new version; None if not, or
    /// if it is about to pay an order that another case pays or has paid.
    /// Without a lease, the lease ends.
    fn save(&self, row: &Row, lease: Option<&Lease>) -> Stored<Option<i64>>;

    /// As [`Store::save`] of a settled case without a lease; with it the raw replies are replaced by what `thin`
    /// leaves of them. What it cannot read stays.
    fn settle(&self, row: &Row, thin: &dyn Fn(&[u8]) -> Option<String>) -> Stored<Option<i64>>;

    /// Keeps the raw reply of a submit, before anybody reads it.
    fn keep_reply(&self, id: &str, step: &str, attempt: u32, body: &[u8]) -> Stored<()>;

    /// What [`Store::keep_reply`] kept of an attempt, as it came.
    fn kept_reply(&self, id: &str, step: &str, attempt: u32) -> Stored<Option<Vec<u8>>>;

    fn list(&self, filter: &Filter) -> Stored<Vec<Case>>;

    /// Ids of cases that are due and that nobody drives, the longest due first.
    fn due(&self, now: Millis, limit: usize, is_alive: &dyn Fn(&str, Millis) -> bool) -> Stored<Vec<String>>;

    fn counts(&self, now: Millis) -> Stored<Counts>;

    /// Cases that a notification about this order may be about.
    fn concerned(&self, order_no: &str) -> Stored<Vec<String>>;

    /// Whether this notification is new; it is remembered.
    fn first_notice(&self, dedupe: &str, now: Millis) -> Stored<bool>;

    /// Remembers an offer; need not be synced.
    fn remember_offer(&self, offer_id: &str, offer: &KnownOffer, at: Stamp) -> Stored<()>;

    fn known_offer(&self, offer_id: &str) -> Stored<Option<KnownOffer>>;

    /// Takes a place in a shared request budget and says how long to wait for it; None, and nothing is taken, if
    /// that is longer than `patience`. Need not be synced.
    fn place(&self, budget: &str, rate: Rate, patience: Millis) -> Stored<Option<Millis>>;

    /// The vendor complained (429, 905): everybody slows down.
    fn slow_down(&self, wait: Option<Millis>) -> Stored<()>;

    /// The rate as it is now, and the wait for the next place.
    fn pace(&self, budget: &str, rate: Rate) -> Stored<(f64, Millis)>;

    /// Removes final cases unchanged since then; their keys stay used.
    fn purge(&self, before: Millis) -> Stored<u64>;
}

/// See [`Store::visit`].
pub(crate) struct Visit<'s>(&'s dyn Leave);

pub(crate) trait Leave: Send + Sync {
    fn leave(&self);
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// An error of the store: nothing was sent.
pub(crate) fn store_error(code: &'static str, message: impl Into<String>) -> Error {
    let mut error = Error::local(code, Status::STORE, message);
    error.advice = match code {
        "store_busy" => Advice::Retry,
        _ => Advice::FixConfig,
    };
    error.retryable = code == "store_busy";
    error
}
