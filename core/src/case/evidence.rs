//! What the vendor's answers say about a submit: the question to ask, and how to read its answer. Pure.
//!
//! "Not found" proves nothing by itself: the request may still be on its way. Absence needs the settle time since
//! the last byte can have left, and then two plausible answers some time apart that do not hold it.

use super::event::{Action, Answer, Entry, Now, OrderSeen, Question};
use super::machine::{close, note};
use super::model::{Case, Kind, State, Step, StepName, Strength, Verdict, Way};
use super::rules::{PATIENCE, STOP_DECIDED};
use super::submitting::{claimed, pay};

/// What to ask the vendor about this case, if anything.
pub(crate) fn question(case: &Case) -> Option<Question> {
    if case.closed && !case.watched {
        return None;
    }
    asked_of(case).filter(|question| *question != Question::ClaimList || case.locator().is_some())
}

fn asked_of(case: &Case) -> Option<Question> {
    match (case.state, case.outcome) {
        (State::Planned | State::Quoting | State::Sending, _) => None,
        (_, Verdict::Unknown | Verdict::NotExecuted) => case.step().map(|step| match step.name {
            StepName::Void => Question::VoidList,
            StepName::Refund => Question::RefundList,
            StepName::Order => Question::Tree,
            StepName::Pay | StepName::Stop => Question::NewOrder,
            StepName::Regenerate => Question::Rebuilt,
            StepName::Claim => Question::ClaimList,
        }),
        (State::AwaitingPayment | State::Ticketing, _) => Some(Question::NewOrder),
        (State::Claimed, _) => Some(Question::ClaimList),
        (State::NeedsHuman, _) => None,
        _ => case.way().map(|way| match way {
            Way::Void => Question::VoidList,
            Way::Refund => Question::RefundList,
        }),
    }
}

/// Reads an answer.
pub(crate) fn read(case: &mut Case, question: Question, answer: Answer, now: &Now<'_>) -> Action {
    let action = match (question, answer) {
        (Question::VoidList | Question::RefundList, Answer::Entries(entries)) => listed(case, question, &entries, now),
        (Question::RefundList, Answer::Refused(refusal)) if !refusal.passing => no_refund_list(case),
        (Question::RefundProbe, Answer::Refused(refusal)) if refusal.already => {
            let code = refusal.trouble.vendor_status.unwrap_or_default();
            note(case, now, &format!("refundQuotation answers {code}: the refund is there"), Strength::Strong);
            found(case, None, now)
        }
        (Question::RefundProbe, Answer::Quote(_)) => {
            note(case, now, "a fresh refundQuotation succeeds, which proves little", Strength::Weak);
            if is_settled(case, now) {
                ask_a_human(case);
            }
            Action::Rest
        }
        (Question::Tree, Answer::Orders(orders)) => baggage(case, &orders, now),
        (Question::NewOrder, Answer::Order(order)) => order_state(case, &order, now),
        (Question::Rebuilt, Answer::Orders(orders)) => {
            match orders.as_slice() {
                [] => note(case, now, "orderList shows no order since then that looks rebuilt", Strength::Weak),
                found => {
                    let what =
                        format!("orderList shows orders since then of the same passengers: {}", found.join(", "));
                    note(case, now, &what, Strength::Weak);
                }
            }
            // Nothing ties a rebuilt order to the request that made it.
            ask_a_human(case);
            Action::Rest
        }
        (Question::ClaimList, Answer::Orders(orders)) => match orders.into_iter().next() {
            Some(order) => {
                reopen(case);
                claimed(case, order, now)
            }
            None => absent(case, "orderList", now),
        },
        (_, Answer::Vague(why)) => {
            if case.outcome == Verdict::Unknown {
                note(case, now, why, Strength::Weak);
            }
            Action::Rest
        }
        _ => Action::Rest,
    };
    if action == Action::Rest && case.outcome == Verdict::Unknown && now.wall() - case.since > PATIENCE {
        ask_a_human(case);
    }
    action
}

fn ask_a_human(case: &mut Case) {
    if case.outcome == Verdict::Unknown {
        case.state = State::NeedsHuman;
    }
}

/// "In progress" (814) spoke of a submit of somebody else.
fn is_in_progress(case: &Case) -> bool {
    case.outcome == Verdict::Unknown && case.error.as_ref().is_some_and(|e| e.vendor_status == Some(814))
}

/// Whether the vendor's list is also read for what others have submitted.
pub(crate) fn may_be_others(case: &Case) -> bool {
    is_in_progress(case) || (case.adopted && case.code.is_none())
}

fn listed(case: &mut Case, question: Question, entries: &[Entry], now: &Now<'_>) -> Action {
    let name = if question == Question::VoidList { "queryVoidOrders" } else { "queryRefundOrders" };
    let same = |mine: &Option<String>, theirs: &Option<String>| mine.is_some() && mine == theirs;
    let is_mine = |e: &&Entry| same(&case.offer_id, &e.offer_id) || same(&case.code, &e.code);
    let mut mine = entries.iter().find(is_mine);
    // Whose refund of the order it is, its passengers say.
    let fits = |e: &&Entry| e.covers == Some(true) || (e.covers.is_none() && !case.partial);
    let stands = |e: &&Entry| fits(e) && !matches!(e.state, Some(4 | 6));
    if mine.is_none() && is_in_progress(case) && entries.iter().any(|e| stands(&e)) {
        case.adopted = true;
        case.code = None;
    }
    if mine.is_none() && case.adopted && case.outcome != Verdict::NotExecuted && case.code.is_none() {
        // Somebody else's: the one that stands, or else the last.
        mine = entries.iter().rev().find(stands).or(entries.iter().rev().find(fits));
        if mine.is_none() {
            return other_list(case, question);
        }
    }
    match mine.cloned() {
        Some(entry) => {
            if case.adopted && case.code.is_none() {
                case.via = Some(if question == Question::VoidList { Way::Void } else { Way::Refund });
                case.offer_id = entry.offer_id.clone().or(case.offer_id.take());
            }
            if case.outcome != Verdict::Executed {
                let offer = entry.offer_id.as_deref().or(entry.code.as_deref()).unwrap_or_default().to_owned();
                note(case, now, &format!("{name} lists {offer}"), Strength::Strong);
            }
            found(case, Some(&entry), now)
        }
        None if case.outcome == Verdict::Executed => Action::Rest,
        // An entry that does not say which offer it came from may be this one; and without an offer nothing can
        // be told apart.
        None if entries.iter().any(|e| e.offer_id.is_none() || case.offer_id.is_none()) => {
            note(case, now, &format!("{name} lists an entry that cannot be told apart"), Strength::Weak);
            Action::Rest
        }
        None => absent(case, name, now),
    }
}

/// The vendor wants a refundCode, which a lost reply took with it.
fn no_refund_list(case: &mut Case) -> Action {
    match case.outcome {
        Verdict::Unknown | Verdict::NotExecuted => Action::Ask(Question::RefundProbe),
        Verdict::Executed if case.adopted && case.code.is_none() => other_list(case, Question::RefundList),
        _ => Action::Rest,
    }
}

/// "Already submitted" does not say whether a void or a refund stands there: the other list may have it.
fn other_list(case: &Case, question: Question) -> Action {
    match (case.way(), question) {
        (Some(Way::Void), Question::VoidList) => Action::Ask(Question::RefundList),
        (Some(Way::Refund), Question::RefundList) => Action::Ask(Question::VoidList),
        _ => Action::Rest,
    }
}

/// The effect is there.
pub(crate) fn found(case: &mut Case, entry: Option<&Entry>, now: &Now<'_>) -> Action {
    let name = case.step().map_or(case.first_step(), |s| s.name);
    if case.outcome != Verdict::Executed {
        reopen(case);
        case.outcome = Verdict::Executed;
        case.error = None;
        if let Some(step) = case.steps.last_mut() {
            step.outcome = Verdict::Executed;
            step.at = now.wall();
        }
        case.state = match name {
            StepName::Void | StepName::Refund => State::AtlasProcessing,
            StepName::Pay | StepName::Stop => State::Ticketing,
            StepName::Claim if case.locator().is_some() || case.code.is_some() => State::Claimed,
            StepName::Claim => State::NeedsHuman,
            // Which order it was must be known before it can be paid.
            StepName::Order | StepName::Regenerate if case.code.is_none() => State::NeedsHuman,
            StepName::Order | StepName::Regenerate if case.succeeded => {
                note(
                    case,
                    now,
                    "another case was opened after this one: whether to pay both is for a human",
                    Strength::Strong,
                );
                State::NeedsHuman
            }
            StepName::Order | StepName::Regenerate => {
                case.outcome = Verdict::Pending;
                case.holds.extend(case.code.clone());
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
    Action::Rest
}

/// A case that was given up goes on.
pub(crate) fn reopen(case: &mut Case) {
    if case.closed && case.outcome == Verdict::NotExecuted {
        case.closed = false;
        case.watched = false;
        case.reopened = true;
        // Others stay away again, as far as nobody else has the order by now.
        let order = case.order_no.iter().filter(|o| !case.holds.contains(o)).cloned().collect::<Vec<_>>();
        case.holds.extend(order);
    }
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

/// The orders that may be this case's: not those that other cases on the same order have made.
pub(crate) fn not_others(case: &Case, orders: Vec<String>, cases: &[Case]) -> Answer {
    let others = || cases.iter().filter(|other| other.id != case.id);
    let is_new = |order: &String| case.before.as_ref().is_some_and(|before| !before.contains(order));
    let free: Vec<String> =
        orders.into_iter().filter(|order| !others().any(|other| other.code.as_ref() == Some(order))).collect();
    let is_on_its_way = |other: &Case| {
        let open = |s: &Step| s.name == StepName::Order && matches!(s.outcome, Verdict::Pending | Verdict::Unknown);
        other.code.is_none() && other.steps.iter().any(open)
    };
    if free.iter().any(is_new) && others().any(is_on_its_way) {
        return Answer::Vague("queryOrderDetails lists a new order, which may be another case's");
    }
    Answer::Orders(free)
}

/// Which baggage order a lost reply was about: the one that did not stand before.
fn baggage(case: &mut Case, orders: &[String], now: &Now<'_>) -> Action {
    let Some(before) = &case.before else {
        note(case, now, "which baggage orders stood before is not known", Strength::Weak);
        return Action::Rest;
    };
    let new: Vec<String> = orders.iter().filter(|o| !before.contains(o)).cloned().collect();
    match new.as_slice() {
        [] => absent(case, "queryOrderDetails", now),
        [order] => {
            note(case, now, &format!("queryOrderDetails lists {order}, which did not stand before"), Strength::Fair);
            case.code = Some(order.clone());
            found(case, None, now)
        }
        several => {
            note(case, now, &format!("queryOrderDetails lists new orders: {}", several.join(", ")), Strength::Weak);
            ask_a_human(case);
            Action::Rest
        }
    }
}

fn order_state(case: &mut Case, order: &OrderSeen, now: &Now<'_>) -> Action {
    if case.kind == Kind::Stop {
        return stop_state(case, order, now);
    }
    let paying = matches!(case.outcome, Verdict::Unknown | Verdict::NotExecuted);
    // The earlier one counts: once an order is paid, the vendor shows a later one that means nothing.
    let seen = order.deadline.clone().filter(|_| order.status == Some(0));
    case.deadline = match (seen, case.deadline.take()) {
        (Some(seen), Some(known)) => Some(if seen.at < known.at { seen } else { known }),
        (seen, known) => seen.or(known),
    };
    match order.status {
        Some(0) if paying => absent(case, "queryOrderDetails (still unpaid)", now),
        Some(0) if case.state == State::AwaitingPayment => {
            // What the order costs now is what the guard looks at.
            if let Some(price) = &order.money {
                let money = case.money.get_or_insert_default();
                money.paid.clone_from(&price.paid);
                money.currency.clone_from(&price.currency);
            }
            pay(case, now)
        }
        Some(status @ (1 | 2)) => {
            if case.outcome != Verdict::Executed {
                note(case, now, "queryOrderDetails shows the order paid", Strength::Strong);
                case.adopted |= !case.steps.iter().any(|s| s.name == StepName::Pay);
                reopen(case);
                case.outcome = Verdict::Executed;
                case.error = None;
                case.state = State::Ticketing;
                if let Some(step) = case.steps.last_mut() {
                    step.outcome = Verdict::Executed;
                }
            }
            if status == 2 && order.ticketed {
                case.deadline = None;
                close(case, State::Ticketed);
            }
            Action::Rest
        }
        Some(-3) if case.outcome == Verdict::Unknown => {
            let lapsed = case.deadline.as_ref().is_some_and(|d| now.wall() >= d.at);
            let verdict = match (order.failed_ticketing, lapsed) {
                (true, _) => Verdict::Executed,
                (false, true) => Verdict::NotExecuted,
                // Cancelled too early to have lapsed, and no ticketing error: nobody here knows.
                (false, false) => return Action::Rest,
            };
            note(case, now, "queryOrderDetails shows the order cancelled", Strength::Fair);
            case.outcome = verdict;
            if let Some(step) = case.steps.last_mut() {
                step.outcome = verdict;
            }
            close(case, State::Cancelled);
            Action::Rest
        }
        Some(-3) if !case.closed => {
            if case.outcome == Verdict::Pending && order.failed_ticketing {
                case.adopted = true;
                case.outcome = Verdict::Executed;
                note(case, now, "the order was paid, not by this case, and its ticketing failed", Strength::Fair);
            } else if case.outcome == Verdict::Pending {
                case.outcome = Verdict::NotExecuted;
                note(case, now, "the order was not paid in time and is cancelled", Strength::Strong);
            }
            close(case, State::Cancelled);
            Action::Rest
        }
        // Nothing is left to look for.
        Some(-3) if !order.failed_ticketing => {
            let state = case.state;
            close(case, state);
            Action::Rest
        }
        _ => Action::Rest,
    }
}

/// -3 means stopped, 2 that the airline was faster.
fn stop_state(case: &mut Case, order: &OrderSeen, now: &Now<'_>) -> Action {
    // "The definition of order status differs after a stop request" (stop ticketing page, 2025): it counts only
    // when the vendor has decided.
    if case.step().and_then(|s| s.sent).is_some_and(|sent| sent.at_least_until(now.stamp) < STOP_DECIDED) {
        return Action::Rest;
    }
    if order.status == Some(-3) && order.failed_ticketing && case.outcome != Verdict::Executed {
        // It failed by itself; whether the stop had arrived nobody will ever see.
        note(case, now, "queryOrderDetails shows that the ticketing failed", Strength::Weak);
        ask_a_human(case);
        return Action::Rest;
    }
    let (verdict, state) = match (order.status, case.outcome) {
        (Some(-3), _) => (Verdict::Executed, State::Stopped),
        (Some(2), Verdict::Executed) => (Verdict::Executed, State::StopFailed),
        (Some(2), _) => (Verdict::NotExecuted, State::StopFailed),
        _ => return Action::Rest,
    };
    let seen = if state == State::Stopped { "cancelled" } else { "ticketed" };
    note(case, now, &format!("queryOrderDetails shows the order {seen}"), Strength::Strong);
    if verdict == Verdict::Executed {
        reopen(case);
    }
    case.outcome = verdict;
    if let Some(step) = case.steps.last_mut() {
        step.outcome = verdict;
    }
    close(case, state);
    Action::Rest
}

fn is_settled(case: &Case, now: &Now<'_>) -> bool {
    case.step().and_then(|s| s.sent).is_some_and(|sent| sent.at_least_until(now.stamp) >= now.rules.settle)
}

/// A plausible answer that does not hold it.
fn absent(case: &mut Case, asked: &str, now: &Now<'_>) -> Action {
    if case.outcome != Verdict::Unknown {
        return Action::Rest;
    }
    if !is_settled(case, now) {
        note(case, now, &format!("{asked} does not show it, too early to mean anything"), Strength::Weak);
        return Action::Rest;
    }
    match case.empty {
        None => {
            case.empty = Some(now.stamp);
            note(case, now, &format!("{asked} does not show it after the settle time"), Strength::Fair);
        }
        Some(first) if first.at_least_until(now.stamp) >= now.rules.between_answers() => {
            note(case, now, &format!("{asked} does not show it again"), Strength::Strong);
            case.outcome = Verdict::NotExecuted;
            if let Some(step) = case.steps.last_mut() {
                step.outcome = Verdict::NotExecuted;
                step.at = now.wall();
            }
            // Others stay away until they say `after`: its effect may still show up.
            case.state = State::Cancelled;
            case.closed = true;
            case.watched = true;
        }
        Some(_) => {}
    }
    Action::Rest
}
