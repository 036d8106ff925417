//! What the state of an order proves about a payment or a stop. Pure.

use super::absence::{absent, asked_at};
use super::event::{Action, Now, OrderState};
use super::transition::{add_evidence, close, pay, reopen, require_human};
use crate::case::model::Case;
use crate::case::schedule::STOP_DECIDED;
use crate::case::vocabulary::{CaseOutcome, Kind, State, StepName, Strength};

/// Reads the state of the order that is bought, paid or stopped.
pub(super) fn order_state(case: &mut Case, order: &OrderState, now: &Now<'_>) -> Action {
    if case.kind == Kind::Stop {
        return stop_state(case, order, now);
    }
    let paying = matches!(case.outcome, CaseOutcome::Unknown | CaseOutcome::NotExecuted);
    // The earlier deadline counts: once an order is paid, the vendor shows a later one without meaning.
    let seen = order.deadline.clone().filter(|_| order.status == Some(0));
    case.deadline = match (seen, case.deadline.take()) {
        (Some(seen), Some(known)) => Some(if seen.at < known.at { seen } else { known }),
        (seen, known) => seen.or(known),
    };
    match order.status {
        Some(0) if paying && order.no_payment => absent(case, "queryOrderDetails (still unpaid)", now),
        Some(0) if paying => {
            add_evidence(case, now, "queryOrderDetails shows the order unpaid, and a payment", Strength::Weak);
            Action::Wait
        }
        Some(0) if case.state == State::AwaitingPayment => {
            // What the order costs now is what the guard looks at.
            if let Some(price) = &order.money {
                let money = case.money.get_or_insert_default();
                money.paid.clone_from(&price.paid);
                money.currency.clone_from(&price.currency);
                money.mixed = price.mixed;
            }
            case.run.same_people = Some(order.same_people == Some(true));
            pay(case, now)
        }
        Some(status @ (1 | 2)) => {
            if case.outcome != CaseOutcome::Executed {
                add_evidence(case, now, "queryOrderDetails shows the order paid", Strength::Strong);
                case.adopted |= !case.steps.iter().any(|s| s.name == StepName::Pay);
                reopen(case);
                case.outcome = CaseOutcome::Executed;
                case.error = None;
                case.state = State::Ticketing;
                if let Some(step) = case.steps.last_mut() {
                    step.outcome = CaseOutcome::Executed;
                }
            }
            if status == 2 && order.ticketed {
                case.deadline = None;
                close(case, State::Ticketed);
            }
            Action::Wait
        }
        // A payment that may have left: nothing says whether the money went, or comes back.
        Some(-3) if case.outcome == CaseOutcome::Unknown => {
            add_evidence(case, now, "queryOrderDetails shows the order cancelled", Strength::Fair);
            require_human(case);
            Action::Wait
        }
        // It was paid; nothing says that the money comes back.
        Some(-3) if case.outcome == CaseOutcome::Executed && !case.closed => {
            add_evidence(case, now, "queryOrderDetails shows the paid order cancelled", Strength::Strong);
            case.state = State::NeedsHuman;
            Action::Wait
        }
        Some(-3) if !case.closed => {
            if case.outcome == CaseOutcome::Pending && order.failed_ticketing {
                case.adopted = true;
                case.outcome = CaseOutcome::Executed;
                add_evidence(
                    case,
                    now,
                    "the order was paid, not by this case, and its ticketing failed",
                    Strength::Fair,
                );
            } else if case.outcome == CaseOutcome::Pending {
                case.outcome = CaseOutcome::NotExecuted;
                add_evidence(case, now, "the order was not paid in time and is cancelled", Strength::Strong);
            }
            close(case, State::Cancelled);
            Action::Wait
        }
        // Nothing is left to watch for.
        Some(-3) if !order.failed_ticketing => {
            let state = case.state;
            close(case, state);
            Action::Wait
        }
        _ => Action::Wait,
    }
}

/// -3 means stopped, 2 that the airline was faster.
fn stop_state(case: &mut Case, order: &OrderState, now: &Now<'_>) -> Action {
    // "The definition of order status differs after a stop request" (stop ticketing page, 2025): it counts only
    // when the vendor has decided.
    if case.settling_for(asked_at(case, now)).is_some_and(|passed| passed < STOP_DECIDED) {
        return Action::Wait;
    }
    if order.status == Some(-3) && order.has_error {
        // The ticketing failed; that does not show whether the stop had arrived.
        add_evidence(case, now, "queryOrderDetails shows the order cancelled with an errorCode", Strength::Weak);
        return Action::Wait;
    }
    let (outcome, state) = match (order.status, case.outcome) {
        (Some(-3), _) => (CaseOutcome::Executed, State::Stopped),
        (Some(2), CaseOutcome::Executed) => (CaseOutcome::Executed, State::StopFailed),
        (Some(2), _) => (CaseOutcome::NotExecuted, State::StopFailed),
        _ => return Action::Wait,
    };
    let seen = if state == State::Stopped { "cancelled" } else { "ticketed" };
    add_evidence(case, now, &format!("queryOrderDetails shows the order {seen}"), Strength::Strong);
    if outcome == CaseOutcome::Executed {
        reopen(case);
    }
    case.outcome = outcome;
    if let Some(step) = case.steps.last_mut() {
        step.outcome = outcome;
    }
    close(case, state);
    Action::Wait
}
