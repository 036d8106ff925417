//! What the vendor's answers prove about a submit. Pure.
//!
//! "Not found" proves nothing by itself: the request may still be on its way. Absence needs the settle time since
//! the last byte can have left, and then two plausible answers some time apart without the effect.

use super::absence::{absent, settle_time_passed};
use super::event::{Action, Answer, Entry, Now, Refusal};
use super::order_state::order_state;
use super::transition::{add_evidence, claimed, close, hold_made_order, reopen, require_human};
use crate::case::model::{Case, Step};
use crate::case::schedule::{DAY, UNKNOWN_LIMIT};
use crate::case::vocabulary::{CaseOutcome, Query, State, StepName, Strength, Way};

/// Reads the answer to a query about a submit.
pub(crate) fn read(case: &mut Case, query: Query, answer: Answer, now: &Now<'_>) -> Action {
    let action = match (query, answer) {
        (Query::VoidList | Query::RefundList, Answer::Entries(entries)) => listed(case, query, &entries, now),
        (Query::VoidList | Query::RefundList, Answer::Refused(refusal)) if !refusal.passing => {
            case.doubted = true;
            if query == Query::RefundList { no_refund_list(case, now) } else { Action::Wait }
        }
        (Query::RefundProbe, Answer::Refused(refusal)) if !refusal.passing => probe_refused(case, &refusal, now),
        (Query::RefundProbe, Answer::Quote(_)) => {
            add_evidence(case, now, "a fresh refundQuotation succeeds, which proves little", Strength::Weak);
            if settle_time_passed(case, now) {
                require_human(case);
            }
            Action::Wait
        }
        (Query::BookingOrders, Answer::Orders(orders)) => new_orders(case, &orders, now),
        (Query::NewOrder, Answer::Order(order)) => order_state(case, &order, now),
        (Query::RegenerateCandidates, Answer::Orders(orders)) => {
            match orders.as_slice() {
                [] => add_evidence(case, now, "orderList shows no order since then that looks rebuilt", Strength::Weak),
                found => {
                    let what =
                        format!("orderList shows orders since then of the same passengers: {}", found.join(", "));
                    add_evidence(case, now, &what, Strength::Weak);
                }
            }
            // Nothing ties a rebuilt order to the request that made it.
            require_human(case);
            Action::Wait
        }
        (Query::BookingOrders | Query::ClaimList, Answer::Unfit(order)) => {
            if case.outcome == CaseOutcome::Unknown {
                let what = format!("the vendor has {order}, which does not match what was asked for");
                add_evidence(case, now, &what, Strength::Weak);
                require_human(case);
            }
            Action::Wait
        }
        (Query::BookingOrders, Answer::Late(order)) => {
            let what = format!("the vendor has {order}, which matches, and was not made within the attempt");
            add_evidence(case, now, &what, Strength::Fair);
            reopen(case);
            case.outcome = CaseOutcome::Unknown;
            // For a human who says that it is; until then nobody pays it.
            case.code = Some(order);
            hold_made_order(case);
            require_human(case);
            Action::Wait
        }
        (Query::ClaimList, Answer::Orders(orders)) => match orders.into_iter().next() {
            Some(order) => {
                reopen(case);
                claimed(case, order, now)
            }
            None => {
                // It may list a claimed order late, or not at all.
                if case.outcome == CaseOutcome::Unknown {
                    add_evidence(case, now, "orderList does not show it, which proves nothing", Strength::Weak);
                    if settle_time_passed(case, now) {
                        require_human(case);
                    }
                }
                Action::Wait
            }
        },
        (_, Answer::Inconclusive(why)) => {
            if case.outcome == CaseOutcome::Unknown {
                add_evidence(case, now, why, Strength::Weak);
            }
            Action::Wait
        }
        _ => Action::Wait,
    };
    if action == Action::Wait && case.outcome == CaseOutcome::Unknown && now.wall() - case.since > UNKNOWN_LIMIT {
        require_human(case);
    }
    action
}

/// The submit was answered that something is there (803, 816, 817, 818) or in progress (814): the list says what.
fn answered_exists(case: &Case) -> bool {
    let code = case.error.as_ref().and_then(|e| e.vendor_status);
    case.outcome == CaseOutcome::Unknown && matches!(code, Some(803 | 814 | 816 | 817 | 818))
}

/// Whether the vendor's list is also read for what other clients have submitted.
pub(crate) fn may_be_anothers(case: &Case) -> bool {
    answered_exists(case) || (case.adopted && case.code.is_none())
}

/// Whether an entry of somebody else is the effect that the case asked for: it stands, and its passengers are those.
pub(crate) fn fits(case: &Case, entry: &Entry) -> bool {
    let covers = entry.covers == Some(true) || (entry.covers.is_none() && !case.partial);
    covers && !matches!(entry.state, Some(4 | 6))
}

/// A fresh quotation was refused, where the vendor refuses the list.
fn probe_refused(case: &mut Case, refusal: &Refusal, now: &Now<'_>) -> Action {
    case.doubted = true;
    let code = refusal.error.vendor_status.unwrap_or_default();
    let was_quoted = case.offer_id.is_some() && !case.has_own_offer() && !case.direct;
    if refusal.exists && was_quoted && !case.partial {
        // Before the submit the same quotation had succeeded for everybody, and nobody else's is known to the store.
        let what = format!("refundQuotation answers {code}, as it did not before the submit");
        add_evidence(case, now, &what, Strength::Fair);
        return found(case, None, now);
    }
    add_evidence(case, now, &format!("refundQuotation answers {code}, which does not say whose"), Strength::Weak);
    if refusal.exists && settle_time_passed(case, now) {
        require_human(case);
    }
    Action::Wait
}

fn listed(case: &mut Case, query: Query, entries: &[Entry], now: &Now<'_>) -> Action {
    let name = if query == Query::VoidList { "queryVoidOrders" } else { "queryRefundOrders" };
    let mut mine = entries.iter().find(|e| e.is_of(case));
    if mine.is_none() && answered_exists(case) && entries.iter().any(|e| fits(case, e)) {
        case.adopted = true;
        case.code = None;
    }
    if mine.is_none() && case.adopted && case.outcome != CaseOutcome::NotExecuted && case.code.is_none() {
        mine = entries.iter().rev().find(|e| fits(case, e));
        if mine.is_none() {
            return other_list(case, query);
        }
    }
    match mine.cloned() {
        Some(entry) => {
            if case.adopted && case.code.is_none() {
                case.via = Some(if query == Query::VoidList { Way::Void } else { Way::Refund });
                case.offer_id = entry.offer_id.clone().or(case.offer_id.take());
            }
            if case.outcome != CaseOutcome::Executed {
                let offer = entry.offer_id.as_deref().or(entry.code.as_deref()).unwrap_or_default().to_owned();
                add_evidence(case, now, &format!("{name} lists {offer}"), Strength::Strong);
            }
            found(case, Some(&entry), now)
        }
        None if case.outcome == CaseOutcome::Executed => Action::Wait,
        // An entry that does not say which offer it came from may be this one; and without an offer nothing can
        // be told apart.
        None if entries.iter().any(|e| e.offer_id.is_none() || case.offer_id.is_none()) => {
            add_evidence(case, now, &format!("{name} lists an entry that cannot be told apart"), Strength::Weak);
            Action::Wait
        }
        None => absent(case, name, now),
    }
}

/// The vendor refuses the list without a refundCode, which a lost reply would have given.
fn no_refund_list(case: &mut Case, now: &Now<'_>) -> Action {
    match case.outcome {
        // Nothing will ever show how it goes on.
        CaseOutcome::Executed if case.code.is_none() && now.wall() - case.since > DAY => {
            case.state = State::NeedsHuman;
            Action::Wait
        }
        CaseOutcome::Unknown | CaseOutcome::NotExecuted => Action::Query(Query::RefundProbe),
        CaseOutcome::Executed if case.adopted && case.code.is_none() => other_list(case, Query::RefundList),
        _ => Action::Wait,
    }
}

/// "Already submitted" does not say whether it was a void or a refund: the other list may have it.
fn other_list(case: &Case, query: Query) -> Action {
    match (case.way(), query) {
        (Some(Way::Void), Query::VoidList) => Action::Query(Query::RefundList),
        (Some(Way::Refund), Query::RefundList) => Action::Query(Query::VoidList),
        _ => Action::Wait,
    }
}

/// The effect exists at the vendor.
pub(crate) fn found(case: &mut Case, entry: Option<&Entry>, now: &Now<'_>) -> Action {
    let name = case.last_step().map_or(case.first_step(), |s| s.name);
    if case.outcome != CaseOutcome::Executed {
        reopen(case);
        case.outcome = CaseOutcome::Executed;
        case.error = None;
        if let Some(step) = case.steps.last_mut() {
            step.outcome = CaseOutcome::Executed;
            step.at = now.wall();
        }
        case.state = match name {
            StepName::Void | StepName::Refund => State::AtlasProcessing,
            StepName::Pay | StepName::Stop => State::Ticketing,
            StepName::Claim if case.locator().is_some() || case.code.is_some() => State::Claimed,
            StepName::Claim => State::NeedsHuman,
            // The order's number must be known before it can be paid.
            StepName::Order | StepName::Regenerate if case.code.is_none() => State::NeedsHuman,
            StepName::Order | StepName::Regenerate if case.superseded => {
                add_evidence(
                    case,
                    now,
                    "another case was opened after this one: whether to pay both is for a human",
                    Strength::Strong,
                );
                hold_made_order(case);
                State::NeedsHuman
            }
            StepName::Order | StepName::Regenerate => {
                case.outcome = CaseOutcome::Pending;
                hold_made_order(case);
                State::AwaitingPayment
            }
        };
        if let (StepName::Claim, Some(order)) = (name, case.code.clone()) {
            return claimed(case, order, now);
        }
    }
    if let Some(entry) = entry {
        case.code = entry.code.clone().or(case.code.take());
        if let (Some(actual), Some(money)) = (&entry.actual_refund, &mut case.money) {
            money.actual_refund = Some(actual.clone());
        }
        vendor_state(case, entry.state);
    }
    Action::Wait
}

/// The vendor's states of refunds and voids (refund schema 2026-04, void schema 2026). In the scale of 2024, 3 was
/// "rejected"; in today's it is "airline refunding", and only today's is spoken.
pub(crate) fn vendor_state(case: &mut Case, code: Option<i64>) {
    let Some(code) = code else { return };
    case.vendor_code = Some(code);
    match code {
        0 => case.state = State::AtlasProcessing,
        1 => case.state = State::AirlineProcessing,
        2 => close(case, State::Refunded),
        3 => case.state = State::Refunding,
        4 => close(case, State::Rejected),
        5 => close(case, State::Fulfilled),
        6 => close(case, State::Withdrawn),
        _ => {}
    }
}

/// The orders that may be this case's: without those that other cases on the same order have made.
pub(crate) fn without_others(case: &Case, orders: Vec<String>, cases: &[Case]) -> Answer {
    let others = || cases.iter().filter(|other| other.id != case.id);
    let is_new = |order: &String| case.orders_before.as_ref().is_some_and(|before| !before.contains(order));
    let free: Vec<String> =
        orders.into_iter().filter(|order| !others().any(|other| other.code.as_ref() == Some(order))).collect();
    let is_on_its_way = |other: &Case| {
        let open =
            |s: &Step| s.name == StepName::Order && matches!(s.outcome, CaseOutcome::Pending | CaseOutcome::Unknown);
        other.code.is_none() && other.steps.iter().any(open)
    };
    if free.iter().any(is_new) && others().any(is_on_its_way) {
        return Answer::Inconclusive("queryOrderDetails lists a new order, which may be another case's");
    }
    Answer::Orders(free)
}

/// Which ancillary order a lost reply was about: the one that was not there before the submit.
fn new_orders(case: &mut Case, orders: &[String], now: &Now<'_>) -> Action {
    let Some(before) = &case.orders_before else {
        add_evidence(case, now, "which baggage orders stood before is not known", Strength::Weak);
        return Action::Wait;
    };
    let new: Vec<String> = orders.iter().filter(|o| !before.contains(o)).cloned().collect();
    match new.as_slice() {
        [] => absent(case, "queryOrderDetails", now),
        [order] => {
            add_evidence(
                case,
                now,
                &format!("queryOrderDetails lists {order}, which did not stand before"),
                Strength::Fair,
            );
            case.code = Some(order.clone());
            found(case, None, now)
        }
        several => {
            add_evidence(
                case,
                now,
                &format!("queryOrderDetails lists new orders: {}", several.join(", ")),
                Strength::Weak,
            );
            require_human(case);
            Action::Wait
        }
    }
}
