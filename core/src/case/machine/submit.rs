//! The result of a submit, and how the case goes on. Pure.

use super::event::{Action, Now, SubmitResult};
use super::next_query::next_query;
use super::transition::{
    add_evidence, claimed, hold_made_order, pay, refuse, reopen, two_orders, unknown, withdraw_intent,
};
use crate::case::error::StoredError;
use crate::case::model::{Case, CheckFirst};
use crate::case::schedule::{MINUTE, SECOND};
use crate::case::vocabulary::{CaseOutcome, Kind, Query, Retry, State, StepName, Strength, Way};
use crate::error::ErrorCode;
use crate::unix_time::Millis;

/// Attempts of one run that provably did not leave, before the error is reported.
const MAX_UNSENT: u32 = 3;

/// Records the result of a submit.
pub(crate) fn submitted(case: &mut Case, name: StepName, result: SubmitResult, now: &Now<'_>) -> Action {
    if case.state != State::Sending && !is_news(case, name, &result, now) {
        return Action::Wait;
    }
    case.due = None;
    if let Some(step) = case.steps.last_mut() {
        let sent_at = step.at;
        step.outcome = result.outcome;
        step.at = now.wall();
        step.abandoned = false;
        step.retry = None;
        if result.unsent {
            step.sent = None;
        } else {
            step.sent = Some(now.stamp);
            step.sent_at = step.sent_at.filter(|_| case.state != State::Sending).or(Some(sent_at));
            step.request_id.clone_from(&result.request_id);
        }
    }
    case.error = result.error.clone();
    if let Some(hint) = &result.hint {
        add_evidence(case, now, hint, Strength::Weak);
    }
    case.code = result.code.clone().or(case.code.take());
    if !is_pace(name, &result) {
        case.paced = 0;
    }
    match result.outcome {
        CaseOutcome::Executed if result.already => {
            let code = result.error.as_ref().and_then(|t| t.vendor_status).unwrap_or_default();
            add_evidence(case, now, &format!("{} answers {code}: done before", name.operation()), Strength::Strong);
            case.adopted = true;
            case.error = None;
            executed(case, name, result, now)
        }
        CaseOutcome::Executed => executed(case, name, result, now),
        CaseOutcome::Unknown | CaseOutcome::Pending => unknown(case),
        CaseOutcome::NotExecuted => not_executed(case, name, result, now),
    }
}

/// Whether the reply of a sender that was overtaken changes the case, which has gone on without it. What is known
/// already gets its number.
fn is_news(case: &mut Case, name: StepName, result: &SubmitResult, now: &Now<'_>) -> bool {
    let Some(step) = case.steps.last_mut().filter(|step| step.name == name) else { return false };
    let was_abandoned = std::mem::take(&mut step.abandoned);
    let made = step.outcome == CaseOutcome::Executed;
    match result.outcome {
        CaseOutcome::Executed if made => {
            case.code = case.code.take().or(result.code.clone());
            false
        }
        CaseOutcome::Executed => {
            add_evidence(case, now, "the reply, stored by its sender, says executed", Strength::Strong);
            reopen(case);
            true
        }
        CaseOutcome::NotExecuted if !made && case.outcome == CaseOutcome::Unknown => true,
        CaseOutcome::NotExecuted => {
            add_evidence(case, now, "the reply, stored by its sender, says not executed", Strength::Weak);
            false
        }
        CaseOutcome::Unknown | CaseOutcome::Pending => {
            step.abandoned = was_abandoned;
            false
        }
    }
}

fn executed(case: &mut Case, name: StepName, result: SubmitResult, now: &Now<'_>) -> Action {
    case.outcome = CaseOutcome::Executed;
    case.error = None;
    case.due = None;
    if let Some(money) = result.money {
        let kept = case.money.get_or_insert_with(Default::default);
        if matches!(name, StepName::Order | StepName::Regenerate) {
            // What the order costs replaces what its parts were to cost: also a sum that cannot be made.
            kept.paid = None;
            kept.mixed = money.mixed;
            kept.currency = kept.currency.take().filter(|_| money.paid.is_some());
        }
        for (to, from) in [
            (&mut kept.currency, money.currency),
            (&mut kept.paid, money.paid),
            (&mut kept.estimated_refund, money.estimated_refund),
            (&mut kept.fee, money.fee),
        ] {
            if from.is_some() {
                *to = from;
            }
        }
    }
    match name {
        StepName::Void | StepName::Refund => {
            case.state = State::AtlasProcessing;
            // Only queries move it on from here.
            case.vendor_code = result.state;
            Action::Wait
        }
        StepName::Order | StepName::Regenerate => {
            case.deadline = result.deadline.or(case.deadline.take());
            ordered(case, now)
        }
        StepName::Pay => {
            case.state = State::Ticketing;
            case.deadline = None;
            Action::Wait
        }
        StepName::Stop => {
            case.state = State::Ticketing;
            Action::Wait
        }
        StepName::Claim => match case.code.clone() {
            Some(order) => claimed(case, order, now),
            // Accepted without a number: the list has it, if it can be asked for it.
            None => {
                case.state = if case.locator().is_some() { State::Claimed } else { State::NeedsHuman };
                next_query(case).map_or(Action::Wait, Action::Query)
            }
        },
    }
}

/// The new order exists, unpaid: worth nothing until it is paid.
fn ordered(case: &mut Case, now: &Now<'_>) -> Action {
    if case.code.is_none() {
        add_evidence(case, now, "the order stands, and its number is not known", Strength::Strong);
        case.state = State::NeedsHuman;
        return Action::Wait;
    }
    if !case.direct && case.has_several_numbers() {
        return two_orders(case, now);
    }
    case.state = State::AwaitingPayment;
    case.outcome = CaseOutcome::Pending;
    hold_made_order(case);
    pay(case, now)
}

/// Nothing was sent: the request could not be made, or another case holds what it needs.
pub(crate) fn not_written(case: &mut Case, name: StepName, error: StoredError) -> Action {
    withdraw_intent(case, name);
    if name == StepName::Pay && case.kind != Kind::Pay {
        return await_payment(case, error);
    }
    refuse(case, error)
}

/// The order stands, and waits for another payment.
fn await_payment(case: &mut Case, error: StoredError) -> Action {
    case.error = Some(error);
    case.outcome = CaseOutcome::Pending;
    case.state = State::AwaitingPayment;
    Action::Wait
}

/// Nothing was executed, and case.open may make another attempt.
fn plan_again(case: &mut Case, name: StepName, error: StoredError, retry: Retry) {
    set_retry(case, retry);
    case.error = Some(error);
    case.outcome = CaseOutcome::Pending;
    case.state = if name == StepName::Pay { State::AwaitingPayment } else { State::Planned };
}

fn set_retry(case: &mut Case, retry: Retry) {
    if let Some(step) = case.steps.last_mut() {
        step.retry = Some(retry);
    }
}

/// A refusal that says only "not now": 429, and 905 at a refund or void.
fn is_pace(name: StepName, result: &SubmitResult) -> bool {
    let error = result.error.as_ref().filter(|_| result.outcome == CaseOutcome::NotExecuted);
    error.is_some_and(|e| e.code == ErrorCode::RateLimited || is_busy(name, e))
}

fn is_busy(name: StepName, error: &StoredError) -> bool {
    matches!(name, StepName::Void | StepName::Refund) && error.vendor_status == Some(905)
}

/// Codes of a refused payment after which another one may be sent; 401 says that the time to pay is over.
fn may_pay_again(code: Option<i64>) -> bool {
    matches!(code, Some(400 | 403 | 407..=410 | 412..=415))
}

fn not_executed(case: &mut Case, name: StepName, result: SubmitResult, now: &Now<'_>) -> Action {
    let paced = is_pace(name, &result);
    let SubmitResult { error, unsent, retry_after, gateway, .. } = result;
    let error = error.unwrap_or_else(|| StoredError::new(ErrorCode::Refused, "the vendor refused"));
    let code = error.vendor_status;
    if case.direct {
        return refuse(case, error);
    }
    if unsent {
        case.run.unsent += 1;
        plan_again(case, name, error, Retry::Transport);
        let again = case.run.may_send && case.run.unsent < MAX_UNSENT;
        return if again { Action::DriveAfter(100 << (2 * case.run.unsent)) } else { Action::Wait };
    }
    if paced {
        return pace(case, name, error, retry_after, gateway, now);
    }
    let expired =
        matches!((name, code), (StepName::Void | StepName::Refund, Some(805)) | (StepName::Order, Some(6 | 502)));
    if expired && case.has_own_offer() {
        // Whether an offer can be used twice is not documented: it may be expired because it was used.
        if let Some(step) = case.steps.last_mut() {
            step.outcome = CaseOutcome::Unknown;
        }
        return unknown(case);
    }
    if expired && !case.requoted && case.run.may_send {
        case.requoted = true;
        set_retry(case, Retry::Expired);
        case.state = State::Quoting;
        case.outcome = CaseOutcome::Pending;
        return Action::Query(match name {
            StepName::Void => Query::VoidQuote,
            StepName::Refund => Query::RefundQuote,
            _ => Query::Search,
        });
    }
    // The window closed between the quotation and the void.
    if name == StepName::Void && closes_void(code) && case.kind == Kind::Cancel && case.run.may_send {
        case.state = State::Quoting;
        case.outcome = CaseOutcome::Pending;
        case.offer_id = None;
        case.via = Some(Way::Refund);
        return Action::Query(Query::RefundQuote);
    }
    if name == StepName::Pay && case.kind != Kind::Pay {
        if may_pay_again(code) {
            set_retry(case, Retry::Payment);
        }
        return await_payment(case, error);
    }
    refuse(case, error)
}

/// Codes of the vendor that end the void, but not the refund, of a cancel.
pub(crate) fn closes_void(code: Option<i64>) -> bool {
    matches!(code, Some(808 | 822 | 841 | 843))
}

/// The vendor wants a pause. Without a Retry-After: 5 s, doubled per refusal in a row, at most a minute.
fn pace(
    case: &mut Case,
    name: StepName,
    error: StoredError,
    retry_after: Option<Millis>,
    gateway: bool,
    now: &Now<'_>,
) -> Action {
    case.check_first = match (is_busy(name, &error), gateway) {
        (true, _) => Some(CheckFirst::Busy),
        (false, true) => Some(CheckFirst::Gateway),
        (false, false) => None,
    };
    if name == StepName::Regenerate && gateway {
        // Nothing ties a rebuilt order to the request that made it: no query shows that it was not made.
        if let Some(step) = case.steps.last_mut() {
            step.outcome = CaseOutcome::Unknown;
        }
        case.outcome = CaseOutcome::Unknown;
        case.state = State::NeedsHuman;
        return Action::Wait;
    }
    let usual = ((5 * SECOND) << case.paced.min(4)).min(MINUTE);
    case.paced = case.paced.saturating_add(1);
    plan_again(case, name, error, Retry::Pace);
    if !case.run.paid_directly {
        case.retry_after = retry_after.is_some();
        let pause = retry_after.map_or(usual, |wait| wait.clamp(0, now.policy.retry_after_max));
        case.paced_until = Some(now.wall() + pause);
    }
    Action::Wait
}
