//! From the vendor's reply to what matters of it for a case. Tolerant where a value only informs, strict where it
//! proves.

use rust_decimal::Decimal;
use serde::de::DeserializeOwned;

use super::adoption::{self, ClaimRow, claim_row};
use super::price::price;
use super::requests::{CallData, basket, people, people_of};
use crate::case::error::StoredError;
use crate::case::machine::event::{Answer, Entry, OrderState, Quote, Refusal, SubmitResult};
use crate::case::model::{Case, Deadline, Money};
use crate::case::passengers::{OrderPassengers, same_name};
use crate::case::vocabulary::{CaseOutcome, Query, StepName, Way};
use crate::error::{Advice, Error, Outcome, Status};
use crate::json::Node;
use crate::reading::Texts;
use crate::reply::Reply;
use crate::reply::envelope::integer;
use crate::unix_time::parse_rfc3339;
use crate::wire::{
    Amount, Code, FareAmount, Instant, OrderListReply, PnrClaimReply, PostBookingAncillaryOrderReply,
    PostTicketingAmount, QueryOrderDetailsReply, QueryRefundOrdersReply, QueryVoidOrdersReply, RefundQuotationReply,
    RefundReply, RefundTicket, RegenerateOrderReply, RelatedOrder, ServiceFee, VoidQuotationReply, VoidReply,
};

fn data<T: DeserializeOwned + Default>(reply: &Reply) -> T {
    serde_json::from_str(reply.data()).unwrap_or_default()
}

/// The vendor writes absent values as null or as empty text.
fn said(text: Option<String>) -> Option<String> {
    text.filter(|t| !t.trim().is_empty())
}

/// Whether the transport failed, or had no memory or thread: the request perhaps never arrived.
fn is_transport(status: Status) -> bool {
    (-26..=-20).contains(&status.number()) || status == Status::MEMORY
}

/// The refusal of a query.
pub(crate) fn refusal(error: &Error, operation: &str) -> Refusal {
    let passing = is_transport(error.status)
        || matches!(error.status, Status::RATE_LIMITED | Status::AUTH | Status::HTTP | Status::RESPONSE)
        || matches!(error.status, Status::UNCERTAIN | Status::TOO_LARGE | Status::BUSY | Status::STORE)
        || (error.status == Status::REFUSED && error.advice == Advice::Retry)
        || error.vendor_status == Some(905);
    let exists = error.vendor_status.is_some_and(says_exists);
    Refusal { error: StoredError::of(error, operation), passing, exists }
}

/// Codes that say that a refund or void is there, not whose or for whom.
fn says_exists(code: i64) -> bool {
    matches!(code, 803 | 816 | 817 | 818)
}

/// Reads the answer to a query. What it tells about people stays in `call_data`.
pub(crate) fn answer(case: &Case, query: Query, operation: &str, reply: &Reply, call_data: &mut CallData) -> Answer {
    if let Some(error) = reply.error() {
        return Answer::Refused(refusal(error, operation));
    }
    match query {
        Query::Order | Query::NewOrder => {
            let order: QueryOrderDetailsReply = data(reply);
            let state = order_state(case, call_data, &order);
            if query == Query::Order {
                call_data.order = Some(order);
            }
            Answer::Order(state)
        }
        Query::VoidQuote => Answer::Quote(void_quote(&data(reply))),
        Query::RefundQuote | Query::RefundProbe => Answer::Quote(refund_quote(&data(reply))),
        Query::Search => {
            call_data.search = Some(data(reply));
            match basket(case, call_data) {
                Ok((_, money)) => Answer::Search(money),
                Err(error) => Answer::Refused(Refusal::lasting(error)),
            }
        }
        Query::VoidList => {
            let list: QueryVoidOrdersReply = data(reply);
            let orders: Vec<_> = list.void_orders.iter().map(|v| said(v.order_no.clone())).collect();
            let entries = list.void_orders.into_iter().map(|v| Entry {
                offer_id: said(v.void_offer_id),
                code: said(v.void_code),
                state: v.void_status.and_then(|s| s.number()),
                actual_refund: v.actual_refund_amount.map(|a| a.as_str().to_owned()),
                // A void is of all passengers (823).
                covers: Some(true),
            });
            whole(case, reply, "voidOrders", &orders, entries.collect())
        }
        Query::RefundList => {
            let list: QueryRefundOrdersReply = data(reply);
            let people = people(case, call_data);
            let orders: Vec<_> = list.refund_orders.iter().map(|r| said(r.order_no.clone())).collect();
            let entries = list.refund_orders.into_iter().map(|r| Entry {
                covers: covers(&people, &r.refund_tickets),
                offer_id: said(r.refund_offer_id),
                code: said(r.refund_code),
                state: r.refund_status.and_then(|s| s.number()),
                actual_refund: r.actual_refund_amount.map(|a| a.as_str().to_owned()),
            });
            whole(case, reply, "refundOrders", &orders, entries.collect())
        }
        Query::BookingOrders => {
            let order: QueryOrderDetailsReply = data(reply);
            let is_cancelled = |o: &&RelatedOrder| o.order_status.as_ref().and_then(|s| s.number()) == Some(-3);
            call_data.cancelled =
                order.order_list.iter().filter(is_cancelled).filter_map(|o| o.order_no.clone()).collect();
            booking_orders(case, &order)
        }
        Query::ClaimList => claims(case, data(reply)),
        Query::RegenerateCandidates => {
            let list: OrderListReply = data(reply);
            if case.is_before_submit() {
                return Answer::Orders(adoption::same_journey(case, &list.orders));
            }
            let numbers = list.orders.into_iter().filter_map(|o| o.order_no);
            Answer::Orders(numbers.filter(|n| Some(n) != case.order_no.as_ref()).collect())
        }
        Query::KnownOffer => Answer::Inconclusive("not a query to the vendor"),
    }
}

/// Whether this is an order that came with the list of its booking's orders.
pub(crate) fn lists_orders(operation: &str, reply: &Reply) -> bool {
    if operation != "queryOrderDetails" || reply.error().is_some() {
        return false;
    }
    let order: QueryOrderDetailsReply = data(reply);
    order.order_no.is_some() && order.order_list.iter().any(|o| o.order_no == order.order_no)
}

fn ticket_name(ticket: &RefundTicket) -> Option<String> {
    match (&ticket.name, &ticket.last_name, &ticket.first_name) {
        (Some(name), ..) if name.contains('/') => Some(name.clone()),
        (_, Some(last), Some(first)) => Some(format!("{last}/{first}")),
        _ => None,
    }
}

/// The names on the tickets of a refund quotation; empty for a ticket without one.
pub(crate) fn quoted_names(reply: &Reply) -> Vec<String> {
    let quote: RefundQuotationReply = data(reply);
    quote.refund_tickets.iter().map(|ticket| ticket_name(ticket).unwrap_or_default()).collect()
}

/// Whether the tickets are those of all these people.
fn covers(people: &[String], tickets: &[RefundTicket]) -> Option<bool> {
    let names = tickets.iter().map(ticket_name).collect::<Option<Vec<_>>>().filter(|names| !names.is_empty())?;
    let has = |person: &String| names.iter().any(|name| same_name(name, person));
    (!people.is_empty()).then(|| people.iter().all(has))
}

/// A list that is there, whole, and of this order alone: only such a one proves anything. `orders` are the numbers that
/// the entries name.
fn whole(case: &Case, reply: &Reply, key: &str, orders: &[Option<String>], entries: Vec<Entry>) -> Answer {
    if orders.iter().any(|order| *order != case.order_no) {
        return Answer::Inconclusive("the list has an entry of another order, or of none");
    }
    let texts = reply.raw().map(Texts::of);
    let body = texts.as_ref().and_then(Texts::parse).map(|(body, _)| body);
    let listed = body.as_ref().and_then(|body| body.get(key));
    match listed {
        Some(Node::Arr(items)) if items.len() == entries.len() => Answer::Entries(entries),
        Some(Node::Null) => Answer::Entries(entries),
        // The form of 2024: one refund at the root.
        None if !entries.is_empty() => Answer::Entries(entries),
        Some(Node::Arr(_)) => Answer::Inconclusive("the list has an entry that cannot be read"),
        _ => Answer::Inconclusive("the answer has no list"),
    }
}

fn instant(at: &Option<Instant>, source: &str) -> Option<Deadline> {
    let at = parse_rfc3339(at.as_ref()?.as_str())?;
    Some(Deadline { at, source: source.to_owned() })
}

fn order_state(case: &Case, call_data: &CallData, order: &QueryOrderDetailsReply) -> OrderState {
    let status = order.order_status.as_ref().and_then(|s| s.number());
    let issued = order.ticket_status.as_ref().and_then(|s| s.number());
    OrderState {
        status,
        ticketed: status == Some(2) && issued != Some(0),
        failed_ticketing: order.error_code.as_ref().is_some_and(is_ticketing_error),
        has_error: order.error_code.is_some(),
        no_payment: order.payment.is_none() && order.pay_time.is_none() && order.payment_attempted != Some(true),
        deadline: instant(&order.tkt_limit_time, "tktLimitTime"),
        money: price(
            order.currency.clone(),
            order.total_price.clone(),
            order.total_transaction_fee.clone(),
            &order.payment_options,
            case.run.payment_method,
        ),
        same_people: call_data.known.as_ref().map(|known| known.are_all(&people_of(&order.pax_ticket_infos))),
    }
}

/// Reasons that only paid orders have: 6xx and 6051, and 3011 of ancillaries (order errorCode table, 2026).
fn is_ticketing_error(code: &Code) -> bool {
    matches!(code.number(), Some(600..=699 | 6051 | 3011))
}

fn booking_orders(case: &Case, order: &QueryOrderDetailsReply) -> Answer {
    let is_main = |no: &Option<String>| no.is_some() && *no == case.order_no;
    if !order.order_list.iter().any(|o| is_main(&o.order_no)) {
        return Answer::Inconclusive("queryOrderDetails gives no list of the booking's orders");
    }
    let others = order.order_list.iter().filter(|o| !is_main(&o.order_no));
    Answer::Orders(others.filter_map(|o| o.order_no.clone()).collect())
}

fn claims(case: &Case, list: OrderListReply) -> Answer {
    let locator = case.locator().unwrap_or_default();
    // Another airline may use the same locator.
    let is_foreign = |airlines: &[String]| {
        let mine = |airline: &String| case.carriers.iter().any(|carrier| carrier.eq_ignore_ascii_case(airline));
        !airlines.is_empty() && !case.carriers.is_empty() && !airlines.iter().any(mine)
    };
    // Several locators of one order may stand in one text.
    let has = |texts: &[String]| {
        texts.iter().flat_map(|t| t.split(['|', ','])).any(|t| t.trim().eq_ignore_ascii_case(locator))
    };
    let length = list.orders.len() as i64;
    let total = list.total_records.as_ref().and_then(|t| t.to_i64());
    let alike = list.orders.iter().any(|o| has(&o.airline_pnrs) && is_foreign(&o.airlines));
    let nameless = list.orders.iter().any(|o| o.airline_pnrs.is_empty() && !is_foreign(&o.airlines));
    let ignored =
        !list.orders.is_empty() && !list.orders.iter().any(|o| o.airline_pnrs.is_empty() || has(&o.airline_pnrs));
    let mine = list.orders.into_iter().filter(|o| has(&o.airline_pnrs) && !is_foreign(&o.airlines));
    let (mut found, mut unfit) = (Vec::new(), None);
    for row in mine {
        match claim_row(case, &row) {
            ClaimRow::Ours => found.extend(row.order_no),
            ClaimRow::Unfit => unfit = row.order_no.or(unfit),
            ClaimRow::Another => {}
        }
    }
    match total {
        _ if !found.is_empty() => Answer::Orders(found),
        _ if ignored => Answer::Inconclusive("orderList did not keep to the locator that it was asked for"),
        _ if unfit.is_some() => Answer::Unfit(unfit.unwrap_or_default()),
        _ if alike && !case.is_before_submit() => {
            Answer::Inconclusive("orderList has the locator with another airline")
        }
        _ if nameless => Answer::Inconclusive("orderList has an order without a locator"),
        // Departures within a year only (order list page, 2026). Before the claim that is no obstacle: it asks only
        // whether it is claimed already.
        _ if case.unlisted && !case.is_before_submit() => {
            Answer::Inconclusive("orderList does not reach the day of departure")
        }
        Some(total) if total > length => Answer::Inconclusive("orderList has more pages than were read"),
        None if length >= 100 => Answer::Inconclusive("orderList may have more pages than were read"),
        _ => Answer::Orders(found),
    }
}

/// Money of a quotation: the fare with what was booked with it, and the baggage orders, if the currency is one.
fn money(
    fare: Option<&FareAmount>,
    extras: &[PostTicketingAmount],
    fee: Option<&ServiceFee>,
    legacy: (Option<&String>, Option<&Amount>, Option<&Amount>),
) -> Money {
    let currency = fare.and_then(|f| f.currency.clone()).or(legacy.0.cloned());
    let mixed = is_mixed(currency.as_ref(), extras, fee);
    let sum = |main: Option<&Amount>, parts: Vec<Option<&Amount>>| -> Option<String> {
        let main = main?;
        if parts.is_empty() {
            return Some(main.as_str().to_owned());
        }
        let mut total = main.to_decimal()?;
        for part in parts {
            total = total.checked_add(part?.to_decimal()?)?;
        }
        Some(total.to_string())
    };
    let one_currency = extras.iter().all(|e| e.currency.is_none() || e.currency == currency);
    let parts = |of: fn(&PostTicketingAmount) -> Option<&Amount>| extras.iter().map(of).collect::<Vec<_>>();
    let total = |main, of| if one_currency { sum(main, parts(of)) } else { None };
    // A fee of nothing has no currency; any other must be in the one of the rest.
    let fee_amount = fee.and_then(|f| f.transaction_fee.as_ref());
    let fee_fits = fee.and_then(|f| f.currency.clone()) == currency
        || fee_amount.is_some_and(|a| a.to_decimal() == Some(Decimal::ZERO));
    Money {
        // What comes back as a voucher has no fare amount: then the fee's currency is all there is.
        currency: currency.or(fee.filter(|_| fare.is_none()).and_then(|f| f.currency.clone())),
        paid: total(fare.and_then(|f| f.original_fare_amount.as_ref()).or(legacy.1), |e| {
            e.original_post_ticketing_service_amount.as_ref()
        }),
        estimated_refund: total(fare.and_then(|f| f.estimated_refund_amount.as_ref()).or(legacy.2), |e| {
            e.estimated_refund_amount.as_ref()
        }),
        fee: fee_amount.filter(|_| fee_fits).map(|a| a.as_str().to_owned()),
        actual_refund: None,
        mixed,
    }
}

/// Whether the amounts of a quotation are of more than one currency. A fee of nothing is of none.
fn is_mixed(fare: Option<&String>, extras: &[PostTicketingAmount], fee: Option<&ServiceFee>) -> bool {
    let costs = |fee: &&ServiceFee| fee.transaction_fee.as_ref().is_some_and(|a| a.to_decimal() != Some(Decimal::ZERO));
    let fee = fee.filter(costs).and_then(|fee| fee.currency.as_ref());
    let mut said = fare.into_iter().chain(extras.iter().filter_map(|e| e.currency.as_ref())).chain(fee);
    said.next().is_some_and(|first| said.any(|other| other != first))
}

/// What does not say that cash comes back is a voucher, however it is spelt (the pages have `Voucher`,
/// `CashBackToOriginalPayment` and `CASH_BACK_TO_ORIGINAL_PAYMENT`).
fn is_voucher(method: &str) -> bool {
    let letters: String = method.chars().filter(char::is_ascii_alphabetic).map(|c| c.to_ascii_lowercase()).collect();
    !letters.is_empty() && !letters.starts_with("cash")
}

pub(crate) fn void_quote(quote: &VoidQuotationReply) -> Quote {
    let window = quote.void_window.as_ref();
    Quote {
        offer_id: said(quote.void_offer_id.clone()),
        possible: quote.is_voidable,
        window_open: window.and_then(|w| w.allow_void),
        unquoted: false,
        voucher: quote.void_method.as_deref().is_some_and(is_voucher),
        money: money(
            quote.void_fare_amount.as_ref(),
            &quote.void_post_ticketing_service_amounts,
            quote.service_fee.as_ref(),
            (None, None, None),
        ),
        deadline: window.and_then(same_day),
        at: None,
    }
}

/// The airline's own end of day. Its format is undocumented; what is not understood is no deadline.
fn same_day(window: &crate::wire::VoidWindow) -> Option<Deadline> {
    let time = window.same_day_deadline_time.as_deref()?.trim().replace(' ', "T");
    let zone = window.same_day_timezone.as_deref()?;
    let offset = match zone {
        "Asia/Singapore" | "Asia/Shanghai" | "Asia/Hong_Kong" | "GMT+8" | "UTC+8" | "GMT+08:00" | "UTC+08:00"
        | "+08:00" => "+08:00",
        "UTC" | "GMT" | "Z" => "Z",
        _ => return None,
    };
    let at = parse_rfc3339(&format!("{time}{offset}"))?;
    Some(Deadline { at, source: "sameDayDeadlineTime".to_owned() })
}

pub(crate) fn refund_quote(quote: &RefundQuotationReply) -> Quote {
    let unquoted = quote.refund_quote_type.as_deref() == Some("CannotQuote");
    let mut money = money(
        quote.refund_fare_amount.as_ref(),
        &quote.refund_post_ticketing_service_amounts,
        quote.service_fee.as_ref(),
        (quote.currency.as_ref(), quote.original_total_amount.as_ref(), quote.estimated_refund_amount.as_ref()),
    );
    if unquoted {
        money.estimated_refund = None;
    }
    Quote {
        offer_id: said(quote.refund_offer_id.clone()),
        possible: quote.is_refundable.map(|yes| yes && quote.refund_quote_type.as_deref() != Some("NonRefundable")),
        window_open: None,
        unquoted,
        voucher: quote.refund_method.as_deref().is_some_and(is_voucher),
        money,
        deadline: None,
        at: None,
    }
}

/// The quotation in a reply, if it is one that gave an offer: with its operation's way and its order.
pub(crate) fn offer(operation: &str, reply: &Reply) -> Option<(Way, Option<String>, Quote)> {
    if reply.error().is_some() {
        return None;
    }
    match operation {
        "voidQuotation" => {
            let quote: VoidQuotationReply = data(reply);
            Some((Way::Void, quote.order_no.clone(), void_quote(&quote)))
        }
        "refundQuotation" => {
            let quote: RefundQuotationReply = data(reply);
            Some((Way::Refund, quote.order_no.clone(), refund_quote(&quote)))
        }
        _ => None,
    }
}

/// Reads the reply of a submit.
pub(crate) fn submit_result(case: &Case, step: StepName, reply: &Reply) -> SubmitResult {
    let error = reply.error();
    let outcome = match reply.outcome() {
        Outcome::Executed => CaseOutcome::Executed,
        Outcome::NotExecuted => CaseOutcome::NotExecuted,
        Outcome::Unknown | Outcome::Pending => CaseOutcome::Unknown,
    };
    let mut result = SubmitResult {
        unsent: reply.outcome() == Outcome::NotExecuted
            && reply.http_status().is_none()
            && error.is_some_and(|e| is_transport(e.status) || e.status == Status::STORE),
        already: error.is_some_and(|e| e.status == Status::ALREADY),
        retry_after: error.and_then(|e| e.retry_after_ms).and_then(|ms| i64::try_from(ms).ok()),
        gateway: error.is_some_and(|e| e.status == Status::RATE_LIMITED) && !is_vendors_429(reply),
        request_id: reply.meta("requestId"),
        ..SubmitResult::new(outcome, error.map(|e| StoredError::of(e, step.operation())))
    };
    if let (StepName::Regenerate, Some(318)) = (step, reply.vendor_status()) {
        let order: RegenerateOrderReply = data(reply);
        result.hint = Some(format!("the vendor names duplicates: {}", order.duplicate_orders.join(", ")));
    }
    if result.outcome != CaseOutcome::Executed || result.already {
        return result;
    }
    match step {
        StepName::Void => {
            let void: VoidReply = data(reply);
            let amounts = &void.void_post_ticketing_service_amounts;
            result.money =
                Some(money(void.void_fare_amount.as_ref(), amounts, void.service_fee.as_ref(), (None, None, None)));
            result.code = void.void_code;
            result.state = void.void_status.and_then(|s| s.number());
        }
        StepName::Refund => {
            let refund: RefundReply = data(reply);
            result.code = refund.refund_code;
            result.state = refund.refund_status.and_then(|s| s.number());
        }
        StepName::Order => {
            let order: PostBookingAncillaryOrderReply = data(reply);
            result.money = price(
                order.currency,
                order.total_price,
                order.total_transaction_fee,
                &order.payment_options,
                case.run.payment_method,
            );
            result.deadline = instant(&order.tkt_limit_time, "tktLimitTime");
            result.code = order.order_no;
        }
        StepName::Regenerate => {
            let order: RegenerateOrderReply = data(reply);
            result.money = price(
                order.currency,
                order.total_price,
                order.total_transaction_fee,
                &order.payment_options,
                case.run.payment_method,
            );
            result.deadline = instant(&order.tkt_limit_time, "tktLimitTime");
            result.code = order.order_no;
        }
        StepName::Claim => {
            let claim: PnrClaimReply = data(reply);
            result.code = claim.order_no;
        }
        StepName::Pay | StepName::Stop => {}
    }
    result.code = said(result.code);
    result
}

/// Whether the passengers of a rebuilt order, as the reply of the submit shows them, are those of the original.
pub(crate) fn has_same_people(known: &OrderPassengers, reply: &Reply) -> bool {
    let order: RegenerateOrderReply = data(reply);
    known.are_all(&people_of(&order.pax_ticket_infos))
}

/// Whether a 429 has the vendor's form: a body with `status` or `code` 429.
fn is_vendors_429(reply: &Reply) -> bool {
    let texts = reply.raw().map(Texts::of);
    let body = texts.as_ref().and_then(Texts::parse).map_or(Node::Null, |(body, _)| body);
    reply.vendor_status() == Some(429) || body.get("code").and_then(integer) == Some(429)
}
