//! Which bags for whom: the request's choice against the order and the search.

use crate::json::{as_int, flag, get, list, text};
use crate::order::{Bag, Order, Passenger, TICKETED, TICKETING};
use crate::router::{Refusal, no, optional, shape};
use crate::world::World;
use serde_json::{Value, json};

const WRONG_BAG: &str = "Wrong baggage selection; check the passenger name, the segments and the product";

/// The bags asked for, checked in the vendor's order of refusals.
pub fn chosen(world: &mut World, session: &str, main: &Order, body: &Value) -> Result<Vec<Bag>, Refusal> {
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
        for spec in list(person, "ancillaries") {
            let product = text(spec, "productCode").unwrap_or_default();
            let segment = as_int(get(spec, "segmentIndex")).unwrap_or_default();
            let on_sale = world.sessions.get(session).map(|known| known.products.as_slice()).unwrap_or_default();
            let Some(found) = on_sale.iter().find(|p| p.code == product && p.segment == segment) else {
                return no(503, WRONG_BAG);
            };
            if bags.iter().any(|bag| bag.passenger == passenger && bag.segment == segment) {
                return no(503, WRONG_BAG);
            }
            bags.push(Bag { passenger, segment, product: product.into(), weight: found.weight, price: found.price });
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

/// Who gets any, in the order of the passengers.
pub fn buyers(bags: &[Bag]) -> Vec<usize> {
    let mut buyers: Vec<usize> = bags.iter().map(|bag| bag.passenger).collect();
    buyers.sort_unstable();
    buyers.dedup();
    buyers
}

/// Within one direction a bag flies all segments, and the same bag on each.
fn connections(main: &Order, bags: &[Bag], passenger: usize) -> Result<(), Refusal> {
    for back in [false, true] {
        let direction: Vec<i64> = main.segments.iter().filter(|s| s.back == back).map(|s| s.index).collect();
        let here = || bags.iter().filter(|bag| bag.passenger == passenger && direction.contains(&bag.segment));
        let count = here().count();
        if count != 0 && count != direction.len() {
            let which = if back { "inbound" } else { "outbound" };
            return no(307, &format!("illegal booking request param: not one bag per segment ({which})"));
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
    for other in world.children(main).filter(|o| [TICKETING, TICKETED].contains(&o.status)) {
        let same = |mine: &Bag, theirs: &Bag| {
            let name = |order: &Order, at: usize| order.passengers.get(at).map(Passenger::name);
            mine.segment == theirs.segment && name(main, mine.passenger) == name(other, theirs.passenger)
        };
        if bags.iter().any(|mine| other.bags.iter().any(|theirs| same(mine, theirs))) {
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
    let options = world.order_mut(&main.no).and_then(|order| order.options.as_object_mut());
    if let Some(options) = options {
        options.insert("priceRise".into(), json!(false));
        options.insert("bagSurcharge".into(), json!(7.25));
    }
    no(502, "The price has risen; search again")
}
