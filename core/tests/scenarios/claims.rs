//! Claims, and what orderList proves about them.

use serde_json::{Value, json};

use crate::fixture::{Fixture, claim};

/// The same claim as a direct call.
fn direct(pnr: &Value) -> Value {
    let mut request = claim(pnr, "k");
    let fields = request.as_object_mut().unwrap();
    fields.remove("kind");
    fields.remove("key");
    request
}

/// A locator is unique to one airline only.
#[test]
fn a_claim_does_not_adopt_an_order_of_another_airline() {
    let fixture = Fixture::new("default");
    let pnr = fixture.vendor.create_pnr(json!({"airline": "Y4"})).unwrap();
    let foreign = fixture.order(json!({"airline": "6E", "airlinePNR": pnr["airlinePnr"]}));
    let reply = fixture.call("case.open", claim(&pnr, "k"));
    assert_eq!((&reply["outcome"], fixture.executed("pnrClaim")), (&json!("executed"), 1), "{reply}");
    assert_ne!(reply["case"]["orderNo"], json!(foreign), "{reply}");
}

/// orderList has departures within a year only: a later one that is missing there may have been claimed.
#[test]
fn a_lost_claim_departing_after_a_year_stays_unknown() {
    let fixture = Fixture::new("default");
    let segment = json!({
        "carrier": "Y4", "flightNumber": "Y4123", "depAirport": "MEX", "arrAirport": "CUN",
        "depTime": "202704200810", "arrTime": "202704201030",
    });
    let pnr = fixture.vendor.create_pnr(json!({"airline": "Y4", "segments": [segment]})).unwrap();
    fixture.vendor.fault(json!({"endpoint": "pnrClaim", "mode": "drop_after"})).unwrap();
    let reply = fixture.call("case.open", claim(&pnr, "k"));
    assert_eq!(reply["outcome"], "unknown", "{reply}");
    let case = fixture.follow(&reply["case"]["id"], "40s", 10);
    assert_eq!((&case["outcome"], fixture.executed("pnrClaim")), (&json!("unknown"), 1), "{case}");
}

/// The vendor found the row by the locator, though the row does not repeat it.
#[test]
fn a_row_without_a_locator_does_not_prove_absence() {
    let fixture = Fixture::new("default");
    let pnr = fixture.vendor.create_pnr(json!({"airline": "Y4"})).unwrap();
    let first = fixture.outside("pnrClaim", direct(&pnr));
    assert_eq!(first["ok"], true, "{first}");
    let row = json!({
        "orderNo": first["data"]["orderNo"], "pnrCode": "ABCDEF", "airlinePNRs": null, "orderStatus": 1,
        "airlines": ["Y4"], "paxNames": [],
    });
    let list = json!({"status": 0, "totalRecords": 1, "orders": [row]});
    fixture.vendor.fault(json!({"endpoint": "orderList", "mode": "reply", "times": 0, "body": list})).unwrap();
    let reply = fixture.call("case.open", claim(&pnr, "k"));
    assert_eq!(fixture.sent("pnrClaim"), 1, "claimed again: {reply}");
    assert_eq!(reply["error"]["code"], "bad_response", "{reply}");
}

/// The hold is then a digest of passengers and flights; no query can settle the case.
#[test]
fn a_second_direct_claim_without_a_locator_is_a_conflict() {
    let fixture = Fixture::new("default");
    let pnr = fixture.vendor.create_pnr(json!({"airline": "Y4"})).unwrap();
    let mut request = direct(&pnr);
    request.as_object_mut().unwrap().remove("mmb");
    fixture.vendor.fault(json!({"endpoint": "pnrClaim", "mode": "drop_after"})).unwrap();
    let first = fixture.call("pnrClaim", request.clone());
    assert_eq!(first["outcome"], "unknown", "{first}");
    let second = fixture.call("pnrClaim", request);
    assert_eq!((&second["error"]["code"], fixture.sent("pnrClaim")), (&json!("conflict"), 1), "{second}");
    let case = fixture.follow(&first["case"]["id"], "40s", 10);
    assert_eq!(case["outcome"], "unknown", "{case}");
}
