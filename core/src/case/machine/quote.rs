//! Before the submit: reading the order, asking for a quotation, and checking the guards. Pure.

use super::event::{Action, Answer, Now, OrderState, Quote, Refusal};
use super::guard;
use super::transition::{add_evidence, adopt, claimed, close, refuse, stay_planned, submit};
use crate::case::error::StoredError;
use crate::case::model::Case;
use crate::case::vocabulary::{CaseOutcome, Kind, Query, State, StepName, Strength, Way};
use crate::error::ErrorCode;

/// Reads the order first; a claim has none and reads orderList.
pub(crate) fn begin(case: &mut Case) -> Action {
    case.state = State::Quoting;
    case.error = None;
    Action::Query(if case.kind == Kind::Claim { Query::ClaimList } else { Query::Order })
}

/// An answer before the submit.
pub(crate) fn answered(case: &mut Case, query: Query, answer: Answer, now: &Now<'_>) -> Action {
    match (query, answer) {
        (Query::Order, Answer::Order(order)) => check_order(case, &order, now),
        (Query::VoidQuote, Answer::Quote(quote)) => quoted(case, Way::Void, quote, now),
        (Query::RefundQuote, Answer::Quote(quote)) => quoted(case, Way::Refund, quote, now),
        (Query::KnownOffer, Answer::Quote(quote)) => match case.way() {
            Some(way) => quoted(case, way, quote, now),
            None => quoted(case, Way::Refund, quote, now),
        },
        // The orders before the submit tell later which one is new. Without an answer the search goes on, and a lost
        // reply will stay unknown.
        (Query::BookingOrders, Answer::Orders(orders)) => {
            case.orders_before = Some(orders);
            Action::Query(Query::Search)
        }
        (Query::BookingOrders, _) => Action::Query(Query::Search),
        (Query::Search, Answer::Search(money)) => {
            if let Err(error) = guard::check_price(&case.expect, &money) {
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
        Kind::Regenerate if matches!(order.status, Some(1 | 2)) => {
            refuse(case, StoredError::new(ErrorCode::GuardOrderState, "the order is being ticketed or is ticketed"))
        }
        Kind::Regenerate => submit(case, StepName::Regenerate, now),
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
        Kind::Stop => submit(case, StepName::Stop, now),
        Kind::Claim | Kind::Pay => Action::Wait,
    }
}

fn quoted(case: &mut Case, way: Way, quote: Quote, now: &Now<'_>) -> Action {
    if case.kind == Kind::Cancel {
        case.via = Some(way);
    }
    if let Err(error) = guard::check_offer(case, way, &quote, now) {
        // Only an explicit refusal closes the void: a missing field does not.
        let explicit = quote.possible == Some(false) || error.code == ErrorCode::GuardDeadline;
        let closed_to_void = explicit && matches!(error.code, ErrorCode::GuardNotRefundable | ErrorCode::GuardDeadline);
        if case.kind == Kind::Cancel && way == Way::Void && closed_to_void {
            return Action::Query(Query::RefundQuote);
        }
        case.money = Some(quote.money);
        return refuse(case, error);
    }
    let Some(offer) = quote.offer_id else {
        return refuse(case, StoredError::new(ErrorCode::GuardNotRefundable, "the quotation has no offer id"));
    };
    case.offer_id = Some(offer);
    case.money = Some(quote.money);
    case.deadline = quote.deadline;
    submit(case, if way == Way::Void { StepName::Void } else { StepName::Refund }, now)
}

/// A refusal before anything was sent.
pub(crate) fn refused(case: &mut Case, query: Query, refusal: Refusal, now: &Now<'_>) -> Action {
    let code = refusal.error.vendor_status;
    match query {
        // Another client's submission is in progress: how it ends is not known yet.
        Query::VoidQuote | Query::RefundQuote if code == Some(814) => stay_planned(case, refusal.error),
        Query::VoidQuote | Query::RefundQuote if refusal.already => adopt_existing(case, query, &refusal, now),
        // Not voidable, window over, payment method, airline, not all passengers: a refund may still be possible.
        Query::VoidQuote if case.kind == Kind::Cancel && matches!(code, Some(805 | 808 | 822 | 823 | 841 | 843)) => {
            case.via = Some(Way::Refund);
            Action::Query(Query::RefundQuote)
        }
        Query::BookingOrders => Action::Query(Query::Search),
        _ if refusal.passing => stay_planned(case, refusal.error),
        _ => refuse(case, refusal.error),
    }
}

/// The quotation says that a refund or void was submitted before: this case follows it.
fn adopt_existing(case: &mut Case, query: Query, refusal: &Refusal, now: &Now<'_>) -> Action {
    let name = if query == Query::VoidQuote { "voidQuotation" } else { "refundQuotation" };
    let code = refusal.error.vendor_status.unwrap_or_default();
    add_evidence(case, now, &format!("{name} answers {code}: submitted before, not by this case"), Strength::Strong);
    adopt(case)
}
