//! What a case is: everything the store keeps of it. No passenger, no card, no secret.

use serde::{Deserialize, Serialize};

use super::claimed_booking::ClaimedBooking;
use super::clock::Stamp;
use super::error::StoredError;
use super::hold::Hold;
use super::vocabulary::{CaseOutcome, Kind, Query, Retry, State, StepName, Strength, Way};
use crate::unix_time::Millis;
use crate::wire::Amount;

/// One submit of a case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub name: StepName,
    pub outcome: CaseOutcome,
    pub attempts: u32,
    pub at: Millis,
    /// The last moment at which a byte of the request can have left; None if none left.
    pub sent: Option<Stamp>,
    /// Its sender ended before the outcome was stored; the raw reply itself may be stored.
    #[serde(default)]
    pub abandoned: bool,
    /// When the last attempt that may have left was sent.
    #[serde(default)]
    pub sent_at: Option<Millis>,
    /// The vendor's id of the request of that attempt.
    #[serde(default)]
    pub request_id: Option<String>,
    /// Why the last attempt, which was not executed, may be followed by another one.
    #[serde(default)]
    pub retry: Option<Retry>,
}

impl Step {
    /// The first attempt, whose intent is recorded at `at`.
    pub fn new(name: StepName, at: Millis) -> Step {
        let outcome = CaseOutcome::Pending;
        Step {
            name,
            outcome,
            attempts: 1,
            at,
            sent: None,
            abandoned: false,
            sent_at: None,
            request_id: None,
            retry: None,
        }
    }
}

/// A fact that an outcome rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Evidence {
    pub at: Millis,
    pub what: String,
    pub strength: Strength,
}

/// Decimal text in one currency.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Money {
    pub currency: Option<String>,
    pub paid: Option<String>,
    pub estimated_refund: Option<String>,
    pub fee: Option<String>,
    pub actual_refund: Option<String>,
    /// The vendor's amounts are of more than one currency: there is no sum of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mixed: bool,
}

/// Limits that the caller set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Expect {
    pub currency: Option<String>,
    pub min_refund: Option<Amount>,
    pub max_fee: Option<Amount>,
    pub max_price: Option<Amount>,
    pub accept_voucher: bool,
    pub accept_unquoted: bool,
    #[serde(default)]
    pub accept_foreign: bool,
}

/// A last moment, and the vendor's field that says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deadline {
    pub at: Millis,
    pub source: String,
}

/// A case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Case {
    pub id: String,
    pub key: String,
    pub kind: Kind,
    pub via: Option<Way>,
    pub order_no: Option<String>,
    pub offer_id: Option<String>,
    pub code: Option<String>,
    pub outcome: CaseOutcome,
    pub state: State,
    pub vendor_code: Option<i64>,
    pub closed: bool,
    pub adopted: bool,
    pub reopened: bool,
    pub money: Option<Money>,
    pub deadline: Option<Deadline>,
    pub due: Option<Millis>,
    pub created: Millis,
    pub updated: Millis,
    pub steps: Vec<Step>,
    pub evidence: Vec<Evidence>,
    pub error: Option<StoredError>,

    /// Digest of what the caller asked for: the same key must mean the same.
    pub content: String,
    pub expect: Expect,
    /// What other cases must not touch meanwhile.
    pub holds: Vec<Hold>,
    /// The case, given up before, that its caller knows of and opens it after.
    #[serde(default)]
    pub after: Option<String>,
    /// A direct submit, not case.open: it is never tried again.
    pub direct: bool,
    /// A new offer was asked for after the vendor called one expired (805, 502).
    pub requoted: bool,
    /// Queries answered since the state changed.
    #[serde(rename = "looks")]
    pub poll_count: u32,
    /// When the state changed.
    pub since: Millis,
    /// When the vendor was queried last.
    #[serde(rename = "asked")]
    pub queried: Option<Millis>,
    /// The first plausible answer without the effect after the settle time.
    #[serde(rename = "empty")]
    pub first_absence: Option<Stamp>,
    /// When it was moved here from another store, by this store's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved_at: Option<Stamp>,
    /// Found absent, or declared so by a human: the effect may still show up.
    pub watched: bool,
    /// The vendor answered that it does not know the order, refuses the list, or that something is there: a list without
    /// the effect does not prove its absence.
    #[serde(default)]
    pub doubted: bool,
    /// After this case was found absent, another one was opened on its order. To go on with both could buy twice.
    #[serde(default, rename = "succeeded")]
    pub superseded: bool,
    /// The booking's ancillary orders before this one was submitted, if the vendor listed them.
    #[serde(rename = "before")]
    pub orders_before: Option<Vec<String>>,
    /// Some passengers of the order, not all. Who they are is not stored.
    #[serde(default)]
    pub partial: bool,
    /// Which passengers, counted from 1 as the store first read them; empty: everybody, or not known.
    #[serde(default)]
    pub positions: Vec<usize>,
    /// Ancillary: what the order buys, a digest for each passenger, product and segment.
    #[serde(default)]
    pub basket: Vec<String>,
    /// Claim: the booking, as rows of orderList are compared with it.
    #[serde(default)]
    pub claimed: Option<ClaimedBooking>,
    /// Claim: the booking's airlines; a locator is unique within one only.
    #[serde(default)]
    pub carriers: Vec<String>,
    /// Claim: departs later than orderList reaches.
    #[serde(default)]
    pub unlisted: bool,
    /// The vendor refused the last attempt for its pace: case.open sends and asks nothing before this moment.
    #[serde(default)]
    pub paced_until: Option<Millis>,
    /// That moment came from a Retry-After: case.unpause ends it.
    #[serde(default)]
    pub retry_after: bool,
    /// Refusals for pace in a row.
    #[serde(default)]
    pub paced: u32,
    /// The refusal for pace does not prove that nothing was executed: what would show the effect is read first.
    #[serde(default)]
    pub check_first: Option<CheckFirst>,

    /// A notification came after the end: the vendor is asked once whether its state is still the same.
    #[serde(default)]
    pub recheck: bool,

    /// The number of the last write, from the store's own column.
    #[serde(skip)]
    pub change: i64,
    /// State of the current run; never stored.
    #[serde(skip)]
    pub run: Run,
}

/// The refusal after which the effect is looked for before another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CheckFirst {
    /// 905, which the vendor's application gave.
    #[serde(rename = "905")]
    Busy,
    /// 429 in another form than the vendor's: whether its application got the request is not known.
    #[serde(rename = "429")]
    Gateway,
}

/// What the caller of this run allows, and what the run has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Run {
    pub may_send: bool,
    pub can_pay: bool,
    /// How this run pays.
    pub payment_method: Option<i64>,
    /// Whether a rebuilt order has the passengers of the original; None: not looked at yet.
    pub same_people: Option<bool>,
    /// Attempts of this run that provably did not leave.
    pub unsent: u32,
    /// The caller gave the offer to use.
    pub own_offer: bool,
    /// A direct `pay` pays the order of a case that waits for payment.
    pub paid_directly: bool,
    /// What would show the effect of an attempt that was refused for its pace was read.
    pub effect_checked: bool,
    /// Whether somebody else has made such an order could not be looked at.
    pub foreign_unchecked: bool,
    /// After 905 the list was refused: only a quotation that succeeds shows that there is no effect.
    pub needs_quotation: bool,
    /// The vendor answered a query of this run.
    pub asked: bool,
    /// The query that is under way.
    pub waits_for: Option<Query>,
    /// When it was decided on: its answer shows the vendor as it was since then, however late it is read.
    pub asked_at: Option<Stamp>,
}

impl Case {
    /// A case for which nothing has been done.
    pub fn new(id: String, key: String, kind: Kind, order_no: Option<String>, content: String, now: Stamp) -> Case {
        Case {
            id,
            key,
            kind,
            via: None,
            holds: order_no.iter().cloned().map(Hold::Order).collect(),
            after: None,
            order_no,
            offer_id: None,
            code: None,
            outcome: CaseOutcome::Pending,
            state: State::Planned,
            vendor_code: None,
            closed: false,
            adopted: false,
            reopened: false,
            money: None,
            deadline: None,
            due: None,
            created: now.wall,
            updated: now.wall,
            steps: Vec::new(),
            evidence: Vec::new(),
            error: None,
            content,
            expect: Expect::default(),
            direct: false,
            requoted: false,
            poll_count: 0,
            since: now.wall,
            queried: None,
            first_absence: None,
            moved_at: None,
            watched: false,
            doubted: false,
            superseded: false,
            orders_before: None,
            partial: false,
            positions: Vec::new(),
            basket: Vec::new(),
            claimed: None,
            carriers: Vec::new(),
            unlisted: false,
            paced_until: None,
            retry_after: false,
            paced: 0,
            check_first: None,
            recheck: false,
            change: 0,
            run: Run::default(),
        }
    }

    /// Whether a void or a refund is under way; None for other kinds, and while a cancel has not chosen.
    pub fn way(&self) -> Option<Way> {
        match self.kind {
            Kind::Void => Some(self.via.unwrap_or(Way::Void)),
            Kind::Refund => Some(self.via.unwrap_or(Way::Refund)),
            Kind::Cancel => self.via,
            _ => None,
        }
    }

    /// What it keeps others from: its order, or the passengers of it that it is about.
    pub fn order_hold(&self) -> Option<Hold> {
        let order = self.order_no.clone()?;
        match (self.kind, self.positions.as_slice()) {
            (Kind::Refund, positions @ [_, ..]) => Some(Hold::Passengers { order, positions: positions.to_vec() }),
            _ => Some(Hold::Order(order)),
        }
    }

    /// What must be free for the case: its holds, and that the order which it rebuilds was not paid, also as another
    /// order that was rebuilt from it.
    pub fn needs(&self) -> Vec<Hold> {
        let rebuilt = self.order_no.clone().filter(|_| self.kind == Kind::Regenerate).map(Hold::Payment);
        self.holds.iter().cloned().chain(rebuilt).collect()
    }

    /// The submit that the case is about.
    pub fn first_step(&self) -> StepName {
        match self.kind {
            Kind::Void | Kind::Refund | Kind::Cancel if self.way() == Some(Way::Refund) => StepName::Refund,
            Kind::Void | Kind::Refund | Kind::Cancel => StepName::Void,
            Kind::Ancillary => StepName::Order,
            Kind::Regenerate => StepName::Regenerate,
            Kind::Stop => StepName::Stop,
            Kind::Claim => StepName::Claim,
            Kind::Pay => StepName::Pay,
        }
    }

    /// The locator of the booking that is claimed, if the claim named it.
    pub fn locator(&self) -> Option<&str> {
        self.holds.iter().find_map(|hold| if let Hold::Locator(locator) = hold { Some(locator.as_str()) } else { None })
    }

    /// The last submit.
    pub fn last_step(&self) -> Option<&Step> {
        self.steps.last()
    }

    /// For how long at least no byte of the last submit can have left; None if none may have left at all.
    pub fn settling_for(&self, later: Stamp) -> Option<Millis> {
        let since = self.last_step()?.sent?.elapsed_at_least(later);
        Some(self.moved_at.map_or(since, |moved| since.min(moved.elapsed_at_least(later))))
    }

    /// It goes on in another store, whose clock says `now`: what has passed of a settle time is counted anew, since the
    /// clock of the store before may be behind this one's.
    pub fn arrive(&mut self, now: Stamp) {
        if !self.closed {
            self.moved_at = Some(now);
            self.first_absence = None;
        }
    }

    /// When something is to be done: the end of a pause that the vendor wants, else the next query.
    pub fn next_due(&self) -> Option<Millis> {
        let waits = !self.closed && matches!(self.state, State::Planned | State::AwaitingPayment);
        self.paced_until.filter(|_| waits).or(self.due)
    }

    /// The case as shown while its sender is gone, before anybody reconciled it: what it was sending may have left.
    pub fn without_sender(&self) -> Case {
        let mut case = self.clone();
        if let Some(step) = case.steps.last_mut() {
            step.outcome = CaseOutcome::Unknown;
            step.sent_at = Some(step.at);
        }
        (case.outcome, case.state, case.closed) = (CaseOutcome::Unknown, State::Unknown, false);
        case
    }

    /// Whether the caller gave the offer: it is never replaced by another one.
    pub fn has_own_offer(&self) -> bool {
        self.run.own_offer || (!self.direct && self.holds.iter().any(|hold| matches!(hold, Hold::Offer(_))))
    }

    /// Whether the key means this content for ever: an intent was written, or a human has decided.
    pub fn is_bound(&self) -> bool {
        !self.steps.is_empty() || self.is_resolved()
    }

    /// Whether a human has decided the outcome.
    pub fn is_resolved(&self) -> bool {
        self.evidence.iter().any(|e| e.strength == Strength::Human)
    }

    /// Whether case.open starts it over, with the same or other content.
    pub fn starts_over(&self) -> bool {
        !self.direct && !self.is_bound() && matches!(self.outcome, CaseOutcome::Pending | CaseOutcome::NotExecuted)
    }

    /// Whether it ended by a refusal after which case.open, with the same content, makes the next attempt: each step
    /// is not executed for a reason that allows another attempt.
    pub fn may_try_again(&self) -> bool {
        let retryable = |s: &Step| s.outcome == CaseOutcome::NotExecuted && s.retry.is_some();
        self.closed
            && self.state == State::Refused
            && !self.direct
            && !self.steps.is_empty()
            && !self.is_resolved()
            && self.steps.iter().all(retryable)
    }

    /// Whether a further intent is possible, for which the `expect` of the call counts.
    pub fn may_send_more(&self) -> bool {
        let unpaid = |s: &Step| s.name != StepName::Pay || (s.outcome == CaseOutcome::NotExecuted && s.retry.is_some());
        match self.state {
            State::Planned | State::Quoting => !self.closed,
            State::AwaitingPayment => !self.closed && self.steps.iter().all(unpaid),
            _ => self.starts_over() || self.may_try_again(),
        }
    }

    /// Whether the vendor answered with numbers joined by a comma, as for a round trip that it made two orders of.
    pub fn has_several_numbers(&self) -> bool {
        self.code.as_deref().is_some_and(|code| code.contains([',', '|']))
    }

    /// Whether the next submit is still being prepared, and no attempt is in doubt: what the vendor shows now was there
    /// before it. Earlier attempts, if any, are proved not executed.
    pub fn is_before_submit(&self) -> bool {
        self.state == State::Quoting && (self.check_first.is_none() || self.run.effect_checked)
    }

    /// Whether its payment was found absent: case.open sends no other one.
    pub fn pays_directly(&self) -> bool {
        let absent = |s: &Step| s.name == StepName::Pay && s.outcome == CaseOutcome::NotExecuted && s.retry.is_none();
        !self.closed && self.state == State::AwaitingPayment && self.steps.iter().any(absent)
    }

    /// Whether its holds are in force.
    pub fn is_holding(&self) -> bool {
        !self.closed || !self.holds.is_empty()
    }
}
