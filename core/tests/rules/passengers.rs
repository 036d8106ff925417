//! Passengers: by name or position, disjoint refunds at once, and what is refused before money moves.

use serde_json::{Value, json};

use crate::fixture::Fixture;
use crate::vendor_state::{asked_for_long, reconcile};

fn order(fixture: &Fixture, passengers: Value) -> Value {
    fixture.vendor.create_order(json!({"passengers": passengers, "paymentMethod": 1, "airline": "Y4"})).unwrap()
}

fn refund(order: &Value, key: &str, passengers: Value) -> Value {
    json!({"kind": "refund", "orderNo": order["orderNo"], "key": key, "passengers": passengers})
}

#[test]
fn a_name_and_its_position_are_the_same_content() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(3));
    let name = Fixture::name(&order, 1).to_lowercase();
    let first = fixture.call("case.open", refund(&order, "k", json!([format!("{name} mr")])));
    assert_eq!((&first["ok"], fixture.sent("refund")), (&json!(true), 1), "{first}");
    let again = fixture.call("case.open", refund(&order, "k", json!([2])));
    assert_eq!(again["case"]["id"], first["case"]["id"], "{again}");
    let other = fixture.call("case.open", refund(&order, "k", json!([1])));
    assert_eq!((&other["error"]["code"], fixture.sent("refund")), (&json!("key_reused"), 1), "{other}");
}

#[test]
fn naming_everybody_is_the_same_as_null() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(2));
    let first = fixture.call("case.open", refund(&order, "k", json!([2, 1])));
    let again = fixture.call("case.open", refund(&order, "k", Value::Null));
    assert_eq!(again["case"]["id"], first["case"]["id"], "{again}");
    assert_eq!(fixture.sent("refund"), 1);
}

#[test]
fn a_missing_passenger_and_a_wrong_position_are_refused_without_a_name() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(2));
    for (key, passengers) in [("a", json!(["NOBODY/HERE"])), ("b", json!([3]))] {
        let reply = fixture.call("case.open", refund(&order, key, passengers));
        assert_eq!(reply["error"]["code"], "guard_passengers", "{reply}");
        assert_eq!((&reply["case"]["final"], &reply["case"]["state"]), (&json!(true), &json!("refused")), "{reply}");
        let message = reply["error"]["message"].as_str().unwrap();
        assert!(message.contains("1 adult") && !message.contains(&Fixture::name(&order, 0)), "{message}");
    }
    // A refused case holds nothing.
    let reply = fixture.call("case.open", refund(&order, "c", json!([1])));
    assert_eq!((&reply["ok"], fixture.sent("refund")), (&json!(true), 1), "{reply}");
}

#[test]
fn no_child_and_no_infant_is_left_without_an_adult() {
    for (profile, kind) in
        [("infantAlone=refused", "CHD"), ("infantAlone=allowed", "CHD"), ("infantAlone=allowed", "INF")]
    {
        left_without_an_adult(profile, kind);
    }
}

fn left_without_an_adult(profile: &str, kind: &str) {
    let fixture = Fixture::new(profile);
    let order = order(&fixture, json!(["ADT", "ADT", kind]));
    let both = fixture.call("case.open", refund(&order, "both", json!([1, 2])));
    assert_eq!((&both["error"]["code"], fixture.sent("refundQuotation")), (&json!("guard_passengers"), 0), "{both}");
    let one = fixture.call("case.open", refund(&order, "one", json!([1])));
    assert_eq!(one["ok"], true, "{one}");
    // The first adult has a refund already.
    let two = fixture.call("case.open", refund(&order, "two", json!([2])));
    assert_eq!((&two["error"]["code"], fixture.sent("refund")), (&json!("guard_passengers"), 1), "{two}");
}

/// Whether the vendor allows it or not, and with whatever code it refuses.
#[test]
fn a_second_refund_for_others_is_its_own_or_refused() {
    for quotation in ["quoteAfterRefund=803", "quoteAfterRefund=0"] {
        for code in ["816", "814", "803", "817", "818"] {
            for list in ["list", "810"] {
                let rest = format!("{quotation},secondSubmit={code},refundQueryWithoutCode={list}");
                for second in ["allowed", "refused"] {
                    second_refund(&format!("secondRefund={second},{rest}"), second == "allowed");
                }
            }
        }
    }
}

fn second_refund(profile: &str, allowed: bool) {
    let fixture = Fixture::new(profile);
    let order = order(&fixture, json!(2));
    let first = fixture.call("case.open", refund(&order, "a", json!([1])));
    assert_eq!(first["outcome"], "executed", "{profile}: {first}");
    let second = fixture.call("case.open", refund(&order, "b", json!([2])));
    let outcome = second["outcome"].as_str().unwrap();
    match allowed {
        true => assert_eq!((outcome, fixture.executed("refund")), ("executed", 2), "{profile}: {second}"),
        // Never executed: the vendor has made one.
        false => assert!(outcome != "executed" && fixture.executed("refund") == 1, "{profile}: {second}"),
    }
}

#[test]
fn a_quotation_for_others_than_those_asked_for_is_refused() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(2));
    let name = Fixture::name(&order, 0);
    let tickets = json!({"refundTickets": [{"name": name}, {"name": Fixture::name(&order, 1)}]});
    fixture.vendor.fault(json!({"endpoint": "refundQuotation", "mode": "reply", "body": tickets})).unwrap();
    let reply = fixture.call("case.open", refund(&order, "k", json!([name])));
    assert_eq!((&reply["error"]["code"], fixture.sent("refund")), (&json!("guard_passengers"), 0), "{reply}");
}

#[test]
fn disjoint_refunds_may_be_open_at_once_and_every_other_overlap_is_a_conflict() {
    let fixture = Fixture::new("quoteAfterRefund=0");
    let order = order(&fixture, json!(3));
    let first = fixture.call("case.open", refund(&order, "a", json!([1])));
    assert_eq!((&first["ok"], &first["case"]["final"]), (&json!(true), &json!(false)), "{first}");
    let all = json!({"kind": "refund", "orderNo": order["orderNo"], "key": "all"});
    let void = json!({"kind": "void", "orderNo": order["orderNo"], "key": "void"});
    for overlap in [refund(&order, "b", json!([2, 1])), all, void] {
        let reply = fixture.call("case.open", overlap);
        assert_eq!(reply["error"]["code"], "conflict", "{reply}");
    }
    let second = fixture.call("case.open", refund(&order, "c", json!([2])));
    assert_ne!(second["error"]["code"], "conflict", "{second}");
}

#[test]
fn passengers_belong_to_some_kinds_only_and_are_never_an_empty_list() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(2));
    for kind in ["void", "cancel", "stop", "regenerate"] {
        let open = json!({"kind": kind, "orderNo": order["orderNo"], "key": kind, "passengers": [1]});
        assert_eq!(fixture.call("case.open", open)["error"]["code"], "bad_request", "{kind}");
    }
    let empty = fixture.call("case.open", refund(&order, "k", json!([])));
    assert_eq!(empty["error"]["code"], "bad_request", "{empty}");
    let zero = fixture.call("case.open", refund(&order, "k", json!([0])));
    assert_eq!(zero["error"]["code"], "bad_request", "{zero}");
    let plan = fixture.call("case.plan", json!({"orderNo": order["orderNo"], "passengers": []}));
    assert_eq!(plan["error"]["code"], "bad_request", "{plan}");
}

#[test]
fn a_plan_for_some_passengers_shows_no_void() {
    let fixture = Fixture::new("default");
    let order = order(&fixture, json!(2));
    let plan = fixture.call("case.plan", json!({"orderNo": order["orderNo"], "passengers": [2]}));
    assert_eq!((&plan["data"]["void"], &plan["data"]["refund"]["possible"]), (&Value::Null, &json!(true)), "{plan}");
    assert_eq!(fixture.sent("voidQuotation"), 0);
}

/// 16 at once on one order: no passenger is refunded twice, whoever wins; and all come to an end.
#[test]
fn racers_on_one_order_have_one_winner_per_passenger() {
    let fixture = Fixture::new("quoteAfterRefund=0");
    let order = order(&fixture, json!(6));
    let sets: Vec<Vec<usize>> =
        (0..16).map(|n| if n % 3 == 0 { vec![n % 6 + 1, (n + 2) % 6 + 1] } else { vec![n % 6 + 1] }).collect();
    let replies: Vec<Value> = std::thread::scope(|scope| {
        let racers: Vec<_> = sets
            .iter()
            .enumerate()
            .map(|(n, set)| {
                let open = refund(&order, &format!("k{n}"), json!(set));
                let fixture = &fixture;
                scope.spawn(move || fixture.call("case.open", open))
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    let holders = |passenger: usize| {
        let is_winner = |n: &usize| {
            sets[*n].contains(&passenger)
                && replies[*n]["case"]["final"] == false
                && replies[*n]["error"]["code"] != "conflict"
        };
        (0..16).filter(is_winner).count()
    };
    for passenger in 1..=6 {
        assert!(holders(passenger) <= 1, "{passenger}: {replies:?}");
    }
    assert!((1..=6).any(|passenger| holders(passenger) == 1), "{replies:?}");
}

#[test]
fn after_the_passengers_of_an_order_changed_a_position_is_refused_and_a_name_is_not() {
    for after in ["gone", "reordered"] {
        let fixture = Fixture::new(&format!("quoteAfterRefund=0,passengersAfterRefund={after}"));
        let order = order(&fixture, json!(3));
        let first = fixture.call("case.open", refund(&order, "a", json!([1])));
        assert_eq!(first["outcome"], "executed", "{first}");
        let by_position = fixture.call("case.open", refund(&order, "b", json!([2])));
        assert_eq!(by_position["error"]["code"], "guard_passengers", "{after}: {by_position}");
        let by_name = fixture.call("case.open", refund(&order, "c", json!([Fixture::name(&order, 1)])));
        assert_eq!(
            (&by_name["outcome"], &by_name["case"]["passengers"]),
            (&json!("executed"), &json!([2])),
            "{by_name}"
        );
        // A bound case is answered from the store, whatever the order shows.
        let again = fixture.call("case.open", refund(&order, "a", json!([1])));
        assert_eq!(again["case"]["id"], first["case"]["id"], "{again}");
        assert_eq!(fixture.executed("refund"), 2);
    }
}

#[test]
fn a_quotation_of_everybody_does_not_serve_some() {
    let fixture = Fixture::new("subsetQuote=all");
    let order = order(&fixture, json!(2));
    let some = fixture.call("case.open", refund(&order, "some", json!([1])));
    assert_eq!((&some["error"]["code"], fixture.sent("refund")), (&json!("guard_passengers"), 0), "{some}");
    let all = fixture.call("case.open", refund(&order, "all", Value::Null));
    assert_eq!((&all["outcome"], fixture.executed("refund")), (&json!("executed"), 1), "{all}");
}

/// A refund of two of three passengers that was given up.
fn given_up(fixture: &Fixture) -> (Value, Value) {
    let order = order(fixture, json!(3));
    fixture.vendor.fault(json!({"endpoint": "refund", "mode": "drop_before"})).unwrap();
    fixture.call("case.open", refund(&order, "first", json!([1, 2])));
    let given_up = asked_for_long(fixture, "first");
    assert_eq!(given_up["outcome"], "not_executed", "{given_up}");
    (order, given_up["case"]["id"].clone())
}

#[test]
fn after_a_case_that_was_given_up_each_overlapping_case_names_it() {
    let fixture = Fixture::new("refundQueryWithoutCode=list");
    let (order, first) = given_up(&fixture);
    let open = |key: &str, passenger: u32, after: &Value| {
        let mut request = refund(&order, key, json!([passenger]));
        if !after.is_null() {
            request["after"] = after.clone();
        }
        fixture.call("case.open", request)
    };
    let conflict = |reply: &Value| {
        assert_eq!((&reply["error"]["code"], &reply["case"]["id"]), (&json!("conflict"), &first), "{reply}");
    };
    conflict(&open("a", 2, &Value::Null));
    let one = open("b", 1, &first);
    assert_eq!(one["outcome"], "executed", "{one}");
    // That one case named it frees it for nobody else.
    conflict(&open("c", 2, &Value::Null));
    let three = open("d", 3, &Value::Null);
    assert_eq!(three["outcome"], "executed", "{three}");
    let two = open("e", 2, &first);
    assert_eq!((&two["outcome"], fixture.executed("refund")), (&json!("executed"), 3), "{two}");
}

#[test]
fn a_case_opened_after_one_that_shows_up_executed_sends_nothing_more() {
    let fixture = Fixture::new("refundQueryWithoutCode=list,quoteAfterRefund=0");
    let (order, first) = given_up(&fixture);
    let mut request = refund(&order, "second", json!([1]));
    request["after"] = first.clone();
    fixture.vendor.fault(json!({"endpoint": "refund", "mode": "rate_limit", "delayMs": 1000})).unwrap();
    let paced = fixture.call("case.open", request.clone());
    assert_eq!(paced["case"]["state"], "planned", "{paced}");
    let entry = json!({"orderNo": order["orderNo"], "refundOfferId": fixture.call("case.get", json!({"id": first}))["case"]["offerId"],
        "refundCode": "202603-0009", "refundStatus": 0});
    let shown = json!({"refundOrders": [entry]});
    fixture.vendor.fault(json!({"endpoint": "queryRefundOrders", "mode": "reply", "body": shown, "times": 0})).unwrap();
    let found = reconcile(&fixture, "first", "10m");
    assert_eq!((&found["outcome"], &found["case"]["reopened"]), (&json!("executed"), &json!(true)), "{found}");
    fixture.vendor.clear_faults().unwrap();
    request.as_object_mut().unwrap().remove("after");
    let again = fixture.call("case.open", request);
    assert_eq!((&again["error"]["code"], fixture.executed("refund")), (&json!("guard_not_refundable"), 0), "{again}");
}
