//! An order is paid once, whichever client pays it, and its case shows the payment.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::fixture::Fixture;

/// The second payment has read the case before the first one got its lease.
#[test]
fn two_direct_payments_of_one_order_send_one() {
    for _ in 0..8 {
        let fixture = Fixture::new("default");
        let ancillary = fixture.unpaid_ancillary();
        let request = json!({"orderNo": ancillary["code"], "paymentMethod": 1}).to_string();
        let second = Fixture::client(&fixture.vendor, &fixture.file, &json!({}));
        let lock = rusqlite::Connection::open(&fixture.file).unwrap();
        lock.execute_batch("BEGIN IMMEDIATE").unwrap();
        thread::scope(|scope| {
            let late = scope.spawn(|| second.call("pay", &request, "").json().to_owned());
            thread::sleep(Duration::from_millis(700));
            lock.execute_batch("ROLLBACK").unwrap();
            fixture.client.call("pay", &request, "");
            late.join().unwrap();
        });
        assert_eq!((fixture.sent("pay"), fixture.executed("pay")), (1, 1));
    }
}

#[test]
fn a_direct_payment_that_was_not_sent_leaves_the_case_waiting() {
    let fixture = Fixture::with("default", json!({"rateLimit": {"perSecond": 0.02, "burst": 8}}));
    let ancillary = fixture.unpaid_ancillary();
    let request = json!({"orderNo": ancillary["code"], "paymentMethod": 1});
    let short = r#"{"timeoutMs": 300}"#;
    let used_up = |_: &u32| {
        let reply = fixture.with_options("balance", &json!({}), short);
        reply["error"]["code"] == "rate_wait_timeout"
    };
    assert!((0..12).any(|n| used_up(&n)), "the request budget is not exhausted");
    let unsent = fixture.with_options("pay", &request, short);
    assert_eq!(unsent["error"]["code"], "rate_wait_timeout", "{unsent}");
    assert_eq!(fixture.sent("pay"), 0);
    let case = fixture.stored();
    assert_eq!((&case["state"], &case["final"]), (&json!("awaiting_payment"), &json!(false)), "{case}");
}

#[test]
fn after_a_refused_direct_payment_the_next_one_pays_the_case() {
    let fixture = Fixture::new("default");
    let ancillary = fixture.unpaid_ancillary();
    let request = json!({"orderNo": ancillary["code"], "paymentMethod": 1});
    fixture
        .vendor
        .fault(json!({"endpoint": "pay", "mode": "reply", "execute": false, "body": {"status": 412}}))
        .unwrap();
    let refused = fixture.call("pay", request.clone());
    assert_eq!(refused["outcome"], "not_executed", "{refused}");
    assert_eq!(fixture.stored()["state"], "awaiting_payment");
    let paid = fixture.call("pay", request);
    assert_eq!(paid["outcome"], "executed", "{paid}");
    let case = fixture.stored();
    assert_eq!((&case["outcome"], &case["state"]), (&json!("executed"), &json!("ticketing")), "{case}");
}

/// Until then the given-up payment has a hold on the order.
#[test]
fn a_given_up_payment_can_be_repeated_after_case_resolve() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"state": "unpaid"}));
    fixture.vendor.fault(json!({"endpoint": "pay", "mode": "drop_before"})).unwrap();
    let request = json!({"orderNo": order, "paymentMethod": 1});
    let lost = fixture.call("pay", request.clone());
    assert_eq!(lost["outcome"], "unknown", "{lost}");
    let case = fixture.follow(&lost["case"]["id"], "40s", 10);
    assert_eq!(case["outcome"], "not_executed", "{case}");
    let refused = fixture.call("pay", request.clone());
    assert_eq!(refused["error"]["code"], "conflict", "{refused}");
    let resolve = json!({"id": case["id"], "as": "not_executed", "by": "operator", "evidence": "the vendor says so"});
    fixture.call("case.resolve", resolve);
    let again = fixture.call("pay", request);
    assert_eq!(again["outcome"], "executed", "{again}");
    assert_eq!(fixture.executed("pay"), 1);
}

#[test]
fn a_ticketed_order_whose_case_is_closed_is_not_paid_again() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"state": "unpaid"}));
    let request = json!({"orderNo": order, "paymentMethod": 1});
    let paid = fixture.call("pay", request.clone());
    let case = fixture.follow(&paid["case"]["id"], "40s", 10);
    assert_eq!(case["state"], "ticketed", "{case}");
    let again = fixture.call("pay", request);
    assert_eq!((&again["error"]["code"], fixture.sent("pay")), (&json!("conflict"), 1), "{again}");
}

/// The reply with the order number was lost, the order is paid directly, and that reply is lost too: the case then
/// finds the order, whose payment is under way.
#[test]
fn a_found_order_is_not_paid_beside_a_direct_payment() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"passengers": 1}));
    fixture.vendor.fault(json!({"endpoint": "postBookingAncillaryOrder", "mode": "drop_after"})).unwrap();
    let mut open = fixture.ancillary(&order, "k");
    open["payment"] = json!({"paymentMethod": 1});
    fixture.vendor.fault(json!({"endpoint": "queryOrderDetails", "mode": "http", "skip": 2, "times": 3})).unwrap();
    fixture.call("case.open", open.clone());
    let ancillary =
        fixture.vendor.ledger().iter().find(|r| r["endpoint"] == "postBookingAncillaryOrder").unwrap()["result"]
            .clone();
    fixture.vendor.fault(json!({"endpoint": "pay", "mode": "late", "delayMs": 600_000, "virtual": true})).unwrap();
    fixture.with_options("pay", &json!({"orderNo": ancillary, "paymentMethod": 1}), r#"{"timeoutMs": 1500}"#);
    for _ in 0..2 {
        fixture.call("case.open", open.clone());
    }
    assert_eq!(fixture.sent("pay"), 1, "one order, two payments sent");
}

/// An order that was not paid in time is cancelled as well.
#[test]
fn an_order_paid_by_another_client_counts_as_paid_when_its_ticketing_fails() {
    let fixture = Fixture::new("default");
    let ancillary = fixture.unpaid_ancillary();
    let code = ancillary["code"].as_str().unwrap();
    fixture.vendor.control("POST", &format!("/_sim/orders/{code}"), json!({"failWith": 603})).unwrap();
    let paid = fixture.outside("pay", json!({"orderNo": code, "paymentMethod": 1}));
    assert_eq!(paid["ok"], true, "{paid}");
    fixture.vendor.advance("5m").unwrap();
    let case = fixture.call("case.reconcile", json!({"key": "k"}))["case"].clone();
    assert_eq!((&case["outcome"], &case["adopted"]), (&json!("executed"), &json!(true)), "{case}");
}

#[test]
fn a_regenerated_order_named_by_case_resolve_is_paid_within_expect() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"state": "cancelled", "fare": "100.00"}));
    fixture.vendor.fault(json!({"endpoint": "regenerateOrder", "mode": "drop_after"})).unwrap();
    let request = json!({
        "kind": "regenerate", "orderNo": order, "key": "k", "payment": {"paymentMethod": 1},
        "expect": {"currency": "USD", "maxPrice": "9999"},
    });
    let reply = fixture.call("case.open", request.clone());
    assert_eq!(reply["case"]["state"], "needs_human", "{reply}");
    let new = fixture.vendor.ledger().iter().find(|r| r["endpoint"] == "regenerateOrder").unwrap()["result"].clone();
    let evidence = json!({"text": "seen", "code": new});
    let resolved = fixture.call(
        "case.resolve",
        json!({"id": reply["case"]["id"], "as": "executed", "by": "operator", "evidence": evidence}),
    );
    assert_eq!(resolved["case"]["state"], "awaiting_payment", "{resolved}");
    let reply = fixture.call("case.open", request);
    assert_eq!(reply["case"]["state"], "ticketing", "{reply}");
}

/// The vendor regenerates an order that can still be paid.
#[test]
fn the_original_of_a_paid_regenerated_order_is_not_paid() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"state": "unpaid"}));
    // Its time to pay is over, and the vendor takes the money all the same.
    fixture.vendor.advance("31m").unwrap();
    let expect = json!({"currency": "USD", "maxPrice": "100000"});
    let payment = json!({"paymentMethod": 1});
    let open = json!({"kind": "regenerate", "orderNo": order, "key": "k", "payment": payment, "expect": expect});
    let reply = fixture.call("case.open", open);
    let case = fixture.follow(&reply["case"]["id"], "30s", 10);
    assert_eq!(case["state"], "ticketed", "{case}");
    let old = fixture.call("pay", json!({"orderNo": order, "paymentMethod": 1}));
    assert_eq!(old["error"]["code"], "conflict", "{old}");
    assert_eq!((fixture.sent("pay"), fixture.executed("pay")), (1, 1));
}

#[test]
fn amounts_whose_sum_overflows_are_no_price() {
    let fixture = Fixture::new("default");
    fixture.unpaid_ancillary();
    fixture.overflowing_prices();
    let reply = fixture.call("case.reconcile", json!({"key": "k"}));
    assert_eq!(reply["ok"], true, "{reply}");
    assert_eq!(reply["case"]["money"]["paid"], Value::Null, "{reply}");
}
