//! The kinds of cases: what each needs at the vendor, how it is opened, and which submits are its steps.

use atlas_simulator::Simulator;
use fastrand::Rng;
use serde_json::{Value, json};

use crate::harness::{Res, list, text};

/// A kind of case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// By the fare rules.
    Refund,
    /// As if never issued.
    Void,
    /// Void while there is time, else refund.
    Cancel,
    /// A bag, ordered and paid.
    Ancillary,
    /// A lost order built again and paid.
    Regenerate,
    /// No ticket, please.
    Stop,
    /// A booking made elsewhere.
    Claim,
}

/// All of them.
pub const KINDS: [Kind; 7] =
    [Kind::Refund, Kind::Void, Kind::Cancel, Kind::Ancillary, Kind::Regenerate, Kind::Stop, Kind::Claim];

/// Those that one query settles.
pub const MONEY_BACK: [Kind; 3] = [Kind::Refund, Kind::Void, Kind::Cancel];

/// A case as its owner wants it.
#[derive(Clone, Debug)]
pub struct CaseSpec {
    /// What.
    pub kind: Kind,
    /// The caller's key.
    pub key: String,
    /// The order number; for a claim the airline's locator.
    pub owner: String,
    /// For `case.open`.
    pub request: Value,
}

impl Kind {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
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

    /// Its submits in their order: the name of the step, and the vendor's operation.
    pub fn steps(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Kind::Refund => &[("refund", "refund")],
            Kind::Void => &[("void", "void")],
            // Nothing here closes the window, so it is a void.
            Kind::Cancel => &[("void", "void")],
            Kind::Ancillary => &[("order", "postBookingAncillaryOrder"), ("pay", "pay")],
            Kind::Regenerate => &[("regenerate", "regenerateOrder"), ("pay", "pay")],
            Kind::Stop => &[("stop", "stopTicket")],
            Kind::Claim => &[("claim", "pnrClaim")],
        }
    }

    /// Makes what the case is about, and the request that opens it.
    pub fn spec(self, atlas: &Simulator, dice: &mut Rng, key: String) -> Res<CaseSpec> {
        let state = match self {
            Kind::Regenerate if dice.bool() => "unpaid",
            Kind::Regenerate => "cancelled",
            Kind::Stop => "ticketing",
            _ => "ticketed",
        };
        let mut wanted = json!({
            "state": state, "airline": "F9", "passengers": dice.i64(1..3), "segments": dice.i64(1..3),
        });
        let mut request = json!({"kind": self.word(), "key": key});
        if self == Kind::Claim {
            let owner = format!("Q{}", key.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31) + u32::from(byte)));
            put(&mut wanted, "airlinePnr", owner.clone().into());
            let pnr = atlas.create_pnr(wanted)?;
            put(&mut request, "mmb", json!({"airlinePnr": owner, "email": text(&pnr, "email")}));
            put(&mut request, "passengers", names(&pnr));
            put(&mut request, "fromSegments", flights(&pnr));
            return Ok(CaseSpec { kind: self, key, owner, request });
        }
        let order = atlas.create_order(wanted)?;
        let owner = text(&order, "orderNo").to_owned();
        put(&mut request, "orderNo", owner.clone().into());
        if self == Kind::Ancillary {
            put(&mut request, "products", json!([{"productCode": "SIM_BAG_1PC_15KG"}]));
        }
        if matches!(self, Kind::Ancillary | Kind::Regenerate) {
            put(&mut request, "payment", json!({"paymentMethod": 1}));
        }
        Ok(CaseSpec { kind: self, key, owner, request })
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
