//! parseWebhook: reads a notification of the vendor. No network.

use std::fmt::Write as _;

use crate::digest::fnv1a;
use crate::error::{Error, ErrorCode};
use crate::json::{Node, write_str};
use crate::reply::Reply;
use crate::wire::{Path, Warnings, event_shape, whole, write_object};

/// Largest notification in bytes: anybody may send one; the vendor's have a few kilobytes.
const LARGEST_EVENT: usize = 1 << 20;

/// Keys of a notification that are not its payload.
const EVENT_KEYS: &[&str] = &["cid", "type", "status", "notificationId", "requestSource"];

/// Reads a notification's body. Unknown types are not an error: what is unsigned must not be able to stop a receiver.
pub(crate) fn parse_webhook(body: &str) -> Reply {
    const NAME: &str = "parseWebhook";
    if body.len() > LARGEST_EVENT {
        let message = format!("a notification has {LARGEST_EVENT} bytes at most");
        return Reply::failed(NAME, Error::new(ErrorCode::BadRequest, message));
    }
    let event = match Node::parse(body) {
        Ok(event @ Node::Obj(_)) => event,
        Ok(other) => {
            let message = format!("a notification is an object, not {}", other.type_name());
            return Reply::failed(NAME, Error::new(ErrorCode::BadRequest, message));
        }
        Err(e) => {
            let message = format!("the notification is not JSON: {e}");
            return Reply::failed(NAME, Error::new(ErrorCode::BadJson, message));
        }
    };
    let text = |key: &str| event.get(key).and_then(scalar);
    // The flat form of older events has no `data`.
    let payload = match event.get("data") {
        Some(data @ Node::Obj(_)) => data,
        _ => &event,
    };
    let event_type = event_shape(text("type").as_deref(), payload.get("refundStatus").is_some());
    let of_payload = |key: &str| if key.is_empty() { None } else { payload.get(key).and_then(scalar) };
    let order = of_payload("orderNo").or_else(|| of_payload("addonOrderNo"));
    let code = of_payload(event_type.code);
    let state = of_payload(event_type.state);
    let notification = text("notificationId");
    let dedupe = match &notification {
        Some(id) => format!("{}:{id}", text("type").unwrap_or_default()),
        // A code, or the state of an order, distinguishes events; the others only differ in their text.
        None if order.is_none() || !event_type.is_identified_by_state() => {
            format!("{}:{:016x}", text("type").unwrap_or_default(), fnv1a(body.as_bytes()))
        }
        None => {
            let part = |p: &Option<String>| p.clone().unwrap_or_default();
            format!("{}:{}:{}:{}", event_type.name, part(&order), part(&code), part(&state))
        }
    };
    let mut data = String::new();
    let mut warnings = Warnings::default();
    if let Node::Obj(members) = payload {
        let skip: &[&str] = if std::ptr::eq(payload, &event) { EVENT_KEYS } else { &[] };
        write_object(event_type.shape, members, skip, &Path::Root, &mut data, &mut warnings);
    }
    Reply::local(NAME, warnings, |out| {
        let mut first = true;
        let mut put = |key: &str, value: Option<&str>, out: &mut String| {
            let _ = write!(out, "{}\"{key}\":", if first { "{" } else { "," });
            first = false;
            match value {
                Some(value) => write_str(value, out),
                None => out.push_str("null"),
            }
        };
        put("type", event.get("type").and_then(Node::as_str), out);
        put("kind", Some(event_type.kind), out);
        put("orderNo", order.as_deref(), out);
        put("code", code.as_deref(), out);
        match state.as_deref().and_then(whole) {
            Some(number) => {
                let _ = write!(out, ",\"state\":{number}");
            }
            None => put("state", state.as_deref(), out),
        }
        put("cid", text("cid").as_deref(), out);
        put("notificationId", notification.as_deref(), out);
        put("dedupeKey", Some(&dedupe), out);
        put("hint", event_type.hint, out);
        let _ = write!(out, ",\"data\":{data}}}");
    })
}

/// Text or number as text.
fn scalar(node: &Node<'_>) -> Option<String> {
    match node {
        Node::Str(s) if !s.is_empty() => Some(s.to_string()),
        Node::Num(token) => Some((*token).to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_larger_than_any_is_refused() {
        let event = |size: usize| format!(r#"{{"type":"order.void","note":"{}"}}"#, "a".repeat(size));
        assert_eq!(parse_webhook(&event(LARGEST_EVENT)).error().map(|e| e.code), Some(ErrorCode::BadRequest));
        assert!(parse_webhook(&event(LARGEST_EVENT / 2)).error().is_none());
    }
}
