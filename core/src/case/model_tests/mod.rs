//! The state machine under random lives: whatever happens in whatever order, the promises hold.

mod days;
mod moves;
mod promises;
mod simulation;
mod vendor;

use proptest::prelude::*;

use crate::case::clock;
use crate::case::machine::event::{Answer, Entry, Event, Now};
use crate::case::machine::next_query::next_query;
use crate::case::machine::step;
use crate::case::model::Case;
use crate::case::schedule::{self, DAY, SECOND};
use crate::case::vocabulary::Query;
use crate::case::vocabulary::{CaseOutcome, Kind, State, Way};
use crate::config::CasePolicy;
use moves::{moves, scenario};
use simulation::Simulation;

fn config(cases: u32) -> ProptestConfig {
    let cases = std::env::var("APB_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(cases);
    ProptestConfig { cases, max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(4_000))]

    /// A vendor who never lies, but is slow, loses answers and says "later"; the clock of the wall jumps.
    #[test]
    fn promises_with_an_honest_vendor(scenario in scenario(), moves in moves(true)) {
        Simulation::new(&scenario).live(&moves)?;
    }

    /// Answers of every kind, also to what was not asked; reboots, humans who err.
    #[test]
    fn promises_whatever_is_answered(scenario in scenario(), moves in moves(false)) {
        Simulation::new(&scenario).live(&moves)?;
    }
}

fn executed(kind: Kind, via: Way) -> Case {
    let mut case = Case::new("c".into(), "k".into(), kind, Some("o".into()), String::new(), clock::at(0));
    (case.via, case.offer_id, case.code) = (Some(via), Some("q".into()), Some("c1".into()));
    (case.outcome, case.state) = (CaseOutcome::Executed, State::AirlineProcessing);
    case
}

proptest! {
    #[test]
    fn a_state_of_the_vendor_is_what_it_says(code in prop_oneof![0i64..8, any::<i64>()], void in any::<bool>()) {
        let (kind, way, query) = match void {
            true => (Kind::Void, Way::Void, Query::VoidList),
            false => (Kind::Refund, Way::Refund, Query::RefundList),
        };
        let now = Now { stamp: clock::at(5 * SECOND), policy: &CasePolicy::default() };
        let (asked, _) = step(executed(kind, way), Event::Drive, &now);
        let entry = Entry { offer_id: Some("q".into()), state: Some(code), ..Entry::default() };
        let event = Event::Answered(query, Answer::Entries(vec![entry]));
        let (case, _) = step(asked.clone(), event, &now);
        prop_assert_eq!(case.vendor_code, Some(code));
        prop_assert_eq!(case.outcome, CaseOutcome::Executed);
        let (state, closed) = match code {
            0 => (State::AtlasProcessing, false),
            2 => (State::Refunded, true),
            3 => (State::Refunding, false),
            4 => (State::Rejected, true),
            5 => (State::Fulfilled, true),
            6 => (State::Withdrawn, true),
            _ => (State::AirlineProcessing, false),
        };
        prop_assert_eq!((case.state, case.closed), (state, closed));
        if !(0..=6).contains(&code) {
            // Nothing but the code, and that it was looked at.
            let same = Case { vendor_code: None, poll_count: asked.poll_count, due: asked.due, run: asked.run, ..case };
            prop_assert_eq!(same, asked);
        }
    }

    #[test]
    fn a_pause_is_positive_and_at_most_a_day(
        state in moves::state(), outcome in moves::verdict(), kind in moves::kind(), via in moves::via(),
        age in -400 * DAY..400 * DAY, poll_count in any::<u32>(), deadline in proptest::option::of(-DAY..40 * DAY),
        watched in any::<bool>(), settle in 0..2 * DAY,
    ) {
        let mut case = Case::new("c".into(), "k".into(), kind, None, String::new(), clock::at(0));
        (case.state, case.outcome, case.via, case.poll_count) = (state, outcome, via, poll_count);
        (case.closed, case.watched) = (watched, watched);
        case.deadline = deadline.map(|at| crate::case::model::Deadline { at: age + at, source: String::new() });
        let policy = CasePolicy { settle, ..CasePolicy::default() };
        let pause = schedule::pause(&case, &policy, age);
        prop_assert!(pause > 0, "{pause}");
        prop_assert!(pause <= DAY + DAY / 10, "{pause}");
    }
}

#[test]
fn a_void_is_first_asked_about_after_half_a_minute() {
    let case = Case { state: State::AtlasProcessing, ..executed(Kind::Void, Way::Void) };
    let pause = schedule::pause(&case, &CasePolicy::default(), 0);
    assert!((30 * SECOND..=33 * SECOND).contains(&pause), "{pause}");
    assert_eq!(next_query(&case), Some(Query::VoidList));
}

/// Scenarios that random moves seldom reach.
mod chosen {
    use super::moves::{Delivery, Move, Scenario, plain};
    use super::*;
    use crate::case::machine::event::OrderState;
    use crate::case::schedule::{HOUR, MINUTE};

    const DRIVE: Move = Move::Drive { may_send: true, can_pay: true };

    fn scenario(kind: Kind) -> Scenario {
        let profile = vendor::VendorProfile {
            quote: plain(),
            price: Default::default(),
            wants_code: false,
            status: 2,
            others: false,
        };
        Scenario {
            kind,
            direct: false,
            own_offer: false,
            expect: Default::default(),
            profile,
            start: 1_800_000_000_000,
        }
    }

    #[test]
    fn a_second_loss_is_settled_anew() {
        let wait = Move::Tick(CasePolicy::default().settle);
        let unpaid = Move::Lie(vec![Answer::Order(OrderState { status: Some(0), ..OrderState::default() })]);
        let found = Move::Lie(vec![Answer::Orders(vec!["n1".into()])]);
        let lost = Move::Submit(Delivery::Lost(None));
        let ordered = [Move::Go, Move::Go, Move::Go, lost.clone(), Move::Go, wait.clone(), DRIVE, Move::Go];
        let paid = [wait.clone(), DRIVE, found, DRIVE, unpaid.clone(), lost, unpaid.clone(), wait, DRIVE, unpaid];
        Simulation::new(&scenario(Kind::Ancillary)).live(&[&ordered[..], &paid].concat()).unwrap();
    }

    #[test]
    fn a_clock_put_back_keeps_no_offer_young() {
        let moves = [Move::Tick(2 * MINUTE), Move::Jump(-HOUR), Move::Go, Move::Go, Move::Go];
        Simulation::new(&Scenario { own_offer: true, ..scenario(Kind::Void) }).live(&moves).unwrap();
    }

    #[test]
    fn a_refused_void_is_not_tried_again() {
        let refused = Move::Submit(Delivery::Refused(822));
        let later =
            Move::Answer(Answer::Refused(crate::case::machine::event::Refusal { passing: true, ..vendor::no(905) }));
        let moves = [Move::Go, Move::Go, refused, later, DRIVE, Move::Go, Move::Go, Move::Go];
        Simulation::new(&scenario(Kind::Cancel)).live(&moves).unwrap();
    }
}
