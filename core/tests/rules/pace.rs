//! Pace: a refusal that says only "not now" is not the end of a case.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::fixture::Fixture;

fn voidable(fixture: &Fixture) -> Value {
    json!({"kind": "void", "orderNo": fixture.order(json!({"airline": "Y4", "paymentMethod": 1})), "key": "k"})
}

fn refundable(fixture: &Fixture) -> Value {
    json!({"kind": "refund", "orderNo": fixture.order(json!({"paymentMethod": 1})), "key": "k"})
}

/// The vendor's refusal of the next submit, without Retry-After; nothing is executed.
fn refuse(fixture: &Fixture, endpoint: &str, code: i64, times: u32) {
    let body = json!({"status": code});
    let fault = json!({"endpoint": endpoint, "mode": "reply", "execute": false, "body": body, "times": times});
    fixture.vendor.fault(fault).unwrap();
}

/// A 429 that a gateway gives, before or after the vendor executed the request.
fn gateway(fixture: &Fixture, endpoint: &str, executed: bool) {
    let fault = json!({"endpoint": endpoint, "mode": "http", "status": 429, "execute": executed});
    fixture.vendor.fault(fault).unwrap();
}

/// Milliseconds from the last change of the case to the end of its pause.
fn pause(reply: &Value) -> i128 {
    let at = |key: &str| {
        let text = reply["case"][key].as_str().unwrap();
        time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339)
            .unwrap()
            .unix_timestamp_nanos()
            / 1_000_000
    };
    at("nextDueAt") - at("updatedAt")
}

fn is_planned(reply: &Value) -> bool {
    (&reply["outcome"], &reply["case"]["state"], &reply["case"]["final"])
        == (&json!("pending"), &json!("planned"), &json!(false))
}

#[test]
fn a_429_at_a_submit_of_case_open_is_not_the_end() {
    let fixture = Fixture::new("default");
    let request = voidable(&fixture);
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "rate_limit", "delayMs": 40_000})).unwrap();
    let reply = fixture.call("case.open", request.clone());
    assert!(is_planned(&reply), "{reply}");
    assert_eq!((&reply["ok"], &reply["error"]["status"]), (&json!(false), &json!(-41)), "{reply}");
    assert_eq!(pause(&reply), 40_000, "{reply}");
    fixture.vendor.advance("41s").unwrap();
    let reply = fixture.call("case.open", request);
    assert_eq!(reply["outcome"], "executed", "{reply}");
    assert_eq!((fixture.sent("void"), fixture.executed("void")), (2, 1));
    assert_eq!(reply["case"]["steps"][0]["attempts"], 2, "{reply}");
}

#[test]
fn before_the_end_of_the_pause_case_open_asks_and_sends_nothing() {
    let fixture = Fixture::new("default");
    let request = voidable(&fixture);
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "rate_limit", "delayMs": 40_000})).unwrap();
    fixture.call("case.open", request.clone());
    let asked = fixture.vendor.requests().len();
    let reply = fixture.call("case.open", request);
    assert!(is_planned(&reply), "{reply}");
    assert_eq!(reply["error"]["status"], -41, "{reply}");
    let left = reply["error"]["retryAfterMs"].as_i64().unwrap();
    assert!((30_000..=40_000).contains(&left), "{reply}");
    assert_eq!(fixture.vendor.requests().len(), asked, "something was asked");
}

#[test]
fn without_a_retry_after_the_pause_is_5_s_doubled_to_a_minute_at_most() {
    let fixture = Fixture::new("default");
    let request = voidable(&fixture);
    refuse(&fixture, "void", 429, 6);
    for expected in [5_000, 10_000, 20_000, 40_000, 60_000, 60_000] {
        let reply = fixture.call("case.open", request.clone());
        assert_eq!(pause(&reply), expected, "{reply}");
        let asked = fixture.vendor.requests().len();
        let early = fixture.call("case.open", request.clone());
        assert_eq!((&early["error"]["status"], fixture.vendor.requests().len()), (&json!(-41), asked), "{early}");
        fixture.vendor.advance("61s").unwrap();
    }
    assert_eq!(fixture.call("case.open", request)["outcome"], "executed");
    assert_eq!(fixture.executed("void"), 1);
}

#[test]
fn a_pause_is_no_longer_than_retry_after_max_ms() {
    let fixture = Fixture::new("default");
    let request = voidable(&fixture);
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "rate_limit", "delayMs": 86_400_000})).unwrap();
    assert_eq!(pause(&fixture.call("case.open", request)), 300_000);
}

#[test]
fn after_905_the_list_is_read_and_then_a_fresh_offer_is_submitted() {
    for profile in ["refundQueryWithoutCode=list", "refundQueryWithoutCode=810"] {
        let fixture = Fixture::new(profile);
        let request = refundable(&fixture);
        refuse(&fixture, "refund", 905, 1);
        let reply = fixture.call("case.open", request.clone());
        assert!(is_planned(&reply), "{profile} {reply}");
        fixture.vendor.advance("6s").unwrap();
        let reply = fixture.call("case.open", request);
        assert_eq!(reply["outcome"], "executed", "{profile} {reply}");
        assert_eq!((fixture.sent("refund"), fixture.executed("refund")), (2, 1), "{profile}");
        assert_eq!(fixture.sent("queryRefundOrders"), 1, "{profile}");
    }
}

#[test]
fn after_a_gateways_429_an_executed_refund_or_void_is_found_and_not_sent_again() {
    for endpoint in ["void", "refund"] {
        let fixture = Fixture::new("refundQueryWithoutCode=list");
        let request = if endpoint == "void" { voidable(&fixture) } else { refundable(&fixture) };
        gateway(&fixture, endpoint, true);
        let reply = fixture.call("case.open", request.clone());
        assert!(is_planned(&reply), "{reply}");
        fixture.vendor.advance("6s").unwrap();
        let reply = fixture.call("case.open", request);
        assert_eq!((&reply["outcome"], &reply["case"]["adopted"]), (&json!("executed"), &json!(false)), "{reply}");
        assert_eq!((fixture.sent(endpoint), fixture.executed(endpoint)), (1, 1));
    }
}

#[test]
fn after_a_gateways_429_a_refused_list_keeps_the_case_pending_and_nothing_is_sent() {
    let fixture = Fixture::new("refundQueryWithoutCode=810");
    let request = refundable(&fixture);
    gateway(&fixture, "refund", true);
    fixture.call("case.open", request.clone());
    fixture.vendor.advance("6s").unwrap();
    let reply = fixture.call("case.open", request);
    assert!(is_planned(&reply), "{reply}");
    assert_eq!(fixture.sent("refund"), 1);
}

#[test]
fn after_a_gateways_429_an_entry_that_does_not_fit_is_for_a_human() {
    let fixture = Fixture::new("refundQueryWithoutCode=list,quoteAfterRefund=0");
    let order = fixture.vendor.create_order(json!({"passengers": 2, "paymentMethod": 1})).unwrap();
    let request =
        json!({"kind": "refund", "orderNo": order["orderNo"], "key": "k", "passengers": [Fixture::name(&order, 1)]});
    gateway(&fixture, "refund", false);
    fixture.call("case.open", request.clone());
    fixture.refund_outside(&order, 0);
    fixture.vendor.advance("6s").unwrap();
    let reply = fixture.call("case.open", request);
    assert_eq!((&reply["outcome"], &reply["case"]["state"]), (&json!("unknown"), &json!("needs_human")), "{reply}");
    assert_eq!(fixture.executed("refund"), 1, "only that of the other passenger");
}

#[test]
fn after_a_gateways_429_a_regenerated_order_is_unknown_and_for_a_human_at_once() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"state": "cancelled"}));
    gateway(&fixture, "regenerateOrder", true);
    let reply = fixture.call("case.open", json!({"kind": "regenerate", "orderNo": order, "key": "k"}));
    assert_eq!((&reply["outcome"], &reply["case"]["state"]), (&json!("unknown"), &json!("needs_human")), "{reply}");
}

#[test]
fn after_a_gateways_429_a_baggage_order_that_was_made_is_not_ordered_again() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"passengers": 1}));
    let request = fixture.ancillary(&order, "k");
    gateway(&fixture, "postBookingAncillaryOrder", true);
    assert!(is_planned(&fixture.call("case.open", request.clone())));
    fixture.vendor.advance("6s").unwrap();
    fixture.call("case.open", request);
    assert_eq!(fixture.sent("postBookingAncillaryOrder"), 1);
}

#[test]
fn a_payment_refused_for_its_pace_waits_and_is_tried_again_by_case_open() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"passengers": 1}));
    let mut request = fixture.ancillary(&order, "k");
    request["payment"] = json!({"paymentMethod": 1});
    refuse(&fixture, "pay", 429, 1);
    let reply = fixture.call("case.open", request.clone());
    assert_eq!(
        (&reply["outcome"], &reply["case"]["state"]),
        (&json!("pending"), &json!("awaiting_payment")),
        "{reply}"
    );
    assert_eq!(fixture.call("case.open", request.clone())["error"]["status"], -41);
    assert_eq!(fixture.sent("pay"), 1);
    fixture.vendor.advance("6s").unwrap();
    let reply = fixture.call("case.open", request);
    assert_eq!((&reply["outcome"], fixture.executed("pay")), (&json!("executed"), 1), "{reply}");
}

#[test]
fn case_follow_sends_nothing_and_returns_at_once_for_what_only_case_open_can_move() {
    let fixture = Fixture::new("default");
    let request = voidable(&fixture);
    refuse(&fixture, "void", 429, 1);
    let id = fixture.call("case.open", request)["case"]["id"].clone();
    fixture.vendor.advance("10m").unwrap();
    for which in [json!({"id": id}), json!({"all": true})] {
        let mut follow = which;
        follow["until"] = json!("final");
        follow["timeoutMs"] = json!(20_000);
        let began = Instant::now();
        let reply = fixture.call("case.follow", follow);
        assert!(began.elapsed() < Duration::from_secs(5), "{reply}");
        assert_eq!(reply["ok"], true, "{reply}");
    }
    assert_eq!(fixture.sent("void"), 1);
    assert_eq!(fixture.stored()["state"], "planned");
}

#[test]
fn after_905_without_a_list_a_refused_quotation_keeps_the_case_pending() {
    let refused = [803, 810, 816, 843].map(|code| json!({"status": code}));
    for body in refused.into_iter().chain([json!({"isRefundable": false}), json!({"refundOfferId": null})]) {
        let fixture = Fixture::new("refundQueryWithoutCode=810");
        let request = refundable(&fixture);
        refuse(&fixture, "refund", 905, 1);
        fixture.call("case.open", request.clone());
        fixture.vendor.advance("6s").unwrap();
        fixture
            .vendor
            .fault(json!({"endpoint": "refundQuotation", "mode": "reply", "body": body, "times": 0}))
            .unwrap();
        let reply = fixture.call("case.open", request.clone());
        assert!(is_planned(&reply), "{body}: {reply}");
        assert_eq!((fixture.sent("refund"), &reply["outcome"]), (1, &json!("pending")), "{body}: {reply}");
        fixture.vendor.clear_faults().unwrap();
        let reply = fixture.call("case.open", request);
        assert_eq!((&reply["outcome"], fixture.executed("refund")), (&json!("executed"), 1), "{body}: {reply}");
    }
}
