//! Pace: the budget and the pause of an account, and `case.stats`.

use std::time::Instant;

use serde_json::{Value, json};

use crate::fixture::Fixture;

/// The next `balance` is answered "too many requests", with this Retry-After.
fn limited(fixture: &Fixture, seconds: u64) -> Value {
    let fault = json!({"endpoint": "balance", "mode": "rate_limit", "delayMs": seconds * 1000});
    fixture.vendor.fault(fault).unwrap();
    fixture.with_options("balance", &json!({}), r#"{"retry": {"maxAttempts": 1}, "timeoutMs": 2000}"#)
}

#[test]
fn without_a_rate_a_retry_after_pauses_every_client_of_the_account_and_unpause_ends_it() {
    let fixture = Fixture::new("default");
    let other = Fixture::client(&fixture.vendor, &fixture.file, &json!({}));
    let refused = limited(&fixture, 60);
    assert_eq!(refused["error"]["code"], "rate_limited", "{refused}");
    let reply: Value = serde_json::from_str(other.call("balance", "{}", r#"{"timeoutMs": 300}"#).json()).unwrap();
    assert_eq!(reply["error"]["code"], "rate_wait_timeout", "{reply}");
    let stats = fixture.call("case.stats", json!({}));
    assert!(stats["data"]["pausedUntil"].is_string(), "{stats}");
    let rate = stats["data"]["budget"]["perSecond"].as_f64().unwrap();
    let ended = fixture.call("case.unpause", json!({}));
    assert_eq!(ended["data"]["wasPaused"], true, "{ended}");
    let reply: Value = serde_json::from_str(other.call("balance", "{}", r#"{"timeoutMs": 2000}"#).json()).unwrap();
    assert_eq!(reply["ok"], true, "{reply}");
    let stats = fixture.call("case.stats", json!({}));
    assert!(stats["data"]["pausedUntil"].is_null(), "{stats}");
    // The halving stays.
    assert_eq!((rate, stats["data"]["budget"]["perSecond"].as_f64().unwrap()), (500.0, 500.0));
}

#[test]
fn a_call_that_waits_in_a_pause_goes_on_when_it_is_ended() {
    let fixture = Fixture::new("default");
    limited(&fixture, 60);
    let begun = Instant::now();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| fixture.with_options("balance", &json!({}), r#"{"timeoutMs": 90000}"#));
        std::thread::sleep(std::time::Duration::from_millis(700));
        fixture.call("case.unpause", json!({}));
        let reply = waiting.join().unwrap();
        assert_eq!(reply["ok"], true, "{reply}");
    });
    assert!(begun.elapsed().as_secs() < 10);
}

#[test]
fn one_retry_after_stops_the_account_for_at_most_retry_after_max_ms() {
    let fixture = Fixture::with("default", json!({"retryAfterMaxMs": 500}));
    limited(&fixture, 3600);
    let reply = fixture.with_options("balance", &json!({}), r#"{"timeoutMs": 5000}"#);
    assert_eq!(reply["ok"], true, "{reply}");
}

#[test]
fn stats_count_open_unknown_stuck_and_due_cases() {
    let fixture = Fixture::new("default");
    let empty = fixture.call("case.stats", json!({}))["data"].clone();
    assert_eq!((&empty["open"], &empty["oldest"], &empty["pausedUntil"]), (&json!(0), &Value::Null, &Value::Null));
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
    let case = fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
    assert_eq!(case["outcome"], "unknown", "{case}");
    let stats = fixture.call("case.stats", json!({}))["data"].clone();
    assert_eq!(
        (&stats["open"], &stats["unknown"], &stats["stuck"], &stats["oldest"]),
        (&json!(1), &json!(1), &json!(0), &case["case"]["createdAt"])
    );
    // A planned case that nobody moved for a day.
    let second = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    let fault = json!({"endpoint": "voidQuotation", "mode": "http", "status": 503, "times": 10});
    fixture.vendor.fault(fault).unwrap();
    fixture.call("case.open", json!({"kind": "void", "orderNo": second, "key": "planned"}));
    fixture.vendor.advance("25h").unwrap();
    let stats = fixture.call("case.stats", json!({}))["data"].clone();
    assert_eq!((&stats["open"], &stats["stuck"], &stats["due"]), (&json!(2), &json!(1), &json!(1)), "{stats}");
}

#[test]
fn a_case_whose_sender_is_gone_is_shown_unknown_before_anybody_reconciled_it() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
    fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
    fixture.leave_sending();
    let is_unknown = |case: &Value| case["state"] == "unknown" && case["outcome"] == "unknown";
    assert!(is_unknown(&fixture.stored()));
    assert!(is_unknown(&fixture.call("case.list", json!({"state": "unknown"}))["data"]["cases"][0]));
    let export = fixture.call("case.export", json!({}));
    assert!(is_unknown(&serde_json::from_str(export["data"]["ndjson"].as_str().unwrap().trim()).unwrap()));
    assert_eq!(fixture.call("case.stats", json!({}))["data"]["unknown"], 1);
}
