//! The data of an order.

use crate::clock::{self, Millis};
use crate::json::{self, text};
use serde_json::Value;

/// Waiting for payment.
pub const UNPAID: i64 = 0;
/// Paid, the airline is issuing.
pub const TICKETING: i64 = 1;
/// Issued.
pub const TICKETED: i64 = 2;
/// Never issued.
pub const CANCELLED: i64 = -3;

/// Airlines the vendor lists as voidable in July 2026.
const VOIDABLE: &str = "AS DM F9 G4 PB SY TS Y4 A3 D8 EI DY N0 OA VF Z0 ZG 7C BX LJ RS TW ZE";
/// How an order came to be; the letters its number begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A flight order.
    Main,
    /// Baggage bought after ticketing.
    Ancillary,
    /// An order for a PNR made elsewhere.
    Claimed,
}

impl Kind {
    /// The sandbox's prefix.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Main => "TESTA",
            Self::Ancillary => "TESTB",
            Self::Claimed => "TESTC",
        }
    }
}

/// Someone who flies.
#[derive(Clone, Debug)]
pub struct Passenger {
    /// Family name.
    pub last: String,
    /// Given names.
    pub first: String,
    /// 0 adult, 1 child, 2 infant.
    pub kind: i64,
    /// `yyyyMMdd`.
    pub birthday: String,
    /// M or F.
    pub gender: String,
    /// Identity document.
    pub document: String,
    /// Fare in cents.
    pub fare: i64,
}

impl Passenger {
    /// `LAST/FIRST`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.last, self.first)
    }
}

/// One flight.
#[derive(Clone, Debug)]
pub struct Segment {
    /// From 1, running on over both directions.
    pub index: i64,
    /// Two letters.
    pub carrier: String,
    /// With the carrier's letters.
    pub flight: String,
    /// Departure airport.
    pub from: String,
    /// Arrival airport.
    pub to: String,
    /// `yyyyMMddHHmm`, airport-local.
    pub departs: String,
    /// `yyyyMMddHHmm`, airport-local.
    pub arrives: String,
    /// Part of the way back.
    pub back: bool,
}

/// A bag bought for one passenger on one segment.
#[derive(Clone, Debug)]
pub struct Bag {
    /// Whose, as an index into the passengers.
    pub passenger: usize,
    /// Where.
    pub segment: i64,
    /// What.
    pub product: String,
    /// Kilograms.
    pub weight: i64,
    /// Cents.
    pub price: i64,
}

/// An order of any kind.
#[derive(Clone, Debug)]
pub struct Order {
    /// The vendor's number.
    pub no: String,
    /// The vendor's own PNR.
    pub pnr: String,
    /// What it is.
    pub kind: Kind,
    /// 0, 1, 2 or -3.
    pub status: i64,
    /// Two letters.
    pub airline: String,
    /// The airline's record locator.
    pub airline_pnr: String,
    /// Who flies (or, for bags, who buys).
    pub passengers: Vec<Passenger>,
    /// The whole itinerary.
    pub segments: Vec<Segment>,
    /// Bags, when this is an ancillary order.
    pub bags: Vec<Bag>,
    /// Settlement currency.
    pub currency: String,
    /// Cents, without the fee.
    pub total: i64,
    /// Cents.
    pub fee: i64,
    /// Birth.
    pub created: Millis,
    /// Payment deadline.
    pub limit: Millis,
    /// When it was paid.
    pub paid: Option<Millis>,
    /// When it was issued.
    pub issued: Option<Millis>,
    /// 1 deposit, 3 card.
    pub method: Option<i64>,
    /// Contact address.
    pub email: String,
    /// The main order, when this is an ancillary one.
    pub main: Option<String>,
    /// The order it was rebuilt from.
    pub original: Option<String>,
    /// Code and text of a failed issue.
    pub error: Option<(i64, String)>,
    /// The payment deadline passed.
    pub lapsed: bool,
    /// Another ancillary order of the booking was paid first.
    pub outsold: bool,
    /// A stop was accepted.
    pub stopping: bool,
    /// Counts changes of state, so that an event planned before one is void.
    pub turn: u64,
    /// Ancillary orders of this main order.
    pub children: Vec<String>,
    /// Refund and void cases, as indices.
    pub cases: Vec<usize>,
    /// What the test asked for.
    pub options: Value,
}

impl Order {
    /// A text option of the test.
    pub fn option(&self, name: &str) -> Option<&str> {
        text(&self.options, name)
    }

    /// A boolean option of the test.
    pub fn wants(&self, name: &str, default: bool) -> bool {
        json::flag(&self.options, name).unwrap_or(default)
    }

    /// Paid by card at the airline: money goes back to the card.
    pub fn by_card(&self) -> bool {
        self.method.is_some_and(|method| method != 1)
    }

    /// May this order be voided at all?
    pub fn voidable(&self) -> bool {
        self.wants("voidable", VOIDABLE.split(' ').any(|airline| airline == self.airline))
    }

    /// First departure.
    pub fn departure(&self) -> Millis {
        self.segments.first().and_then(|segment| clock::parse(&segment.departs)).unwrap_or(Millis::MAX)
    }

    /// The airline's locator, once it exists.
    pub fn locator(&self) -> Option<&str> {
        self.issued.map(|_| self.airline_pnr.as_str())
    }
}
