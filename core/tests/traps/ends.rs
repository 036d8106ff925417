//! How cases come to the right end: by an answer that was kept, by a human, and without waiting for each other.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::stage::Stage;

/// The answer is in the store, and whoever was to judge it is gone (here its lease is taken away; a kill between the
/// two leaves the same): the next one reads what was kept.
#[test]
fn a_kept_reply_settles_the_case() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"state": "cancelled"}));
    stage.vendor.fault(json!({"endpoint": "regenerateOrder", "mode": "delay", "delayMs": 1500})).unwrap();
    let second = Stage::client(&stage.vendor, &stage.file, &json!({}));
    let request = json!({"kind": "regenerate", "orderNo": order, "key": "k"}).to_string();
    thread::scope(|scope| {
        let first = scope.spawn(|| stage.client.call("case.open", &request, "").json().to_owned());
        thread::sleep(Duration::from_millis(500));
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
    assert_eq!(stage.sent("regenerateOrder"), 1);
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
    let evidence = json!({"text": "the vendor's support says so", "code": "202603-0001"});
    let told =
        stage.call("case.resolve", json!({"id": case["id"], "as": "executed", "by": "desk", "evidence": evidence}));
    assert_eq!((&told["case"]["outcome"], &told["case"]["final"]), (&json!("executed"), &json!(false)), "{told}");
}

/// The stop never arrived and the order failed by itself: nobody can tell that from a stop that worked.
#[test]
fn a_stop_that_never_arrived_of_an_order_that_fails() {
    let stage = Stage::new("default");
    let order = stage.order(json!({"state": "ticketing", "ticketingSeconds": 300, "failWith": 603}));
    stage.vendor.fault(json!({"endpoint": "stopTicket", "mode": "drop_before"})).unwrap();
    let reply = stage.call("case.open", json!({"kind": "stop", "orderNo": order, "key": "k"}));
    assert_eq!(reply["outcome"], "unknown", "{reply}");
    let case = stage.follow(&reply["case"]["id"], "2m", 20);
    assert_eq!((&case["outcome"], stage.executed("stopTicket")), (&json!("unknown"), 0), "{case}");
}

/// The follow-up goes on to the end of one case while another gets answers that make no sense.
#[test]
fn an_odd_case_keeps_nobody_waiting() {
    let stage = Stage::new("default");
    let bag = stage.waiting_bag();
    let order = stage.order(json!({"paymentMethod": 1, "airline": "Y4"}));
    let refund = stage.call("case.open", json!({"kind": "refund", "orderNo": order, "key": "b"}));
    stage.absurd_prices();
    stage.vendor.advance("40m").unwrap();
    stage.call("case.notify", json!({"body": {"orderNo": bag["code"], "type": "order.ticketed"}}));
    for _ in 0..6 {
        stage.vendor.advance("5d").unwrap();
        stage.call("case.follow", json!({"all": true, "until": "step"}));
    }
    let case = stage.call("case.get", json!({"id": refund["case"]["id"]}))["case"].clone();
    assert_eq!(case["state"], "refunded", "{case}");
}
