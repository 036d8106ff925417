//! The part of a reply body that is the same for all operations: status, message, ids.

use crate::json::Node;
use crate::transport::millis_of_seconds;

/// Longest `msg` that is passed on.
const MAX_MESSAGE: usize = 500;

/// The part of a reply body that is the same for all operations.
#[derive(Debug, Default, Clone)]
pub(crate) struct Envelope {
    pub status: Option<i64>,
    pub message: Option<String>,
    pub request_id: Option<String>,
    pub client_request_id: Option<String>,
    pub retry_after_ms: Option<u64>,
    /// The limiter's own body: `code: 429` and no status.
    pub limited: bool,
    /// Several statuses that differ, or a status beside the limiter's code.
    pub contradictory: bool,
}

/// Keys of the envelope; `data` has the rest.
pub(crate) const ENVELOPE_KEYS: &[&str] = &["status", "msg", "requestId", "uuid", "clientRequestId"];

impl Envelope {
    /// Takes the caller's secret out of what the vendor wrote.
    pub fn redact(&mut self, secret: &str) {
        let texts = [&mut self.message, &mut self.request_id, &mut self.client_request_id];
        texts.into_iter().flatten().for_each(|text| crate::redact::redact(text, secret));
    }

    /// Reads what is there; nothing is required.
    pub fn read(body: &Node<'_>, http: u16) -> Envelope {
        let Node::Obj(members) = body else { return Envelope::default() };
        if is_server_error_page(body, http) {
            return Envelope::default();
        }
        let mut statuses = members.iter().filter(|(k, _)| k == "status").map(|(_, v)| integer(v));
        let first = statuses.next().flatten();
        let text = |key: &str| match body.get(key) {
            Some(Node::Str(s)) if !s.is_empty() => Some(s.chars().take(MAX_MESSAGE).collect::<String>()),
            Some(Node::Num(token)) => Some((*token).to_owned()),
            _ => None,
        };
        // Of a key that occurs twice, it is not known which one counts.
        let mut numbers = members.iter().filter(|(k, _)| k == "orderNo").map(|(_, v)| v);
        let first_number = numbers.next();
        let code_429 = body.get("code").and_then(integer) == Some(429);
        Envelope {
            status: first,
            message: match body.get("msg") {
                Some(Node::Str(s)) => Some(s.chars().take(MAX_MESSAGE).collect()),
                _ if code_429 => text("message"),
                _ => None,
            },
            request_id: text("requestId").or_else(|| text("uuid")),
            client_request_id: text("clientRequestId"),
            retry_after_ms: body.get("retryAfter").and_then(|v| match v {
                Node::Num(t) => millis_of_seconds(t),
                Node::Str(s) => millis_of_seconds(s),
                _ => None,
            }),
            limited: code_429 && first.is_none(),
            contradictory: statuses.any(|s| s != first)
                || numbers.any(|n| Some(n) != first_number)
                || (code_429 && first == Some(0)),
        }
    }
}

/// Whether this is the error page of the web server in front of the vendor's application, as JSON
/// (`{"timestamp":…,"status":404,"error":"Not Found","path":"/pay.do"}`): its `status` is the HTTP
/// status again. Read as a vendor code, a 404 of pay would mean "already paid".
fn is_server_error_page(body: &Node<'_>, http: u16) -> bool {
    let is_text = |key: &str| matches!(body.get(key), Some(Node::Str(_)));
    let repeats_http = http >= 400 && body.get("status").and_then(integer) == Some(i64::from(http));
    let names_place = is_text("path") && body.get("timestamp").is_some();
    is_text("error") && body.get("msg").is_none() && (repeats_http || names_place)
}

/// An integer: as number, also with a fraction of nothing (`0.0`), or as text (`"0"`).
///
/// Nothing looser: what decides over money must not be guessed from `"00"`, `"0.0"` or `0e0`.
pub(crate) fn integer(node: &Node<'_>) -> Option<i64> {
    let text = match node {
        Node::Num(token) => match token.split_once('.') {
            Some((whole, fraction)) if fraction.bytes().all(|b| b == b'0') => whole,
            _ => token,
        },
        Node::Str(s) => &**s,
        _ => return None,
    };
    let digits = text.strip_prefix('-').unwrap_or(text);
    let canonical = !digits.starts_with('+') && (digits == "0" || !digits.starts_with('0')) && text != "-0";
    text.parse().ok().filter(|_| canonical)
}
