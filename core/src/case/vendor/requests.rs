//! The requests of a case: the vendor's lists, filled from the order itself. A half-filled list is what the vendor
//! answers with a misleading 801.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::case::error::StoredError;
use crate::case::model::{Case, Money};
use crate::case::open_request::OpenRequest;
use crate::case::vocabulary::{Kind, Query, StepName};
use crate::error::ErrorCode;
use crate::unix_time::format_rfc3339;
use crate::wire::{PostBookingAncillarySearchReply, QueryOrderDetailsReply};

/// What one call knows and must not store: people, products, a card.
#[derive(Debug, Default)]
pub(crate) struct CallData {
    pub request: OpenRequest,
    pub order: Option<QueryOrderDetailsReply>,
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
            ("refundQuotation", json!({ "orderNo": order, "refundRequestList": refund_list(call_data)? }))
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
            let since = format_rfc3339(since);
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
fn refund_list(call_data: &CallData) -> Result<Value, StoredError> {
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
    let people = passengers(call_data, order)?;
    Ok(people
        .into_iter()
        .map(|(name, _)| {
            let (last, first) = name.split_once('/').unwrap_or((name.as_str(), ""));
            json!({ "lastName": last, "firstName": first, "refundReason": reason, "segments": segments })
        })
        .collect())
}

/// Names and types of the requested passengers, as the order spells them; of all if none is requested.
fn passengers(call_data: &CallData, order: &QueryOrderDetailsReply) -> Result<Vec<(String, i64)>, StoredError> {
    let everyone: Vec<(String, i64)> = order
        .pax_ticket_infos
        .iter()
        .filter_map(|p| Some((p.name.clone()?, p.passenger_type.as_ref().and_then(|t| t.number()).unwrap_or(0))))
        .collect();
    if everyone.is_empty() {
        return Err(bad_request("/orderNo", "has no passengers at the vendor"));
    }
    if call_data.request.names.is_empty() {
        return Ok(everyone);
    }
    let mut requested = Vec::new();
    for (i, name) in call_data.request.names.iter().enumerate() {
        match everyone.iter().find(|(known, _)| same_name(known, name)) {
            Some(found) => requested.push(found.clone()),
            None => return Err(bad_request(&format!("/passengers/{i}"), "is not a passenger of this order")),
        }
    }
    Ok(requested)
}

/// Names of the case's passengers without infants, as the order spells them.
pub(crate) fn people(call_data: &CallData) -> Vec<String> {
    let requested = call_data.order.as_ref().and_then(|order| passengers(call_data, order).ok()).unwrap_or_default();
    requested.into_iter().filter(|(_, kind)| *kind != 2).map(|(name, _)| name).collect()
}

pub(crate) fn same_name(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(a) == plain(b)
}

/// The requested products: for each buyer with their segments, and the price of all.
pub(crate) fn basket(call_data: &CallData) -> Result<(Vec<Value>, Money), StoredError> {
    let (Some(order), Some(search)) = (&call_data.order, &call_data.search) else {
        return Err(bad_request("/products", "cannot be looked up"));
    };
    let mut buyers: Vec<(String, i64, Vec<Value>)> =
        passengers(call_data, order)?.into_iter().map(|(name, kind)| (name, kind, Vec::new())).collect();
    let mut total = Decimal::ZERO;
    let mut currency = search.currency.clone();
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
                currency = offer.currency.clone().or(currency.take());
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
    Ok((passengers, Money { currency, paid: Some(total.to_string()), ..Default::default() }))
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
            let (passengers, _) = basket(call_data)?;
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
