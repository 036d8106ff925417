//! "Not executed" by transport is a proof: at whatever moment a call is cancelled or times out, a request that is
//! reported as not executed never reached the server whole.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use atlas_postbooking::{Cancel, Outcome, blocking::Client};

/// Records the offer id of every request that arrived whole, and answers after `delay`.
fn serve(delay: Duration) -> (String, Arc<Mutex<HashSet<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let whole = Arc::new(Mutex::new(HashSet::new()));
    let recorded = whole.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let recorded = recorded.clone();
            std::thread::spawn(move || answer(stream.unwrap(), &recorded, delay));
        }
    });
    (url, whole)
}

fn answer(mut stream: TcpStream, recorded: &Mutex<HashSet<String>>, delay: Duration) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    let offer = body.split("\"voidOfferId\":\"").nth(1)?.split('"').next()?.to_owned();
    recorded.lock().unwrap().insert(offer);
    std::thread::sleep(delay);
    let reply = r#"{"status":0,"orderNo":"O","voidCode":"C"}"#;
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{reply}", reply.len()).ok()
}

fn client(url: &str, extra: &str) -> Client {
    Client::new(&format!(r#"{{"baseUrl":"{url}","clientId":"i","clientSecret":"secret-1"{extra}}}"#)).unwrap()
}

#[test]
fn a_cancelled_request_reported_as_not_executed_never_arrived_whole() {
    let (url, whole) = serve(Duration::from_millis(2));
    let client = Arc::new(client(&url, ""));
    let mut counts = [0usize; 3];
    let mut outcomes = Vec::new();
    for round in 0..12u64 {
        let threads: Vec<_> = (0..50u64)
            .map(|n| {
                let client = client.clone();
                let id = round * 50 + n;
                std::thread::spawn(move || {
                    let cancel = Cancel::new();
                    let setter = cancel.clone();
                    // The ticker sees cancellations every 5 ms: the moments are spread over more than that.
                    let timer = std::thread::spawn(move || {
                        std::thread::sleep(Duration::from_micros(id * 37 % 6000));
                        setter.set();
                    });
                    let offer = format!("offer-{id}");
                    let request = format!(r#"{{"orderNo":"O","voidOfferId":"{offer}"}}"#);
                    let reply = client.call_with("void", &request, "", Some(&cancel));
                    timer.join().unwrap();
                    (offer, reply.outcome())
                })
            })
            .collect();
        outcomes.extend(threads.into_iter().map(|t| t.join().unwrap()));
    }
    std::thread::sleep(Duration::from_millis(200));
    let whole = whole.lock().unwrap();
    for (offer, outcome) in &outcomes {
        counts[outcome.number() as usize] += 1;
        match outcome {
            Outcome::NotExecuted => {
                assert!(!whole.contains(offer), "{offer} was reported as not executed, and arrived")
            }
            Outcome::Executed => assert!(whole.contains(offer)),
            Outcome::Unknown => {}
            Outcome::Pending => panic!("only cases are pending"),
        }
    }
    println!("unknown, executed, not executed: {counts:?}");
    assert_eq!(outcomes.len(), 600);
}

#[test]
fn a_call_with_a_cancelled_token_sends_nothing() {
    let (url, whole) = serve(Duration::ZERO);
    let cancel = Cancel::new();
    cancel.set();
    let client = client(&url, "");
    for operation in ["void", "voidQuotation"] {
        let reply = client.call_with(
            operation,
            r#"{"orderNo":"O","voidOfferId":"x"}"#,
            r#"{"allowUnknown":true}"#,
            Some(&cancel),
        );
        assert_eq!((reply.error().unwrap().code.as_str(), reply.outcome()), ("cancelled", Outcome::NotExecuted));
    }
    assert!(whole.lock().unwrap().is_empty());
}

#[test]
fn a_submit_that_times_out_after_sending_is_unknown() {
    let (url, whole) = serve(Duration::from_millis(1500));
    let client = client(&url, r#","timeoutMs":300"#);
    let reply = client.call("void", r#"{"orderNo":"O","voidOfferId":"late"}"#, "");
    assert_eq!((reply.error().unwrap().code.as_str(), reply.outcome()), ("timeout", Outcome::Unknown));
    assert_eq!(reply.error().unwrap().next, Some("queryVoidOrders"));
    assert!(whole.lock().unwrap().contains("late"));
}

/// It blocks that runtime's thread.
#[test]
fn a_blocking_call_inside_another_async_runtime_does_not_panic() {
    let (url, _) = serve(Duration::ZERO);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let outcome = runtime.block_on(async move {
        let client = client(&url, "");
        tokio::spawn(async move { client.call("void", r#"{"orderNo":"O","voidOfferId":"in"}"#, "").outcome() })
            .await
            .unwrap()
    });
    assert_eq!(outcome, Outcome::Executed);
}

/// They have the operation and its outcome, but neither the secret nor offer ids.
#[test]
fn log_lines_hold_no_secret() {
    let (url, _) = serve(Duration::ZERO);
    let client = client(&url, "");
    client.set_log_level(Some(atlas_postbooking::LogLevel::Trace));
    let reply = client.call("void", r#"{"orderNo":"O","voidOfferId":"offer-9"}"#, "");
    let lines: Vec<_> = reply.log().iter().map(|l| l.message.as_str()).collect();
    assert!(lines.iter().any(|l| l.contains("void: executed")), "{lines:?}");
    assert!(!lines.iter().any(|l| l.contains("secret-1") || l.contains("offer-9")), "{lines:?}");
    client.set_log_level(None);
    assert!(client.call("void", r#"{"orderNo":"O","voidOfferId":"x"}"#, "").log().is_empty());
}

/// The server answers after the end of the test: each call ends by its cancellation, however early that comes.
#[test]
fn no_cancellation_is_lost() {
    let (url, _) = serve(Duration::from_secs(60));
    let client = Arc::new(client(&url, r#","timeoutMs":20000"#));
    for round in 0..60u64 {
        let cancel = Cancel::new();
        let (setter, client) = (cancel.clone(), client.clone());
        let call = std::thread::spawn(move || {
            client.call_with("void", r#"{"orderNo":"O","voidOfferId":"early"}"#, "", Some(&cancel))
        });
        std::thread::sleep(Duration::from_micros(round * 25));
        setter.set();
        assert_eq!(call.join().unwrap().error().unwrap().code, "cancelled", "round {round}");
    }
}
