//! Executes a vendor request: credentials, dispatch, envelope, ledger.

use crate::clock;
use crate::http::{Request, Response};
use crate::json::{Object, get, stringify_numbers, text};
use crate::operations::{Operation, operation};
use crate::world::World;
use serde_json::{Value, json};

/// The result of an operation: the payload, or a refusal.
pub type Answer = Result<Object, Refusal>;

/// A business error.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The body's `status`.
    pub code: i64,
    /// The body's `msg`.
    pub message: String,
    /// Payload fields that are sent with the refusal.
    pub extra: Object,
}

impl Refusal {
    /// A refusal without payload.
    pub fn new(code: i64, message: &str) -> Self {
        Self { code, message: message.to_owned(), extra: Object::new() }
    }
}

/// A refusal with this code.
pub fn refuse<T>(code: i64, message: &str) -> Result<T, Refusal> {
    Err(Refusal::new(code, message))
}

/// Refuses a body of the wrong shape with 9999, as the vendor's sandbox does.
pub fn refuse_shape<T>() -> Result<T, Refusal> {
    refuse(9999, "System error")
}

/// A text that may be missing, null or empty; another type is refused.
pub fn optional<'a>(body: &'a Value, key: &str) -> Result<Option<&'a str>, Refusal> {
    match get(body, key) {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        _ => refuse(901, &format!("{key} is no text")),
    }
}

/// A required text; if it is missing the request is refused with `code`.
pub fn required<'a>(body: &'a Value, key: &str, code: i64) -> Result<&'a str, Refusal> {
    match optional(body, key)? {
        Some(text) => Ok(text),
        None => refuse(code, &format!("illegal request param: {key} is required")),
    }
}

/// Executes a request and gives the response.
pub fn execute(world: &mut World, request: &Request) -> Response {
    let Some(operation) = operation(&request.path) else {
        return Response::html(404, "Not Found", "The requested resource is not available.");
    };
    if request.method != "POST" {
        return Response::html(405, "Method Not Allowed", "Only POST is allowed here.");
    }
    world.repeated = false;
    let parsed = parse(request);
    let answer = match &parsed {
        Ok(body) => (operation.run)(world, body),
        Err(refusal) => Err(refusal.clone()),
    };
    let body = parsed.unwrap_or_default();
    if operation.submit {
        record_in_ledger(world, operation, &body, &answer);
    }
    Response::json(200, &envelope(world, operation, answer))
}

fn parse(request: &Request) -> Result<Value, Refusal> {
    let id = request.header("x-atlas-client-id").unwrap_or_default();
    let secret = request.header("x-atlas-client-secret").unwrap_or_default();
    if id.is_empty() || secret.is_empty() || secret == "wrong" {
        return refuse(900, "The client is not authorized");
    }
    // These two reads need no parameters; older versions of the API had no body for them.
    let bodyless = ["/orderList.do", "/balance.do"].contains(&request.path.as_str());
    if request.body.is_empty() && bodyless {
        return Ok(json!({}));
    }
    match serde_json::from_slice::<Value>(&request.body) {
        Ok(body) if body.is_object() => Ok(body),
        _ => refuse(901, "The request body is not valid JSON"),
    }
}

fn envelope(world: &World, operation: &Operation, answer: Answer) -> Value {
    let quirks = !world.profile.is("quirks", "off");
    let (status, message, payload) = match answer {
        Ok(payload) => (0, operation.message.map(str::to_owned), payload),
        Err(refusal) => (refusal.code, Some(refusal.message), refusal.extra),
    };
    let mut reply = Object::new();
    if status != 0 && quirks {
        reply.extend(operation.fields.split_whitespace().map(|field| (field.to_owned(), Value::Null)));
    }
    reply.extend(payload);
    let mut reply = Value::Object(reply);
    let drift = world.profile.is("quirks", "drift");
    if drift {
        stringify_numbers(&mut reply);
    }
    if let Some(map) = reply.as_object_mut() {
        // The vendor's schema of pnrClaim is the only one that types the status as a string.
        let as_text = drift && operation.name == "pnrClaim";
        map.insert("status".into(), if as_text { status.to_string().into() } else { status.into() });
        map.insert("msg".into(), message.map_or(Value::Null, Value::from));
        if drift {
            map.insert("requestId".into(), Value::Null);
        }
    }
    reply
}

fn record_in_ledger(world: &mut World, operation: &Operation, body: &Value, answer: &Answer) {
    let reply = |key: &str| answer.as_ref().ok().and_then(|reply| reply.get(key)).and_then(Value::as_str);
    let asked = ["orderNo", "ticketOrderNo", "originalOrderNo"].iter().find_map(|key| text(body, key));
    let offer = ["refundOfferId", "voidOfferId"].iter().find_map(|key| text(body, key));
    let row = json!({
        "seq": world.ledger.len() + 1,
        "at": clock::utc(world.now),
        "endpoint": operation.name,
        "orderNo": asked.or(reply("orderNo")),
        "offerId": offer.or(reply("refundOfferId")),
        "code": answer.as_ref().map_or_else(|refusal| refusal.code, |_| 0),
        "executed": answer.is_ok() && !world.repeated,
        "result": reply("refundCode").or(reply("voidCode")).or(reply("orderNo")),
    });
    world.ledger.push(row);
}
