//! Order query and order list.

use crate::clock::{self, DAY};
use crate::json::{Object, as_int, flag, get, list, object, text};
use crate::offer::OfferKind;
use crate::operations::DETAILS;
use crate::order::{Kind, Order, UNPAID};
use crate::order_json;
use crate::router::{Answer, Refusal, optional, refuse};
use crate::world::World;
use serde_json::{Value, json};

/// `queryOrderDetails.do`
pub fn details(world: &mut World, body: &Value) -> Answer {
    let number = optional(body, "orderNo")?;
    let pnr = optional(body, "pnrCode")?;
    let locator = optional(body, "airlinePNR")?;
    let carrier = optional(body, "carrier")?;
    if locator.is_some() != carrier.is_some() {
        return refuse(702, "airlinePNR and carrier are both needed");
    }
    if number.or(pnr).or(locator).is_none() {
        return refuse(703, "No order found: nothing to look for");
    }
    let by_number = |o: &Order| number.is_none_or(|number| number == o.order_no);
    let by_pnr = |o: &Order| pnr.is_none_or(|pnr| pnr == o.pnr);
    let by_airline = |o: &Order| locator.is_none_or(|l| o.locator() == Some(l) && carrier == Some(o.airline.as_str()));
    // An ancillary order has the locator of its main order, but is found only by its own number.
    let hidden = |o: &Order| o.kind == Kind::Ancillary && number.is_none();
    let all = |o: &&Order| by_number(o) && by_pnr(o) && by_airline(o) && !hidden(o);
    let mut found: Vec<&Order> = match number {
        Some(number) => world.order(number).into_iter().filter(all).collect(),
        None => world.orders.iter().filter(all).collect(),
    };
    if found.is_empty() {
        let partly = |o: &Order| {
            (number.is_some() && by_number(o)) || (pnr.is_some() && by_pnr(o)) || (locator.is_some() && by_airline(o))
        };
        if world.orders.iter().any(|o| partly(o) && !hidden(o)) {
            return refuse(704, "The parameters belong to different orders");
        }
        return unknown(world, number.is_none() && pnr.is_none());
    }
    if found.len() > 1 {
        let names: Vec<&str> = list(body, "passengers").iter().filter_map(|p| text(p, "name")).collect();
        let has = |o: &Order, name: &str| o.passengers.iter().any(|p| p.name().eq_ignore_ascii_case(name));
        found.retain(|o| names.iter().all(|name| has(o, name)));
    }
    let order = match found.as_slice() {
        [] => return refuse(704, "The parameters belong to different orders"),
        [order] => *order,
        _ => return refuse(701, "Several orders match; give more parameters"),
    };
    if flag(body, "isCompletedOrder") == Some(true) && world.profile.is("aggregatedOrders", "true") {
        return Ok(aggregated(world, order));
    }
    Ok(after_refunds(world, order))
}

/// The order; what refunds make of its list of passengers is not documented.
fn after_refunds(world: &World, order: &Order) -> Object {
    let mut reply = order_json::details(order);
    let refunded = |at: usize| world.blocking_case(order, &[at]).is_some_and(|c| c.offer.kind == OfferKind::Refund);
    let people = order_json::passengers(order).into_iter().enumerate();
    let people: Vec<Value> = match world.profile.get("passengersAfterRefund") {
        "gone" => people.filter(|(at, _)| !refunded(*at)).map(|(_, p)| p.into()).collect(),
        "reordered" if (0..order.passengers.len()).any(refunded) => people.rev().map(|(_, p)| p.into()).collect(),
        _ => return reply,
    };
    reply.insert("paxTicketInfos".into(), people.into());
    reply
}

fn unknown(world: &World, by_airline: bool) -> Answer {
    if world.profile.is("unknownOrder", "nulls") {
        return Ok(DETAILS.split(' ').map(|field| (field.to_owned(), Value::Null)).collect());
    }
    if by_airline { refuse(703, "No order found") } else { refuse(800, "The order does not exist") }
}

/// The reply to `isCompletedOrder`: the main and ancillary orders of a booking together.
fn aggregated(world: &World, order: &Order) -> Object {
    let main_order = order.main_order.as_deref().and_then(|order_no| world.order(order_no)).unwrap_or(order);
    let mine = || std::iter::once(main_order).chain(world.children(main_order));
    let lines: Vec<Value> = mine().map(order_json::summary).collect();
    let total = mine().map(|o| o.total).sum();
    let mut reply = order_json::details(main_order);
    for key in [
        "orderStatus",
        "ticketStatus",
        "tktLimitTime",
        "vendorTotalPrice",
        "adultTotalFare",
        "childTotalFare",
        "infantTotalFare",
        "totalAncillaryPrice",
        "totalTransactionFee",
        "supportPaymentMethods",
        "paymentMethod",
    ] {
        reply.insert(key.into(), Value::Null);
    }
    reply.insert("supportPaymentMethod".into(), 0.into());
    reply.insert("totalPrice".into(), crate::json::money(total));
    reply.insert("orderList".into(), lines.into());
    let mut people = order_json::passengers(main_order);
    for (at, person) in people.iter_mut().enumerate() {
        let name = main_order.passengers.get(at).map(|p| p.name());
        let theirs = |o: &Order| o.passengers.iter().position(|p| Some(p.name()) == name);
        let bags = world.children(main_order).filter_map(|o| {
            let person = order_json::passengers(o).into_iter().nth(theirs(o)?)?;
            person.get("ancillaries")?.as_array().cloned()
        });
        person.insert("ancillaries".into(), bags.flatten().collect());
    }
    reply.insert("paxTicketInfos".into(), people.into_iter().map(Value::from).collect());
    reply
}

/// `orderList.do`
pub fn list_orders(world: &mut World, body: &Value) -> Answer {
    let page = page_parameter(body, "page", 1)?;
    let size = page_parameter(body, "pageSize", 20)?.min(100);
    let filter = Filter::read(body)?;
    let with_bags = world.profile.is("listAncillaryOrders", "true");
    let seen = |o: &&Order| {
        (with_bags || o.kind != Kind::Ancillary) && o.departure() <= world.now + 365 * DAY && filter.matches(o)
    };
    let mut found: Vec<&Order> = world.orders.iter().filter(seen).collect();
    found.sort_by_key(|o| std::cmp::Reverse(o.created));
    let total = found.len();
    let skip = usize::try_from((page - 1).saturating_mul(size)).unwrap_or(usize::MAX);
    let joined = !world.profile.is("quirks", "off");
    let rows: Vec<Value> = found.into_iter().skip(skip).take(size as usize).map(|o| row(o, joined)).collect();
    Ok(object(json!({"page": page, "pageSize": size, "totalRecords": total, "orders": rows})))
}

fn page_parameter(body: &Value, key: &str, default: i64) -> Result<i64, Refusal> {
    match get(body, key) {
        Value::Null => Ok(default),
        Value::String(text) if text.is_empty() => Ok(default),
        value => match as_int(value) {
            Some(number) => Ok(number.max(1)),
            None => refuse(901, &format!("{key} is no number")),
        },
    }
}

/// The filters that the vendor supports; other keys are ignored without an error.
struct Filter<'a> {
    number: Option<&'a str>,
    locators: &'a [Value],
    name: Option<&'a str>,
    email: Option<&'a str>,
    from: Option<&'a str>,
    to: Option<&'a str>,
    date: Option<&'a str>,
    since: Option<i64>,
    until: Option<i64>,
    statuses: &'a [Value],
    airlines: &'a [Value],
}

impl<'a> Filter<'a> {
    fn read(body: &'a Value) -> Result<Self, Refusal> {
        let time = |key| match optional(body, key)? {
            None => Ok(None),
            Some(text) => match clock::parse(text) {
                Some(at) => Ok(Some(at)),
                None => refuse(901, &format!("{key} is no time")),
            },
        };
        Ok(Self {
            number: optional(body, "orderNo")?,
            locators: list(body, "airlinePNRs"),
            name: optional(body, "paxName")?,
            email: optional(body, "contactEmail")?,
            from: optional(body, "fromCity")?,
            to: optional(body, "toCity")?,
            date: optional(body, "depDate")?,
            since: time("createTimeRangeFrom")?,
            until: time("createTimeRangeTo")?,
            statuses: list(body, "orderStatus"),
            airlines: list(body, "airlines"),
        })
    }

    fn matches(&self, order: &Order) -> bool {
        let (first, last) = (order.segments.first(), order.segments.iter().rfind(|s| !s.inbound));
        let any = |list: &[Value], of: &dyn Fn(&Value) -> bool| list.is_empty() || list.iter().any(of);
        let flies = |code: &Value| order.segments.iter().any(|s| code.as_str() == Some(&s.carrier));
        self.number.is_none_or(|order_no| order_no == order.order_no)
            && any(self.locators, &|l| l.as_str().is_some() && l.as_str() == order.locator())
            && self.name.is_none_or(|name| order.passengers.iter().any(|p| p.name().eq_ignore_ascii_case(name)))
            && self.email.is_none_or(|email| email == order.email)
            && self.from.is_none_or(|city| first.is_some_and(|s| s.from == city))
            && self.to.is_none_or(|city| last.is_some_and(|s| s.to == city))
            && self.date.is_none_or(|date| first.is_some_and(|s| s.departs.starts_with(date)))
            && self.since.is_none_or(|at| order.created >= at)
            && self.until.is_none_or(|at| order.created <= at)
            && any(self.statuses, &|status| as_int(status) == Some(order.status))
            && any(self.airlines, &flies)
    }
}

fn row(order: &Order, joined: bool) -> Value {
    // The vendor lists one locator per passenger, joined with `|`.
    let locators: Vec<String> = order.locator().map_or_else(Vec::new, |locator| {
        let times = if joined { order.passengers.len() } else { 1 };
        vec![vec![locator; times].join("|")]
    });
    let mut airlines: Vec<&str> = order.segments.iter().map(|s| s.carrier.as_str()).collect();
    airlines.dedup();
    let (first, last) = (order.segments.first(), order.segments.iter().rfind(|s| !s.inbound));
    let unpaid = order.status == UNPAID;
    json!({
        "orderNo": order.order_no,
        "pnrCode": order.pnr,
        "airlinePNRs": if unpaid { Value::Null } else { locators.into() },
        "orderStatus": order.status,
        "depDate": first.and_then(|s| s.departs.get(..8)),
        "airlines": airlines,
        "orderCreateTimestamp": clock::utc_seconds(order.created),
        "paymentTimestamp": order.paid.map(clock::utc_seconds),
        "paxNames": order.passengers.iter().map(|p| p.name()).collect::<Vec<_>>(),
        "contactEmail": order.email,
        "fromCity": first.map(|s| &s.from),
        "toCity": last.map(|s| &s.to),
        "errorCode": order.error.as_ref().map(|(code, _)| code.to_string()),
        "errorMessage": order.error.as_ref().map(|(_, message)| message),
    })
}
