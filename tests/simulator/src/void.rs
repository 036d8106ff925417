//! Voids: quotation, submission, query.

use crate::case::{self, Case};
use crate::clock::{self, DAY, HOUR, MINUTE, Millis};
use crate::json::{Object, get, int, money, object};
use crate::offer::{Offer, OfferKind};
use crate::order::{Kind, Order, TICKETED};
use crate::router::{Answer, Refusal, optional, refuse, required};
use crate::world::World;
use serde_json::{Value, json};

/// Minutes before departure at which the void window closes.
const BEFORE_DEPARTURE: i64 = 180;

/// `voidQuotation.do`
pub fn quotation(world: &mut World, body: &Value) -> Answer {
    let order = find_order(world, body)?;
    if let Some(code) = case::forced_code(&order, "voidQuotation") {
        return refuse(code, "Refused as the test asked");
    }
    if order.status != TICKETED {
        return refuse(809, "The order is not ticketed yet");
    }
    let everyone: Vec<usize> = (0..order.passengers.len()).collect();
    if world.profile.is("quoteAfterRefund", "803") && world.blocking_case(&order, OfferKind::Void, &everyone).is_some()
    {
        return refuse(803, "A refund or void of this order is already on its way");
    }
    let covered = order.voidable();
    let in_time = world.now < deadline(&order);
    if world.profile.is("notVoidableQuote", "843") {
        if !covered {
            return refuse(843, "Voids are not offered for the airline or route of this order");
        }
        if !in_time {
            return refuse(822, "Void deadline exceeded");
        }
    }
    let possible = covered && in_time;
    let offer = build_offer(world, &order, everyone, possible);
    if world.profile.is("newQuoteKillsOld", "true") {
        world.offers.retain(|_, old| old.order != order.order_no);
    }
    world.offers.insert(offer.id.clone(), offer.clone());
    let mut reply = offer_fields(&order, &offer, clock::day_sgt(world.now + DAY).into());
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
    let order = find_order(world, body)?;
    let id = required(body, "voidOfferId", 810)?;
    if let Some(code) = case::forced_code(&order, "void") {
        return refuse(code, "Refused as the test asked");
    }
    let expired = Refusal::new(805, "voidOfferId expired; ask for a new quotation");
    let offer =
        world.offers.get(id).filter(|o| o.kind == OfferKind::Void && o.order == order.order_no && !o.unusable).cloned();
    // With offerSingleUse=true a submitted offer has been removed, so it is refused like an expired one.
    let offer = offer.ok_or(expired)?;
    match world.blocking_case(&order, OfferKind::Void, &offer.passengers) {
        Some(case) if case.offer.kind == OfferKind::Refund => {
            return refuse(803, "A refund of this order is already on its way");
        }
        None if !offer.submitted => {}
        _ => {
            return refuse(world.profile.number("secondSubmit"), "The void has already been submitted");
        }
    }
    if offer.expires <= world.now {
        return refuse(805, "voidOfferId expired; ask for a new quotation");
    }
    if world.now >= deadline(&order) {
        return refuse(822, "Void deadline exceeded");
    }
    let case = world.open_case(&order, &offer);
    let mut reply = offer_fields(&order, &offer, case.expected(1));
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
    let order = find_order(world, body)?;
    let code = optional(body, "voidCode")?;
    let wanted = |case: &&Case| case.offer.kind == OfferKind::Void && code.is_none_or(|code| code == case.code);
    let row = |case: &Case| {
        let mut row = offer_fields(&order, &case.offer, case.expected(1));
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

fn find_order(world: &World, body: &Value) -> Result<Order, Refusal> {
    match world.order(required(body, "orderNo", 810)?) {
        None => refuse(801, "There is no such order to void"),
        Some(order) if order.kind == Kind::Ancillary => {
            refuse(824, "This is an ancillary order; give the main order number")
        }
        Some(order) => Ok(order.clone()),
    }
}

fn hours(order: &Order) -> i64 {
    int(&order.options, "voidHours").unwrap_or(23)
}

/// The end of the void window: the earliest of the hours after issue, the
/// minutes before departure, and the same-day deadline if the order has one.
fn deadline(order: &Order) -> Millis {
    let after_issue = order.issued.unwrap_or(order.created) + hours(order) * HOUR;
    let before_departure = order.departure().saturating_sub(BEFORE_DEPARTURE * MINUTE);
    let same_day = get(&order.options, "sameDayDeadline").as_str().and_then(clock::parse_sgt).unwrap_or(Millis::MAX);
    after_issue.min(before_departure).min(same_day)
}

fn build_offer(world: &mut World, order: &Order, passengers: Vec<usize>, possible: bool) -> Offer {
    let paid = order.passengers.iter().map(|p| p.fare).sum();
    let bags = world.children(order).filter(|o| o.status == TICKETED);
    let refund_amount = |cents| if possible { cents } else { 0 };
    let ancillaries = bags.map(|bag| (bag.order_no.clone(), bag.total, refund_amount(bag.total))).collect();
    Offer {
        id: format!("q_{}", world.hex(32)),
        kind: OfferKind::Void,
        order: order.order_no.clone(),
        passengers,
        reason: 4,
        expires: world.now + world.profile.seconds("voidOfferSeconds"),
        unusable: !possible,
        submitted: false,
        paid,
        refund_amount: refund_amount(paid),
        fee: 0,
        ancillaries,
        display_currency: None,
    }
}

fn offer_fields(order: &Order, offer: &Offer, confirmed: Value) -> Object {
    let people = offer.passengers.iter().filter_map(|at| order.passengers.get(*at));
    let tickets: Vec<Value> = people
        .map(|p| {
            let refund_amount = if offer.unusable { 0 } else { p.fare };
            json!({
                "name": p.name(), "lastName": p.last, "firstName": p.first, "ticketNo": order.airline_pnr,
                "currency": order.currency, "originalFareAmount": money(p.fare), "originalAncillaryAmount": 0,
                "originalTotalAmount": money(p.fare), "refundableAmountForFare": money(refund_amount),
                "refundableAmountForAncillaries": 0, "refundReason": "4", "airlinePenaltyAmountForFare": 0,
                "airlinePenaltyAmountForAncillaries": 0, "airlinePenaltyAmount": 0, "estimatedRefundAmount": money(refund_amount),
                "originalTotalAmountWithTicket": money(p.fare), "refundableAmountForAncillariesWithTicket": 0,
            })
        })
        .collect();
    object(json!({
        "orderNo": order.order_no,
        "isVoidable": true,
        "voidOfferId": offer.id,
        "voidMethod": case::refund_method(order),
        "fastConfirmation": 1,
        "expectedConfirmationDate": confirmed,
        "expectedRefundDate": null,
        "voidTickets": tickets,
        "voidFareAmount": case::fare_amount(order, offer),
        "voidPostTicketingServiceAmounts": case::ancillary_amounts(order, offer),
        "serviceFee": {"currency": order.currency, "transactionFee": money(offer.fee)},
    }))
}
