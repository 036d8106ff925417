//! Situations in which a careless case would pay twice, tell a wrong verdict, or be stuck.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod stage;

use serde_json::{Value, json};

use stage::{Stage, claim};

/// Two direct payments of one order at the same time: the second loads the row before, leases it after the first.
#[test]
fn two_direct_payments_of_a_waiting_bag() {
    let mut doubles = 0;
    for _ in 0..8 {
        let stage = Stage::new("default");
        let order = stage.order(json!({"passengers": 1}));
        let bag = stage.call("case.open", stage.bag(&order, "k"));
        assert_eq!(bag["case"]["state"], "awaiting_payment", "{bag}");
        let request = json!({"orderNo": bag["case"]["code"], "paymentMethod": 1}).to_string();
        let second = Stage::client(&stage.vendor, &stage.file, &json!({}));
        let lock = rusqlite::Connection::open(&stage.file).unwrap();
        lock.execute_batch("BEGIN IMMEDIATE").unwrap();
        std::thread::scope(|s| {
            let (r, c) = (request.clone(), &second);
            let late = s.spawn(move || c.call("pay", &r, "").json().to_owned());
            std::thread::sleep(std::time::Duration::from_millis(700));
            lock.execute_batch("ROLLBACK").unwrap();
            stage.client.call("pay", &request, "");
            late.join().unwrap();
        });
        if stage.sent("pay") > 1 {
            doubles += 1;
        }
    }
    assert_eq!(doubles, 0, "two payments of one step left the machine");
}

/// The probe of a resumed case asks about everybody, not about the case's passengers.
#[test]
fn a_lost_refund_of_one_passenger_beside_anothers() {
    let stage = Stage::new("default");
    let order = stage.vendor.create_order(json!({"passengers": 2, "paymentMethod": 1})).unwrap();
    stage.refund_outside(&order, 0);
    stage.vendor.fault(json!({"endpoint": "refund", "mode": "drop_before"})).unwrap();
    let request =
        json!({"kind": "refund", "orderNo": order["orderNo"], "key": "k", "passengers": [Stage::name(&order, 1)]});
    let reply = stage.call("case.open", request);
    assert_eq!(reply["outcome"], "unknown", "{reply}");
    let case = stage.follow(&reply["case"]["id"], "40s", 10);
    assert_eq!(stage.executed("refund"), 1, "only the first passenger's");
    assert_ne!(case["outcome"], "executed", "{case}");
}

/// 814: any standing refund of the order is taken for the one that is in progress.
#[test]
fn in_progress_beside_an_old_refund() {
    for profile in ["refundQueryWithoutCode=list", "strict"] {
        let stage = Stage::new(profile);
        let order = stage.vendor.create_order(json!({"passengers": 2, "paymentMethod": 1})).unwrap();
        stage.refund_outside(&order, 0);
        stage
            .vendor
            .fault(json!({"endpoint": "refund", "mode": "reply", "execute": false, "body": {"status": 814}}))
            .unwrap();
        let request =
            json!({"kind": "refund", "orderNo": order["orderNo"], "key": "k", "passengers": [Stage::name(&order, 1)]});
        let reply = stage.call("case.open", request);
        assert_eq!(stage.executed("refund"), 1, "only the first passenger's");
        assert_ne!(reply["case"]["outcome"], "executed", "{profile} {reply}");
    }
}

/// A direct refund that names the order by its locator, while the order cannot be read.
#[test]
fn a_direct_refund_by_locator_beside_an_open_case() {
    let stage = Stage::new("refundQueryWithoutCode=list,quoteAfterRefund=0");
    let order = stage.vendor.create_order(json!({"passengers": 1, "paymentMethod": 1})).unwrap();
    let quote = stage.outside("refundQuotation", json!({"orderNo": order["orderNo"], "refundRequestList": [{
        "lastName": order["passengers"][0]["lastName"], "firstName": order["passengers"][0]["firstName"], "refundReason": "1",
        "segments": [{"depDate": order["segments"][0]["depDate"], "flightNo": order["segments"][0]["flightNo"],
            "depAirport": order["segments"][0]["depAirport"], "arrAirport": order["segments"][0]["arrAirport"]}]}]}));
    // Late: the first is still on its way, so the vendor's own guard does not see it.
    stage.vendor.fault(json!({"endpoint": "refund", "mode": "late", "delayMs": 600_000, "virtual": true})).unwrap();
    let open = json!({"kind": "refund", "orderNo": order["orderNo"], "key": "k"});
    let reply = stage.with_options("case.open", &open, r#"{"timeoutMs": 1500}"#);
    assert_eq!(reply["case"]["outcome"], "unknown", "{reply}");
    stage.vendor.fault(json!({"endpoint": "queryOrderDetails", "mode": "http", "times": 0})).unwrap();
    let direct = json!({"airlinePNR": order["airlinePNRs"][0], "carrier": order["airline"], "refundOfferId": quote["data"]["refundOfferId"]});
    let reply = stage.call("refund", direct);
    assert_eq!(stage.sent("refund"), 1, "{reply}");
}

/// A direct payment that provably did not leave closes the bag's case; the bag is then paid, the case says no.
#[test]
fn a_direct_payment_that_did_not_leave() {
    let stage = Stage::with("default", json!({"rateLimit": {"perSecond": 0.02, "burst": 8}}));
    let order = stage.order(json!({"passengers": 1}));
    let bag = stage.call("case.open", stage.bag(&order, "k"));
    assert_eq!(bag["case"]["state"], "awaiting_payment", "{bag}");
    let request = json!({"orderNo": bag["case"]["code"], "paymentMethod": 1});
    let mut unsent = Value::Null;
    for _ in 0..12 {
        let r = stage.with_options("balance", &json!({}), r#"{"timeoutMs": 300}"#);
        if r["error"]["code"] == "rate_wait_timeout" {
            unsent = stage.with_options("pay", &request, r#"{"timeoutMs": 300}"#);
            break;
        }
    }
    assert_eq!(unsent["error"]["code"], "rate_wait_timeout", "{unsent}");
    assert_eq!(stage.sent("pay"), 0);
    let case = stage.call("case.get", json!({"key": "k"}))["case"].clone();
    assert_eq!((&case["state"], &case["final"]), (&json!("awaiting_payment"), &json!(false)), "{case}");
}

/// The same, to the wrong verdict: refused once (deposit), then paid.
#[test]
fn a_bag_paid_after_a_refused_direct_payment() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"passengers": 1}));
    let bag = stage.call("case.open", stage.bag(&order, "k"));
    let request = json!({"orderNo": bag["case"]["code"], "paymentMethod": 1});
    stage.vendor.fault(json!({"endpoint": "pay", "mode": "reply", "execute": false, "body": {"status": 412}})).unwrap();
    let refused = stage.call("pay", request.clone());
    assert_eq!(refused["outcome"], "not_executed", "{refused}");
    let paid = stage.call("pay", request);
    assert_eq!(paid["outcome"], "executed", "{paid}");
    let case = stage.call("case.get", json!({"key": "k"}))["case"].clone();
    assert_ne!(case["outcome"], "not_executed", "{case}");
}

/// Locators are an airline's own: another airline's booking may have the same.
#[test]
fn a_claim_of_a_locator_that_another_airline_uses_too() {
    let stage = Stage::new("default");
    let pnr = stage.vendor.create_pnr(json!({"airline": "Y4"})).unwrap();
    let foreign = stage.order(json!({"airline": "6E", "airlinePNR": pnr["airlinePnr"]}));
    let reply = stage.call("case.open", claim(&pnr, "k"));
    assert_ne!(reply["case"]["orderNo"], json!(foreign), "{reply}");
}

/// orderList shows departures within a year only.
#[test]
fn a_lost_claim_of_a_far_departure() {
    let stage = Stage::new("default");
    let segments = json!([{"carrier": "Y4", "flightNumber": "Y4123", "depAirport": "MEX", "arrAirport": "CUN",
        "depTime": "202704200810", "arrTime": "202704201030"}]);
    let pnr = stage.vendor.create_pnr(json!({"airline": "Y4", "segments": segments})).unwrap();
    stage.vendor.fault(json!({"endpoint": "pnrClaim", "mode": "drop_after"})).unwrap();
    let reply = stage.call("case.open", claim(&pnr, "k"));
    assert_eq!(reply["outcome"], "unknown", "{reply}");
    let case = stage.follow(&reply["case"]["id"], "40s", 10);
    assert_eq!(stage.executed("pnrClaim"), 1);
    assert_ne!(case["outcome"], "not_executed", "{case}");
}

/// A row that the vendor found by the locator and that does not repeat it is no absence.
#[test]
fn a_claim_listed_without_its_locator() {
    let stage = Stage::new("default");
    let pnr = stage.vendor.create_pnr(json!({"airline": "Y4"})).unwrap();
    let first = stage.outside("pnrClaim", {
        let mut c = claim(&pnr, "k");
        c.as_object_mut().unwrap().remove("kind");
        c.as_object_mut().unwrap().remove("key");
        c
    });
    assert_eq!(first["ok"], true, "{first}");
    let row = json!({"orderNo": first["data"]["orderNo"], "pnrCode": "ABCDEF", "airlinePNRs": null, "orderStatus": 1,
        "airlines": ["Y4"], "paxNames": []});
    stage
        .vendor
        .fault(json!({"endpoint": "orderList", "mode": "reply", "times": 0,
        "body": {"status": 0, "totalRecords": 1, "orders": [row]}}))
        .unwrap();
    let reply = stage.call("case.open", claim(&pnr, "k"));
    assert_eq!(stage.sent("pnrClaim"), 1, "claimed again: {reply}");
}

/// Amounts near the limit of a decimal.
#[test]
fn absurd_amounts_do_not_panic() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"passengers": 1}));
    let bag = stage.call("case.open", stage.bag(&order, "k"));
    assert_eq!(bag["case"]["state"], "awaiting_payment", "{bag}");
    let huge = "79228162514264337593543950335";
    stage
        .vendor
        .fault(json!({"endpoint": "queryOrderDetails", "mode": "reply", "times": 0,
        "body": {"totalPrice": huge, "totalTransactionFee": huge}}))
        .unwrap();
    let reply = stage.call("case.reconcile", json!({"key": "k"}));
    assert_eq!(reply["ok"], true, "{reply}");
}

/// An order that a human says was rebuilt can be paid within `expect`.
#[test]
fn a_rebuilt_order_told_by_a_human_is_paid_within_expect() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"state": "cancelled", "fare": "100.00"}));
    stage.vendor.fault(json!({"endpoint": "regenerateOrder", "mode": "drop_after"})).unwrap();
    let request = json!({"kind": "regenerate", "orderNo": order, "key": "k", "payment": {"paymentMethod": 1},
        "expect": {"currency": "USD", "maxPrice": "9999"}});
    let reply = stage.call("case.open", request.clone());
    assert_eq!(reply["case"]["state"], "needs_human", "{reply}");
    let new = stage.vendor.ledger().iter().find(|r| r["endpoint"] == "regenerateOrder").unwrap()["result"].clone();
    let told = stage.call(
        "case.resolve",
        json!({"id": reply["case"]["id"], "as": "executed", "by": "desk",
        "evidence": {"text": "seen", "code": new}}),
    );
    assert_eq!(told["case"]["state"], "awaiting_payment", "{told}");
    let reply = stage.call("case.open", request);
    assert_eq!(reply["case"]["state"], "ticketing", "{reply}");
}

/// A direct payment given up by absence: which operation pays the order now?
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
    let resolve = json!({"id": case["id"], "as": "not_executed", "by": "desk", "evidence": "the vendor says so"});
    stage.call("case.resolve", resolve);
    let again = stage.call("pay", request);
    assert_eq!(again["outcome"], "executed", "{again}");
}

/// SURFACE 5: a void needs isVoidable and allowVoid.
#[test]
fn a_void_needs_allow_void() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"airline": "Y4", "paymentMethod": 1}));
    stage.vendor.fault(json!({"endpoint": "voidQuotation", "mode": "reply", "body": {"voidWindow": null}})).unwrap();
    let reply = stage.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
    assert_eq!(stage.sent("void"), 0, "{reply}");
}

/// The number of a lost bag order is held by a direct payment whose answer is lost; the bag's case finds the bag and
/// pays it again.
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

/// One case whose look panics stops the follow-up of all others.
#[test]
fn a_panic_stops_nobody_else() {
    let stage = Stage::new("default");
    let (a, b) = (stage.order(json!({"passengers": 1})), stage.order(json!({"paymentMethod": 1, "airline": "Y4"})));
    let bag = stage.call("case.open", stage.bag(&a, "a"));
    let void = stage.call("case.open", json!({"kind": "refund", "orderNo": b, "key": "b"}));
    let huge = "79228162514264337593543950335";
    stage
        .vendor
        .fault(json!({"endpoint": "queryOrderDetails", "mode": "reply", "times": 0,
        "body": {"totalPrice": huge, "totalTransactionFee": huge}}))
        .unwrap();
    assert_eq!(bag["case"]["state"], "awaiting_payment");
    stage.vendor.advance("40m").unwrap();
    stage.call("case.notify", json!({"body": {"orderNo": bag["case"]["code"], "type": "order.ticketed"}}));
    for _ in 0..6 {
        stage.vendor.advance("5d").unwrap();
        stage.call("case.follow", json!({"all": true, "until": "step"}));
    }
    let case = stage.call("case.get", json!({"id": void["case"]["id"]}))["case"].clone();
    assert_eq!(case["state"], "refunded", "{case}");
}

/// A claim without a locator has no claim in the store.
#[test]
fn two_direct_claims_without_a_locator() {
    let stage = Stage::new("default");
    let pnr = stage.vendor.create_pnr(json!({"airline": "Y4"})).unwrap();
    let mut request = claim(&pnr, "k");
    for key in ["kind", "key", "mmb"] {
        request.as_object_mut().unwrap().remove(key);
    }
    stage.vendor.fault(json!({"endpoint": "pnrClaim", "mode": "drop_after"})).unwrap();
    let first = stage.call("pnrClaim", request.clone());
    assert_eq!(first["outcome"], "unknown", "{first}");
    stage.call("pnrClaim", request);
    let case = stage.follow(&first["case"]["id"], "40s", 10);
    assert_eq!((stage.sent("pnrClaim"), &case["outcome"]), (1, &json!("unknown")));
}

/// Paid by somebody else, ticketing failed: that is not "not paid in time".
#[test]
fn a_bag_paid_elsewhere_whose_ticketing_failed() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"passengers": 1}));
    let bag = stage.call("case.open", stage.bag(&order, "k"));
    let code = bag["case"]["code"].as_str().unwrap();
    stage.vendor.control("POST", &format!("/_sim/orders/{code}"), json!({"failWith": 603})).unwrap();
    let paid = stage.outside("pay", json!({"orderNo": code, "paymentMethod": 1}));
    assert_eq!(paid["ok"], true, "{paid}");
    stage.vendor.advance("5m").unwrap();
    let case = stage.call("case.reconcile", json!({"key": "k"}))["case"].clone();
    assert_eq!(case["outcome"], "executed", "{case}");
}

/// The stop never arrived; the order failed by itself.
#[test]
fn a_stop_that_never_arrived_of_an_order_that_fails() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"state": "ticketing", "ticketingSeconds": 300, "failWith": 603}));
    stage.vendor.fault(json!({"endpoint": "stopTicket", "mode": "drop_before"})).unwrap();
    let reply = stage.call("case.open", json!({"kind": "stop", "orderNo": order, "key": "k"}));
    assert_eq!(reply["outcome"], "unknown", "{reply}");
    let case = stage.follow(&reply["case"]["id"], "2m", 20);
    assert_eq!(stage.executed("stopTicket"), 0);
    assert_ne!(case["outcome"], "executed", "{case}");
}

/// An adopted refund of one passenger follows the refund of that passenger.
#[test]
fn an_adopted_refund_of_one_of_two() {
    let stage = Stage::new("refundQueryWithoutCode=list");
    let order = stage.vendor.create_order(json!({"passengers": 2, "paymentMethod": 1})).unwrap();
    stage.refund_outside(&order, 1);
    stage.refund_outside(&order, 0);
    let codes: Vec<Value> =
        stage.vendor.ledger().iter().filter(|r| r["endpoint"] == "refund").map(|r| r["result"].clone()).collect();
    let request =
        json!({"kind": "refund", "orderNo": order["orderNo"], "key": "k", "passengers": [Stage::name(&order, 1)]});
    let reply = stage.call("case.open", request);
    assert_eq!(reply["case"]["adopted"], true, "{reply}");
    assert_eq!(reply["case"]["code"], codes[0], "{codes:?} {reply}");
}

/// An unpaid order that is still good is rebuilt: both can be paid.
#[test]
fn a_rebuilt_order_beside_one_that_can_still_be_paid() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"state": "unpaid"}));
    let reply = stage.call(
        "case.open",
        json!({"kind": "regenerate", "orderNo": order, "key": "k", "payment": {"paymentMethod": 1}}),
    );
    stage.follow(&reply["case"]["id"], "30s", 10);
    stage.call("pay", json!({"orderNo": order, "paymentMethod": 1}));
    assert!(stage.executed("pay") < 2, "the flights were bought twice");
}

/// Everybody is to be refunded, and one has been before.
#[test]
fn a_refund_of_everybody_after_a_refund_of_one() {
    for (kind, profile) in [
        ("refund", "default"),
        ("refund", "strict,quoteAfterRefund=803"),
        ("cancel", "strict,quoteAfterRefund=803"),
        ("refund", "strict"),
    ] {
        let stage = Stage::new(profile);
        let order = stage.vendor.create_order(json!({"passengers": 2, "paymentMethod": 1, "airline": "Y4"})).unwrap();
        stage.refund_outside(&order, 0);
        let reply = stage.call("case.open", json!({"kind": kind, "orderNo": order["orderNo"], "key": "k"}));
        assert_ne!(reply["outcome"], "executed", "{kind} {profile}: the second passenger's ticket stands. {reply}");
    }
}

/// A human knows better than an absence.
#[test]
fn a_given_up_case_can_be_told_executed() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"airline": "Y4", "paymentMethod": 1}));
    stage.vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
    let reply = stage.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
    let case = stage.follow(&reply["case"]["id"], "40s", 10);
    assert_eq!(case["outcome"], "not_executed", "{case}");
    let told = stage.call(
        "case.resolve",
        json!({"id": case["id"], "as": "executed", "by": "desk",
        "evidence": {"text": "the vendor's support says so", "code": "202603-0001"}}),
    );
    assert_eq!(told["ok"], true, "{told}");
}

/// A human says "not executed" of a payment; the order's case never pays again, and nothing else keeps its number.
#[test]
fn direct_payments_after_a_closed_one_are_sent_again() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"state": "unpaid"}));
    let request = json!({"orderNo": order, "paymentMethod": 1});
    let paid = stage.call("pay", request.clone());
    let case = stage.follow(&paid["case"]["id"], "40s", 10);
    assert_eq!(case["state"], "ticketed", "{case}");
    stage.call("pay", request);
    assert_eq!(stage.sent("pay"), 1);
}

/// The answer is in the store, synced; whoever was to write the outcome is gone (here: its lease ran out early, as
/// after a jump of the wall clock; a kill between the raw reply and the outcome leaves the same).
#[test]
fn a_kept_reply_settles_the_case() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"state": "cancelled"}));
    stage.vendor.fault(json!({"endpoint": "regenerateOrder", "mode": "delay", "delayMs": 1500})).unwrap();
    let second = Stage::client(&stage.vendor, &stage.file, &json!({}));
    let request = json!({"kind": "regenerate", "orderNo": order, "key": "k"}).to_string();
    std::thread::scope(|s| {
        let first = s.spawn(|| stage.client.call("case.open", &request, "").json().to_owned());
        std::thread::sleep(std::time::Duration::from_millis(500));
        rusqlite::Connection::open(&stage.file).unwrap().execute("UPDATE cases SET lease_until = 1", []).unwrap();
        second.call("case.reconcile", r#"{"key":"k"}"#, "").json();
        first.join().unwrap();
    });
    let kept: Vec<u8> = rusqlite::Connection::open(&stage.file)
        .unwrap()
        .query_row("SELECT body FROM replies", [], |r| r.get(0))
        .unwrap();
    let kept = String::from_utf8_lossy(&kept).into_owned();
    assert!(kept.contains("\"orderNo\"") && kept.contains("\"status\":0"), "{kept}");
    let case = stage.call("case.reconcile", json!({"key": "k"}))["case"].clone();
    assert_eq!(case["state"], "awaiting_payment", "{case}");
}
