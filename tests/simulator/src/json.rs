//! Lenient access to JSON members, and exact conversion of money amounts.

use serde_json::{Map, Value};

/// A JSON object.
pub type Object = Map<String, Value>;

/// `value` as an object; an empty one if it is none.
pub fn object(value: Value) -> Object {
    match value {
        Value::Object(map) => map,
        _ => Object::new(),
    }
}

/// The member `key`, or null.
pub fn get<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&Value::Null)
}

/// A non-empty text member.
pub fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    get(value, key).as_str().filter(|text| !text.is_empty())
}

/// An integer member, also one written as text.
pub fn int(value: &Value, key: &str) -> Option<i64> {
    as_int(get(value, key))
}

/// An integer, also one written as text.
pub fn as_int(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// A boolean member, also one written as text or as 0 or 1.
pub fn flag(value: &Value, key: &str) -> Option<bool> {
    match get(value, key) {
        Value::Bool(b) => Some(*b),
        Value::Number(n) => n.as_i64().map(|n| n != 0),
        Value::String(s) if s == "true" || s == "1" => Some(true),
        Value::String(s) if s == "false" || s == "0" => Some(false),
        _ => None,
    }
}

/// An array member, or an empty slice.
pub fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    get(value, key).as_array().map_or(&[], Vec::as_slice)
}

/// A money amount in cents from a JSON number or text with at most two decimals.
pub fn cents(value: &Value) -> Option<i64> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return None,
    };
    let (sign, digits) = text.strip_prefix('-').map_or((1, text.as_str()), |rest| (-1, rest));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = match part.len() {
        0 => 0,
        1 => part.parse::<i64>().ok()? * 10,
        2 => part.parse::<i64>().ok()?,
        _ => return None,
    };
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(part).map(|total| total * sign)
}

/// Cents as a JSON number in the vendor's form: whole amounts without a
/// fraction, others with one or two decimals. The quotient is the double
/// nearest to the decimal, so its shortest representation is the decimal itself.
pub fn money(cents: i64) -> Value {
    if cents % 100 == 0 { Value::from(cents / 100) } else { Value::from(cents as f64 / 100.0) }
}

/// Cents as text with two decimals.
pub fn money_text(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100)
}

/// Replaces every number inside `value` by text, for `quirks=drift`.
pub fn stringify_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::String(number.to_string()),
        Value::Array(items) => items.iter_mut().for_each(stringify_numbers),
        Value::Object(map) => map.values_mut().for_each(stringify_numbers),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_prints_at_most_two_decimals() {
        for cents in 0..200_000 {
            let text = money(cents).to_string();
            assert_eq!(super::cents(&Value::from(text.clone())), Some(cents), "{text}");
        }
        assert_eq!(money(8470).to_string(), "84.7");
        assert_eq!(money_text(-5), "-0.05");
    }
}
