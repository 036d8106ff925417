//! Runs one vector with one caller and compares the results.

use std::net::TcpListener;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::callers::{Answer, Call, Caller, NO_VENDOR_STATUS};
use crate::fixture::{Fixture, normalise_random};
use crate::proxy::ProxyServer;
use crate::server::{Request, Server};
use crate::tls::Authority;
use crate::vector::{Listen, Ordered, Raw, Vector, Verb, bytes_of, unhex};

/// The default configuration, with short retry delays. The vector's `config` overwrites it.
const DEFAULTS: &str = r#"{"baseUrl":"${url}","clientId":"vector-client","clientSecret":"vector-secret-0001","retry":{"maxAttempts":3,"baseDelayMs":1,"maxDelayMs":2}}"#;

/// The result of a run.
pub struct RunResult {
    pub answer: Answer,
    pub requests: Vec<Request>,
    pub connections: usize,
    /// Submits that the simulator executed.
    pub executed: usize,
}

/// Starts servers and fixture, makes the calls, and collects the result.
pub fn run(vector: &Vector, caller: &mut dyn Caller, authority: &Authority) -> Result<RunResult, String> {
    let text = |e: &dyn std::fmt::Display| e.to_string();
    let tls = authority.server(vector.listen).map_err(|e| text(&e))?;
    let scheme = if tls.is_some() || vector.listen == Listen::TlsGarbage { "https" } else { "http" };
    let mut server = None;
    let mut sockets = Vec::new();
    let port = match vector.listen {
        Listen::Dead => {
            // The port is free, and the system does not assign it to another socket soon.
            let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| text(&e))?;
            listener.local_addr().map_err(|e| text(&e))?.port()
        }
        Listen::Full => full_listener(&mut sockets).map_err(|e| text(&e))?,
        _ => server.insert(Server::start(&vector.server, tls).map_err(|e| text(&e))?).port,
    };
    let mut fixture = vector.atlas.as_ref().map(|atlas| Fixture::new(atlas, &authority.directory)).transpose()?;
    let proxy = vector.proxy.map(ProxyServer::start).transpose().map_err(|e| text(&e))?;
    let fill = |text: &str| {
        let text = fixture.as_ref().map_or_else(|| text.to_owned(), |fixture| fixture.fill(text));
        text.replace("${url}", &format!("{scheme}://127.0.0.1:{port}"))
            .replace("${port}", &port.to_string())
            .replace("${proxy}", &format!("127.0.0.1:{}", proxy.as_ref().map_or(0, |p| p.port)))
            .replace("${dir}", &authority.directory.display().to_string())
    };
    let (own, plain) = (fill(&config(vector.config.as_ref())?), fill(&config(None)?));
    for earlier in &vector.before {
        let config = if earlier.stranger { &plain } else { &own };
        fixture.as_mut().ok_or("`before` needs `atlas`")?.replay(earlier, config, caller)?;
    }
    let mut call = Call {
        verb: vector.verb,
        times: vector.times.unwrap_or(1),
        operation: vector.operation.clone().into_bytes(),
        config: own.into_bytes(),
        request: vector.request_hex.as_deref().map_or_else(|| bytes_of(vector.request.as_ref()), unhex),
        options: bytes_of(vector.options.as_ref()),
    };
    if let Some(fixture) = &fixture {
        call.request = fixture.fill(&String::from_utf8_lossy(&call.request)).into_bytes();
    }
    let answer = caller.call(&call)?;
    let executed = fixture.as_ref().map_or(0, Fixture::executed);
    let (requests, connections) = server.as_ref().map_or_else(Default::default, |s| (s.requests(), s.connections()));
    Ok(RunResult { answer, requests, connections, executed })
}

/// A listener whose accept queue is full, so that further connects time out.
fn full_listener(sockets: &mut Vec<socket2::Socket>) -> std::io::Result<u16> {
    use socket2::{Domain, SockAddr, Socket, Type};
    let any: std::net::SocketAddr = ([127, 0, 0, 1], 0).into();
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    listener.bind(&any.into())?;
    listener.listen(0)?;
    let address: SockAddr = listener.local_addr()?;
    sockets.push(listener);
    for _ in 0..4 {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        let _ = socket.connect(&address);
        sockets.push(socket);
    }
    std::thread::sleep(std::time::Duration::from_millis(20));
    Ok(address.as_socket().map_or(0, |a| a.port()))
}

/// The default configuration with the vector's members; a string is used unchanged instead.
fn config(own: Option<&Raw>) -> Result<String, String> {
    let mut members: Ordered = serde_json::from_str(DEFAULTS).map_err(|e| e.to_string())?;
    if let Some(raw) = own {
        if !raw.get().starts_with('{') {
            return Ok(String::from_utf8_lossy(&bytes_of(Some(raw))).into_owned());
        }
        let own: Ordered = serde_json::from_str(raw.get()).map_err(|e| e.to_string())?;
        for (key, value) in own.0 {
            members.0.retain(|(k, _)| *k != key);
            members.0.push((key, value));
        }
    }
    let members: Vec<_> = members.0.iter().map(|(k, v)| format!("{}:{}", Value::from(k.as_str()), v.get())).collect();
    Ok(format!("{{{}}}", members.join(",")))
}

/// The reply with the values replaced that differ between two runs.
pub fn normalised(vector: &Vector, json: &str) -> String {
    let json = zero_port(&zero_elapsed(json));
    if vector.atlas.is_some() { normalise_random(&json) } else { json }
}

/// The reply with `elapsedMs`, its only measured number, set to zero.
pub fn zero_elapsed(json: &str) -> String {
    const KEY: &str = "\"elapsedMs\":";
    // The last one: a vendor body may have a key of the same name.
    let Some(at) = json.rfind(KEY).map(|i| i + KEY.len()) else { return json.to_owned() };
    let digits = json[at..].bytes().take_while(u8::is_ascii_digit).count();
    format!("{}0{}", &json[..at], &json[at + digits..])
}

/// The reply with the port of a connection that failed, which differs between two runs, set to zero: in the words and
/// beside them; without the times at which a certificate was looked at.
fn zero_port(json: &str) -> String {
    let mut json = json.to_owned();
    let is_there =
        json.contains(r#""details":[{"field":"/baseUrl""#) || json.contains(r#""details":[{"field":"/proxy""#);
    for key in [" port ", "\"port\":"].into_iter().filter(|_| is_there) {
        if let Some(at) = json.rfind(key).map(|at| at + key.len()) {
            let digits = json[at..].bytes().take_while(u8::is_ascii_digit).count();
            json.replace_range(at..at + digits, "0");
        }
    }
    // A peer that closes in the handshake is seen as a reset or as an end, by what comes first.
    if is_there {
        for end in
            ["Connection reset by peer", "Broken pipe", "tls handshake eof", "tunnel error: unexpected end of file"]
        {
            json = json.replace(end, "the peer closed");
        }
        json = json.replace("\"errno\":104", "\"errno\":null").replace("\"errno\":32}", "\"errno\":null}");
    }
    // The times of a certificate that is not valid now.
    while let Some(at) = json.find(": verification time ") {
        let end = json[at..].find(" seconds ").and_then(|end| Some(at + end + json[at + end..].find(')')? + 1));
        json.replace_range(at..end.unwrap_or(json.len()), "");
    }
    json
}

/// All differences between the result and the vector.
pub fn mismatches(vector: &Vector, result: &RunResult) -> Vec<String> {
    let mut mismatches = Vec::new();
    let mut same = |what: &str, want: &dyn std::fmt::Debug, got: &dyn std::fmt::Debug| {
        let (want, got) = (format!("{want:?}"), format!("{got:?}"));
        if want != got {
            mismatches.push(format!("{what}: expected {want}, got {got}"));
        }
    };
    let json = String::from_utf8_lossy(&result.answer.json);
    match &vector.reply {
        Some(reply) => {
            let got = normalised(vector, &json);
            if got != reply.get() {
                same("reply", &difference(reply.get(), &got).0, &difference(reply.get(), &got).1);
            }
        }
        None if vector.verb == Verb::Describe => {
            let name = (!vector.operation.is_empty()).then_some(vector.operation.as_bytes());
            same("reply", &zero_elapsed(atlas_postbooking::dispatch::describe(name).json()), &zero_elapsed(&json));
        }
        None => same("reply", &"one in the file (BLESS=1 writes it)", &"none"),
    }
    let value: Value = serde_json::from_str(&json).unwrap_or(Value::Null);
    let meta = &value["meta"];
    same("accessor of the status", &value["error"]["status"].as_i64().unwrap_or(0), &i64::from(result.answer.status));
    let outcome = ["unknown", "executed", "not_executed", "pending"].get(result.answer.outcome as usize);
    same("accessor of the outcome", &value["outcome"].as_str(), &outcome.copied());
    same("ok", &Some(result.answer.status == 0), &value["ok"].as_bool());
    if let Some(http) = result.answer.http {
        same("accessor of the HTTP status", &meta["httpStatus"].as_i64().unwrap_or(0), &i64::from(http));
    }
    if let Some(vendor) = result.answer.vendor {
        let want = meta["vendorStatus"].as_i64().map_or(NO_VENDOR_STATUS, |n| i32::try_from(n).unwrap_or(vendor));
        same("accessor of the vendor status", &want, &vendor);
    }
    same("live handles", &0, &result.answer.leaked);
    let expect = &vector.expect;
    let error = &value["error"];
    let text = |v: &Value| v.as_str().map(str::to_owned);
    for (what, want, got) in [
        ("outcome", &expect.outcome, text(&value["outcome"])),
        ("error.code", &expect.code, text(&error["code"])),
        ("error.advice", &expect.advice, text(&error["advice"])),
        ("error.next", &expect.next, text(&error["next"])),
        ("error.vendorCode", &expect.vendor_code, text(&error["vendorCode"])),
        ("error.field", &expect.field, text(&error["field"])),
    ] {
        if want.is_some() {
            same(what, want, &got);
        }
    }
    if let Some(status) = expect.status {
        same("status", &status, &result.answer.status);
    }
    if expect.retry_after_ms.is_some() {
        same("error.retryAfterMs", &expect.retry_after_ms, &error["retryAfterMs"].as_u64());
    }
    if let Some(warnings) = &expect.warnings {
        let got: Vec<_> = value["warnings"].as_array().into_iter().flatten().filter_map(|w| text(&w["code"])).collect();
        same("warnings", warnings, &got);
    }
    for (pointer, want) in &expect.at {
        same(pointer, &want.get(), &at(&json, pointer).as_deref().unwrap_or("nothing"));
    }
    if let Some(raw) = &expect.raw {
        let got = result.answer.raw.as_ref().map_or("none".into(), |b| String::from_utf8_lossy(b));
        same("raw", raw, &got);
    }
    same("requests", &vector.expected_requests(), &result.requests.len());
    if let Some(executed) = vector.executed {
        same("executed submits", &executed, &result.executed);
    }
    if let Some(connections) = vector.connections {
        same("connections", &connections, &result.connections);
    }
    mismatches.extend(wire_mismatches(vector, &result.requests));
    mismatches
}

/// The unchanged text at a JSON Pointer.
fn at(json: &str, pointer: &str) -> Option<String> {
    let mut node: Box<RawValue> = serde_json::from_str(json).ok()?;
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        node = if node.get().starts_with('[') {
            let items: Vec<Box<RawValue>> = serde_json::from_str(node.get()).ok()?;
            items.into_iter().nth(part.parse().ok()?)?
        } else {
            let members: Ordered = serde_json::from_str(node.get()).ok()?;
            members.0.into_iter().find(|(k, _)| *k == part)?.1
        };
    }
    Some(node.get().to_owned())
}

fn wire_mismatches(vector: &Vector, requests: &[Request]) -> Vec<String> {
    let mut mismatches = Vec::new();
    for request in requests {
        let header = |name: &str| request.headers.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone());
        let wire = vector.wire.as_ref();
        let changed = |name: &str| wire.is_some_and(|w| w.headers.contains_key(name));
        if request.method != "POST" {
            mismatches.push(format!("method: {}", request.method));
        }
        for (name, want) in [
            ("content-type", "application/json"),
            ("accept-encoding", "gzip"),
            ("accept", "*/*"),
            ("x-atlas-client-id", "vector-client"),
            ("x-atlas-client-secret", "vector-secret-0001"),
        ] {
            if header(name).as_deref() != Some(want) && !changed(name) {
                mismatches.push(format!("header {name}: {:?}", header(name)));
            }
        }
        let Some(wire) = wire else { continue };
        if request.path != wire.path {
            mismatches.push(format!("path: expected {}, got {}", wire.path, request.path));
        }
        if let Some(body) = &wire.body {
            let got = String::from_utf8_lossy(&request.body);
            if got != body.get() {
                mismatches.push(format!("body: expected {}, got {got}", body.get()));
            }
        }
        for (name, want) in &wire.headers {
            if header(name) != *want {
                mismatches.push(format!("header {name}: expected {want:?}, got {:?}", header(name)));
            }
        }
    }
    if vector.verb == Verb::Call && vector.wire.is_none() && !requests.is_empty() {
        mismatches.push("a request arrived, but the vector has no `wire`".to_owned());
    }
    mismatches
}

/// The context of the first different byte, in both texts.
fn difference(want: &str, got: &str) -> (String, String) {
    let same = want.bytes().zip(got.bytes()).take_while(|(a, b)| a == b).count();
    let part = |text: &str| {
        let from = same.saturating_sub(60);
        format!("…{}…", String::from_utf8_lossy(&text.as_bytes()[from.min(text.len())..(same + 80).min(text.len())]))
    };
    (part(want), part(got))
}
