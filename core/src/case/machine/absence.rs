//! When an answer without the effect proves that a submit did not happen. Pure.

use super::event::{Action, Now};
use super::transition::add_evidence;
use crate::case::clock::Stamp;
use crate::case::model::Case;
use crate::case::vocabulary::{CaseOutcome, Kind, State, StepName, Strength};

/// The earliest moment of what an answer shows: the process may have been stopped between the question and reading it.
pub(super) fn asked_at(case: &Case, now: &Now<'_>) -> Stamp {
    case.run.asked_at.unwrap_or(now.stamp)
}

/// Whether no byte of the last submit could be on its way any more when the vendor was asked.
pub(crate) fn settle_time_passed(case: &Case, now: &Now<'_>) -> bool {
    case.settling_for(asked_at(case, now)).is_some_and(|passed| passed >= now.policy.settle)
}

/// A plausible answer without the effect.
pub(super) fn absent(case: &mut Case, asked: &str, now: &Now<'_>) -> Action {
    if case.outcome != CaseOutcome::Unknown {
        return Action::Wait;
    }
    if case.doubted && case.last_step().is_some_and(|s| matches!(s.name, StepName::Void | StepName::Refund)) {
        let what = format!("{asked} does not show it, which proves nothing after what was answered before");
        add_evidence(case, now, &what, Strength::Weak);
        return Action::Wait;
    }
    if !settle_time_passed(case, now) {
        add_evidence(case, now, &format!("{asked} does not show it, too early to mean anything"), Strength::Weak);
        return Action::Wait;
    }
    let at = asked_at(case, now);
    match case.first_absence {
        None => {
            // What it shows may be the vendor's state of this moment, at the latest.
            case.first_absence = Some(now.stamp);
            add_evidence(case, now, &format!("{asked} does not show it after the settle time"), Strength::Fair);
        }
        Some(first) if first.elapsed_at_least(at) >= now.policy.between_absences() => {
            add_evidence(case, now, &format!("{asked} does not show it again"), Strength::Strong);
            if let Some(step) = case.steps.last_mut() {
                step.outcome = CaseOutcome::NotExecuted;
                step.at = now.wall();
            }
            if case.kind != Kind::Pay && case.last_step().is_some_and(|s| s.name == StepName::Pay) {
                // The order still stands, and only a direct `pay` pays it.
                case.outcome = CaseOutcome::Pending;
                case.state = State::AwaitingPayment;
                case.first_absence = None;
                return Action::Wait;
            }
            case.outcome = CaseOutcome::NotExecuted;
            // The holds stay, against every case that does not name this one in `after`: the effect may still show up.
            case.state = State::Cancelled;
            case.closed = true;
            case.watched = true;
        }
        Some(_) => {}
    }
    Action::Wait
}
