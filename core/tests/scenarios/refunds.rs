//! Refunds of some passengers, and refunds and voids beside those of other clients.

use serde_json::{Value, json};

use crate::fixture::Fixture;

fn order_for_two(fixture: &Fixture) -> Value {
    fixture.vendor.create_order(json!({"passengers": 2, "paymentMethod": 1, "airline": "Y4"})).unwrap()
}

/// Case `k`: the refund of the second of two passengers.
fn refund_of_the_second(order: &Value) -> Value {
    json!({"kind": "refund", "orderNo": order["orderNo"], "key": "k", "passengers": [Fixture::name(order, 1)]})
}

#[test]
fn a_lost_refund_is_not_settled_by_the_refund_of_another_passenger() {
    let fixture = Fixture::new("default");
    let order = order_for_two(&fixture);
    fixture.refund_outside(&order, 0);
    fixture.vendor.fault(json!({"endpoint": "refund", "mode": "drop_before"})).unwrap();
    let reply = fixture.call("case.open", refund_of_the_second(&order));
    assert_eq!(reply["outcome"], "unknown", "{reply}");
    let case = fixture.follow(&reply["case"]["id"], "40s", 10);
    assert_eq!(fixture.executed("refund"), 1, "only that of the first passenger");
    assert_eq!(case["outcome"], "unknown", "passengers are not stored: {case}");
}

/// 814 means that a submit is being processed, not that a refund of another passenger exists.
#[test]
fn an_in_progress_answer_does_not_adopt_the_refund_of_another_passenger() {
    for profile in ["refundQueryWithoutCode=list", "strict"] {
        let fixture = Fixture::new(profile);
        let order = order_for_two(&fixture);
        fixture.refund_outside(&order, 0);
        let in_progress = json!({"endpoint": "refund", "mode": "reply", "execute": false, "body": {"status": 814}});
        fixture.vendor.fault(in_progress).unwrap();
        let reply = fixture.call("case.open", refund_of_the_second(&order));
        assert_eq!(fixture.executed("refund"), 1, "only that of the first passenger");
        assert_eq!(reply["case"]["outcome"], "unknown", "{profile} {reply}");
    }
}

#[test]
fn an_adopted_refund_is_the_one_of_the_same_passenger() {
    let fixture = Fixture::new("refundQueryWithoutCode=list");
    let order = order_for_two(&fixture);
    fixture.refund_outside(&order, 1);
    fixture.refund_outside(&order, 0);
    let ledger = fixture.vendor.ledger();
    let second = ledger.iter().find(|r| r["endpoint"] == "refund").unwrap()["result"].clone();
    let reply = fixture.call("case.open", refund_of_the_second(&order));
    assert_eq!(reply["case"]["adopted"], true, "{reply}");
    assert_eq!(reply["case"]["code"], second, "{reply}");
}

/// All passengers are to be refunded and one was before: the ticket of the other is still valid.
#[test]
fn a_refund_of_all_is_not_executed_by_the_refund_of_one() {
    for (kind, profile, outcome) in [
        ("refund", "default", "not_executed"),
        ("refund", "strict,quoteAfterRefund=803,passengersAfterRefund=stay", "not_executed"),
        ("cancel", "strict,quoteAfterRefund=803,passengersAfterRefund=stay", "not_executed"),
        // The quotation succeeds; the submit is answered 814.
        ("refund", "strict,passengersAfterRefund=stay", "unknown"),
    ] {
        let fixture = Fixture::new(profile);
        let order = order_for_two(&fixture);
        fixture.refund_outside(&order, 0);
        let reply = fixture.call("case.open", json!({"kind": kind, "orderNo": order["orderNo"], "key": "k"}));
        assert_eq!((&reply["outcome"], fixture.executed("refund")), (&json!(outcome), 1), "{kind} {profile} {reply}");
    }
}

/// Without the order number no hold can be checked: the order may be one that a case has a hold on.
#[test]
fn a_direct_refund_by_locator_is_not_sent_if_the_order_cannot_be_read() {
    let fixture = Fixture::new("refundQueryWithoutCode=list,quoteAfterRefund=0");
    let order = fixture.vendor.create_order(json!({"passengers": 1, "paymentMethod": 1})).unwrap();
    let offer = fixture.offer_outside(&order, 0);
    // The first arrives later, so that the vendor's own check does not see it.
    fixture.vendor.fault(json!({"endpoint": "refund", "mode": "late", "delayMs": 600_000, "virtual": true})).unwrap();
    let open = json!({"kind": "refund", "orderNo": order["orderNo"], "key": "k"});
    let reply = fixture.with_options("case.open", &open, r#"{"timeoutMs": 1500}"#);
    assert_eq!(reply["case"]["outcome"], "unknown", "{reply}");
    fixture.vendor.fault(json!({"endpoint": "queryOrderDetails", "mode": "http", "times": 0})).unwrap();
    let direct = json!({"airlinePNR": order["airlinePNRs"][0], "carrier": order["airline"], "refundOfferId": offer});
    let reply = fixture.call("refund", direct);
    assert_eq!(fixture.sent("refund"), 1, "{reply}");
    assert_eq!(
        (&reply["outcome"], &reply["error"]["code"]),
        (&json!("not_executed"), &json!("bad_request")),
        "{reply}"
    );
}

/// The quotation says isVoidable, and nothing about the window.
#[test]
fn a_void_without_allow_void_is_refused() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    fixture.vendor.fault(json!({"endpoint": "voidQuotation", "mode": "reply", "body": {"voidWindow": null}})).unwrap();
    let reply = fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
    assert_eq!((&reply["error"]["code"], fixture.sent("void")), (&json!("guard_not_refundable"), 0), "{reply}");
}
