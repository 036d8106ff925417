//! Cases against the simulator, each to its final state, under both variants of the vendor's undocumented behaviour.
//! The simulator's ledger is the oracle, and its virtual clock is the clock of the cases.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod fixture;

use atlas_postbooking::Outcome;
use atlas_postbooking::blocking::Client;
use serde_json::{Value, json};

use fixture::{Fixture, claim};

#[test]
fn a_void_is_followed_to_refunded() {
    for profile in ["default", "strict"] {
        let fixture = Fixture::new(profile);
        let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
        let reply = fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
        assert_eq!((&reply["ok"], &reply["outcome"]), (&json!(true), &json!("executed")), "{reply}");
        let case = &reply["case"];
        assert_eq!((&case["state"], &case["final"]), (&json!("atlas_processing"), &json!(false)), "{reply}");
        assert!(case["code"].is_string() && case["offerId"].is_string() && case["nextDueAt"].is_string(), "{case}");
        // The same key, the same case; nothing more is sent.
        let again = fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
        assert_eq!(again["case"]["id"], case["id"]);
        let case = fixture.follow(&case["id"], "20m", 60);
        assert_eq!((&case["state"], &case["final"]), (&json!("refunded"), &json!(true)), "{case}");
        assert_eq!(fixture.executed("void"), 1);
    }
}

#[test]
fn a_refund_is_followed_to_refunded() {
    for profile in ["default", "strict"] {
        let fixture = Fixture::new(profile);
        let order = fixture.order(json!({"passengers": 2, "segments": 2, "paymentMethod": 1}));
        let reply = fixture.call("case.open", json!({"kind": "refund", "orderNo": order, "key": "k"}));
        assert_eq!(reply["outcome"], "executed", "{reply}");
        let case = fixture.follow(&reply["case"]["id"], "12h", 80);
        assert_eq!(case["state"], "refunded", "{case}");
        assert_eq!(fixture.executed("refund"), 1);
    }
}

#[test]
fn a_cancel_takes_the_void_while_its_window_is_open_and_else_the_refund() {
    for profile in ["default", "strict"] {
        let fixture = Fixture::new(profile);
        let young = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
        let old = fixture.order(json!({"airline": "Y4", "paymentMethod": 1, "createdAgo": "30h"}));
        let reply = fixture.call("case.open", json!({"kind": "cancel", "orderNo": young, "key": "a"}));
        assert_eq!(reply["case"]["via"], "void", "{reply}");
        let reply = fixture.call("case.open", json!({"kind": "cancel", "orderNo": old, "key": "b"}));
        assert_eq!((&reply["case"]["via"], &reply["outcome"]), (&json!("refund"), &json!("executed")), "{reply}");
        let case = fixture.follow(&reply["case"]["id"], "12h", 80);
        assert_eq!(case["state"], "refunded", "{case}");
    }
}

#[test]
fn an_ancillary_is_paid_once_and_followed_to_ticketed() {
    for profile in ["default", "strict"] {
        let fixture = Fixture::new(profile);
        let order = fixture.order(json!({"passengers": 2, "segments": 2}));
        let request = json!({
            "kind": "ancillary", "orderNo": order, "key": "k", "products": [{"productCode": "SIM_BAG_1PC_15KG"}],
        });
        let reply = fixture.call("case.open", request.clone());
        assert_eq!(reply["case"]["state"], "awaiting_payment", "{reply}");
        let mut paid = request;
        paid["payment"] = json!({"paymentMethod": 1});
        let reply = fixture.call("case.open", paid.clone());
        assert_eq!((&reply["outcome"], &reply["case"]["state"]), (&json!("executed"), &json!("ticketing")), "{reply}");
        let case = fixture.follow(&reply["case"]["id"], "30s", 60);
        assert_eq!(case["state"], "ticketed", "{case}");
        assert_eq!((fixture.executed("postBookingAncillaryOrder"), fixture.executed("pay")), (1, 1));
    }
}

#[test]
fn a_regenerated_order_is_paid_once_and_followed_to_ticketed() {
    for profile in ["default", "strict"] {
        let fixture = Fixture::new(profile);
        let order = fixture.order(json!({"state": "cancelled"}));
        let request = json!({"kind": "regenerate", "orderNo": order, "key": "k", "payment": {"paymentMethod": 1}, "expect": {"currency": "USD", "maxPrice": "100000"}});
        let reply = fixture.call("case.open", request);
        assert_eq!((&reply["outcome"], &reply["case"]["state"]), (&json!("executed"), &json!("ticketing")), "{reply}");
        let case = fixture.follow(&reply["case"]["id"], "30s", 60);
        assert_eq!(case["state"], "ticketed", "{case}");
        assert_eq!((fixture.executed("regenerateOrder"), fixture.executed("pay")), (1, 1));
    }
}

#[test]
fn a_stop_is_executed_whether_or_not_the_ticket_was_issued() {
    for (outcome, state) in [("stopped", "stopped"), ("issued", "stop_failed")] {
        let fixture = Fixture::new("default");
        let order = fixture.order(json!({"state": "ticketing", "ticketingSeconds": 3600, "stopOutcome": outcome}));
        let reply = fixture.call("case.open", json!({"kind": "stop", "orderNo": order, "key": "k"}));
        assert_eq!(reply["outcome"], "executed", "{reply}");
        assert_eq!(reply["case"]["final"], false);
        let case = fixture.follow(&reply["case"]["id"], "2m", 60);
        assert_eq!(case["state"], state, "{case}");
    }
}

#[test]
fn a_claim_is_sent_once_and_a_second_one_meets_its_locator() {
    for profile in ["default", "strict"] {
        let fixture = Fixture::new(profile);
        let pnr = fixture.vendor.create_pnr(json!({"airline": "Y4"})).unwrap();
        let request = claim(&pnr, "k");
        let reply = fixture.call("case.open", request.clone());
        assert_eq!((&reply["outcome"], &reply["case"]["state"]), (&json!("executed"), &json!("claimed")), "{reply}");
        let order = reply["case"]["orderNo"].clone();
        assert!(order.is_string());
        // A second claim sends nothing: the first has the locator, and its order.
        let mut second = request;
        second["key"] = json!("k2");
        let reply = fixture.call("case.open", second);
        assert_eq!((&reply["error"]["code"], &reply["case"]["orderNo"]), (&json!("conflict"), &order), "{reply}");
        assert_eq!(fixture.executed("pnrClaim"), 1);
        let plan = fixture.call("case.plan", json!({"orderNo": order}));
        assert_eq!(plan["data"]["refund"]["possible"], true, "{plan}");
    }
}

#[test]
fn a_lost_reply_never_becomes_a_wrong_outcome() {
    for profile in ["default", "strict", "refundQueryWithoutCode=810,quoteAfterRefund=0"] {
        for (kind, endpoint) in [("void", "void"), ("refund", "refund")] {
            for mode in ["drop_before", "drop_after"] {
                let fixture = Fixture::new(profile);
                let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
                fixture.vendor.fault(json!({"endpoint": endpoint, "mode": mode})).unwrap();
                let reply = fixture.call("case.open", json!({"kind": kind, "orderNo": order, "key": "k"}));
                let case = if reply["case"]["outcome"] == "unknown" {
                    fixture.follow(&reply["case"]["id"], "40s", 20)
                } else {
                    reply["case"].clone()
                };
                let executed = fixture.executed(endpoint) == 1;
                let sent = fixture.vendor.requests().iter().filter(|r| r["endpoint"] == endpoint).count();
                assert_eq!(sent, 1, "{profile} {kind} {mode}");
                match case["outcome"].as_str().unwrap() {
                    "executed" => assert!(executed, "{profile} {kind} {mode} {case}"),
                    "not_executed" => assert!(!executed, "{profile} {kind} {mode} {case}"),
                    other => assert!(other == "unknown" && kind == "refund", "{profile} {kind} {mode} {case}"),
                }
            }
        }
    }
}

#[test]
fn a_superseded_ancillary_is_not_paid_when_its_order_shows_up() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"passengers": 1}));
    let bag = |key: &str| {
        json!({"kind": "ancillary", "orderNo": order, "key": key, "products": [{"productCode": "SIM_BAG_1PC_15KG"}],
               "payment": {"paymentMethod": 1}})
    };
    let late = json!({"endpoint": "postBookingAncillaryOrder", "mode": "late", "delayMs": 600_000, "virtual": true});
    fixture.vendor.fault(late).unwrap();
    let lost = fixture.client.call("case.open", &bag("first").to_string(), r#"{"timeoutMs": 1500}"#);
    let lost: Value = serde_json::from_str(lost.json()).unwrap();
    let id = lost["case"]["id"].clone();
    assert_eq!(lost["case"]["outcome"], "unknown", "{lost}");
    let mut given_up = fixture.follow(&id, "40s", 20);
    assert_eq!(given_up["outcome"], "not_executed", "{given_up}");

    let mut second = bag("second");
    assert_eq!(fixture.call("case.open", second.clone())["error"]["code"], "conflict");
    second["after"] = id.clone();
    let payment = second["payment"].take();
    let ordered = fixture.call("case.open", second.clone());
    assert_eq!(ordered["case"]["state"], "awaiting_payment", "{ordered}");
    // The order that the second case made is not taken for the first's.
    given_up = fixture.call("case.reconcile", json!({"id": id}))["case"].clone();
    assert_eq!((&given_up["outcome"], &given_up["reopened"]), (&json!("not_executed"), &json!(false)), "{given_up}");

    fixture.vendor.advance("15m").unwrap();
    let landed = fixture.call("case.reconcile", json!({"id": id}))["case"].clone();
    let seen = (&landed["state"], &landed["reopened"], &landed["final"]);
    assert_eq!(seen, (&json!("needs_human"), &json!(true), &json!(false)), "{landed}");
    assert_ne!(landed["code"], ordered["case"]["code"]);
    second["payment"] = payment;
    assert_eq!(fixture.call("case.open", second)["case"]["state"], "ticketing");
    fixture.call("case.open", bag("first"));
    fixture.call("case.follow", json!({"all": true, "until": "step"}));
    assert_eq!(fixture.executed("pay"), 1, "the baggage was bought twice");

    // A human may want both: then the first is paid too. This simulator refuses a second purchase; the request leaves.
    let both = json!({"id": id, "as": "executed", "by": "operator", "evidence": "the passenger wants two"});
    let resolved = fixture.call("case.resolve", both);
    assert_eq!(resolved["case"]["state"], "awaiting_payment", "{resolved}");
    fixture.call("case.open", bag("first"));
    let payments = fixture.vendor.requests().iter().filter(|r| r["endpoint"] == "pay").count();
    assert_eq!((payments, fixture.executed("pay")), (2, 1));
}

#[test]
fn a_direct_submit_takes_the_holds_of_a_case() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"airline": "Y4"}));
    let quote = fixture.call("voidQuotation", json!({"orderNo": order}));
    let request = json!({"orderNo": order, "voidOfferId": quote["data"]["voidOfferId"]});
    let reply = fixture.call("void", request.clone());
    assert_eq!((&reply["ok"], &reply["case"]["kind"]), (&json!(true), &json!("void")), "{reply}");
    assert_eq!(reply["warnings"], json!([]), "{reply}");
    let again = fixture.call("void", request);
    assert_eq!((&again["error"]["code"], &again["case"]["id"]), (&json!("conflict"), &reply["case"]["id"]), "{again}");
    let opened = fixture.call("case.open", json!({"kind": "refund", "orderNo": order, "key": "k"}));
    assert_eq!(opened["error"]["status"], -61, "{opened}");
}

#[test]
fn a_guard_refuses_before_anything_is_submitted() {
    let fixture = Fixture::new("default");
    for (i, (order_spec, expect, code)) in [
        (json!({"airline": "Y4", "fare": "100.00"}), json!({"currency": "USD", "minRefund": "100.01"}), "guard_amount"),
        (json!({"airline": "Y4", "fare": "100.00"}), json!({"currency": "USD", "minRefund": 100.01}), "guard_amount"),
        (json!({"airline": "Y4"}), json!({"currency": "EUR"}), "guard_currency"),
        (json!({"airline": "Y4", "state": "unpaid"}), json!({}), "guard_not_ticketed"),
        (json!({"airline": "Y4", "createdAgo": "30h"}), json!({}), "refused"),
    ]
    .into_iter()
    .enumerate()
    {
        let order = fixture.order(order_spec);
        let key = format!("k{i}");
        let reply = fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": key, "expect": expect}));
        assert_eq!((&reply["outcome"], &reply["error"]["code"]), (&json!("not_executed"), &json!(code)), "{reply}");
        assert_eq!((&reply["case"]["state"], &reply["case"]["final"]), (&json!("refused"), &json!(true)));
        // A refused case has no hold on the order.
        let reply = fixture.call("case.open", json!({"kind": "stop", "orderNo": order, "key": format!("s{i}")}));
        assert_ne!(reply["error"]["code"], "conflict", "{reply}");
    }
    for (order_spec, expect, code) in [
        (json!({"refundQuote": "CannotQuote"}), json!({}), Some("guard_amount")),
        (json!({"refundQuote": "CannotQuote"}), json!({"acceptUnquoted": true}), None),
        (json!({"refundMethod": "Voucher"}), json!({}), Some("guard_voucher")),
        (json!({"refundMethod": "Voucher"}), json!({"acceptVoucher": true}), None),
        (
            json!({"fare": "100.00", "penalty": "20.00", "serviceFee": "3.00"}),
            json!({"currency": "USD", "minRefund": "77.00", "maxFee": "3.00"}),
            None,
        ),
        (
            json!({"fare": "100.00", "penalty": "20.00", "serviceFee": "3.00"}),
            json!({"currency": "USD", "minRefund": "77.01"}),
            Some("guard_amount"),
        ),
        (
            json!({"fare": "100.00", "penalty": "20.00", "serviceFee": "3.00"}),
            json!({"currency": "USD", "maxFee": "2.99"}),
            Some("guard_amount"),
        ),
        (json!({"refundQuote": "NonRefundable"}), json!({}), Some("guard_not_refundable")),
    ] {
        let order = fixture.order(order_spec.clone());
        let request = json!({"kind": "refund", "orderNo": order, "key": format!("r-{order}"), "expect": expect});
        let reply = fixture.call("case.open", request);
        match code {
            None => assert_eq!(reply["outcome"], "executed", "{order_spec} {expect} {reply}"),
            Some(code) => assert_eq!(reply["error"]["code"], code, "{order_spec} {expect} {reply}"),
        }
    }
}

#[test]
fn a_case_is_due_again_after_the_clock_was_wrong() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"paymentMethod": 1}));
    let at = |time: &str| Fixture::client(&fixture.vendor, &fixture.file, &json!({"clock": {"fixed": time}}));
    let done = |client: &Client| {
        let reply = client.call("case.follow", r#"{"all": true, "until": "step"}"#, "");
        let reply: Value = serde_json::from_str(reply.json()).unwrap();
        reply["data"]["done"].clone()
    };
    let client = at("2026-11-22T10:00:00Z");
    let request = json!({"kind": "refund", "orderNo": order, "key": "k"});
    assert_eq!(client.call("case.open", &request.to_string(), "").outcome(), Outcome::Executed);
    // The clock is a year ahead, and the case is queried just then: its due time is in that year.
    assert_eq!(done(&at("2027-11-22T10:00:00Z")), 1);
    let client = at("2026-11-22T10:00:01Z");
    assert_eq!(done(&client), 1);
    // That query set the due time right: the case is not due all the time.
    assert_eq!(done(&client), 0);
}

/// A refusal is reported years later as on the first day: from the stored code, by the same tables.
#[test]
fn a_refused_case_is_answered_the_same_way_again() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"paymentMethod": 1}));
    let used = json!({"endpoint": "refund", "mode": "reply", "execute": false, "body": {"status": 820, "msg": "used"}});
    fixture.vendor.fault(used).unwrap();
    let request = json!({"kind": "refund", "orderNo": order, "key": "k"});
    let first = fixture.call("case.open", request.clone());
    let again = fixture.call("case.open", request);
    assert_eq!(first["error"]["code"], "refused", "{first}");
    for field in ["code", "status", "message", "help", "advice", "next", "retryable", "vendorCode", "vendorStatus"] {
        assert_eq!(first["error"][field], again["error"][field], "{field}: {again}");
    }
    assert_eq!((&first["outcome"], &again["outcome"]), (&json!("not_executed"), &json!("not_executed")));
}

/// A removed case leaves no byte of the vendor's replies, in the file or in its log, while the client goes on.
#[test]
fn a_purged_case_leaves_nothing_in_the_file() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    let reply = fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
    let code = reply["case"]["code"].as_str().unwrap().to_owned();
    fixture.follow(&reply["case"]["id"], "20m", 60);
    let holds_code = || {
        ["", "-wal"].iter().any(|end| {
            let file = std::fs::read(format!("{}{end}", fixture.file.display())).unwrap_or_default();
            file.windows(code.len()).any(|window| window == code.as_bytes())
        })
    };
    assert!(holds_code());
    let purged = fixture.call("case.purge", json!({"olderThan": "2100-01-01T00:00:00Z"}));
    assert_eq!(purged["data"]["purged"], 1, "{purged}");
    assert!(!holds_code());
}
