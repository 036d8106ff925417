//! The state machine of a case: a pure function. All I/O is in [`super::engine`], so that any program that can store a
//! case and make a call can drive it.

pub(crate) mod absence;
pub(crate) mod event;
pub(crate) mod evidence;
pub(crate) mod guard;
pub(crate) mod next_query;
mod order_state;
mod quote;
pub(crate) mod recheck;
mod submit;
pub(crate) mod transition;

use super::error::StoredError;
use super::hold::Hold;
use super::model::Case;
use super::schedule;
use super::vocabulary::{CaseOutcome, Kind, Query, State, StepName, Strength};
use crate::error::ErrorCode;
use event::{Action, Answer, Event, Now};
use next_query::next_query;
use transition::{add_evidence, adopt, close, reopen, unknown};

/// The case after an event, and what to do next.
///
/// An [`Action::Submit`] comes with the case in state `sending`: the caller stores that, synced, before anything
/// leaves. A case that is found in that state was left by a process that died, and is never sent again.
pub(crate) fn step(case: Case, event: Event, now: &Now<'_>) -> (Case, Action) {
    let mut case = case;
    let before = case.state;
    // An answer to a query that was not made says nothing.
    if matches!(event, Event::Answered(query, _) if case.run.waits_for != Some(query)) {
        return (case, Action::Wait);
    }
    let action = match event {
        Event::Drive => drive(&mut case, now),
        Event::Answered(query, answer) => answered(&mut case, query, answer, now),
        Event::Submitted(name, result) => submit::submitted(&mut case, name, result, now),
        Event::NotWritten(name, error) => submit::not_written(&mut case, name, error),
        Event::Resolved { executed, by, text, code } => resolved(&mut case, executed, &by, &text, code, now),
        Event::Notified { min_interval } => {
            if next_query(&case).is_some() {
                let earliest = recheck::earliest(&case, min_interval, now);
                case.due = Some(case.due.map_or(earliest, |due| due.min(earliest)));
            } else {
                recheck::notified(&mut case, now);
            }
            Action::Wait
        }
    };
    release_paid_order(&mut case);
    case.updated = now.wall();
    if case.state != before {
        case.since = now.wall();
        case.poll_count = 0;
    }
    case.run.waits_for = if let Action::Query(query) = action { Some(query) } else { None };
    case.run.asked_at = case.run.waits_for.map(|_| now.stamp);
    // Also while a query is under way: a process that dies meanwhile leaves a case that is due.
    if case.due.is_none() {
        set_due(&mut case, now);
    }
    (case, action)
}

fn drive(case: &mut Case, now: &Now<'_>) -> Action {
    if case.closed && !case.watched {
        let query = recheck::query(case).filter(|_| case.recheck);
        case.due = None;
        case.queried = query.map_or(case.queried, |_| Some(now.wall()));
        return query.map_or(Action::Wait, Action::Query);
    }
    match case.state {
        State::Planned | State::Quoting if case.run.may_send => quote::begin(case),
        State::Planned | State::Quoting => Action::Wait,
        State::Sending => sender_gone(case, now),
        _ => match next_query(case) {
            Some(query) => {
                case.due = None;
                case.queried = Some(now.wall());
                Action::Query(query)
            }
            None => {
                case.due = None;
                Action::Wait
            }
        },
    }
}

/// An order that is paid and being ticketed is held against nothing but another payment: it may be stopped.
fn release_paid_order(case: &mut Case) {
    let paid = matches!(case.kind, Kind::Ancillary | Kind::Regenerate | Kind::Pay);
    if paid && case.outcome == CaseOutcome::Executed && case.state == State::Ticketing {
        case.holds.retain(|hold| matches!(hold, Hold::Payment(_)));
    }
}

/// The store is older than what was sent through it: a later attempt of this step may have left.
pub(crate) fn doubt(case: &mut Case, now: &Now<'_>) {
    let Some(step) = case.steps.last_mut() else { return };
    step.outcome = CaseOutcome::Unknown;
    step.sent = Some(now.stamp);
    step.at = now.wall();
    case.outcome = CaseOutcome::Unknown;
    case.state = State::Unknown;
    case.since = now.wall();
    case.poll_count = 0;
    case.first_absence = None;
    add_evidence(case, now, "the store is older than what was sent through it", Strength::Weak);
}

/// The process that was sending is gone: whether the request left is not known.
fn sender_gone(case: &mut Case, now: &Now<'_>) -> Action {
    case.error =
        Some(StoredError::new(ErrorCode::Io, "the process that was sending it ended before the answer was stored"));
    if let Some(step) = case.steps.last_mut() {
        step.outcome = CaseOutcome::Unknown;
        step.sent = Some(now.stamp);
        step.sent_at = Some(step.at);
        step.request_id = None;
        step.at = now.wall();
        step.abandoned = true;
    }
    unknown(case)
}

fn answered(case: &mut Case, query: Query, answer: Answer, now: &Now<'_>) -> Action {
    case.run.asked |= !matches!(&answer, Answer::Refused(refusal) if refusal.passing);
    case.due = None;
    match (case.state, answer) {
        (State::Quoting, Answer::Refused(refusal)) => quote::refused(case, query, refusal, now),
        (State::Quoting, answer) => quote::answered(case, query, answer, now),
        (_, answer) if case.closed && !case.watched => recheck::read(case, query, answer, now),
        (_, answer) => {
            case.poll_count = case.poll_count.saturating_add(1);
            evidence::read(case, query, answer, now)
        }
    }
}

fn resolved(case: &mut Case, executed: bool, by: &str, text: &str, code: Option<String>, now: &Now<'_>) -> Action {
    let word = if executed { "executed" } else { "not executed" };
    add_evidence(case, now, &format!("{by} says {word}: {text}"), Strength::Human);
    let outcome = if executed { CaseOutcome::Executed } else { CaseOutcome::NotExecuted };
    if executed {
        reopen(case);
    }
    // What was proved not executed frees the order; what may have left is treated as after absence.
    let may_have_left = case.watched || case.last_step().is_some_and(|s| s.outcome != CaseOutcome::NotExecuted);
    if let Some(step) = case.steps.last_mut() {
        step.outcome = outcome;
        step.at = now.wall();
        step.retry = None;
    }
    release_doubted_order(case, executed, code.as_deref());
    case.code = code.or(case.code.take());
    case.paced_until = None;
    case.error = None;
    case.due = None;
    case.first_absence = None;
    if executed {
        if case.steps.is_empty() {
            // Another client submitted it.
            adopt(case);
        }
        case.superseded = false;
        if let Some(end) = end_by_verdict(case) {
            case.outcome = CaseOutcome::Executed;
            close(case, end);
            return Action::Wait;
        }
        // For an effect that is known already, a human may add its number.
        case.outcome = CaseOutcome::Unknown;
        evidence::found(case, None, now)
    } else {
        case.outcome = CaseOutcome::NotExecuted;
        let holds = std::mem::take(&mut case.holds);
        close(case, State::Cancelled);
        if may_have_left {
            // If the effect shows up all the same, the case is reopened. A direct payment may be repeated.
            case.watched = true;
            case.holds = if case.kind == Kind::Pay { Vec::new() } else { holds };
        }
        Action::Wait
    }
}

/// An order that was held because the case may have made it, and a human says that it did not, or made another one.
fn release_doubted_order(case: &mut Case, executed: bool, code: Option<&str>) {
    let is_made = executed && code.is_none_or(|code| Some(code) == case.code.as_deref());
    let is_unpaid = case.last_step().is_some_and(|s| matches!(s.name, StepName::Order | StepName::Regenerate));
    let made = case.code.clone().filter(|_| is_unpaid && !is_made).map(Hold::Order);
    case.holds.retain(|hold| Some(hold) != made.as_ref());
}

/// The end of a case that no query moves on, and a human calls executed: a paid order that is cancelled, and an order
/// that was rebuilt as two.
fn end_by_verdict(case: &Case) -> Option<State> {
    let is_paid = case.outcome == CaseOutcome::Executed && case.last_step().is_some_and(|s| s.name == StepName::Pay);
    match case.state {
        State::NeedsHuman if case.kind == Kind::Regenerate && case.has_several_numbers() => Some(State::Ticketed),
        State::NeedsHuman if is_paid => Some(State::Cancelled),
        _ => None,
    }
}

/// Sets when the vendor is queried next.
fn set_due(case: &mut Case, now: &Now<'_>) {
    case.due = None;
    if case.closed && !case.watched {
        // While the query is under way; a process that dies meanwhile leaves it due.
        case.due = Some(now.wall()).filter(|_| case.recheck && case.run.waits_for.is_some());
        return;
    }
    // The watch ends after an answer, not before it.
    if case.watched && case.run.waits_for.is_none() && now.wall() - case.since > schedule::WATCH {
        case.watched = false;
        case.holds.clear();
        return;
    }
    if next_query(case).is_some() {
        let mut pause = schedule::pause(case, now.policy, now.wall());
        if let Some(passed) = case.settling_for(now.stamp) {
            // Absence counts only after the settle time, and a stop is decided after its own time: a query just before
            // would prove nothing.
            let settle = if case.outcome == CaseOutcome::Unknown { now.policy.settle } else { 0 };
            let decided = if case.kind == Kind::Stop { schedule::STOP_DECIDED } else { 0 };
            let left = settle.max(decided) - passed.max(0);
            if left > 0 {
                pause = left.min(schedule::DAY);
            }
        }
        case.due = Some(now.wall() + pause);
    }
}
