//! Passengers: by name or position, disjoint refunds at once, and what is refused before money moves.

use serde_json::{Value, json};

use crate::fixture::Fixture;

fn order(fixture: &Fixture, passengers: Value) -> Value {
    fixture.vendor.create_order(json!({"passengers": passengers, "paymentMethod": 1, "airline": "Y4"})).unwrap()
}

fn refund(order: &Value, key: &str, passengers: Value) -> Value {
    json!({"kind": "refund", "orderNo": order["orderNo"], "key": key, "passengers": passengers})
}

/// The request of a direct refundQuotation for one passenger.
fn quotation(order: &Value, passenger: usize) -> Value {
    let p = &order["passengers"][passenger];
    let segment = |s: &Value| {
        let keys = ["depDate", "flightNo", "depAirport", "arrAirport"];
        Value::from_iter(keys.map(|key| (key, s[key].clone())))
    };
    let segments: Vec<Value> = order["segments"].as_array().unwrap().iter().map(segment).collect();
    let list = json!([{
        "lastName": p["lastName"], "firstName": p["firstName"], "refundReason": "1", "segments": segments,
    }]);
    json!({"orderNo": order["orderNo"], "refundRequestList": list})
}

/// Each refund at the vendor, by the names on its tickets. Needs refundQueryWithoutCode=list.
fn refunded(fixture: &Fixture, order: &Value) -> Vec<Vec<String>> {
    let list = fixture.outside("queryRefundOrders", json!({"orderNo": order["orderNo"]}));
    let names = |entry: &Value| {
        let tickets = entry["refundTickets"].as_array().unwrap().iter();
        tickets.map(|t| format!("{}/{}", t["lastName"].as_str().unwrap(), t["firstName"].as_str().unwrap())).collect()
    };
    list["data"]["refundOrders"].as_array().unwrap().iter().map(names).collect()
}

fn is_guarded(fixture: &Fixture, reply: &Value) {
    assert_eq!(reply["error"]["code"], "guard_passengers", "{reply}");
    assert_eq!((&reply["error"]["status"], &reply["outcome"]), (&json!(-62), &json!("not_executed")), "{reply}");
    assert_eq!(reply["case"]["state"], "refused", "{reply}");
    assert_eq!(
        fixture.vendor.ledger().iter().filter(|r| r["endpoint"] == "refund").count(),
        fixture.executed("refund")
    );
}

const LIST: &str = "refundQueryWithoutCode=list";

#[test]
fn a_name_and_its_position_are_the_same_content() {
    let fixture = Fixture::new(LIST);
    let order = order(&fixture, json!(3));
    let name = Fixture::name(&order, 1);
    let first = fixture.call("case.open", refund(&order, "k", json!([format!("{} mr", name.to_lowercase())])));
    assert_eq!((&first["ok"], &first["case"]["passengers"]), (&json!(true), &json!([2])), "{first}");
    let (last, given) = name.split_once('/').unwrap();
    for same in [json!([2]), json!([2, 2]), json!([name, 2]), json!([{"lastName": last, "firstName": given}])] {
        let again = fixture.call("case.open", refund(&order, "k", same));
        assert_eq!((&again["ok"], &again["case"]["id"]), (&json!(true), &first["case"]["id"]), "{again}");
    }
    for other in [json!([1]), json!([1, 2]), Value::Null, json!(["NOBODY/HERE"])] {
        let other = fixture.call("case.open", refund(&order, "k", other));
        assert_eq!((&other["error"]["code"], &other["case"]["id"]), (&json!("key_reused"), &first["case"]["id"]));
    }
    assert_eq!((refunded(&fixture, &order), fixture.sent("refund")), (vec![vec![name]], 1));
}

#[test]
fn the_keys_of_a_case_have_the_passengers_between_order_and_offer() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(2));
    let reply = fixture.client.call("case.open", &refund(&order, "k", json!([1])).to_string(), "");
    assert!(reply.json().contains(r#","passengers":[1],"offerId":"q_"#), "{}", reply.json());
    let all = fixture.call("case.open", json!({"kind": "void", "orderNo": order["orderNo"], "key": "v"}));
    assert_eq!(all["error"]["code"], "conflict", "{all}");
    let name = Fixture::name(&order, 0);
    let bytes = std::fs::read(&fixture.file).unwrap();
    let log = std::fs::read(format!("{}-wal", fixture.file.display())).unwrap_or_default();
    for (part, kept) in [("file", bytes), ("log", log)] {
        for word in name.split('/').chain([name.as_str()]) {
            assert!(!kept.windows(word.len()).any(|w| w == word.as_bytes()), "{part} has {word}");
        }
    }
}

#[test]
fn naming_everybody_is_the_same_as_null() {
    let fixture = Fixture::new("default");
    for (key, first, again) in [("a", json!([2, 1]), Value::Null), ("b", Value::Null, json!([1, 2]))] {
        let order = order(&fixture, json!(2));
        let first = fixture.call("case.open", refund(&order, key, first));
        assert_eq!((&first["ok"], &first["case"]["passengers"]), (&json!(true), &Value::Null), "{first}");
        let again = fixture.call("case.open", refund(&order, key, again));
        assert_eq!((&again["ok"], &again["case"]["id"]), (&json!(true), &first["case"]["id"]), "{again}");
    }
    assert_eq!(fixture.executed("refund"), 2);
}

#[test]
fn a_missing_passenger_and_a_wrong_position_are_refused_and_the_order_is_listed_without_names() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(["ADT", "CHD"]));
    for (key, passengers) in [("a", json!(["NOBODY/HERE"])), ("b", json!([3])), ("c", json!([1, "NOBODY/HERE"]))] {
        let reply = fixture.call("case.open", refund(&order, key, passengers));
        is_guarded(&fixture, &reply);
        let listed: Vec<&Value> = reply["error"]["details"].as_array().unwrap().iter().map(|d| &d["message"]).collect();
        assert_eq!(listed, ["1 adult", "2 child"], "{reply}");
        assert!(!reply.to_string().contains(&Fixture::name(&order, 0)), "{reply}");
        assert_eq!((&reply["case"]["final"], &reply["case"]["steps"]), (&json!(true), &json!([])), "{reply}");
    }
    // Nothing is bound and nothing held.
    let reply = fixture.call("case.open", refund(&order, "a", json!([2])));
    assert_eq!((&reply["ok"], fixture.executed("refund")), (&json!(true), 1), "{reply}");
    assert_eq!(reply["warnings"][0]["code"], "amended", "{reply}");
}

#[test]
fn no_child_and_no_infant_is_left_without_an_adult() {
    for profile in ["infantAlone=refused", "infantAlone=allowed", "infantAlone=allowed,passengersAfterRefund=gone"] {
        let fixture = Fixture::new(profile);
        let order = order(&fixture, json!(["ADT", "ADT", "CHD", "INF"]));
        is_guarded(&fixture, &fixture.call("case.open", refund(&order, "adults", json!([1, 2]))));
        is_guarded(&fixture, &fixture.call("case.open", refund(&order, "with infant", json!([1, 2, 4]))));
        let plan = fixture.call("case.plan", json!({"orderNo": order["orderNo"], "passengers": [1, 2]}));
        assert_eq!(plan["error"]["code"], "guard_passengers", "{plan}");
        let one = fixture.call("case.open", refund(&order, "one", json!([Fixture::name(&order, 0)])));
        assert_eq!(one["ok"], true, "{one}");
        // The first adult has a refund already.
        is_guarded(&fixture, &fixture.call("case.open", refund(&order, "two", json!([Fixture::name(&order, 1)]))));
        let children = json!([Fixture::name(&order, 3), Fixture::name(&order, 2)]);
        let children = fixture.call("case.open", refund(&order, "children", children));
        assert_eq!((&children["ok"], fixture.executed("refund")), (&json!(true), 2), "{profile}: {children}");
        // Now nobody is left who needs the second one.
        let two = fixture.call("case.open", refund(&order, "two", json!([Fixture::name(&order, 1)])));
        assert_eq!((&two["ok"], fixture.executed("refund")), (&json!(true), 3), "{profile}: {two}");
    }
}

#[test]
fn more_infants_than_adults_are_never_left() {
    let fixture = Fixture::new("infantAlone=allowed");
    let order = order(&fixture, json!(["ADT", "ADT", "INF", "INF"]));
    is_guarded(&fixture, &fixture.call("case.open", refund(&order, "k", json!([1]))));
    let reply = fixture.call("case.open", refund(&order, "k", json!([1, 3])));
    assert_eq!((&reply["ok"], fixture.executed("refund")), (&json!(true), 1), "{reply}");
}

#[test]
fn a_quotation_for_others_than_those_asked_for_is_refused() {
    for passengers in [json!([1, 3]), Value::Null] {
        let fixture = Fixture::new("subsetQuote=true");
        let order = order(&fixture, json!(3));
        is_guarded(&fixture, &fixture.call("case.open", refund(&order, "k", passengers)));
        assert_eq!((fixture.sent("refundQuotation"), fixture.sent("refund")), (1, 0));
    }
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(2));
    let tickets = json!({"refundTickets": [{"name": Fixture::name(&order, 0)}, {"name": Fixture::name(&order, 1)}]});
    fixture.vendor.fault(json!({"endpoint": "refundQuotation", "mode": "reply", "body": tickets})).unwrap();
    is_guarded(&fixture, &fixture.call("case.open", refund(&order, "k", json!([1]))));
    assert_eq!(fixture.sent("refund"), 0);
}

#[test]
fn names_are_compared_folded() {
    let fixture = Fixture::new(LIST);
    let order = order(&fixture, json!([{"name": "O'BRIEN-WEIß/SEÁN MR"}, {"name": "王/小明"}]));
    let first = fixture.call("case.open", refund(&order, "a", json!(["obrienweiss/sean"])));
    assert_eq!((&first["ok"], &first["case"]["passengers"]), (&json!(true), &json!([1])), "{first}");
    let second = fixture.call("case.open", refund(&order, "b", json!(["王/小明"])));
    assert_eq!((&second["ok"], &second["case"]["passengers"]), (&json!(true), &json!([2])), "{second}");
    assert_eq!(refunded(&fixture, &order), [["O'BRIEN-WEIß/SEÁN MR"], ["王/小明"]]);
}

#[test]
fn two_of_one_name_are_refused_unless_both_are_asked_for_or_the_tickets_tell() {
    let twins = json!([{"name": "DOE/JO"}, {"name": "DOE/JO MSTR", "passengerType": 1}, {"name": "ROE/AL"}]);
    let fixture = Fixture::new(LIST);
    let named = order(&fixture, twins.clone());
    is_guarded(&fixture, &fixture.call("case.open", refund(&named, "one", json!(["DOE/JO"]))));
    let both = fixture.call("case.open", refund(&named, "both", json!(["DOE/JO", "DOE/JO"])));
    assert_eq!((&both["ok"], &both["case"]["passengers"]), (&json!(true), &json!([1, 2])), "{both}");
    assert_eq!(refunded(&fixture, &named), [["DOE/JO", "DOE/JO MSTR"]]);

    let counted = order(&fixture, twins.clone());
    let two = json!({"refundTickets": [{"name": "DOE/JO"}, {"name": "DOE/JO MSTR"}]});
    fixture.vendor.fault(json!({"endpoint": "refundQuotation", "mode": "reply", "body": two})).unwrap();
    is_guarded(&fixture, &fixture.call("case.open", refund(&counted, "second", json!([2]))));
    let second = fixture.call("case.open", refund(&counted, "second", json!([2])));
    assert_eq!((&second["ok"], &second["case"]["passengers"]), (&json!(true), &json!([2])), "{second}");
    assert_eq!(refunded(&fixture, &counted), [["DOE/JO MSTR"]]);

    // An order of baggage has no tickets that tell.
    let bags = order(&fixture, twins);
    let mut buy = fixture.ancillary(bags["orderNo"].as_str().unwrap(), "bags");
    buy["passengers"] = json!([2]);
    is_guarded(&fixture, &fixture.call("case.open", buy.clone()));
    buy["passengers"] = json!([3]);
    let bought = fixture.call("case.open", buy);
    assert_eq!(bought["case"]["state"], "awaiting_payment", "{bought}");
    assert_eq!(bought["case"]["passengers"], json!([3]), "{bought}");
}

#[test]
fn positions_count_the_order_as_it_was_first_read() {
    for (profile, stays) in [("stay", true), ("gone", false), ("reordered", false)] {
        let fixture = Fixture::new(&format!("{LIST},passengersAfterRefund={profile}"));
        let order = order(&fixture, json!(3));
        let name = |at: usize| Fixture::name(&order, at);
        let first = fixture.call("case.open", refund(&order, "a", json!([1])));
        assert_eq!(first["ok"], true, "{first}");
        let second = fixture.call("case.open", refund(&order, "b", json!([2])));
        if stays {
            assert_eq!(second["ok"], true, "{second}");
        } else {
            is_guarded(&fixture, &second);
            let listed = second["error"]["details"].as_array().unwrap();
            assert_eq!(listed.len(), if profile == "gone" { 2 } else { 3 }, "{second}");
            let second = fixture.call("case.open", refund(&order, "b", json!([name(1)])));
            // The position is that of the first reading all the same.
            assert_eq!((&second["ok"], &second["case"]["passengers"]), (&json!(true), &json!([2])), "{second}");
        }
        assert_eq!(refunded(&fixture, &order), [[name(0)], [name(1)]], "{profile}");
        // A bound case is answered from the store, whatever the order shows.
        for passengers in [json!([1]), json!([name(0)])] {
            let again = fixture.call("case.open", refund(&order, "a", passengers));
            assert_eq!((&again["ok"], &again["case"]["id"]), (&json!(true), &first["case"]["id"]), "{again}");
        }
        assert_eq!(fixture.sent("refund"), 2, "{profile}");
    }
}

/// What the caller saw is what positions count: also where it was not a case that read the order.
#[test]
fn a_direct_reading_of_the_order_is_the_first() {
    let fixture = Fixture::new(&format!("{LIST},passengersAfterRefund=reordered"));
    let order = order(&fixture, json!(3));
    fixture.call("queryOrderDetails", json!({"orderNo": order["orderNo"]}));
    fixture.refund_outside(&order, 0);
    is_guarded(&fixture, &fixture.call("case.open", refund(&order, "k", json!([3]))));
    assert_eq!(refunded(&fixture, &order).len(), 1);
}

#[test]
fn disjoint_refunds_may_be_open_at_once_and_every_other_overlap_is_a_conflict() {
    let fixture = Fixture::new(LIST);
    let order = order(&fixture, json!(3));
    let first = fixture.call("case.open", refund(&order, "a", json!([1])));
    assert_eq!((&first["ok"], &first["case"]["final"]), (&json!(true), &json!(false)), "{first}");
    let kind = |kind: &str| json!({"kind": kind, "orderNo": order["orderNo"], "key": kind});
    let mut buy = fixture.ancillary(order["orderNo"].as_str().unwrap(), "bags");
    buy["passengers"] = json!([2]);
    for overlap in [refund(&order, "b", json!([2, 1])), kind("refund"), kind("void"), kind("cancel"), buy] {
        let reply = fixture.call("case.open", overlap);
        assert_eq!(
            (&reply["error"]["code"], &reply["case"]["id"]),
            (&json!("conflict"), &first["case"]["id"]),
            "{reply}"
        );
    }
    let second = fixture.call("case.open", refund(&order, "c", json!([2])));
    assert_eq!(second["ok"], true, "{second}");
    let names = [[Fixture::name(&order, 0)], [Fixture::name(&order, 1)]];
    assert_eq!((refunded(&fixture, &order), fixture.sent("refund")), (names.map(Vec::from).to_vec(), 2));
    assert_eq!((fixture.sent("void"), fixture.sent("postBookingAncillaryOrder")), (0, 0));
}

#[test]
fn everybody_overlaps_with_each() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(3));
    let void = fixture.call("case.open", json!({"kind": "void", "orderNo": order["orderNo"], "key": "v"}));
    assert_eq!((&void["ok"], &void["case"]["final"]), (&json!(true), &json!(false)), "{void}");
    let reply = fixture.call("case.open", refund(&order, "k", json!([2])));
    assert_eq!((&reply["error"]["code"], fixture.sent("refund")), (&json!("conflict"), 0), "{reply}");
}

#[test]
fn a_direct_refund_holds_everybody_unless_its_offer_is_remembered() {
    for known in [true, false] {
        let fixture = Fixture::new(LIST);
        let order = order(&fixture, json!(3));
        if known {
            fixture.call("queryOrderDetails", json!({"orderNo": order["orderNo"]}));
        }
        let quote = fixture.call("refundQuotation", quotation(&order, 0));
        let offer = &quote["data"]["refundOfferId"];
        let direct = fixture.call("refund", json!({"orderNo": order["orderNo"], "refundOfferId": offer}));
        assert_eq!(direct["outcome"], "executed", "{direct}");
        assert_eq!(direct["case"]["passengers"], if known { json!([1]) } else { Value::Null }, "{direct}");
        let same = fixture.call("case.open", refund(&order, "a", json!([1])));
        assert_eq!(same["error"]["code"], "conflict", "{same}");
        let other = fixture.call("case.open", refund(&order, "b", json!([2])));
        let expected = if known { (json!(true), 2) } else { (json!(false), 1) };
        assert_eq!((other["ok"].clone(), fixture.sent("refund")), expected, "{other}");
        assert_eq!(refunded(&fixture, &order).len(), expected.1);
    }
    // And the other way: some are held, and nobody knows whom the direct one is for.
    let fixture = Fixture::new(LIST);
    let order = order(&fixture, json!(3));
    let first = fixture.call("case.open", refund(&order, "a", json!([1])));
    assert_eq!(first["ok"], true, "{first}");
    let list = quotation(&order, 1);
    let direct = fixture.call("refund", list);
    assert_eq!((&direct["error"]["code"], fixture.sent("refund")), (&json!("conflict"), 1), "{direct}");
}

#[test]
fn an_offer_of_unknown_passengers_holds_everybody() {
    for known in [true, false] {
        let fixture = Fixture::new(LIST);
        let order = order(&fixture, json!(3));
        if known {
            fixture.call("queryOrderDetails", json!({"orderNo": order["orderNo"]}));
        }
        let quote = fixture.call("refundQuotation", quotation(&order, 0));
        let open = json!({
            "kind": "refund", "orderNo": order["orderNo"], "key": "k", "offerId": quote["data"]["refundOfferId"],
        });
        let first = fixture.call("case.open", open.clone());
        assert_eq!(first["ok"], true, "{first}");
        assert_eq!(first["case"]["passengers"], if known { json!([1]) } else { Value::Null }, "{first}");
        let other = fixture.call("case.open", refund(&order, "b", json!([2])));
        assert_eq!((&other["ok"], fixture.sent("refund")), (&json!(known), 1 + usize::from(known)), "{other}");
        let again = fixture.call("case.open", open);
        assert_eq!((&again["ok"], &again["case"]["id"]), (&json!(true), &first["case"]["id"]), "{again}");
    }
}

#[test]
fn passengers_belong_to_some_kinds_only_and_are_never_an_empty_list() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(2));
    for kind in ["void", "cancel", "stop", "regenerate"] {
        for passengers in [json!([1]), json!([])] {
            let open = json!({"kind": kind, "orderNo": order["orderNo"], "key": kind, "passengers": passengers});
            assert_eq!(fixture.call("case.open", open)["error"]["code"], "bad_request", "{kind}");
        }
    }
    for wrong in [json!([]), json!([0]), json!([-1]), json!([1.5]), json!(["DOE"]), json!([null]), json!([{}])] {
        let reply = fixture.call("case.open", refund(&order, "k", wrong.clone()));
        assert_eq!(reply["error"]["code"], "bad_request", "{wrong}: {reply}");
        let plan = fixture.call("case.plan", json!({"orderNo": order["orderNo"], "passengers": wrong}));
        assert_eq!(plan["error"]["code"], "bad_request", "{plan}");
    }
    let mut claim = json!({"kind": "claim", "key": "c", "mmb": {"airlinePnr": "ABCDEF"}, "passengers": [1]});
    assert_eq!(fixture.call("case.open", claim.clone())["error"]["code"], "bad_request");
    claim["passengers"] = json!([]);
    assert_eq!(fixture.call("case.open", claim)["error"]["code"], "bad_request");
    assert_eq!(fixture.vendor.requests().len(), 0);
}

#[test]
fn a_plan_for_some_passengers_shows_no_void() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(2));
    let plan = fixture.call("case.plan", json!({"orderNo": order["orderNo"], "passengers": [2]}));
    assert_eq!((&plan["data"]["void"], &plan["data"]["refund"]["possible"]), (&Value::Null, &json!(true)), "{plan}");
    assert_eq!((&plan["data"]["better"], fixture.sent("voidQuotation")), (&json!("refund"), 0), "{plan}");
    let all = fixture.call("case.plan", json!({"orderNo": order["orderNo"], "passengers": [2, 1], "reason": 0}));
    assert_eq!(all["data"]["void"]["possible"], true, "{all}");
    let missing = fixture.call("case.plan", json!({"orderNo": order["orderNo"], "passengers": [3]}));
    assert_eq!(missing["error"]["code"], "guard_passengers", "{missing}");
    assert_eq!(missing["error"]["details"][1]["message"], "2 adult", "{missing}");
}

#[test]
fn an_order_that_cannot_be_read_leaves_the_case_planned_and_the_same() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(2));
    let name = Fixture::name(&order, 1);
    fixture.vendor.fault(json!({"endpoint": "queryOrderDetails", "mode": "drop_before", "times": 3})).unwrap();
    let first = fixture.call("case.open", refund(&order, "k", json!([name])));
    assert_eq!((&first["outcome"], &first["case"]["state"]), (&json!("pending"), &json!("planned")), "{first}");
    let again = fixture.call("case.open", refund(&order, "k", json!([name])));
    assert_eq!((&again["ok"], &again["warnings"]), (&json!(true), &json!([])), "{again}");
    assert_eq!((&again["case"]["id"], &again["case"]["passengers"]), (&first["case"]["id"], &json!([2])), "{again}");
    assert_eq!(fixture.executed("refund"), 1);
}

#[test]
fn an_order_that_was_read_before_is_not_held_as_a_whole_when_it_cannot_be_read() {
    let fixture = Fixture::new(LIST);
    let order = order(&fixture, json!(3));
    let first = fixture.call("case.open", refund(&order, "a", json!([1])));
    assert_eq!(first["ok"], true, "{first}");
    fixture.vendor.fault(json!({"endpoint": "queryOrderDetails", "mode": "drop_before", "times": 3})).unwrap();
    let planned = fixture.call("case.open", refund(&order, "b", json!([Fixture::name(&order, 1)])));
    assert_eq!(
        (&planned["case"]["state"], &planned["case"]["passengers"]),
        (&json!("planned"), &json!([2])),
        "{planned}"
    );
    let overlap = fixture.call("case.open", refund(&order, "c", json!([2, 3])));
    assert_eq!((&overlap["error"]["code"], fixture.sent("refund")), (&json!("conflict"), 1), "{overlap}");
    let third = fixture.call("case.open", refund(&order, "d", json!([3])));
    assert_eq!((&third["ok"], refunded(&fixture, &order).len()), (&json!(true), 2), "{third}");
}

/// A bound case that a guard refused has given its holds up; its next attempt takes them anew, with its positions.
#[test]
fn the_next_attempt_takes_its_passengers_anew() {
    let fixture = Fixture::new(LIST);
    let refused = |order: &Value, key: &str| {
        let busy = json!({"endpoint": "refund", "mode": "reply", "execute": false, "body": {"status": 905}});
        fixture.vendor.fault(busy).unwrap();
        let paced = fixture.call("case.open", refund(order, key, json!([1])));
        assert_eq!(paced["case"]["state"], "planned", "{paced}");
        fixture.vendor.advance("2m").unwrap();
        let mut open = refund(order, key, json!([1]));
        open["expect"] = json!({"currency": "USD", "minRefund": "100000"});
        let refused = fixture.call("case.open", open);
        assert_eq!((&refused["error"]["code"], &refused["case"]["final"]), (&json!("guard_amount"), &json!(true)));
        let mut open = refund(order, key, json!([1]));
        open["expect"] = json!({});
        open
    };
    let taken = order(&fixture, json!(3));
    let open = refused(&taken, "a");
    let other = fixture.call("case.open", refund(&taken, "b", json!([1, 2])));
    assert_eq!(other["ok"], true, "{other}");
    let again = fixture.call("case.open", open);
    assert_eq!((&again["error"]["code"], refunded(&fixture, &taken).len()), (&json!("conflict"), 1), "{again}");

    let free = order(&fixture, json!(3));
    let open = refused(&free, "c");
    let again = fixture.call("case.open", open);
    assert_eq!((&again["ok"], &again["case"]["passengers"]), (&json!(true), &json!([1])), "{again}");
    let overlap = fixture.call("case.open", refund(&free, "d", json!([1])));
    assert_eq!(overlap["error"]["code"], "conflict", "{overlap}");
    let disjoint = fixture.call("case.open", refund(&free, "e", json!([2])));
    assert_eq!(disjoint["ok"], true, "{disjoint}");
    assert_eq!(refunded(&fixture, &free).len(), 2);
}

/// 16 at once on one order: no passenger is sent twice, whoever wins.
#[test]
fn racers_on_one_order_send_no_passenger_twice() {
    let fixture = Fixture::new(&format!("{LIST},quoteAfterRefund=0"));
    let order = order(&fixture, json!(6));
    let sets: Vec<Vec<usize>> =
        (0..16).map(|n| if n % 3 == 0 { vec![n % 6 + 1, (n + 2) % 6 + 1] } else { vec![n % 6 + 1] }).collect();
    std::thread::scope(|scope| {
        for (n, set) in sets.iter().enumerate() {
            let open = refund(&order, &format!("k{n}"), json!(set));
            let fixture = &fixture;
            scope.spawn(move || fixture.call("case.open", open));
        }
    });
    let mut names: Vec<String> = refunded(&fixture, &order).into_iter().flatten().collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!((names.len(), fixture.sent("refund")), (all, fixture.executed("refund")));
    assert!(all > 0);
}

#[test]
fn a_paced_refund_of_some_asks_nothing_before_its_time_and_keeps_its_hold() {
    let fixture = Fixture::new(LIST);
    let order = order(&fixture, json!(3));
    let busy = json!({"endpoint": "refund", "mode": "reply", "execute": false, "body": {"status": 905}});
    fixture.vendor.fault(busy).unwrap();
    let paced = fixture.call("case.open", refund(&order, "a", json!([1])));
    assert_eq!((&paced["outcome"], &paced["case"]["state"]), (&json!("pending"), &json!("planned")), "{paced}");
    let before = fixture.vendor.requests().len();
    let early = fixture.call("case.open", refund(&order, "a", json!([Fixture::name(&order, 0)])));
    assert_eq!((&early["error"]["status"], fixture.vendor.requests().len()), (&json!(-41), before), "{early}");
    let overlap = fixture.call("case.open", refund(&order, "b", json!([1, 2])));
    assert_eq!(overlap["error"]["code"], "conflict", "{overlap}");
    let disjoint = fixture.call("case.open", refund(&order, "c", json!([3])));
    assert_eq!(disjoint["ok"], true, "{disjoint}");
    fixture.vendor.advance("1m").unwrap();
    let again = fixture.call("case.open", refund(&order, "a", json!([1])));
    assert_eq!((&again["ok"], again["case"]["steps"][0]["attempts"].clone()), (&json!(true), json!(2)), "{again}");
    assert_eq!(refunded(&fixture, &order), [[Fixture::name(&order, 2)], [Fixture::name(&order, 0)]]);
}

/// A guard applies before every new intent: also that of a case which is bound.
#[test]
fn the_next_attempt_is_guarded_too() {
    for by_name in [true, false] {
        let fixture = Fixture::new(&format!("{LIST},infantAlone=allowed,passengersAfterRefund=gone"));
        let order = order(&fixture, json!(["ADT", "ADT", "CHD"]));
        let pause = json!({"endpoint": "refund", "mode": "reply", "execute": false, "body": {"status": 429}});
        fixture.vendor.fault(pause).unwrap();
        let paced = fixture.call("case.open", refund(&order, "a", json!([1])));
        assert_eq!((&paced["case"]["state"], &paced["outcome"]), (&json!("planned"), &json!("pending")), "{paced}");
        // While it is planned, it counts for others.
        is_guarded(&fixture, &fixture.call("case.open", refund(&order, "b", json!([2]))));
        fixture.refund_outside(&order, 1);
        fixture.vendor.advance("2m").unwrap();
        let who = if by_name { json!([Fixture::name(&order, 0)]) } else { json!([1]) };
        let again = fixture.call("case.open", refund(&order, "a", who));
        assert_eq!((&again["error"]["code"], &again["case"]["state"]), (&json!("guard_passengers"), &json!("refused")));
        assert_eq!((refunded(&fixture, &order), fixture.sent("refund")), (vec![vec![Fixture::name(&order, 1)]], 2));
    }
}

#[test]
fn a_purged_refund_of_some_is_answered_from_the_store() {
    let fixture = Fixture::new(&format!("{LIST},passengersAfterRefund=gone"));
    let order = order(&fixture, json!(2));
    let first = fixture.call("case.open", refund(&order, "a", json!([1])));
    let case = fixture.follow(&first["case"]["id"], "5d", 12);
    assert_eq!(case["final"], true, "{case}");
    fixture.vendor.advance("1d").unwrap();
    let purged = fixture.call("case.purge", json!({"olderThan": "0h"}));
    assert_eq!(purged["data"]["purged"], 1, "{purged}");
    let before = fixture.vendor.requests().len();
    let name = Fixture::name(&order, 0);
    for (passengers, code) in [(json!([name]), Value::Null), (json!([2]), json!("key_reused"))] {
        let reply = fixture.call("case.open", refund(&order, "a", passengers));
        assert_eq!(reply["error"]["code"], code, "{reply}");
    }
    assert_eq!((fixture.vendor.requests().len(), fixture.sent("refund")), (before, 1));
}

/// Entries of a list are matched by folded name, and one ticket is one of two who share a name.
#[test]
fn an_entry_is_adopted_only_where_its_names_tell() {
    for (passengers, adopts) in [(json!([1]), true), (json!([2]), false)] {
        let fixture = Fixture::new(&format!("{LIST},quoteAfterRefund=803"));
        let people = json!([{"name": "O'ROE/AL MR"}, {"name": "DOE/JO"}, {"name": "DOE/JO CHD", "passengerType": 1}]);
        let order = order(&fixture, people);
        fixture.refund_outside(&order, usize::from(!adopts));
        let tickets =
            json!([{"lastName": if adopts { "OROE" } else { "DOE" }, "firstName": if adopts { "AL" } else { "JO" }}]);
        let offer = json!({"refundOfferId": "q_other", "refundCode": "c", "refundStatus": 0, "refundTickets": tickets});
        let list = json!({"endpoint": "queryRefundOrders", "mode": "reply", "body": {"refundOrders": [offer]}});
        fixture.vendor.fault(list).unwrap();
        let reply = fixture.call("case.open", refund(&order, "k", passengers));
        assert_eq!(reply["case"]["code"], if adopts { json!("c") } else { Value::Null }, "{reply}");
        assert_eq!(fixture.sent("refund"), 1, "{reply}");
    }
}
