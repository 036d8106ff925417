//! Instants as milliseconds since 1970 and the vendor's text formats.
//!
//! Airport-local times are treated as UTC: the only time zone that the simulator
//! implements is the vendor's (Singapore).

use serde_json::Value;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = i64;

/// One second.
pub const SECOND: Millis = 1_000;
/// One minute.
pub const MINUTE: Millis = 60 * SECOND;
/// One hour.
pub const HOUR: Millis = 60 * MINUTE;
/// One day.
pub const DAY: Millis = 24 * HOUR;
/// Singapore is UTC+8 without daylight saving time.
const SINGAPORE: Millis = 8 * HOUR;

fn parts(at: Millis) -> [i64; 7] {
    let when =
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    [
        i64::from(when.year()),
        i64::from(u8::from(when.month())),
        i64::from(when.day()),
        i64::from(when.hour()),
        i64::from(when.minute()),
        i64::from(when.second()),
        i64::from(when.millisecond()),
    ]
}

/// `2026-03-02T08:00:00Z`; milliseconds are written only when not zero.
pub fn utc(at: Millis) -> String {
    let [y, mo, d, h, mi, s, ms] = parts(at);
    if ms == 0 {
        format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}Z")
    } else {
        format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}.{ms:03}Z")
    }
}

/// `2026-03-02T08:00:00Z`, truncated to seconds.
pub fn utc_seconds(at: Millis) -> String {
    utc(at - at.rem_euclid(SECOND))
}

/// `2026-03-02 16:00:00`, the vendor's format in Singapore time.
pub fn sgt(at: Millis) -> String {
    let [y, mo, d, h, mi, s, _] = parts(at + SINGAPORE);
    format!("{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}")
}

/// `20260302160000123`: the part of an order number after its letters.
pub fn stamp(at: Millis) -> String {
    let [y, mo, d, h, mi, s, ms] = parts(at + SINGAPORE);
    format!("{y:04}{mo:02}{d:02}{h:02}{mi:02}{s:02}{ms:03}")
}

/// `202603` in Singapore: the part of a case number before its counter.
pub fn month(at: Millis) -> String {
    let [y, mo, ..] = parts(at + SINGAPORE);
    format!("{y:04}{mo:02}")
}

/// `20260302` in Singapore.
pub fn day_sgt(at: Millis) -> String {
    let [y, mo, d, ..] = parts(at + SINGAPORE);
    format!("{y:04}{mo:02}{d:02}")
}

/// `202603021000`, airport-local.
pub fn minute(at: Millis) -> String {
    let [y, mo, d, h, mi, ..] = parts(at);
    format!("{y:04}{mo:02}{d:02}{h:02}{mi:02}")
}

/// Any of the vendor's formats or ISO 8601, read as UTC; separators are ignored.
pub fn parse(text: &str) -> Option<Millis> {
    let text = text.trim().trim_end_matches('Z');
    let (text, ms) = match text.split_once('.') {
        Some((head, fraction)) => {
            let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
            (head, digits.parse().ok()?)
        }
        None => (text, 0),
    };
    if text.chars().any(|c| !(c.is_ascii_digit() || "-:T ".contains(c))) {
        return None;
    }
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    if ![8, 12, 14].contains(&digits.len()) {
        return None;
    }
    let number = |from: usize, to: usize| digits.get(from..to).map_or(Some(0), |part| part.parse::<u16>().ok());
    let month = Month::try_from(u8::try_from(number(4, 6)?).ok()?).ok()?;
    let date = Date::from_calendar_date(i32::from(number(0, 4)?), month, u8::try_from(number(6, 8)?).ok()?).ok()?;
    let clock = |from, to| number(from, to).and_then(|n| u8::try_from(n).ok());
    let time = Time::from_hms(clock(8, 10)?, clock(10, 12)?, clock(12, 14)?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp() * SECOND + ms)
}

/// A text in Singapore time as an instant.
pub fn parse_sgt(text: &str) -> Option<Millis> {
    parse(text).map(|at| at - SINGAPORE)
}

/// Seconds as a number, `PT30M`, `P1DT2H`, `30m`, `1h30m`, `3d`, `2w`, `250ms`.
pub fn duration(value: &Value) -> Option<Millis> {
    if let Some(seconds) = value.as_f64() {
        return (seconds >= 0.0).then_some((seconds * 1000.0).round() as Millis);
    }
    let text = value.as_str()?.trim().to_ascii_lowercase();
    let iso = text.strip_prefix('p');
    let mut total = 0;
    let mut number = String::new();
    // In ISO 8601 an `m` before the `t` means months, which have no fixed length.
    let mut months_possible = iso.is_some();
    let mut letters = iso.unwrap_or(&text).chars().peekable();
    let mut seen = false;
    while let Some(c) = letters.next() {
        if c.is_ascii_digit() || c == '.' {
            number.push(c);
            continue;
        }
        if c == 't' && iso.is_some() && number.is_empty() {
            months_possible = false;
            continue;
        }
        let unit = match c {
            'm' if letters.next_if_eq(&'s').is_some() => 1,
            'm' if months_possible => return None,
            'm' => MINUTE,
            's' => SECOND,
            'h' => HOUR,
            'd' => DAY,
            'w' => 7 * DAY,
            _ => return None,
        };
        total += (number.parse::<f64>().ok()? * unit as f64).round() as Millis;
        number.clear();
        seen = true;
    }
    if !number.is_empty() {
        if seen || iso.is_some() {
            return None;
        }
        return Some((number.parse::<f64>().ok()? * 1000.0).round() as Millis);
    }
    seen.then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let at = parse("2026-03-02T08:00:00Z").unwrap();
        assert_eq!(utc(at), "2026-03-02T08:00:00Z");
        assert_eq!(sgt(at), "2026-03-02 16:00:00");
        assert_eq!(stamp(at + 7), "20260302160000007");
        assert_eq!(parse(&minute(at)), Some(at));
        assert_eq!(parse_sgt(&sgt(at)), Some(at));
        assert_eq!(parse("yesterday"), None);
    }

    #[test]
    fn durations() {
        for (text, expected) in [
            ("PT30M", 30 * MINUTE),
            ("30m", 30 * MINUTE),
            ("P1DT2H", 26 * HOUR),
            ("3d", 3 * DAY),
            ("250ms", 250),
            ("45", 45_000),
        ] {
            assert_eq!(duration(&Value::from(text)), Some(expected), "{text}");
        }
        assert_eq!(duration(&Value::from(90)), Some(90_000));
        assert_eq!(duration(&Value::from("P1M")), None);
        assert_eq!(duration(&Value::from("soon")), None);
    }
}
