//! Drives a case as the driver does, with a store in a variable and a vendor in another.

use std::mem::discriminant;

use proptest::test_runner::TestCaseError;

use super::moves::{Delivery, Move, Scenario};
use super::promises::Seen;
use super::vendor::{Vendor, no};
use crate::case::clock::Stamp;
use crate::case::error::StoredError;
use crate::case::hold::Hold;
use crate::case::machine::event::{Action, Answer, Event, Now, SubmitResult};
use crate::case::machine::step;
use crate::case::machine::transition::record_intent;
use crate::case::model::{Case, Money};
use crate::case::schedule::DAY;
use crate::case::vocabulary::Query;
use crate::case::vocabulary::{CaseOutcome, Kind, StepName};
use crate::config::CasePolicy;
use crate::error::ErrorCode;
use crate::unix_time::Millis;

pub(super) struct Simulation {
    pub case: Case,
    /// What a process finds that comes after this one.
    stored: (Case, Money, Option<Millis>),
    /// What the machine wants.
    action: Action,
    pub policy: CasePolicy,
    pub vendor: Vendor,
    pub seen: Seen,
    /// The true time, which nobody in the simulation knows.
    pub time: Millis,
    wall: Millis,
    boot: (u64, Millis),
}

impl Simulation {
    pub fn new(scenario: &Scenario) -> Simulation {
        let kind = if scenario.direct && scenario.kind == Kind::Cancel { Kind::Void } else { scenario.kind };
        let stamp = Stamp { wall: scenario.start, machine: Some((1, 0)) };
        let order = (kind != Kind::Claim).then(|| "o".to_owned());
        let mut case = Case::new("c".into(), "k".into(), kind, order, "content".into(), stamp);
        case.expect = scenario.expect.clone();
        case.direct = scenario.direct;
        // A direct claim may name no locator: then there is nothing to ask by.
        if kind == Kind::Claim && !scenario.direct {
            case.holds.push(Hold::locator("L"));
        }
        let own = !scenario.direct && scenario.own_offer && matches!(kind, Kind::Void | Kind::Refund);
        if own || scenario.direct {
            case.offer_id = Some("q".to_owned());
        }
        Simulation {
            stored: (case.clone(), Money::default(), None),
            case,
            action: Action::Wait,
            policy: CasePolicy::default(),
            vendor: Vendor::new(&scenario.profile, stamp),
            seen: Seen::new(own),
            time: 0,
            wall: scenario.start,
            boot: (1, 0),
        }
    }

    pub fn stamp(&self) -> Stamp {
        Stamp { wall: self.wall + self.time, machine: Some((self.boot.0, self.time - self.boot.1)) }
    }

    pub fn live(mut self, moves: &[Move]) -> Result<(), TestCaseError> {
        if self.case.direct {
            // A direct submit stores its intent without asking the machine.
            let (stamp, policy) = (self.stamp(), self.policy);
            let name = self.case.first_step();
            record_intent(&mut self.case, name, &Now { stamp, policy: &policy });
            self.seen.sends.push((name, None));
            self.seen.direct = true;
            (self.action, self.stored.0) = (Action::Submit(name), self.case.clone());
        } else {
            self.drive(true, true)?;
        }
        for one in moves {
            self.one(one)?;
            self.vendor.arrive(self.time);
            self.seen.truth(&self.case, &self.vendor)?;
        }
        Ok(())
    }

    fn one(&mut self, one: &Move) -> Result<(), TestCaseError> {
        match one {
            Move::Tick(by) => self.time += by,
            Move::Jump(by) => {
                self.wall += by;
                self.seen.jumped = true;
            }
            Move::Reboot => {
                self.crash();
                self.boot = (self.boot.0 + 1, self.time);
                self.seen.rebooted = true;
            }
            Move::Crash => self.crash(),
            Move::Vendor(state) => self.vendor.moves(*state),
            Move::Stray(query, answer) if self.action != Action::Query(*query) => {
                self.seen.lies = true;
                let (before, wanted) = (self.case.clone(), self.action);
                self.happen(Event::Answered(*query, answer.clone()))?;
                Seen::ignored(&before, &self.case)?;
                // The driver still waits for what it did.
                self.action = wanted;
            }
            _ => match self.action {
                Action::Query(query) => self.answer(query, one)?,
                Action::Submit(name) => {
                    let usual = Delivery::Executed { code: true, state: Some(0), money: None, deadline: None };
                    self.submit(name, if let Move::Submit(delivery) = one { delivery } else { &usual })?;
                }
                Action::DriveAfter(pause) => {
                    self.time += pause;
                    self.happen(Event::Drive)?;
                }
                Action::Wait => self.resting(one)?,
            },
        }
        Ok(())
    }

    fn resting(&mut self, one: &Move) -> Result<(), TestCaseError> {
        match one {
            Move::Drive { may_send, can_pay } => self.drive(*may_send, *can_pay),
            Move::Notified => self.happen(Event::Notified { min_interval: 5_000 }),
            Move::Resolved { executed, code } if self.seen.may_resolve(&self.case) => {
                (self.seen.human, self.seen.lies) = (true, true);
                let code = code.then(|| "n1".to_owned());
                self.happen(Event::Resolved { executed: *executed, by: "me".into(), text: "so".into(), code })
            }
            // The follow-up comes when it is due.
            Move::Go => match self.case.due {
                Some(due) => {
                    self.time += (due - self.stamp().wall).clamp(0, 40 * DAY);
                    self.drive(false, false)
                }
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn drive(&mut self, may_send: bool, can_pay: bool) -> Result<(), TestCaseError> {
        // Nobody opens a direct submit again: its key cannot be written.
        let may_send = may_send && !self.seen.direct;
        self.case.run = Default::default();
        self.case.run.may_send = may_send;
        self.case.run.can_pay = can_pay;
        self.case.run.own_offer = self.seen.own_offer && may_send;
        (self.seen.may_send, self.seen.can_pay) = (may_send, can_pay);
        self.happen(Event::Drive)
    }

    fn answer(&mut self, query: Query, one: &Move) -> Result<(), TestCaseError> {
        let truth = self.vendor.answer(&self.case, query);
        let answer = match one {
            Move::Answer(answer) => {
                self.seen.lies |= !matches!(answer, Answer::Inconclusive(_) | Answer::Refused(_));
                answer.clone()
            }
            Move::Lie(answers) => {
                self.seen.lies = true;
                answers.iter().find(|a| discriminant(*a) == discriminant(&truth)).cloned().unwrap_or(truth)
            }
            _ => truth,
        };
        if let Answer::Refused(refusal) = &answer {
            self.seen.lies |= refusal.exists && self.vendor.given_back.is_empty();
        }
        self.seen.answered(&self.case, query, &answer, self.time);
        self.happen(Event::Answered(query, answer))
    }

    fn submit(&mut self, name: StepName, delivery: &Delivery) -> Result<(), TestCaseError> {
        let (offer, now) = (self.case.offer_id.clone(), self.stamp().wall);
        let mut sent = SubmitResult::new(CaseOutcome::NotExecuted, None);
        // A cancelled order takes no money.
        let delivery =
            if name == StepName::Pay && self.vendor.is_cancelled() { &Delivery::Refused(412) } else { delivery };
        match delivery {
            Delivery::Executed { code, state, money, deadline } => {
                let made = self.vendor.land(name, offer);
                sent.outcome = CaseOutcome::Executed;
                sent.code = code.then_some(made);
                (sent.state, sent.money) = (*state, money.clone());
                let source = String::new();
                sent.deadline = deadline.map(|at| crate::case::model::Deadline { at: now + at, source });
            }
            Delivery::Lost(lands) => {
                sent.outcome = CaseOutcome::Unknown;
                let late = lands.map(|percent| (self.time + percent * self.policy.settle / 100, name, offer));
                self.vendor.late.extend(late);
            }
            Delivery::Uncertain(code) => {
                (sent.outcome, sent.error) = (CaseOutcome::Unknown, Some(no(*code).error));
            }
            Delivery::Expired => {
                let code = if name == StepName::Order { 502 } else { 805 };
                sent.error = Some(no(code).error);
            }
            Delivery::Refused(code) => sent.error = Some(no(*code).error),
            Delivery::Paced { gateway, lands } => {
                if *gateway && *lands {
                    self.vendor.land(name, offer);
                }
                sent.gateway = *gateway;
                sent.error = Some(StoredError::new(ErrorCode::RateLimited, ""));
            }
            Delivery::Unsent => sent.unsent = true,
            Delivery::Already => {
                self.vendor.land(name, Some("theirs".to_owned()));
                sent.outcome = CaseOutcome::Unknown;
                sent.error = Some(no(803).error);
            }
        }
        self.seen.submitted(&sent, self.time);
        self.happen(Event::Submitted(name, sent))
    }

    /// Gone in the middle of whatever it was.
    fn crash(&mut self) {
        if let Action::Submit(name) = self.action {
            // What it was sending is perhaps on its way.
            if self.time % 2 == 0 {
                self.vendor.late.push((self.time + self.policy.settle / 2, name, self.case.offer_id.clone()));
            }
            self.seen.lost(self.time);
        }
        (self.case, self.seen.price, self.seen.pay_until) = self.stored.clone();
        self.action = Action::Wait;
    }

    fn happen(&mut self, event: Event) -> Result<(), TestCaseError> {
        let (before, stamp) = (self.case.clone(), self.stamp());
        let now = Now { stamp, policy: &self.policy };
        let (case, action) = step(before.clone(), event.clone(), &now);
        (self.case, self.action) = (case, action);
        self.seen.check(&before, &event, &self.case, action, &now, self.time)?;
        let saved = matches!(event, Event::Submitted(..)) || matches!(action, Action::Wait | Action::Submit(_));
        if saved {
            let text = serde_json::to_string(&self.case).unwrap();
            let read = serde_json::from_str(&text).unwrap();
            self.stored = (read, self.seen.price.clone(), self.seen.pay_until);
            proptest::prop_assert_eq!(&self.stored.0, &Case { run: Default::default(), ..self.case.clone() });
        }
        Ok(())
    }
}

/// What is known of a price after a reply that perhaps says more.
pub(super) fn known(price: &mut Money, more: &Money) {
    price.currency = more.currency.clone().or(price.currency.take());
    price.paid = more.paid.clone().or(price.paid.take());
}
