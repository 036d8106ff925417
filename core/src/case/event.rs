//! What can happen to a case, and what is to be done next: the words of [`super::machine::step`].

use super::model::{Deadline, Millis, Money, Stamp, StepName, Trouble, Verdict};
use super::rules::Rules;

/// The moment of a step, and the store's rules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now<'r> {
    pub stamp: Stamp,
    pub rules: &'r Rules,
}

impl Now<'_> {
    pub fn wall(&self) -> Millis {
        self.stamp.wall
    }
}

/// A question to the vendor that changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// queryOrderDetails of the case's order.
    Order,
    VoidQuote,
    RefundQuote,
    /// The offer that the caller gave: the store knows how old it is.
    KnownOffer,
    /// postBookingAncillarySearch.
    Search,
    VoidList,
    RefundList,
    /// A fresh refund quotation, only to see whether it is refused because a refund is there.
    RefundProbe,
    /// queryOrderDetails of the order that the case made (or pays).
    NewOrder,
    /// queryOrderDetails with all orders of a booking.
    Tree,
    /// orderList by the booking's locator.
    ClaimList,
    /// orderList since the submit, for a rebuilt order.
    Rebuilt,
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
    /// When it was made; None: just now.
    pub at: Option<Stamp>,
}

/// An order as queryOrderDetails shows it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct OrderSeen {
    /// 0 unpaid, 1 ticketing, 2 ticketed, -3 cancelled.
    pub status: Option<i64>,
    pub ticketed: bool,
    /// A reason for a cancellation that only paid orders have.
    pub failed_ticketing: bool,
    pub deadline: Option<Deadline>,
    /// The price with the fee.
    pub money: Option<Money>,
}

/// A refund or void in a list.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Entry {
    pub offer_id: Option<String>,
    pub code: Option<String>,
    pub state: Option<i64>,
    pub actual_refund: Option<String>,
    /// Whether it is about everybody whom the case is about; None where that cannot be told.
    pub covers: Option<bool>,
}

/// What the vendor said, as far as it matters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Answer {
    Order(OrderSeen),
    Quote(Quote),
    /// The price of the wished products.
    Search(Money),
    /// A list of refunds or voids.
    Entries(Vec<Entry>),
    /// Numbers of orders: of the baggage orders, of those claimed, of those that look rebuilt.
    Orders(Vec<String>),
    /// An answer that can prove nothing: a list that is missing or incomplete.
    Vague(&'static str),
    /// No.
    Refused(Refusal),
}

/// A no, or no answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refusal {
    pub trouble: Trouble,
    /// The vendor was not reached, or says "later": the same question may be answered another time.
    pub passing: bool,
    /// "Already submitted": 803, 816, 817, 818.
    pub already: bool,
}

/// What came of a submit.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sent {
    pub outcome: Verdict,
    pub trouble: Option<Trouble>,
    /// It never left: the transport has proof.
    pub unsent: bool,
    /// "Already submitted".
    pub already: bool,
    /// refundCode, voidCode, or the new order's number.
    pub code: Option<String>,
    /// refundStatus, voidStatus.
    pub state: Option<i64>,
    pub money: Option<Money>,
    pub deadline: Option<Deadline>,
    /// Something worth keeping that proves nothing.
    pub hint: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Event {
    /// Somebody drives the case: its caller (who may send) or the follow-up (which may not).
    Drive,
    Answered(Question, Answer),
    Submitted(StepName, Sent),
    /// A human's verdict.
    Resolved {
        executed: bool,
        by: String,
        text: String,
        code: Option<String>,
    },
    /// A notification speaks of it: it is asked about, but not again so soon after the last time.
    Notified {
        not_before: Millis,
    },
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Ask(Question),
    /// Send it, once the store has the intent.
    Send(StepName),
    /// Drive it again after a pause.
    Again(Millis),
    /// Nothing before it is due.
    Rest,
}
