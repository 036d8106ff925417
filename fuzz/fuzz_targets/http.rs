//! What a server sends: the operation in the first line, then the bytes of an HTTP answer, headers and all.
#![no_main]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use atlas_fuzz::{SECRET, check_reply, contains, is_submit, operation, rules, split};
use atlas_postbooking::blocking::Client;
use atlas_postbooking::{Reply, dispatch};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

/// The answer to the next request.
static ANSWER: Mutex<Vec<u8>> = Mutex::new(Vec::new());
/// Requests that came whole.
static TAKEN: AtomicUsize = AtomicUsize::new(0);

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| drop(serve(stream))));
    let config = json!({
        "baseUrl": url, "clientId": "fuzz", "clientSecret": SECRET, "timeoutMs": 5000, "retry": {"maxAttempts": 1},
        "maxResponseBytes": 1 << 20,
    });
    Client::new(&config.to_string()).unwrap()
});

/// A request of each kind that is checked before it is sent.
const REQUESTS: [(&str, &str); 8] = [
    ("void", r#"{"orderNo":"TESTA20260302160000001","voidOfferId":"q_00000000000000000000000000000a01"}"#),
    ("refund", r#"{"orderNo":"TESTA20260302160000001","refundOfferId":"q_00000000000000000000000000000a01"}"#),
    ("stopTicket", r#"{"orderNo":"TESTA20260302160000001"}"#),
    ("regenerateOrder", r#"{"orderNo":"TESTA20260302160000001"}"#),
    ("voidQuotation", r#"{"orderNo":"TESTA20260302160000001"}"#),
    ("queryRefundOrders", r#"{"orderNo":"TESTA20260302160000001"}"#),
    ("queryOrderDetails", r#"{"orderNo":"TESTA20260302160000001"}"#),
    ("orderList", "{}"),
];

fuzz_target!(|input: &[u8]| {
    let (name, answer) = split(input, b'\n');
    let wanted = operation(name);
    let known = REQUESTS.iter().find(|(name, _)| *name == wanted);
    let (operation, request) = known.unwrap_or(&REQUESTS[wanted.len() % REQUESTS.len()]);
    let client = &*CLIENT;
    *ANSWER.lock().unwrap() = answer.to_vec();
    let before = TAKEN.load(Ordering::SeqCst);
    let reply = client.call(operation, request, "");
    let taken = TAKEN.load(Ordering::SeqCst) - before;
    let json = check_reply(reply.json(), reply.outcome().number(), reply.status().number(), input);
    assert!(taken <= 1, "{operation} was sent {taken} times");
    if is_submit(operation) && taken == 1 {
        // It arrived whole: without a whole answer nobody knows.
        let is_settled = reply.outcome().name() != "unknown";
        assert!(!is_settled || reply.http_status().is_some(), "{}", reply.json());
    }
    as_recorded(operation, request, &reply, &json);
});

/// A whole answer means what the same bytes mean that were recorded elsewhere.
fn as_recorded(operation: &str, request: &str, reply: &Reply, json: &Value) {
    let is_whole = !matches!(json["error"]["status"].as_i64(), Some(-45 | -26..=-20));
    let (Some(http), Some(raw), true) = (reply.http_status(), reply.raw(), is_whole) else { return };
    let message = json["error"]["message"].as_str().unwrap_or_default();
    if message == "the answer cannot be decompressed" {
        return;
    }
    rules::check_outcome(operation, http, raw, reply.outcome().name());
    let recorded = dispatch::decode(operation.as_bytes(), request.as_bytes(), http, raw);
    assert_eq!(reply.outcome(), recorded.outcome(), "{} {}", reply.json(), recorded.json());
    // A client takes its secret out; a recording does not know it.
    if !contains(raw, SECRET.as_bytes()) {
        assert_eq!(reply.data(), recorded.data());
    }
}

/// Reads a whole request, and sends the answer as it is.
fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while !is_whole(&request) {
        match stream.read(&mut chunk)? {
            0 => return Ok(()),
            count => request.extend_from_slice(&chunk[..count]),
        }
    }
    TAKEN.fetch_add(1, Ordering::SeqCst);
    let answer = ANSWER.lock().unwrap().clone();
    stream.write_all(&answer)?;
    stream.shutdown(Shutdown::Write)?;
    // Closing with something unread would take back what was sent.
    while stream.read(&mut chunk)? > 0 {}
    Ok(())
}

fn is_whole(request: &[u8]) -> bool {
    let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    request.len() >= end + 4 + length.unwrap_or(0)
}
