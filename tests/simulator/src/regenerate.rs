//! regenerateOrder and stopTicket.

use crate::case::forced;
use crate::clock::{self, DAY, MINUTE};
use crate::json::{Object, cents, money, object};
use crate::order::{Kind, Order, TICKETED, TICKETING, UNPAID};
use crate::router::{Answer, Refusal, no, required, shape};
use crate::schedule::Event;
use crate::view;
use crate::world::World;
use serde_json::{Value, json};

/// `regenerateOrder.do`
pub fn regenerate(world: &mut World, body: &Value) -> Answer {
    let number = required(body, "originalOrderNo", 100)?;
    let Some(original) = world.order(number).cloned() else {
        return no(307, "illegal request param: there is no such original order");
    };
    if let Some(code) = forced(&original, "regenerateOrder") {
        return no(code, "Refused as the test asked");
    }
    if original.kind == Kind::Ancillary {
        return no(307, "illegal request param: an ancillary order cannot be rebuilt");
    }
    if [TICKETING, TICKETED].contains(&original.status) {
        return no(314, "The original order is being ticketed or is ticketed");
    }
    // No source says which code; an expired session is the nearest documented one.
    if world.now - original.created > DAY {
        return no(301, "The original order is older than 24 hours");
    }
    if world.profile.is("regenerateDuplicate", "318") {
        let alive =
            |o: &&Order| o.original.as_deref() == Some(number) && [UNPAID, TICKETING, TICKETED].contains(&o.status);
        let twins: Vec<Value> = world.orders.iter().filter(alive).map(|o| o.no.clone().into()).collect();
        if !twins.is_empty() {
            let mut refusal = Refusal::new(318, "Duplicate booking");
            refusal.extra.insert("duplicateOrders".into(), twins.into());
            return Err(refusal);
        }
    }
    // The latest fare: a little higher unless the test says how much.
    let rise = original.options.get("fareChange").and_then(cents).unwrap_or_else(|| world.rng.i64(0..500));
    let mut order = Order {
        no: world.order_number(Kind::Main, world.now),
        pnr: world.letters(6),
        airline_pnr: world.locator(),
        kind: Kind::Main,
        status: UNPAID,
        created: world.now,
        limit: world.now + 30 * MINUTE,
        paid: None,
        issued: None,
        method: None,
        original: Some(number.to_owned()),
        error: None,
        lapsed: false,
        outsold: false,
        stopping: false,
        turn: 0,
        children: Vec::new(),
        cases: Vec::new(),
        ..original
    };
    order.passengers.iter_mut().for_each(|p| p.fare = (p.fare + rise).max(0));
    order.total = order.passengers.iter().map(|p| p.fare).sum();
    let session = world.uuid();
    let number = world.add_order(order);
    match world.order(&number) {
        Some(order) => Ok(describe(order, &session)),
        None => shape(),
    }
}

fn describe(order: &Order, session: &str) -> Object {
    let people: Vec<Value> = view::passengers(order)
        .into_iter()
        .map(|mut person| {
            for key in ["ticketNos", "airlinePNRs", "contactEmails", "contactPhones"] {
                person.insert(key.into(), Value::Null);
            }
            // Larger than 2^53: a reader that goes through doubles changes it.
            person.insert("serialVersionUID".into(), 6_612_098_155_231_774_001_i64.into());
            person.insert("ticketStatus".into(), Value::Null);
            person.into()
        })
        .collect();
    object(json!({
        "sessionId": session,
        "offerId": null,
        "orderNo": order.no,
        "originalOrderNo": order.original,
        "ticketOrderNo": null,
        "totalPrice": money(order.total),
        "totalTransactionFee": money(order.fee),
        "currency": order.currency,
        "vendorTotalPrice": null,
        "vendorCurrency": null,
        "tktLimitTime": clock::sgt(order.limit),
        "pnrCode": order.pnr,
        "includeExtraBaggage": 0,
        "paxTicketInfos": people,
        "routing": view::routing(order),
        "duplicateOrders": null,
        "paymentOptions": view::payment_options(order),
        "requestId": null,
        "clientRequestId": null,
    }))
}

/// `stopTicket.do`
pub fn stop(world: &mut World, body: &Value) -> Answer {
    let number = required(body, "orderNo", 100)?;
    let Some(order) = world.order(number).cloned() else {
        return no(2, "There is no such order");
    };
    if let Some(code) = forced(&order, "stopTicket") {
        return no(code, "Refused as the test asked");
    }
    if order.status != TICKETING {
        return no(2, "Only an order in ticketing can be stopped");
    }
    if order.stopping {
        world.repeated = true;
        return Ok(object(json!({})));
    }
    // A stop wins unless the test says that the airline was faster; the answer
    // to it is known eight minutes later in both cases.
    let verdict = world.now + 8 * MINUTE;
    if order.option("stopOutcome") == Some("issued") {
        world.plan(verdict, Event::Issue(number.to_owned(), order.turn));
        if let Some(order) = world.order_mut(number) {
            order.stopping = true;
        }
    } else {
        world.change(number, order.turn, |order| order.stopping = true);
        world.plan(verdict, Event::Stopped(number.to_owned(), order.turn + 1));
    }
    Ok(object(json!({})))
}
