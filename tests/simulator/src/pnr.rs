//! External PNRs, booked outside Atlas: claim and extraction.

use crate::json::{get, list, money, object, text};
use crate::offer::OfferKind;
use crate::operations;
use crate::order::{Kind, Order};
use crate::order_json;
use crate::router::{Answer, refuse, required};
use crate::world::World;
use serde_json::{Value, json};

/// A booking that exists at the airline but not in Atlas.
#[derive(Clone, Debug)]
pub struct ExternalPnr {
    /// The order that a claim copies.
    pub order: Order,
    /// The orders made by claims.
    pub claimed: Vec<String>,
}

impl World {
    /// Creates an external PNR; the result is its control view with the locator.
    pub fn create_external_pnr(&mut self, options: &Value) -> Result<Value, String> {
        let order = self.make_order(options, Kind::Claimed)?;
        let locator = text(options, "airlinePnr").unwrap_or(&order.airline_pnr).to_owned();
        let order = Order { airline_pnr: locator.clone(), ..order };
        let mut seen = order_json::control_view(&order);
        if let Some(map) = seen.as_object_mut() {
            map.insert("orderNo".into(), Value::Null);
            map.insert("airlinePnr".into(), locator.clone().into());
            map.insert("carrier".into(), order.airline.clone().into());
            map.insert("email".into(), order.email.clone().into());
        }
        self.external_pnrs.insert(locator, ExternalPnr { order, claimed: Vec::new() });
        Ok(seen)
    }
}

/// `pnr/claim.do`
pub fn claim(world: &mut World, body: &Value) -> Answer {
    let locator = required(get(body, "mmb"), "airlinePnr", 100)?;
    let people = list(body, "passengers");
    let flights = list(body, "fromSegments");
    if people.is_empty() || flights.is_empty() {
        return refuse(100, "passengers and fromSegments are required");
    }
    let Some(external) = world.external_pnrs.get(locator).cloned() else {
        return refuse(2, "The airline knows no such PNR");
    };
    let matches_passenger = |person: &Value| {
        let name = text(person, "name").unwrap_or_default();
        external.order.passengers.iter().any(|p| p.name().eq_ignore_ascii_case(name))
    };
    if !people.iter().all(matches_passenger)
        || !flights.iter().all(|f| text(f, "carrier") == Some(&external.order.airline))
    {
        return refuse(2, "The passengers or flights do not match the PNR");
    }
    let before = external.claimed.first().filter(|_| world.profile.is("secondClaim", "same"));
    let number = match before {
        Some(number) => {
            world.repeated = true;
            number.clone()
        }
        None => {
            let order = Order {
                order_no: world.order_number(Kind::Claimed, world.now),
                pnr: world.letters(6),
                created: world.now,
                paid: Some(world.now),
                issued: Some(world.now),
                ..external.order
            };
            world.add_order(order)
        }
    };
    if let Some(external) = world.external_pnrs.get_mut(locator) {
        external.claimed.push(number.clone());
    }
    let pnr = world.order(&number).map(|order| order.pnr.clone());
    Ok(object(json!({"orderNo": number, "pnrCode": pnr})))
}

/// `extractPnr.do`
pub fn extract(world: &mut World, body: &Value) -> Answer {
    let locator = required(body, "airlinePnr", 100)?;
    let carrier = required(body, "carrier", 100)?;
    if list(body, "passengers").is_empty() || !get(body, "contact").is_object() || !get(body, "routing").is_object() {
        return refuse(100, "passengers, contact and routing are required");
    }
    let inside = |o: &&Order| o.kind != Kind::Ancillary && o.locator() == Some(locator) && o.airline == carrier;
    let external = || world.external_pnrs.get(locator).map(|o| &o.order).filter(|o| o.airline == carrier);
    let Some(order) = world.orders.iter().find(inside).or_else(external) else {
        if world.profile.is("unknownOrder", "nulls") {
            return Ok(operations::PNR.split(' ').map(|field| (field.to_owned(), Value::Null)).collect());
        }
        return refuse(800, "The order does not exist");
    };
    let cases = || order.cases.iter().filter_map(|at| world.cases.get(*at)).filter(|case| case.status != 4);
    let voided = cases().any(|case| case.offer.kind == OfferKind::Void);
    let people: Vec<Value> = order_json::passengers(order)
        .into_iter()
        .enumerate()
        .map(|(at, mut person)| {
            let returned = cases().any(|case| case.offer.passengers.contains(&at));
            person.insert("ticketStatus".into(), if returned { "REFUND" } else { "OPEN_FOR_USE" }.into());
            person.retain(|key, _| {
                "name ticketNos airlinePNRs ancillaries contactEmails contactPhones ticketStatus"
                    .split(' ')
                    .any(|field| field == key)
            });
            person.into()
        })
        .collect();
    let flights = |inbound| -> Vec<Value> {
        let mut flights = order_json::segments(order, inbound);
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
