//! The requests of a case: the vendor's lists, filled from the order itself. A half-filled list is what the vendor
//! answers with a misleading 801.

use serde_json::{Value, json};

use super::event::Question;
use super::model::{Case, Kind, StepName, Trouble};
use super::wish::Wish;
use crate::outcome::Status;
use crate::wire::{PostBookingAncillarySearchReply, QueryOrderDetailsReply};

/// What this run has learnt and must not store: people, products, a card.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    pub wish: Wish,
    pub order: Option<QueryOrderDetailsReply>,
    pub search: Option<PostBookingAncillarySearchReply>,
}

fn wrong(path: &str, message: &str) -> Trouble {
    Trouble {
        code: "bad_request".to_owned(),
        status: Status::REQUEST.number(),
        message: format!("{path} {message}"),
        vendor_status: None,
        vendor_code: None,
    }
}

/// The operation and request of a question; None for what is not asked of the vendor.
pub(crate) fn question(case: &Case, memory: &Memory, question: Question) -> Result<(&'static str, Value), Trouble> {
    let order = case.order_no.as_deref();
    Ok(match question {
        Question::Order => ("queryOrderDetails", json!({ "orderNo": order })),
        Question::NewOrder => ("queryOrderDetails", json!({ "orderNo": followed_order(case) })),
        Question::Tree => ("queryOrderDetails", json!({ "orderNo": order, "isCompletedOrder": true })),
        Question::VoidQuote => ("voidQuotation", json!({ "orderNo": order })),
        Question::RefundQuote | Question::RefundProbe => {
            ("refundQuotation", json!({ "orderNo": order, "refundRequestList": refund_list(memory)? }))
        }
        Question::Search => {
            ("postBookingAncillarySearch", json!({ "ticketOrderNo": order, "ancillaryCategory": "BAGGAGE" }))
        }
        Question::VoidList => ("queryVoidOrders", with_code(json!({ "orderNo": order }), "voidCode", case)),
        Question::RefundList => ("queryRefundOrders", with_code(json!({ "orderNo": order }), "refundCode", case)),
        Question::ClaimList => {
            let Some(locator) = case.locator() else { return Err(wrong("/mmb/airlinePnr", "is not known")) };
            ("orderList", json!({ "airlinePNRs": [locator], "pageSize": 100 }))
        }
        Question::Rebuilt => {
            let passenger = memory.order.as_ref().and_then(|o| o.pax_ticket_infos.first()).and_then(|p| p.name.clone());
            // A minute before, for clocks that differ.
            let since = case.step().map_or(case.created, |s| s.at) / 1000 * 1000 - 60_000;
            let since = super::clock::text(since);
            ("orderList", json!({ "paxName": passenger, "createTimeRangeFrom": since, "pageSize": 100 }))
        }
        Question::KnownOffer => return Err(wrong("/offerId", "is not asked of the vendor")),
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

/// A code narrows the query. While it is only asked whether a submit landed, nothing may narrow it.
fn with_code(mut request: Value, name: &str, case: &Case) -> Value {
    if let (Some(code), Some(members)) = (&case.code, request.as_object_mut()) {
        members.insert(name.to_owned(), code.clone().into());
    }
    request
}

/// Everyone who is wished (or on the order), with every segment.
fn refund_list(memory: &Memory) -> Result<Value, Trouble> {
    let Some(order) = &memory.order else { return Err(wrong("/orderNo", "could not be read")) };
    let reason = memory.wish.asked.reason.as_ref().and_then(|r| r.number()).unwrap_or(1);
    let segments: Vec<Value> = order
        .routing
        .iter()
        .flat_map(|r| r.from_segments.iter().chain(&r.ret_segments))
        .map(|s| {
            let day = s.dep_time.as_ref().and_then(|t| t.as_str().get(..10).map(str::to_owned));
            json!({ "depDate": day, "flightNo": s.flight_number, "depAirport": s.dep_airport, "arrAirport": s.arr_airport })
        })
        .collect();
    let people = passengers(memory, order)?;
    Ok(people
        .into_iter()
        .map(|(name, _)| {
            let (last, first) = name.split_once('/').unwrap_or((name.as_str(), ""));
            json!({ "lastName": last, "firstName": first, "refundReason": reason, "segments": segments })
        })
        .collect())
}

/// Names and types of the wished passengers, as the order spells them; all of them if nobody is wished.
fn passengers(memory: &Memory, order: &QueryOrderDetailsReply) -> Result<Vec<(String, i64)>, Trouble> {
    let everyone: Vec<(String, i64)> = order
        .pax_ticket_infos
        .iter()
        .filter_map(|p| Some((p.name.clone()?, p.passenger_type.as_ref().and_then(|t| t.number()).unwrap_or(0))))
        .collect();
    if everyone.is_empty() {
        return Err(wrong("/orderNo", "has no passengers at the vendor"));
    }
    if memory.wish.names.is_empty() {
        return Ok(everyone);
    }
    let mut wished = Vec::new();
    for (i, name) in memory.wish.names.iter().enumerate() {
        match everyone.iter().find(|(known, _)| same_name(known, name)) {
            Some(found) => wished.push(found.clone()),
            None => return Err(wrong(&format!("/passengers/{i}"), "is not a passenger of this order")),
        }
    }
    Ok(wished)
}

/// Names of those whom the case is about, infants apart, as the order spells them.
pub(crate) fn people(memory: &Memory) -> Vec<String> {
    let wished = memory.order.as_ref().and_then(|order| passengers(memory, order).ok()).unwrap_or_default();
    wished.into_iter().filter(|(_, kind)| *kind != 2).map(|(name, _)| name).collect()
}

pub(crate) fn same_name(a: &str, b: &str) -> bool {
    let plain = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    plain(a) == plain(b)
}

/// What of the offer was wished: for each buyer the products with their segments, and the price of all.
pub(crate) fn basket(memory: &Memory) -> Result<(Vec<Value>, super::model::Money), Trouble> {
    let (Some(order), Some(search)) = (&memory.order, &memory.search) else {
        return Err(wrong("/products", "cannot be looked up"));
    };
    let mut buyers: Vec<(String, i64, Vec<Value>)> =
        passengers(memory, order)?.into_iter().map(|(name, kind)| (name, kind, Vec::new())).collect();
    let mut total = rust_decimal::Decimal::ZERO;
    let mut currency = search.currency.clone();
    for (i, product) in memory.wish.asked.products.iter().enumerate() {
        let at = |name: &str| format!("/products/{i}/{name}");
        let wanted = product.segment_index.as_ref().and_then(|s| s.to_i64());
        let on_sale: Vec<_> = search
            .ancillary_product_elements
            .iter()
            .filter(|p| p.product_code == product.product_code && p.can_purchase_post_ticket != Some(false))
            .filter(|p| wanted.is_none() || p.segment_index.as_ref().and_then(|s| s.to_i64()) == wanted)
            .collect();
        if on_sale.is_empty() {
            return Err(wrong(&at("productCode"), "is not on sale for this order"));
        }
        let mut bought = false;
        for (name, kind, chosen) in &mut buyers {
            let is_buyer = match &product.name {
                Some(wished) => same_name(name, wished),
                // Infants have no baggage of their own.
                None => *kind != 2,
            };
            for offer in on_sale.iter().filter(|_| is_buyer) {
                chosen.push(json!({ "productCode": offer.product_code, "segmentIndex": offer.segment_index }));
                let price = offer.price.as_ref().and_then(|p| p.to_decimal()).unwrap_or_default();
                total = total.checked_add(price).ok_or_else(|| wrong("/products", "cost more than can be counted"))?;
                currency = offer.currency.clone().or(currency.take());
                bought = true;
            }
        }
        if !bought {
            return Err(wrong(&at("name"), "is not a passenger of this order who can buy"));
        }
    }
    let passengers = buyers
        .into_iter()
        .filter(|(_, _, chosen)| !chosen.is_empty())
        .map(|(name, kind, chosen)| json!({ "name": name, "passengerType": kind, "ancillaries": chosen }))
        .collect();
    Ok((passengers, super::model::Money { currency, paid: Some(total.to_string()), ..Default::default() }))
}

/// The request of a submit.
pub(crate) fn submit(case: &Case, memory: &Memory, step: StepName) -> Result<Value, Trouble> {
    let order = case.order_no.as_deref();
    let asked = &memory.wish.asked;
    Ok(match step {
        StepName::Void => json!({ "orderNo": order, "voidOfferId": case.offer_id }),
        StepName::Refund => json!({ "orderNo": order, "refundOfferId": case.offer_id }),
        StepName::Regenerate => json!({ "originalOrderNo": order }),
        StepName::Stop => json!({ "orderNo": order }),
        StepName::Order => {
            let (passengers, _) = basket(memory)?;
            let mut request = json!({
                "sessionId": memory.search.as_ref().and_then(|s| s.session_id.clone()),
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
