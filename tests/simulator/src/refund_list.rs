//! Checks `refundRequestList` against the order and calculates the quotation.

use crate::case;
use crate::json::{cents, get, int, list, text};
use crate::offer::{Offer, OfferKind};
use crate::order::{Order, TICKETED};
use crate::router::{Refusal, optional, refuse, refuse_shape};
use crate::world::World;
use serde_json::Value;

/// The message of an 801.
pub const UNKNOWN_ORDER: &str = "There is no such order to refund; give the main ticket order number";

/// Checks the list and calculates the quotation. The checks run in the order in
/// which the vendor refuses.
pub fn quote(world: &mut World, body: &Value, order: &Order, operation: &str) -> Result<Offer, Refusal> {
    let entries = match get(body, "refundRequestList") {
        Value::Null => return refuse(810, "illegal request param: refundRequestList is required"),
        Value::Array(entries) if entries.is_empty() => {
            return refuse(810, "illegal request param: refundRequestList is required");
        }
        Value::Array(entries) => entries,
        _ => return refuse_shape(),
    };
    if entries.iter().any(|entry| !entry.is_object() || list(entry, "segments").iter().any(|s| !s.is_object())) {
        return refuse_shape();
    }
    let display_currency = optional(body, "displayCurrency")?.map(str::to_owned);
    if let Some(code) = case::forced_code(order, operation) {
        return refuse(code, "Refused as the test asked");
    }
    if order.status != TICKETED {
        return refuse(809, "The order is not ticketed yet");
    }
    let mut passengers = Vec::new();
    let mut reason = 1;
    for entry in entries {
        passengers.push(match_passenger(world, order, entry)?);
        check_segments(world, order, entry)?;
        reason = match get(entry, "refundReason") {
            Value::Null => 1,
            _ => match int(entry, "refundReason") {
                Some(reason @ (0 | 1 | 4)) => reason,
                _ => return refuse(810, "illegal request param: refundReason"),
            },
        };
    }
    passengers.sort_unstable();
    passengers.dedup();
    let kind = |at: &usize| order.passengers.get(*at).map_or(0, |p| p.kind);
    let all = passengers.len() == order.passengers.len();
    let adult_stays = (0..order.passengers.len()).any(|at| kind(&at) == 0 && !passengers.contains(&at));
    let child_stays = (0..order.passengers.len()).any(|at| kind(&at) != 0 && !passengers.contains(&at));
    if child_stays && !adult_stays && world.profile.is("infantAlone", "refused") {
        return refuse(802, "A child may not be left to travel alone");
    }
    if reason == 4 && !all {
        return refuse(823, "A void covers all passengers");
    }
    if order.departure() <= world.now {
        return refuse(811, "The itinerary has been flown in part");
    }
    Ok(build_offer(world, order, passengers, reason, display_currency))
}

fn build_offer(
    world: &mut World,
    order: &Order,
    passengers: Vec<usize>,
    reason: i64,
    display_currency: Option<String>,
) -> Offer {
    let fares = passengers.iter().filter_map(|at| order.passengers.get(*at)).map(|p| p.fare);
    let paid: i64 = fares.clone().sum();
    // A fifth of each fare, or the option `penalty` per passenger.
    let configured = order.options.get("penalty").and_then(cents);
    let penalty: i64 = if reason == 1 { fares.map(|fare| configured.unwrap_or(fare / 5).min(fare)).sum() } else { 0 };
    let refundable = refundable(order, reason);
    let refund_amount = if refundable { paid - penalty } else { 0 };
    let whole = passengers.len() == order.passengers.len();
    let bags = world.children(order).filter(|o| whole && o.status == TICKETED);
    let ancillaries = bags
        .map(|bag| {
            let refund_amount = if refundable { bag.total / if reason == 1 { 2 } else { 1 } } else { 0 };
            (bag.order_no.clone(), bag.total, refund_amount)
        })
        .collect();
    Offer {
        id: format!("q_{}", world.hex(32)),
        kind: OfferKind::Refund,
        order: order.order_no.clone(),
        passengers,
        reason,
        expires: world.now + world.profile.seconds("refundOfferSeconds"),
        unusable: false,
        submitted: false,
        paid,
        refund_amount,
        fee: order.options.get("serviceFee").and_then(cents).unwrap_or(300),
        ancillaries,
        display_currency,
    }
}

/// Whether the fare is refundable for this reason.
pub fn refundable(order: &Order, reason: i64) -> bool {
    reason != 1 || order.option("refundQuote") != Some("NonRefundable")
}

/// The passenger that an entry names. An entry without names is refused with 801
/// and an unusable offer id, as the vendor's sandbox does.
fn match_passenger(world: &mut World, order: &Order, entry: &Value) -> Result<usize, Refusal> {
    let whole = text(entry, "name").and_then(|name| name.split_once('/'));
    let last = text(entry, "lastName").or(whole.map(|w| w.0));
    let first = text(entry, "firstName").or(whole.map(|w| w.1));
    let (Some(last), Some(first)) = (last, first) else {
        return Err(refuse_incomplete_entry(world, order));
    };
    let same = |a: &str, b: &str| a.trim().eq_ignore_ascii_case(b.trim());
    if let Some(at) = order.passengers.iter().position(|p| same(&p.last, last) && same(&p.first, first)) {
        return Ok(at);
    }
    if order.passengers.iter().any(|p| same(&p.last, last)) {
        return refuse(812, "The passenger name does not match the order");
    }
    refuse(807, "There is no such passenger in the order")
}

fn check_segments(world: &mut World, order: &Order, entry: &Value) -> Result<(), Refusal> {
    let given = list(entry, "segments");
    if given.is_empty() {
        return Err(refuse_incomplete_entry(world, order));
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
            None => return refuse(8041, "There is no such segment in the order"),
        }
    }
    if (0..order.segments.len()).any(|at| !found.contains(&at)) {
        return refuse(811, "The itinerary is incomplete");
    }
    Ok(())
}

fn refuse_incomplete_entry(world: &mut World, order: &Order) -> Refusal {
    let offer = Offer { unusable: true, ..build_offer(world, order, Vec::new(), 1, None) };
    let mut refusal = Refusal::new(801, UNKNOWN_ORDER);
    if !world.profile.is("quirks", "off") {
        refusal.extra.insert("refundOfferId".into(), offer.id.clone().into());
        world.offers.insert(offer.id.clone(), offer);
    }
    refusal
}
