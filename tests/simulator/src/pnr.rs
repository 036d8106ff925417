//! PNRs made outside Atlas: claiming one as an order, reading one at the airline.

use crate::json::{get, list, money, object, text};
use crate::offer::Way;
use crate::order::{Kind, Order};
use crate::router::{Answer, no, required};
use crate::view;
use crate::world::World;
use serde_json::{Value, json};

/// A booking the airline knows and Atlas does not.
#[derive(Clone, Debug)]
pub struct Outside {
    /// The order it would be.
    pub order: Order,
    /// The orders it has become.
    pub claimed: Vec<String>,
}

impl World {
    /// Books something outside Atlas; answers its locator.
    pub fn create_outside(&mut self, spec: &Value) -> Result<Value, String> {
        let order = self.make_order(spec, Kind::Claimed)?;
        let locator = text(spec, "airlinePnr").unwrap_or(&order.airline_pnr).to_owned();
        let order = Order { airline_pnr: locator.clone(), ..order };
        let mut seen = view::for_tests(&order);
        if let Some(map) = seen.as_object_mut() {
            map.insert("orderNo".into(), Value::Null);
            map.insert("airlinePnr".into(), locator.clone().into());
            map.insert("carrier".into(), order.airline.clone().into());
            map.insert("email".into(), order.email.clone().into());
        }
        self.outside.insert(locator, Outside { order, claimed: Vec::new() });
        Ok(seen)
    }
}

/// `pnr/claim.do`
pub fn claim(world: &mut World, body: &Value) -> Answer {
    let locator = required(get(body, "mmb"), "airlinePnr", 100)?;
    let people = list(body, "passengers");
    let flights = list(body, "fromSegments");
    if people.is_empty() || flights.is_empty() {
        return no(100, "passengers and fromSegments are required");
    }
    let Some(outside) = world.outside.get(locator).cloned() else {
        return no(2, "The airline knows no such PNR");
    };
    let named = |person: &Value| {
        let name = text(person, "name").unwrap_or_default();
        outside.order.passengers.iter().any(|p| p.name().eq_ignore_ascii_case(name))
    };
    if !people.iter().all(named) || !flights.iter().all(|f| text(f, "carrier") == Some(&outside.order.airline)) {
        return no(2, "The passengers or flights do not match the PNR");
    }
    let before = outside.claimed.first().filter(|_| world.profile.is("secondClaim", "same"));
    let number = match before {
        Some(number) => {
            world.repeated = true;
            number.clone()
        }
        None => {
            let order = Order {
                no: world.order_number(Kind::Claimed, world.now),
                pnr: world.letters(6),
                created: world.now,
                paid: Some(world.now),
                issued: Some(world.now),
                ..outside.order
            };
            world.add_order(order)
        }
    };
    if let Some(outside) = world.outside.get_mut(locator) {
        outside.claimed.push(number.clone());
    }
    let pnr = world.order(&number).map(|order| order.pnr.clone());
    Ok(object(json!({"orderNo": number, "pnrCode": pnr})))
}

/// `extractPnr.do`
pub fn extract(world: &mut World, body: &Value) -> Answer {
    let locator = required(body, "airlinePnr", 100)?;
    let carrier = required(body, "carrier", 100)?;
    if list(body, "passengers").is_empty() || !get(body, "contact").is_object() || !get(body, "routing").is_object() {
        return no(100, "passengers, contact and routing are required");
    }
    let inside = |o: &&Order| o.kind != Kind::Ancillary && o.locator() == Some(locator) && o.airline == carrier;
    let outside = || world.outside.get(locator).map(|o| &o.order).filter(|o| o.airline == carrier);
    let Some(order) = world.orders.iter().find(inside).or_else(outside) else {
        if world.profile.is("unknownOrder", "nulls") {
            let fields = "airlinePnr pnrStatus pnrUsed currency totalPrice routing paxTicketInfos contact";
            return Ok(fields.split(' ').map(|field| (field.to_owned(), Value::Null)).collect());
        }
        return no(800, "The order does not exist");
    };
    let cases = || order.cases.iter().filter_map(|at| world.cases.get(*at)).filter(|case| case.status != 4);
    let voided = cases().any(|case| case.offer.way == Way::Void);
    let people: Vec<Value> = view::passengers(order)
        .into_iter()
        .enumerate()
        .map(|(at, mut person)| {
            let back = cases().any(|case| case.offer.passengers.contains(&at));
            person.insert("ticketStatus".into(), if back { "REFUND" } else { "OPEN_FOR_USE" }.into());
            person.retain(|key, _| {
                "name ticketNos airlinePNRs ancillaries contactEmails contactPhones ticketStatus"
                    .split(' ')
                    .any(|kept| kept == key)
            });
            person.into()
        })
        .collect();
    let flights = |back| -> Vec<Value> {
        let mut flights = view::segments(order, back);
        for flight in &mut flights {
            if let Some(map) = flight.as_object_mut() {
                for key in ["segmentIndex", "stopCities", "cabin", "cabinClass", "seatCount", "fareFamily"] {
                    map.remove(key);
                }
            }
        }
        flights
    };
    let used = if order.departure() <= world.now { "used" } else { "unused" };
    Ok(object(json!({
        "airlinePnr": locator,
        "pnrStatus": if voided { "Cancelled" } else { "Ticketed" },
        "pnrUsed": used,
        "currency": order.currency,
        "totalPrice": money(order.total).to_string(),
        "routing": {"fromSegments": flights(false), "retSegments": flights(true)},
        "paxTicketInfos": people,
        "contact": {"email": order.email, "companyName": null},
    })))
}
