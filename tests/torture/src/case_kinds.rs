//! The kinds of cases: the vendor order that each needs, the request that opens it, and the submits that are its steps.

use atlas_simulator::Simulator;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::harness::{Result, list, text};

/// A kind of case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A refund by the fare rules.
    Refund,
    /// A void.
    Void,
    /// A void while the window is open, else a refund.
    Cancel,
    /// An ancillary order with payment.
    Ancillary,
    /// A regenerated order with payment.
    Regenerate,
    /// A stop of the ticket issue.
    Stop,
    /// A claim of an external PNR.
    Claim,
}

/// All kinds.
pub const KINDS: [Kind; 7] =
    [Kind::Refund, Kind::Void, Kind::Cancel, Kind::Ancillary, Kind::Regenerate, Kind::Stop, Kind::Claim];

/// The kinds whose outcome one query can prove.
pub const MONEY_BACK: [Kind; 3] = [Kind::Refund, Kind::Void, Kind::Cancel];

/// The request that opens a case.
#[derive(Clone, Debug)]
pub struct CaseRequest {
    /// The kind.
    pub kind: Kind,
    /// The caller's key.
    pub key: String,
    /// The order number; for a claim the airline's locator.
    pub owner: String,
    /// The body for `case.open`.
    pub request: Value,
}

impl Kind {
    /// The `kind` in JSON.
    pub fn wire_name(self) -> &'static str {
        match self {
            Kind::Refund => "refund",
            Kind::Void => "void",
            Kind::Cancel => "cancel",
            Kind::Ancillary => "ancillary",
            Kind::Regenerate => "regenerate",
            Kind::Stop => "stop",
            Kind::Claim => "claim",
        }
    }

    /// The submits in order: the name of the step, and the vendor's operation.
    pub fn steps(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Kind::Refund => &[("refund", "refund")],
            Kind::Void => &[("void", "void")],
            // The void window stays open in these experiments.
            Kind::Cancel => &[("void", "void")],
            Kind::Ancillary => &[("order", "postBookingAncillaryOrder"), ("pay", "pay")],
            Kind::Regenerate => &[("regenerate", "regenerateOrder"), ("pay", "pay")],
            Kind::Stop => &[("stop", "stopTicket")],
            Kind::Claim => &[("claim", "pnrClaim")],
        }
    }

    /// Creates the order or PNR in the simulator, and the request that opens the case.
    pub fn case_request(self, atlas: &Simulator, rng: &mut Rng, key: String) -> Result<CaseRequest> {
        let state = match self {
            Kind::Regenerate => "cancelled",
            Kind::Stop => "ticketing",
            _ => "ticketed",
        };
        let mut wanted = json!({
            "state": state, "airline": "F9", "passengers": rng.i64(1..3), "segments": rng.i64(1..3),
        });
        let mut request = json!({"kind": self.wire_name(), "key": key});
        if self == Kind::Claim {
            let owner = format!("Q{}", key.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte)));
            put(&mut wanted, "airlinePnr", owner.clone().into());
            let pnr = atlas.create_pnr(wanted)?;
            put(&mut request, "mmb", json!({"airlinePnr": owner, "email": text(&pnr, "email")}));
            put(&mut request, "passengers", names(&pnr));
            put(&mut request, "fromSegments", flights(&pnr));
            return Ok(CaseRequest { kind: self, key, owner, request });
        }
        let order = atlas.create_order(wanted)?;
        let owner = text(&order, "orderNo").to_owned();
        put(&mut request, "orderNo", owner.clone().into());
        if self == Kind::Ancillary {
            put(&mut request, "products", json!([{"productCode": "SIM_BAG_1PC_15KG"}]));
        }
        if self == Kind::Regenerate {
            put(&mut request, "expect", json!({"currency": "USD", "maxPrice": "1000000", "acceptForeign": true}));
        }
        if matches!(self, Kind::Ancillary | Kind::Regenerate) {
            put(&mut request, "payment", json!({"paymentMethod": 1}));
        }
        Ok(CaseRequest { kind: self, key, owner, request })
    }
}

/// Sets a member of an object.
pub fn put(object: &mut Value, key: &str, value: Value) {
    if let Some(members) = object.as_object_mut() {
        members.insert(key.to_owned(), value);
    }
}

fn names(pnr: &Value) -> Value {
    list(pnr, "passengers").iter().map(|person| json!({"name": text(person, "name")})).collect()
}

fn flights(pnr: &Value) -> Value {
    let flight = |leg: &Value| {
        let wanted = ["carrier", "flightNumber", "depAirport", "arrAirport", "depTime", "arrTime"];
        wanted.iter().map(|key| ((*key).to_owned(), Value::from(text(leg, key)))).collect::<serde_json::Map<_, _>>()
    };
    list(pnr, "segments").iter().map(flight).collect()
}
