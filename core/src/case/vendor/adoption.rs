//! Whether what the vendor shows is what a case has asked for: then an effect whose reply was lost is taken over. Pure.
//!
//! All that is shown must match, and what is needed to tell two orders apart must be shown.

use rust_decimal::Decimal;
use serde_json::Value;

use crate::case::model::Case;
use crate::case::passengers::fold;
use crate::case::schedule::MINUTE;
use crate::digest::sha256_hex;
use crate::unix_time::{Millis, parse_rfc3339};
use crate::wire::{Amount, Instant, OrderSummary, QueryOrderDetailsReply};

/// How far the vendor's clock may be from this one.
pub(crate) const CLOCKS: Millis = 2 * MINUTE;

/// When an order was made, relative to the last attempt of the case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    Before,
    Within,
    /// After it, or not known.
    Otherwise,
}

fn made(case: &Case, created: Option<&Instant>, number: &str) -> Made {
    let at = created.and_then(|at| parse_rfc3339(at.as_str())).or_else(|| time_in_number(number));
    let Some((step, at)) = case.last_step().zip(at) else { return Made::Otherwise };
    let begun = step.sent_at.unwrap_or(step.at);
    let ended = step.sent.map_or(step.at, |sent| sent.wall);
    match at {
        at if at < begun - CLOCKS => Made::Before,
        at if at <= ended + CLOCKS => Made::Within,
        _ => Made::Otherwise,
    }
}

/// The time in an order number: five letters and `yyyyMMddHHmmssSSS`, in GMT+8 (observed, 2026).
fn time_in_number(number: &str) -> Option<Millis> {
    let digits = number.trim_start_matches(|c: char| !c.is_ascii_digit());
    let part = |from: usize, to: usize| digits.get(from..to).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
    let text = format!(
        "{}-{}-{}T{}:{}:{}.{}+08:00",
        part(0, 4)?,
        part(4, 6)?,
        part(6, 8)?,
        part(8, 10)?,
        part(10, 12)?,
        part(12, 14)?,
        part(14, 17)?
    );
    parse_rfc3339(&text)
}

/// What is bought, as it is compared later: a digest for each passenger, product and segment. `passengers` is that of
/// postBookingAncillaryOrder.
pub(crate) fn basket_marks(key: &str, passengers: &[Value]) -> Vec<String> {
    let mut marks = Vec::new();
    for passenger in passengers {
        let name = passenger.get("name").and_then(Value::as_str).unwrap_or_default();
        for item in passenger.get("ancillaries").and_then(Value::as_array).into_iter().flatten() {
            let code = item.get("productCode").and_then(Value::as_str).unwrap_or_default();
            let segment = item.get("segmentIndex").map(plain).unwrap_or_default();
            marks.push(mark(key, name, code, &segment));
        }
    }
    marks.sort_unstable();
    marks
}

fn mark(key: &str, name: &str, code: &str, segment: &str) -> String {
    sha256_hex(format!("{key}|{}|{code}|{segment}", fold(name)).as_bytes())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What an order of the booking is that was not there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Baggage {
    /// The order that the case has made.
    Ours,
    /// It matches, but was not made within the attempt.
    Late,
    Another,
}

pub(crate) fn baggage(case: &Case, number: &str, order: &QueryOrderDetailsReply) -> Baggage {
    let status = order.order_status.as_ref().and_then(|s| s.number());
    let other_main = order.ticket_order_no.as_ref().is_some_and(|main| Some(main) != case.order_no.as_ref());
    if status == Some(-3) || other_main {
        return Baggage::Another;
    }
    let mut marks = Vec::new();
    for person in &order.pax_ticket_infos {
        for item in &person.ancillaries {
            let segment = item
                .segment_index
                .as_ref()
                .and_then(|index| index.to_i64())
                .map(|index| index.to_string())
                .unwrap_or_default();
            let name = person.name.as_deref().unwrap_or_default();
            marks.push(mark(&case.key, name, item.product_code.as_deref().unwrap_or_default(), &segment));
        }
    }
    marks.sort_unstable();
    let money = case.money.clone().unwrap_or_default();
    let is_basket = !marks.is_empty() && marks == case.basket;
    if !is_basket || !is_price(&money.paid, order) || !is_currency(&money.currency, order) {
        return Baggage::Another;
    }
    match made(case, order.created_time.as_ref(), number) {
        Made::Within => Baggage::Ours,
        Made::Otherwise => Baggage::Late,
        Made::Before => Baggage::Another,
    }
}

fn is_price(expected: &Option<String>, order: &QueryOrderDetailsReply) -> bool {
    let number = |amount: Option<&Amount>| amount.and_then(Amount::to_decimal);
    let expected: Option<Decimal> = number(expected.as_deref().and_then(Amount::parse).as_ref());
    match (expected, number(order.total_price.as_ref())) {
        (Some(expected), Some(shown)) => expected == shown,
        _ => true,
    }
}

fn is_currency(expected: &Option<String>, order: &QueryOrderDetailsReply) -> bool {
    expected.as_ref().zip(order.currency.as_ref()).is_none_or(|(expected, shown)| expected == shown)
}

/// Orders of the list, not cancelled, of the journey of the case's order and of at least one of its passengers. The
/// order's own row says which journey that is: without it there is nothing to compare with.
pub(crate) fn same_journey(case: &Case, rows: &[OrderSummary]) -> Vec<String> {
    let is_own = |row: &&OrderSummary| row.order_no.is_some() && row.order_no == case.order_no;
    let Some(own) = rows.iter().find(is_own) else { return Vec::new() };
    let names = |row: &OrderSummary| row.pax_names.iter().map(|name| fold(name)).collect::<Vec<_>>();
    let people = names(own);
    let same = |row: &&OrderSummary| {
        !is_own(row)
            && row.order_status.as_ref().and_then(|s| s.number()) != Some(-3)
            && (&row.dep_date, &row.from_city, &row.to_city) == (&own.dep_date, &own.from_city, &own.to_city)
            && names(row).iter().any(|name| people.contains(name))
    };
    rows.iter().filter(same).filter_map(|row| row.order_no.clone()).collect()
}

/// What a row of orderList with the locator of a claim is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimRow {
    /// The claimed booking.
    Ours,
    /// Another booking of the same locator, which airlines use again; or an order of before the claim.
    Another,
    /// It may be the claimed booking, and does not match.
    Unfit,
}

pub(crate) fn claim_row(case: &Case, row: &OrderSummary) -> ClaimRow {
    let cancelled = row.order_status.as_ref().and_then(|s| s.number()) == Some(-3);
    let matches = !cancelled && case.claimed.as_ref().is_none_or(|claimed| claimed.is_in(&case.key, row));
    if case.is_before_submit() {
        return if matches { ClaimRow::Ours } else { ClaimRow::Another };
    }
    let number = row.order_no.as_deref().unwrap_or_default();
    match (made(case, row.order_create_timestamp.as_ref(), number), matches) {
        (Made::Before, _) => ClaimRow::Another,
        (Made::Within, true) => ClaimRow::Ours,
        _ => ClaimRow::Unfit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_number_has_its_time_in_gmt_8() {
        assert_eq!(time_in_number("TESTA20241122090710695"), parse_rfc3339("2024-11-22T01:07:10.695Z"));
        assert_eq!(time_in_number("ABCDE123"), None);
        assert_eq!(time_in_number(""), None);
    }
}
