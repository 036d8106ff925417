//! Voids: quotation, submission, query.

use crate::case::{self, Case};
use crate::clock::{self, DAY, HOUR, MINUTE, Millis};
use crate::json::{Object, get, int, money, object};
use crate::offer::{Offer, Way};
use crate::order::{Kind, Order, TICKETED};
use crate::router::{Answer, Refusal, no, optional, required};
use crate::world::World;
use serde_json::{Value, json};

const BEFORE_DEPARTURE: i64 = 180;

/// `voidQuotation.do`
pub fn quotation(world: &mut World, body: &Value) -> Answer {
    let order = locate(world, body)?;
    if let Some(code) = case::forced(&order, "voidQuotation") {
        return no(code, "Refused as the test asked");
    }
    if order.status != TICKETED {
        return no(809, "The order is not ticketed yet");
    }
    let everyone: Vec<usize> = (0..order.passengers.len()).collect();
    if world.profile.is("quoteAfterRefund", "803") && world.standing(&order, &everyone).is_some() {
        return no(803, "A refund or void of this order is already on its way");
    }
    let covered = order.voidable();
    let in_time = world.now < deadline(&order);
    if world.profile.is("notVoidableQuote", "843") {
        if !covered {
            return no(843, "Voids are not offered for the airline or route of this order");
        }
        if !in_time {
            return no(822, "Void deadline exceeded");
        }
    }
    let possible = covered && in_time;
    let offer = offer(world, &order, everyone, possible);
    if world.profile.is("newQuoteKillsOld", "true") {
        world.offers.retain(|_, old| old.order != order.no);
    }
    world.offers.insert(offer.id.clone(), offer.clone());
    let mut reply = describe(&order, &offer, clock::day_sgt(world.now + DAY).into());
    reply.insert("isVoidable".into(), possible.into());
    reply.insert(
        "voidWindow".into(),
        json!({
            "supportVoid": covered,
            "allowVoid": possible,
            "voidTimeAfterIssure": hours(&order).to_string(),
            "voidTimeBeforeDepature": BEFORE_DEPARTURE.to_string(),
            "sameDayDeadlineTime": order.option("sameDayDeadline"),
            "sameDayTimezone": order.option("sameDayDeadline").map(|_| "Asia/Singapore"),
        }),
    );
    Ok(reply)
}

/// `void.do`
pub fn void(world: &mut World, body: &Value) -> Answer {
    let order = locate(world, body)?;
    let id = required(body, "voidOfferId", 810)?;
    if let Some(code) = case::forced(&order, "void") {
        return no(code, "Refused as the test asked");
    }
    let expired = Refusal::new(805, "voidOfferId expired; ask for a new quotation");
    let offer = world.offers.get(id).filter(|o| o.way == Way::Void && o.order == order.no && !o.hollow).cloned();
    // A spent offer is delivered from an expired one only while it is remembered.
    let offer = offer.ok_or(expired)?;
    match world.standing(&order, &offer.passengers) {
        Some(case) if case.offer.way == Way::Refund => {
            return no(803, "A refund of this order is already on its way");
        }
        None if !offer.spent => {}
        _ => {
            return no(world.profile.number("secondSubmit"), "The void has already been submitted");
        }
    }
    if offer.expires <= world.now {
        return no(805, "voidOfferId expired; ask for a new quotation");
    }
    if world.now >= deadline(&order) {
        return no(822, "Void deadline exceeded");
    }
    let case = world.open_case(&order, &offer);
    let mut reply = describe(&order, &offer, case.expected(1));
    if world.profile.is("voidReply", "minimal") {
        reply.retain(|key, _| key == "orderNo");
    }
    reply.insert("voidCode".into(), case.code.into());
    reply.insert("voidStatus".into(), 0.into());
    reply.insert("cancelReason".into(), "".into());
    Ok(reply)
}

/// `queryVoidOrders.do`
pub fn query(world: &mut World, body: &Value) -> Answer {
    let order = locate(world, body)?;
    let code = optional(body, "voidCode")?;
    let wanted = |case: &&Case| case.offer.way == Way::Void && code.is_none_or(|code| code == case.code);
    let row = |case: &Case| {
        let mut row = describe(&order, &case.offer, case.expected(1));
        for key in ["isVoidable", "fastConfirmation"] {
            row.remove(key);
        }
        row.insert("voidCode".into(), case.code.clone().into());
        row.insert("voidStatus".into(), case.status.into());
        row.insert("cancelReason".into(), case.cancel_reason.clone().into());
        Value::from(row)
    };
    let rows: Vec<Value> = order.cases.iter().filter_map(|at| world.cases.get(*at)).filter(wanted).map(row).collect();
    Ok(object(json!({ "voidOrders": rows })))
}

fn locate(world: &World, body: &Value) -> Result<Order, Refusal> {
    match world.order(required(body, "orderNo", 810)?) {
        None => no(801, "There is no such order to void"),
        Some(order) if order.kind == Kind::Ancillary => {
            no(824, "This is an ancillary order; give the main order number")
        }
        Some(order) => Ok(order.clone()),
    }
}

fn hours(order: &Order) -> i64 {
    int(&order.options, "voidHours").unwrap_or(23)
}

/// The last moment of a void: hours after issue, minutes before departure, and
/// the airline's own end of day when it has one.
fn deadline(order: &Order) -> Millis {
    let after_issue = order.issued.unwrap_or(order.created) + hours(order) * HOUR;
    let before_departure = order.departure().saturating_sub(BEFORE_DEPARTURE * MINUTE);
    let same_day = get(&order.options, "sameDayDeadline").as_str().and_then(clock::parse_sgt).unwrap_or(Millis::MAX);
    after_issue.min(before_departure).min(same_day)
}

fn offer(world: &mut World, order: &Order, passengers: Vec<usize>, possible: bool) -> Offer {
    let paid = order.passengers.iter().map(|p| p.fare).sum();
    let bags = world.children(order).filter(|o| o.status == TICKETED);
    let back = |cents| if possible { cents } else { 0 };
    let extras = bags.map(|bag| (bag.no.clone(), bag.total, back(bag.total))).collect();
    Offer {
        id: format!("q_{}", world.hex(32)),
        way: Way::Void,
        order: order.no.clone(),
        passengers,
        reason: 4,
        expires: world.now + world.profile.seconds("voidOfferSeconds"),
        hollow: !possible,
        spent: false,
        paid,
        back: back(paid),
        fee: 0,
        extras,
        display: None,
    }
}

fn describe(order: &Order, offer: &Offer, confirmed: Value) -> Object {
    let people = offer.passengers.iter().filter_map(|at| order.passengers.get(*at));
    let tickets: Vec<Value> = people
        .map(|p| {
            let back = if offer.hollow { 0 } else { p.fare };
            json!({
                "name": p.name(), "lastName": p.last, "firstName": p.first, "ticketNo": order.airline_pnr,
                "currency": order.currency, "originalFareAmount": money(p.fare), "originalAncillaryAmount": 0,
                "originalTotalAmount": money(p.fare), "refundableAmountForFare": money(back),
                "refundableAmountForAncillaries": 0, "refundReason": "4", "airlinePenaltyAmountForFare": 0,
                "airlinePenaltyAmountForAncillaries": 0, "airlinePenaltyAmount": 0, "estimatedRefundAmount": money(back),
                "originalTotalAmountWithTicket": money(p.fare), "refundableAmountForAncillariesWithTicket": 0,
            })
        })
        .collect();
    object(json!({
        "orderNo": order.no,
        "isVoidable": true,
        "voidOfferId": offer.id,
        "voidMethod": case::method(order),
        "fastConfirmation": 1,
        "expectedConfirmationDate": confirmed,
        "expectedRefundDate": null,
        "voidTickets": tickets,
        "voidFareAmount": case::fare_amount(order, offer),
        "voidPostTicketingServiceAmounts": case::extra_amounts(order, offer),
        "serviceFee": {"currency": order.currency, "transactionFee": money(offer.fee)},
    }))
}
