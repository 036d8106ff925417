//! Checks the baggage selection of an ancillary order against the main order
//! and the products of the search.

use crate::json::{as_int, flag, get, list, text};
use crate::order::{Bag, Order, Passenger, TICKETED, TICKETING};
use crate::router::{Refusal, optional, refuse, refuse_shape};
use crate::world::World;
use serde_json::{Value, json};

const WRONG_BAG: &str = "Wrong baggage selection; check the passenger name, the segments and the product";

/// The requested bags. The checks run in the order in which the vendor refuses.
pub fn selected_bags(world: &mut World, session: &str, main_order: &Order, body: &Value) -> Result<Vec<Bag>, Refusal> {
    let people = match get(body, "passengers") {
        Value::Array(people) if !people.is_empty() => people,
        Value::Null | Value::Array(_) => {
            return refuse(509, "illegal request param: passengers is required");
        }
        _ => return refuse_shape(),
    };
    let mut bags: Vec<Bag> = Vec::new();
    for person in people {
        if !person.is_object() {
            return refuse_shape();
        }
        let name = optional(person, "name")?.unwrap_or_default();
        let Some(passenger) = main_order.passengers.iter().position(|p| p.name() == name) else {
            return refuse(503, WRONG_BAG);
        };
        if main_order.passengers.get(passenger).is_some_and(|p| p.kind == 2) {
            return refuse(506, "Infants get no baggage");
        }
        for choice in list(person, "ancillaries") {
            let product = text(choice, "productCode").unwrap_or_default();
            let segment = as_int(get(choice, "segmentIndex")).unwrap_or_default();
            let on_sale = world.sessions.get(session).map(|known| known.products.as_slice()).unwrap_or_default();
            let Some(found) = on_sale.iter().find(|p| p.code == product && p.segment == segment) else {
                return refuse(503, WRONG_BAG);
            };
            if bags.iter().any(|bag| bag.passenger == passenger && bag.segment == segment) {
                return refuse(503, WRONG_BAG);
            }
            bags.push(Bag { passenger, segment, product: product.into(), weight: found.weight, price: found.price });
        }
    }
    if bags.is_empty() {
        return refuse(509, "illegal request param: ancillaries is required");
    }
    for passenger in passengers_with_bags(&bags) {
        check_connections(main_order, &bags, passenger)?;
    }
    check_not_purchased(world, main_order, &bags)?;
    check_price_rise(world, main_order)?;
    Ok(bags)
}

/// The passengers with at least one bag, in ascending order.
pub fn passengers_with_bags(bags: &[Bag]) -> Vec<usize> {
    let mut passengers_with_bags: Vec<usize> = bags.iter().map(|bag| bag.passenger).collect();
    passengers_with_bags.sort_unstable();
    passengers_with_bags.dedup();
    passengers_with_bags
}

/// Within one direction a passenger has the same bag on every segment, or none.
fn check_connections(main_order: &Order, bags: &[Bag], passenger: usize) -> Result<(), Refusal> {
    for inbound in [false, true] {
        let direction: Vec<i64> =
            main_order.segments.iter().filter(|s| s.inbound == inbound).map(|s| s.index).collect();
        let here = || bags.iter().filter(|bag| bag.passenger == passenger && direction.contains(&bag.segment));
        let count = here().count();
        if count != 0 && count != direction.len() {
            let which = if inbound { "inbound" } else { "outbound" };
            return refuse(307, &format!("illegal booking request param: not one bag per segment ({which})"));
        }
        let first = here().next().map(|bag| &bag.product);
        if here().any(|bag| Some(&bag.product) != first) {
            return refuse(503, WRONG_BAG);
        }
    }
    Ok(())
}

fn check_not_purchased(world: &World, main_order: &Order, bags: &[Bag]) -> Result<(), Refusal> {
    if main_order.bool_option("bookedBaggage", false) {
        return refuse(504, "The original order already has this baggage");
    }
    for other in world.children(main_order).filter(|o| [TICKETING, TICKETED].contains(&o.status)) {
        let same = |mine: &Bag, theirs: &Bag| {
            let name = |order: &Order, at: usize| order.passengers.get(at).map(Passenger::name);
            mine.segment == theirs.segment && name(main_order, mine.passenger) == name(other, theirs.passenger)
        };
        if bags.iter().any(|mine| other.bags.iter().any(|theirs| same(mine, theirs))) {
            return refuse(505, "This baggage has already been bought after ticketing");
        }
    }
    Ok(())
}

/// With the option `priceRise` the next order is refused once (502) and later
/// searches show the higher price.
fn check_price_rise(world: &mut World, main_order: &Order) -> Result<(), Refusal> {
    if flag(&main_order.options, "priceRise") != Some(true) {
        return Ok(());
    }
    let options = world.order_mut(&main_order.order_no).and_then(|order| order.options.as_object_mut());
    if let Some(options) = options {
        options.insert("priceRise".into(), json!(false));
        options.insert("bagSurcharge".into(), json!(7.25));
    }
    refuse(502, "The price has risen; search again")
}
