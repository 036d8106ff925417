//! A human's word on a case that no query settles.

use serde_json::{Value, json};

use crate::fixture::Fixture;

fn resolve(fixture: &Fixture, id: &Value, verdict: &str) -> Value {
    let evidence = "the vendor's support says so";
    fixture.call("case.resolve", json!({"id": id, "as": verdict, "by": "operator", "evidence": evidence}))
}

/// Case `k`: a void whose reply is lost, and that never arrived.
fn lost_void(fixture: &Fixture) -> (String, Value) {
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
    let reply = fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
    assert_eq!(reply["outcome"], "unknown", "{reply}");
    (order, reply["case"]["id"].clone())
}

#[test]
fn not_executed_is_not_taken_before_the_settle_time_has_passed() {
    let fixture = Fixture::new("default");
    let (_, id) = lost_void(&fixture);
    let before = fixture.stored();
    let reply = resolve(&fixture, &id, "not_executed");
    assert_eq!((&reply["error"]["status"], &reply["outcome"]), (&json!(-49), &json!("unknown")), "{reply}");
    let left = reply["error"]["retryAfterMs"].as_i64().unwrap();
    assert!((1..=60_000).contains(&left), "{reply}");
    assert_eq!(fixture.stored(), before, "it changed something");
    // Executed may be said at once.
    assert_eq!(resolve(&fixture, &id, "executed")["outcome"], "executed");
}

#[test]
fn not_executed_of_what_may_have_left_frees_the_order_only_for_after() {
    let fixture = Fixture::new("default");
    let (order, id) = lost_void(&fixture);
    fixture.vendor.advance("2m").unwrap();
    let reply = resolve(&fixture, &id, "not_executed");
    assert_eq!((&reply["ok"], &reply["outcome"]), (&json!(true), &json!("not_executed")), "{reply}");
    let mut second = json!({"kind": "refund", "orderNo": order, "key": "second"});
    let conflict = fixture.call("case.open", second.clone());
    assert_eq!(conflict["error"]["code"], "conflict", "{conflict}");
    second["after"] = id;
    let reply = fixture.call("case.open", second);
    assert_eq!(reply["outcome"], "executed", "{reply}");
}

#[test]
fn a_planned_case_resolved_as_not_executed_frees_its_order_and_is_never_started_over() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "rate_limit"})).unwrap();
    let open = json!({"kind": "void", "orderNo": order, "key": "k"});
    let planned = fixture.call("case.open", open.clone());
    assert_eq!(planned["case"]["state"], "planned", "{planned}");
    let reply = resolve(&fixture, &planned["case"]["id"], "not_executed");
    assert_eq!((&reply["outcome"], &reply["case"]["final"]), (&json!("not_executed"), &json!(true)), "{reply}");
    // After the pause that the vendor wanted.
    fixture.vendor.advance("2s").unwrap();
    let second = fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": "second"}));
    assert_eq!(second["outcome"], "executed", "{second}");
    fixture.vendor.advance("1h").unwrap();
    let again = fixture.call("case.open", open);
    assert_eq!((&again["outcome"], fixture.sent("void")), (&json!("not_executed"), 2), "{again}");
    // The verdict has bound the key.
    let other = fixture.call("case.open", json!({"kind": "refund", "orderNo": order, "key": "k"}));
    assert_eq!(other["error"]["code"], "key_reused", "{other}");
}

#[test]
fn while_a_sender_may_live_a_verdict_changes_nothing() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "delay", "delayMs": 1500})).unwrap();
    let second = Fixture::client(&fixture.vendor, &fixture.file, &json!({}));
    std::thread::scope(|scope| {
        let request = json!({"kind": "void", "orderNo": order, "key": "k"}).to_string();
        let client = &fixture.client;
        let sender = scope.spawn(move || client.call("case.open", &request, "").outcome());
        std::thread::sleep(std::time::Duration::from_millis(500));
        let got: Value = serde_json::from_str(second.call("case.get", r#"{"key":"k"}"#, "").json()).unwrap();
        let verdict = json!({"id": got["case"]["id"], "as": "executed", "by": "me", "evidence": "so"}).to_string();
        let reply: Value = serde_json::from_str(second.call("case.resolve", &verdict, "").json()).unwrap();
        assert_eq!((&reply["error"]["status"], &reply["outcome"]), (&json!(-49), &json!("pending")), "{reply}");
        assert!(reply["error"]["retryAfterMs"].as_i64().unwrap() > 0, "{reply}");
        assert_eq!(sender.join().unwrap(), atlas_postbooking::Outcome::Executed);
    });
    assert!(!fixture.stored()["evidence"].to_string().contains("human"));
}

#[test]
fn every_case_that_is_not_settled_is_open_to_a_verdict() {
    let fixture = Fixture::new("default");
    let waiting = fixture.unpaid_ancillary();
    let reply = resolve(&fixture, &waiting["id"], "not_executed");
    assert_eq!((&reply["ok"], &reply["outcome"]), (&json!(true), &json!("not_executed")), "{reply}");
    let order = fixture.order(json!({"state": "cancelled"}));
    fixture.vendor.fault(json!({"endpoint": "regenerateOrder", "mode": "drop_before"})).unwrap();
    let lost = fixture.call("case.open", json!({"kind": "regenerate", "orderNo": order, "key": "r"}));
    assert_eq!(lost["case"]["state"], "needs_human", "{lost}");
    fixture.vendor.advance("2m").unwrap();
    let reply = resolve(&fixture, &lost["case"]["id"], "not_executed");
    assert_eq!((&reply["ok"], &reply["outcome"]), (&json!(true), &json!("not_executed")), "{reply}");
}

#[test]
fn a_settled_case_is_a_conflict_with_its_own_outcome() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    let done = fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
    let reply = resolve(&fixture, &done["case"]["id"], "not_executed");
    assert_eq!((&reply["error"]["code"], &reply["outcome"]), (&json!("conflict"), &json!("executed")), "{reply}");
}

#[test]
fn a_verdict_of_a_cancelled_call_changes_nothing() {
    let fixture = Fixture::new("default");
    let (_, id) = lost_void(&fixture);
    fixture.vendor.advance("5m").unwrap();
    let before = fixture.stored();
    let cancel = atlas_postbooking::Cancel::new();
    cancel.set();
    let verdict = json!({"id": id, "as": "not_executed", "by": "operator", "evidence": "seen"}).to_string();
    let reply = fixture.client.call_with("case.resolve", &verdict, "", Some(&cancel));
    let reply: Value = serde_json::from_str(reply.json()).unwrap();
    assert_eq!((&reply["error"]["code"], &reply["outcome"]), (&json!("cancelled"), &json!("unknown")), "{reply}");
    assert_eq!(fixture.stored(), before, "it changed something");
}

#[test]
fn the_settle_time_of_a_dead_sender_counts_from_the_first_verdict_that_saw_it_dead() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
    fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
    fixture.leave_sending();
    let id = fixture.stored()["id"].clone();
    let early = resolve(&fixture, &id, "not_executed");
    assert_eq!(early["error"]["status"], -49, "{early}");
    fixture.vendor.advance("2m").unwrap();
    let late = resolve(&fixture, &id, "not_executed");
    assert_eq!((&late["ok"], &late["outcome"]), (&json!(true), &json!("not_executed")), "{late}");
}
