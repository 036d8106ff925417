//! What proves what: codes, whole lists, absence, payments, stops.

use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::vendor_state::{asked, asked_for_long, open, order, reconcile};

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

/// A process may be stopped between an answer and reading it, and an answer may take long: it counts from its question.
#[test]
fn two_answers_prove_absence_only_if_their_questions_are_apart() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(1));
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
    let reply = fixture.call("case.open", open("void", &order, "k"));
    assert_eq!(reply["outcome"], "unknown", "{reply}");
    assert_eq!(reconcile(&fixture, "k", "61s")["outcome"], "unknown", "the first answer");
    let slow = json!({"endpoint": "queryVoidOrders", "mode": "delay", "delayMs": 1_500});
    fixture.vendor.fault(slow).unwrap();
    let second = std::thread::scope(|scope| {
        let second = scope.spawn(|| fixture.call("case.reconcile", json!({"key": "k"})));
        std::thread::sleep(std::time::Duration::from_millis(500));
        fixture.vendor.advance("30s").unwrap();
        second.join().unwrap()
    });
    assert_eq!(second["outcome"], "unknown", "asked at the same moment as the first, read later: {second}");
    let third = reconcile(&fixture, "k", "1s");
    assert_eq!(third["outcome"], "not_executed", "{third}");
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
    let later = asked(&fixture, "k", "6h", 20);
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

#[test]
fn a_payment_is_never_judged_by_a_cancelled_order() {
    // What was seen paid stays executed, and a human looks after the money.
    for (mode, outcome) in [("drop_before", "unknown"), ("drop_after", "executed")] {
        let fixture = Fixture::new("default");
        let order = order(&fixture, json!(1));
        fixture.vendor.fault(json!({"endpoint": "pay", "mode": mode})).unwrap();
        let mut request = fixture.ancillary(order["orderNo"].as_str().unwrap(), "k");
        request["payment"] = json!({"paymentMethod": 1});
        let reply = fixture.call("case.open", request);
        let body = json!({"orderStatus": "-3"});
        fixture
            .vendor
            .fault(json!({"endpoint": "queryOrderDetails", "mode": "reply", "times": 0, "body": body}))
            .unwrap();
        let later = asked_for_long(&fixture, "k");
        assert_eq!(
            (&later["outcome"], &later["case"]["state"], &later["case"]["final"]),
            (&json!(outcome), &json!("needs_human"), &json!(false)),
            "{mode}: {reply} {later}"
        );
    }
}

#[test]
fn after_absence_of_a_payment_the_order_waits_and_only_a_direct_pay_pays_it() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(1));
    fixture.vendor.fault(json!({"endpoint": "pay", "mode": "drop_before"})).unwrap();
    let mut request = fixture.ancillary(order["orderNo"].as_str().unwrap(), "k");
    request["payment"] = json!({"paymentMethod": 1});
    assert_eq!(fixture.call("case.open", request.clone())["outcome"], "unknown");
    let waits = asked(&fixture, "k", "2m", 6);
    assert_eq!(
        (&waits["outcome"], &waits["case"]["state"]),
        (&json!("pending"), &json!("awaiting_payment")),
        "{waits}"
    );
    let again = fixture.call("case.open", request);
    let warned = again["warnings"].as_array().unwrap().iter().any(|w| w["code"] == "pay_directly");
    assert_eq!((&again["outcome"], warned, fixture.sent("pay")), (&json!("pending"), true, 1), "{again}");
    let pay = json!({"orderNo": waits["case"]["code"], "paymentMethod": 1});
    let paid = fixture.call("pay", pay.clone());
    assert_eq!((&paid["outcome"], &paid["case"]["key"]), (&json!("executed"), &json!("k")), "{paid}");
    let second = fixture.call("pay", pay);
    assert_eq!(
        (&second["outcome"], &second["error"]["code"]),
        (&json!("not_executed"), &json!("conflict")),
        "{second}"
    );
    assert_eq!(fixture.executed("pay"), 1);
}

#[test]
fn a_stop_is_decided_by_the_order_alone_after_ten_minutes() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"state": "ticketing"}));
    fixture.vendor.fault(json!({"endpoint": "stopTicket", "mode": "drop_after"})).unwrap();
    let stop = json!({"kind": "stop", "orderNo": order, "key": "k"});
    assert_eq!(fixture.call("case.open", stop)["outcome"], "unknown");
    let body = json!({"orderStatus": "-3", "errorCode": "608"});
    fixture.vendor.fault(json!({"endpoint": "queryOrderDetails", "mode": "reply", "times": 2, "body": body})).unwrap();
    let early = reconcile(&fixture, "k", "9m");
    assert_eq!(early["outcome"], "unknown", "{early}");
    let failed = reconcile(&fixture, "k", "2m");
    assert_eq!(failed["outcome"], "unknown", "-3 with an errorCode decides nothing: {failed}");
}

#[test]
fn a_payment_that_shows_late_is_found_and_never_made_twice() {
    let fixture = Fixture::new("payShowsLate=true");
    let order = fixture.vendor.create_order(json!({"createdAgo": "1d"})).unwrap();
    fixture.vendor.fault(json!({"endpoint": "pay", "mode": "drop_after"})).unwrap();
    let mut request = fixture.ancillary(order["orderNo"].as_str().unwrap(), "k");
    request["payment"] = json!({"paymentMethod": 1});
    assert_eq!(fixture.call("case.open", request.clone())["outcome"], "unknown");
    for _ in 0..8 {
        reconcile(&fixture, "k", "1m");
        fixture.call("case.open", request.clone());
    }
    let found = reconcile(&fixture, "k", "1m");
    assert_eq!((&found["outcome"], fixture.sent("pay")), (&json!("executed"), 1), "{found}");
}

#[test]
fn a_stop_of_an_order_that_stays_in_ticketing_is_asked_about_again() {
    let fixture = Fixture::new("stopStaysAt1=true");
    let order = fixture.order(json!({"state": "ticketing", "ticketingSeconds": "3d"}));
    fixture.vendor.fault(json!({"endpoint": "stopTicket", "mode": "drop_after"})).unwrap();
    let stop = json!({"kind": "stop", "orderNo": order, "key": "k"});
    assert_eq!(fixture.call("case.open", stop)["outcome"], "unknown");
    let later = asked_for_long(&fixture, "k");
    assert_eq!(later["outcome"], "unknown", "{later}");
}

#[test]
fn a_list_of_an_order_that_cannot_be_read_proves_no_absence() {
    for (endpoint, kind) in [("void", "void"), ("refund", "refund")] {
        let fixture = Fixture::new("refundQueryWithoutCode=list");
        let order = order(&fixture, json!(1));
        fixture.vendor.fault(json!({"endpoint": endpoint, "mode": "drop_before"})).unwrap();
        fixture.call("case.open", open(kind, &order, "k"));
        for unreadable in
            [json!({"status": 800}), json!({"orderNo": null, "orderStatus": null}), json!({"orderStatus": null})]
        {
            let body = json!({"endpoint": "queryOrderDetails", "mode": "reply", "body": unreadable, "times": 0});
            fixture.vendor.fault(body).unwrap();
            let asked = asked_for_long(&fixture, "k");
            assert_eq!(asked["outcome"], "unknown", "{unreadable}: {asked}");
            fixture.vendor.clear_faults().unwrap();
        }
        assert_eq!(asked_for_long(&fixture, "k")["outcome"], "not_executed");
    }
}
