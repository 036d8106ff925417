//! The request of `case.open`: checked, with a digest of its content, so that a key means one thing for ever.

use rust_decimal::Decimal;

use super::claimed_booking::ClaimedBooking;
use super::clock::Stamp;
use super::hold::Hold;
use super::model::{Case, Expect};
use super::passengers::{Asked, fold};
use super::schedule::ORDER_LIST_REACH;
use super::vocabulary::Kind;
use crate::digest::sha256_hex;
use crate::error::{Error, ErrorCode};
use crate::json::Node;
use crate::unix_time::format_rfc3339;
use crate::wire::{CaseOpenRequest, Code, FlightRequest};

/// A checked request. It lives as long as the call: passengers and cards are in it.
#[derive(Debug, Default)]
pub(crate) struct OpenRequest {
    pub body: CaseOpenRequest,
    /// The requested passengers; empty for everybody, and for a claim, which has no order yet.
    pub asked: Vec<Asked>,
    /// The digest of its content while the positions of its passengers are not known.
    by_name: String,
    /// The digest that earlier releases stored of this request, with `expect`.
    earlier_content: String,
}

impl OpenRequest {
    /// A request that is not compared with the content of a case.
    pub fn of(body: CaseOpenRequest, asked: Vec<Asked>) -> OpenRequest {
        OpenRequest { body, asked, ..OpenRequest::default() }
    }

    /// Whether the stored case has the content of this request, whose own is `content`.
    pub fn is_content_of(&self, stored: &Case, content: &str) -> bool {
        if stored.content.starts_with(CONTENT) {
            stored.content == content || stored.content == self.by_name
        } else {
            stored.content == self.earlier_content
        }
    }
}

fn bad(path: &str, message: &str) -> Error {
    Error::at(ErrorCode::BadRequest, "case.open", path, message)
}

/// Reads the request, and makes a case of it for which nothing has been done.
///
/// `body` is the request as [`crate::wire::encode`] wrote it: one spelling for every value.
pub(crate) fn read(body: &str, id: String, now: Stamp) -> Result<(OpenRequest, Case), Error> {
    let request: CaseOpenRequest = serde_json::from_str(body).map_err(|e| bad("", &format!("cannot be read: {e}")))?;
    // Typed reading is lenient, as it must be for replies. Here a value that got lost could be a guard.
    let written = serde_json::to_value(&request).unwrap_or_default();
    if let Some(path) = Node::parse(body).ok().and_then(|node| first_unread(&node, &written)) {
        return Err(bad(&path, "cannot be read"));
    }
    let kind = request.kind.as_deref().unwrap_or_default();
    let kind = Kind::of(kind)
        .filter(|k| *k != Kind::Pay)
        .ok_or_else(|| bad("/kind", "must be refund, void, cancel, ancillary, regenerate, stop or claim"))?;
    let key = request.key.clone().unwrap_or_default();
    if key.is_empty() || key.len() > 200 {
        return Err(bad("/key", "must have 1 to 200 bytes"));
    }
    if key.starts_with(DIRECT) {
        return Err(bad("/key", "must not begin with `direct:`, which marks calls that were not opened as cases"));
    }
    let given = |name: &'static str, there: bool, kinds: &[Kind]| match there && !kinds.contains(&kind) {
        true => Err(bad(&format!("/{name}"), &format!("has no meaning for a {}", kind.word()))),
        false => Ok(()),
    };
    let back = [Kind::Refund, Kind::Void, Kind::Cancel];
    given("reason", request.reason.is_some(), &[Kind::Refund, Kind::Cancel])?;
    given("passengers", !request.passengers.is_empty(), &[Kind::Refund, Kind::Ancillary, Kind::Claim])?;
    given("offerId", request.offer_id.is_some(), &[Kind::Refund, Kind::Void])?;
    given("products", !request.products.is_empty(), &[Kind::Ancillary])?;
    given("payment", request.payment.is_some(), &[Kind::Ancillary, Kind::Regenerate])?;
    given("expect", request.expect.is_some(), &[&back[..], &[Kind::Ancillary, Kind::Regenerate]].concat())?;
    if request.offer_id.is_some() && !request.passengers.is_empty() {
        return Err(bad("/passengers", "cannot be given with an offer, which says who"));
    }
    // A filter that matched nobody must not become a refund of everybody.
    if Node::parse(body).is_ok_and(|node| matches!(node.get("passengers"), Some(Node::Arr(items)) if items.is_empty()))
    {
        return Err(bad("/passengers", "names nobody; leave it out for everybody"));
    }
    for (name, there) in [
        ("mmb", request.mmb.is_some()),
        ("fromSegments", !request.from_segments.is_empty()),
        ("retSegments", !request.ret_segments.is_empty()),
        ("connectInfo", request.connect_info.is_some()),
    ] {
        given(name, there, &[Kind::Claim])?;
    }
    let order = request.order_no.clone().filter(|o| !o.is_empty());
    match (kind, &order) {
        (Kind::Claim, Some(_)) => return Err(bad("/orderNo", "has no meaning for a claim, which gives one")),
        (Kind::Claim, None) => {}
        (_, None) => return Err(bad("/orderNo", "is required")),
        _ => {}
    }
    if kind == Kind::Ancillary && request.products.is_empty() {
        return Err(bad("/products", "is required for an ancillary"));
    }
    match request.reason.as_ref().map(Code::number) {
        None | Some(Some(0 | 1)) => {}
        Some(_) => return Err(bad("/reason", "must be 0 (involuntary) or 1 (voluntary)")),
    }
    let asked = if kind == Kind::Claim { Vec::new() } else { passengers(&request.passengers, "case.open")? };
    let mut case = Case::new(id, key, kind, order, String::new(), now);
    if kind == Kind::Claim {
        let locator = request.mmb.as_ref().and_then(|m| m.airline_pnr.clone()).filter(|p| !p.is_empty());
        let locator = locator.ok_or_else(|| bad("/mmb/airlinePnr", "is required for a claim"))?;
        case.holds.push(Hold::locator(&locator));
        let flights: Vec<_> = request.from_segments.iter().chain(&request.ret_segments).cloned().collect();
        claimed_flights(&mut case, &flights);
        case.claimed = Some(ClaimedBooking::of(&case.key, &request.passengers, &flights));
    }
    case.partial = !asked.is_empty();
    let by_name = content_for(body, kind, &asked, None);
    case.content.clone_from(&by_name);
    case.expect = expect(&request)?;
    case.holds.extend(request.offer_id.clone().map(Hold::Offer));
    case.offer_id.clone_from(&request.offer_id);
    case.run.own_offer = request.offer_id.is_some();
    Ok((OpenRequest { body: request, asked, by_name, earlier_content: earlier_digest(body) }, case))
}

/// Records what is needed to read orderList for a claim: the airlines, and whether orderList shows the departure.
pub(crate) fn claimed_flights(case: &mut Case, flights: &[FlightRequest]) {
    case.carriers = flights.iter().filter_map(|f| f.carrier.clone()).filter(|carrier| !carrier.is_empty()).collect();
    case.carriers.sort_unstable();
    case.carriers.dedup();
    // By the airport's clock; a day more or less does not matter.
    let day = |text: &str| text.replace('-', "").get(..8).map(str::to_owned);
    let last = flights.iter().filter_map(|f| day(f.dep_time.as_ref()?.as_str())).max();
    case.unlisted = last > day(&format_rfc3339(case.created + ORDER_LIST_REACH));
}

/// The pointer of the first value of `node` that typed reading lost.
fn first_unread(node: &Node<'_>, read: &serde_json::Value) -> Option<String> {
    match node {
        Node::Null => None,
        Node::Obj(members) => {
            members.iter().filter(|(_, value)| !is_empty(value)).find_map(|(key, value)| match read.get(&**key) {
                Some(read) => first_unread(value, read).map(|path| format!("/{key}{path}")),
                None => Some(format!("/{key}")),
            })
        }
        Node::Arr(items) => items.iter().enumerate().find_map(|(i, item)| match read.get(i) {
            Some(read) => first_unread(item, read).map(|path| format!("/{i}{path}")),
            None => Some(format!("/{i}")),
        }),
        _ => read.is_null().then(String::new),
    }
}

/// Null and an empty list say nothing.
fn is_empty(node: &Node<'_>) -> bool {
    match node {
        Node::Null => true,
        Node::Arr(items) => items.is_empty(),
        _ => false,
    }
}

/// Keys of submits that were not opened as cases.
pub(crate) const DIRECT: &str = "direct:";

/// Who is asked for.
pub(crate) fn passengers(items: &[serde_json::Value], op: &str) -> Result<Vec<Asked>, Error> {
    let read = |(i, item)| {
        let message = "must be `LAST/FIRST`, {name}, {lastName, firstName}, or a position from 1";
        Asked::read(item).ok_or_else(|| Error::at(ErrorCode::BadRequest, op, &format!("/passengers/{i}"), message))
    };
    items.iter().enumerate().map(read).collect()
}

/// The digest of the content, with the passengers by position where those are known (empty: everybody, as if none were
/// given), else by their folded names.
pub(crate) fn content_for(body: &str, kind: Kind, asked: &[Asked], positions: Option<&[usize]>) -> String {
    let text = |asked: &Asked| match asked {
        Asked::Position(position) => format!("#{position}"),
        Asked::Name(name) => fold(name),
    };
    match (kind, positions) {
        // Its passengers are content as they stand: there is no order to find them in.
        (Kind::Claim, _) => content_digest(body, None),
        (_, Some(positions)) => content_digest(body, Some(positions.iter().map(|at| format!("#{at}")).collect())),
        (_, None) => content_digest(body, Some(asked.iter().map(text).collect())),
    }
}

fn expect(request: &CaseOpenRequest) -> Result<Expect, Error> {
    let Some(expect) = request.expect.clone() else { return Ok(Expect::default()) };
    for (name, amount) in
        [("minRefund", &expect.min_refund), ("maxFee", &expect.max_fee), ("maxPrice", &expect.max_price)]
    {
        let Some(amount) = amount else { continue };
        if amount.to_decimal().is_none_or(|a| a < Decimal::ZERO) {
            return Err(bad(&format!("/expect/{name}"), "must be an amount from 0"));
        }
        if expect.currency.is_none() {
            return Err(bad("/expect/currency", "is required with amounts"));
        }
    }
    Ok(Expect {
        currency: expect.currency,
        min_refund: expect.min_refund,
        max_fee: expect.max_fee,
        max_price: expect.max_price,
        accept_voucher: expect.accept_voucher == Some(true),
        accept_unquoted: expect.accept_unquoted == Some(true),
        accept_foreign: expect.accept_foreign == Some(true),
    })
}

/// Begins the digest of a content; those of earlier releases, which had `expect` in them, have no prefix.
const CONTENT: &str = "2:";

/// What is no content of a case: it counts for the next intent.
const NO_CONTENT: [&str; 4] = ["key", "payment", "after", "expect"];

/// Tells two requests with the same key apart. `passengers` is a set; None: as the request has them.
fn content_digest(body: &str, passengers: Option<Vec<String>>) -> String {
    let mut content = String::new();
    if let Ok(Node::Obj(mut members)) = Node::parse(body) {
        members.retain(|(key, value)| !NO_CONTENT.contains(&&**key) && !is_empty(value));
        if passengers.as_ref().is_some_and(Vec::is_empty) {
            members.retain(|(key, _)| key != "passengers");
        }
        // 1 is the default, and a number may come as text.
        for (_, value) in members.iter_mut().filter(|(key, _)| key == "reason") {
            if let Node::Num(number) = value {
                *value = Node::Str(number.to_string().into());
            }
        }
        members.retain(|(key, value)| key != "reason" || !matches!(value, Node::Str(reason) if reason == "1"));
        for (_, value) in members.iter_mut().filter(|(key, _)| key == "passengers") {
            *value = set_of(passengers.clone().unwrap_or_else(|| texts(value)));
        }
        Node::Obj(members).write(&mut content);
    }
    format!("{CONTENT}{}", sha256_hex(content.as_bytes()))
}

/// The JSON of each item.
fn texts(value: &Node<'_>) -> Vec<String> {
    let Node::Arr(items) = value else { return Vec::new() };
    let json = |item: &Node<'_>| {
        let mut text = String::new();
        item.write(&mut text);
        text
    };
    items.iter().map(json).collect()
}

/// In an order that does not depend on the request's.
fn set_of<'n>(texts: Vec<String>) -> Node<'n> {
    let mut texts = texts;
    texts.sort_unstable();
    texts.dedup();
    Node::Arr(texts.into_iter().map(|text| Node::Str(text.into())).collect())
}

/// The digest of earlier releases.
fn earlier_digest(body: &str) -> String {
    let mut kept = String::new();
    if let Ok(Node::Obj(mut members)) = Node::parse(body) {
        members.retain(|(key, value)| !matches!(&**key, "payment" | "after" | "key") && !value.is_null());
        Node::Obj(members).write(&mut kept);
    }
    sha256_hex(kept.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::clock;

    fn request(text: &str) -> (OpenRequest, Case) {
        read(text, "id".to_owned(), clock::at(0)).unwrap()
    }

    #[test]
    fn a_case_of_an_earlier_release_is_compared_by_its_old_digest_with_expect() {
        let text = r#"{"kind":"void","orderNo":"o","key":"k","expect":{"currency":"USD"}}"#;
        let (with, new) = request(text);
        let stored = Case { content: earlier_digest(text), ..new.clone() };
        assert!(with.is_content_of(&stored, &new.content));
        let (without, new) = request(r#"{"kind":"void","orderNo":"o","key":"k"}"#);
        assert!(!without.is_content_of(&stored, &new.content));
        // Of this release, `expect` is no content.
        let stored = request(text).1;
        assert!(without.is_content_of(&stored, &new.content));
    }

    #[test]
    fn kind_order_passengers_reason_and_offer_are_content() {
        let content = |text: &str| request(text).1.content;
        let base = content(r#"{"kind":"refund","orderNo":"o","key":"k"}"#);
        for other in [
            r#"{"kind":"cancel","orderNo":"o","key":"k"}"#,
            r#"{"kind":"refund","orderNo":"p","key":"k"}"#,
            r#"{"kind":"refund","orderNo":"o","key":"k","reason":0}"#,
            r#"{"kind":"refund","orderNo":"o","key":"k","offerId":"q"}"#,
            r#"{"kind":"refund","orderNo":"o","key":"k","passengers":["A/B"]}"#,
        ] {
            assert_ne!(content(other), base, "{other}");
        }
        for same in [
            r#"{"kind":"refund","orderNo":"o","key":"k","after":"x"}"#,
            r#"{"kind":"refund","orderNo":"o","key":"k","reason":1}"#,
            r#"{"kind":"refund","orderNo":"o","key":"k","expect":{"acceptVoucher":true}}"#,
        ] {
            assert_eq!(content(same), base, "{same}");
        }
    }
}
