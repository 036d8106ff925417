//! Schema drift: every position of every complete answer is replaced by values of all types. Each time there
//! must be a reply, and a success only if the vendor's answer is one.

use atlas_postbooking::dispatch;
use serde_json::{Value, json};

use crate::callers::{Answer, Call, Caller, answer_of};
use crate::server::Server;
use crate::vector::{Answer as Scripted, Listen, Step, Vector, Verb, bytes_of};

/// The counts of the test.
#[derive(Default)]
pub struct Drift {
    pub cases: usize,
    pub failed: Vec<String>,
    /// The number of cases that also ran through the second caller.
    pub shared: usize,
}

/// The field of the answer that echoes the request. With another value, a submit's outcome is unknown.
const ECHOES: &[(&str, &str)] = &[
    ("refund", "orderNo"),
    ("void", "orderNo"),
    ("stopTicket", "orderNo"),
    ("pay", "orderNo"),
    ("refundQuotation", "orderNo"),
    ("voidQuotation", "orderNo"),
    ("queryRefundOrders", "orderNo"),
    ("queryVoidOrders", "orderNo"),
    ("queryOrderDetails", "orderNo"),
];

const SUBMITS: &[&str] = &[
    "refund",
    "void",
    "postBookingAncillaryOrder",
    "regenerateOrder",
    "stopTicket",
    "pnrClaim",
    "pay",
    "updateWebhookURL",
];

/// The vectors with one complete answer that is a JSON object.
fn is_subject(vector: &Vector) -> bool {
    let [Step { answer: Some(answer), .. }] = &vector.server[..] else { return false };
    let plain = vector.listen == Listen::Plain && vector.proxy.is_none() && vector.times.is_none();
    let whole = answer.cut.is_none() && answer.delay_ms.is_none() && answer.trickle_ms.is_none();
    let subject = matches!(vector.theme.as_str(), "samples" | "void" | "normalise");
    let value = answer.body.as_ref().map(|b| serde_json::from_str::<Value>(b.get()).unwrap_or_default());
    subject
        && plain
        && whole
        && vector.config.is_none()
        && vector.verb == Verb::Call
        && !vector.name.ends_with("request")
        && value.is_some_and(|v| v.is_object())
}

/// Changes every position of every answer.
pub fn run<'v>(vectors: impl Iterator<Item = &'v Vector>, mut other: Option<&mut dyn Caller>) -> Drift {
    let mut drift = Drift::default();
    let server = Server::start(&[], None).expect("a server");
    let config = format!(
        r#"{{"baseUrl":"http://127.0.0.1:{}","clientId":"vector-client","clientSecret":"vector-secret-0001","retry":{{"maxAttempts":1}}}}"#,
        server.port
    );
    let Ok(client) = dispatch::open(config.as_bytes()) else { panic!("no client") };
    for vector in vectors.filter(|v| is_subject(v)) {
        let body = vector.server[0].answer.as_ref().and_then(|a| a.body.as_ref()).expect("a body");
        let body: Value = serde_json::from_str(body.get()).expect("JSON");
        let request = bytes_of(vector.request.as_ref());
        for (what, changed) in mutations(&body) {
            let text = changed.to_string();
            let step = || Step {
                answer: Some(Scripted { text: Some(text.clone()), ..Scripted::default() }),
                ..Step::default()
            };
            server.push(step());
            let answer = answer_of(dispatch::call(Some(&client), vector.operation.as_bytes(), &request, b"", None));
            server.requests();
            drift.cases += 1;
            let mut mismatches = check(vector, &changed, &text, &request, &answer);
            if drift.cases % 97 == 0
                && let Some(other) = &mut other
            {
                server.push(step());
                let call = Call {
                    verb: Verb::Call,
                    times: 1,
                    operation: vector.operation.clone().into_bytes(),
                    config: config.clone().into_bytes(),
                    request: request.clone(),
                    options: Vec::new(),
                };
                drift.shared += 1;
                match other.call(&call) {
                    Ok(theirs) if normalised(&theirs) == normalised(&answer) && theirs.raw == answer.raw => {}
                    Ok(_) => mismatches.push("another language replies differently".to_owned()),
                    Err(e) => mismatches.push(e),
                }
            }
            if !mismatches.is_empty() {
                drift.failed.push(format!("{} {what}: {}", vector.id(), mismatches.join("; ")));
            }
        }
    }
    drift
}

fn normalised(answer: &Answer) -> String {
    crate::run::zero_elapsed(&String::from_utf8_lossy(&answer.json))
}

/// All changed bodies, with a description of each change.
fn mutations(body: &Value) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut paths = Vec::new();
    positions(body, String::new(), &mut paths);
    for path in paths {
        let Some(was) = body.pointer(&path) else { continue };
        let mut put = |what: &str, value: Value| {
            if value != *was {
                let mut changed = body.clone();
                *changed.pointer_mut(&path).expect("the path is there") = value;
                all.push((format!("{path} {what}"), changed));
            }
        };
        if !path.is_empty() {
            put("null", Value::Null);
            put("text for it", json!("SOMETHING_NEW"));
            put("digits as text for it", json!("7"));
            put("number for it", json!(7));
            put("fraction for it", json!(-1.5));
            put("true for it", json!(true));
            put("false for it", json!(false));
            put("object for it", json!({"unexpected": {"a": [1, "x"]}}));
            put("array for it", json!([{"unexpected": 1}, null, 3]));
            put("empty text for it", json!(""));
            put("array around it", json!([was.clone()]));
            put("object around it", json!({"inside": was.clone()}));
            if let Value::Number(number) = was {
                put("its digits as text", json!(number.to_string()));
            }
            let mut without = body.clone();
            let (parent, key) = path.rsplit_once('/').unwrap_or_default();
            match without.pointer_mut(parent) {
                Some(Value::Object(members)) => drop(members.remove(&unescape(key))),
                Some(Value::Array(items)) => drop(items.remove(key.parse().unwrap_or(0))),
                _ => {}
            }
            all.push((format!("{path} missing"), without));
        }
        if was.is_object() {
            let mut more = body.clone();
            more.pointer_mut(&path).expect("the path is there")[UNKNOWN] = json!({"a": [1, "x"]});
            all.push((format!("{path} {UNKNOWN} added"), more));
        }
    }
    all
}

/// A key that is not in the contract.
const UNKNOWN: &str = "zzzNewInTheNextVersion";

fn unescape(key: &str) -> String {
    key.replace("~1", "/").replace("~0", "~")
}

fn positions(node: &Value, path: String, out: &mut Vec<String>) {
    match node {
        Value::Object(members) => {
            for (key, value) in members {
                positions(value, format!("{path}/{}", key.replace('~', "~0").replace('/', "~1")), out);
            }
        }
        Value::Array(items) => {
            for (i, value) in items.iter().enumerate() {
                // An item with the same keys as the first one adds no new position.
                if i > 0 && keys(value).is_some_and(|own| Some(own) == keys(&items[0])) {
                    continue;
                }
                positions(value, format!("{path}/{i}"), out);
            }
        }
        _ => {}
    }
    out.push(path);
}

fn keys(node: &Value) -> Option<Vec<&String>> {
    node.as_object().map(|members| members.keys().collect())
}

fn check(vector: &Vector, body: &Value, sent: &str, request: &[u8], answer: &Answer) -> Vec<String> {
    let mut mismatches = Vec::new();
    let mut check_that = |holds: bool, what: &str| {
        if !holds {
            mismatches.push(what.to_owned());
        }
    };
    let Ok(reply) = serde_json::from_slice::<Value>(&answer.json) else {
        return vec!["the reply is not JSON".to_owned()];
    };
    check_that(answer.raw.as_deref() == Some(sent.as_bytes()), "raw is not what was sent");
    check_that(answer.status >= -60, "an internal error of the library");
    let submit = SUBMITS.contains(&vector.operation.as_str());
    let is_success = match body.get("status") {
        Some(Value::Number(n)) => n.to_string() == "0",
        Some(Value::String(s)) => s == "0",
        _ => false,
    };
    let ok = reply["ok"] == json!(true);
    let outcome = reply["outcome"].as_str().unwrap_or_default();
    check_that(is_success || !ok, "ok without status 0");
    let request_json: Value = serde_json::from_slice(request).unwrap_or_default();
    let echo = ECHOES.iter().find(|(op, _)| *op == vector.operation).map(|(_, key)| *key);
    let other = echo.is_some_and(|key| {
        let scalar = |v: Option<&Value>| match v {
            Some(Value::String(s)) if !s.trim().is_empty() => Some(s.trim().to_owned()),
            Some(Value::Number(n)) => Some(n.to_string()),
            _ => None,
        };
        matches!((scalar(request_json.get(key)), scalar(body.get(key))), (Some(a), Some(b)) if a != b)
    });
    if submit {
        check_that(!other || outcome == "unknown", "the answer about another order decided the outcome");
        check_that(
            outcome != "executed" || is_success || reply["error"]["status"] == json!(-48),
            "executed without a reason",
        );
        if !is_success && !matches!(body.get("status"), Some(Value::Number(_) | Value::String(_))) {
            check_that(outcome == "unknown", "an answer without a status decided the outcome");
        }
        if is_success && !other {
            check_that(ok && outcome == "executed", "a success was not reported");
        }
    } else {
        check_that(outcome != "unknown", "a read has no unknown outcome");
        check_that(!ok || !other, "the answer about another order was ok");
    }
    if sent.contains(UNKNOWN) {
        let text = String::from_utf8_lossy(&answer.json);
        check_that(text.contains(&format!("\"{UNKNOWN}\":{{\"a\":[1,\"x\"]}}")), "an unknown field was lost");
    }
    mismatches
}
