//! The submit: its intent, and what its answer makes of the case. Pure; a part of [`super::machine`].

use super::event::{Action, Now, Question, Sent};
use super::evidence;
use super::guard;
use super::machine::{close, note, refuse, unknown};
use super::model::{Case, Kind, State, Step, StepName, Strength, Verdict, Way};
use super::quoting::adopt;
use super::rules::SECOND;
use super::wish::hold_of_payment;

/// Tries of one run that provably did not leave, before the caller is told.
const TRIES: u32 = 3;

/// The intent: from here on the submit counts as possibly sent, until the transport says otherwise.
pub(crate) fn send(case: &mut Case, name: StepName, now: &Now<'_>) -> Action {
    begin_step(case, name, now);
    Action::Send(name)
}

/// Writes down that a submit is about to leave.
pub(crate) fn begin_step(case: &mut Case, name: StepName, now: &Now<'_>) {
    case.state = State::Sending;
    case.outcome = Verdict::Pending;
    // Should this process die now, the follow-up finds it at once.
    case.due = Some(now.wall());
    case.error = None;
    if name == StepName::Pay {
        let paid = case.code.iter().filter(|_| case.kind != Kind::Pay);
        // Who pays a rebuilt order does not want the old one any more.
        let replaced = case.order_no.iter().filter(|_| matches!(case.kind, Kind::Pay | Kind::Regenerate));
        let holds: Vec<String> = paid.chain(replaced).map(|order| hold_of_payment(order)).collect();
        case.holds.retain(|hold| !holds.contains(hold));
        case.holds.extend(holds);
    }
    match case.steps.last_mut().filter(|step| step.name == name) {
        Some(step) => {
            step.attempts += 1;
            step.outcome = Verdict::Pending;
            step.at = now.wall();
            step.sent = None;
            step.abandoned = false;
        }
        None => {
            let outcome = Verdict::Pending;
            case.steps.push(Step { name, outcome, attempts: 1, at: now.wall(), sent: None, abandoned: false });
        }
    }
}

pub(crate) fn submitted(case: &mut Case, name: StepName, sent: Sent, now: &Now<'_>) -> Action {
    case.due = None;
    if let Some(step) = case.steps.last_mut() {
        step.outcome = sent.outcome;
        step.at = now.wall();
        step.sent = if sent.unsent { None } else { Some(now.stamp) };
        step.abandoned = false;
    }
    case.error = sent.trouble.clone();
    if let Some(hint) = &sent.hint {
        note(case, now, hint, Strength::Weak);
    }
    case.code = sent.code.clone().or(case.code.take());
    match sent.outcome {
        Verdict::Executed if sent.already => {
            let code = sent.trouble.as_ref().and_then(|t| t.vendor_status).unwrap_or_default();
            note(case, now, &format!("{} answers {code}: done before", name.operation()), Strength::Strong);
            match name {
                StepName::Void | StepName::Refund => adopt(case),
                _ => {
                    case.adopted = true;
                    case.error = None;
                    executed(case, name, sent, now)
                }
            }
        }
        Verdict::Executed => executed(case, name, sent, now),
        Verdict::Unknown | Verdict::Pending => unknown(case),
        Verdict::NotExecuted => not_executed(case, name, sent),
    }
}

fn executed(case: &mut Case, name: StepName, sent: Sent, now: &Now<'_>) -> Action {
    case.outcome = Verdict::Executed;
    case.error = None;
    case.due = None;
    if let Some(money) = sent.money {
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
            case.vendor_code = sent.state;
            Action::Rest
        }
        StepName::Order | StepName::Regenerate => {
            case.deadline = sent.deadline.or(case.deadline.take());
            ordered(case, now)
        }
        StepName::Pay => {
            case.state = State::Ticketing;
            case.deadline = None;
            Action::Rest
        }
        StepName::Stop => {
            case.state = State::Ticketing;
            Action::Rest
        }
        StepName::Claim => match case.code.clone() {
            Some(order) => claimed(case, order, now),
            // Accepted without a number: the list has it, if it can be asked for it.
            None => {
                case.state = if case.locator().is_some() { State::Claimed } else { State::NeedsHuman };
                evidence::question(case).map_or(Action::Rest, Action::Ask)
            }
        },
    }
}

/// The new order stands, unpaid: worth nothing until it is paid.
fn ordered(case: &mut Case, now: &Now<'_>) -> Action {
    if case.code.is_none() {
        note(case, now, "the order stands, and its number is not known", Strength::Strong);
        case.state = State::NeedsHuman;
        return Action::Rest;
    }
    case.state = State::AwaitingPayment;
    case.outcome = Verdict::Pending;
    case.holds.extend(case.code.clone());
    pay(case, now)
}

/// Pays the order that waits, if this run may and the price fits.
pub(crate) fn pay(case: &mut Case, now: &Now<'_>) -> Action {
    if !(case.run.may_send && case.run.can_pay) || case.code.is_none() {
        return Action::Rest;
    }
    // Two numbers joined by a comma (a split round trip) are two orders: paying them is not one step.
    if case.code.as_deref().is_some_and(|code| code.contains([',', '|'])) {
        case.state = State::NeedsHuman;
        note(case, now, "the vendor made two orders; pay them by hand", Strength::Strong);
        return Action::Rest;
    }
    if let Err(trouble) = guard::price(&case.expect, &case.money.clone().unwrap_or_default()) {
        case.error = Some(trouble);
        return Action::Rest;
    }
    if case.deadline.as_ref().is_some_and(|d| now.wall() + 5 * SECOND >= d.at) {
        case.error = Some(guard::refusal("guard_deadline", "the time to pay is over"));
        return Action::Rest;
    }
    // An earlier payment that may have left is never followed by another.
    let paid_before = case.steps.iter().any(|s| s.name == StepName::Pay && s.outcome != Verdict::NotExecuted);
    if paid_before {
        return Action::Rest;
    }
    send(case, StepName::Pay, now)
}

pub(crate) fn claimed(case: &mut Case, order: String, now: &Now<'_>) -> Action {
    case.outcome = Verdict::Executed;
    if let Some(step) = case.steps.last_mut() {
        step.outcome = Verdict::Executed;
    }
    case.order_no = Some(order.clone());
    case.code = Some(order);
    case.error = None;
    note(case, now, "the booking has an order number", Strength::Strong);
    close(case, State::Claimed);
    Action::Rest
}

fn not_executed(case: &mut Case, name: StepName, sent: Sent) -> Action {
    let trouble = sent.trouble.unwrap_or_else(|| guard::refusal("refused", "the vendor refused"));
    let code = trouble.vendor_status;
    if sent.unsent && !case.direct {
        case.run.unsent += 1;
        case.error = Some(trouble);
        case.outcome = Verdict::Pending;
        case.state = if name == StepName::Pay { State::AwaitingPayment } else { State::Planned };
        let again = case.run.may_send && case.run.unsent < TRIES;
        return if again { Action::Again(100 << (2 * case.run.unsent)) } else { Action::Rest };
    }
    let expired = matches!((name, code), (StepName::Void | StepName::Refund, Some(805)) | (StepName::Order, Some(502)));
    if expired && !case.requoted && !case.direct && case.run.may_send && !case.run.own_offer {
        case.requoted = true;
        case.state = State::Quoting;
        case.outcome = Verdict::Pending;
        case.offer_id = None;
        return Action::Ask(match name {
            StepName::Void => Question::VoidQuote,
            StepName::Refund => Question::RefundQuote,
            _ => Question::Search,
        });
    }
    // The window closed between the quotation and the void.
    let too_late = name == StepName::Void && matches!(code, Some(808 | 822 | 841 | 843));
    if too_late && case.kind == Kind::Cancel && !case.direct && case.run.may_send {
        case.state = State::Quoting;
        case.outcome = Verdict::Pending;
        case.offer_id = None;
        case.via = Some(Way::Refund);
        return Action::Ask(Question::RefundQuote);
    }
    let bought = name == StepName::Pay && case.kind != Kind::Pay;
    if bought && case.run.paid_directly {
        // That payment was not the case's own: it waits on.
        case.error = Some(trouble);
        case.outcome = Verdict::Pending;
        case.state = State::AwaitingPayment;
        return Action::Rest;
    }
    let action = refuse(case, trouble);
    // The order stands and may still be paid by other means.
    case.watched = bought;
    action
}
