//! The value types of typed messages, beside [`super::Amount`].
//!
//! They hold the reply's text, because the vendor may send anything: a date that is no date stays
//! readable with `as_str`, and the conversion returns `None`.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;

use super::moment::Clock;
use super::shape::{Kind, Value};
use crate::json::write_str;

/// A vendor code: a number of an open enumeration, or text that is not a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Code {
    /// What the contract lists: `2`, `-3`.
    Number(i64),
    /// Anything else, as it came.
    Other(String),
}

impl Code {
    /// The number, if it is one.
    pub fn number(&self) -> Option<i64> {
        match self {
            Code::Number(n) => Some(*n),
            Code::Other(_) => None,
        }
    }
}

impl From<i64> for Code {
    fn from(n: i64) -> Code {
        Code::Number(n)
    }
}

impl PartialEq<i64> for Code {
    fn eq(&self, other: &i64) -> bool {
        self.number() == Some(*other)
    }
}

impl Value for Code {
    const KIND: Kind = Kind::Code;
    fn write_complete(&self, out: &mut String) {
        match self {
            Code::Number(n) => {
                let _ = write!(out, "{n}");
            }
            Code::Other(text) => write_str(text, out),
        }
    }
}

/// A number that is not money (minutes, kilograms, percent), with the wire's digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Number(String);

impl Number {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// The value, if it is whole and fits.
    pub fn to_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }
    /// A rate, such as requests per second, in its shortest decimal form; `None` if it is not finite.
    pub(crate) fn from_f64(n: f64) -> Option<Number> {
        n.is_finite().then(|| Number(n.to_string()))
    }
}

impl From<i64> for Number {
    fn from(n: i64) -> Number {
        Number(n.to_string())
    }
}

impl Value for Number {
    const KIND: Kind = Kind::Number;
    fn write_complete(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Number, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(d)?;
        match raw.get().as_bytes().first() {
            Some(b'-' | b'0'..=b'9') => Ok(Number(raw.get().to_owned())),
            _ => Err(serde::de::Error::custom("not a number")),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let raw = serde_json::value::RawValue::from_string(self.0.clone()).map_err(serde::ser::Error::custom)?;
        raw.serialize(s)
    }
}

macro_rules! time_text {
    ($(#[doc = $doc:literal] $name:ident $kind:expr;)*) => { $(
        #[doc = $doc]
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The ISO 8601 text (or what the vendor sent, if that is no time).
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl From<&str> for $name {
            fn from(text: &str) -> $name {
                $name(text.to_owned())
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
        impl Value for $name {
            const KIND: Kind = $kind;
            fn write_complete(&self, out: &mut String) {
                write_str(&self.0, out);
            }
        }
    )* };
}

time_text! {
    /// A calendar day: `2025-05-22`.
    Date Kind::Time(Clock::Day);
    /// An airport-local time, without an offset: `2024-08-20T08:10`.
    LocalTime Kind::Time(Clock::Local);
    /// A moment with its offset: `2025-08-05T17:24:48+08:00` (the vendor's own clock) or `…Z`.
    Instant Kind::Time(Clock::Singapore);
}

impl Date {
    /// The day, or `None` if the vendor sent something else.
    pub fn to_date(&self) -> Option<time::Date> {
        let mut parts = self.0.splitn(3, '-');
        let year = parts.next()?.parse().ok()?;
        let month = parts.next()?.parse::<u8>().ok()?;
        let day = parts.next()?.parse().ok()?;
        time::Date::from_calendar_date(year, time::Month::try_from(month).ok()?, day).ok()
    }
}

impl Instant {
    /// The moment, or `None` if the vendor sent something else.
    pub fn to_offset_date_time(&self) -> Option<time::OffsetDateTime> {
        time::OffsetDateTime::parse(&self.0, &Rfc3339).ok()
    }
}
