//! Claims, and what orderList can tell about them.

use serde_json::{Value, json};

use crate::stage::{Stage, claim};

/// The same claim as a direct call.
fn direct(pnr: &Value) -> Value {
    let mut request = claim(pnr, "k");
    let fields = request.as_object_mut().unwrap();
    fields.remove("kind");
    fields.remove("key");
    request
}

/// Locators are an airline's own: another airline's booking may have the same.
#[test]
fn a_claim_of_a_locator_that_another_airline_uses_too() {
    let stage = Stage::new("default");
    let pnr = stage.vendor.create_pnr(json!({"airline": "Y4"})).unwrap();
    let foreign = stage.order(json!({"airline": "6E", "airlinePNR": pnr["airlinePnr"]}));
    let reply = stage.call("case.open", claim(&pnr, "k"));
    assert_eq!((&reply["outcome"], stage.executed("pnrClaim")), (&json!("executed"), 1), "{reply}");
    assert_ne!(reply["case"]["orderNo"], json!(foreign), "{reply}");
}

/// orderList shows departures within a year only: beyond, its silence proves nothing.
#[test]
fn a_lost_claim_of_a_far_departure() {
    let stage = Stage::new("default");
    let segment = json!({
        "carrier": "Y4", "flightNumber": "Y4123", "depAirport": "MEX", "arrAirport": "CUN",
        "depTime": "202704200810", "arrTime": "202704201030",
    });
    let pnr = stage.vendor.create_pnr(json!({"airline": "Y4", "segments": [segment]})).unwrap();
    stage.vendor.fault(json!({"endpoint": "pnrClaim", "mode": "drop_after"})).unwrap();
    let reply = stage.call("case.open", claim(&pnr, "k"));
    assert_eq!(reply["outcome"], "unknown", "{reply}");
    let case = stage.follow(&reply["case"]["id"], "40s", 10);
    assert_eq!((&case["outcome"], stage.executed("pnrClaim")), (&json!("unknown"), 1), "{case}");
}

/// A row that the vendor found by the locator and that does not repeat it is no absence.
#[test]
fn a_claim_listed_without_its_locator() {
    let stage = Stage::new("default");
    let pnr = stage.vendor.create_pnr(json!({"airline": "Y4"})).unwrap();
    let first = stage.outside("pnrClaim", direct(&pnr));
    assert_eq!(first["ok"], true, "{first}");
    let row = json!({
        "orderNo": first["data"]["orderNo"], "pnrCode": "ABCDEF", "airlinePNRs": null, "orderStatus": 1,
        "airlines": ["Y4"], "paxNames": [],
    });
    let list = json!({"status": 0, "totalRecords": 1, "orders": [row]});
    stage.vendor.fault(json!({"endpoint": "orderList", "mode": "reply", "times": 0, "body": list})).unwrap();
    let reply = stage.call("case.open", claim(&pnr, "k"));
    assert_eq!(stage.sent("pnrClaim"), 1, "claimed again: {reply}");
    assert_eq!(reply["error"]["code"], "bad_response", "{reply}");
}

/// Without a locator it is who and where that keeps two claims of one booking apart; nothing can be asked about them.
#[test]
fn two_direct_claims_without_a_locator() {
    let stage = Stage::new("default");
    let pnr = stage.vendor.create_pnr(json!({"airline": "Y4"})).unwrap();
    let mut request = direct(&pnr);
    request.as_object_mut().unwrap().remove("mmb");
    stage.vendor.fault(json!({"endpoint": "pnrClaim", "mode": "drop_after"})).unwrap();
    let first = stage.call("pnrClaim", request.clone());
    assert_eq!(first["outcome"], "unknown", "{first}");
    let second = stage.call("pnrClaim", request);
    assert_eq!((&second["error"]["code"], stage.sent("pnrClaim")), (&json!("conflict"), 1), "{second}");
    let case = stage.follow(&first["case"]["id"], "40s", 10);
    assert_eq!(case["outcome"], "unknown", "{case}");
}
