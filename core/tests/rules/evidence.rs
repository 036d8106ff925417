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
    asked(fixture, key, "10m", 12)
}

/// Asks so many times, each time after so long: gives the last reply.
fn asked(fixture: &Fixture, key: &str, after: &str, times: u32) -> Value {
    (0..times).fold(Value::Null, |_, _| reconcile(fixture, key, after))
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

/// A baggage order of somebody else, made by the vendor when ours was lost.
fn strangers_bag(fixture: &Fixture, order: &Value, product: &str) -> Value {
    let search = fixture.outside(
        "postBookingAncillarySearch",
        json!({"ticketOrderNo": order["orderNo"], "ancillaryCategory": "BAGGAGE"}),
    );
    let p = &order["passengers"][0];
    let bag = fixture.outside(
        "postBookingAncillaryOrder",
        json!({"sessionId": search["data"]["sessionId"], "ancillaryCategory": "BAGGAGE", "ticketOrderNo": order["orderNo"],
            "passengers": [{"name": p["name"], "passengerType": 0, "ancillaries": [{"productCode": product, "segmentIndex": 1}]}]}),
    );
    assert_eq!(bag["ok"], true, "{bag}");
    bag["data"]["orderNo"].clone()
}

#[test]
fn a_baggage_order_is_adopted_only_if_passengers_products_price_and_time_match() {
    let products = |fixture: &Fixture, order: &Value| -> Vec<String> {
        let search = fixture.outside(
            "postBookingAncillarySearch",
            json!({"ticketOrderNo": order["orderNo"], "ancillaryCategory": "BAGGAGE"}),
        );
        let codes = search["data"]["ancillaryProductElements"].as_array().unwrap().iter();
        let mut codes: Vec<String> = codes.map(|p| p["productCode"].as_str().unwrap().to_owned()).collect();
        codes.sort();
        codes.dedup();
        codes
    };
    for same in [true, false] {
        let fixture = Fixture::new("default");
        let order = order(&fixture, json!(1));
        let codes = products(&fixture, &order);
        assert!(codes.len() > 1, "{codes:?}");
        fixture.vendor.fault(json!({"endpoint": "postBookingAncillaryOrder", "mode": "drop_before"})).unwrap();
        let mut request = fixture.ancillary(order["orderNo"].as_str().unwrap(), "k");
        request["products"] = json!([{"productCode": codes[0], "segmentIndex": 1}]);
        request["payment"] = json!({"paymentMethod": 1});
        let lost = fixture.call("case.open", request.clone());
        assert_eq!(lost["outcome"], "unknown", "{lost}");
        let theirs = strangers_bag(&fixture, &order, if same { &codes[0] } else { &codes[1] });
        fixture.vendor.advance("5m").unwrap();
        let found = fixture.call("case.reconcile", json!({"key": "k"}));
        if same {
            // Nothing tells it from the case's own.
            assert_eq!(found["case"]["code"], theirs, "{found}");
        } else {
            assert_eq!(
                (&found["outcome"], &found["case"]["state"], &found["case"]["code"]),
                (&json!("unknown"), &json!("needs_human"), &Value::Null),
                "{found}"
            );
            fixture.call("case.open", request);
            assert_eq!(fixture.executed("pay"), 0, "the stranger's baggage was paid");
        }
    }
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
fn regenerate_needs_a_state_that_allows_it_and_a_price_to_be_paid() {
    let fixture = Fixture::new("default");
    let send = |order: &str, key: &str, payment: bool| {
        let mut request = json!({"kind": "regenerate", "orderNo": order, "key": key});
        if payment {
            request["payment"] = json!({"paymentMethod": 1});
        }
        fixture.call("case.open", request)
    };
    let unpaid = fixture.order(json!({"state": "unpaid"}));
    let early = send(&unpaid, "early", false);
    assert_eq!(early["error"]["code"], "guard_order_state", "{early}");
    let body = json!({"orderStatus": null});
    fixture.vendor.fault(json!({"endpoint": "queryOrderDetails", "mode": "reply", "body": body})).unwrap();
    let unreadable = send(&fixture.order(json!({"state": "cancelled"})), "null", false);
    assert_eq!(unreadable["error"]["code"], "guard_order_state", "{unreadable}");
    assert_eq!(fixture.sent("regenerateOrder"), 0);
    let rebuilt = send(&fixture.order(json!({"state": "cancelled"})), "dear", true);
    assert_eq!(
        (&rebuilt["outcome"], &rebuilt["case"]["state"], &rebuilt["error"]["code"], fixture.sent("pay")),
        (&json!("pending"), &json!("awaiting_payment"), &json!("guard_amount"), 0),
        "{rebuilt}"
    );
}

#[test]
fn a_voucher_by_any_spelling_and_a_fee_that_is_none_are_refused() {
    for (body, code) in [
        (json!({"voidMethod": "VOUCHER"}), "guard_voucher"),
        (json!({"voidMethod": "travel-voucher"}), "guard_voucher"),
        (json!({"voidMethod": "CreditShell"}), "guard_voucher"),
        (json!({"serviceFee": {"transactionFee": "-5", "currency": "USD"}}), "guard_amount"),
        (json!({"serviceFee": null}), "guard_amount"),
    ] {
        let fixture = Fixture::new("default");
        let order = order(&fixture, json!(1));
        fixture.vendor.fault(json!({"endpoint": "voidQuotation", "mode": "reply", "body": body})).unwrap();
        let mut request = open("void", &order, "k");
        request["expect"] = json!({"currency": "USD", "minRefund": "1"});
        let reply = fixture.call("case.open", request);
        assert_eq!((&reply["error"]["code"], fixture.sent("void")), (&json!(code), 0), "{body}: {reply}");
    }
    // Accepted, a voucher still is no cash.
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(1));
    let body = json!({"voidMethod": "Voucher"});
    fixture.vendor.fault(json!({"endpoint": "voidQuotation", "mode": "reply", "body": body})).unwrap();
    let mut request = open("void", &order, "k");
    request["expect"] = json!({"currency": "USD", "minRefund": "0", "acceptVoucher": true});
    let reply = fixture.call("case.open", request);
    assert_eq!((&reply["error"]["code"], fixture.sent("void")), (&json!("guard_amount"), 0), "{reply}");
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
fn a_second_ancillary_order_that_is_refused_because_one_is_there_does_not_take_the_first() {
    let fixture = Fixture::new("ancillarySecond=505");
    let order = order(&fixture, json!(1));
    let theirs = strangers_bag(&fixture, &order, "SIM_BAG_1PC_20KG");
    let mut request = fixture.ancillary(order["orderNo"].as_str().unwrap(), "k");
    request["expect"] = json!({"acceptForeign": true});
    request["payment"] = json!({"paymentMethod": 1});
    let reply = fixture.call("case.open", request);
    assert_eq!((&reply["outcome"], &reply["error"]["status"]), (&json!("unknown"), &json!(-48)), "{reply}");
    let later = asked_for_long(&fixture, "k");
    assert_eq!(later["outcome"], "not_executed", "{later}");
    assert_ne!(later["case"]["code"], theirs);
    assert_eq!(fixture.executed("pay"), 0);
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
fn a_baggage_order_of_somebody_else_is_refused_unless_it_is_accepted() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(1));
    strangers_bag(&fixture, &order, "SIM_BAG_1PC_20KG");
    let refused = fixture.call("case.open", fixture.ancillary(order["orderNo"].as_str().unwrap(), "k"));
    assert_eq!(
        (&refused["error"]["code"], fixture.sent("postBookingAncillaryOrder")),
        (&json!("guard_foreign_order"), 1),
        "{refused}"
    );
    let mut accepted = fixture.ancillary(order["orderNo"].as_str().unwrap(), "k");
    accepted["expect"] = json!({"acceptForeign": true});
    let made = fixture.call("case.open", accepted);
    assert_eq!((&made["outcome"], fixture.sent("postBookingAncillaryOrder")), (&json!("pending"), 2), "{made}");
    // Its own order is no foreign one: the next case of this store goes on.
    fixture.vendor.advance("30m").unwrap();
}

#[test]
fn an_order_of_the_same_journey_and_passengers_keeps_a_regenerate_back() {
    let fixture = Fixture::new("default");
    let lost = json!({"state": "cancelled", "segments": [{"carrier": "F9", "flightNumber": "F9100", "depAirport": "CJU",
        "arrAirport": "DUR", "depTime": "202606040900", "arrTime": "202606041100"}],
        "passengers": [{"lastName": "RUIZ", "firstName": "TOM"}]});
    let mut again = lost.clone();
    again["state"] = json!("ticketed");
    let (lost, again) = (fixture.order(lost), fixture.order(again));
    let request = json!({"kind": "regenerate", "orderNo": lost, "key": "k"});
    let refused = fixture.call("case.open", request.clone());
    assert_eq!(
        (&refused["error"]["code"], fixture.sent("regenerateOrder")),
        (&json!("guard_foreign_order"), 0),
        "{again}: {refused}"
    );
    let mut accepted = request;
    accepted["expect"] = json!({"acceptForeign": true});
    let made = fixture.call("case.open", accepted);
    assert_eq!(fixture.sent("regenerateOrder"), 1, "{made}");
}

#[test]
fn no_void_where_the_store_knows_an_executed_refund() {
    let fixture = Fixture::new("quoteAfterRefund=0,refundQueryWithoutCode=list");
    let order = order(&fixture, json!(2));
    let mut some = open("refund", &order, "some");
    some["passengers"] = json!([1]);
    let refund = fixture.call("case.open", some);
    assert_eq!(refund["outcome"], "executed", "{refund}");
    let void = fixture.call("case.open", open("void", &order, "all"));
    assert_eq!(void["error"]["code"], "conflict", "while it is not final: {void}");
    fixture.follow(&refund["case"]["id"], "1d", 40);
    let body = json!({"status": 0, "isVoidable": true, "voidOfferId": "q_1", "voidWindow": {"allowVoid": true}});
    fixture.vendor.fault(json!({"endpoint": "voidQuotation", "mode": "reply", "body": body})).unwrap();
    let void = fixture.call("case.open", open("void", &order, "all"));
    assert_eq!((&void["error"]["code"], fixture.sent("void")), (&json!("guard_not_refundable"), 0), "{void}");
}

#[test]
fn a_claim_is_never_absent_and_a_list_that_ignored_the_locator_proves_nothing() {
    let fixture = Fixture::new("listClaimedOrders=false");
    let pnr = fixture.vendor.create_pnr(json!({"airlinePnr": "QX12AB"})).unwrap();
    fixture.vendor.fault(json!({"endpoint": "pnrClaim", "mode": "drop_before"})).unwrap();
    let lost = fixture.call("case.open", crate::fixture::claim(&pnr, "k"));
    assert_eq!(lost["outcome"], "unknown", "{lost}");
    let later = asked_for_long(&fixture, "k");
    assert_eq!((&later["outcome"], &later["case"]["state"]), (&json!("unknown"), &json!("needs_human")), "{later}");
    // Before the claim, such a list does not say that the booking is unclaimed.
    let other = fixture.vendor.create_pnr(json!({"airlinePnr": "QX34CD"})).unwrap();
    let rows = json!({"status": 0, "totalRecords": 1, "orders": [{"orderNo": "TESTA20260101000000000", "airlinePNRs": ["ZZ99ZZ"],
        "orderStatus": 2, "airlines": ["F9"], "paxNames": ["SOMEBODY/ELSE"]}]});
    fixture.vendor.fault(json!({"endpoint": "orderList", "mode": "reply", "body": rows})).unwrap();
    let kept = fixture.call("case.open", crate::fixture::claim(&other, "o"));
    assert_eq!((&kept["outcome"], &kept["case"]["state"]), (&json!("pending"), &json!("planned")), "{kept}");
    assert_eq!(fixture.sent("pnrClaim"), 1);
}

#[test]
fn a_recycled_locator_is_another_booking() {
    let fixture = Fixture::new("default");
    let pnr = fixture.vendor.create_pnr(json!({"airlinePnr": "QX56EF"})).unwrap();
    let carrier = pnr["segments"][0]["carrier"].clone();
    // The airline has used the locator before: another day, other passengers.
    let rows = json!({"status": 0, "totalRecords": 1, "orders": [{"orderNo": "TESTA20250101000000000", "airlinePNRs": ["QX56EF"],
        "orderStatus": 2, "airlines": [carrier], "depDate": "20250301", "paxNames": ["SOMEBODY/ELSE"]}]});
    fixture.vendor.fault(json!({"endpoint": "orderList", "mode": "reply", "body": rows})).unwrap();
    let claimed = fixture.call("case.open", crate::fixture::claim(&pnr, "k"));
    assert_eq!(
        (&claimed["outcome"], &claimed["case"]["adopted"], fixture.executed("pnrClaim")),
        (&json!("executed"), &json!(false), 1),
        "{claimed}"
    );
}
