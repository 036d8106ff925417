//! Changes of a case that several phases make: evidence, intents, ends, adoption, payment. Pure.

use super::event::{Action, Now};
use super::guard;
use super::next_query::next_query;
use crate::case::error::StoredError;
use crate::case::hold::Hold;
use crate::case::model::{Case, Evidence, Step};
use crate::case::schedule::SECOND;
use crate::case::vocabulary::{CaseOutcome, Kind, Query, Retry, State, StepName, Strength, Way};
use crate::error::ErrorCode;

/// Less time than this before the payment deadline is too little to send a payment.
const PAYMENT_MARGIN: i64 = 5 * SECOND;

/// Adds a piece of evidence; what is seen again only gets the new time.
pub(crate) fn add_evidence(case: &mut Case, now: &Now<'_>, what: &str, strength: Strength) {
    let at = now.wall();
    match case.evidence.iter_mut().find(|e| e.what == what) {
        Some(same) => same.at = at,
        None => case.evidence.push(Evidence { at, what: what.to_owned(), strength }),
    }
}

/// Ends a case of which nothing was executed.
pub(crate) fn refuse(case: &mut Case, error: StoredError) -> Action {
    case.error = Some(error);
    case.outcome = CaseOutcome::NotExecuted;
    close(case, State::Refused);
    Action::Wait
}

/// Ends a case in `state`.
pub(crate) fn close(case: &mut Case, state: State) {
    case.state = state;
    case.closed = true;
    case.watched = false;
    case.due = None;
    // An order is paid once for ever.
    let paid = case.steps.iter().any(|s| s.name == StepName::Pay && s.outcome == CaseOutcome::Executed);
    case.holds.retain(|hold| match hold {
        Hold::Payment(_) => paid,
        // orderList may show the order late: a second claim of the booking would be sent again.
        Hold::Locator(_) | Hold::Claim(_) => state == State::Claimed,
        Hold::Order(_) | Hold::Passengers { .. } | Hold::Offer(_) => false,
    });
}

/// A case that was found absent, and whose effect shows up, goes on.
pub(crate) fn reopen(case: &mut Case) {
    if case.closed && case.outcome == CaseOutcome::NotExecuted {
        case.closed = false;
        case.watched = false;
        case.reopened = true;
        // The order is held again, unless another case holds it by now (the store sees to that).
        let hold = case.order_hold().filter(|hold| !case.holds.contains(hold));
        case.holds.extend(hold);
    }
}

/// The order that the case has made is paid by nobody else: a direct payment of it is a step of this case.
pub(crate) fn hold_made_order(case: &mut Case) {
    let hold = case.code.clone().map(Hold::Order).filter(|hold| !case.holds.contains(hold));
    case.holds.extend(hold);
}

/// An unknown outcome that no query will settle needs a human.
pub(crate) fn require_human(case: &mut Case) {
    if case.outcome == CaseOutcome::Unknown {
        case.state = State::NeedsHuman;
    }
}

/// The last step may have been executed: find out.
pub(crate) fn unknown(case: &mut Case) -> Action {
    case.outcome = CaseOutcome::Unknown;
    case.state = State::Unknown;
    case.first_absence = None;
    case.due = None;
    match next_query(case) {
        Some(query) => Action::Query(query),
        None => {
            case.state = State::NeedsHuman;
            Action::Wait
        }
    }
}

/// Nothing was sent yet; case.open may try again.
pub(crate) fn stay_planned(case: &mut Case, error: StoredError) -> Action {
    case.state = State::Planned;
    case.error = Some(error);
    case.due = None;
    Action::Wait
}

/// The effect was submitted before, not by this case: it follows that one.
pub(crate) fn adopt(case: &mut Case) -> Action {
    case.adopted = true;
    case.outcome = CaseOutcome::Executed;
    case.state = State::AtlasProcessing;
    case.error = None;
    case.due = None;
    if case.kind == Kind::Cancel && case.via.is_none() {
        case.via = Some(Way::Void);
    }
    next_query(case).map_or(Action::Wait, Action::Query)
}

/// Submits a step: from here on it counts as possibly sent, until the transport proves otherwise.
pub(crate) fn submit(case: &mut Case, name: StepName, now: &Now<'_>) -> Action {
    record_intent(case, name, now);
    Action::Submit(name)
}

/// Records the intent of a step that is about to be sent.
pub(crate) fn record_intent(case: &mut Case, name: StepName, now: &Now<'_>) {
    case.state = State::Sending;
    case.outcome = CaseOutcome::Pending;
    // Should this process die now, the follow-up finds it at once.
    case.due = Some(now.wall());
    case.error = None;
    case.paced_until = None;
    case.check_first = None;
    if name == StepName::Pay {
        let paid = case.code.iter().filter(|_| case.kind != Kind::Pay);
        // Paying a regenerated order replaces the original one, which must not be paid any more.
        let replaced = case.order_no.iter().filter(|_| matches!(case.kind, Kind::Pay | Kind::Regenerate));
        let holds: Vec<Hold> = paid.chain(replaced).cloned().map(Hold::Payment).collect();
        case.holds.retain(|hold| !holds.contains(hold));
        case.holds.extend(holds);
    }
    match case.steps.last_mut().filter(|step| step.name == name) {
        Some(step) => {
            step.attempts += 1;
            step.outcome = CaseOutcome::Pending;
            step.at = now.wall();
            step.sent = None;
            step.abandoned = false;
            step.retry = None;
        }
        None => case.steps.push(Step::new(name, now.wall())),
    }
}

/// Withdraws an intent of which nothing left.
pub(crate) fn withdraw_intent(case: &mut Case, name: StepName) {
    match case.steps.last_mut().filter(|step| step.name == name) {
        Some(step) if step.attempts > 1 => {
            step.attempts -= 1;
            step.outcome = CaseOutcome::NotExecuted;
            step.retry = Some(Retry::Transport);
        }
        Some(_) => {
            case.steps.pop();
        }
        None => {}
    }
}

/// Pays the order that waits for payment, if this run may and the guards allow it.
pub(crate) fn pay(case: &mut Case, now: &Now<'_>) -> Action {
    if !(case.run.may_send && case.run.can_pay) || case.code.is_none() {
        return Action::Wait;
    }
    if case.has_several_numbers() {
        return two_orders(case, now);
    }
    // What is rebuilt may cost anything, and the caller has not seen its price.
    if case.kind == Kind::Regenerate && (case.expect.max_price.is_none() || case.expect.currency.is_none()) {
        let text = "a rebuilt order is paid only with expect.maxPrice and expect.currency";
        case.error = Some(StoredError::new(ErrorCode::GuardAmount, text));
        return Action::Wait;
    }
    if case.kind == Kind::Regenerate {
        match case.run.same_people {
            Some(true) => {}
            None => return Action::Query(Query::NewOrder),
            Some(false) => {
                let text = "the passengers of the rebuilt order are not those of the original, or cannot be compared";
                case.error = Some(StoredError::new(ErrorCode::GuardPassengers, text));
                return Action::Wait;
            }
        }
    }
    if let Err(error) = guard::check_price(&case.expect, &case.money.clone().unwrap_or_default()) {
        case.error = Some(error);
        return Action::Wait;
    }
    if case.deadline.as_ref().is_some_and(|d| now.wall() + PAYMENT_MARGIN >= d.at) {
        case.error = Some(StoredError::new(ErrorCode::GuardDeadline, "the time to pay is over"));
        return Action::Wait;
    }
    // An earlier payment that may have left is never followed by another.
    let ended = |s: &Step| s.outcome != CaseOutcome::NotExecuted || s.retry.is_none();
    let paid_before = case.steps.iter().any(|s| s.name == StepName::Pay && ended(s));
    if paid_before {
        return Action::Wait;
    }
    submit(case, StepName::Pay, now)
}

/// A split round trip is two orders, their numbers joined: no payment of one is the payment of what was asked for.
pub(crate) fn two_orders(case: &mut Case, now: &Now<'_>) -> Action {
    let text = "the vendor made two orders; pay them, or let them lapse, by hand";
    add_evidence(case, now, text, Strength::Strong);
    case.outcome = CaseOutcome::Unknown;
    case.state = State::NeedsHuman;
    Action::Wait
}

/// The booking has an order number.
pub(crate) fn claimed(case: &mut Case, order: String, now: &Now<'_>) -> Action {
    case.outcome = CaseOutcome::Executed;
    if let Some(step) = case.steps.last_mut() {
        step.outcome = CaseOutcome::Executed;
    }
    case.order_no = Some(order.clone());
    case.code = Some(order);
    case.error = None;
    add_evidence(case, now, "the booking has an order number", Strength::Strong);
    close(case, State::Claimed);
    Action::Wait
}
