//! Keys and content: what a key means, and when it is bound.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::fixture::{Fixture, claim};

fn order(fixture: &Fixture) -> String {
    fixture.order(json!({"airline": "Y4", "paymentMethod": 1, "fare": "100.00"}))
}

fn void(order: &str, key: &str) -> Value {
    json!({"kind": "void", "orderNo": order, "key": key})
}

fn has_warning(reply: &Value, code: &str) -> bool {
    reply["warnings"].as_array().unwrap().iter().any(|w| w["code"] == code)
}

fn least(amount: &str) -> Value {
    json!({"currency": "USD", "minRefund": amount})
}

#[test]
fn expect_is_no_content_and_counts_for_the_next_intent() {
    let fixture = Fixture::new("default");
    let mut request = void(&order(&fixture), "k");
    request["expect"] = least("100.01");
    let refused = fixture.call("case.open", request.clone());
    assert_eq!((&refused["error"]["code"], &refused["case"]["final"]), (&json!("guard_amount"), &json!(true)));
    request["expect"] = least("100.00");
    let reply = fixture.call("case.open", request);
    assert_eq!((&reply["outcome"], &reply["case"]["id"]), (&json!("executed"), &refused["case"]["id"]), "{reply}");
    assert!(!has_warning(&reply, "amended"), "{reply}");
    assert_eq!(fixture.sent("void"), 1);
}

#[test]
fn an_unbound_key_starts_over_with_other_content_and_says_amended() {
    let fixture = Fixture::new("default");
    let (first, second) = (order(&fixture), order(&fixture));
    let mut request = void(&first, "k");
    request["expect"] = least("100.01");
    let refused = fixture.call("case.open", request);
    let reply = fixture.call("case.open", json!({"kind": "refund", "orderNo": second, "key": "k"}));
    assert_eq!((&reply["outcome"], &reply["case"]["id"]), (&json!("executed"), &refused["case"]["id"]), "{reply}");
    assert!(has_warning(&reply, "amended"), "{reply}");
    let case = &reply["case"];
    assert_eq!((&case["kind"], &case["orderNo"]), (&json!("refund"), &json!(second)), "{case}");
    let old = |e: &Value| e["what"].as_str().unwrap().contains("void") && e["what"].as_str().unwrap().contains(&first);
    assert!(case["evidence"].as_array().unwrap().iter().any(old), "{case}");
}

#[test]
fn a_bound_key_with_other_content_is_key_reused() {
    let fixture = Fixture::new("default");
    let first = order(&fixture);
    let opened = fixture.call("case.open", void(&first, "k"));
    for other in [json!({"kind": "refund", "orderNo": first, "key": "k"}), void(&order(&fixture), "k")] {
        let reply = fixture.call("case.open", other);
        assert_eq!(
            (&reply["error"]["code"], &reply["outcome"]),
            (&json!("key_reused"), &json!("not_executed")),
            "{reply}"
        );
        assert_eq!((&reply["data"], &reply["case"]["id"]), (&Value::Null, &opened["case"]["id"]), "{reply}");
    }
}

#[test]
fn a_key_is_bound_by_the_first_intent_whatever_came_of_it() {
    let fixture = Fixture::new("default");
    let first = order(&fixture);
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "rate_limit"})).unwrap();
    assert_eq!(fixture.call("case.open", void(&first, "k"))["outcome"], "pending");
    let reply = fixture.call("case.open", json!({"kind": "refund", "orderNo": first, "key": "k"}));
    assert_eq!(reply["error"]["code"], "key_reused", "{reply}");
}

#[test]
fn passengers_are_a_set_in_whatever_form() {
    let fixture = Fixture::new("default");
    let order = fixture.vendor.create_order(json!({"passengers": 3, "paymentMethod": 1})).unwrap();
    let (a, b) = (Fixture::name(&order, 0), Fixture::name(&order, 1));
    let (last, first) = b.split_once('/').unwrap();
    let request = |passengers: Value| json!({"kind": "refund", "orderNo": order["orderNo"], "key": "k", "passengers": passengers});
    let opened = fixture.call("case.open", request(json!([a, b])));
    assert_eq!(opened["outcome"], "executed", "{opened}");
    let again = fixture.call("case.open", request(json!([{"lastName": last, "firstName": first}, {"name": a}])));
    assert_eq!((&again["ok"], &again["case"]["id"]), (&json!(true), &opened["case"]["id"]), "{again}");
    let other = fixture.call("case.open", request(json!([a])));
    assert_eq!(other["error"]["code"], "key_reused", "{other}");
}

#[test]
fn expect_after_the_last_step_may_have_left_is_unused() {
    let fixture = Fixture::new("default");
    let first = order(&fixture);
    fixture.call("case.open", void(&first, "k"));
    let mut request = void(&first, "k");
    request["expect"] = least("5000.00");
    let reply = fixture.call("case.open", request);
    assert_eq!((&reply["ok"], &reply["outcome"]), (&json!(true), &json!("executed")), "{reply}");
    assert!(has_warning(&reply, "expect_unused"), "{reply}");
    assert!(!has_warning(&fixture.call("case.open", void(&first, "k")), "expect_unused"));
}

#[test]
fn expect_of_a_later_call_counts_for_the_payment() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"passengers": 1}));
    assert_eq!(fixture.call("case.open", fixture.ancillary(&order, "k"))["case"]["state"], "awaiting_payment");
    let mut request = fixture.ancillary(&order, "k");
    request["payment"] = json!({"paymentMethod": 1});
    request["expect"] = json!({"currency": "USD", "maxPrice": "0.01"});
    let reply = fixture.call("case.open", request.clone());
    assert_eq!((&reply["error"]["code"], fixture.sent("pay")), (&json!("guard_amount"), 0), "{reply}");
    request["expect"]["maxPrice"] = json!("9999");
    assert_eq!(fixture.call("case.open", request)["outcome"], "executed");
}

#[test]
fn a_case_that_ended_is_answered_as_it_ended() {
    let fixture = Fixture::new("default");
    let first = order(&fixture);
    // 808 at the submit is final.
    let fault = json!({"endpoint": "void", "mode": "reply", "execute": false, "body": {"status": 808}});
    fixture.vendor.fault(fault).unwrap();
    let ended = fixture.call("case.open", void(&first, "k"));
    assert_eq!((&ended["outcome"], &ended["case"]["final"]), (&json!("not_executed"), &json!(true)), "{ended}");
    let again = fixture.call("case.open", void(&first, "k"));
    for key in ["code", "status", "vendorStatus"] {
        assert_eq!(again["error"][key], ended["error"][key], "{again}");
    }
    assert_eq!((&again["outcome"], fixture.sent("void")), (&json!("not_executed"), 1), "{again}");
    let got = fixture.call("case.get", json!({"key": "k"}));
    assert_eq!((&got["ok"], &got["outcome"]), (&json!(true), &json!("not_executed")), "{got}");
}

/// The offer expired, and the fresh quotation is refused: nothing was executed.
#[test]
fn a_refusal_ends_a_bound_case_and_its_own_content_makes_the_next_attempt() {
    let fixture = Fixture::new("default");
    let first = order(&fixture);
    let expired = json!({"endpoint": "void", "mode": "reply", "execute": false, "body": {"status": 805}});
    fixture.vendor.fault(expired).unwrap();
    let denied = json!({"endpoint": "voidQuotation", "mode": "reply", "skip": 1, "body": {"isVoidable": false}});
    fixture.vendor.fault(denied).unwrap();
    let ended = fixture.call("case.open", void(&first, "k"));
    assert_eq!((&ended["case"]["state"], &ended["case"]["final"]), (&json!("refused"), &json!(true)), "{ended}");
    assert_eq!(ended["error"]["code"], "guard_not_refundable", "{ended}");
    let reply = fixture.call("case.open", void(&first, "k"));
    assert_eq!((&reply["outcome"], fixture.sent("void")), (&json!("executed"), 2), "{reply}");
    assert_eq!(fixture.executed("void"), 1);
}

#[test]
fn the_next_attempt_takes_its_holds_anew() {
    let fixture = Fixture::new("default");
    let first = order(&fixture);
    let mut request = void(&first, "k");
    request["expect"] = least("100.01");
    fixture.call("case.open", request);
    let other = fixture.call("case.open", void(&first, "other"));
    assert_eq!(other["outcome"], "executed", "{other}");
    let reply = fixture.call("case.open", void(&first, "k"));
    assert_eq!((&reply["error"]["code"], &reply["outcome"]), (&json!("conflict"), &json!("not_executed")), "{reply}");
    assert_eq!((&reply["data"]["key"], &reply["case"]["key"]), (&json!("k"), &json!("k")), "{reply}");
    let details = reply["error"]["details"].to_string();
    assert!(details.contains(other["case"]["id"].as_str().unwrap()), "{reply}");
    let new = fixture.call("case.open", void(&first, "new"));
    assert_eq!(
        (&new["error"]["code"], &new["data"], &new["case"]["key"]),
        (&json!("conflict"), &Value::Null, &json!("other"))
    );
}

#[test]
fn the_old_content_is_replaced_only_when_the_new_claim_stands() {
    let fixture = Fixture::new("default");
    let (first, taken) = (order(&fixture), order(&fixture));
    let other = fixture.call("case.open", void(&taken, "other"));
    let mut request = void(&first, "k");
    request["expect"] = least("100.01");
    let refused = fixture.call("case.open", request);
    let reply = fixture.call("case.open", json!({"kind": "refund", "orderNo": taken, "key": "k"}));
    assert_eq!(reply["error"]["code"], "conflict", "{reply}");
    assert!(!has_warning(&reply, "amended"), "{reply}");
    assert!(reply["error"]["details"].to_string().contains(other["case"]["id"].as_str().unwrap()), "{reply}");
    let case = fixture.stored();
    for key in ["id", "kind", "orderNo", "outcome", "state", "evidence"] {
        assert_eq!(case[key], refused["case"][key], "{case}");
    }
}

#[test]
fn an_expired_offer_is_replaced_once_within_one_case_open() {
    let fixture = Fixture::new("default");
    let first = order(&fixture);
    let expired = json!({"endpoint": "void", "mode": "reply", "execute": false, "body": {"status": 805}, "times": 2});
    fixture.vendor.fault(expired).unwrap();
    let ended = fixture.call("case.open", void(&first, "k"));
    assert_eq!((&ended["outcome"], &ended["case"]["final"]), (&json!("not_executed"), &json!(true)), "{ended}");
    fixture.call("case.open", void(&first, "k"));
    assert_eq!(fixture.sent("void"), 2, "the second refusal is the end");
}

#[test]
fn the_second_offer_gives_back_no_less_than_the_first() {
    for (expect, outcome) in [(json!({}), "not_executed"), (least("1.00"), "executed")] {
        let fixture = Fixture::new("default");
        let order = fixture.order(json!({"paymentMethod": 1, "fare": "100.00"}));
        let expired = json!({"endpoint": "refund", "mode": "reply", "execute": false, "body": {"status": 805}});
        fixture.vendor.fault(expired).unwrap();
        let amounts = json!({"currency": "USD", "originalFareAmount": 100, "estimatedRefundAmount": 50});
        let body = json!({"refundFareAmount": amounts});
        fixture.vendor.fault(json!({"endpoint": "refundQuotation", "mode": "reply", "skip": 1, "body": body})).unwrap();
        let request = json!({"kind": "refund", "orderNo": order, "key": "k", "expect": expect});
        let reply = fixture.call("case.open", request);
        assert_eq!(reply["outcome"], outcome, "{expect} {reply}");
        if outcome == "not_executed" {
            assert_eq!(reply["error"]["code"], "guard_amount", "{reply}");
        }
    }
}

#[test]
fn a_cancel_goes_on_to_the_refund_only_after_808_822_841_843() {
    for (code, via) in
        [(808, "refund"), (822, "refund"), (841, "refund"), (843, "refund"), (805, "void"), (823, "void")]
    {
        let fixture = Fixture::new("default");
        let first = order(&fixture);
        fixture.vendor.fault(json!({"endpoint": "voidQuotation", "mode": "reply", "body": {"status": code}})).unwrap();
        let reply = fixture.call("case.open", json!({"kind": "cancel", "orderNo": first, "key": "k"}));
        let refunded = usize::from(via == "refund");
        assert_eq!((fixture.sent("refund"), fixture.sent("void")), (refunded, 0), "{code} {reply}");
    }
}

#[test]
fn an_expired_offer_of_the_caller_is_unknown_until_the_list_answers() {
    let fixture = Fixture::new("default");
    let first = order(&fixture);
    let quote = fixture.call("voidQuotation", json!({"orderNo": first}));
    let mut request = void(&first, "k");
    request["offerId"] = quote["data"]["voidOfferId"].clone();
    let expired = json!({"endpoint": "void", "mode": "reply", "execute": false, "body": {"status": 805}});
    fixture.vendor.fault(expired).unwrap();
    let reply = fixture.call("case.open", request.clone());
    assert_eq!(reply["outcome"], "unknown", "{reply}");
    let case = fixture.follow(&reply["case"]["id"], "40s", 10);
    assert_eq!((&case["outcome"], fixture.sent("void")), (&json!("not_executed"), 1), "{case}");
    assert_eq!(case["offerId"], request["offerId"], "the offer is not replaced");
}

#[test]
fn an_offer_that_was_not_quoted_through_this_store_is_not_taken() {
    let fixture = Fixture::new("default");
    let first = order(&fixture);
    let mut request = void(&first, "k");
    request["offerId"] = fixture.outside("voidQuotation", json!({"orderNo": first}))["data"]["voidOfferId"].clone();
    let reply = fixture.call("case.open", request);
    assert_eq!((&reply["error"]["code"], fixture.sent("void")), (&json!("guard_offer_age"), 0), "{reply}");
}

#[test]
fn a_live_opener_is_waited_for_and_then_in_progress() {
    let fixture = Fixture::new("default");
    let first = order(&fixture);
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "delay", "delayMs": 1500})).unwrap();
    let second = Fixture::client(&fixture.vendor, &fixture.file, &json!({}));
    thread::scope(|scope| {
        let opener = scope.spawn(|| fixture.call("case.open", void(&first, "k")));
        thread::sleep(Duration::from_millis(500));
        let reply = second.call("case.open", &void(&first, "k").to_string(), r#"{"timeoutMs": 300}"#);
        let reply: Value = serde_json::from_str(reply.json()).unwrap();
        assert_eq!((&reply["error"]["status"], &reply["outcome"]), (&json!(-49), &json!("pending")), "{reply}");
        assert_eq!(reply["case"]["state"], "sending", "{reply}");
        let reply = second.call("case.open", &void(&first, "k").to_string(), "");
        assert_eq!(reply.outcome(), atlas_postbooking::Outcome::Executed);
        assert_eq!(opener.join().unwrap()["outcome"], "executed");
    });
    assert_eq!(fixture.sent("void"), 1);
}

/// `after` names what was given up, and nothing else: not what was executed.
#[test]
fn after_an_executed_claim_its_locator_is_not_claimed_again() {
    let fixture = Fixture::new("listClaimedOrders=false,secondClaim=new");
    let pnr = fixture.vendor.create_pnr(json!({"airline": "Y4"})).unwrap();
    let first = fixture.call("case.open", claim(&pnr, "first"));
    assert_eq!(first["case"]["state"], "claimed", "{first}");
    let mut second = claim(&pnr, "second");
    second["after"] = first["case"]["id"].clone();
    let again = fixture.call("case.open", second);
    assert_eq!((&again["error"]["code"], fixture.sent("pnrClaim")), (&json!("conflict"), 1), "{again}");
}

/// It takes its holds anew: the one that it was opened after is open again.
#[test]
fn a_paced_order_whose_forerunner_shows_up_is_a_conflict() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"passengers": 1}));
    let late = json!({"endpoint": "postBookingAncillaryOrder", "mode": "late", "delayMs": 600_000, "virtual": true});
    fixture.vendor.fault(late).unwrap();
    let lost = fixture.with_options("case.open", &fixture.ancillary(&order, "first"), r#"{"timeoutMs": 1500}"#);
    let given_up = fixture.follow(&lost["case"]["id"], "40s", 10);
    assert_eq!(given_up["outcome"], "not_executed", "{given_up}");
    let mut second = fixture.ancillary(&order, "second");
    second["after"] = given_up["id"].clone();
    fixture.vendor.fault(json!({"endpoint": "postBookingAncillaryOrder", "mode": "rate_limit"})).unwrap();
    let paced = fixture.call("case.open", second.clone());
    assert_eq!((&paced["outcome"], &paced["case"]["state"]), (&json!("pending"), &json!("planned")), "{paced}");
    fixture.vendor.advance("15m").unwrap();
    let landed = fixture.call("case.reconcile", json!({"id": given_up["id"]}))["case"].clone();
    assert_eq!(landed["reopened"], true, "{landed}");
    let again = fixture.call("case.open", second);
    assert_eq!(
        (&again["error"]["code"], fixture.executed("postBookingAncillaryOrder")),
        (&json!("conflict"), 1),
        "{again}"
    );
}
