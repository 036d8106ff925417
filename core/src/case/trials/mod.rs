//! The state machine under random lives: whatever happens in whatever order, the promises hold.

mod days;
mod moves;
mod play;
mod promises;
mod vendor;

use proptest::prelude::*;

use super::event::{Answer, Entry, Event, Now, Question};
use super::machine::step;
use super::model::{Case, Kind, State, Verdict, Way};
use super::rules::{self, DAY, Rules, SECOND};
use super::{clock, evidence};
use moves::{life, moves};
use play::Play;

fn config(cases: u32) -> ProptestConfig {
    let cases = std::env::var("APB_CASES").ok().and_then(|n| n.parse().ok()).unwrap_or(cases);
    ProptestConfig { cases, max_shrink_iters: 20_000, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(4_000))]

    /// A vendor who never lies, but is slow, loses answers and says "later"; the clock of the wall jumps.
    #[test]
    fn promises_with_an_honest_vendor(life in life(), moves in moves(true)) {
        Play::new(&life).live(&moves)?;
    }

    /// Answers of every kind, also to what was not asked; reboots, humans who err.
    #[test]
    fn promises_whatever_is_answered(life in life(), moves in moves(false)) {
        Play::new(&life).live(&moves)?;
    }
}

fn executed(kind: Kind, via: Way) -> Case {
    let mut case = Case::new("c".into(), "k".into(), kind, Some("o".into()), String::new(), clock::at(0));
    (case.via, case.offer_id, case.code) = (Some(via), Some("q".into()), Some("c1".into()));
    (case.outcome, case.state) = (Verdict::Executed, State::AirlineProcessing);
    case
}

proptest! {
    #[test]
    fn a_state_of_the_vendor_is_what_it_says(code in prop_oneof![0i64..8, any::<i64>()], void in any::<bool>()) {
        let (kind, way, question) = match void {
            true => (Kind::Void, Way::Void, Question::VoidList),
            false => (Kind::Refund, Way::Refund, Question::RefundList),
        };
        let now = Now { stamp: clock::at(5 * SECOND), rules: &Rules::default() };
        let (asked, _) = step(executed(kind, way), Event::Drive, &now);
        let entry = Entry { offer_id: Some("q".into()), state: Some(code), ..Entry::default() };
        let event = Event::Answered(question, Answer::Entries(vec![entry]));
        let (case, _) = step(asked.clone(), event, &now);
        prop_assert_eq!(case.vendor_code, Some(code));
        prop_assert_eq!(case.outcome, Verdict::Executed);
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
            let same = Case { vendor_code: None, looks: asked.looks, due: asked.due, run: asked.run, ..case };
            prop_assert_eq!(same, asked);
        }
    }

    #[test]
    fn a_pause_is_positive_and_at_most_a_day(
        state in moves::state(), outcome in moves::verdict(), kind in moves::kind(), via in moves::via(),
        age in -400 * DAY..400 * DAY, looks in any::<u32>(), deadline in proptest::option::of(-DAY..40 * DAY),
        watched in any::<bool>(), settle in 0..2 * DAY,
    ) {
        let mut case = Case::new("c".into(), "k".into(), kind, None, String::new(), clock::at(0));
        (case.state, case.outcome, case.via, case.looks) = (state, outcome, via, looks);
        (case.closed, case.watched) = (watched, watched);
        case.deadline = deadline.map(|at| super::model::Deadline { at: age + at, source: String::new() });
        let rules = Rules { settle, ..Rules::default() };
        let pause = rules::pause(&case, &rules, age);
        prop_assert!(pause > 0, "{pause}");
        prop_assert!(pause <= DAY + DAY / 10, "{pause}");
    }
}

#[test]
fn a_void_is_first_asked_about_after_half_a_minute() {
    let case = Case { state: State::AtlasProcessing, ..executed(Kind::Void, Way::Void) };
    let pause = rules::pause(&case, &Rules::default(), 0);
    assert!((30 * SECOND..=33 * SECOND).contains(&pause), "{pause}");
    assert_eq!(evidence::question(&case), Some(Question::VoidList));
}
