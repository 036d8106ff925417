//! Who and what is to be refunded: the request's list against the order, and
//! what it is worth.

use crate::case;
use crate::json::{cents, get, int, list, text};
use crate::offer::{Offer, Way};
use crate::order::{Order, TICKETED};
use crate::router::{Refusal, no, optional, shape};
use crate::world::World;
use serde_json::Value;

/// The text of a 801.
pub const UNKNOWN: &str = "There is no such order to refund; give the main ticket order number";

/// Checks the list against the order and prices it.
pub fn price(world: &mut World, body: &Value, order: &Order, operation: &str) -> Result<Offer, Refusal> {
    let entries = match get(body, "refundRequestList") {
        Value::Null => return no(810, "illegal request param: refundRequestList is required"),
        Value::Array(entries) if entries.is_empty() => {
            return no(810, "illegal request param: refundRequestList is required");
        }
        Value::Array(entries) => entries,
        _ => return shape(),
    };
    if entries.iter().any(|entry| !entry.is_object() || list(entry, "segments").iter().any(|s| !s.is_object())) {
        return shape();
    }
    let display = optional(body, "displayCurrency")?.map(str::to_owned);
    if let Some(code) = case::forced(order, operation) {
        return no(code, "Refused as the test asked");
    }
    if order.status != TICKETED {
        return no(809, "The order is not ticketed yet");
    }
    let mut passengers = Vec::new();
    let mut reason = 1;
    for entry in entries {
        passengers.push(who(world, order, entry)?);
        segments(world, order, entry)?;
        reason = match get(entry, "refundReason") {
            Value::Null => 1,
            _ => match int(entry, "refundReason") {
                Some(reason @ (0 | 1 | 4)) => reason,
                _ => return no(810, "illegal request param: refundReason"),
            },
        };
    }
    passengers.sort_unstable();
    passengers.dedup();
    let kind = |at: &usize| order.passengers.get(*at).map_or(0, |p| p.kind);
    let all = passengers.len() == order.passengers.len();
    let adult_stays = (0..order.passengers.len()).any(|at| kind(&at) == 0 && !passengers.contains(&at));
    let child_stays = (0..order.passengers.len()).any(|at| kind(&at) != 0 && !passengers.contains(&at));
    if child_stays && !adult_stays {
        return no(802, "A child may not be left to travel alone");
    }
    if reason == 4 && !all {
        return no(823, "A void covers all passengers");
    }
    if order.departure() <= world.now {
        return no(811, "The itinerary has been flown in part");
    }
    Ok(offer(world, order, passengers, reason, display))
}

fn offer(world: &mut World, order: &Order, passengers: Vec<usize>, reason: i64, display: Option<String>) -> Offer {
    let fares = passengers.iter().filter_map(|at| order.passengers.get(*at)).map(|p| p.fare);
    let paid: i64 = fares.clone().sum();
    // A fifth of each fare unless the test sets an amount per passenger.
    let requested = order.options.get("penalty").and_then(cents);
    let penalty: i64 = if reason == 1 { fares.map(|fare| requested.unwrap_or(fare / 5).min(fare)).sum() } else { 0 };
    let refundable = refundable(order, reason);
    let back = if refundable { paid - penalty } else { 0 };
    let whole = passengers.len() == order.passengers.len();
    let bags = world.children(order).filter(|o| whole && o.status == TICKETED);
    let extras = bags
        .map(|bag| {
            let back = if refundable { bag.total / if reason == 1 { 2 } else { 1 } } else { 0 };
            (bag.no.clone(), bag.total, back)
        })
        .collect();
    Offer {
        id: format!("q_{}", world.hex(32)),
        way: Way::Refund,
        order: order.no.clone(),
        passengers,
        reason,
        expires: world.now + world.profile.seconds("refundOfferSeconds"),
        hollow: false,
        spent: false,
        paid,
        back,
        fee: order.options.get("serviceFee").and_then(cents).unwrap_or(300),
        extras,
        display,
    }
}

/// Does the vendor give anything back for this reason?
pub fn refundable(order: &Order, reason: i64) -> bool {
    reason != 1 || order.option("refundQuote") != Some("NonRefundable")
}

/// The passenger an entry means. An entry without names is answered 801 with an
/// offer id that buys nothing, as the vendor's sandbox does.
fn who(world: &mut World, order: &Order, entry: &Value) -> Result<usize, Refusal> {
    let whole = text(entry, "name").and_then(|name| name.split_once('/'));
    let last = text(entry, "lastName").or(whole.map(|w| w.0));
    let first = text(entry, "firstName").or(whole.map(|w| w.1));
    let (Some(last), Some(first)) = (last, first) else {
        return Err(hollow(world, order));
    };
    let same = |a: &str, b: &str| a.trim().eq_ignore_ascii_case(b.trim());
    if let Some(at) = order.passengers.iter().position(|p| same(&p.last, last) && same(&p.first, first)) {
        return Ok(at);
    }
    if order.passengers.iter().any(|p| same(&p.last, last)) {
        return no(812, "The passenger name does not match the order");
    }
    no(807, "There is no such passenger in the order")
}

fn segments(world: &mut World, order: &Order, entry: &Value) -> Result<(), Refusal> {
    let given = list(entry, "segments");
    if given.is_empty() {
        return Err(hollow(world, order));
    }
    let mine = |given: &Value| {
        order.segments.iter().position(|segment| {
            text(given, "flightNo") == Some(&segment.flight)
                && text(given, "depDate") == segment.departs.get(..8)
                && text(given, "depAirport") == Some(&segment.from)
                && text(given, "arrAirport") == Some(&segment.to)
        })
    };
    let mut found = Vec::new();
    for segment in given {
        match mine(segment) {
            Some(at) => found.push(at),
            None => return no(8041, "There is no such segment in the order"),
        }
    }
    if (0..order.segments.len()).any(|at| !found.contains(&at)) {
        return no(811, "The itinerary is incomplete");
    }
    Ok(())
}

fn hollow(world: &mut World, order: &Order) -> Refusal {
    let offer = Offer { hollow: true, ..offer(world, order, Vec::new(), 1, None) };
    let mut refusal = Refusal::new(801, UNKNOWN);
    if !world.profile.is("quirks", "off") {
        refusal.extra.insert("refundOfferId".into(), offer.id.clone().into());
        world.offers.insert(offer.id.clone(), offer);
    }
    refusal
}
