//! What proves what: codes that say that something is there, whole lists, absence, adoption.

use serde_json::{Value, json};

use crate::fixture::Fixture;

fn order(fixture: &Fixture, passengers: Value) -> Value {
    fixture.vendor.create_order(json!({"passengers": passengers, "paymentMethod": 1, "airline": "Y4"})).unwrap()
}

fn open(kind: &str, order: &Value, key: &str) -> Value {
    json!({"kind": kind, "orderNo": order["orderNo"], "key": key})
}

fn reconcile(fixture: &Fixture, key: &str, after: &str) -> Value {
    fixture.vendor.advance(after).unwrap();
    fixture.call("case.reconcile", json!({"key": key}))
}

/// Asks again and again for two hours: gives the last reply.
fn asked_for_long(fixture: &Fixture, key: &str) -> Value {
    (0..12).map(|_| reconcile(fixture, key, "10m")).last().unwrap()
}

#[test]
fn codes_that_say_that_something_is_there_are_unknown_at_a_direct_submit() {
    let fixture = Fixture::new("default");
    for (operation, codes, next) in [
        ("refund", vec![803, 816, 817, 818], "queryRefundOrders"),
        ("void", vec![803, 816, 817, 818], "queryVoidOrders"),
        ("postBookingAncillaryOrder", vec![505], "queryOrderDetails"),
    ] {
        for code in codes {
            fixture
                .vendor
                .fault(json!({"endpoint": operation, "mode": "reply", "execute": false, "body": {"status": code}}))
                .unwrap();
            let request = match operation {
                "refund" => json!({"orderNo": "TESTA1", "refundOfferId": format!("q{code}")}),
                "void" => json!({"orderNo": "TESTA1", "voidOfferId": format!("q{code}")}),
                _ => {
                    json!({"sessionId": "s", "ancillaryCategory": "BAGGAGE", "ticketOrderNo": "TESTA1", "passengers": [
                    {"name": "A/B", "passengerType": 0, "ancillaries": [{"productCode": "p", "segmentIndex": 1}]}]})
                }
            };
            let reply = fixture.outside(operation, request);
            assert_eq!(
                (&reply["outcome"], &reply["error"]["status"], &reply["error"]["next"]),
                (&json!("unknown"), &json!(-48), &json!(next)),
                "{reply}"
            );
        }
    }
}

#[test]
fn a_payment_of_an_order_that_is_paid_is_executed() {
    let fixture = Fixture::new("default");
    for code in [404, 615] {
        let body = json!({"status": code});
        fixture.vendor.fault(json!({"endpoint": "pay", "mode": "reply", "execute": false, "body": body})).unwrap();
        let reply = fixture.outside("pay", json!({"orderNo": "TESTA1", "paymentMethod": 1}));
        assert_eq!(
            (&reply["outcome"], &reply["error"]["status"], &reply["ok"]),
            (&json!("executed"), &json!(-48), &json!(false))
        );
    }
}

#[test]
fn in_progress_is_unknown_at_a_submit_and_not_executed_at_a_quotation() {
    let fixture = Fixture::new("default");
    for (operation, request, outcome) in [
        ("refund", json!({"orderNo": "TESTA1", "refundOfferId": "q"}), "unknown"),
        ("void", json!({"orderNo": "TESTA1", "voidOfferId": "q"}), "unknown"),
        ("voidQuotation", json!({"orderNo": "TESTA1"}), "not_executed"),
    ] {
        let body = json!({"status": 814});
        fixture.vendor.fault(json!({"endpoint": operation, "mode": "reply", "execute": false, "body": body})).unwrap();
        let reply = fixture.outside(operation, request);
        assert_eq!((&reply["outcome"], &reply["error"]["status"]), (&json!(outcome), &json!(-49)), "{reply}");
    }
}

#[test]
fn a_refusal_that_carries_the_number_of_an_effect_is_unknown() {
    let fixture = Fixture::new("default");
    let void = json!({"orderNo": "TESTA1", "voidOfferId": "q"});
    for (body, unknown) in [
        (json!({"status": 805, "voidCode": "202603-0001"}), true),
        (json!({"status": 901, "refundCode": "202603-0001"}), true),
        (json!({"status": 429, "voidCode": "202603-0001"}), true),
        (json!({"status": 805, "orderNo": "TESTA2"}), true),
        (json!({"status": 805, "orderNo": "TESTA1", "voidCode": ""}), false),
    ] {
        fixture.vendor.fault(json!({"endpoint": "void", "mode": "reply", "execute": false, "body": body})).unwrap();
        let reply = fixture.outside("void", void.clone());
        let warned = reply["warnings"].as_array().unwrap().iter().any(|w| w["code"] == "contradiction");
        let (outcome, status) = if unknown { ("unknown", -47) } else { ("not_executed", -43) };
        assert_eq!(
            (&reply["outcome"], &reply["error"]["status"], warned),
            (&json!(outcome), &json!(status), unknown),
            "{reply}"
        );
    }
}

#[test]
fn a_refund_of_one_of_two_that_meets_something_does_not_count_for_both() {
    for second in ["816", "803", "817", "818"] {
        let fixture = Fixture::new(&format!("refundQueryWithoutCode=list,quoteAfterRefund=0,secondSubmit={second}"));
        let order = order(&fixture, json!(2));
        fixture.refund_outside(&order, 0);
        let reply = fixture.call("case.open", open("refund", &order, "k"));
        assert_ne!(reply["outcome"], "executed", "{reply}");
        let later = asked_for_long(&fixture, "k");
        assert_ne!((&later["outcome"], &later["case"]["adopted"]), (&json!("executed"), &json!(true)), "{later}");
        assert_eq!(fixture.sent("refund"), 2, "the stranger's, and one of the case");
    }
}

#[test]
fn an_entry_that_covers_the_passengers_is_adopted_after_such_a_code() {
    let fixture = Fixture::new("refundQueryWithoutCode=list,quoteAfterRefund=0,secondSubmit=816");
    let order = order(&fixture, json!(2));
    fixture.refund_outside(&order, 0);
    let mut request = open("refund", &order, "k");
    request["passengers"] = json!([1]);
    let reply = fixture.call("case.open", request);
    assert_eq!((&reply["outcome"], &reply["case"]["adopted"]), (&json!("executed"), &json!(true)), "{reply}");
    assert_eq!(fixture.executed("refund"), 1);
}

#[test]
fn where_nothing_was_sent_the_list_decides_and_else_it_is_not_refundable() {
    let fixture = Fixture::new("refundQueryWithoutCode=list");
    let (one, all) = (order(&fixture, json!(2)), order(&fixture, json!(1)));
    fixture.refund_outside(&one, 0);
    fixture.refund_outside(&all, 0);
    let reply = fixture.call("case.open", open("refund", &one, "one"));
    assert_eq!(
        (&reply["outcome"], &reply["error"]["code"]),
        (&json!("not_executed"), &json!("guard_not_refundable")),
        "{reply}"
    );
    let reply = fixture.call("case.open", open("refund", &all, "all"));
    assert_eq!((&reply["outcome"], &reply["case"]["adopted"]), (&json!("executed"), &json!(true)), "{reply}");
    // The list is refused.
    let closed = Fixture::new("refundQueryWithoutCode=810");
    let all = order(&closed, json!(1));
    closed.refund_outside(&all, 0);
    let reply = closed.call("case.open", open("refund", &all, "all"));
    assert_eq!(
        (&reply["outcome"], &reply["error"]["code"]),
        (&json!("not_executed"), &json!("guard_not_refundable")),
        "{reply}"
    );
    assert_eq!((fixture.sent("refund"), closed.sent("refund")), (2, 1), "only the strangers' were sent");
}

#[test]
fn a_refund_in_progress_leaves_a_case_that_has_sent_nothing_planned() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(1));
    let body = json!({"status": 814});
    fixture.vendor.fault(json!({"endpoint": "refundQuotation", "mode": "reply", "body": body})).unwrap();
    let reply = fixture.call("case.open", open("refund", &order, "k"));
    assert_eq!(
        (&reply["outcome"], &reply["case"]["state"], &reply["case"]["nextDueAt"], &reply["error"]["code"]),
        (&json!("pending"), &json!("planned"), &Value::Null, &json!("in_progress")),
        "{reply}"
    );
}

#[test]
fn a_list_with_a_foreign_entry_proves_no_absence_and_is_not_adopted() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(1));
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
    let reply = fixture.call("case.open", open("void", &order, "k"));
    assert_eq!(reply["outcome"], "unknown", "{reply}");
    let foreign = json!({"status": 0, "voidOrders": [
        {"orderNo": "TESTA20200101000000000", "voidOfferId": "q_theirs", "voidCode": "c-1", "voidStatus": 2}]});
    fixture.vendor.fault(json!({"endpoint": "queryVoidOrders", "mode": "reply", "times": 0, "body": foreign})).unwrap();
    let later = asked_for_long(&fixture, "k");
    assert_eq!((&later["outcome"], &later["case"]["adopted"]), (&json!("unknown"), &json!(false)), "{later}");
}

#[test]
fn in_progress_answered_by_the_probe_is_no_proof_of_execution() {
    let fixture = Fixture::new("refundQueryWithoutCode=810");
    let order = order(&fixture, json!(1));
    fixture.vendor.fault(json!({"endpoint": "refund", "mode": "drop_before"})).unwrap();
    assert_eq!(fixture.call("case.open", open("refund", &order, "k"))["outcome"], "unknown");
    let body = json!({"status": 814});
    fixture.vendor.fault(json!({"endpoint": "refundQuotation", "mode": "reply", "times": 0, "body": body})).unwrap();
    let later = asked_for_long(&fixture, "k");
    assert_eq!(later["outcome"], "unknown", "{later}");
}

#[test]
fn where_the_list_is_refused_a_probe_counts_only_for_a_lone_refund_of_everybody_and_never_ends_it() {
    let fixture = Fixture::new("refundQueryWithoutCode=810");
    let order = order(&fixture, json!(2));
    fixture.vendor.fault(json!({"endpoint": "refund", "mode": "drop_after"})).unwrap();
    let reply = fixture.call("case.open", open("refund", &order, "k"));
    let found = if reply["outcome"] == "executed" { reply } else { reconcile(&fixture, "k", "5m") };
    assert_eq!((&found["outcome"], &found["case"]["final"]), (&json!("executed"), &json!(false)), "{found}");
    let later = (0..20).map(|_| reconcile(&fixture, "k", "6h")).last().unwrap();
    assert_eq!(
        (&later["outcome"], &later["case"]["state"], &later["case"]["final"]),
        (&json!("executed"), &json!("needs_human"), &json!(false)),
        "{later}"
    );
    // Of some passengers only, somebody else's may be meant.
    let some = self::order(&fixture, json!(2));
    fixture.vendor.fault(json!({"endpoint": "refund", "mode": "drop_before"})).unwrap();
    let mut request = open("refund", &some, "some");
    request["passengers"] = json!([1]);
    assert_eq!(fixture.call("case.open", request)["outcome"], "unknown");
    fixture.refund_outside(&some, 0);
    let later = asked_for_long(&fixture, "some");
    assert_eq!(later["outcome"], "unknown", "{later}");
}
