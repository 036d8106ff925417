//! Notifications: unsigned, so they only make queries due.

use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::vendor_state::{open, order};

fn refunded(fixture: &Fixture) -> Value {
    let order = order(fixture, json!(1));
    let sent = fixture.call("case.open", open("void", &order, "k"));
    assert_eq!(sent["outcome"], "executed", "{sent}");
    let case = fixture.follow(&sent["case"]["id"], "1h", 400);
    assert_eq!((&case["final"], &case["state"]), (&json!(true), &json!("refunded")), "{case}");
    case
}

/// A notification that is not a repetition of an earlier one.
fn notify(fixture: &Fixture, case: &Value, number: u32) {
    let body =
        json!({"type": "void.status", "orderNo": case["orderNo"], "voidCode": case["code"], "updateTime": number});
    let told = fixture.call("case.notify", json!({"body": body}));
    assert_eq!(told["data"]["cases"], json!([case["id"]]), "{told}");
}

fn asked_about(fixture: &Fixture, case: &Value) -> Value {
    fixture.call("case.follow", json!({"id": case["id"], "until": "step"}))["case"].clone()
}

#[test]
fn a_final_case_is_asked_about_once_per_hour_and_another_state_reopens_it() {
    let fixture = Fixture::new("default");
    let case = refunded(&fixture);
    fixture.vendor.advance("2h").unwrap();
    let before = fixture.sent("queryVoidOrders");
    for number in 0..5 {
        notify(&fixture, &case, number);
        let same = asked_about(&fixture, &case);
        assert_eq!((&same["final"], &same["state"]), (&json!(true), &json!("refunded")), "{same}");
    }
    assert_eq!(fixture.sent("queryVoidOrders"), before + 1);
    let moved = fixture.vendor.control("POST", "/_sim/cases", json!({"code": case["code"], "status": 3})).unwrap();
    assert_eq!(moved["status"], 3, "{moved}");
    fixture.vendor.advance("61m").unwrap();
    let reopened = asked_about(&fixture, &case);
    assert_eq!(
        (&reopened["final"], &reopened["state"], &reopened["reopened"], &reopened["outcome"]),
        (&json!(false), &json!("refunding"), &json!(true), &json!("executed")),
        "{reopened}"
    );
    // It holds its order again.
    let second = fixture.call("case.open", json!({"kind": "refund", "orderNo": case["orderNo"], "key": "second"}));
    assert_eq!((&second["error"]["code"], &second["case"]["id"]), (&json!("conflict"), &case["id"]), "{second}");
}

#[test]
fn a_reopened_case_whose_order_another_one_holds_needs_a_human() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(1));
    let sent = fixture.call("case.open", open("void", &order, "k"));
    let set = |status: u32| {
        fixture.vendor.control("POST", "/_sim/cases", json!({"code": sent["case"]["code"], "status": status})).unwrap()
    };
    set(4);
    let rejected = fixture.call("case.reconcile", json!({"key": "k"}))["case"].clone();
    assert_eq!((&rejected["final"], &rejected["state"]), (&json!(true), &json!("rejected")), "{rejected}");
    let second = fixture.call("case.open", open("refund", &order, "second"));
    assert_eq!(second["outcome"], "executed", "{second}");
    set(3);
    fixture.vendor.advance("61m").unwrap();
    let body = json!({"type": "void.status", "orderNo": rejected["orderNo"], "voidCode": rejected["code"]});
    assert_eq!(fixture.call("case.notify", json!({"body": body}))["ok"], true);
    let reopened = asked_about(&fixture, &rejected);
    assert_eq!(
        (&reopened["final"], &reopened["state"], &reopened["reopened"], &reopened["outcome"]),
        (&json!(false), &json!("needs_human"), &json!(true), &json!("executed")),
        "{reopened}"
    );
    // The second one holds it all the same.
    let third = fixture.call("case.open", open("refund", &order, "third"));
    assert_eq!((&third["error"]["code"], &third["case"]["id"]), (&json!("conflict"), &second["case"]["id"]), "{third}");
}

#[test]
fn a_final_case_without_a_step_is_not_asked_about() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"state": "unpaid"}));
    let refused = fixture.call("case.open", json!({"kind": "refund", "orderNo": order, "key": "k"}));
    assert_eq!(refused["case"]["final"], true, "{refused}");
    let told = fixture.call("case.notify", json!({"body": {"type": "order.ticketed", "orderNo": order}}));
    assert_eq!(told["data"]["cases"], json!([]), "{told}");
}

#[test]
fn a_ticketed_order_that_is_cancelled_later_needs_a_human() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"passengers": 1}));
    let mut request = fixture.ancillary(&order, "k");
    request["payment"] = json!({"paymentMethod": 1});
    let paid = fixture.call("case.open", request);
    let case = fixture.follow(&paid["case"]["id"], "5m", 100);
    assert_eq!((&case["final"], &case["state"]), (&json!(true), &json!("ticketed")), "{case}");
    fixture.vendor.advance("2h").unwrap();
    let body = json!({"orderStatus": "-3"});
    fixture.vendor.fault(json!({"endpoint": "queryOrderDetails", "mode": "reply", "body": body})).unwrap();
    fixture.call("case.notify", json!({"body": {"type": "order.changed", "orderNo": case["code"]}}));
    let changed = asked_about(&fixture, &case);
    assert_eq!(
        (&changed["state"], &changed["outcome"], &changed["final"], &changed["reopened"]),
        (&json!("needs_human"), &json!("executed"), &json!(false), &json!(true)),
        "{changed}"
    );
    // Nothing but a human's word ends it.
    let said = json!({"id": case["id"], "as": "executed", "by": "me", "evidence": "the money came back"});
    let ended = fixture.call("case.resolve", said);
    assert_eq!(
        (&ended["case"]["final"], &ended["case"]["state"], &ended["outcome"]),
        (&json!(true), &json!("cancelled"), &json!("executed")),
        "{ended}"
    );
}
