//! Cases against the simulator, each to its end, under both sides of the vendor's undocumented behaviour. The
//! simulator's ledger is the oracle; its clock is the clock.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod stage;

use atlas_postbooking::Outcome;
use atlas_postbooking::blocking::Client;
use serde_json::{Value, json};

use stage::{Stage, claim};

#[test]
fn a_void_to_the_money() {
    for profile in ["default", "strict"] {
        let stage = Stage::new(profile);
        let order = stage.order(json!({"airline": "Y4", "paymentMethod": 1}));
        let reply = stage.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
        assert_eq!((&reply["ok"], &reply["outcome"]), (&json!(true), &json!("executed")), "{reply}");
        let case = &reply["case"];
        assert_eq!((&case["state"], &case["final"]), (&json!("atlas_processing"), &json!(false)), "{reply}");
        assert!(case["code"].is_string() && case["offerId"].is_string() && case["nextDueAt"].is_string(), "{case}");
        // The same key, the same case; nothing more is sent.
        let again = stage.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
        assert_eq!(again["case"]["id"], case["id"]);
        let case = stage.follow(&case["id"], "20m", 60);
        assert_eq!((&case["state"], &case["final"]), (&json!("refunded"), &json!(true)), "{case}");
        assert_eq!(stage.executed("void"), 1);
    }
}

#[test]
fn a_refund_to_the_money() {
    for profile in ["default", "strict"] {
        let stage = Stage::new(profile);
        let order = stage.order(json!({"passengers": 2, "segments": 2, "paymentMethod": 1}));
        let reply = stage.call("case.open", json!({"kind": "refund", "orderNo": order, "key": "k"}));
        assert_eq!(reply["outcome"], "executed", "{reply}");
        let case = stage.follow(&reply["case"]["id"], "12h", 80);
        assert_eq!(case["state"], "refunded", "{case}");
        assert_eq!(stage.executed("refund"), 1);
    }
}

#[test]
fn a_cancel_takes_the_void_or_else_the_refund() {
    for profile in ["default", "strict"] {
        let stage = Stage::new(profile);
        let young = stage.order(json!({"airline": "Y4", "paymentMethod": 1}));
        let old = stage.order(json!({"airline": "Y4", "paymentMethod": 1, "createdAgo": "30h"}));
        let reply = stage.call("case.open", json!({"kind": "cancel", "orderNo": young, "key": "a"}));
        assert_eq!(reply["case"]["via"], "void", "{reply}");
        let reply = stage.call("case.open", json!({"kind": "cancel", "orderNo": old, "key": "b"}));
        assert_eq!((&reply["case"]["via"], &reply["outcome"]), (&json!("refund"), &json!("executed")), "{reply}");
        let case = stage.follow(&reply["case"]["id"], "12h", 80);
        assert_eq!(case["state"], "refunded", "{case}");
    }
}

#[test]
fn a_bag_to_the_ticket() {
    for profile in ["default", "strict"] {
        let stage = Stage::new(profile);
        let order = stage.order(json!({"passengers": 2, "segments": 2}));
        let request = json!({
            "kind": "ancillary", "orderNo": order, "key": "k", "products": [{"productCode": "SIM_BAG_1PC_15KG"}],
        });
        let reply = stage.call("case.open", request.clone());
        assert_eq!(reply["case"]["state"], "awaiting_payment", "{reply}");
        let mut paid = request;
        paid["payment"] = json!({"paymentMethod": 1});
        let reply = stage.call("case.open", paid.clone());
        assert_eq!((&reply["outcome"], &reply["case"]["state"]), (&json!("executed"), &json!("ticketing")), "{reply}");
        let case = stage.follow(&reply["case"]["id"], "30s", 60);
        assert_eq!(case["state"], "ticketed", "{case}");
        assert_eq!((stage.executed("postBookingAncillaryOrder"), stage.executed("pay")), (1, 1));
    }
}

#[test]
fn an_expired_order_rebuilt_and_paid() {
    for profile in ["default", "strict"] {
        let stage = Stage::new(profile);
        let order = stage.order(json!({"state": "cancelled"}));
        let request = json!({"kind": "regenerate", "orderNo": order, "key": "k", "payment": {"paymentMethod": 1}});
        let reply = stage.call("case.open", request);
        assert_eq!((&reply["outcome"], &reply["case"]["state"]), (&json!("executed"), &json!("ticketing")), "{reply}");
        let case = stage.follow(&reply["case"]["id"], "30s", 60);
        assert_eq!(case["state"], "ticketed", "{case}");
        assert_eq!((stage.executed("regenerateOrder"), stage.executed("pay")), (1, 1));
    }
}

#[test]
fn a_stop_in_time_and_too_late() {
    for (outcome, state) in [("stopped", "stopped"), ("issued", "stop_failed")] {
        let stage = Stage::new("default");
        let order = stage.order(json!({"state": "ticketing", "ticketingSeconds": 3600, "stopOutcome": outcome}));
        let reply = stage.call("case.open", json!({"kind": "stop", "orderNo": order, "key": "k"}));
        assert_eq!(reply["outcome"], "executed", "{reply}");
        assert_eq!(reply["case"]["final"], false);
        let case = stage.follow(&reply["case"]["id"], "2m", 60);
        assert_eq!(case["state"], state, "{case}");
    }
}

#[test]
fn an_outside_booking_claimed_found_and_planned() {
    for profile in ["default", "strict"] {
        let stage = Stage::new(profile);
        let pnr = stage.vendor.create_pnr(json!({"airline": "Y4"})).unwrap();
        let request = claim(&pnr, "k");
        let reply = stage.call("case.open", request.clone());
        assert_eq!((&reply["outcome"], &reply["case"]["state"]), (&json!("executed"), &json!("claimed")), "{reply}");
        let order = reply["case"]["orderNo"].clone();
        assert!(order.is_string());
        // A second claim finds the first's order and sends nothing.
        let mut second = request;
        second["key"] = json!("k2");
        let reply = stage.call("case.open", second);
        assert_eq!((&reply["case"]["orderNo"], &reply["case"]["adopted"]), (&order, &json!(true)), "{reply}");
        assert_eq!(stage.executed("pnrClaim"), 1);
        let plan = stage.call("case.plan", json!({"orderNo": order}));
        assert_eq!(plan["data"]["refund"]["possible"], true, "{plan}");
    }
}

#[test]
fn a_lost_reply_is_found_or_stays_unknown() {
    for profile in ["default", "strict", "refundQueryWithoutCode=810,quoteAfterRefund=0"] {
        for (kind, endpoint) in [("void", "void"), ("refund", "refund")] {
            for mode in ["drop_before", "drop_after"] {
                let stage = Stage::new(profile);
                let order = stage.order(json!({"airline": "Y4", "paymentMethod": 1}));
                stage.vendor.fault(json!({"endpoint": endpoint, "mode": mode})).unwrap();
                let reply = stage.call("case.open", json!({"kind": kind, "orderNo": order, "key": "k"}));
                let case = if reply["case"]["outcome"] == "unknown" {
                    stage.follow(&reply["case"]["id"], "40s", 20)
                } else {
                    reply["case"].clone()
                };
                let executed = stage.executed(endpoint) == 1;
                let sent = stage.vendor.requests().iter().filter(|r| r["endpoint"] == endpoint).count();
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
fn a_bag_given_up_is_not_bought_beside_its_successor() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"passengers": 1}));
    let bag = |key: &str| {
        json!({"kind": "ancillary", "orderNo": order, "key": key, "products": [{"productCode": "SIM_BAG_1PC_15KG"}],
               "payment": {"paymentMethod": 1}})
    };
    let late = json!({"endpoint": "postBookingAncillaryOrder", "mode": "late", "delayMs": 600_000, "virtual": true});
    stage.vendor.fault(late).unwrap();
    let lost = stage.client.call("case.open", &bag("first").to_string(), r#"{"timeoutMs": 1500}"#);
    let lost: Value = serde_json::from_str(lost.json()).unwrap();
    let id = lost["case"]["id"].clone();
    assert_eq!(lost["case"]["outcome"], "unknown", "{lost}");
    let mut given_up = stage.follow(&id, "40s", 20);
    assert_eq!(given_up["outcome"], "not_executed", "{given_up}");

    let mut second = bag("second");
    assert_eq!(stage.call("case.open", second.clone())["error"]["code"], "conflict");
    second["after"] = id.clone();
    let payment = second["payment"].take();
    let ordered = stage.call("case.open", second.clone());
    assert_eq!(ordered["case"]["state"], "awaiting_payment", "{ordered}");
    // What the second has ordered is not what the first has sent.
    given_up = stage.call("case.reconcile", json!({"id": id}))["case"].clone();
    assert_eq!((&given_up["outcome"], &given_up["reopened"]), (&json!("not_executed"), &json!(false)), "{given_up}");

    stage.vendor.advance("15m").unwrap();
    let landed = stage.call("case.reconcile", json!({"id": id}))["case"].clone();
    let seen = (&landed["state"], &landed["reopened"], &landed["final"]);
    assert_eq!(seen, (&json!("needs_human"), &json!(true), &json!(false)), "{landed}");
    assert_ne!(landed["code"], ordered["case"]["code"]);
    second["payment"] = payment;
    assert_eq!(stage.call("case.open", second)["case"]["state"], "ticketing");
    stage.call("case.open", bag("first"));
    stage.call("case.follow", json!({"all": true, "until": "step"}));
    assert_eq!(stage.executed("pay"), 1, "a bag was bought twice");

    // A human may want both. This vendor does not sell it twice; the request left all the same.
    let both = json!({"id": id, "as": "executed", "by": "desk", "evidence": "the passenger wants two"});
    let resolved = stage.call("case.resolve", both);
    assert_eq!(resolved["case"]["state"], "awaiting_payment", "{resolved}");
    stage.call("case.open", bag("first"));
    let payments = stage.vendor.requests().iter().filter(|r| r["endpoint"] == "pay").count();
    assert_eq!((payments, stage.executed("pay")), (2, 1));
}

#[test]
fn a_direct_submit_takes_the_same_claim() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"airline": "Y4"}));
    let quote = stage.call("voidQuotation", json!({"orderNo": order}));
    let request = json!({"orderNo": order, "voidOfferId": quote["data"]["voidOfferId"]});
    let reply = stage.call("void", request.clone());
    assert_eq!((&reply["ok"], &reply["case"]["kind"]), (&json!(true), &json!("void")), "{reply}");
    assert_eq!(reply["warnings"], json!([]), "{reply}");
    let again = stage.call("void", request);
    assert_eq!((&again["error"]["code"], &again["case"]["id"]), (&json!("conflict"), &reply["case"]["id"]), "{again}");
    let opened = stage.call("case.open", json!({"kind": "refund", "orderNo": order, "key": "k"}));
    assert_eq!(opened["error"]["status"], -61, "{opened}");
}

#[test]
fn guards_refuse_before_money_moves() {
    let stage = Stage::new("default");
    for (i, (wish, expect, code)) in [
        (json!({"airline": "Y4", "fare": "100.00"}), json!({"currency": "USD", "minRefund": "100.01"}), "guard_amount"),
        (json!({"airline": "Y4", "fare": "100.00"}), json!({"currency": "USD", "minRefund": 100.01}), "guard_amount"),
        (json!({"airline": "Y4"}), json!({"currency": "EUR"}), "guard_currency"),
        (json!({"airline": "Y4", "state": "unpaid"}), json!({}), "guard_not_ticketed"),
        (json!({"airline": "Y4", "createdAgo": "30h"}), json!({}), "refused"),
    ]
    .into_iter()
    .enumerate()
    {
        let order = stage.order(wish);
        let key = format!("k{i}");
        let reply = stage.call("case.open", json!({"kind": "void", "orderNo": order, "key": key, "expect": expect}));
        assert_eq!((&reply["outcome"], &reply["error"]["code"]), (&json!("not_executed"), &json!(code)), "{reply}");
        assert_eq!((&reply["case"]["state"], &reply["case"]["final"]), (&json!("refused"), &json!(true)));
        // Refused, the order is free.
        let reply = stage.call("case.open", json!({"kind": "stop", "orderNo": order, "key": format!("s{i}")}));
        assert_ne!(reply["error"]["code"], "conflict", "{reply}");
    }
    for (wish, expect, code) in [
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
        let order = stage.order(wish.clone());
        let request = json!({"kind": "refund", "orderNo": order, "key": format!("r-{order}"), "expect": expect});
        let reply = stage.call("case.open", request);
        match code {
            None => assert_eq!(reply["outcome"], "executed", "{wish} {expect} {reply}"),
            Some(code) => assert_eq!(reply["error"]["code"], code, "{wish} {expect} {reply}"),
        }
    }
}

#[test]
fn a_clock_that_was_wrong_forgets_nothing() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"paymentMethod": 1}));
    let at = |time: &str| Stage::client(&stage.vendor, &stage.file, &json!({"clock": {"fixed": time}}));
    let done = |client: &Client| {
        let reply = client.call("case.follow", r#"{"all": true, "until": "step"}"#, "");
        let reply: Value = serde_json::from_str(reply.json()).unwrap();
        reply["data"]["done"].clone()
    };
    let client = at("2026-11-22T10:00:00Z");
    let request = json!({"kind": "refund", "orderNo": order, "key": "k"});
    assert_eq!(client.call("case.open", &request.to_string(), "").outcome(), Outcome::Executed);
    // For a moment it is a year later, and the case is asked about just then.
    assert_eq!(done(&at("2027-11-22T10:00:00Z")), 1);
    let client = at("2026-11-22T10:00:01Z");
    assert_eq!(done(&client), 1);
    // That put it right: it is not asked about all the time.
    assert_eq!(done(&client), 0);
}
