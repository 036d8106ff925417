//! The state machine of a case: a pure function. All I/O is outside, in [`super::driver`], so that anything that
//! can keep a case and make a call can drive it.

use super::event::{Action, Answer, Event, Now, Question};
use super::evidence;
use super::model::{Case, Kind, State, StepName, Strength, Trouble, Verdict};
use super::quoting::{adopt, begin, quoting, refused_before};
use super::rules;
use super::submitting::submitted;
use super::wish::PAID;

/// What becomes of a case when something happens to it, and what is to be done next.
///
/// An [`Action::Send`] comes with the case in state `sending`: the caller stores that, synced, before anything
/// leaves. A case that is found in that state was left by a process that died, and is never sent again.
pub(crate) fn step(case: Case, event: Event, now: &Now<'_>) -> (Case, Action) {
    let mut case = case;
    let before = case.state;
    // An answer to what was not asked says nothing.
    if matches!(event, Event::Answered(question, _) if case.run.waits_for != Some(question)) {
        return (case, Action::Rest);
    }
    let action = match event {
        Event::Drive => drive(&mut case, now),
        Event::Answered(question, answer) => answered(&mut case, question, answer, now),
        Event::Submitted(name, sent) => submitted(&mut case, name, sent, now),
        Event::Resolved { executed, by, text, code } => resolved(&mut case, executed, &by, &text, code, now),
        Event::Notified { not_before } => {
            if evidence::question(&case).is_some() {
                // A clock set back must not make it wait until the old time comes again.
                let earliest = match case.asked {
                    Some(at) if (0..not_before).contains(&(now.wall() - at)) => at + not_before,
                    _ => now.wall(),
                };
                case.due = Some(case.due.map_or(earliest, |due| due.min(earliest)));
            }
            Action::Rest
        }
    };
    case.updated = now.wall();
    if case.state != before {
        case.since = now.wall();
        case.looks = 0;
    }
    case.run.waits_for = if let Action::Ask(question) = action { Some(question) } else { None };
    // Also while it asks: whoever dies meanwhile leaves a case that is due.
    if case.due.is_none() {
        schedule(&mut case, now);
    }
    (case, action)
}

fn drive(case: &mut Case, now: &Now<'_>) -> Action {
    if case.closed && !case.watched {
        return Action::Rest;
    }
    match case.state {
        State::Planned | State::Quoting if case.run.may_send => begin(case),
        State::Planned | State::Quoting => Action::Rest,
        State::Sending => lost(case, now),
        _ => match evidence::question(case) {
            Some(question) => {
                case.due = None;
                case.asked = Some(now.wall());
                Action::Ask(question)
            }
            None => {
                case.due = None;
                Action::Rest
            }
        },
    }
}

/// The process that was sending is gone: what it sent, nobody here knows.
fn lost(case: &mut Case, now: &Now<'_>) -> Action {
    case.error = Some(Trouble {
        code: "io".to_owned(),
        status: crate::outcome::Status::IO.number(),
        message: "the process that was sending it ended before the answer was stored".to_owned(),
        vendor_status: None,
        vendor_code: None,
    });
    if let Some(step) = case.steps.last_mut() {
        step.outcome = Verdict::Unknown;
        step.sent = Some(now.stamp);
        step.at = now.wall();
        step.abandoned = true;
    }
    unknown(case)
}

pub(crate) fn unknown(case: &mut Case) -> Action {
    case.outcome = Verdict::Unknown;
    case.state = State::Unknown;
    case.empty = None;
    case.due = None;
    match evidence::question(case) {
        Some(question) => Action::Ask(question),
        None => {
            case.state = State::NeedsHuman;
            Action::Rest
        }
    }
}

fn answered(case: &mut Case, question: Question, answer: Answer, now: &Now<'_>) -> Action {
    case.due = None;
    match (case.state, answer) {
        (State::Quoting, Answer::Refused(refusal)) => refused_before(case, question, refusal, now),
        (State::Quoting, answer) => quoting(case, question, answer, now),
        (_, answer) => {
            case.looks = case.looks.saturating_add(1);
            evidence::read(case, question, answer, now)
        }
    }
}

/// Nothing happened, and nothing will.
pub(crate) fn refuse(case: &mut Case, trouble: Trouble) -> Action {
    case.error = Some(trouble);
    case.outcome = Verdict::NotExecuted;
    close(case, State::Refused);
    Action::Rest
}

pub(crate) fn close(case: &mut Case, state: State) {
    case.state = state;
    case.closed = true;
    case.watched = false;
    case.due = None;
    // An order is paid once for ever.
    let paid = case.steps.iter().any(|s| s.name == StepName::Pay && s.outcome == Verdict::Executed);
    case.holds.retain(|hold| paid && hold.starts_with(PAID));
}

fn resolved(case: &mut Case, executed: bool, by: &str, text: &str, code: Option<String>, now: &Now<'_>) -> Action {
    let word = if executed { "executed" } else { "not executed" };
    note(case, now, &format!("{by} says {word}: {text}"), Strength::Human);
    let verdict = if executed { Verdict::Executed } else { Verdict::NotExecuted };
    if executed {
        evidence::reopen(case);
    }
    if let Some(step) = case.steps.last_mut() {
        step.outcome = verdict;
        step.at = now.wall();
    }
    case.code = code.or(case.code.take());
    case.error = None;
    case.due = None;
    case.empty = None;
    if executed {
        if case.steps.is_empty() {
            // It was not this case that did it.
            adopt(case);
        }
        case.succeeded = false;
        // Also of what is known to stand a human may say more: its number.
        case.outcome = Verdict::Unknown;
        evidence::found(case, None, now)
    } else {
        case.outcome = Verdict::NotExecuted;
        close(case, State::Cancelled);
        // Humans err: if the effect shows up all the same, the case is reopened.
        case.watched = !case.steps.is_empty();
        Action::Rest
    }
}

/// Adds a piece of evidence; what is seen again only gets its new time.
pub(crate) fn note(case: &mut Case, now: &Now<'_>, what: &str, strength: Strength) {
    let at = now.wall();
    match case.evidence.iter_mut().find(|e| e.what == what) {
        Some(same) => same.at = at,
        None => case.evidence.push(super::model::Evidence { at, what: what.to_owned(), strength }),
    }
}

/// Sets when the vendor is asked next.
pub(crate) fn schedule(case: &mut Case, now: &Now<'_>) {
    case.due = None;
    if case.closed && !case.watched {
        return;
    }
    // The watch ends after an answer, not before it.
    if case.watched && case.run.waits_for.is_none() && now.wall() - case.since > rules::WATCH {
        case.watched = false;
        case.holds.clear();
        return;
    }
    if evidence::question(case).is_some() {
        let mut pause = rules::pause(case, now.rules, now.wall());
        if let Some(sent) = case.step().and_then(|s| s.sent) {
            // Nothing empty counts before the settle time, and a stop is not decided before its own: there is no use
            // in asking just before it.
            let settle = if case.outcome == Verdict::Unknown { now.rules.settle } else { 0 };
            let decided = if case.kind == Kind::Stop { rules::STOP_DECIDED } else { 0 };
            let left = settle.max(decided) - sent.at_least_until(now.stamp).max(0);
            if left > 0 {
                pause = left.min(rules::DAY);
            }
        }
        case.due = Some(now.wall() + pause);
    }
}
