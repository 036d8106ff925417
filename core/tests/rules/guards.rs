//! Guards: what must hold before money moves.

use serde_json::json;

use crate::fixture::Fixture;
use crate::vendor_state::{open, order, strangers_bag};

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
    // Both lapse unpaid, and a cancelled order keeps nobody back.
    fixture.vendor.advance("30m").unwrap();
    fixture.call("case.reconcile", json!({"key": "k"}));
    let next = fixture.call("case.open", fixture.ancillary(order["orderNo"].as_str().unwrap(), "next"));
    assert_eq!((&next["outcome"], fixture.sent("postBookingAncillaryOrder")), (&json!("pending"), 3), "{next}");
}

/// Nothing of the first attempt left: what the vendor shows afterwards was there before the second one.
#[test]
fn an_attempt_after_one_that_did_not_leave_looks_for_foreign_orders_again() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(1));
    let fault = json!({"endpoint": "postBookingAncillaryOrder", "mode": "rate_limit"});
    fixture.vendor.fault(fault).unwrap();
    let planned = fixture.call("case.open", fixture.ancillary(order["orderNo"].as_str().unwrap(), "k"));
    assert_eq!(planned["case"]["state"], "planned", "{planned}");
    strangers_bag(&fixture, &order, "SIM_BAG_1PC_20KG");
    fixture.vendor.advance("10m").unwrap();
    let refused = fixture.call("case.open", fixture.ancillary(order["orderNo"].as_str().unwrap(), "k"));
    assert_eq!(
        (&refused["error"]["code"], fixture.executed("postBookingAncillaryOrder")),
        (&json!("guard_foreign_order"), 1),
        "{refused}"
    );
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
    for profile in ["voidAfterPartialRefund=refused", "voidAfterPartialRefund=allowed"] {
        void_beside_a_refund(profile);
    }
}

fn void_beside_a_refund(profile: &str) {
    let fixture = Fixture::new(&format!("quoteAfterRefund=0,refundQueryWithoutCode=list,{profile}"));
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

/// The option that is paid with may cost more than the order.
#[test]
fn max_price_is_that_of_the_option_paid() {
    let fixture = Fixture::new("default");
    let price = "1000.00";
    let option = |fee: &str, currency: &str| {
        json!({"paymentOptions": [{"paymentMethod": 1, "cardType": null,
            "ticketFare": {"amount": price, "currency": "USD", "deductFrom": "DEPOSIT"}, "serviceFee": null,
            "paymentFee": {"amount": fee, "currency": currency, "deductFrom": "DEPOSIT"}}]})
    };
    for (fee, currency, code) in
        [("0.01", "USD", json!("guard_amount")), ("0.01", "EUR", json!("guard_currency")), ("0", "EUR", json!(null))]
    {
        let order = fixture.order(json!({"passengers": 1}));
        let body = option(fee, currency);
        fixture.vendor.fault(json!({"endpoint": "postBookingAncillaryOrder", "mode": "reply", "body": body})).unwrap();
        let mut request = fixture.ancillary(&order, &format!("{fee}{currency}"));
        request["payment"] = json!({"paymentMethod": 1});
        request["expect"] = json!({"maxPrice": price, "currency": "USD"});
        let reply = fixture.call("case.open", request);
        assert_eq!(reply["error"]["code"], code, "{fee} {currency}: {reply}");
    }
    assert_eq!(fixture.sent("pay"), 1);
}

#[test]
fn a_rebuilt_order_is_paid_only_for_the_passengers_of_the_original() {
    let pay = |fixture: &Fixture, order: &str| {
        let request = json!({"kind": "regenerate", "orderNo": order, "key": "k", "payment": {"paymentMethod": 1},
            "expect": {"currency": "USD", "maxPrice": "100000"}});
        fixture.call("case.open", request)
    };
    let others = json!({"paxTicketInfos": [{"name": "SOMEBODY/ELSE", "passengerType": 0, "birthday": "19900101"}]});
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"state": "cancelled"}));
    fixture.vendor.fault(json!({"endpoint": "regenerateOrder", "mode": "reply", "body": others})).unwrap();
    let other = pay(&fixture, &order);
    assert_eq!(
        (&other["error"]["code"], &other["case"]["state"], fixture.sent("pay")),
        (&json!("guard_passengers"), &json!("awaiting_payment"), 0),
        "{other}"
    );
    // The next run looks at the order itself, which has the right ones.
    let right = pay(&fixture, &order);
    assert_eq!((&right["case"]["state"], fixture.sent("pay")), (&json!("ticketing"), 1), "{right}");
    // Resumed by a process that has read nothing yet: the order shows others.
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"state": "cancelled"}));
    let rebuilt = fixture.call("case.open", json!({"kind": "regenerate", "orderNo": order, "key": "k"}));
    assert_eq!(rebuilt["case"]["state"], "awaiting_payment", "{rebuilt}");
    fixture.vendor.fault(json!({"endpoint": "queryOrderDetails", "mode": "reply", "body": others})).unwrap();
    let other = pay(&fixture, &order);
    assert_eq!((&other["error"]["code"], fixture.sent("pay")), (&json!("guard_passengers"), 0), "{other}");
}

#[test]
fn a_rebuilt_order_that_lost_a_passenger_is_not_paid() {
    let fixture = Fixture::new("regenerateChanges=passengers");
    let order = fixture.order(json!({"state": "cancelled", "passengers": 2}));
    let request = json!({"kind": "regenerate", "orderNo": order, "key": "k", "payment": {"paymentMethod": 1},
        "expect": {"currency": "USD", "maxPrice": "100000"}});
    for _ in 0..2 {
        let reply = fixture.call("case.open", request.clone());
        assert_eq!(
            (&reply["error"]["code"], &reply["case"]["state"], fixture.sent("pay")),
            (&json!("guard_passengers"), &json!("awaiting_payment"), 0),
            "{reply}"
        );
    }
    assert_eq!(fixture.executed("regenerateOrder"), 1);
}

/// A round trip that is rebuilt as two orders: neither alone is what was asked for.
#[test]
fn an_order_that_is_rebuilt_as_two_is_for_a_human() {
    let fixture = Fixture::new("regenerateJoined=true");
    for (key, payment) in [("unpaid", json!(null)), ("paid", json!({"paymentMethod": 1}))] {
        let order = fixture.order(json!({"state": "cancelled", "segments": [{}, {"inbound": true}]}));
        let request = json!({"kind": "regenerate", "orderNo": order, "key": key, "payment": payment,
            "expect": {"currency": "USD", "maxPrice": "100000"}});
        let reply = fixture.call("case.open", request);
        assert_eq!(
            (&reply["outcome"], &reply["case"]["state"], fixture.sent("pay")),
            (&json!("unknown"), &json!("needs_human"), 0),
            "{reply}"
        );
        let code = reply["case"]["code"].as_str().unwrap();
        assert_eq!(code.split(',').count(), 2, "{code}");
        let asked = fixture.call("case.reconcile", json!({"key": key}));
        assert_eq!((&asked["outcome"], &asked["case"]["state"]), (&json!("unknown"), &json!("needs_human")), "{asked}");
        let evidence = json!({"text": "both are paid by hand", "code": code});
        let said = json!({"id": reply["case"]["id"], "as": "executed", "by": "operator", "evidence": evidence});
        let resolved = fixture.call("case.resolve", said);
        assert_eq!(resolved["outcome"], "executed", "{resolved}");
    }
    assert_eq!(fixture.executed("regenerateOrder"), 2);
}

#[test]
fn without_the_bookings_orders_foreign_ones_are_not_looked_at() {
    let fixture = Fixture::new("aggregatedOrders=false");
    let order = fixture.order(json!({"passengers": 1}));
    let reply = fixture.call("case.open", fixture.ancillary(&order, "k"));
    assert_eq!((&reply["ok"], &reply["warnings"][0]["code"]), (&json!(true), &json!("foreign_unchecked")), "{reply}");
    let mut request = fixture.ancillary(&fixture.order(json!({"passengers": 1})), "accepted");
    request["expect"] = json!({"acceptForeign": true});
    let reply = fixture.call("case.open", request);
    assert_eq!((&reply["ok"], &reply["warnings"]), (&json!(true), &json!([])), "{reply}");
}

#[test]
fn an_account_that_saw_the_bookings_orders_once_wants_them_again() {
    let wants = |see: &dyn Fn(&Fixture)| {
        let fixture = Fixture::new("default");
        see(&fixture);
        fixture.vendor.profile(json!({"aggregatedOrders": "false"})).unwrap();
        let order = fixture.order(json!({"passengers": 1}));
        let sent = fixture.sent("postBookingAncillaryOrder");
        // Another client of the account has not seen them itself.
        let other = Fixture::client(&fixture.vendor, &fixture.file, &json!({}));
        let reply = other.call("case.open", &fixture.ancillary(&order, "k").to_string(), "");
        let reply: serde_json::Value = serde_json::from_str(reply.json()).unwrap();
        assert_eq!(
            (&reply["error"]["code"], &reply["outcome"], fixture.sent("postBookingAncillaryOrder")),
            (&json!("guard_foreign_order"), &json!("not_executed"), sent),
            "{reply}"
        );
        let mut accepted = fixture.ancillary(&order, "k");
        accepted["expect"] = json!({"acceptForeign": true});
        assert_eq!(fixture.call("case.open", accepted)["ok"], true);
    };
    wants(&|fixture| {
        let order = fixture.order(json!({"passengers": 1}));
        assert_eq!(fixture.call("case.open", fixture.ancillary(&order, "before"))["ok"], true);
        // Refused, it is not there either; the order itself was read just before.
        let refused = json!({"endpoint": "queryOrderDetails", "mode": "reply", "skip": 1, "body": {"status": 704}});
        fixture.vendor.fault(refused).unwrap();
        let other = fixture.order(json!({"passengers": 1}));
        let reply = fixture.call("case.open", fixture.ancillary(&other, "refused"));
        assert_eq!(reply["error"]["code"], "guard_foreign_order", "{reply}");
        fixture.vendor.clear_faults().unwrap();
    });
    wants(&|fixture| {
        let request = json!({"orderNo": fixture.order(json!({"passengers": 1})), "isCompletedOrder": true});
        assert_eq!(fixture.call("queryOrderDetails", request)["ok"], true);
    });
}

#[test]
fn for_30_days_after_confirm_store_an_older_order_needs_the_list_of_its_bookings_orders() {
    crate::file_only!();
    let fixture = Fixture::new("aggregatedOrders=false");
    let older = fixture.order(json!({"passengers": 1}));
    // The store has its tables only once it was used.
    assert_eq!(fixture.call("case.list", json!({}))["ok"], true);
    let copy = std::path::PathBuf::from(format!("{}-copy", fixture.file.display()));
    assert_eq!(fixture.call("case.backup", json!({"path": copy}))["ok"], true);
    let client = Fixture::client(&fixture.vendor, &copy, &json!({}));
    let call = |operation: &str, request: serde_json::Value| -> serde_json::Value {
        serde_json::from_str(client.call(operation, &request.to_string(), "").json()).unwrap()
    };
    let confirmed = call("case.confirmStore", json!({"by": "me", "evidence": "looked"}));
    assert_eq!(confirmed["data"]["confirmed"], true, "{confirmed}");
    let refused = call("case.open", fixture.ancillary(&older, "older"));
    assert_eq!(refused["error"]["code"], "guard_foreign_order", "{refused}");
    assert_eq!(fixture.sent("postBookingAncillaryOrder"), 0);
    fixture.vendor.advance("3m").unwrap();
    let warned = |order: &str, key: &str| {
        let reply = call("case.open", fixture.ancillary(order, key));
        let warning = &reply["warnings"][0]["code"];
        assert_eq!((&reply["ok"], warning), (&json!(true), &json!("foreign_unchecked")), "{reply}");
    };
    warned(&fixture.order(json!({"passengers": 1})), "newer");
    fixture.vendor.advance("30d").unwrap();
    warned(&fixture.order(json!({"passengers": 1, "createdAgo": "31d"})), "later");
    for end in ["", "-wal", "-shm", "-witness"] {
        let _ = std::fs::remove_file(format!("{}{end}", copy.display()));
    }
}

#[test]
fn an_offer_in_two_currencies_is_refused_whatever_is_expected() {
    let extra = json!([{"originalPostTicketingServiceAmount": "10", "estimatedRefundAmount": "10", "currency": "EUR"}]);
    for body in [
        json!({"refundPostTicketingServiceAmounts": extra}),
        json!({"serviceFee": {"transactionFee": "3", "currency": "EUR"}}),
    ] {
        for expect in [
            json!(null),
            json!({"currency": "USD"}),
            json!({"currency": "USD", "minRefund": "1"}),
            json!({"currency": "USD", "maxFee": "100"}),
        ] {
            let fixture = Fixture::new("default");
            let order = order(&fixture, json!(1));
            let fault = json!({"endpoint": "refundQuotation", "mode": "reply", "body": body});
            fixture.vendor.fault(fault).unwrap();
            let mut request = open("refund", &order, "k");
            request["expect"] = expect;
            let reply = fixture.call("case.open", request);
            assert_eq!((&reply["error"]["code"], fixture.sent("refund")), (&json!("guard_currency"), 0), "{reply}");
        }
    }
}

#[test]
fn a_void_whose_window_is_closed_is_not_refundable() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(1));
    let body = json!({"voidWindow": {"supportVoid": true, "allowVoid": false}});
    fixture.vendor.fault(json!({"endpoint": "voidQuotation", "mode": "reply", "body": body})).unwrap();
    let reply = fixture.call("case.open", open("void", &order, "k"));
    assert_eq!((&reply["error"]["code"], fixture.sent("void")), (&json!("guard_not_refundable"), 0), "{reply}");
}

#[test]
fn what_a_case_of_another_order_has_made_is_not_foreign() {
    let fixture = Fixture::new("default");
    let order = |state: &str| {
        let spec = json!({"passengers": [{"name": "ROWAN/TANGO"}], "state": state, "airline": "Y4",
            "segments": [{"depAirport": "AAL", "arrAirport": "BGO", "depTime": "2026-04-20T08:10", "flightNumber": "Y4101"}]});
        fixture.vendor.create_order(spec).unwrap()["orderNo"].as_str().unwrap().to_owned()
    };
    // Of the same passenger and flight, and cancelled: its journey stays in the list of orders with the baggage.
    let first = order("cancelled");
    let rebuilt = fixture.call("case.open", json!({"kind": "regenerate", "orderNo": first, "key": "first"}));
    assert_eq!(rebuilt["case"]["state"], "awaiting_payment", "{rebuilt}");
    let second = order("cancelled");
    let again = fixture.call("case.open", json!({"kind": "regenerate", "orderNo": second, "key": "second"}));
    assert_eq!((&again["ok"], fixture.executed("regenerateOrder")), (&json!(true), 2), "{again}");
}

/// The vendor quotes, and would execute, whatever it is asked for.
#[test]
fn no_refund_of_a_passenger_of_whom_the_store_knows_one() {
    for passengers in ["stay", "gone"] {
        let profile = format!("quoteAfterRefund=0,refundQueryWithoutCode=list,passengersAfterRefund={passengers}");
        let fixture = Fixture::new(&profile);
        let order = order(&fixture, json!(3));
        let refund = |key: &str, passengers: serde_json::Value| {
            let mut request = open("refund", &order, key);
            request["passengers"] = passengers;
            fixture.call("case.open", request)
        };
        let first = refund("first", json!([1]));
        assert_eq!(first["outcome"], "executed", "{first}");
        let ended = fixture.follow(&first["case"]["id"], "1d", 60);
        assert_eq!(ended["final"], true, "{ended}");
        if passengers == "stay" {
            for again in [json!(null), json!([1, 2])] {
                let reply = refund(&format!("again {again}"), again);
                assert_eq!(
                    (&reply["error"]["code"], fixture.sent("refund")),
                    (&json!("guard_not_refundable"), 1),
                    "{reply}"
                );
            }
        }
        // Those who are left: by name, or as whoever is in the order today.
        let rest = if passengers == "stay" { refund("rest", json!([2, 3])) } else { refund("rest", json!(null)) };
        assert_eq!((&rest["outcome"], fixture.executed("refund")), (&json!("executed"), 2), "{rest}");
    }
}

#[test]
fn an_order_whose_price_is_in_two_currencies_is_not_bought() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"passengers": 1}));
    let options = json!([{"paymentMethod": 1, "ticketFare": {"amount": "10", "currency": "USD"},
        "paymentFee": {"amount": "3", "currency": "EUR"}}]);
    let fault = json!({"endpoint": "postBookingAncillaryOrder", "mode": "reply", "body": {"paymentOptions": options}});
    fixture.vendor.fault(fault).unwrap();
    let mut request = fixture.ancillary(&order, "k");
    request["payment"] = json!({"paymentMethod": 1});
    let reply = fixture.call("case.open", request);
    assert_eq!(
        (&reply["error"]["code"], &reply["case"]["state"], fixture.sent("pay")),
        (&json!("guard_currency"), &json!("awaiting_payment"), 0),
        "{reply}"
    );
}

#[test]
fn an_order_that_was_rebuilt_and_paid_is_not_rebuilt_again() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"state": "cancelled"}));
    let regenerate = |key: &str| {
        json!({"kind": "regenerate", "orderNo": order, "key": key, "payment": {"paymentMethod": 1},
            "expect": {"currency": "USD", "maxPrice": "100000"}})
    };
    let first = fixture.call("case.open", regenerate("first"));
    assert_eq!(fixture.follow(&first["case"]["id"], "10m", 5)["state"], "ticketed", "{first}");
    let second = fixture.call("case.open", regenerate("second"));
    assert_eq!((&second["error"]["code"], &second["case"]["key"]), (&json!("conflict"), &json!("first")), "{second}");
    let direct = fixture.call("regenerateOrder", json!({"originalOrderNo": order}));
    assert_eq!((&direct["error"]["code"], fixture.sent("regenerateOrder")), (&json!("conflict"), 1), "{direct}");
}

#[test]
fn an_offer_says_for_whom_the_refund_is() {
    // Whether the store knew the order's passengers when the offer was given, or not.
    for known in [true, false] {
        let fixture = Fixture::new("default");
        let order = order(&fixture, json!(3));
        if known {
            fixture.call("case.plan", json!({"orderNo": order["orderNo"]}));
        }
        let offer = fixture.offer_here(&order, 1);
        let refund = |key: &str, extra: (&str, serde_json::Value)| {
            let mut request = open("refund", &order, key);
            request[extra.0] = extra.1;
            fixture.call("case.open", request)
        };
        let first = refund("first", ("offerId", offer.clone()));
        assert_eq!((&first["outcome"], &first["case"]["passengers"]), (&json!("executed"), &json!([2])), "{first}");
        let again = refund("first", ("offerId", offer));
        assert_eq!((&again["ok"], &again["case"]["id"]), (&json!(true), &first["case"]["id"]), "{again}");
        let same = refund("same", ("passengers", json!([2, 3])));
        assert_eq!(same["error"]["code"], "conflict", "{same}");
        let other = refund("other", ("passengers", json!([3])));
        assert_eq!((&other["outcome"], fixture.executed("refund")), (&json!("executed"), 2), "{other}");
    }
}

#[test]
fn an_offer_for_somebody_who_is_not_in_the_order_is_refused() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(2));
    let offer = fixture.offer_here(&order, 1);
    let gone = json!({"paxTicketInfos": [{"name": "SOMEBODY/ELSE", "passengerType": 0, "birthday": "19900101"}]});
    fixture.vendor.fault(json!({"endpoint": "queryOrderDetails", "mode": "reply", "times": 0, "body": gone})).unwrap();
    let mut request = open("refund", &order, "k");
    request["offerId"] = offer;
    let reply = fixture.call("case.open", request);
    assert_eq!((&reply["error"]["code"], fixture.sent("refund")), (&json!("guard_passengers"), 0), "{reply}");
}
