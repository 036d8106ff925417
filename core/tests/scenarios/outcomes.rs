//! What settles a case besides the answer to its submit: a stored reply, a human; and that one case delays no other.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::fixture::Fixture;

/// The raw reply is in the store, and the process that stored it lost its lease before it could classify the reply (a
/// kill between the two leaves the same rows): the next owner of the lease reads the stored reply.
#[test]
fn a_stored_reply_settles_the_case() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"state": "cancelled"}));
    fixture.vendor.fault(json!({"endpoint": "regenerateOrder", "mode": "delay", "delayMs": 1500})).unwrap();
    let second = Fixture::client(&fixture.vendor, &fixture.file, &json!({}));
    let request = json!({"kind": "regenerate", "orderNo": order, "key": "k"}).to_string();
    thread::scope(|scope| {
        let first = scope.spawn(|| fixture.client.call("case.open", &request, "").json().to_owned());
        thread::sleep(Duration::from_millis(500));
        rusqlite::Connection::open(&fixture.file).unwrap().execute("UPDATE cases SET lease_until = 1", []).unwrap();
        second.call("case.reconcile", r#"{"key":"k"}"#, "").json();
        first.join().unwrap();
    });
    let stored: Vec<u8> = rusqlite::Connection::open(&fixture.file)
        .unwrap()
        .query_row("SELECT body FROM replies", [], |r| r.get(0))
        .unwrap();
    let stored = String::from_utf8_lossy(&stored).into_owned();
    assert!(stored.contains("\"orderNo\"") && stored.contains("\"status\":0"), "{stored}");
    let case = fixture.call("case.reconcile", json!({"key": "k"}))["case"].clone();
    assert_eq!(case["state"], "awaiting_payment", "{case}");
    assert_eq!(fixture.sent("regenerateOrder"), 1);
}

/// Absence is evidence; the word of the vendor's support outweighs it.
#[test]
fn a_given_up_case_can_be_resolved_as_executed() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"airline": "Y4", "paymentMethod": 1}));
    fixture.vendor.fault(json!({"endpoint": "void", "mode": "drop_before"})).unwrap();
    let reply = fixture.call("case.open", json!({"kind": "void", "orderNo": order, "key": "k"}));
    let case = fixture.follow(&reply["case"]["id"], "40s", 10);
    assert_eq!(case["outcome"], "not_executed", "{case}");
    let evidence = json!({"text": "the vendor's support says so", "code": "202603-0001"});
    let resolved = fixture
        .call("case.resolve", json!({"id": case["id"], "as": "executed", "by": "operator", "evidence": evidence}));
    assert_eq!(
        (&resolved["case"]["outcome"], &resolved["case"]["final"]),
        (&json!("executed"), &json!(false)),
        "{resolved}"
    );
}

/// The stop did not arrive and the ticketing failed for another reason: the order looks as after an executed stop.
#[test]
fn a_lost_stop_of_an_order_whose_ticketing_fails_stays_unknown() {
    let fixture = Fixture::new("default");
    let order = fixture.order(json!({"state": "ticketing", "ticketingSeconds": 300, "failWith": 603}));
    fixture.vendor.fault(json!({"endpoint": "stopTicket", "mode": "drop_before"})).unwrap();
    let reply = fixture.call("case.open", json!({"kind": "stop", "orderNo": order, "key": "k"}));
    assert_eq!(reply["outcome"], "unknown", "{reply}");
    let case = fixture.follow(&reply["case"]["id"], "2m", 20);
    assert_eq!((&case["outcome"], fixture.executed("stopTicket")), (&json!("unknown"), 0), "{case}");
}

/// One case gets amounts that cannot be added up; the follow-up takes the other to its final state.
#[test]
fn unreadable_answers_for_one_case_delay_no_other_case() {
    let fixture = Fixture::new("default");
    let ancillary = fixture.unpaid_ancillary();
    let order = fixture.order(json!({"paymentMethod": 1, "airline": "Y4"}));
    let refund = fixture.call("case.open", json!({"kind": "refund", "orderNo": order, "key": "b"}));
    fixture.overflowing_prices();
    fixture.vendor.advance("40m").unwrap();
    fixture.call("case.notify", json!({"body": {"orderNo": ancillary["code"], "type": "order.ticketed"}}));
    for _ in 0..6 {
        fixture.vendor.advance("5d").unwrap();
        fixture.call("case.follow", json!({"all": true, "until": "step"}));
    }
    let case = fixture.call("case.get", json!({"id": refund["case"]["id"]}))["case"].clone();
    assert_eq!(case["state"], "refunded", "{case}");
}
