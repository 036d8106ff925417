//! What can happen to a case, and what is to be done next: input and output of the state machine.

use crate::case::clock::Stamp;
use crate::case::error::StoredError;
use crate::case::model::{Case, Deadline, Money};
use crate::case::vocabulary::{CaseOutcome, Query, StepName};
use crate::config::CasePolicy;
use crate::unix_time::Millis;

/// The moment of an event, and the policy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now<'p> {
    pub stamp: Stamp,
    pub policy: &'p CasePolicy,
}

impl Now<'_> {
    pub fn wall(&self) -> Millis {
        self.stamp.wall
    }
}

/// What a quotation offers.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Quote {
    pub offer_id: Option<String>,
    /// isRefundable, isVoidable.
    pub possible: Option<bool>,
    /// voidWindow.allowVoid, unless it is missing.
    pub window_open: Option<bool>,
    /// No estimate: the airline decides.
    pub unquoted: bool,
    pub voucher: bool,
    pub money: Money,
    pub deadline: Option<Deadline>,
    /// When the quotation was asked for; None: just now.
    pub at: Option<Stamp>,
}

/// An order as queryOrderDetails shows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct OrderState {
    /// 0 unpaid, 1 ticketing, 2 ticketed, -3 cancelled.
    pub status: Option<i64>,
    pub ticketed: bool,
    /// Its errorCode is one that only paid orders get.
    pub failed_ticketing: bool,
    /// It has an errorCode.
    pub has_error: bool,
    /// It shows no payment: `payment` and `payTime` are null, and `paymentAttempted` is not true.
    pub no_payment: bool,
    pub deadline: Option<Deadline>,
    /// The price with the fees, by the way that this run pays.
    pub money: Option<Money>,
    /// Whether its passengers are those of the case's order; None where the store does not know them.
    pub same_people: Option<bool>,
}

/// A refund or void in a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Entry {
    pub offer_id: Option<String>,
    pub code: Option<String>,
    pub state: Option<i64>,
    pub actual_refund: Option<String>,
    /// Whether its passengers include all of the case's; None where that cannot be told.
    pub covers: Option<bool>,
}

impl Entry {
    /// Whether it has the offer or the code of this case.
    pub fn is_of(&self, case: &Case) -> bool {
        let same = |mine: &Option<String>, theirs: &Option<String>| mine.is_some() && mine == theirs;
        same(&case.offer_id, &self.offer_id) || same(&case.code, &self.code)
    }
}

/// The content of the vendor's answer to a query.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Order(OrderState),
    Quote(Quote),
    /// The price of the requested products.
    Search(Money),
    /// A whole list of refunds or voids.
    Entries(Vec<Entry>),
    /// Numbers of orders: the booking's ancillary orders, those claimed, or candidates for a regenerated order.
    Orders(Vec<String>),
    /// An order that may be the effect, and does not match what was asked for.
    Unfit(String),
    /// Before the submit: an order at the vendor that would be made a second time, and that no case has made.
    Foreign(String),
    /// An order that matches but for the time when it was made: perhaps the effect of a request that arrived late.
    Late(String),
    /// Before the submit: the booking's orders are not listed, and must be; the text says why.
    Unlisted(&'static str),
    /// An answer that proves nothing, such as a list that is missing or incomplete; the text says why.
    Inconclusive(&'static str),
    Refused(Refusal),
}

/// A refusal, or no answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub error: StoredError,
    /// The vendor was not reached, or answered "later": the same query may succeed another time.
    pub passing: bool,
    /// Something is there, of somebody and perhaps for some: 803, 816, 817, 818. Not 814, which is no proof of anything.
    pub exists: bool,
}

impl Refusal {
    /// A refusal that the same query would meet again.
    pub fn lasting(error: StoredError) -> Refusal {
        Refusal { error, passing: false, exists: false }
    }

    /// No answer now.
    pub fn passing(error: StoredError) -> Refusal {
        Refusal { error, passing: true, exists: false }
    }
}

/// The result of a submit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SubmitResult {
    pub outcome: CaseOutcome,
    pub error: Option<StoredError>,
    /// The transport proved that it never left.
    pub unsent: bool,
    /// This very order was paid before: 404, 615.
    pub already: bool,
    /// refundCode, voidCode, or the new order's number.
    pub code: Option<String>,
    /// refundStatus, voidStatus.
    pub state: Option<i64>,
    pub money: Option<Money>,
    pub deadline: Option<Deadline>,
    /// Worth recording as evidence, but proves nothing.
    pub hint: Option<String>,
    /// The vendor's Retry-After, in milliseconds.
    pub retry_after: Option<Millis>,
    /// A 429 in another form than the vendor's.
    pub gateway: bool,
    /// The vendor's id of the request.
    pub request_id: Option<String>,
}

impl SubmitResult {
    /// A result of which only outcome and error are known.
    pub fn new(outcome: CaseOutcome, error: Option<StoredError>) -> SubmitResult {
        SubmitResult {
            outcome,
            error,
            unsent: false,
            already: false,
            code: None,
            state: None,
            money: None,
            deadline: None,
            hint: None,
            retry_after: None,
            gateway: false,
            request_id: None,
        }
    }
}

/// Input of the state machine.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// A caller of case.open (who may submit) or the follow-up (which may not) goes on with the case.
    Drive,
    Answered(Query, Answer),
    Submitted(StepName, SubmitResult),
    /// The request of a step could not be made, or another case holds what it needs: nothing was sent.
    NotWritten(StepName, StoredError),
    /// A human's verdict.
    Resolved {
        executed: bool,
        by: String,
        text: String,
        code: Option<String>,
    },
    /// A notification names the case's order: a query becomes due, but not within `min_interval` of the last one, and
    /// for a final case not within an hour of it.
    Notified {
        min_interval: Millis,
    },
}

/// Output of the state machine: what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Query(Query),
    /// Submit, once the store has the intent.
    Submit(StepName),
    /// Drive it again after a pause in milliseconds.
    DriveAfter(Millis),
    /// Nothing before it is due.
    Wait,
}
