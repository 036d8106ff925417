//! Rust clients that make calls in sequence: `client ours|ours-json|reqwest BASE_URL CALLS quote|submit|list`.
//! It prints the median, the 99th percentile and the CPU time of a call, in microseconds.
#![allow(clippy::print_stdout, clippy::expect_used)]

use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use atlas_postbooking::blocking;
use atlas_postbooking::wire::{
    OrderListRequest, RefundPassenger, RefundQuotationRequest, RefundRequest, RefundSegment,
};
use serde_json::{Value, json};

const ORDER: &str = "TESTA20260302160000123";
const OFFER: &str = "q_0123456789abcdef0123456789abcdef";

type Call = Box<dyn FnMut()>;

fn request(mode: &str) -> Value {
    let passenger = |first: &str| {
        json!({
            "lastName": "DOE", "firstName": first, "refundReason": "1",
            "segments": [{"depDate": "20260401", "flightNo": "ZZ123", "depAirport": "CNX", "arrAirport": "BKK"}],
        })
    };
    match mode {
        "list" => json!({"page": 1}),
        "submit" => json!({"orderNo": ORDER, "displayCurrency": "EUR", "refundOfferId": OFFER}),
        _ => json!({
            "orderNo": ORDER, "displayCurrency": "EUR",
            "refundRequestList": [passenger("JANE"), passenger("JOHN")],
        }),
    }
}

fn open(url: &str) -> blocking::Client {
    let config = json!({"baseUrl": url, "clientId": "bench-client", "clientSecret": "bench-secret"});
    blocking::Client::new(&config.to_string()).expect("a client")
}

/// This library, typed API.
fn ours(url: &str, mode: &str) -> Call {
    let client = open(url);
    let text = |text: &str| Some(text.to_owned());
    match mode {
        "list" => Box::new(move || {
            let request = OrderListRequest { page: Some(1.into()), ..Default::default() };
            assert_eq!(client.order_list(&request).expect("an answer").data.orders.len(), 13_000);
        }),
        "submit" => Box::new(move || {
            let request = RefundRequest {
                order_no: text(ORDER),
                display_currency: text("EUR"),
                refund_offer_id: text(OFFER),
                ..Default::default()
            };
            client.refund(&request).expect("an answer");
        }),
        _ => Box::new(move || {
            let passenger = |first: &str| RefundPassenger {
                last_name: text("DOE"),
                first_name: text(first),
                refund_reason: Some(1.into()),
                segments: vec![RefundSegment {
                    dep_date: Some("2026-04-01".into()),
                    flight_no: text("ZZ123"),
                    dep_airport: text("CNX"),
                    arr_airport: text("BKK"),
                    ..Default::default()
                }],
                ..Default::default()
            };
            let request = RefundQuotationRequest {
                order_no: text(ORDER),
                display_currency: text("EUR"),
                refund_request_list: vec![passenger("JANE"), passenger("JOHN")],
                ..Default::default()
            };
            assert!(client.refund_quotation(&request).expect("an answer").data.refund_offer_id.is_some());
        }),
    }
}

/// This library, JSON in and JSON out, as the bindings of the other languages use it.
fn ours_json(url: &str, mode: &str) -> Call {
    let client = open(url);
    let operation = match mode {
        "list" => "orderList",
        "submit" => "refund",
        _ => "refundQuotation",
    };
    let mode = mode.to_owned();
    Box::new(move || assert!(client.call(operation, &request(&mode).to_string(), "").error().is_none()))
}

/// reqwest and `serde_json::Value`, on a runtime with one worker thread.
fn reqwest_client(url: &str, mode: &str) -> Call {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let pool = if mode == "submit" { 0 } else { 8 };
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(pool).build().expect("a client");
    let path = match mode {
        "list" => "/orderList.do",
        "submit" => "/refund.do",
        _ => "/refundQuotation.do",
    };
    let (url, mode) = (format!("{url}{path}"), mode.to_owned());
    Box::new(move || {
        let (sender, receiver) = sync_channel(1);
        let post = client
            .post(&url)
            .timeout(Duration::from_secs(30))
            .header("accept", "application/json")
            .header("accept-encoding", "gzip")
            .header("content-type", "application/json")
            .header("user-agent", "bench/1")
            .header("x-atlas-client-id", "bench-client")
            .header("x-atlas-client-secret", "bench-secret")
            .body(request(&mode).to_string());
        runtime.spawn(async move {
            let bytes = post.send().await.expect("an answer").bytes().await.expect("a body");
            sender.send(serde_json::from_slice::<Value>(&bytes).expect("JSON")).expect("a receiver");
        });
        assert_eq!(receiver.recv().expect("a reply").get("status").and_then(Value::as_i64), Some(0));
    })
}

fn cpu_us() -> f64 {
    // utime and stime are fields 14 and 15 of stat, in ticks of 10 ms.
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: f64 = stat.split(' ').skip(13).take(2).filter_map(|n| n.parse::<f64>().ok()).sum();
    ticks * 1e4
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, kind, url, calls, mode] = arguments.as_slice() else {
        return println!("client ours|ours-json|reqwest BASE_URL CALLS quote|submit|list");
    };
    let calls: usize = calls.parse().expect("a number");
    let mut call = match kind.as_str() {
        "ours" => ours(url, mode),
        "ours-json" => ours_json(url, mode),
        _ => reqwest_client(url, mode),
    };
    call();
    let before = cpu_us();
    let mut times: Vec<f64> = (0..calls)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    let cpu = (cpu_us() - before) / calls.max(1) as f64;
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times.get(calls * share / 100).copied().unwrap_or_default();
    println!("{:.2} {:.2} {cpu:.2}", at(50), at(99));
}
