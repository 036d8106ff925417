//! Baggage after ticketing: product search and ancillary order.

use crate::baggage_selection::{passengers_with_bags, selected_bags};
use crate::case::forced_code;
use crate::clock::{self, DAY};
use crate::json::{cents, money, object};
use crate::offer::{Product, Session};
use crate::order::{Bag, Kind, Order, Passenger, TICKETED, UNPAID};
use crate::order_json;
use crate::router::{Answer, Refusal, refuse, refuse_shape, required};
use crate::world::World;
use serde_json::{Value, json};

const WEIGHTS: [i64; 3] = [15, 20, 30];

/// `postBookingAncillarySearch.do`
pub fn search(world: &mut World, body: &Value) -> Answer {
    category(body, 100)?;
    let number = required(body, "ticketOrderNo", 100)?;
    let Some(order) = world.order(number).cloned() else {
        return refuse(800, "The order does not exist");
    };
    if let Some(code) = forced_code(&order, "postBookingAncillarySearch") {
        return refuse(code, "Refused as the test asked");
    }
    if order.kind == Kind::Ancillary || order.status != TICKETED {
        return refuse(117, "The order is not ticketed");
    }
    if !order.bool_option("ancillaries", true) {
        return refuse(118, "The airline sells no baggage after ticketing");
    }
    if order.passengers.iter().any(|p| p.kind == 2) {
        return refuse(119, "The order contains an infant");
    }
    if order.departure() < world.now + DAY {
        return refuse(121, "Less than 24 hours to departure");
    }
    let mut products = Vec::new();
    for segment in &order.segments {
        for weight in WEIGHTS {
            products.push(Product {
                segment: segment.index,
                code: format!("SIM_BAG_1PC_{weight}KG"),
                weight,
                price: price(&order, segment.index, weight),
            });
        }
    }
    let on_sale: Vec<Value> = products
        .iter()
        .map(|product| {
            json!({
                "segmentIndex": product.segment, "endSegmentIndex": null, "productCode": product.code,
                "ancillaryCode": product.code, "categoryCode": "StandardCheckInBaggage", "canPurchaseWithTicket": 0,
                "canPurchasePostTicket": 1, "price": money(product.price), "currency": order.currency,
                "vendorPrice": null, "vendorCurrency": null, "clientTechnicalServiceFee": 0,
                "clientTechnicalServiceFeeMode": "PER_PAX", "minQty": 1, "maxQty": 1, "offerId": null,
                "auxBaggageElement": {"piece": 1, "weight": product.weight, "isAllWeight": true, "size": ""},
                "auxSeatElement": null,
            })
        })
        .collect();
    let id = world.uuid();
    let expires = world.now + world.profile.seconds("sessionSeconds");
    world.sessions.insert(id.clone(), Session { order: order.order_no.clone(), expires, products });
    Ok(object(json!({
        "sessionId": id,
        "ticketOrderNo": order.order_no,
        "supportCreditTransPayment": "0",
        "supportPaymentMethods": [1, 3],
        "currency": order.currency,
        "cardChargeList": null,
        "fromSegments": order_json::segments(&order, false),
        "retSegments": order_json::segments(&order, true),
        "ancillaryProductElements": on_sale,
    })))
}

/// `postBookingAncillaryOrder.do`
pub fn order(world: &mut World, body: &Value) -> Answer {
    let session = required(body, "sessionId", 509)?;
    category(body, 509)?;
    let number = required(body, "ticketOrderNo", 509)?;
    let main_order = match world.sessions.get(session) {
        Some(known) if known.expires > world.now => known.order.clone(),
        _ => return refuse(301, "The session is unknown or has expired"),
    };
    if main_order != number {
        return refuse(509, "illegal request param: the session belongs to another order");
    }
    let Some(main_order) = world.order(number).cloned() else {
        return refuse(509, "illegal request param: ticketOrderNo");
    };
    if let Some(code) = forced_code(&main_order, "postBookingAncillaryOrder") {
        return refuse(code, "Refused as the test asked");
    }
    if !main_order.children.is_empty() && world.profile.is("ancillarySecond", "505") {
        return refuse(505, "Baggage has been bought after ticketing already");
    }
    if main_order.status != TICKETED {
        return refuse(501, "Nothing can be added to this order");
    }
    if main_order.departure() < world.now + DAY {
        return refuse(507, "Less than 24 hours to departure");
    }
    let bags = selected_bags(world, session, &main_order, body)?;
    let passengers_with_bags: Vec<usize> = passengers_with_bags(&bags);
    let passengers: Vec<Passenger> =
        passengers_with_bags.iter().filter_map(|at| main_order.passengers.get(*at)).cloned().collect();
    let order = Order {
        order_no: world.order_number(Kind::Ancillary, world.now),
        kind: Kind::Ancillary,
        status: UNPAID,
        total: bags.iter().map(|bag| bag.price).sum(),
        fee: 0,
        passengers,
        bags: bags
            .into_iter()
            .map(|bag| Bag {
                passenger: passengers_with_bags.iter().position(|at| *at == bag.passenger).unwrap_or(0),
                ..bag
            })
            .collect(),
        created: world.now,
        limit: world.now + World::ANCILLARY_HOLD,
        paid: None,
        issued: None,
        method: None,
        main_order: Some(main_order.order_no.clone()),
        revision: 0,
        children: Vec::new(),
        cases: Vec::new(),
        ..main_order
    };
    let number = world.add_order(order);
    let Some(order) = world.order(&number) else {
        return refuse_shape();
    };
    Ok(object(json!({
        "sessionId": session,
        "orderNo": order.order_no,
        "ticketOrderNo": order.main_order,
        "totalPrice": money(order.total),
        "totalTransactionFee": money(order.fee),
        "currency": order.currency,
        "vendorTotalPrice": null,
        "vendorCurrency": null,
        "tktLimitTime": clock::sgt(order.limit),
        "paxTicketInfos": order_json::passengers(order),
        "paymentOptions": order_json::payment_options(order),
    })))
}

fn category(body: &Value, code: i64) -> Result<(), Refusal> {
    match required(body, "ancillaryCategory", code)? {
        "BAGGAGE" => Ok(()),
        _ => refuse(code, "illegal request param: ancillaryCategory"),
    }
}

/// The price of a bag in cents: equal for every search of an order, different
/// for each segment.
fn price(order: &Order, segment: i64, weight: i64) -> i64 {
    let noise: i64 = order.order_no.bytes().rev().take(4).map(i64::from).sum();
    let surcharge = order.options.get("bagSurcharge").and_then(cents).unwrap_or(0);
    1_240 + weight * 93 + segment * 135 + noise % 90 + surcharge
}
