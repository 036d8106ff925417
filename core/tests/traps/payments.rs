//! An order is paid once, whoever pays it, and its case says so.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::stage::Stage;

/// Two direct payments at once: the one that comes second has read the case before the first leased it.
#[test]
fn two_direct_payments_of_a_waiting_bag() {
    for _ in 0..8 {
        let stage = Stage::new("default");
        let bag = stage.waiting_bag();
        let request = json!({"orderNo": bag["code"], "paymentMethod": 1}).to_string();
        let second = Stage::client(&stage.vendor, &stage.file, &json!({}));
        let lock = rusqlite::Connection::open(&stage.file).unwrap();
        lock.execute_batch("BEGIN IMMEDIATE").unwrap();
        thread::scope(|scope| {
            let late = scope.spawn(|| second.call("pay", &request, "").json().to_owned());
            thread::sleep(Duration::from_millis(700));
            lock.execute_batch("ROLLBACK").unwrap();
            stage.client.call("pay", &request, "");
            late.join().unwrap();
        });
        assert_eq!((stage.sent("pay"), stage.executed("pay")), (1, 1));
    }
}

/// A direct payment that provably did not leave says nothing about the bag: its case waits on.
#[test]
fn a_direct_payment_that_did_not_leave() {
    let stage = Stage::with("default", json!({"rateLimit": {"perSecond": 0.02, "burst": 8}}));
    let bag = stage.waiting_bag();
    let request = json!({"orderNo": bag["code"], "paymentMethod": 1});
    let hurry = r#"{"timeoutMs": 300}"#;
    let used_up = |_: &u32| {
        let reply = stage.with_options("balance", &json!({}), hurry);
        reply["error"]["code"] == "rate_wait_timeout"
    };
    assert!((0..12).any(|n| used_up(&n)), "the budget has no end");
    let unsent = stage.with_options("pay", &request, hurry);
    assert_eq!(unsent["error"]["code"], "rate_wait_timeout", "{unsent}");
    assert_eq!(stage.sent("pay"), 0);
    let case = stage.stored();
    assert_eq!((&case["state"], &case["final"]), (&json!("awaiting_payment"), &json!(false)), "{case}");
}

/// A direct payment that is refused leaves the case waiting, and the next one is its payment.
#[test]
fn a_bag_paid_after_a_refused_direct_payment() {
    let stage = Stage::new("default");
    let bag = stage.waiting_bag();
    let request = json!({"orderNo": bag["code"], "paymentMethod": 1});
    stage.vendor.fault(json!({"endpoint": "pay", "mode": "reply", "execute": false, "body": {"status": 412}})).unwrap();
    let refused = stage.call("pay", request.clone());
    assert_eq!(refused["outcome"], "not_executed", "{refused}");
    assert_eq!(stage.stored()["state"], "awaiting_payment");
    let paid = stage.call("pay", request);
    assert_eq!(paid["outcome"], "executed", "{paid}");
    let case = stage.stored();
    assert_eq!((&case["outcome"], &case["state"]), (&json!("executed"), &json!("ticketing")), "{case}");
}

/// A payment that was given up by absence keeps others away until a human frees the order.
#[test]
fn a_direct_payment_given_up_can_be_made_again() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"state": "unpaid"}));
    stage.vendor.fault(json!({"endpoint": "pay", "mode": "drop_before"})).unwrap();
    let request = json!({"orderNo": order, "paymentMethod": 1});
    let lost = stage.call("pay", request.clone());
    assert_eq!(lost["outcome"], "unknown", "{lost}");
    let case = stage.follow(&lost["case"]["id"], "40s", 10);
    assert_eq!(case["outcome"], "not_executed", "{case}");
    let refused = stage.call("pay", request.clone());
    assert_eq!(refused["error"]["code"], "conflict", "{refused}");
    let resolve = json!({"id": case["id"], "as": "not_executed", "by": "desk", "evidence": "the vendor says so"});
    stage.call("case.resolve", resolve);
    let again = stage.call("pay", request);
    assert_eq!(again["outcome"], "executed", "{again}");
    assert_eq!(stage.executed("pay"), 1);
}

/// What is paid and ticketed, and whose case is closed, is not paid again.
#[test]
fn a_ticketed_order_is_not_paid_again() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"state": "unpaid"}));
    let request = json!({"orderNo": order, "paymentMethod": 1});
    let paid = stage.call("pay", request.clone());
    let case = stage.follow(&paid["case"]["id"], "40s", 10);
    assert_eq!(case["state"], "ticketed", "{case}");
    let again = stage.call("pay", request);
    assert_eq!((&again["error"]["code"], stage.sent("pay")), (&json!("conflict"), 1), "{again}");
}

/// A bag whose number was lost is paid directly, and that answer is lost too: the case finds the bag, and must not pay
/// it a second time.
#[test]
fn a_found_bag_that_is_being_paid_directly() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"passengers": 1}));
    stage.vendor.fault(json!({"endpoint": "postBookingAncillaryOrder", "mode": "drop_after"})).unwrap();
    let mut open = stage.bag(&order, "k");
    open["payment"] = json!({"paymentMethod": 1});
    stage.vendor.fault(json!({"endpoint": "queryOrderDetails", "mode": "http", "skip": 2, "times": 3})).unwrap();
    stage.call("case.open", open.clone());
    let bag =
        stage.vendor.ledger().iter().find(|r| r["endpoint"] == "postBookingAncillaryOrder").unwrap()["result"].clone();
    stage.vendor.fault(json!({"endpoint": "pay", "mode": "late", "delayMs": 600_000, "virtual": true})).unwrap();
    stage.with_options("pay", &json!({"orderNo": bag, "paymentMethod": 1}), r#"{"timeoutMs": 1500}"#);
    for _ in 0..2 {
        stage.call("case.open", open.clone());
    }
    assert_eq!(stage.sent("pay"), 1, "one order, two payments under way");
}

/// Paid by somebody else, ticketing failed: that is not "not paid in time".
#[test]
fn a_bag_paid_elsewhere_whose_ticketing_failed() {
    let stage = Stage::new("default");
    let bag = stage.waiting_bag();
    let code = bag["code"].as_str().unwrap();
    stage.vendor.control("POST", &format!("/_sim/orders/{code}"), json!({"failWith": 603})).unwrap();
    let paid = stage.outside("pay", json!({"orderNo": code, "paymentMethod": 1}));
    assert_eq!(paid["ok"], true, "{paid}");
    stage.vendor.advance("5m").unwrap();
    let case = stage.call("case.reconcile", json!({"key": "k"}))["case"].clone();
    assert_eq!((&case["outcome"], &case["adopted"]), (&json!("executed"), &json!(true)), "{case}");
}

/// An order that a human says was rebuilt can be paid within `expect`.
#[test]
fn a_rebuilt_order_told_by_a_human_is_paid_within_expect() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"state": "cancelled", "fare": "100.00"}));
    stage.vendor.fault(json!({"endpoint": "regenerateOrder", "mode": "drop_after"})).unwrap();
    let request = json!({
        "kind": "regenerate", "orderNo": order, "key": "k", "payment": {"paymentMethod": 1},
        "expect": {"currency": "USD", "maxPrice": "9999"},
    });
    let reply = stage.call("case.open", request.clone());
    assert_eq!(reply["case"]["state"], "needs_human", "{reply}");
    let new = stage.vendor.ledger().iter().find(|r| r["endpoint"] == "regenerateOrder").unwrap()["result"].clone();
    let evidence = json!({"text": "seen", "code": new});
    let told = stage
        .call("case.resolve", json!({"id": reply["case"]["id"], "as": "executed", "by": "desk", "evidence": evidence}));
    assert_eq!(told["case"]["state"], "awaiting_payment", "{told}");
    let reply = stage.call("case.open", request);
    assert_eq!(reply["case"]["state"], "ticketing", "{reply}");
}

/// The vendor rebuilds an order that can still be paid; who has paid the new one does not pay the old one.
#[test]
fn a_rebuilt_order_beside_one_that_can_still_be_paid() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"state": "unpaid"}));
    let open = json!({"kind": "regenerate", "orderNo": order, "key": "k", "payment": {"paymentMethod": 1}});
    let reply = stage.call("case.open", open);
    let case = stage.follow(&reply["case"]["id"], "30s", 10);
    assert_eq!(case["state"], "ticketed", "{case}");
    let old = stage.call("pay", json!({"orderNo": order, "paymentMethod": 1}));
    assert_eq!(old["error"]["code"], "conflict", "{old}");
    assert_eq!((stage.sent("pay"), stage.executed("pay")), (1, 1));
}

/// A price that cannot be added up is no price.
#[test]
fn absurd_amounts_are_no_price() {
    let stage = Stage::new("default");
    stage.waiting_bag();
    stage.absurd_prices();
    let reply = stage.call("case.reconcile", json!({"key": "k"}));
    assert_eq!(reply["ok"], true, "{reply}");
    assert_eq!(reply["case"]["money"]["paid"], Value::Null, "{reply}");
}
