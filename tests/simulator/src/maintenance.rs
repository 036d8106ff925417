//! Order maintenance: regenerating a lost order, stopping a ticket issue.

use crate::case::forced_code;
use crate::clock::{self, DAY, MINUTE};
use crate::json::{Object, cents, money, object};
use crate::order::{Kind, Order, TICKETED, TICKETING, UNPAID};
use crate::order_json;
use crate::router::{Answer, Refusal, refuse, refuse_shape, required};
use crate::schedule::Event;
use crate::world::World;
use serde_json::{Value, json};

/// `regenerateOrder.do`
pub fn regenerate(world: &mut World, body: &Value) -> Answer {
    let number = required(body, "originalOrderNo", 100)?;
    let Some(original_order) = world.order(number).cloned() else {
        return refuse(307, "illegal request param: there is no such original order");
    };
    if let Some(code) = forced_code(&original_order, "regenerateOrder") {
        return refuse(code, "Refused as the test asked");
    }
    if original_order.kind == Kind::Ancillary {
        return refuse(307, "illegal request param: an ancillary order cannot be rebuilt");
    }
    if [TICKETING, TICKETED].contains(&original_order.status) {
        return refuse(314, "The original order is being ticketed or is ticketed");
    }
    // The code is not documented; the one of an expired session is the nearest.
    if world.now - original_order.created > DAY {
        return refuse(301, "The original order is older than 24 hours");
    }
    if world.profile.is("regenerateDuplicate", "318") {
        let is_active = |o: &&Order| {
            o.original_order.as_deref() == Some(number) && [UNPAID, TICKETING, TICKETED].contains(&o.status)
        };
        let duplicates: Vec<Value> = world.orders.iter().filter(is_active).map(|o| o.order_no.clone().into()).collect();
        if !duplicates.is_empty() {
            let mut refusal = Refusal::new(318, "Duplicate booking");
            refusal.extra.insert("duplicateOrders".into(), duplicates.into());
            return Err(refusal);
        }
    }
    // The new fare: slightly higher, or by the option `fareChange`.
    let rise = original_order.options.get("fareChange").and_then(cents).unwrap_or_else(|| world.rng.i64(0..500));
    let mut order = Order {
        order_no: world.order_number(Kind::Main, world.now),
        pnr: world.letters(6),
        airline_pnr: world.locator(),
        kind: Kind::Main,
        status: UNPAID,
        created: world.now,
        limit: world.now + 30 * MINUTE,
        paid: None,
        issued: None,
        method: None,
        original_order: Some(number.to_owned()),
        error: None,
        expired: false,
        superseded: false,
        stopping: false,
        revision: 0,
        children: Vec::new(),
        cases: Vec::new(),
        ..original_order
    };
    order.passengers.iter_mut().for_each(|p| p.fare = (p.fare + rise).max(0));
    if world.profile.is("regenerateChanges", "passengers") && order.passengers.len() > 1 {
        order.passengers.pop();
    }
    order.total = order.passengers.iter().map(|p| p.fare).sum();
    let session = world.uuid();
    let way_back = world.profile.is("regenerateJoined", "true").then(|| split(world, &mut order));
    let number = world.add_order(order);
    let way_back = way_back.map(|order| world.add_order(order));
    let Some(order) = world.order(&number) else { return refuse_shape() };
    let mut fields = order_fields(order, &session);
    if let Some(back) = way_back.and_then(|number| world.order(&number)) {
        fields.insert("orderNo".into(), format!("{},{}", order.order_no, back.order_no).into());
        fields.insert("pnrCode".into(), format!("{},{}", order.pnr, back.pnr).into());
        fields.insert("totalPrice".into(), money(order.total + back.total));
    }
    Ok(fields)
}

/// Splits a rebuilt round trip: the given order keeps the way there, and half of the price.
fn split(world: &mut World, order: &mut Order) -> Order {
    let mut back = Order {
        order_no: world.order_number(Kind::Main, world.now),
        pnr: world.letters(6),
        airline_pnr: world.locator(),
        ..order.clone()
    };
    order.passengers.iter_mut().zip(&mut back.passengers).for_each(|(there, back)| {
        back.fare = there.fare / 2;
        there.fare -= back.fare;
    });
    order.segments.retain(|segment| !segment.inbound);
    back.segments.retain(|segment| segment.inbound);
    back.total = back.passengers.iter().map(|p| p.fare).sum();
    order.total -= back.total;
    back
}

fn order_fields(order: &Order, session: &str) -> Object {
    let passengers: Vec<Value> = order_json::passengers(order)
        .into_iter()
        .map(|mut person| {
            for key in ["ticketNos", "airlinePNRs", "contactEmails", "contactPhones"] {
                person.insert(key.into(), Value::Null);
            }
            // Larger than 2^53: a reader that converts it to a double loses digits.
            person.insert("serialVersionUID".into(), 6_612_098_155_231_774_001_i64.into());
            person.insert("ticketStatus".into(), Value::Null);
            person.into()
        })
        .collect();
    object(json!({
        "sessionId": session,
        "offerId": null,
        "orderNo": order.order_no,
        "originalOrderNo": order.original_order,
        "ticketOrderNo": null,
        "totalPrice": money(order.total),
        "totalTransactionFee": money(order.fee),
        "currency": order.currency,
        "vendorTotalPrice": null,
        "vendorCurrency": null,
        "tktLimitTime": clock::sgt(order.limit),
        "pnrCode": order.pnr,
        "includeExtraBaggage": 0,
        "paxTicketInfos": passengers,
        "routing": order_json::routing(order),
        "duplicateOrders": null,
        "paymentOptions": order_json::payment_options(order),
        "requestId": null,
        "clientRequestId": null,
    }))
}

/// `stopTicket.do`
pub fn stop(world: &mut World, body: &Value) -> Answer {
    let number = required(body, "orderNo", 100)?;
    let Some(order) = world.order(number).cloned() else {
        return refuse(2, "There is no such order");
    };
    if let Some(code) = forced_code(&order, "stopTicket") {
        return refuse(code, "Refused as the test asked");
    }
    if order.status != TICKETING {
        return refuse(2, "Only an order in ticketing can be stopped");
    }
    if order.stopping {
        world.repeated = true;
        return Ok(object(json!({})));
    }
    // The stop succeeds unless `stopOutcome` is `issued`; in both cases the
    // result shows after eight minutes, the vendor's documented time.
    let decided_at = world.now + 8 * MINUTE;
    if world.profile.is("stopStaysAt1", "true") {
        world.update_order(number, order.revision, |order| order.stopping = true);
    } else if order.option("stopOutcome") == Some("issued") {
        world.schedule_at(decided_at, Event::Issue(number.to_owned(), order.revision));
        if let Some(order) = world.order_mut(number) {
            order.stopping = true;
        }
    } else {
        world.update_order(number, order.revision, |order| order.stopping = true);
        world.schedule_at(decided_at, Event::StopDecided(number.to_owned(), order.revision + 1));
    }
    Ok(object(json!({})))
}
