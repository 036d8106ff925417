//! The result of a submit, and how the case goes on. Pure.

use super::event::{Action, Now, SubmitResult};
use super::next_query::next_query;
use super::transition::{add_evidence, adopt, claimed, pay, refuse, unknown};
use crate::case::error::StoredError;
use crate::case::hold::Hold;
use crate::case::model::Case;
use crate::case::vocabulary::{CaseOutcome, Kind, Query, State, StepName, Strength, Way};
use crate::error::ErrorCode;

/// Attempts of one run that provably did not leave, before the error is reported.
const MAX_UNSENT: u32 = 3;

/// Records the result of a submit.
pub(crate) fn submitted(case: &mut Case, name: StepName, result: SubmitResult, now: &Now<'_>) -> Action {
    case.due = None;
    if let Some(step) = case.steps.last_mut() {
        step.outcome = result.outcome;
        step.at = now.wall();
        step.sent = if result.unsent { None } else { Some(now.stamp) };
        step.abandoned = false;
    }
    case.error = result.error.clone();
    if let Some(hint) = &result.hint {
        add_evidence(case, now, hint, Strength::Weak);
    }
    case.code = result.code.clone().or(case.code.take());
    match result.outcome {
        CaseOutcome::Executed if result.already => {
            let code = result.error.as_ref().and_then(|t| t.vendor_status).unwrap_or_default();
            add_evidence(case, now, &format!("{} answers {code}: done before", name.operation()), Strength::Strong);
            match name {
                StepName::Void | StepName::Refund => adopt(case),
                _ => {
                    case.adopted = true;
                    case.error = None;
                    executed(case, name, result, now)
                }
            }
        }
        CaseOutcome::Executed => executed(case, name, result, now),
        CaseOutcome::Unknown | CaseOutcome::Pending => unknown(case),
        CaseOutcome::NotExecuted => not_executed(case, name, result),
    }
}

fn executed(case: &mut Case, name: StepName, result: SubmitResult, now: &Now<'_>) -> Action {
    case.outcome = CaseOutcome::Executed;
    case.error = None;
    case.due = None;
    if let Some(money) = result.money {
        let kept = case.money.get_or_insert_with(Default::default);
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
    case.state = State::AwaitingPayment;
    case.outcome = CaseOutcome::Pending;
    case.holds.extend(case.code.clone().map(Hold::Order));
    pay(case, now)
}

fn not_executed(case: &mut Case, name: StepName, result: SubmitResult) -> Action {
    let error = result.error.unwrap_or_else(|| StoredError::new(ErrorCode::Refused, "the vendor refused"));
    let code = error.vendor_status;
    if result.unsent && !case.direct {
        case.run.unsent += 1;
        case.error = Some(error);
        case.outcome = CaseOutcome::Pending;
        case.state = if name == StepName::Pay { State::AwaitingPayment } else { State::Planned };
        let again = case.run.may_send && case.run.unsent < MAX_UNSENT;
        return if again { Action::DriveAfter(100 << (2 * case.run.unsent)) } else { Action::Wait };
    }
    let expired = matches!((name, code), (StepName::Void | StepName::Refund, Some(805)) | (StepName::Order, Some(502)));
    if expired && !case.requoted && !case.direct && case.run.may_send && !case.run.own_offer {
        case.requoted = true;
        case.state = State::Quoting;
        case.outcome = CaseOutcome::Pending;
        case.offer_id = None;
        return Action::Query(match name {
            StepName::Void => Query::VoidQuote,
            StepName::Refund => Query::RefundQuote,
            _ => Query::Search,
        });
    }
    // The window closed between the quotation and the void.
    let too_late = name == StepName::Void && matches!(code, Some(808 | 822 | 841 | 843));
    if too_late && case.kind == Kind::Cancel && !case.direct && case.run.may_send {
        case.state = State::Quoting;
        case.outcome = CaseOutcome::Pending;
        case.offer_id = None;
        case.via = Some(Way::Refund);
        return Action::Query(Query::RefundQuote);
    }
    let bought = name == StepName::Pay && case.kind != Kind::Pay;
    if bought && case.run.paid_directly {
        // The direct payment was refused; the case goes on waiting for one.
        case.error = Some(error);
        case.outcome = CaseOutcome::Pending;
        case.state = State::AwaitingPayment;
        return Action::Wait;
    }
    let action = refuse(case, error);
    // The order exists and may still be paid by other means.
    case.watched = bought;
    action
}
