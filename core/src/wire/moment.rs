//! Dates and times: the forms that the vendor writes, and the one ISO 8601 form of each in replies.
//!
//! The vendor has four clocks: calendar days (`yyyyMMdd`), airport-local flight times
//! (`yyyyMMddHHmm`, no zone), its own Singapore time (`yyyy-MM-dd HH:mm:ss`, always +08:00) and UTC
//! (`…T…Z`). Sources: contract, common-errors-guides 3.4 (2026).

use time::{Date, Month, Time, UtcOffset};

/// A time as its parts; which of them exist depends on the clock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moment {
    date: Date,
    time: Option<Time>,
    /// Seconds were written (flight times have none).
    seconds: bool,
    offset: Option<UtcOffset>,
}

/// Which of the vendor's clocks a field uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// A calendar day; wire `yyyyMMdd`.
    Day,
    /// Airport-local minutes; wire `yyyyMMddHHmm`.
    Local,
    /// Airport-local minutes; wire `yyyy-MM-dd HH:mm` (extractPnr's request only).
    LocalSpaced,
    /// The vendor's own clock, UTC+8; wire `yyyy-MM-dd HH:mm:ss`.
    Singapore,
    /// UTC; wire `yyyy-MM-dd'T'HH:mm:ss'Z'`.
    Utc,
}

const SINGAPORE: UtcOffset = match UtcOffset::from_hms(8, 0, 0) {
    Ok(offset) => offset,
    Err(_) => UtcOffset::UTC,
};

impl Clock {
    /// Reads the vendor's or the ISO form; `None` if it is neither (or has an offset that this clock forbids).
    pub fn read(self, text: &str) -> Option<Moment> {
        let text = text.trim();
        let mut m = Moment::parse(text)?;
        match self {
            Clock::Day => (m.time.is_none() && m.offset.is_none()).then_some(m),
            Clock::Local | Clock::LocalSpaced => (m.time.is_some() && m.offset.is_none()).then_some(m),
            Clock::Singapore | Clock::Utc => {
                m.time?;
                m.seconds = true;
                m.offset.get_or_insert(if self == Clock::Utc { UtcOffset::UTC } else { SINGAPORE });
                Some(m)
            }
        }
    }

    /// Reads a caller's value: as [`Clock::read`], but a UTC field must say its offset, because a
    /// bare time may be the caller's own zone.
    pub fn read_request(self, text: &str) -> Result<Moment, &'static str> {
        let m = Moment::parse(text.trim()).ok_or(self.expected())?;
        let ok = match self {
            Clock::Day => m.time.is_none(),
            Clock::Local | Clock::LocalSpaced => m.time.is_some() && m.offset.is_none(),
            Clock::Singapore => m.time.is_some(),
            Clock::Utc => m.time.is_some() && m.offset.is_some(),
        };
        if !ok {
            return Err(self.expected());
        }
        self.read(text).ok_or(self.expected())
    }

    /// What a caller should write, for error messages.
    pub fn expected(self) -> &'static str {
        match self {
            Clock::Day => "a date like 2025-05-22 (or 20250522)",
            Clock::Local | Clock::LocalSpaced => {
                "an airport-local time without an offset, like 2024-08-20T08:10 (or 202408200810)"
            }
            Clock::Singapore => "a time like 2025-08-05T17:24:48+08:00",
            Clock::Utc => "a time with its offset, like 2024-11-22T01:07:10Z",
        }
    }

    /// What a text is that [`Clock::read_request`] refuses, for error messages.
    pub fn found(self, text: &str) -> &'static str {
        match (Moment::parse(text.trim()), self) {
            (None, _) => "this text",
            (Some(m), Clock::Day) if m.time.is_some() => "a text with a time of day",
            (Some(m), Clock::Local | Clock::LocalSpaced | Clock::Singapore | Clock::Utc) if m.time.is_none() => {
                "a text without a time of day"
            }
            (Some(m), Clock::Utc) if m.offset.is_none() => "a text without an offset",
            (Some(m), Clock::Day | Clock::Local | Clock::LocalSpaced) if m.offset.is_some() => "a text with an offset",
            _ => "this text",
        }
    }

    /// The form the vendor's server reads.
    pub fn write_wire(self, m: &Moment, out: &mut String) {
        let m = match (self, m.offset) {
            (Clock::Utc, Some(_)) => m.to_offset(UtcOffset::UTC),
            (Clock::Singapore, Some(_)) => m.to_offset(SINGAPORE),
            _ => *m,
        };
        let (y, mo, d) = (m.date.year(), u8::from(m.date.month()), m.date.day());
        let (h, mi, s) = m.time.unwrap_or(Time::MIDNIGHT).as_hms();
        let text = match self {
            Clock::Day => format!("{y:04}{mo:02}{d:02}"),
            Clock::Local => format!("{y:04}{mo:02}{d:02}{h:02}{mi:02}"),
            Clock::LocalSpaced => format!("{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}"),
            Clock::Singapore => format!("{y:04}-{mo:02}-{d:02} {h:02}:{mi:02}:{s:02}"),
            Clock::Utc => format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}Z"),
        };
        out.push_str(&text);
    }
}

impl Moment {
    /// Reads every form seen anywhere in the contract.
    fn parse(text: &str) -> Option<Moment> {
        let b = text.as_bytes();
        if matches!(b.len(), 8 | 12 | 14) && b.iter().all(u8::is_ascii_digit) {
            let date = date(text.get(0..4)?, text.get(4..6)?, text.get(6..8)?)?;
            let seconds = b.len() == 14;
            let time = match b.len() {
                8 => None,
                12 => Some(clock_time(text.get(8..10)?, text.get(10..12)?, "00")?),
                _ => Some(clock_time(text.get(8..10)?, text.get(10..12)?, text.get(12..14)?)?),
            };
            return Some(Moment { date, time, seconds, offset: None });
        }
        if b.get(4) != Some(&b'-') || b.get(7) != Some(&b'-') {
            return None;
        }
        let date = date(text.get(0..4)?, text.get(5..7)?, text.get(8..10)?)?;
        match b.get(10) {
            None => return Some(Moment { date, time: None, seconds: false, offset: None }),
            Some(b' ' | b'T' | b't') if b.get(13) == Some(&b':') => {}
            _ => return None,
        }
        let (h, mi) = (text.get(11..13)?, text.get(14..16)?);
        let mut rest = text.get(16..)?;
        let seconds = rest.starts_with(':');
        let time = if seconds {
            let s = rest.get(1..3)?;
            rest = rest.get(3..)?;
            clock_time(h, mi, s)?
        } else {
            clock_time(h, mi, "00")?
        };
        let mut time = time;
        if let Some(fraction) = rest.strip_prefix('.') {
            let n = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if !(1..=9).contains(&n) || !seconds {
                return None;
            }
            let nanos: u32 = format!("{:0<9}", fraction.get(..n)?).parse().ok()?;
            time = time.replace_nanosecond(nanos).ok()?;
            rest = fraction.get(n..)?;
        }
        // Incident notices label their zone: "2024-01-05 10:54:21 UTC+08:00".
        let rest = rest.strip_prefix(" UTC").unwrap_or(rest);
        let offset = match rest {
            "" => None,
            "Z" | "z" => Some(UtcOffset::UTC),
            _ => Some(offset(rest)?),
        };
        Some(Moment { date, time: Some(time), seconds, offset })
    }

    fn to_offset(self, to: UtcOffset) -> Moment {
        let (Some(time), Some(from)) = (self.time, self.offset) else { return self };
        match time::PrimitiveDateTime::new(self.date, time).assume_offset(from).checked_to_offset(to) {
            Some(t) => Moment { date: t.date(), time: Some(t.time()), offset: Some(to), ..self },
            None => self,
        }
    }

    /// ISO 8601: the day, or day and time, with `Z` or `+hh:mm` where the clock has an offset.
    pub fn write_iso(&self, out: &mut String) {
        push_number(self.date.year().unsigned_abs(), 4, out);
        out.push('-');
        push_number(u32::from(u8::from(self.date.month())), 2, out);
        out.push('-');
        push_number(u32::from(self.date.day()), 2, out);
        let Some(time) = self.time else { return };
        out.push('T');
        push_number(u32::from(time.hour()), 2, out);
        out.push(':');
        push_number(u32::from(time.minute()), 2, out);
        if self.seconds {
            out.push(':');
            push_number(u32::from(time.second()), 2, out);
            if time.nanosecond() > 0 {
                let nanos = format!("{:09}", time.nanosecond());
                out.push('.');
                out.push_str(nanos.trim_end_matches('0'));
            }
        }
        match self.offset {
            None => {}
            Some(o) if o.is_utc() => out.push('Z'),
            Some(o) => {
                let (h, m, _) = o.as_hms();
                out.push(if o.is_negative() { '-' } else { '+' });
                push_number(u32::from(h.unsigned_abs()), 2, out);
                out.push(':');
                push_number(u32::from(m.unsigned_abs()), 2, out);
            }
        }
    }
}

fn push_number(n: u32, width: u32, out: &mut String) {
    if width == 4 {
        push_number(n / 100 % 100, 2, out);
    }
    out.push(char::from(b'0' + (n / 10 % 10) as u8));
    out.push(char::from(b'0' + (n % 10) as u8));
}

fn number(text: &str) -> Option<u16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

fn date(y: &str, m: &str, d: &str) -> Option<Date> {
    let month = Month::try_from(u8::try_from(number(m)?).ok()?).ok()?;
    Date::from_calendar_date(i32::from(number(y)?), month, u8::try_from(number(d)?).ok()?).ok()
}

fn clock_time(h: &str, m: &str, s: &str) -> Option<Time> {
    let part = |t: &str| number(t).and_then(|n| u8::try_from(n).ok());
    Time::from_hms(part(h)?, part(m)?, part(s)?).ok()
}

fn offset(text: &str) -> Option<UtcOffset> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1i8, text.get(1..)?),
        b'-' => (-1i8, text.get(1..)?),
        _ => return None,
    };
    let (h, m) = match rest.len() {
        2 => (rest, "00"),
        4 => (rest.get(..2)?, rest.get(2..)?),
        5 if rest.as_bytes().get(2) == Some(&b':') => (rest.get(..2)?, rest.get(3..)?),
        _ => return None,
    };
    let part = |t: &str| number(t).and_then(|n| i8::try_from(n).ok());
    UtcOffset::from_hms(sign * part(h)?, sign * part(m)?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(clock: Clock, text: &str) -> Option<String> {
        clock.read(text).map(|m| {
            let mut s = String::new();
            m.write_iso(&mut s);
            s
        })
    }

    #[test]
    fn reads_every_documented_form() {
        for (clock, wire, want) in [
            (Clock::Day, "20250522", "2025-05-22"),
            (Clock::Day, "2025-05-22", "2025-05-22"),
            (Clock::Local, "202408200810", "2024-08-20T08:10"),
            (Clock::Local, "2025-07-27 13:00", "2025-07-27T13:00"),
            (Clock::Local, "2023-07-24 21:30:00", "2023-07-24T21:30:00"),
            (Clock::Singapore, "2025-08-05 17:24:48", "2025-08-05T17:24:48+08:00"),
            (Clock::Singapore, "2024-01-05 10:54:21 UTC+08:00", "2024-01-05T10:54:21+08:00"),
            (Clock::Utc, "2024-11-22T01:07:10Z", "2024-11-22T01:07:10Z"),
            (Clock::Utc, "2024-11-22 01:07:10", "2024-11-22T01:07:10Z"),
        ] {
            assert_eq!(iso(clock, wire).as_deref(), Some(want), "{wire}");
        }
        for (clock, wire) in [
            (Clock::Day, "20250230"),
            (Clock::Day, "string"),
            (Clock::Local, "202408202510"),
            (Clock::Local, "2024-08-20T08:10+02:00"),
            (Clock::Singapore, "20250101"),
            (Clock::Day, "********"),
        ] {
            assert_eq!(iso(clock, wire), None, "{wire}");
        }
    }

    #[test]
    fn requests_send_the_vendors_form() {
        for (clock, given, want) in [
            (Clock::Day, "2025-05-22", "20250522"),
            (Clock::Local, "2024-08-20T08:10", "202408200810"),
            (Clock::LocalSpaced, "2025-07-27T13:00", "2025-07-27 13:00"),
            (Clock::Utc, "2024-11-22T09:07:10+08:00", "2024-11-22T01:07:10Z"),
            (Clock::Utc, "2024-11-22T01:07:10Z", "2024-11-22T01:07:10Z"),
        ] {
            let mut out = String::new();
            clock.write_wire(&clock.read_request(given).unwrap(), &mut out);
            assert_eq!(out, want);
        }
        assert!(Clock::Utc.read_request("2024-11-22T01:07:10").is_err(), "a bare time may be any zone");
        assert!(Clock::Local.read_request("2024-08-20T08:10Z").is_err());
    }
}
