//! Refunds: quotation, submission, query.

use crate::case::{self, Case};
use crate::clock::{self, DAY};
use crate::json::{Object, get, money, money_text, object};
use crate::offer::{Offer, OfferKind};
use crate::order::{Kind, Order};
use crate::refund_list::{UNKNOWN_ORDER, quote, refundable};
use crate::router::{Answer, Refusal, optional, refuse};
use crate::world::World;
use serde_json::{Value, json};

/// `refundQuotation.do`
pub fn quotation(world: &mut World, body: &Value) -> Answer {
    let order = find_order(world, body)?;
    let offer = quote(world, body, &order, "refundQuotation")?;
    if world.profile.is("quoteAfterRefund", "803")
        && world.blocking_case(&order, OfferKind::Refund, &offer.passengers).is_some()
    {
        return refuse(803, "A refund of these passengers is already on its way");
    }
    if world.profile.is("newQuoteKillsOld", "true") {
        world.offers.retain(|_, old| old.order != order.order_no);
    }
    world.offers.insert(offer.id.clone(), offer.clone());
    let (confirmed, refunded) = (clock::day_sgt(world.now + 10 * DAY), clock::day_sgt(world.now + 50 * DAY));
    let mut reply = offer_fields(&order, &offer, confirmed.into(), refunded.into());
    if world.profile.is("subsetQuote", "all") {
        let everybody = Offer { passengers: (0..order.passengers.len()).collect(), ..offer };
        let whole = offer_fields(&order, &everybody, Value::Null, Value::Null);
        reply.insert("refundTickets".into(), whole.get("refundTickets").cloned().unwrap_or_default());
    }
    Ok(reply)
}

/// `refund.do`
pub fn refund(world: &mut World, body: &Value) -> Answer {
    let order = find_order(world, body)?;
    let id = optional(body, "refundOfferId")?;
    let offer = match (id, get(body, "refundRequestList").is_null()) {
        (Some(_), false) => {
            return refuse(810, "illegal request param: refundOfferId and refundRequestList exclude each other");
        }
        (None, true) => return refuse(810, "illegal request param: refundOfferId is required"),
        (None, false) => quote(world, body, &order, "refund")?,
        (Some(id), true) => {
            if let Some(code) = case::forced_code(&order, "refund") {
                return refuse(code, "Refused as the test asked");
            }
            let expired = Refusal::new(805, "refundOfferId expired; ask for a new quotation");
            let offer = world
                .offers
                .get(id)
                .filter(|o| o.kind == OfferKind::Refund && o.order == order.order_no && !o.unusable);
            let offer = offer.cloned().ok_or(expired)?;
            check_not_submitted(world, &order, &offer)?;
            if offer.expires <= world.now {
                return refuse(805, "refundOfferId expired; ask for a new quotation");
            }
            offer
        }
    };
    check_not_submitted(world, &order, &offer)?;
    if order.departure() <= world.now {
        return refuse(820, "The ticket has been used");
    }
    let offer = Offer {
        display_currency: optional(body, "displayCurrency")?.map(str::to_owned).or(offer.display_currency.clone()),
        ..offer
    };
    let case = world.open_case(&order, &offer);
    let mut reply = offer_fields(&order, &offer, case.expected(10), case.expected(50));
    reply.insert("refundStatus".into(), 0.into());
    reply.insert("refundCode".into(), case.code.into());
    reply.insert("cancelReason".into(), "".into());
    reply.insert("refundReason".into(), offer.reason.to_string().into());
    reply.insert("fastConfirmation".into(), Value::Null);
    Ok(reply)
}

/// `queryRefundOrders.do`
pub fn query(world: &mut World, body: &Value) -> Answer {
    let order = find_order(world, body)?;
    let code = optional(body, "refundCode")?;
    if code.is_none() && world.profile.is("refundQueryWithoutCode", "810") {
        return refuse(810, "illegal request param: refundCode is required");
    }
    let wanted = |case: &&Case| case.offer.kind == OfferKind::Refund && code.is_none_or(|code| code == case.code);
    let cases: Vec<&Case> = order.cases.iter().filter_map(|at| world.cases.get(*at)).filter(wanted).collect();
    if cases.is_empty() && world.profile.is("refundQueryEmpty", "801") {
        return refuse(801, "There is no such refund");
    }
    let rows: Vec<Value> = cases.into_iter().map(|case| row(&order, case)).collect();
    Ok(object(json!({ "refundOrders": rows })))
}

fn row(order: &Order, case: &Case) -> Value {
    let mut row = offer_fields(order, &case.offer, case.expected(10), case.expected(50));
    for key in ["isRefundable", "fastConfirmation"] {
        row.remove(key);
    }
    row.insert("refundRules".into(), json!([]));
    row.insert("refundCode".into(), case.code.clone().into());
    row.insert("refundStatus".into(), case.status.into());
    row.insert("cancelReason".into(), case.cancel_reason.clone().into());
    row.into()
}

fn check_not_submitted(world: &World, order: &Order, offer: &Offer) -> Result<(), Refusal> {
    match world.blocking_case(order, OfferKind::Refund, &offer.passengers) {
        Some(case) if case.offer.kind == OfferKind::Void => {
            refuse(803, "A void of these passengers is already on its way")
        }
        None if !offer.submitted => Ok(()),
        _ => refuse(world.profile.number("secondSubmit"), "The refund has already been submitted"),
    }
}

/// The order that a request names, by its number or by the airline's locator.
fn find_order(world: &World, body: &Value) -> Result<Order, Refusal> {
    let number = optional(body, "orderNo")?;
    let found = match (number, optional(body, "airlinePNR")?, optional(body, "carrier")?) {
        (Some(number), _, _) => world.order(number),
        (None, Some(pnr), Some(carrier)) => {
            let mine = |order: &&Order| {
                order.kind != Kind::Ancillary && order.locator() == Some(pnr) && order.airline == carrier
            };
            world.orders.iter().find(mine)
        }
        _ => return refuse(810, "illegal request param: orderNo is required"),
    };
    match found {
        None => refuse(801, UNKNOWN_ORDER),
        Some(order) if order.kind == Kind::Ancillary => {
            refuse(824, "This is an ancillary order; give the main order number")
        }
        Some(order) => Ok(order.clone()),
    }
}

/// The fields common to quotation, submission and query.
fn offer_fields(order: &Order, offer: &Offer, confirmed: Value, refunded: Value) -> Object {
    let refundable = refundable(order, offer.reason);
    let accurate = refundable && order.option("refundQuote") != Some("CannotQuote");
    let voucher = case::refund_method(order) == "Voucher" && refundable;
    let people = || offer.passengers.iter().filter_map(|at| order.passengers.get(*at));
    let tickets: Vec<Value> = people()
        .map(|p| json!({"name": p.name(), "lastName": p.last, "firstName": p.first, "ticketNo": order.airline_pnr}))
        .collect();
    let vouchers: Vec<Value> = people()
        .filter(|_| voucher)
        .map(|p| {
            json!({
                "voucherId": null, "voucherCode": null, "eligiblePassengers": [{"name": p.name()}], "airline": order.airline,
                "estimatedRefundAmount": money(offer.refund_amount / offer.passengers.len().max(1) as i64), "currency": order.currency,
                "voucherStartDate": null, "voucherEndDate": null, "travelStartDate": null, "travelEndDate": null, "note": null,
            })
        })
        .collect();
    let display_currency = offer.display_currency.as_deref();
    object(json!({
        "orderNo": order.order_no,
        "displayCurrency": display_currency,
        "isRefundable": refundable,
        "refundQuoteType": if accurate { "AccurateQuote" } else { "CannotQuote" },
        "refundOfferId": offer.id,
        "refundMethod": case::refund_method(order),
        "fastConfirmation": 0,
        "expectedConfirmationDate": confirmed,
        "expectedRefundDate": refunded,
        "refundTickets": tickets,
        "refundFareAmount": if voucher { Value::Null } else { case::fare_amount(order, offer) },
        "refundPostTicketingServiceAmounts": case::ancillary_amounts(order, offer),
        "refundVouchers": if voucher { Value::from(vouchers) } else { Value::Null },
        "serviceFee": {
            "currency": order.currency,
            "transactionFee": money(offer.fee),
            "displayTransactionFee": display_currency.map_or(Value::Null, |to| money(case::convert(offer.fee, to))),
        },
        "refundRules": [{
            "airline": order.airline, "ruleType": offer.reason.to_string(), "passengerType": null,
            "penaltyAmount": format!("{} {}", money_text(offer.paid - offer.refund_amount), order.currency),
            "penaltyPercent": 0, "penaltyPercentBase": null, "airlineFee": format!("0.00 {}", order.currency),
            "taxRefundable": refundable, "fareRefundable": refundable, "refundableAncillaries": ["ALL"],
            "startMinute": 525_600, "endMinute": -525_600, "refundMethod": case::refund_method(order),
        }],
    }))
}
