//! Baggage after ticketing: what is on sale, and an order of it.

use crate::case::forced;
use crate::clock::{self, DAY};
use crate::json::{as_int, cents, flag, get, list, money, object, text};
use crate::offer::{Product, Session};
use crate::order::{Bag, Kind, Order, Passenger, TICKETED, TICKETING, UNPAID};
use crate::router::{Answer, Refusal, no, optional, required, shape};
use crate::view;
use crate::world::World;
use serde_json::{Value, json};

const WEIGHTS: [i64; 3] = [15, 20, 30];
const WRONG_BAG: &str =
    "Wrong baggage selection; check the passenger name, the segments and the product";

/// `postBookingAncillarySearch.do`
pub fn search(world: &mut World, body: &Value) -> Answer {
    category(body, 100)?;
    let number = required(body, "ticketOrderNo", 100)?;
    let Some(order) = world.order(number).cloned() else {
        return no(800, "The order does not exist");
    };
    if let Some(code) = forced(&order, "postBookingAncillarySearch") {
        return no(code, "Refused as the test asked");
    }
    if order.kind == Kind::Ancillary || order.status != TICKETED {
        return no(117, "The order is not ticketed");
    }
    if !order.wants("ancillaries", true) {
        return no(118, "The airline sells no baggage after ticketing");
    }
    if order.passengers.iter().any(|p| p.kind == 2) {
        return no(119, "The order contains an infant");
    }
    if order.departure() < world.now + DAY {
        return no(121, "Less than 24 hours to departure");
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
    world.sessions.insert(
        id.clone(),
        Session {
            order: order.no.clone(),
            expires,
            products,
        },
    );
    Ok(object(json!({
        "sessionId": id,
        "ticketOrderNo": order.no,
        "supportCreditTransPayment": "0",
        "supportPaymentMethods": [1, 3],
        "currency": order.currency,
        "cardChargeList": null,
        "fromSegments": view::segments(&order, false),
        "retSegments": view::segments(&order, true),
        "ancillaryProductElements": on_sale,
    })))
}

/// `postBookingAncillaryOrder.do`
pub fn order(world: &mut World, body: &Value) -> Answer {
    let session = required(body, "sessionId", 509)?;
    category(body, 509)?;
    let number = required(body, "ticketOrderNo", 509)?;
    let main = match world.sessions.get(session) {
        Some(known) if known.expires > world.now => known.order.clone(),
        _ => return no(301, "The session is unknown or has expired"),
    };
    if main != number {
        return no(
            509,
            "illegal request param: the session belongs to another order",
        );
    }
    let Some(main) = world.order(number).cloned() else {
        return no(509, "illegal request param: ticketOrderNo");
    };
    if let Some(code) = forced(&main, "postBookingAncillaryOrder") {
        return no(code, "Refused as the test asked");
    }
    if main.status != TICKETED {
        return no(501, "Nothing can be added to this order");
    }
    if main.departure() < world.now + DAY {
        return no(507, "Less than 24 hours to departure");
    }
    let bags = chosen(world, session, &main, body)?;
    let buyers: Vec<usize> = buyers(&bags);
    let passengers: Vec<Passenger> = buyers
        .iter()
        .filter_map(|at| main.passengers.get(*at))
        .cloned()
        .collect();
    let order = Order {
        no: world.order_number(Kind::Ancillary, world.now),
        kind: Kind::Ancillary,
        status: UNPAID,
        total: bags.iter().map(|bag| bag.price).sum(),
        fee: 0,
        passengers,
        bags: bags
            .into_iter()
            .map(|bag| Bag {
                passenger: buyers
                    .iter()
                    .position(|at| *at == bag.passenger)
                    .unwrap_or(0),
                ..bag
            })
            .collect(),
        created: world.now,
        limit: world.now + World::ANCILLARY_HOLD,
        paid: None,
        issued: None,
        method: None,
        main: Some(main.no.clone()),
        turn: 0,
        children: Vec::new(),
        cases: Vec::new(),
        ..main
    };
    let number = world.add_order(order);
    let Some(order) = world.order(&number) else {
        return shape();
    };
    Ok(object(json!({
        "sessionId": session,
        "orderNo": order.no,
        "ticketOrderNo": order.main,
        "totalPrice": money(order.total),
        "totalTransactionFee": money(order.fee),
        "currency": order.currency,
        "vendorTotalPrice": null,
        "vendorCurrency": null,
        "tktLimitTime": clock::sgt(order.limit),
        "paxTicketInfos": view::passengers(order),
        "paymentOptions": view::payment_options(order),
    })))
}

fn category(body: &Value, code: i64) -> Result<(), Refusal> {
    match required(body, "ancillaryCategory", code)? {
        "BAGGAGE" => Ok(()),
        _ => no(code, "illegal request param: ancillaryCategory"),
    }
}

/// The price of a bag: the same at every search, another on every segment.
fn price(order: &Order, segment: i64, weight: i64) -> i64 {
    let noise: i64 = order.no.bytes().rev().take(4).map(i64::from).sum();
    let surcharge = order
        .options
        .get("bagSurcharge")
        .and_then(cents)
        .unwrap_or(0);
    1_240 + weight * 93 + segment * 135 + noise % 90 + surcharge
}

/// The bags asked for, checked in the vendor's order of refusals.
fn chosen(
    world: &mut World,
    session: &str,
    main: &Order,
    body: &Value,
) -> Result<Vec<Bag>, Refusal> {
    let people = match get(body, "passengers") {
        Value::Array(people) if !people.is_empty() => people,
        Value::Null | Value::Array(_) => {
            return no(509, "illegal request param: passengers is required");
        }
        _ => return shape(),
    };
    let mut bags: Vec<Bag> = Vec::new();
    for person in people {
        if !person.is_object() {
            return shape();
        }
        let name = optional(person, "name")?.unwrap_or_default();
        let Some(passenger) = main.passengers.iter().position(|p| p.name() == name) else {
            return no(503, WRONG_BAG);
        };
        if main.passengers.get(passenger).is_some_and(|p| p.kind == 2) {
            return no(506, "Infants get no baggage");
        }
        for wish in list(person, "ancillaries") {
            let product = text(wish, "productCode").unwrap_or_default();
            let segment = as_int(get(wish, "segmentIndex")).unwrap_or_default();
            let on_sale = world
                .sessions
                .get(session)
                .map(|known| known.products.as_slice())
                .unwrap_or_default();
            let Some(found) = on_sale
                .iter()
                .find(|p| p.code == product && p.segment == segment)
            else {
                return no(503, WRONG_BAG);
            };
            if bags
                .iter()
                .any(|bag| bag.passenger == passenger && bag.segment == segment)
            {
                return no(503, WRONG_BAG);
            }
            bags.push(Bag {
                passenger,
                segment,
                product: product.into(),
                weight: found.weight,
                price: found.price,
            });
        }
    }
    if bags.is_empty() {
        return no(509, "illegal request param: ancillaries is required");
    }
    for passenger in buyers(&bags) {
        connections(main, &bags, passenger)?;
    }
    already_bought(world, main, &bags)?;
    price_rise(world, main)?;
    Ok(bags)
}

fn buyers(bags: &[Bag]) -> Vec<usize> {
    let mut buyers: Vec<usize> = bags.iter().map(|bag| bag.passenger).collect();
    buyers.sort_unstable();
    buyers.dedup();
    buyers
}

/// Within one direction a bag flies all segments, and the same bag on each.
fn connections(main: &Order, bags: &[Bag], passenger: usize) -> Result<(), Refusal> {
    for back in [false, true] {
        let direction: Vec<i64> = main
            .segments
            .iter()
            .filter(|s| s.back == back)
            .map(|s| s.index)
            .collect();
        let here = || {
            bags.iter()
                .filter(|bag| bag.passenger == passenger && direction.contains(&bag.segment))
        };
        let count = here().count();
        if count != 0 && count != direction.len() {
            let which = if back { "inbound" } else { "outbound" };
            return no(
                307,
                &format!("illegal booking request param: not one bag per segment ({which})"),
            );
        }
        let first = here().next().map(|bag| &bag.product);
        if here().any(|bag| Some(&bag.product) != first) {
            return no(503, WRONG_BAG);
        }
    }
    Ok(())
}

fn already_bought(world: &World, main: &Order, bags: &[Bag]) -> Result<(), Refusal> {
    if main.wants("bookedBaggage", false) {
        return no(504, "The original order already has this baggage");
    }
    for other in world
        .children(main)
        .filter(|o| [TICKETING, TICKETED].contains(&o.status))
    {
        let same = |mine: &Bag, theirs: &Bag| {
            let name = |order: &Order, at: usize| order.passengers.get(at).map(Passenger::name);
            mine.segment == theirs.segment
                && name(main, mine.passenger) == name(other, theirs.passenger)
        };
        if bags
            .iter()
            .any(|mine| other.bags.iter().any(|theirs| same(mine, theirs)))
        {
            return no(505, "This baggage has already been bought after ticketing");
        }
    }
    Ok(())
}

/// The option `priceRise` lets the next order fail once; then the higher price
/// is the price.
fn price_rise(world: &mut World, main: &Order) -> Result<(), Refusal> {
    if flag(&main.options, "priceRise") != Some(true) {
        return Ok(());
    }
    let options = world
        .order_mut(&main.no)
        .and_then(|order| order.options.as_object_mut());
    if let Some(options) = options {
        options.insert("priceRise".into(), json!(false));
        options.insert("bagSurcharge".into(), json!(7.25));
    }
    no(502, "The price has risen; search again")
}
