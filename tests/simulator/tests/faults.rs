//! Each fault mode: what the client receives, and whether the request is executed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

mod common;

use common::{Atlas, Wire, atlas, receive};
use serde_json::{Value, json};
use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

/// Pays an unpaid order under a fault; the reply, and the number of executed payments.
fn pay_under(atlas: &Atlas, fault: Value) -> (io::Result<Wire>, usize) {
    let order = atlas.order(json!({"state": "unpaid"}));
    atlas.sim.fault(fault).unwrap();
    let answer = atlas.wire("/pay.do", &json!({"orderNo": order["orderNo"], "paymentMethod": 1}).to_string());
    let paid = atlas.executed("pay");
    let state = atlas.sim.order(order["orderNo"].as_str().unwrap()).unwrap()["state"].as_i64().unwrap();
    assert_eq!(paid as i64, state, "the ledger and the order agree");
    (answer, paid)
}

#[test]
fn a_dropped_request_is_not_executed_and_one_with_a_dropped_reply_is() {
    let before = atlas("");
    let (answer, paid) = pay_under(&before, json!({"endpoint": "pay", "mode": "drop_before"}));
    assert_eq!((answer.err().unwrap().kind(), paid), (io::ErrorKind::ConnectionReset, 0));
    assert_eq!(before.sim.ledger().len(), 0, "no ledger row without a decision");
    let seen = before.sim.requests();
    assert_eq!((seen.len(), &seen[0]["fault"], &seen[0]["bodyComplete"]), (1, &json!("drop_before"), &json!(true)));

    let after = atlas("");
    let (answer, paid) = pay_under(&after, json!({"endpoint": "/pay.do", "mode": "drop_after"}));
    assert_eq!((answer.err().unwrap().kind(), paid), (io::ErrorKind::ConnectionReset, 1));
}

#[test]
fn a_reply_is_truncated_after_the_given_bytes() {
    let atlas = atlas("");
    for after in [0, 1, 40, 120] {
        let order = atlas.order(json!({"state": "unpaid"}));
        atlas.sim.fault(json!({"endpoint": "pay", "mode": "cut", "afterBytes": after})).unwrap();
        let mut stream = atlas.connect();
        let body = json!({"orderNo": order["orderNo"]}).to_string();
        let head = format!(
            "POST /pay.do HTTP/1.1\r\nHost: s\r\nx-atlas-client-id: a\r\nx-atlas-client-secret: b\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), after);
    }
    assert_eq!(atlas.executed("pay"), 4);
}

#[test]
fn a_delay_delays_the_reply_not_the_execution() {
    let atlas = atlas("");
    let start = Instant::now();
    let (answer, paid) = pay_under(&atlas, json!({"endpoint": "*", "mode": "delay", "delayMs": 300}));
    assert_eq!((answer.unwrap().json()["status"].as_i64(), paid), (Some(0), 1));
    assert!(start.elapsed() >= Duration::from_millis(300));
}

#[test]
fn http_errors_and_the_rate_limit_prevent_execution() {
    let (answer, paid) = pay_under(&atlas(""), json!({"endpoint": "pay", "mode": "http", "status": 502}));
    let answer = answer.unwrap();
    assert_eq!((answer.status, paid), (502, 0));
    assert!(answer.head.contains("text/html"));
    let (answer, paid) =
        pay_under(&atlas(""), json!({"endpoint": "pay", "mode": "http", "status": 504, "execute": true}));
    assert_eq!((answer.unwrap().status, paid), (504, 1));

    let (answer, paid) = pay_under(&atlas(""), json!({"endpoint": "pay", "mode": "rate_limit", "delayMs": 3000}));
    let answer = answer.unwrap();
    assert_eq!((answer.status, paid), (429, 0));
    let body = answer.json();
    assert_eq!((body["code"].as_i64(), body["retryAfter"].as_i64(), body.get("status")), (Some(429), Some(3), None));
    let (answer, _) = pay_under(&atlas(""), json!({"endpoint": "pay", "mode": "rate_limit", "status": 200}));
    assert_eq!(answer.unwrap().status, 200);
}

#[test]
fn garbage_is_sent_after_execution() {
    for variant in ["text", "json", "gzip", "array", "nostatus", "empty"] {
        let (answer, paid) = pay_under(&atlas(""), json!({"endpoint": "pay", "mode": "garbage", "variant": variant}));
        let answer = answer.unwrap();
        assert_eq!((answer.status, paid), (200, 1), "{variant}");
        let envelope = serde_json::from_slice::<Value>(&answer.body).ok().and_then(|body| body["status"].as_i64());
        assert_eq!(envelope, None, "{variant}");
        assert_eq!(answer.head.contains("Content-Encoding: gzip"), variant == "gzip");
    }
}

#[test]
fn an_oversize_reply_has_the_given_length() {
    for (variant, least) in [("plain", 3 << 20), ("gzip", 1000)] {
        let (answer, paid) =
            pay_under(&atlas(""), json!({"endpoint": "pay", "mode": "oversize", "bytes": 3 << 20, "variant": variant}));
        let answer = answer.unwrap();
        assert_eq!(paid, 1);
        assert!(answer.body.len() >= least && answer.head.contains("chunked"), "{variant}: {}", answer.body.len());
    }
}

#[test]
fn a_trickled_reply_arrives_complete() {
    let start = Instant::now();
    let (answer, paid) = pay_under(&atlas(""), json!({"endpoint": "pay", "mode": "trickle", "delayMs": 1}));
    assert_eq!((answer.unwrap().json()["status"].as_i64(), paid), (Some(0), 1));
    assert!(start.elapsed() >= Duration::from_millis(200));
}

#[test]
fn a_late_execution_happens_after_the_client_has_disconnected() {
    let atlas = atlas("");
    for (fault, wait) in [
        (json!({"mode": "late", "delayMs": 300}), true),
        (json!({"mode": "late", "delayMs": 60000, "virtual": true}), false),
    ] {
        let order = atlas.order(json!({"state": "unpaid"}));
        let before = atlas.executed("pay");
        atlas.sim.fault(fault).unwrap();
        let mut stream = atlas.connect();
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let body = json!({"orderNo": order["orderNo"]}).to_string();
        let head = format!(
            "POST /pay.do HTTP/1.1\r\nx-atlas-client-id: a\r\nx-atlas-client-secret: b\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        assert!(receive(&mut stream).is_err());
        drop(stream);
        assert_eq!(atlas.executed("pay"), before);
        if wait {
            std::thread::sleep(Duration::from_millis(600));
        } else {
            atlas.advance("1m");
        }
        assert_eq!(atlas.executed("pay"), before + 1);
    }
}

#[test]
fn a_reply_can_be_changed_and_a_code_forced() {
    let atlas = atlas("");
    let order = atlas.order(json!({"codes": {"voidQuotation": 841}}));
    assert_eq!(atlas.status("/voidQuotation.do", json!({"orderNo": order["orderNo"]})), 841);
    atlas
        .sim
        .fault(json!({"endpoint": "pay", "mode": "reply", "execute": false, "body": {"status": 9999, "msg": "x"}}))
        .unwrap();
    assert_eq!(atlas.status("/pay.do", json!({"orderNo": order["orderNo"]})), 9999);
    atlas.sim.fault(json!({"endpoint": "queryOrderDetails", "mode": "reply", "body": {"orderNo": "OTHER"}})).unwrap();
    let reply = atlas.ok("/queryOrderDetails.do", json!({"orderNo": order["orderNo"]}));
    assert_eq!((reply["orderNo"].as_str(), reply["orderStatus"].as_str()), (Some("OTHER"), Some("2")));
}

#[test]
fn faults_honour_times_skip_and_probability() {
    let atlas = atlas("");
    let is_dropped = || atlas.wire("/balance.do", "{}").is_err();
    atlas.sim.fault(json!({"endpoint": "balance", "mode": "drop_before", "times": 2, "skip": 1})).unwrap();
    assert_eq!([is_dropped(), is_dropped(), is_dropped(), is_dropped()], [false, true, true, false]);
    atlas.sim.fault(json!({"endpoint": "refund", "mode": "drop_before"})).unwrap();
    assert!(!is_dropped(), "another operation's fault");
    atlas.sim.fault(json!({"mode": "drop_before", "probability": 0.5})).unwrap();
    let dropped = (0..60).filter(|_| is_dropped()).count();
    assert!((10..50).contains(&dropped), "{dropped}");
    atlas.sim.clear_faults().unwrap();
    assert!(!(0..20).any(|_| is_dropped()));
    for nonsense in [json!({}), json!({"mode": "explode"}), json!({"mode": "cut", "endpoint": "refunds"})] {
        assert!(atlas.sim.fault(nonsense).is_err());
    }
}

#[test]
fn a_truncated_request_is_logged_and_not_executed() {
    let atlas = atlas("");
    let mut stream = atlas.connect();
    stream
        .write_all(b"POST /pay.do HTTP/1.1\r\nx-atlas-client-secret: hidden\r\nContent-Length: 50\r\n\r\n{\"orderNo\":")
        .unwrap();
    drop(stream);
    let deadline = Instant::now() + Duration::from_secs(5);
    while atlas.sim.requests().is_empty() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    let seen = atlas.sim.requests();
    assert_eq!(
        (&seen[0]["bodyComplete"], &seen[0]["bodyBytes"], &seen[0]["path"]),
        (&json!(false), &json!(11), &json!("/pay.do"))
    );
    assert!(!seen[0].to_string().contains("hidden"), "the secret is not logged");
    assert_eq!(atlas.sim.ledger().len(), 0);
}
