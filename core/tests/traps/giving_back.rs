//! Refunds and voids beside those of others, and of some passengers.

use serde_json::{Value, json};

use crate::stage::Stage;

fn for_two(stage: &Stage) -> Value {
    stage.vendor.create_order(json!({"passengers": 2, "paymentMethod": 1, "airline": "Y4"})).unwrap()
}

/// Case `k`: the refund of the second of two passengers.
fn of_the_second(order: &Value) -> Value {
    json!({"kind": "refund", "orderNo": order["orderNo"], "key": "k", "passengers": [Stage::name(order, 1)]})
}

/// The first passenger's refund is no evidence for the second's.
#[test]
fn a_lost_refund_of_one_passenger_beside_anothers() {
    let stage = Stage::new("default");
    let order = for_two(&stage);
    stage.refund_outside(&order, 0);
    stage.vendor.fault(json!({"endpoint": "refund", "mode": "drop_before"})).unwrap();
    let reply = stage.call("case.open", of_the_second(&order));
    assert_eq!(reply["outcome"], "unknown", "{reply}");
    let case = stage.follow(&reply["case"]["id"], "40s", 10);
    assert_eq!(stage.executed("refund"), 1, "only the first passenger's");
    assert_eq!(case["outcome"], "unknown", "who it was for is not stored: {case}");
}

/// 814 speaks of a submit that is under way, not of a refund that another passenger got long ago.
#[test]
fn in_progress_beside_an_old_refund() {
    for profile in ["refundQueryWithoutCode=list", "strict"] {
        let stage = Stage::new(profile);
        let order = for_two(&stage);
        stage.refund_outside(&order, 0);
        let in_progress = json!({"endpoint": "refund", "mode": "reply", "execute": false, "body": {"status": 814}});
        stage.vendor.fault(in_progress).unwrap();
        let reply = stage.call("case.open", of_the_second(&order));
        assert_eq!(stage.executed("refund"), 1, "only the first passenger's");
        assert_eq!(reply["case"]["outcome"], "unknown", "{profile} {reply}");
    }
}

/// An adopted refund of one passenger follows the refund of that passenger.
#[test]
fn an_adopted_refund_of_one_of_two() {
    let stage = Stage::new("refundQueryWithoutCode=list");
    let order = for_two(&stage);
    stage.refund_outside(&order, 1);
    stage.refund_outside(&order, 0);
    let ledger = stage.vendor.ledger();
    let second = ledger.iter().find(|r| r["endpoint"] == "refund").unwrap()["result"].clone();
    let reply = stage.call("case.open", of_the_second(&order));
    assert_eq!(reply["case"]["adopted"], true, "{reply}");
    assert_eq!(reply["case"]["code"], second, "{reply}");
}

/// Everybody is to be refunded, and one has been before: the other's ticket stands.
#[test]
fn a_refund_of_everybody_after_a_refund_of_one() {
    for (kind, profile, outcome) in [
        ("refund", "default", "not_executed"),
        ("refund", "strict,quoteAfterRefund=803", "not_executed"),
        ("cancel", "strict,quoteAfterRefund=803", "not_executed"),
        // Quoted all the same; the submit is answered 814.
        ("refund", "strict", "unknown"),
    ] {
        let stage = Stage::new(profile);
        let order = for_two(&stage);
        stage.refund_outside(&order, 0);
        let reply = stage.call("case.open", json!({"kind": kind, "orderNo": order["orderNo"], "key": "k"}));
        assert_eq!((&reply["outcome"], stage.executed("refund")), (&json!(outcome), 1), "{kind} {profile} {reply}");
    }
}

/// A direct refund names the order by its locator, while the order cannot be read: it may be the one at which a case is
/// at work.
#[test]
fn a_direct_refund_by_locator_beside_an_open_case() {
    let stage = Stage::new("refundQueryWithoutCode=list,quoteAfterRefund=0");
    let order = stage.vendor.create_order(json!({"passengers": 1, "paymentMethod": 1})).unwrap();
    let offer = stage.offer_outside(&order, 0);
    // The first is still on its way, so the vendor's own guard does not see it.
    stage.vendor.fault(json!({"endpoint": "refund", "mode": "late", "delayMs": 600_000, "virtual": true})).unwrap();
    let open = json!({"kind": "refund", "orderNo": order["orderNo"], "key": "k"});
    let reply = stage.with_options("case.open", &open, r#"{"timeoutMs": 1500}"#);
    assert_eq!(reply["case"]["outcome"], "unknown", "{reply}");
    stage.vendor.fault(json!({"endpoint": "queryOrderDetails", "mode": "http", "times": 0})).unwrap();
    let direct = json!({"airlinePNR": order["airlinePNRs"][0], "carrier": order["airline"], "refundOfferId": offer});
    let reply = stage.call("refund", direct);
    assert_eq!(stage.sent("refund"), 1, "{reply}");
    assert_eq!((&reply["outcome"], &reply["error"]["code"]), (&json!("not_executed"), &json!("http_error")), "{reply}");
}

/// SURFACE 5: a void needs isVoidable and allowVoid.
#[test]
fn a_void_needs_allow_void() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"airline": "Y4", "paymentMethod": 1}));
    stage.vendor.fault(json!({"endpoint": "voidQuotation", "mode": "reply", "body": {"voidWindow": null}})).unwrap();
    let reply = stage.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
    assert_eq!((&reply["error"]["code"], stage.sent("void")), (&json!("guard_not_refundable"), 0), "{reply}");
}
