//! Before the submit: reading the order, asking for a quotation, and checking the guards. Pure.

use super::event::{Action, Answer, Entry, Now, OrderState, Quote, Refusal};
use super::submit::closes_void;
use super::transition::{add_evidence, claimed, close, refuse, stay_planned, submit};
use super::{evidence, guard};
use crate::case::error::StoredError;
use crate::case::model::{Case, CheckFirst, Money};
use crate::case::vocabulary::{CaseOutcome, Kind, Query, State, StepName, Strength, Way};
use crate::error::ErrorCode;
use crate::wire::Amount;

/// Reads the order first; a claim has none and reads orderList.
pub(crate) fn begin(case: &mut Case) -> Action {
    case.state = State::Quoting;
    case.error = None;
    case.paced_until = None;
    if let Some(query) = case.check_first.filter(|_| !case.run.effect_checked).and_then(|_| effect_query(case)) {
        return Action::Query(query);
    }
    Action::Query(if case.kind == Kind::Claim { Query::ClaimList } else { Query::Order })
}

/// The query that would show the effect of an attempt that was refused for its pace. A stop and a payment are read
/// from the order, a claim from orderList, as before any attempt.
fn effect_query(case: &Case) -> Option<Query> {
    match case.last_step()?.name {
        StepName::Void => Some(Query::VoidList),
        StepName::Refund => Some(Query::RefundList),
        StepName::Order => Some(Query::BookingOrders),
        StepName::Pay | StepName::Regenerate | StepName::Stop | StepName::Claim => None,
    }
}

/// The refusal after which this query looks for the effect.
fn unchecked(case: &Case, query: Query) -> Option<CheckFirst> {
    case.check_first.filter(|_| !case.run.effect_checked && effect_query(case) == Some(query))
}

/// Whether the attempt that was refused for its pace was executed all the same. What shows up is left to the evidence
/// of a lost reply; without anything, the next attempt begins.
fn effect_checked(case: &mut Case, first: CheckFirst, query: Query, answer: Answer, now: &Now<'_>) -> Action {
    let (shown, fits) = match (&answer, query) {
        (Answer::Entries(entries), _) => {
            let is_mine = |e: &Entry| e.offer_id.is_some() && e.offer_id == case.offer_id;
            let stands = |e: &Entry| !matches!(e.state, Some(4 | 6));
            let (has_mine, has_fit) = (entries.iter().any(is_mine), entries.iter().any(|e| evidence::fits(case, e)));
            case.adopted = !has_mine && has_fit;
            (has_mine || entries.iter().any(stands), has_mine || has_fit)
        }
        (Answer::Orders(orders), _) => {
            let before = case.orders_before.clone().unwrap_or_default();
            (orders.iter().any(|o| !before.contains(o)), case.orders_before.is_some())
        }
        // 905 itself refused: a fresh quotation that succeeds is enough.
        (Answer::Refused(refusal), Query::RefundList) if !refusal.passing && first == CheckFirst::Busy => {
            case.run.needs_quotation = true;
            (false, false)
        }
        (Answer::Unfit(_) | Answer::Late(_) | Answer::Foreign(_), _) => (true, false),
        (Answer::Refused(refusal), _) => return stay_planned(case, refusal.error.clone()),
        (Answer::Inconclusive(why), _) => {
            return stay_planned(case, StoredError::new(ErrorCode::BadResponse, *why));
        }
        _ => return stay_planned(case, StoredError::new(ErrorCode::BadResponse, "the answer shows no effect")),
    };
    // Until the next intent: a call that ends before it leaves the question open.
    case.run.effect_checked = true;
    if !shown {
        return Action::Query(Query::Order);
    }
    case.check_first = None;
    case.outcome = CaseOutcome::Unknown;
    case.state = State::Unknown;
    if let Some(step) = case.steps.last_mut() {
        step.outcome = CaseOutcome::Unknown;
        step.retry = None;
    }
    if fits {
        let action = evidence::read(case, query, answer, now);
        if case.outcome != CaseOutcome::Unknown || action != Action::Wait {
            return action;
        }
    }
    add_evidence(case, now, "the vendor shows an entry that may be this case's, after a refusal", Strength::Weak);
    case.state = State::NeedsHuman;
    Action::Wait
}

/// An answer before the submit.
pub(crate) fn answered(case: &mut Case, query: Query, answer: Answer, now: &Now<'_>) -> Action {
    if let Some(first) = unchecked(case, query) {
        return effect_checked(case, first, query, answer, now);
    }
    match (query, answer) {
        (Query::Order, Answer::Order(order)) => check_order(case, &order, now),
        (Query::VoidQuote, Answer::Quote(quote)) => quoted(case, Way::Void, quote, now),
        (Query::RefundQuote, Answer::Quote(quote)) => quoted(case, Way::Refund, quote, now),
        (Query::VoidList | Query::RefundList, Answer::Entries(entries)) => listed(case, query, &entries, now),
        (Query::VoidList | Query::RefundList, Answer::Inconclusive(why)) => not_ours(case, why),
        (Query::KnownOffer, Answer::Quote(quote)) => match case.way() {
            Some(way) => quoted(case, way, quote, now),
            None => quoted(case, Way::Refund, quote, now),
        },
        // The orders before the submit tell later which one is new. Without an answer the search goes on, and a lost
        // reply will stay unknown.
        (Query::BookingOrders, Answer::Foreign(order)) => foreign(case, &order),
        (Query::BookingOrders, Answer::Unlisted(why)) => {
            let text =
                format!("the order comes without the list of its booking's orders, and {why} (expect.acceptForeign)");
            refuse(case, StoredError::new(ErrorCode::GuardForeignOrder, text))
        }
        (Query::BookingOrders, Answer::Orders(orders)) => {
            case.orders_before = Some(orders);
            Action::Query(Query::Search)
        }
        (Query::RegenerateCandidates, Answer::Foreign(order)) => foreign(case, &order),
        (Query::RegenerateCandidates, Answer::Refused(refusal)) if refusal.passing => stay_planned(case, refusal.error),
        // Foreign orders are the one guard that does not refuse where it cannot be checked.
        (Query::RegenerateCandidates, _) => submit(case, StepName::Regenerate, now),
        (Query::BookingOrders, _) => unlisted(case),
        (Query::Search, Answer::Search(money)) => {
            if let Err(error) = guard::check_price(&case.expect, &money) {
                return refuse(case, error);
            }
            if let Err(error) = check_second_offer(case, StepName::Order, &money) {
                return refuse(case, error);
            }
            case.money = Some(money);
            submit(case, StepName::Order, now)
        }
        (Query::ClaimList, Answer::Orders(orders)) => match orders.into_iter().next() {
            Some(order) => {
                case.adopted = true;
                claimed(case, order, now)
            }
            None => submit(case, StepName::Claim, now),
        },
        // A list that is not whole does not prove that the booking is unclaimed.
        (Query::ClaimList, Answer::Inconclusive(why)) => {
            stay_planned(case, StoredError::new(ErrorCode::BadResponse, why))
        }
        _ => Action::Wait,
    }
}

fn check_order(case: &mut Case, order: &OrderState, now: &Now<'_>) -> Action {
    let not_ticketed = |what: &str| StoredError::new(ErrorCode::GuardNotTicketed, what);
    match case.kind {
        Kind::Void | Kind::Refund | Kind::Cancel | Kind::Ancillary if !order.ticketed => {
            refuse(case, not_ticketed("the order is not ticketed"))
        }
        _ if case.run.own_offer && case.way().is_some() => Action::Query(Query::KnownOffer),
        // A cancel whose void was refused goes on with the refund.
        Kind::Cancel if case.via == Some(Way::Refund) => Action::Query(Query::RefundQuote),
        Kind::Void | Kind::Cancel => Action::Query(Query::VoidQuote),
        Kind::Refund => Action::Query(Query::RefundQuote),
        Kind::Ancillary => Action::Query(Query::BookingOrders),
        // Regenerating an order that has or gets tickets would buy the flights twice.
        Kind::Regenerate if may_regenerate(order, now) && !case.expect.accept_foreign => {
            Action::Query(Query::RegenerateCandidates)
        }
        Kind::Regenerate if may_regenerate(order, now) => submit(case, StepName::Regenerate, now),
        Kind::Regenerate => {
            let text = "only an order that is cancelled, or unpaid after its time to pay, is regenerated";
            refuse(case, StoredError::new(ErrorCode::GuardOrderState, text))
        }
        Kind::Stop if order.status == Some(2) => {
            case.outcome = CaseOutcome::NotExecuted;
            close(case, State::StopFailed);
            case.error = Some(not_ticketed("the ticket is issued already: there is nothing left to stop"));
            Action::Wait
        }
        Kind::Stop if order.status == Some(-3) && order.failed_ticketing => {
            case.outcome = CaseOutcome::NotExecuted;
            close(case, State::Cancelled);
            case.error = Some(not_ticketed("the ticketing failed already: there is nothing left to stop"));
            Action::Wait
        }
        Kind::Stop if order.status == Some(-3) => {
            case.adopted = true;
            case.outcome = CaseOutcome::Executed;
            add_evidence(case, now, "queryOrderDetails shows the order cancelled", Strength::Strong);
            close(case, State::Stopped);
            Action::Wait
        }
        Kind::Stop if order.status.is_none() => {
            refuse(case, StoredError::new(ErrorCode::GuardOrderState, "the order's state cannot be read"))
        }
        Kind::Stop => submit(case, StepName::Stop, now),
        Kind::Claim | Kind::Pay => Action::Wait,
    }
}

/// Cancelled, or unpaid when the time to pay is over.
fn may_regenerate(order: &OrderState, now: &Now<'_>) -> bool {
    let is_over = order.deadline.as_ref().is_some_and(|deadline| now.wall() > deadline.at);
    order.status == Some(-3) || (order.status == Some(0) && is_over)
}

fn quoted(case: &mut Case, way: Way, quote: Quote, now: &Now<'_>) -> Action {
    if case.kind == Kind::Cancel {
        case.via = Some(way);
    }
    if let Err(error) = guard::check_offer(case, way, &quote, now) {
        // Only an explicit refusal closes the void: a missing field does not. A window that is over does so only if
        // no void may have left before.
        let left = case.steps.iter().any(|s| s.name == StepName::Void && s.sent_at.is_some());
        let denied = quote.possible == Some(false) || quote.window_open == Some(false);
        let closed_to_void = denied && matches!(error.code, ErrorCode::GuardNotRefundable | ErrorCode::GuardDeadline)
            || error.code == ErrorCode::GuardDeadline && !left;
        if case.kind == Kind::Cancel && way == Way::Void && closed_to_void {
            return Action::Query(Query::RefundQuote);
        }
        case.money = Some(quote.money);
        return not_offered(case, error);
    }
    let Some(offer) = quote.offer_id else {
        return not_offered(case, StoredError::new(ErrorCode::GuardNotRefundable, "the quotation has no offer id"));
    };
    let step = if way == Way::Void { StepName::Void } else { StepName::Refund };
    if let Err(error) = check_second_offer(case, step, &quote.money) {
        return refuse(case, error);
    }
    case.offer_id = Some(offer);
    case.money = Some(quote.money);
    case.deadline = quote.deadline;
    submit(case, step, now)
}

/// A refund that is not offered may be one that was executed, where only a quotation can show that it was not.
fn not_offered(case: &mut Case, error: StoredError) -> Action {
    match error.code {
        ErrorCode::GuardNotRefundable if case.run.needs_quotation => stay_planned(case, error),
        _ => refuse(case, error),
    }
}

/// The offer after an expired one is taken only if it gives back no less and costs no more, where `expect` sets no
/// limit.
fn check_second_offer(case: &Case, step: StepName, second: &Money) -> Result<(), StoredError> {
    let tried = case.steps.last().is_some_and(|s| s.name == step);
    let Some(first) = case.money.as_ref().filter(|_| case.requoted && tried) else { return Ok(()) };
    let number = |text: &Option<String>| text.as_deref().and_then(Amount::parse).and_then(|a| a.to_decimal());
    let worse = |what: &str| {
        let text =
            format!("the offer after the expired one {what} than the first; set a limit in `expect` to accept it");
        Err(StoredError::new(ErrorCode::GuardAmount, text))
    };
    let expect = &case.expect;
    if first.currency != second.currency {
        return worse("is in another currency");
    }
    let at_least = |limited: bool, first: &Option<String>, second: &Option<String>| {
        limited
            || (first.is_none() && second.is_none())
            || number(first).zip(number(second)).is_some_and(|(f, s)| s >= f)
    };
    if step == StepName::Order {
        let fits = at_least(expect.max_price.is_some(), &second.paid, &first.paid);
        return if fits { Ok(()) } else { worse("costs more") };
    }
    if !at_least(expect.max_fee.is_some(), &second.fee, &first.fee) {
        return worse("has a higher fee");
    }
    let fits = at_least(expect.min_refund.is_some(), &first.estimated_refund, &second.estimated_refund);
    if fits { Ok(()) } else { worse("gives back less") }
}

/// A refusal before anything was sent.
pub(crate) fn refused(case: &mut Case, query: Query, refusal: Refusal, now: &Now<'_>) -> Action {
    let code = refusal.error.vendor_status;
    if let Some(first) = unchecked(case, query) {
        return effect_checked(case, first, query, Answer::Refused(refusal), now);
    }
    match query {
        Query::RefundQuote if case.run.needs_quotation => stay_planned(case, refusal.error),
        // Another client's submission is in progress: how it ends is not known yet.
        Query::VoidQuote | Query::RefundQuote if code == Some(814) => {
            let text = "a refund or void of this order is in progress";
            stay_planned(case, StoredError { vendor_status: code, ..StoredError::new(ErrorCode::InProgress, text) })
        }
        // Something is there: the list says whose.
        Query::VoidQuote if refusal.exists => something_exists(case, Query::VoidList, &refusal, now),
        Query::RefundQuote if refusal.exists => something_exists(case, Query::RefundList, &refusal, now),
        Query::VoidList | Query::RefundList if !refusal.passing => not_ours(case, "its list is refused"),
        // Not voidable, window over, airline, payment method: a refund may still be possible.
        Query::VoidQuote if case.kind == Kind::Cancel && closes_void(code) => {
            case.via = Some(Way::Refund);
            Action::Query(Query::RefundQuote)
        }
        Query::BookingOrders if !refusal.passing => unlisted(case),
        _ if refusal.passing => stay_planned(case, refusal.error),
        _ => refuse(case, refusal.error),
    }
}

/// The quotation says that a refund or void is there, not whose: the list is asked.
fn something_exists(case: &mut Case, list: Query, refusal: &Refusal, now: &Now<'_>) -> Action {
    let name = if list == Query::VoidList { "voidQuotation" } else { "refundQuotation" };
    let code = refusal.error.vendor_status.unwrap_or_default();
    add_evidence(case, now, &format!("{name} answers {code}: something is there"), Strength::Weak);
    Action::Query(list)
}

/// Where something is there: an entry that stands, covers the passengers and is of no other case is followed.
fn listed(case: &mut Case, query: Query, entries: &[Entry], now: &Now<'_>) -> Action {
    let Some(entry) = entries.iter().rev().find(|e| evidence::fits(case, e)) else {
        // A void that was refused because of a refund; only a cancel wants either.
        return match (query, case.kind) {
            (Query::VoidList, Kind::Cancel) => Action::Query(Query::RefundList),
            _ => not_ours(case, "its list shows none for these passengers"),
        };
    };
    let (name, way) = match query {
        Query::VoidList => ("queryVoidOrders", Way::Void),
        _ => ("queryRefundOrders", Way::Refund),
    };
    let what = entry.offer_id.as_deref().or(entry.code.as_deref()).unwrap_or("an entry");
    add_evidence(case, now, &format!("{name} lists {what}, submitted before, not by this case"), Strength::Strong);
    case.adopted = true;
    case.via = Some(way);
    case.offer_id.clone_from(&entry.offer_id);
    evidence::found(case, Some(entry), now)
}

/// Somebody has made an order that would be made a second time.
fn foreign(case: &mut Case, order: &str) -> Action {
    let text = format!("order {order}, which no case has made, is there already (expect.acceptForeign)");
    refuse(case, StoredError::new(ErrorCode::GuardForeignOrder, text))
}

/// The booking's orders are not listed: whether there is a foreign one cannot be looked at.
fn unlisted(case: &mut Case) -> Action {
    case.run.foreign_unchecked = !case.expect.accept_foreign;
    Action::Query(Query::Search)
}

/// Something is there that is not what the case asks for, or cannot be looked at. Nothing was sent.
fn not_ours(case: &mut Case, why: &str) -> Action {
    let text = format!("a refund or void of this order is there already, and {why}");
    refuse(case, StoredError::new(ErrorCode::GuardNotRefundable, text))
}
