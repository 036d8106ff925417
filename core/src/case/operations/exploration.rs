//! The state machine of cases for a program that explores its states (`tests/model`): behind the feature `exploration`,
//! and no part of the API. Everything that is decided here is decided by the functions that decide in production.

use super::open;
use crate::case::clock;
use crate::case::error::StoredError;
use crate::case::machine::event::{Action, Answer, Entry, Event, Now, OrderState, Quote, Refusal, SubmitResult};
use crate::case::machine::{evidence, recheck, step};
use crate::case::model::{Case, Run};
use crate::case::vocabulary::{CaseOutcome, Kind, State, StepName, Strength};
use crate::config::CasePolicy;
use crate::error::ErrorCode;
use crate::unix_time::Millis;

/// A case, with the state of the run that drives it.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject(pub(super) Case);

/// What happens to a case; an answer is one to the query that it waits for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Happening {
    /// Somebody goes on with it.
    Drive,
    /// An order in this status.
    Order(i64),
    /// A quotation with this offer.
    Quote(String),
    /// The price of what is to be bought.
    Price,
    /// The offers of a whole list of refunds or voids, all paid out.
    Entries(Vec<String>),
    /// The orders of the booking.
    Orders(Vec<String>),
    /// Before the submit: an order that no case has made.
    Foreign(String),
    /// No answer.
    NoAnswer,
    /// A refusal that the same query would meet again.
    Denied,
    /// A submit was executed, and made this number.
    Executed(&'static str, String),
    /// What became of a submit is not known.
    Lost(&'static str),
    /// A submit provably never left.
    Unsent(&'static str),
    /// The vendor answered 429 to a submit.
    Paced(&'static str),
    /// Another case holds what the submit needs.
    Held(&'static str),
}

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Next {
    /// Ask the vendor this.
    Query(Asked),
    /// Submit this step, once the intent is stored.
    Submit(&'static str),
    /// Drive it again, after a short pause.
    Again,
    /// Nothing.
    Wait,
}

/// A query, by the answer that it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Asked {
    Order,
    MadeOrder,
    VoidQuote,
    RefundQuote,
    Price,
    Voids,
    Refunds,
    Orders,
    /// One that the model has no answer for.
    Other,
}

/// What a second `case.open` of a key makes of its case.
#[derive(Debug, Clone, PartialEq)]
pub enum Opened {
    /// The vendor wants a pause: nothing is done.
    Paced,
    /// It ended, and is shown.
    Ended,
    /// It goes on as it is.
    GoesOn,
    /// It is replaced by this, which takes its holds anew.
    Reclaimed(Box<Subject>),
}

/// What a store, a caller and the rules look at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub struct Facts {
    pub state: &'static str,
    pub outcome: &'static str,
    pub closed: bool,
    pub watched: bool,
    pub reopened: bool,
    pub due: bool,
    /// The steps: their attempts and outcomes.
    pub steps: Vec<(&'static str, u32, &'static str)>,
    /// Its stored reply was not read.
    pub unread: bool,
    pub may_send_more: bool,
    pub after: Option<String>,
    pub offer: Option<String>,
    pub code: Option<String>,
}

fn now(at: Millis, policy: &CasePolicy) -> Now<'_> {
    Now { stamp: clock::at(at), policy }
}

impl Subject {
    /// A case that `case.open` is about to claim; no passengers are all of them. None if there is no such kind.
    pub fn new(
        kind: &str,
        id: &str,
        order: &str,
        passengers: &[usize],
        after: Option<&str>,
        at: Millis,
    ) -> Option<Subject> {
        let kind = Kind::of(kind)?;
        let mut case = Case::new(id.into(), id.into(), kind, Some(order.into()), String::new(), clock::at(at));
        case.positions = passengers.to_vec();
        case.partial = !passengers.is_empty();
        case.holds = case.order_hold().into_iter().collect();
        case.after = after.map(str::to_owned);
        (case.run.may_send, case.run.can_pay) = (true, true);
        Some(Subject(case))
    }

    /// What a process reads that did not write it.
    #[must_use]
    pub fn stored(&self) -> Subject {
        Subject(Case { run: Run::default(), ..self.0.clone() })
    }

    /// In the run of a `case.open`.
    #[must_use]
    pub fn opened(&self) -> Subject {
        let run = Run { may_send: true, can_pay: true, ..Run::default() };
        Subject(Case { run, requoted: false, ..self.0.clone() })
    }

    /// One step of the state machine.
    pub fn step(&self, happening: &Happening, at: Millis, settle: Millis) -> (Subject, Next) {
        let policy = CasePolicy { settle, ..CasePolicy::default() };
        let (case, action) = step(self.0.clone(), self.event(happening), &now(at, &policy));
        (Subject(case), next(action))
    }

    fn event(&self, happening: &Happening) -> Event {
        let sent = |name: &str, outcome, error: Option<ErrorCode>| {
            let error = error.map(|code| StoredError::new(code, "")).or(Some(StoredError::new(ErrorCode::Io, "")));
            (StepName::of(name).unwrap_or(StepName::Claim), SubmitResult::new(outcome, error))
        };
        let answer = match happening {
            Happening::Drive => return Event::Drive,
            Happening::Order(status) => Answer::Order(OrderState {
                status: Some(*status),
                ticketed: *status == 2,
                no_payment: *status == 0,
                same_people: Some(true),
                ..OrderState::default()
            }),
            Happening::Quote(offer) => Answer::Quote(Quote {
                offer_id: Some(offer.clone()),
                possible: Some(true),
                window_open: Some(true),
                ..Quote::default()
            }),
            Happening::Price => Answer::Search(Default::default()),
            Happening::Entries(offers) => Answer::Entries(offers.iter().map(|offer| entry(offer)).collect()),
            Happening::Orders(orders) => Answer::Orders(orders.clone()),
            Happening::Foreign(order) => Answer::Foreign(order.clone()),
            Happening::NoAnswer => {
                let error = StoredError::new(ErrorCode::Io, "");
                Answer::Refused(Refusal::passing(error))
            }
            Happening::Denied => Answer::Refused(Refusal::lasting(StoredError::new(ErrorCode::Refused, ""))),
            Happening::Executed(name, code) => {
                let (name, result) = sent(name, CaseOutcome::Executed, None);
                let code = (name != StepName::Pay).then(|| code.clone());
                return Event::Submitted(name, SubmitResult { code, state: Some(0), error: None, ..result });
            }
            Happening::Lost(name) => {
                let (name, result) = sent(name, CaseOutcome::Unknown, None);
                return Event::Submitted(name, result);
            }
            Happening::Unsent(name) => {
                let (name, result) = sent(name, CaseOutcome::NotExecuted, None);
                return Event::Submitted(name, SubmitResult { unsent: true, ..result });
            }
            Happening::Paced(name) => {
                let (name, result) = sent(name, CaseOutcome::NotExecuted, Some(ErrorCode::RateLimited));
                return Event::Submitted(name, result);
            }
            Happening::Held(name) => {
                let (name, _) = sent(name, CaseOutcome::NotExecuted, None);
                return Event::NotWritten(name, StoredError::new(ErrorCode::Conflict, ""));
            }
        };
        match self.0.run.waits_for {
            Some(query) => Event::Answered(query, answer),
            None => Event::Drive,
        }
    }

    /// What `case.open` with this key makes of it; `fresh` is what the call asks for.
    pub fn open_again(&self, fresh: &Subject, at: Millis) -> Opened {
        let policy = CasePolicy::default();
        let case = &self.0;
        let unread = case.last_step().is_some_and(|step| step.abandoned);
        match () {
            () if open::pause_left(case, at, policy.retry_after_max).is_some() => Opened::Paced,
            () if case.starts_over() => {
                Opened::Reclaimed(Box::new(Subject(open::start_over(case, &fresh.0, true, at))))
            }
            () if case.may_try_again() => Opened::Reclaimed(Box::new(Subject(open::next_attempt(case, &fresh.0)))),
            () if case.closed && !case.watched && !unread => Opened::Ended,
            () => Opened::GoesOn,
        }
    }

    /// As a call goes on with it that names another case in `after`.
    #[must_use]
    pub fn after(&self, other: &str) -> Subject {
        Subject(Case { after: Some(other.to_owned()), ..self.0.clone() })
    }

    /// A case that was reopened while another one holds its order.
    #[must_use]
    pub fn held_by(&self, other: &Subject, at: Millis) -> Subject {
        let mut case = self.0.clone();
        recheck::held_by(&mut case, &other.0, &now(at, &CasePolicy::default()));
        Subject(case)
    }

    /// After another case was opened on its order.
    #[must_use]
    pub fn superseded(&self) -> Subject {
        Subject(Case { superseded: true, ..self.0.clone() })
    }

    /// Whether something that this case needs is held by the other one, as the store compares them.
    pub fn needs_of(&self, other: &Subject) -> bool {
        other.0.is_holding() && self.0.needs().iter().any(|hold| other.0.holds.iter().any(|held| held.overlaps(hold)))
    }

    /// Without the orders that the other cases have made, or are making.
    pub fn without_others(&self, orders: Vec<String>, others: &[&Subject]) -> Option<Vec<String>> {
        let cases: Vec<Case> = others.iter().map(|other| other.0.clone()).collect();
        match evidence::without_others(&self.0, orders, &cases) {
            Answer::Orders(orders) => Some(orders),
            _ => None,
        }
    }

    /// What is looked at from outside.
    pub fn facts(&self) -> Facts {
        let case = &self.0;
        Facts {
            state: case.state.word(),
            outcome: case.outcome.word(),
            closed: case.closed,
            watched: case.watched,
            reopened: case.reopened,
            due: case.due.is_some(),
            steps: case.steps.iter().map(|step| (step.name.word(), step.attempts, step.outcome.word())).collect(),
            unread: case.last_step().is_some_and(|step| case.state == State::Sending || step.abandoned),
            may_send_more: case.may_send_more(),
            after: case.after.clone(),
            offer: case.offer_id.clone(),
            code: case.code.clone(),
        }
    }

    /// Without what no decision within a day rests on: texts for people, times that are only shown, and how often the
    /// vendor was asked. When it is due is reduced to whether it is: it may be driven at any time.
    #[must_use]
    pub fn reduced(&self) -> Subject {
        let mut case = self.0.clone();
        case.evidence.retain(|evidence| evidence.strength == Strength::Human);
        case.error = case.error.filter(|error| error.vendor_status.is_some());
        case.due = case.due.map(|_| 0);
        case.queried = case.queried.map(|_| 0);
        (case.created, case.updated, case.since, case.poll_count, case.change) = (0, 0, 0, 0, 0);
        for step in &mut case.steps {
            step.at = 0;
            step.sent_at = step.sent_at.map(|_| 0);
        }
        Subject(case)
    }

    /// A text that two cases have in common only if they are the same.
    pub fn text(&self) -> String {
        format!("{} {:?}", serde_json::to_string(&self.0).unwrap_or_default(), self.0.run)
    }
}

fn entry(offer: &str) -> Entry {
    Entry {
        offer_id: Some(offer.to_owned()),
        code: Some(offer.to_owned()),
        state: Some(2),
        covers: Some(true),
        ..Entry::default()
    }
}

fn next(action: Action) -> Next {
    use crate::case::vocabulary::Query;
    match action {
        Action::Query(query) => Next::Query(match query {
            Query::Order => Asked::Order,
            Query::NewOrder => Asked::MadeOrder,
            Query::VoidQuote => Asked::VoidQuote,
            Query::RefundQuote => Asked::RefundQuote,
            Query::Search => Asked::Price,
            Query::VoidList => Asked::Voids,
            Query::RefundList => Asked::Refunds,
            Query::BookingOrders => Asked::Orders,
            _ => Asked::Other,
        }),
        Action::Submit(name) => Next::Submit(name.word()),
        Action::DriveAfter(_) => Next::Again,
        Action::Wait => Next::Wait,
    }
}
