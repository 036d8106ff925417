//! What the outcome of an answer may be, by an account of its own: the table of `tests/vectors`, and plain words.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::{contains, is_submit};

/// HTTP statuses by which a server says that it did not take a request.
const REFUSING: [u16; 7] = [401, 403, 404, 405, 413, 415, 429];

/// The outcome of every operation and vendor code.
static CODES: LazyLock<HashMap<(String, i64), String>> = LazyLock::new(|| {
    let file: Value = serde_json::from_str(include_str!("../../tests/vectors/codes.json")).unwrap();
    let row = |vector: &Value| {
        let code = vector["server"][0]["answer"]["body"]["status"].as_i64()?;
        let operation = vector["operation"].as_str()?.to_owned();
        Some(((operation, code), vector["expect"]["outcome"].as_str()?.to_owned()))
    };
    file["vectors"].as_array().unwrap().iter().filter_map(row).collect()
});

/// Asserts that a whole answer with this HTTP status and body may have this outcome. `http` is 0 if none came.
pub fn check_outcome(operation: &str, http: u16, body: &[u8], outcome: &str) {
    if !is_submit(operation) {
        assert!(matches!(outcome, "executed" | "not_executed"), "{operation} {http}: {outcome}");
        return;
    }
    let shown = || format!("{operation} {http} {outcome}: {}", String::from_utf8_lossy(body));
    if outcome == "executed" || outcome == "not_executed" {
        assert_ne!(http, 0, "settled without an answer: {}", shown());
    }
    if has_no_status(body) {
        // Not the vendor's answer: the HTTP status alone decides, and never for "executed".
        assert_ne!(outcome, "executed", "{}", shown());
        assert!(outcome == "unknown" || REFUSING.contains(&http), "{}", shown());
    }
    let Some(object) = plain_object(body) else { return };
    match object.get("status") {
        Some(Value::Number(number)) if number.is_i64() && !looks_like_server(&object) => {
            let code = number.as_i64().unwrap_or_default();
            let table = CODES.get(&(operation.to_owned(), code)).map(String::as_str);
            let by_table = if code == 0 { "executed" } else { table.unwrap_or("unknown") };
            // Another order's number, or one of an effect beside a refusal, makes it unknown.
            assert!(outcome == by_table || outcome == "unknown" || object.contains_key("code"), "{}", shown());
            // Setting an address twice is harmless.
            for key in ["refundCode", "voidCode"].iter().filter(|_| operation != "updateWebhookURL") {
                let has_number = object.get(*key).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
                assert!(
                    outcome != "not_executed" || !has_number,
                    "a refusal with the number of an effect: {}",
                    shown()
                );
            }
        }
        // Text counts only if it is written as a number is.
        Some(Value::String(text)) if text.parse::<i64>().map_or(true, |code| code.to_string() != *text) => {
            assert_ne!(outcome, "executed", "{}", shown());
            let may_be = outcome == "unknown" || REFUSING.contains(&http) || object.contains_key("code");
            assert!(may_be, "{}", shown());
        }
        Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
            assert_ne!(outcome, "executed", "{}", shown());
        }
        _ => {}
    }
}

/// Whether nothing in this body can be the vendor's status or the limiter's code, in any reading.
fn has_no_status(body: &[u8]) -> bool {
    // In UTF-16 each letter has a NUL beside it; a key may be written with escapes.
    let letters: Vec<u8> = body.iter().copied().filter(|byte| *byte != 0).collect();
    !contains(&letters, b"status") && !contains(&letters, b"code") && !letters.contains(&b'\\')
}

/// A body that has one reading: JSON without escapes, and with one status and one code at most.
fn plain_object(body: &[u8]) -> Option<Map<String, Value>> {
    let text = std::str::from_utf8(body).ok()?;
    let is_once = |word: &str| text.matches(word).count() <= 1;
    let is_plain = !text.contains('\\') && ["\"status\"", "\"code\"", "\"orderNo\""].into_iter().all(is_once);
    match is_plain.then(|| serde_json::from_str(text).ok())?? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// The error page of a web server as JSON has its own `status`.
fn looks_like_server(object: &Map<String, Value>) -> bool {
    object.contains_key("error")
}
