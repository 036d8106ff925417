//! Refunds: quotation, submission, query.

use crate::case::{self, Case};
use crate::clock::{self, DAY};
use crate::json::{Object, get, money, money_text, object};
use crate::offer::{Offer, Way};
use crate::order::{Kind, Order};
use crate::refund_list::{UNKNOWN, price, refundable};
use crate::router::{Answer, Refusal, no, optional};
use crate::world::World;
use serde_json::{Value, json};

/// `refundQuotation.do`
pub fn quotation(world: &mut World, body: &Value) -> Answer {
    let order = locate(world, body)?;
    let offer = price(world, body, &order, "refundQuotation")?;
    if world.profile.is("quoteAfterRefund", "803") && world.standing(&order, &offer.passengers).is_some() {
        return no(803, "A refund of these passengers is already on its way");
    }
    if world.profile.is("newQuoteKillsOld", "true") {
        world.offers.retain(|_, old| old.order != order.no);
    }
    world.offers.insert(offer.id.clone(), offer.clone());
    Ok(describe(
        &order,
        &offer,
        clock::day_sgt(world.now + 10 * DAY).into(),
        clock::day_sgt(world.now + 50 * DAY).into(),
    ))
}

/// `refund.do`
pub fn refund(world: &mut World, body: &Value) -> Answer {
    let order = locate(world, body)?;
    let id = optional(body, "refundOfferId")?;
    let offer = match (id, get(body, "refundRequestList").is_null()) {
        (Some(_), false) => {
            return no(810, "illegal request param: refundOfferId and refundRequestList exclude each other");
        }
        (None, true) => return no(810, "illegal request param: refundOfferId is required"),
        (None, false) => price(world, body, &order, "refund")?,
        (Some(id), true) => {
            if let Some(code) = case::forced(&order, "refund") {
                return no(code, "Refused as the test asked");
            }
            let expired = Refusal::new(805, "refundOfferId expired; ask for a new quotation");
            let offer = world.offers.get(id).filter(|o| o.way == Way::Refund && o.order == order.no && !o.hollow);
            let offer = offer.cloned().ok_or(expired)?;
            blocked(world, &order, &offer)?;
            if offer.expires <= world.now {
                return no(805, "refundOfferId expired; ask for a new quotation");
            }
            offer
        }
    };
    blocked(world, &order, &offer)?;
    if order.departure() <= world.now {
        return no(820, "The ticket has been used");
    }
    let offer =
        Offer { display: optional(body, "displayCurrency")?.map(str::to_owned).or(offer.display.clone()), ..offer };
    let case = world.open_case(&order, &offer);
    let mut reply = describe(&order, &offer, case.expected(10), case.expected(50));
    reply.insert("refundStatus".into(), 0.into());
    reply.insert("refundCode".into(), case.code.into());
    reply.insert("cancelReason".into(), "".into());
    reply.insert("refundReason".into(), offer.reason.to_string().into());
    reply.insert("fastConfirmation".into(), Value::Null);
    Ok(reply)
}

/// `queryRefundOrders.do`
pub fn query(world: &mut World, body: &Value) -> Answer {
    let order = locate(world, body)?;
    let code = optional(body, "refundCode")?;
    if code.is_none() && world.profile.is("refundQueryWithoutCode", "810") {
        return no(810, "illegal request param: refundCode is required");
    }
    let wanted = |case: &&Case| case.offer.way == Way::Refund && code.is_none_or(|code| code == case.code);
    let cases: Vec<&Case> = order.cases.iter().filter_map(|at| world.cases.get(*at)).filter(wanted).collect();
    if cases.is_empty() && world.profile.is("refundQueryEmpty", "801") {
        return no(801, "There is no such refund");
    }
    let rows: Vec<Value> = cases.into_iter().map(|case| row(&order, case)).collect();
    Ok(object(json!({ "refundOrders": rows })))
}

fn row(order: &Order, case: &Case) -> Value {
    let mut row = describe(order, &case.offer, case.expected(10), case.expected(50));
    for key in ["isRefundable", "fastConfirmation"] {
        row.remove(key);
    }
    row.insert("refundRules".into(), json!([]));
    row.insert("refundCode".into(), case.code.clone().into());
    row.insert("refundStatus".into(), case.status.into());
    row.insert("cancelReason".into(), case.cancel_reason.clone().into());
    row.into()
}

fn blocked(world: &World, order: &Order, offer: &Offer) -> Result<(), Refusal> {
    match world.standing(order, &offer.passengers) {
        Some(case) if case.offer.way == Way::Void => no(803, "A void of these passengers is already on its way"),
        None if !offer.spent => Ok(()),
        _ => no(world.profile.number("secondSubmit"), "The refund has already been submitted"),
    }
}

/// The order a call speaks of, by its number or by the airline's locator.
fn locate(world: &World, body: &Value) -> Result<Order, Refusal> {
    let number = optional(body, "orderNo")?;
    let found = match (number, optional(body, "airlinePNR")?, optional(body, "carrier")?) {
        (Some(number), _, _) => world.order(number),
        (None, Some(pnr), Some(carrier)) => {
            let mine = |order: &&Order| {
                order.kind != Kind::Ancillary && order.locator() == Some(pnr) && order.airline == carrier
            };
            world.orders.iter().find(mine)
        }
        _ => return no(810, "illegal request param: orderNo is required"),
    };
    match found {
        None => no(801, UNKNOWN),
        Some(order) if order.kind == Kind::Ancillary => {
            no(824, "This is an ancillary order; give the main order number")
        }
        Some(order) => Ok(order.clone()),
    }
}

/// The fields that quotation, submission and query share.
fn describe(order: &Order, offer: &Offer, confirmed: Value, refunded: Value) -> Object {
    let refundable = refundable(order, offer.reason);
    let accurate = refundable && order.option("refundQuote") != Some("CannotQuote");
    let voucher = case::method(order) == "Voucher" && refundable;
    let people = || offer.passengers.iter().filter_map(|at| order.passengers.get(*at));
    let tickets: Vec<Value> = people()
        .map(|p| json!({"name": p.name(), "lastName": p.last, "firstName": p.first, "ticketNo": order.airline_pnr}))
        .collect();
    let vouchers: Vec<Value> = people()
        .filter(|_| voucher)
        .map(|p| {
            json!({
                "voucherId": null, "voucherCode": null, "eligiblePassengers": [{"name": p.name()}], "airline": order.airline,
                "estimatedRefundAmount": money(offer.back / offer.passengers.len().max(1) as i64), "currency": order.currency,
                "voucherStartDate": null, "voucherEndDate": null, "travelStartDate": null, "travelEndDate": null, "note": null,
            })
        })
        .collect();
    let display = offer.display.as_deref();
    object(json!({
        "orderNo": order.no,
        "displayCurrency": display,
        "isRefundable": refundable,
        "refundQuoteType": if accurate { "AccurateQuote" } else { "CannotQuote" },
        "refundOfferId": offer.id,
        "refundMethod": case::method(order),
        "fastConfirmation": 0,
        "expectedConfirmationDate": confirmed,
        "expectedRefundDate": refunded,
        "refundTickets": tickets,
        "refundFareAmount": if voucher { Value::Null } else { case::fare_amount(order, offer) },
        "refundPostTicketingServiceAmounts": case::extra_amounts(order, offer),
        "refundVouchers": if voucher { Value::from(vouchers) } else { Value::Null },
        "serviceFee": {
            "currency": order.currency,
            "transactionFee": money(offer.fee),
            "displayTransactionFee": display.map_or(Value::Null, |to| money(case::shown(offer.fee, to))),
        },
        "refundRules": [{
            "airline": order.airline, "ruleType": offer.reason.to_string(), "passengerType": null,
            "penaltyAmount": format!("{} {}", money_text(offer.paid - offer.back), order.currency),
            "penaltyPercent": 0, "penaltyPercentBase": null, "airlineFee": format!("0.00 {}", order.currency),
            "taxRefundable": refundable, "fareRefundable": refundable, "refundableAncillaries": ["ALL"],
            "startMinute": 525_600, "endMinute": -525_600, "refundMethod": case::method(order),
        }],
    }))
}
