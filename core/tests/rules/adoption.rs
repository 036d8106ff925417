//! What somebody else has made, and what is taken over.

use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::vendor_state::{asked_for_long, open, order, reconcile, strangers_bag, strangers_bag_for};

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
    // The stranger's product and passenger: the case's own are the first ones. For another passenger the price is equal.
    for (product, passenger) in [(0, 0), (1, 0), (0, 1)] {
        let same = (product, passenger) == (0, 0);
        let fixture = Fixture::new("default");
        let order = order(&fixture, json!(2));
        let codes = products(&fixture, &order);
        assert!(codes.len() > 1, "{codes:?}");
        fixture.vendor.fault(json!({"endpoint": "postBookingAncillaryOrder", "mode": "drop_before"})).unwrap();
        let mut request = fixture.ancillary(order["orderNo"].as_str().unwrap(), "k");
        request["products"] = json!([{"productCode": codes[0], "segmentIndex": 1}]);
        request["passengers"] = json!([1]);
        request["payment"] = json!({"paymentMethod": 1});
        let lost = fixture.call("case.open", request.clone());
        assert_eq!(lost["outcome"], "unknown", "{lost}");
        let theirs = strangers_bag_for(&fixture, &order, &codes[product], passenger);
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

/// The first of two baggage cases was judged absent, the second was opened after it, and then the first one's order
/// shows up, made within its attempt or later than that, before the second is paid.
fn late_baggage(delay: u64) -> (Fixture, Value) {
    let fixture = Fixture::new("siblingPay=allowed");
    let order = fixture.order(json!({"passengers": 1}));
    let late = json!({"endpoint": "postBookingAncillaryOrder", "mode": "late", "delayMs": delay, "virtual": true});
    fixture.vendor.fault(late).unwrap();
    let lost = fixture.with_options("case.open", &fixture.ancillary(&order, "k"), r#"{"timeoutMs": 1500}"#);
    assert_eq!(lost["outcome"], "unknown", "{lost}");
    reconcile(&fixture, "k", "61s");
    let absent = reconcile(&fixture, "k", "25s");
    assert_eq!(absent["outcome"], "not_executed", "{absent}");
    let mut second = fixture.ancillary(&order, "second");
    second["after"] = absent["case"]["id"].clone();
    let ordered = fixture.call("case.open", second.clone());
    assert_eq!(ordered["case"]["state"], "awaiting_payment", "{ordered}");
    fixture.vendor.advance(format!("{}s", delay / 1000 - 80)).unwrap();
    let shown = fixture.call("case.reconcile", json!({"key": "k"}));
    assert_eq!(shown["case"]["state"], "needs_human", "{shown}");
    assert!(shown["case"]["code"].is_string(), "{shown}");
    second["payment"] = json!({"paymentMethod": 1});
    let bought = fixture.call("case.open", second);
    assert_eq!(bought["outcome"], "executed", "{bought}");
    let pay = json!({"orderNo": shown["case"]["code"], "paymentMethod": 1});
    let paid = fixture.call("pay", pay);
    assert_eq!((&paid["error"]["code"], &paid["case"]["key"]), (&json!("conflict"), &json!("k")), "{paid}");
    assert_eq!(fixture.executed("pay"), 1);
    (fixture, shown["case"].clone())
}

#[test]
fn a_baggage_order_that_shows_up_beside_a_second_one_is_paid_only_after_a_humans_word() {
    for delay in [110_000, 600_000] {
        for (verdict, key) in [("executed", "k"), ("not_executed", "direct:")] {
            let (fixture, case) = late_baggage(delay);
            fixture.vendor.advance("2m").unwrap();
            let said =
                json!({"id": case["id"], "as": verdict, "by": "operator", "evidence": "the traveller wants both"});
            let resolved = fixture.call("case.resolve", said);
            assert_eq!(resolved["ok"], true, "{delay} {verdict} {resolved}");
            let paid = fixture.call("pay", json!({"orderNo": case["code"], "paymentMethod": 1}));
            assert_eq!(paid["outcome"], "executed", "{delay} {verdict} {paid}");
            assert!(paid["case"]["key"].as_str().unwrap().starts_with(key), "{paid}");
            assert_eq!(fixture.executed("pay"), 2);
        }
    }
}
