//! Amounts: decimal text with the wire's own digits.
//!
//! An amount never passes through a float and is never rounded: `84.70` stays `"84.70"`, an exponent
//! is written out (`2.5e1` → `"25"`), minus zero loses its sign. Money is computed with
//! [`rust_decimal::Decimal`] ([`Amount::to_decimal`]), which holds 28 digits.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::shape::{Kind, Value};
use crate::json::write_str;

/// More digits than this are no amount of money; the bound also stops `1e999999999`.
const MAX_DIGITS: usize = 64;

/// An exact decimal amount in major units, as text: `"84.70"`.
///
/// The currency stands in a field beside it. Two amounts are equal when their texts are; compare
/// values with [`Amount::to_decimal`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Amount(String);

/// Normalised replies have text, requests as they are sent have numbers; neither goes through a float.
impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Amount, D::Error> {
        let raw = Box::<serde_json::value::RawValue>::deserialize(d)?;
        if raw.get().starts_with('"') {
            return serde_json::from_str(raw.get()).map(Amount).map_err(serde::de::Error::custom);
        }
        Amount::parse(raw.get()).ok_or_else(|| serde::de::Error::custom("not an amount"))
    }
}

impl Amount {
    /// Reads a decimal number (`84.70`, `-3`, `2.5e1`); `None` if it is not one or has more than 64 digits.
    pub fn parse(text: &str) -> Option<Amount> {
        let mut out = String::with_capacity(text.len());
        write_amount(text, &mut out).then_some(Amount(out))
    }

    /// The digits, as they were on the wire.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value, or `None` beyond 28 digits.
    pub fn to_decimal(&self) -> Option<rust_decimal::Decimal> {
        rust_decimal::Decimal::from_str_exact(&self.0).ok()
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Value for Amount {
    const KIND: Kind = Kind::Amount;
    /// As text: a number would pass through a float in most JSON readers.
    fn write_complete(&self, out: &mut String) {
        write_str(&self.0, out);
    }
}

/// Appends the amount in plain notation; `false` (and nothing appended) if `text` is no decimal number.
pub(crate) fn write_amount(text: &str, out: &mut String) -> bool {
    let text = text.trim();
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        None => (unsigned, 0),
        Some((m, e)) => match e.parse::<i32>() {
            Ok(e) if e.unsigned_abs() as usize <= MAX_DIGITS => (m, e),
            _ => return false,
        },
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        None => (mantissa, ""),
        Some((_, "")) => return false,
        Some(parts) => parts,
    };
    let digits_only = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !digits_only(whole) || !digits_only(fraction) || whole.len() + fraction.len() > MAX_DIGITS {
        return false;
    }
    let start = out.len();
    if exponent == 0 {
        let whole = whole.trim_start_matches('0');
        out.push_str(if whole.is_empty() { "0" } else { whole });
        if !fraction.is_empty() {
            out.push('.');
            out.push_str(fraction);
        }
    } else {
        shift(whole, fraction, exponent, out);
    }
    let is_zero = out.get(start..).unwrap_or_default().bytes().all(|b| matches!(b, b'0' | b'.'));
    if negative && !is_zero {
        out.insert(start, '-');
    }
    true
}

/// Writes `whole.fraction × 10^exponent` without an exponent.
fn shift(whole: &str, fraction: &str, exponent: i32, out: &mut String) {
    let digits = [whole, fraction].concat();
    // The decimal point's position, counted from the first digit; it may lie outside the digits.
    let point = whole.len() as i64 + i64::from(exponent);
    let (mut integer, decimals) = if point <= 0 {
        (String::new(), ["0".repeat(point.unsigned_abs() as usize).as_str(), &digits].concat())
    } else if point as usize >= digits.len() {
        ([digits.as_str(), &"0".repeat(point as usize - digits.len())].concat(), String::new())
    } else {
        let (i, d) = digits.split_at(point as usize);
        (i.to_owned(), d.to_owned())
    };
    integer.drain(..integer.len() - integer.trim_start_matches('0').len());
    out.push_str(if integer.is_empty() { "0" } else { &integer });
    if !decimals.is_empty() {
        out.push('.');
        out.push_str(&decimals);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn keeps_the_wires_digits() {
        for (wire, want) in [
            ("84.70", "84.70"),
            ("0", "0"),
            ("-0", "0"),
            ("-0.00", "0.00"),
            ("2e2", "200"),
            ("2.50e1", "25.0"),
            ("1E-3", "0.001"),
            ("12.5e-1", "1.25"),
            ("12345678901234567890.10", "12345678901234567890.10"),
            (" 350 ", "350"),
            ("007.50", "7.50"),
            ("+1.5", "1.5"),
            ("-12.30", "-12.30"),
            ("0e5", "0"),
        ] {
            assert_eq!(Amount::parse(wire).map(|a| a.0).as_deref(), Some(want), "{wire}");
        }
        for bad in ["", "abc", "1,234.50", "480.00 CNY", "1e999999999", "1.", ".5", "--1", "0x10", "1e", "NaN"] {
            assert_eq!(Amount::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn is_read_from_text_and_from_numbers() {
        let read = |json: &str| serde_json::from_str::<Amount>(json).ok().map(|a| a.0);
        assert_eq!(read("\"84.70\"").as_deref(), Some("84.70"));
        assert_eq!(read("84.70").as_deref(), Some("84.70"), "as a request has it that is ready to be sent");
        assert_eq!(read("2.5e1").as_deref(), Some("25"));
        assert_eq!(read("true"), None);
    }

    proptest! {
        /// rust_decimal is the oracle for the value; the text must be plain.
        #[test]
        fn has_the_value_of_the_wire(whole in 0u64..1_000_000_000, fraction in "[0-9]{0,6}", e in -8i32..8) {
            let wire = if fraction.is_empty() { format!("{whole}e{e}") } else { format!("{whole}.{fraction}e{e}") };
            let ours = Amount::parse(&wire).unwrap();
            prop_assert!(!ours.as_str().contains(['e', 'E']));
            prop_assert_eq!(Amount::parse(ours.as_str()).unwrap(), ours.clone(), "read again, it is the same text");
            prop_assert_eq!(ours.to_decimal().unwrap(), rust_decimal::Decimal::from_scientific(&wire).unwrap());
        }
    }
}
