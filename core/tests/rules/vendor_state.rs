//! What the tests of what proves what share.

use serde_json::{Value, json};

use crate::fixture::Fixture;

pub fn order(fixture: &Fixture, passengers: Value) -> Value {
    fixture.vendor.create_order(json!({"passengers": passengers, "paymentMethod": 1, "airline": "Y4"})).unwrap()
}

pub fn open(kind: &str, order: &Value, key: &str) -> Value {
    json!({"kind": kind, "orderNo": order["orderNo"], "key": key})
}

pub fn reconcile(fixture: &Fixture, key: &str, after: &str) -> Value {
    fixture.vendor.advance(after).unwrap();
    fixture.call("case.reconcile", json!({"key": key}))
}

/// Asks again and again for two hours: gives the last reply.
pub fn asked_for_long(fixture: &Fixture, key: &str) -> Value {
    asked(fixture, key, "10m", 12)
}

/// Asks so many times, each time after so long: gives the last reply.
pub fn asked(fixture: &Fixture, key: &str, after: &str, times: u32) -> Value {
    (0..times).fold(Value::Null, |_, _| reconcile(fixture, key, after))
}

/// A baggage order of somebody else, made by the vendor when ours was lost.
pub fn strangers_bag(fixture: &Fixture, order: &Value, product: &str) -> Value {
    strangers_bag_for(fixture, order, product, 0)
}

/// The same for one of the passengers.
pub fn strangers_bag_for(fixture: &Fixture, order: &Value, product: &str, passenger: usize) -> Value {
    let search = fixture.outside(
        "postBookingAncillarySearch",
        json!({"ticketOrderNo": order["orderNo"], "ancillaryCategory": "BAGGAGE"}),
    );
    let p = &order["passengers"][passenger];
    let bag = fixture.outside(
        "postBookingAncillaryOrder",
        json!({"sessionId": search["data"]["sessionId"], "ancillaryCategory": "BAGGAGE", "ticketOrderNo": order["orderNo"],
            "passengers": [{"name": p["name"], "passengerType": 0, "ancillaries": [{"productCode": product, "segmentIndex": 1}]}]}),
    );
    assert_eq!(bag["ok"], true, "{bag}");
    bag["data"]["orderNo"].clone()
}
