//! Refunds, voids, ancillary orders and payments over days of virtual time.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

mod common;

use common::{Atlas, atlas, bag_request, bags, refund, refund_list, void};
use serde_json::{Value, json};

fn refund_status(atlas: &Atlas, submitted: &Value) -> Value {
    let reply = atlas
        .ok("/queryRefundOrders.do", json!({"orderNo": submitted["orderNo"], "refundCode": submitted["refundCode"]}));
    reply["refundOrders"][0].clone()
}

fn void_status(atlas: &Atlas, order: &Value) -> Value {
    atlas.ok("/queryVoidOrders.do", json!({"orderNo": order["orderNo"]}))["voidOrders"][0].clone()
}

#[test]
fn a_refund_is_credited_to_the_deposit_after_three_weeks() {
    let atlas = atlas("");
    let order = atlas.order(json!({"passengers": 2, "fare": "84.70", "penalty": "10.10", "serviceFee": "2.50"}));
    let submitted = refund(&atlas, &order);
    assert_eq!(submitted["refundStatus"], 0);
    assert_eq!(submitted["refundCode"], "202603-0001");
    assert_eq!(submitted["refundFareAmount"]["originalFareAmount"].to_string(), "169.4");
    assert_eq!(submitted["refundFareAmount"]["estimatedRefundAmount"].to_string(), "149.2");
    assert_eq!(submitted["serviceFee"]["transactionFee"].to_string(), "2.5");
    let mut seen = vec![0];
    for _ in 0..22 * 6 {
        atlas.advance("4h");
        let status = refund_status(&atlas, &submitted)["refundStatus"].as_i64().unwrap();
        if seen.last() != Some(&status) {
            seen.push(status);
        }
    }
    assert_eq!(seen, [0, 1, 3, 2]);
    assert_eq!(atlas.deposit().to_string(), "100146.7");
    assert_eq!(atlas.executed("refund"), 1);
}

#[test]
fn a_card_refund_is_fulfilled_and_a_rejected_one_has_a_reason() {
    let atlas = atlas("");
    let card = refund(&atlas, &atlas.order(json!({"paymentMethod": 3})));
    let bad = refund(&atlas, &atlas.order(json!({"refundOutcome": "rejected", "cancelReason": "Duplicate record"})));
    atlas.advance("8d");
    assert_eq!(refund_status(&atlas, &card)["refundStatus"], 5);
    let bad = refund_status(&atlas, &bad);
    assert_eq!((bad["refundStatus"].as_i64(), bad["cancelReason"].as_str()), (Some(4), Some("Duplicate record")));
    assert_eq!(bad["expectedRefundDate"], Value::Null);
    assert_eq!(atlas.deposit(), 100_000);
}

#[test]
fn a_refund_list_is_checked_field_by_field() {
    let atlas = atlas("");
    let order = atlas.order(json!({"passengers": [{"passengerType": 0}, {"passengerType": 1}], "segments": 2}));
    let no = &order["orderNo"];
    let quote = |list: Value| atlas.call("/refundQuotation.do", json!({"orderNo": no, "refundRequestList": list}));
    let whole = refund_list(&order, "1");
    let with = |pointer: &str, value: Value| {
        let mut list = whole.clone();
        *list.pointer_mut(pointer).unwrap() = value;
        quote(list)["status"].as_i64().unwrap()
    };
    assert_eq!(quote(whole.clone())["status"], 0);
    assert_eq!(quote(Value::Null)["status"], 810);
    assert!(quote(Value::Null)["msg"].as_str().unwrap().contains("refundRequestList is required"));
    assert_eq!(quote(json!(["A/B"]))["status"], 9999);
    assert_eq!(with("/0/segments/0/depDate", json!("20300101")), 8041);
    assert_eq!(with("/0/lastName", json!("NOBODY")), 807);
    assert_eq!(with("/0/firstName", json!("OTHER")), 812);
    assert_eq!(with("/0/segments/1", whole[0]["segments"][0].clone()), 811);
    assert_eq!(quote(json!([whole[0]]))["status"], 802);
    assert_eq!(atlas.status("/refundQuotation.do", json!({"orderNo": "TESTA0", "refundRequestList": whole})), 801);
    let unpaid = atlas.order(json!({"state": "unpaid"}));
    let early = json!({"orderNo": unpaid["orderNo"], "refundRequestList": refund_list(&unpaid, "1")});
    assert_eq!(atlas.status("/refundQuotation.do", early), 809);
}

#[test]
fn an_incomplete_list_is_refused_with_an_unusable_offer() {
    let atlas = atlas("");
    let order = atlas.order(json!({}));
    let reply = atlas
        .call("/refundQuotation.do", json!({"orderNo": order["orderNo"], "refundRequestList": [{"ticketNo": "S1"}]}));
    assert_eq!(reply["status"], 801);
    assert!(reply["refundOfferId"].as_str().unwrap().starts_with("q_"));
    assert!(reply.as_object().unwrap().contains_key("refundFareAmount"), "payload fields come as nulls");
    assert_eq!(
        atlas.status("/refund.do", json!({"orderNo": order["orderNo"], "refundOfferId": reply["refundOfferId"]})),
        805
    );
    assert_eq!(atlas.executed("refund"), 0);
}

#[test]
fn refund_offers_expire_and_a_refund_is_executed_once() {
    let atlas = atlas("");
    let order = atlas.order(json!({}));
    let no = &order["orderNo"];
    let quote =
        || atlas.ok("/refundQuotation.do", json!({"orderNo": no, "refundRequestList": refund_list(&order, "1")}));
    let (old, _) = (quote(), atlas.advance("2h"));
    let submit =
        |offer: &Value| atlas.status("/refund.do", json!({"orderNo": no, "refundOfferId": offer["refundOfferId"]}));
    assert_eq!(submit(&old), 805);
    let fresh = quote();
    let other = quote();
    assert_eq!(submit(&fresh), 0);
    assert_eq!(submit(&fresh), 816);
    assert_eq!(submit(&other), 816);
    assert_eq!(atlas.status("/voidQuotation.do", json!({"orderNo": no})), 803);
    assert_eq!(atlas.executed("refund"), 1);
    assert_eq!(atlas.sim.ledger().len(), 4);
}

#[test]
fn one_of_several_concurrent_submits_is_executed() {
    let atlas = atlas("");
    let order = atlas.order(json!({}));
    let quote = atlas.ok("/voidQuotation.do", json!({"orderNo": order["orderNo"]}));
    let body = json!({"orderNo": order["orderNo"], "voidOfferId": quote["voidOfferId"]});
    let codes: Vec<i64> = std::thread::scope(|scope| {
        let submits: Vec<_> = (0..8).map(|_| scope.spawn(|| atlas.status("/void.do", body.clone()))).collect();
        submits.into_iter().map(|submit| submit.join().unwrap()).collect()
    });
    assert_eq!(codes.iter().filter(|code| **code == 0).count(), 1);
    assert_eq!(codes.iter().filter(|code| **code == 816).count(), 7);
    assert_eq!(atlas.executed("void"), 1);
}

#[test]
fn voids_become_refunded_rejected_or_fulfilled() {
    let atlas = atlas("");
    let orders = [json!({}), json!({"voidOutcome": "rejected"}), json!({"paymentMethod": 3})]
        .map(|options| atlas.order(options));
    for order in &orders {
        let submitted = void(&atlas, order);
        assert_eq!((submitted["voidStatus"].as_i64(), submitted["cancelReason"].as_str()), (Some(0), Some("")));
    }
    let states = || orders.each_ref().map(|order| void_status(&atlas, order)["voidStatus"].as_i64().unwrap());
    assert_eq!(states(), [0, 0, 0]);
    atlas.advance("5m");
    assert_eq!(states(), [1, 1, 1]);
    atlas.advance("7h");
    assert_eq!(states(), [2, 4, 5]);
    let paid: f64 = orders[0]["totalPrice"].as_f64().unwrap();
    assert!((atlas.deposit().as_f64().unwrap() - 100_000.0 - paid).abs() < 0.001, "a void costs no fee");
}

#[test]
fn void_offers_and_void_windows_expire() {
    let atlas = atlas("");
    let order = atlas.order(json!({}));
    let no = &order["orderNo"];
    assert_eq!(atlas.status("/void.do", json!({"orderNo": no})), 810);
    assert_eq!(atlas.status("/void.do", json!({"orderNo": no, "voidOfferId": "q_0"})), 805);
    let quote = atlas.ok("/voidQuotation.do", json!({"orderNo": no}));
    assert_eq!(quote["voidWindow"]["voidTimeAfterIssure"], "23");
    assert_eq!(quote["voidWindow"]["voidTimeBeforeDepature"], "180");
    atlas.advance("31m");
    assert_eq!(atlas.status("/void.do", json!({"orderNo": no, "voidOfferId": quote["voidOfferId"]})), 805);
    atlas.advance("22h");
    let late = atlas.ok("/voidQuotation.do", json!({"orderNo": no}));
    atlas.advance("29m");
    assert_eq!(atlas.status("/void.do", json!({"orderNo": no, "voidOfferId": late["voidOfferId"]})), 822);
    assert_eq!(atlas.status("/voidQuotation.do", json!({"orderNo": no})), 822);
    assert_eq!(atlas.ok("/queryVoidOrders.do", json!({"orderNo": no}))["voidOrders"], json!([]));
}

#[test]
fn refunds_and_voids_exclude_each_other() {
    let atlas = atlas("quoteAfterRefund=0");
    let order = atlas.order(json!({}));
    let no = &order["orderNo"];
    let list = refund_list(&order, "1");
    let quote = atlas.ok("/refundQuotation.do", json!({"orderNo": no, "refundRequestList": list}));
    let first = void(&atlas, &order);
    assert_eq!(atlas.status("/refund.do", json!({"orderNo": no, "refundOfferId": quote["refundOfferId"]})), 803);
    let again = atlas.ok("/voidQuotation.do", json!({"orderNo": no}));
    assert_eq!(atlas.status("/void.do", json!({"orderNo": no, "voidOfferId": again["voidOfferId"]})), 816);
    assert_eq!(atlas.status("/void.do", json!({"orderNo": no, "voidOfferId": first["voidOfferId"]})), 816);
    let refunded = atlas.order(json!({}));
    assert_eq!(refund(&atlas, &refunded)["refundCode"], "202603-0002", "one counter");
    let quote = atlas.ok("/voidQuotation.do", json!({"orderNo": refunded["orderNo"]}));
    assert_eq!(
        atlas.status("/void.do", json!({"orderNo": refunded["orderNo"], "voidOfferId": quote["voidOfferId"]})),
        803
    );
    assert_eq!((atlas.executed("void"), atlas.executed("refund")), (1, 1));
}

#[test]
fn an_unpaid_ancillary_order_expires_and_a_paid_one_is_ticketed() {
    let atlas = atlas("");
    let order = atlas.order(json!({"segments": 2, "passengers": 2}));
    let unpaid = bags(&atlas, &order);
    let no = unpaid["orderNo"].clone();
    assert!(no.as_str().unwrap().starts_with("TESTB"));
    assert_eq!(unpaid["tktLimitTime"], "2026-03-02 16:16:00");
    atlas.advance("15m");
    assert_eq!(atlas.state(&no), "0");
    atlas.advance("1m");
    assert_eq!(atlas.state(&no), "-3");
    assert_eq!(atlas.status("/pay.do", json!({"orderNo": no, "paymentMethod": 1})), 401);

    let (paid, second) = (bags(&atlas, &order), bags(&atlas, &order));
    atlas.ok("/pay.do", json!({"orderNo": paid["orderNo"], "paymentMethod": 1}));
    assert_eq!(atlas.state(&paid["orderNo"]), "1");
    assert_eq!(atlas.status("/pay.do", json!({"orderNo": paid["orderNo"]})), 404);
    assert_eq!(atlas.status("/pay.do", json!({"orderNo": second["orderNo"]})), 402, "one of several");
    assert_eq!(bags(&atlas, &order)["status"], 505);
    atlas.advance("30s");
    let seen = atlas.ok("/queryOrderDetails.do", json!({"orderNo": paid["orderNo"]}));
    assert_eq!((seen["orderStatus"].as_str(), seen["ticketStatus"].as_str()), (Some("2"), Some("1")));
    assert_eq!((&seen["orderType"], &seen["ticketOrderNo"]), (&json!(6), &order["orderNo"]));
    assert_eq!(seen["paxTicketInfos"][0]["ancillaries"].as_array().unwrap().len(), 2);
    let price = paid["totalPrice"].as_f64().unwrap();
    assert!((atlas.deposit().as_f64().unwrap() + price - 100_000.0).abs() < 0.001);
    assert_eq!((atlas.executed("postBookingAncillaryOrder"), atlas.executed("pay")), (3, 1));

    // The other passenger can still buy: only the orders that were unpaid at that time are refused.
    let session = atlas.ok(
        "/postBookingAncillarySearch.do",
        json!({"ticketOrderNo": order["orderNo"], "ancillaryCategory": "BAGGAGE"}),
    );
    let mut second = bag_request(&order, &session["sessionId"]);
    second["passengers"][0]["name"] = order["passengers"][1]["name"].clone();
    let second = atlas.ok("/postBookingAncillaryOrder.do", second);
    atlas.ok("/pay.do", json!({"orderNo": second["orderNo"]}));

    let all = atlas.ok("/queryOrderDetails.do", json!({"orderNo": order["orderNo"], "isCompletedOrder": "true"}));
    assert_eq!(all["orderList"].as_array().unwrap().len(), 5);
    assert_eq!(all["orderStatus"], Value::Null);
    let bags_of = |at: usize| all["paxTicketInfos"][at]["ancillaries"].as_array().unwrap().len();
    assert_eq!((bags_of(0), bags_of(1)), (6, 2), "the bags of all ancillary orders, in any state");
    assert_eq!(atlas.status("/refundQuotation.do", json!({"orderNo": paid["orderNo"], "refundRequestList": []})), 824);
    let quote = atlas.ok("/voidQuotation.do", json!({"orderNo": order["orderNo"]}));
    assert_eq!(quote["voidPostTicketingServiceAmounts"][0]["postTicketingOrderNo"], paid["orderNo"]);
}

#[test]
fn ancillary_orders_are_refused_with_the_documented_codes() {
    let atlas = atlas("");
    let search = |options: Value| {
        atlas.status(
            "/postBookingAncillarySearch.do",
            json!({"ticketOrderNo": atlas.order(options)["orderNo"], "ancillaryCategory": "BAGGAGE"}),
        )
    };
    assert_eq!(search(json!({"state": "unpaid"})), 117);
    assert_eq!(search(json!({"ancillaries": false})), 118);
    assert_eq!(search(json!({"passengers": ["ADT", "INF"]})), 119);
    assert_eq!(search(json!({"segments": [{"depTime": "202603030700"}]})), 121);

    let order = atlas.order(json!({"segments": 2, "retSegments": [{}]}));
    let session = atlas.ok(
        "/postBookingAncillarySearch.do",
        json!({"ticketOrderNo": order["orderNo"], "ancillaryCategory": "BAGGAGE"}),
    );
    let products = session["ancillaryProductElements"].as_array().unwrap();
    assert_eq!(products.len(), 9);
    assert_ne!(products[0]["price"], products[3]["price"], "same code, another price per segment");
    assert_eq!(products[0]["productCode"], products[3]["productCode"]);
    let request = bag_request(&order, &session["sessionId"]);
    let with = |pointer: &str, value: Value| {
        let mut request = request.clone();
        *request.pointer_mut(pointer).unwrap() = value;
        atlas.status("/postBookingAncillaryOrder.do", request)
    };
    let bag =
        |weight: i64, segment: i64| json!({"productCode": format!("SIM_BAG_1PC_{weight}KG"), "segmentIndex": segment});
    assert_eq!(with("/sessionId", json!("other")), 301);
    assert_eq!(with("/passengers/0/name", json!("NO/ONE")), 503);
    assert_eq!(with("/passengers/0/ancillaries", json!([bag(99, 1), bag(99, 2)])), 503);
    assert_eq!(with("/passengers/0/ancillaries", json!([bag(20, 1)])), 307);
    assert_eq!(with("/passengers/0/ancillaries", json!([bag(20, 1), bag(15, 2)])), 503);
    assert_eq!(with("/passengers/0/ancillaries", json!([bag(20, 1), bag(20, 2), bag(20, 2)])), 503);
    assert_eq!(
        with("/passengers/0/ancillaries", json!([bag(20, 1), bag(20, 2), bag(15, 3)])),
        0,
        "directions may differ"
    );
    assert_eq!(with("/passengers/0/ancillaries", json!([bag(15, 3)])), 0);

    assert_eq!(bags(&atlas, &atlas.order(json!({"bookedBaggage": true})))["status"], 504);
    let rising = atlas.order(json!({"priceRise": true}));
    assert_eq!(bags(&atlas, &rising)["status"], 502);
    assert_eq!(bags(&atlas, &rising)["status"], 0);
}

#[test]
fn payment_debits_once_and_is_refused_with_the_documented_codes() {
    let atlas = atlas("balance=100");
    let order = atlas.order(json!({"state": "unpaid", "fare": 60, "transactionFee": "1.50"}));
    let no = &order["orderNo"];
    let pay = |body: Value| atlas.status("/pay.do", body);
    assert_eq!(pay(json!({"orderNo": no, "paymentMethod": 3})), 400);
    assert_eq!(pay(json!({"orderNo": no, "paymentMethod": 4})), 403);
    assert_eq!(pay(json!({"orderNo": no})), 0, "without a method the deposit pays");
    assert_eq!(pay(json!({"orderNo": no, "paymentMethod": 1})), 404);
    assert_eq!(atlas.deposit().to_string(), "38.5");
    let other = atlas.order(json!({"state": "unpaid", "fare": 60}));
    assert_eq!(pay(json!({"orderNo": other["orderNo"], "paymentMethod": 1})), 411);
    let card = |first: &str| json!({"cardNumber": "4111111111111111", "cardCVV": "123", "cardExpireMonth": "07", "cardExpireYear": "2031", "cardHolderLastName": "ROWAN", "cardHolderFirstName": first});
    assert_eq!(pay(json!({"orderNo": other["orderNo"], "paymentMethod": 3, "creditCard": card("Reject")})), 0);
    atlas.advance("30s");
    assert_eq!(atlas.state(no), "2");
    let failed = atlas.ok("/queryOrderDetails.do", json!({"orderNo": other["orderNo"]}));
    assert_eq!((failed["orderStatus"].as_str(), failed["errorCode"].as_str()), (Some("-3"), Some("604")));
    let late = atlas.order(json!({"state": "unpaid"}));
    atlas.advance("30m");
    assert_eq!(pay(json!({"orderNo": late["orderNo"], "paymentMethod": 1})), 401);
    assert_eq!(atlas.executed("pay"), 2);
}
