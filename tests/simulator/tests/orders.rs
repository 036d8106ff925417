//! Order queries, maintenance, claims, lists and notifications.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

mod common;

use common::{atlas, void};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;

#[test]
fn a_stop_is_decided_after_eight_minutes() {
    let atlas = atlas("");
    let stopped = atlas.order(json!({"state": "unpaid", "ticketingSeconds": 3600, "fare": 50}));
    let issued = atlas.order(json!({"state": "ticketing", "ticketingSeconds": 3600, "stopOutcome": "issued"}));
    let stop = |order: &Value| atlas.status("/stopTicket.do", json!({"orderNo": order["orderNo"]}));
    assert_ne!(stop(&stopped), 0, "unpaid");
    atlas.ok("/pay.do", json!({"orderNo": stopped["orderNo"], "paymentMethod": 1}));
    assert_eq!((stop(&stopped), stop(&issued)), (0, 0));
    atlas.advance("7m");
    assert_eq!((atlas.state(&stopped["orderNo"]).as_str(), atlas.state(&issued["orderNo"]).as_str()), ("1", "1"));
    assert_eq!(stop(&stopped), 0);
    atlas.advance("1m");
    assert_eq!((atlas.state(&stopped["orderNo"]).as_str(), atlas.state(&issued["orderNo"]).as_str()), ("-3", "2"));
    assert_ne!(stop(&issued), 0);
    assert_eq!(atlas.deposit(), 100_000, "a stopped order costs nothing");
    assert_eq!(atlas.executed("stopTicket"), 2, "a repeated stop has no effect of its own");
}

#[test]
fn an_expired_order_is_regenerated_with_a_new_number_and_price() {
    let atlas = atlas("");
    let expired = atlas.order(json!({"state": "unpaid", "fare": 100, "fareChange": "3.25"}));
    atlas.advance("30m");
    let regenerate = |no: &Value| atlas.call("/regenerateOrder.do", json!({"originalOrderNo": no}));
    let new = regenerate(&expired["orderNo"]);
    assert_eq!(new["status"], 0);
    assert_eq!(new["originalOrderNo"], expired["orderNo"]);
    assert_ne!(new["orderNo"], expired["orderNo"]);
    assert_ne!(new["pnrCode"], expired["pnrCode"]);
    assert_eq!(
        (new["totalPrice"].to_string(), new["tktLimitTime"].as_str()),
        ("103.25".into(), Some("2026-03-02 17:00:00"))
    );
    atlas.ok("/pay.do", json!({"orderNo": new["orderNo"], "paymentMethod": 1}));
    assert_eq!(regenerate(&new["orderNo"])["status"], 314);
    atlas.advance("30s");
    assert_eq!(regenerate(&new["orderNo"])["status"], 314);
    atlas.advance("24h");
    assert_eq!(regenerate(&expired["orderNo"])["status"], 301);
    assert_eq!(atlas.executed("regenerateOrder"), 1);
}

#[test]
fn an_external_pnr_is_claimed_and_extracted() {
    let atlas = atlas("");
    let pnr = atlas.sim.create_pnr(json!({"airline": "AK", "segments": 1})).unwrap();
    let claim = |locator: &Value| {
        let body = json!({
            "mmb": {"airlinePnr": locator, "email": pnr["email"]},
            "passengers": [{"name": pnr["passengers"][0]["name"], "passengerType": 0}],
            "fromSegments": [pnr["segments"][0]],
        });
        atlas.call("/pnr/claim.do", body)
    };
    let extract = |locator: &Value| {
        let body = json!({
            "airlinePnr": locator, "carrier": "AK", "contact": {"email": pnr["email"]},
            "passengers": [{"lastName": "X", "firstName": "Y"}], "routing": {"fromSegments": []},
        });
        atlas.call("/extractPnr.do", body)
    };
    assert_eq!(extract(&pnr["airlinePnr"])["pnrStatus"], "Ticketed");
    let order = claim(&pnr["airlinePnr"]);
    assert_eq!(order["status"], 0);
    assert!(order["orderNo"].as_str().unwrap().starts_with("TESTC"));
    assert_eq!(atlas.state(&order["orderNo"]), "2");
    assert_ne!(claim(&json!("NONE99"))["status"], 0);
    assert_eq!(extract(&json!("NONE99"))["status"], 800);
    let found = atlas.ok("/orderList.do", json!({"airlinePNRs": [pnr["airlinePnr"]]}));
    assert_eq!(found["orders"][0]["orderNo"], order["orderNo"]);
}

#[test]
fn the_atlas_pnr_may_change_when_the_ticket_is_issued() {
    for (value, same) in [("same", true), ("new", false)] {
        let atlas = atlas(&format!("pnrCodeAfterIssue={value}"));
        let order = atlas.order(json!({"state": "ticketing"}));
        atlas.advance("30s");
        let now = atlas.sim.order(order["orderNo"].as_str().unwrap()).unwrap();
        assert_eq!(now["pnrCode"] == order["pnrCode"], same);
    }
}

#[test]
fn the_list_pages_newest_first_and_ignores_unknown_keys() {
    let atlas = atlas("");
    let mut made: Vec<Value> = Vec::new();
    for nth in 0..25 {
        made.push(atlas.order(json!({"state": if nth % 5 == 0 { "unpaid" } else { "ticketed" }}))["orderNo"].clone());
        atlas.advance("1s");
    }
    made.reverse();
    let numbers = |body: Value| -> Vec<Value> {
        atlas.ok("/orderList.do", body)["orders"].as_array().unwrap().iter().map(|o| o["orderNo"].clone()).collect()
    };
    assert_eq!(numbers(json!({})), made[..20]);
    assert_eq!(numbers(json!({"page": 2})), made[20..]);
    assert_eq!(numbers(json!({"page": "3", "pageSize": "10"})), made[20..]);
    assert_eq!(numbers(json!({"page": 9})), Vec::<Value>::new());
    assert_eq!(numbers(json!({"pageNo": 2, "clientOrderNo": "x", "pageSize": 100})), made);
    assert_eq!(numbers(json!({"orderStatus": [0], "orderNo": "", "airlines": []})).len(), 5);
    assert_eq!(numbers(json!({"orderNo": made[3]})), made[3..4]);
    assert_eq!(numbers(json!({"createTimeRangeFrom": "2026-03-02T08:00:20Z"})).len(), 5);
    let reply = atlas.ok("/orderList.do", json!({"pageSize": 500}));
    assert_eq!((reply["totalRecords"].as_i64(), reply["pageSize"].as_i64()), (Some(25), Some(100)));
    let row = &reply["orders"][24];
    assert_eq!(
        (row["orderStatus"].as_i64(), row["orderCreateTimestamp"].as_str(), &row["paymentTimestamp"]),
        (Some(0), Some("2026-03-02T08:00:00Z"), &Value::Null)
    );
}

#[test]
fn an_order_is_found_by_any_of_its_identifiers() {
    let atlas = atlas("");
    let one = atlas.order(json!({"airline": "BX", "airlinePNR": "0419", "passengers": [{"name": "ROWAN/ALPHA"}]}));
    let two = atlas.order(json!({"airline": "BX", "airlinePNR": "0419", "passengers": [{"name": "CEDAR/BRAVO"}]}));
    let find = |body: Value| atlas.call("/queryOrderDetails.do", body);
    assert_eq!(find(json!({"pnrCode": one["pnrCode"]}))["orderNo"], one["orderNo"]);
    assert_eq!(find(json!({"airlinePNR": "0419"}))["status"], 702);
    assert_eq!(find(json!({"airlinePNR": "0419", "carrier": "BX"}))["status"], 701);
    let named = json!({"airlinePNR": "0419", "carrier": "BX", "passengers": [{"name": "Cedar/Bravo"}]});
    assert_eq!(find(named)["orderNo"], two["orderNo"]);
    assert_eq!(find(json!({"orderNo": one["orderNo"], "pnrCode": two["pnrCode"]}))["status"], 704);
    assert_eq!(find(json!({"airlinePNR": "NONE", "carrier": "BX"}))["status"], 703);
}

#[test]
fn notifications_reach_a_listener() {
    let atlas = atlas("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    atlas.ok("/updateWebhookURL.do", json!({"url": url}));
    let order = atlas.order(json!({"state": "ticketing"}));
    atlas.advance("30s");
    void(&atlas, &order);
    atlas.advance("1d");
    let failing = atlas.order(json!({"state": "ticketing", "failWith": 603}));
    atlas.advance("30s");
    let mut notifications: Vec<Value> = Vec::new();
    for _ in 0..5 {
        let (mut stream, _) = listener.accept().unwrap();
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"}") {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).unwrap();
            bytes.extend(&buffer[..count]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
        let text = String::from_utf8(bytes).unwrap();
        assert!(text.starts_with("POST /hook HTTP/1.1\r\n"));
        notifications.push(serde_json::from_str(text.split("\r\n\r\n").nth(1).unwrap()).unwrap());
    }
    let types: Vec<&str> = notifications.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["order.ticketed", "order.void", "order.void", "order.void", "order.cancelled"]);
    assert_eq!(
        (notifications[0]["status"].as_i64(), notifications[0]["data"]["orderStatus"].as_i64()),
        (Some(-1), Some(2))
    );
    assert_eq!([1, 2, 3].map(|at| notifications[at]["data"]["voidStatus"].as_i64().unwrap()), [0, 1, 2]);
    assert_eq!(
        notifications[4]["data"],
        json!({"orderNo": failing["orderNo"], "errorCode": "603", "errorMessage": notifications[4]["data"]["errorMessage"]})
    );
}
