//! The requests of a case: the vendor's lists, filled from the order itself. A half-filled list is what the vendor
//! answers with a misleading 801.

use std::collections::BTreeSet;

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::case::error::StoredError;
use crate::case::model::{Case, Money};
use crate::case::open_request::OpenRequest;
use crate::case::passengers::{self, Asked, OrderPassengers, Passenger, same_name};
use crate::case::vocabulary::{Kind, Query, StepName};
use crate::error::ErrorCode;
use crate::unix_time::format_rfc3339;
use crate::wire::{PassengerTicket, PostBookingAncillarySearchReply, QueryOrderDetailsReply};

/// What one call knows and must not store: people, products, a card.
#[derive(Debug, Default)]
pub(crate) struct CallData {
    pub request: OpenRequest,
    /// The order's passengers as the store first read them.
    pub known: Option<OrderPassengers>,
    /// Only this one of the order's passengers is asked about.
    pub only: Option<usize>,
    pub order: Option<QueryOrderDetailsReply>,
    /// Cancelled orders of the booking.
    pub cancelled: Vec<String>,
    pub search: Option<PostBookingAncillarySearchReply>,
}

fn bad_request(path: &str, message: &str) -> StoredError {
    StoredError::new(ErrorCode::BadRequest, format!("{path} {message}"))
}

/// The operation and request of a query.
pub(crate) fn query(case: &Case, call_data: &CallData, query: Query) -> Result<(&'static str, Value), StoredError> {
    let order = case.order_no.as_deref();
    Ok(match query {
        Query::Order => ("queryOrderDetails", json!({ "orderNo": order })),
        Query::NewOrder => ("queryOrderDetails", json!({ "orderNo": followed_order(case) })),
        Query::BookingOrders => ("queryOrderDetails", json!({ "orderNo": order, "isCompletedOrder": true })),
        Query::VoidQuote => ("voidQuotation", json!({ "orderNo": order })),
        Query::RefundQuote | Query::RefundProbe => {
            ("refundQuotation", json!({ "orderNo": order, "refundRequestList": refund_list(case, call_data)? }))
        }
        Query::Search => {
            ("postBookingAncillarySearch", json!({ "ticketOrderNo": order, "ancillaryCategory": "BAGGAGE" }))
        }
        Query::VoidList => ("queryVoidOrders", with_code(json!({ "orderNo": order }), "voidCode", case)),
        Query::RefundList => ("queryRefundOrders", with_code(json!({ "orderNo": order }), "refundCode", case)),
        Query::ClaimList => {
            let Some(locator) = case.locator() else { return Err(bad_request("/mmb/airlinePnr", "is not known")) };
            ("orderList", json!({ "airlinePNRs": [locator], "pageSize": 100 }))
        }
        Query::RegenerateCandidates => {
            let passenger =
                call_data.order.as_ref().and_then(|o| o.pax_ticket_infos.first()).and_then(|p| p.name.clone());
            // A minute before, for clocks that differ.
            let since = case.last_step().map_or(case.created, |s| s.at) / 1000 * 1000 - 60_000;
            // Before the submit, every order of this passenger may be the same journey.
            let since = (!case.is_before_submit()).then(|| format_rfc3339(since));
            ("orderList", json!({ "paxName": passenger, "createTimeRangeFrom": since, "pageSize": 100 }))
        }
        Query::KnownOffer => return Err(bad_request("/offerId", "is not asked of the vendor")),
    })
}

/// The order whose state tells how the case goes on.
fn followed_order(case: &Case) -> Option<&str> {
    if matches!(case.kind, Kind::Ancillary | Kind::Regenerate) {
        case.code.as_deref()
    } else {
        case.order_no.as_deref()
    }
}

/// A known code narrows the query. Without one, the query must not be narrowed: it finds out whether a submit arrived.
fn with_code(mut request: Value, name: &str, case: &Case) -> Value {
    if let (Some(code), Some(members)) = (&case.code, request.as_object_mut()) {
        members.insert(name.to_owned(), code.clone().into());
    }
    request
}

/// Everybody who is requested (or on the order), with every segment.
fn refund_list(case: &Case, call_data: &CallData) -> Result<Value, StoredError> {
    let Some(order) = &call_data.order else { return Err(bad_request("/orderNo", "could not be read")) };
    let reason = call_data.request.body.reason.as_ref().and_then(|r| r.number()).unwrap_or(1);
    let segments: Vec<Value> = order
        .routing
        .iter()
        .flat_map(|r| r.from_segments.iter().chain(&r.ret_segments))
        .map(|s| {
            let day = s.dep_time.as_ref().and_then(|t| t.as_str().get(..10).map(str::to_owned));
            json!({ "depDate": day, "flightNo": s.flight_number, "depAirport": s.dep_airport, "arrAirport": s.arr_airport })
        })
        .collect();
    let people = passengers(case, call_data)?;
    Ok(people
        .into_iter()
        .map(|person| {
            let (last, first) = person.name.split_once('/').unwrap_or((person.name.as_str(), ""));
            json!({ "lastName": last, "firstName": first, "refundReason": reason, "segments": segments })
        })
        .collect())
}

/// Those of the booking's orders that are not cancelled.
pub(crate) fn standing(call_data: &CallData, orders: &[String]) -> Vec<String> {
    orders.iter().filter(|order| !call_data.cancelled.contains(order)).cloned().collect()
}

/// The order's passengers as it shows them now.
pub(crate) fn today(call_data: &CallData) -> Vec<Passenger> {
    call_data.order.as_ref().map(|order| people_of(&order.pax_ticket_infos)).unwrap_or_default()
}

/// The passengers of an order.
pub(crate) fn people_of(infos: &[PassengerTicket]) -> Vec<Passenger> {
    infos
        .iter()
        .map(|p| Passenger {
            name: p.name.clone().unwrap_or_default(),
            kind: p.passenger_type.as_ref().and_then(|t| t.number()).unwrap_or(0),
            birthday: p.birthday.as_ref().map(|b| b.as_str().to_owned()).unwrap_or_default(),
        })
        .collect()
}

/// Indexes of the requested passengers in the order as it is now; of all if none is requested.
pub(crate) fn selected(case: &Case, call_data: &CallData) -> Result<Vec<usize>, StoredError> {
    let today = today(call_data);
    if today.is_empty() {
        return Err(bad_request("/orderNo", "has no passengers at the vendor"));
    }
    if let Some(only) = call_data.only {
        return Ok(vec![only]);
    }
    let by_position = || case.positions.iter().copied().map(Asked::Position).collect::<Vec<_>>();
    let asked = if call_data.request.asked.is_empty() { by_position() } else { call_data.request.asked.clone() };
    if asked.is_empty() {
        return Ok((0..today.len()).collect());
    }
    let known = call_data.known.as_ref();
    let known = known.ok_or_else(|| passengers::guard("the order's passengers could not be stored"))?;
    let lists_tickets = case.kind != Kind::Ancillary;
    let selection = known.select(&asked, &today, lists_tickets)?;
    // What the case holds is what may be asked for.
    if !case.positions.is_empty() && selection.positions != case.positions {
        return Err(passengers::guard("these are not the passengers whom the case holds"));
    }
    Ok(selection.today)
}

/// The requested passengers, as the order spells them; all if none is requested.
pub(crate) fn passengers(case: &Case, call_data: &CallData) -> Result<Vec<Passenger>, StoredError> {
    let today = today(call_data);
    let people: Vec<Passenger> =
        selected(case, call_data)?.into_iter().filter_map(|index| today.get(index).cloned()).collect();
    match people.iter().any(|p| p.name.is_empty()) {
        true => Err(passengers::guard("the order has a passenger without a name")),
        false => Ok(people),
    }
}

/// Names of the case's passengers without infants, as the order spells them.
pub(crate) fn people(case: &Case, call_data: &CallData) -> Vec<String> {
    let requested = passengers(case, call_data).unwrap_or_default();
    requested.into_iter().filter(|p| p.kind != 2).map(|p| p.name).collect()
}

/// The requested products: for each buyer with their segments, and the price of all.
pub(crate) fn basket(case: &Case, call_data: &CallData) -> Result<(Vec<Value>, Money), StoredError> {
    let Some(search) = call_data.search.as_ref().filter(|_| call_data.order.is_some()) else {
        return Err(bad_request("/products", "cannot be looked up"));
    };
    let mut buyers: Vec<(String, i64, Vec<Value>)> =
        passengers(case, call_data)?.into_iter().map(|p| (p.name, p.kind, Vec::new())).collect();
    let mut total = Decimal::ZERO;
    let mut currencies = BTreeSet::new();
    for (i, product) in call_data.request.body.products.iter().enumerate() {
        let at = |name: &str| format!("/products/{i}/{name}");
        let wanted = product.segment_index.as_ref().and_then(|s| s.to_i64());
        let on_sale: Vec<_> = search
            .ancillary_product_elements
            .iter()
            .filter(|p| p.product_code == product.product_code && p.can_purchase_post_ticket != Some(false))
            .filter(|p| wanted.is_none() || p.segment_index.as_ref().and_then(|s| s.to_i64()) == wanted)
            .collect();
        if on_sale.is_empty() {
            return Err(bad_request(&at("productCode"), "is not on sale for this order"));
        }
        if let Some(requested) = &product.name
            && buyers.iter().filter(|(name, ..)| same_name(name, requested)).count() > 1
        {
            return Err(passengers::guard(&format!("{} is the name of two passengers", at("name"))));
        }
        let mut bought = false;
        for (name, kind, chosen) in &mut buyers {
            let is_buyer = match &product.name {
                Some(requested) => same_name(name, requested),
                // Infants have no baggage of their own.
                None => *kind != 2,
            };
            for offer in on_sale.iter().filter(|_| is_buyer) {
                chosen.push(json!({ "productCode": offer.product_code, "segmentIndex": offer.segment_index }));
                let price = offer.price.as_ref().and_then(|p| p.to_decimal()).unwrap_or_default();
                total = total
                    .checked_add(price)
                    .ok_or_else(|| bad_request("/products", "cost more than can be counted"))?;
                currencies.extend(offer.currency.clone().or(search.currency.clone()));
                bought = true;
            }
        }
        if !bought {
            return Err(bad_request(&at("name"), "is not a passenger of this order who can buy"));
        }
    }
    let passengers = buyers
        .into_iter()
        .filter(|(_, _, chosen)| !chosen.is_empty())
        .map(|(name, kind, chosen)| json!({ "name": name, "passengerType": kind, "ancillaries": chosen }))
        .collect();
    // Amounts of two currencies have no sum.
    let mixed = currencies.len() > 1;
    let currency = currencies.pop_first().filter(|_| !mixed);
    let paid = Some(total.to_string()).filter(|_| !mixed);
    Ok((passengers, Money { currency, paid, mixed, ..Money::default() }))
}

/// The request of a submit.
pub(crate) fn submit(case: &Case, call_data: &CallData, step: StepName) -> Result<Value, StoredError> {
    let order = case.order_no.as_deref();
    let asked = &call_data.request.body;
    Ok(match step {
        StepName::Void => json!({ "orderNo": order, "voidOfferId": case.offer_id }),
        StepName::Refund => json!({ "orderNo": order, "refundOfferId": case.offer_id }),
        StepName::Regenerate => json!({ "originalOrderNo": order }),
        StepName::Stop => json!({ "orderNo": order }),
        StepName::Order => {
            let (passengers, _) = basket(case, call_data)?;
            let mut request = json!({
                "sessionId": call_data.search.as_ref().and_then(|s| s.session_id.clone()),
                "ancillaryCategory": "BAGGAGE", "ticketOrderNo": order, "passengers": passengers,
            });
            let card_type = asked.payment.as_ref().and_then(|p| p.card_type.clone());
            if let (Some(card_type), Some(members)) = (card_type, request.as_object_mut()) {
                members.insert("payment".to_owned(), json!({ "cardType": card_type }));
            }
            request
        }
        StepName::Pay => {
            let payment = asked.payment.clone().unwrap_or_default();
            let mut request = json!({ "orderNo": case.code, "paymentMethod": payment.payment_method });
            if let (Some(card), Some(members)) = (payment.credit_card, request.as_object_mut()) {
                members.insert("creditCard".to_owned(), serde_json::to_value(card).unwrap_or_default());
            }
            request
        }
        StepName::Claim => {
            let mut request = serde_json::Map::new();
            let mut put = |name: &str, value: Option<Value>| {
                if let Some(value) = value.filter(|v| !v.is_null() && v.as_array().is_none_or(|a| !a.is_empty())) {
                    request.insert(name.to_owned(), value);
                }
            };
            put("mmb", serde_json::to_value(&asked.mmb).ok());
            put("passengers", Some(asked.passengers.clone().into()));
            put("fromSegments", serde_json::to_value(&asked.from_segments).ok());
            put("retSegments", serde_json::to_value(&asked.ret_segments).ok());
            put("connectInfo", serde_json::to_value(&asked.connect_info).ok());
            request.into()
        }
    })
}
