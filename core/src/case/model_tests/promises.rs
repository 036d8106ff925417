//! What must hold after every step, told from what was seen from outside.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use rust_decimal::Decimal;

use super::simulation::known;
use super::vendor::Vendor;
use crate::case::machine::event::{Action, Answer, Event, Now, Quote, SubmitResult};
use crate::case::machine::next_query::next_query;
use crate::case::model::{Case, Expect, Money};
use crate::case::schedule::DAY;
use crate::case::vocabulary::Query;
use crate::case::vocabulary::{CaseOutcome, Kind, State, StepName};
use crate::error::ErrorCode;
use crate::unix_time::Millis;
use crate::wire::Amount;

type Check = Result<(), TestCaseError>;

/// How a request ended, as its sender saw it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum End {
    Unsent,
    Refused(i64),
    /// 429.
    Paced,
    /// Executed, or nobody knows.
    Counts,
}

/// What was seen from outside the machine.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub direct: bool,
    pub own_offer: bool,
    pub may_send: bool,
    pub can_pay: bool,
    pub human: bool,
    /// Something was said that is not so.
    pub lies: bool,
    pub jumped: bool,
    pub rebooted: bool,
    pub sends: Vec<(StepName, Option<End>)>,
    /// The last byte of the last submit.
    left: Millis,
    /// Answers since then that do not hold it.
    empty: Vec<Millis>,
    quote: Option<Quote>,
    pub price: Money,
    pub pay_until: Option<Millis>,
    /// The order that is to be paid is known to stand.
    ordered: bool,
}

impl Seen {
    pub fn new(own_offer: bool) -> Seen {
        Seen { own_offer, ..Seen::default() }
    }

    /// As case.open decides it.
    pub fn may_resolve(&self, case: &Case) -> bool {
        !matches!(case.outcome, CaseOutcome::Executed | CaseOutcome::NotExecuted) || case.state == State::NeedsHuman
    }

    pub fn submitted(&mut self, sent: &SubmitResult, at: Millis) {
        let end = match sent.outcome {
            CaseOutcome::NotExecuted if sent.unsent => End::Unsent,
            CaseOutcome::NotExecuted if is_paced(sent) => End::Paced,
            CaseOutcome::NotExecuted => End::Refused(sent.error.as_ref().and_then(|t| t.vendor_status).unwrap_or(0)),
            _ => End::Counts,
        };
        (self.left, self.empty) = (at, Vec::new());
        if let Some((name, ended)) = self.sends.last_mut() {
            *ended = Some(end);
            self.ordered |=
                sent.outcome == CaseOutcome::Executed && matches!(name, StepName::Order | StepName::Regenerate);
        }
        if sent.outcome == CaseOutcome::Executed {
            known(&mut self.price, sent.money.as_ref().unwrap_or(&Money::default()));
            self.pay_until = sent.deadline.as_ref().map(|d| d.at).or(self.pay_until);
        }
    }

    /// The process died while it was sending.
    pub fn lost(&mut self, at: Millis) {
        (self.left, self.empty) = (at, Vec::new());
        if let Some((_, ended)) = self.sends.last_mut() {
            *ended = Some(End::Counts);
        }
    }

    pub fn answered(&mut self, case: &Case, query: Query, answer: &Answer, at: Millis) {
        match (query, answer) {
            (Query::VoidQuote | Query::RefundQuote | Query::KnownOffer, Answer::Quote(quote)) => {
                self.quote = Some(quote.clone());
            }
            (Query::Search, Answer::Search(money)) => known(&mut self.price, money),
            (Query::NewOrder, Answer::Order(order)) if order.status == Some(0) => {
                let until = order.deadline.as_ref().map(|d| d.at);
                self.pay_until = until.into_iter().chain(self.pay_until).min();
                if let Some(price) = &order.money {
                    self.price.currency.clone_from(&price.currency);
                    self.price.paid.clone_from(&price.paid);
                }
            }
            _ => {}
        }
        let lacks = match answer {
            Answer::Entries(entries) => !entries.iter().any(|e| {
                e.offer_id.is_none() || e.offer_id == case.offer_id || (e.code.is_some() && e.code == case.code)
            }),
            Answer::Orders(orders) if query == Query::BookingOrders => {
                case.orders_before.as_ref().is_some_and(|before| orders.iter().all(|o| before.contains(o)))
            }
            Answer::Orders(orders) => orders.is_empty(),
            Answer::Order(order) => order.status == Some(0),
            _ => false,
        };
        if lacks {
            self.empty.push(at);
        }
        let new = |o: &&String| case.orders_before.as_ref().is_some_and(|before| !before.contains(o));
        if let (Query::BookingOrders, Answer::Orders(orders)) = (query, answer) {
            self.ordered |= orders.iter().filter(new).count() == 1;
        }
    }

    /// An answer to what was not asked says nothing.
    pub fn ignored(before: &Case, after: &Case) -> Check {
        let same = Case { due: before.due, poll_count: before.poll_count, updated: before.updated, ..after.clone() };
        prop_assert_eq!(&same, before, "an answer to what was not asked changed the case");
        Ok(())
    }

    pub fn check(
        &mut self,
        old: &Case,
        event: &Event,
        new: &Case,
        action: Action,
        now: &Now<'_>,
        time: Millis,
    ) -> Check {
        if let Action::Submit(name) = action {
            self.check_send(new, name, now, time)?;
            self.sends.push((name, None));
            self.empty.clear();
        }
        prop_assert!(
            !new.closed || matches!(new.outcome, CaseOutcome::Executed | CaseOutcome::NotExecuted),
            "closed: {new:?}"
        );
        if new.closed && !new.watched {
            // After a notification, it is asked about once.
            let may_ask = matches!(action, Action::Query(_)) && new.recheck;
            prop_assert!(action == Action::Wait || may_ask, "an ended case wants {action:?}");
            prop_assert!(new.due.is_none() || new.recheck, "an ended case is due");
        }
        self.check_outcomes(old, event, new)?;
        if let Event::Submitted(_, sent) = event {
            // Whether the caller's own offer can be used twice is not documented: expired, it may have been used.
            let code = sent.error.as_ref().and_then(|e| e.vendor_status);
            let unknown = sent.outcome == CaseOutcome::Unknown
                || (self.own_offer && code == Some(805))
                || (sent.gateway && !old.direct && new.kind == Kind::Regenerate && new.code.is_none());
            prop_assert_eq!(unknown, new.outcome == CaseOutcome::Unknown, "{:?}", new);
        }
        let by_absence = new.outcome == CaseOutcome::NotExecuted && new.watched && old.outcome == CaseOutcome::Unknown;
        if by_absence && matches!(event, Event::Answered(..)) && !(self.jumped && self.rebooted) {
            let settle = now.policy.settle;
            let first = self.empty.iter().find(|at| **at >= self.left + settle);
            let enough = first.is_some_and(|first| time - first >= settle / 3);
            prop_assert!(enough, "absence from {:?}, sent at {}, now {time}", self.empty, self.left);
        }
        // Nothing is forgotten, also if the process dies now.
        let open = !new.closed && !matches!(new.state, State::Planned | State::Quoting);
        let asked = next_query(new).is_some() || new.state == State::Sending;
        prop_assert!(!asked || new.due.is_some(), "nobody will ask: {:?} {action:?}", new);
        prop_assert!(!open || asked || new.state == State::NeedsHuman, "no way on: {new:?}");
        if next_query(new) == Some(Query::NewOrder) {
            let made = matches!(new.kind, Kind::Ancillary | Kind::Regenerate);
            prop_assert!(new.code.is_some() || (!made && new.order_no.is_some()), "which order? {new:?}");
        }
        if matches!(event, Event::Resolved { executed: true, code: Some(_), .. }) {
            prop_assert!(new.state != State::NeedsHuman, "a human's word leads nowhere: {new:?}");
        }
        if let Some(due) = new.due.filter(|_| new.due != old.due) {
            let most = (DAY + DAY / 10).max(now.policy.settle);
            prop_assert!(due - now.wall() <= most, "asked only in {} ms", due - now.wall());
        }
        Ok(())
    }

    /// P1, and the guards.
    fn check_send(&self, case: &Case, name: StepName, now: &Now<'_>, time: Millis) -> Check {
        prop_assert!(self.may_send && !self.direct, "sent by who may not");
        prop_assert_eq!((case.state, case.outcome), (State::Sending, CaseOutcome::Pending));
        let mut requotes = 0;
        for (_, end) in self.sends.iter().filter(|(n, _)| *n == name) {
            let again = match end {
                Some(End::Unsent | End::Paced) => true,
                Some(End::Refused(805 | 502 | 6)) if name != StepName::Pay => {
                    requotes += 1;
                    requotes == 1
                }
                // Refused for its pace.
                Some(End::Refused(905)) => matches!(name, StepName::Void | StepName::Refund),
                Some(End::Refused(400 | 403 | 407..=410 | 412..=415)) => name == StepName::Pay,
                _ => false,
            };
            prop_assert!(again, "{name:?} sent again after {end:?}");
        }
        let expect = &case.expect;
        match name {
            StepName::Void | StepName::Refund => {
                let Some(quote) = &self.quote else {
                    return Err(TestCaseError::fail("sent without a quotation"));
                };
                prop_assert!(may_give_back(expect, quote, now.wall()), "{expect:?} {quote:?} {}", now.wall());
                let way = if name == StepName::Void { now.policy.void_offer_age } else { now.policy.refund_offer_age };
                let made = quote.at.and_then(|at| at.machine).map_or(time, |(_, at)| at);
                prop_assert!(self.rebooted || time - made <= way, "an old offer");
            }
            StepName::Order => prop_assert!(may_buy(expect, &self.price), "{expect:?} {:?}", self.price),
            StepName::Pay => {
                prop_assert!(self.can_pay, "paid by who cannot");
                prop_assert!(self.ordered || self.human, "paid before it was ordered");
                prop_assert!(may_buy(expect, &self.price), "{expect:?} {:?}", self.price);
                prop_assert!(self.pay_until.is_none_or(|at| at > now.wall()), "paid too late");
            }
            _ => {}
        }
        Ok(())
    }

    /// What was executed stays so; what was not is only reopened.
    fn check_outcomes(&self, old: &Case, event: &Event, new: &Case) -> Check {
        if matches!(event, Event::Resolved { .. }) {
            return Ok(());
        }
        match old.outcome {
            CaseOutcome::Executed => prop_assert_eq!(new.outcome, CaseOutcome::Executed, "{:?}", old),
            CaseOutcome::NotExecuted if new.outcome != CaseOutcome::NotExecuted => {
                prop_assert!(new.reopened && new.outcome != CaseOutcome::Unknown, "{old:?} {new:?}");
            }
            CaseOutcome::Unknown => {
                prop_assert!(new.outcome != CaseOutcome::Pending || made_an_order(new), "{old:?} {new:?}")
            }
            _ => {}
        }
        for (was, is) in old.steps.iter().zip(&new.steps) {
            prop_assert!(
                was.outcome != CaseOutcome::Executed || was == is || is.outcome == CaseOutcome::Executed,
                "{was:?} {is:?}"
            );
        }
        Ok(())
    }

    /// Against the vendor's own call_data, if nobody lied.
    pub fn truth(&self, case: &Case, vendor: &Vendor) -> Check {
        // A gateway's 429 does not prove that nothing was executed: that is looked for before the next attempt.
        if self.lies
            || self.rebooted
            || case.check_first.is_some()
            || (self.direct && self.sends.iter().any(|(_, end)| *end == Some(End::Paced)))
        {
            return Ok(());
        }
        for step in case.steps.iter().filter(|s| s.outcome == CaseOutcome::NotExecuted && s.name != StepName::Stop) {
            let landed = vendor.has(step.name);
            let will = vendor.late.iter().any(|(_, name, _)| *name == step.name);
            prop_assert!(!landed && !will, "{:?} was executed: {case:?}", step.name);
        }
        let name = case.last_step().map(|s| s.name);
        let landed = name.is_some_and(|name| name != StepName::Stop && vendor.has(name));
        // What was ordered and then cancelled unpaid is not there.
        prop_assert!(
            case.outcome != CaseOutcome::NotExecuted || !landed || vendor.is_cancelled(),
            "executed: {case:?}"
        );
        let theirs = vendor.profile.others || case.kind == Kind::Stop;
        prop_assert!(
            case.outcome != CaseOutcome::Executed || theirs || !vendor.landed.is_empty(),
            "never executed: {case:?}"
        );
        for name in [StepName::Void, StepName::Refund, StepName::Order, StepName::Pay, StepName::Claim] {
            prop_assert!(vendor.landed.iter().filter(|l| **l == name).count() <= 1, "{name:?} twice");
        }
        Ok(())
    }
}

fn is_paced(sent: &SubmitResult) -> bool {
    sent.error.as_ref().is_some_and(|e| e.code == ErrorCode::RateLimited)
}

fn made_an_order(case: &Case) -> bool {
    case.steps
        .iter()
        .any(|s| matches!(s.name, StepName::Order | StepName::Regenerate) && s.outcome == CaseOutcome::Executed)
}

fn number(text: &Option<String>) -> Option<Decimal> {
    text.as_deref().and_then(|t| t.parse().ok())
}

fn limit(amount: &Option<Amount>) -> Option<Decimal> {
    amount.as_ref().and_then(|a| a.as_str().parse().ok())
}

fn may_give_back(expect: &Expect, quote: &Quote, wall: Millis) -> bool {
    let fee = number(&quote.money.fee);
    let cash = if quote.voucher { Some(Decimal::ZERO) } else { number(&quote.money.estimated_refund) };
    let net = cash.zip(fee).map(|(cash, fee)| cash - fee);
    quote.possible == Some(true)
        && quote.offer_id.is_some()
        && quote.window_open != Some(false)
        && quote.deadline.as_ref().is_none_or(|d| d.at > wall)
        && (expect.accept_voucher || !quote.voucher)
        && (expect.accept_unquoted || !quote.unquoted)
        && (expect.currency.is_none() || expect.currency == quote.money.currency)
        && (quote.unquoted || limit(&expect.min_refund).is_none_or(|least| net.is_some_and(|net| net >= least)))
        && limit(&expect.max_fee).is_none_or(|most| fee.is_some_and(|fee| fee <= most))
}

fn may_buy(expect: &Expect, price: &Money) -> bool {
    (expect.currency.is_none() || expect.currency == price.currency)
        && limit(&expect.max_price).is_none_or(|most| number(&price.paid).is_some_and(|paid| paid <= most))
}
