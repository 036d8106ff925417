//! Tens of thousands of refunds and voids over ninety days, by the state machine alone: how often the vendor is asked,
//! how late its states are seen, and what it costs to know.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use nix::time::{ClockId, clock_gettime};

use crate::case::clock;
use crate::case::machine::event::{Action, Answer, Entry, Event, Now, OrderState, Quote, SubmitResult};
use crate::case::machine::step;
use crate::case::model::Case;
use crate::case::schedule::{DAY, HOUR, MINUTE};
use crate::case::vocabulary::Query;
use crate::case::vocabulary::{CaseOutcome, Kind, State, StepName};
use crate::config::CasePolicy;
use crate::unix_time::Millis;

const DAYS: Millis = 90;

/// What becomes of one refund or void at the vendor.
struct CallContext {
    opened: Millis,
    /// When the submit landed; None: it never did.
    landed: bool,
    /// Its reply was lost.
    lost: bool,
    states: Vec<(Millis, i64)>,
}

impl CallContext {
    fn new(kind: Kind, chance: &mut fastrand::Rng) -> CallContext {
        let opened = chance.i64(0..20 * DAY);
        let (lost, landed) = (chance.u8(..100) < 10, chance.u8(..100) < 70);
        let end = match chance.u8(..100) {
            0..6 => 4,
            6..8 => 6,
            8..12 => 5,
            _ => 2,
        };
        let mut at = opened;
        let mut after = |least: Millis, most: Millis| {
            at += chance.i64(least..most);
            at
        };
        let states = match kind {
            Kind::Void => vec![(after(MINUTE, 20 * MINUTE), 1), (after(MINUTE, 2 * HOUR), end)],
            _ => vec![(after(HOUR, 2 * DAY), 1), (after(DAY, 21 * DAY), 3), (after(HOUR, 5 * DAY), end)],
        };
        CallContext { opened, landed: landed || !lost, lost, states }
    }

    fn state(&self, now: Millis) -> (Millis, i64) {
        self.states.iter().rev().find(|(at, _)| *at <= now).copied().unwrap_or((self.opened, 0))
    }

    /// The answer to one query; only a first one needs more than a list.
    fn answer(&self, query: Query, now: Millis) -> Answer {
        match query {
            Query::Order => Answer::Order(OrderState { status: Some(2), ticketed: true, ..OrderState::default() }),
            Query::VoidQuote | Query::RefundQuote => Answer::Quote(Quote {
                offer_id: Some("q".into()),
                possible: Some(true),
                window_open: Some(true),
                ..Quote::default()
            }),
            _ if !self.landed => Answer::Entries(Vec::new()),
            _ => Answer::Entries(vec![Entry {
                offer_id: Some("q".into()),
                code: Some("c".into()),
                state: Some(self.state(now).1),
                actual_refund: None,
                covers: None,
            }]),
        }
    }

    fn end(&self) -> State {
        match self.states.last() {
            _ if !self.landed => State::Cancelled,
            Some((_, 4)) => State::Rejected,
            Some((_, 5)) => State::Fulfilled,
            Some((_, 6)) => State::Withdrawn,
            _ => State::Refunded,
        }
    }
}

#[derive(Default)]
struct Tally {
    queries: u64,
    /// Of each state: how late it was seen.
    late: BTreeMap<(&'static str, &'static str), Vec<Millis>>,
    busiest: BTreeMap<Millis, u64>,
}

/// Goes on with a case until there is nothing to do before it is due.
fn go_on(case: Case, context: &CallContext, now: Millis, tally: &mut Tally) -> Case {
    let policy = CasePolicy::default();
    let moment = Now { stamp: clock::at(now), policy: &policy };
    let (before, kind) = (case.state, case.kind);
    let (mut case, mut action) = step(case, Event::Drive, &moment);
    loop {
        let event = match action {
            Action::Query(query) => {
                tally.queries += 1;
                *tally.busiest.entry(now / HOUR).or_default() += 1;
                Event::Answered(query, context.answer(query, now))
            }
            Action::Submit(name) => Event::Submitted(name, sent(context)),
            Action::DriveAfter(_) => Event::Drive,
            Action::Wait => break,
        };
        (case, action) = step(case, event, &moment);
    }
    if case.state != before && case.vendor_code == Some(context.state(now).1) && context.state(now).1 > 0 {
        let delay = now - context.state(now).0;
        tally.late.entry((kind.word(), case.state.word())).or_default().push(delay);
    }
    case
}

fn sent(context: &CallContext) -> SubmitResult {
    let outcome = if context.lost { CaseOutcome::Unknown } else { CaseOutcome::Executed };
    let code = (!context.lost).then(|| "c".to_owned());
    SubmitResult { code, state: Some(0), ..SubmitResult::new(outcome, None) }
}

fn cpu() -> f64 {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap();
    time.tv_sec() as f64 + time.tv_nsec() as f64 / 1e9
}

#[test]
fn ninety_days_of_refunds_and_voids() {
    let count = if std::env::var_os("APB_LONG").is_some() { 50_000 } else { 5_000 };
    let mut chance = fastrand::Rng::with_seed(11);
    let mut tally = Tally::default();
    let mut cases = Vec::new();
    let mut due = BinaryHeap::new();
    for i in 0..count {
        let kind = if chance.u8(..100) < 30 { Kind::Void } else { Kind::Refund };
        let context = CallContext::new(kind, &mut chance);
        let (id, order) = (format!("{i:026}"), Some(i.to_string()));
        let mut case = Case::new(id, i.to_string(), kind, order, String::new(), clock::at(context.opened));
        case.run.may_send = true;
        due.push(Reverse((context.opened, i)));
        cases.push((Some(case), context));
    }
    let began = cpu();
    while let Some(Reverse((now, i))) = due.pop() {
        assert!(now < DAYS * DAY, "still open after {DAYS} days: {:?}", cases[i].0);
        let (case, context) = &mut cases[i];
        let mut after = go_on(case.take().unwrap(), context, now, &mut tally);
        after.run.may_send = false;
        due.extend(after.due.map(|at| Reverse((at, i))));
        *case = Some(after);
    }
    let spent = cpu() - began;
    for (case, context) in &cases {
        let case = case.as_ref().unwrap();
        let outcome = if context.landed { CaseOutcome::Executed } else { CaseOutcome::NotExecuted };
        assert_eq!((case.outcome, case.state, case.closed), (outcome, context.end(), true), "{case:?}");
        assert!(case.steps.iter().filter(|s| matches!(s.name, StepName::Void | StepName::Refund)).count() == 1);
    }
    let busiest = tally.busiest.values().max().copied().unwrap_or(0) as f64 / 3600.0;
    println!(
        "{count} cases, {:.1} queries each, {busiest:.2} per second in the busiest hour",
        tally.queries as f64 / count as f64
    );
    println!("{:.3} s of CPU per day, {:.1} us per query", spent / DAYS as f64, spent * 1e6 / tally.queries as f64);
    for ((kind, state), late) in &mut tally.late {
        late.sort_unstable();
        let (middle, worst) = (late[late.len() / 2], late[late.len() * 99 / 100]);
        println!("{kind} {state}: seen {} times, after {} s, p99 {} s", late.len(), middle / 1000, worst / 1000);
        let most = if *kind == "void" { 2 * HOUR } else { 8 * HOUR + 8 * HOUR / 10 };
        assert!(worst <= most, "{kind} {state} is seen late");
    }
}
