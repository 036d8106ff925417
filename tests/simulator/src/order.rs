//! Orders, passengers, segments and bags.

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

/// The kind of an order; it determines the prefix of the order number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A flight order.
    Main,
    /// Baggage bought after ticketing.
    Ancillary,
    /// An order made by claiming an external PNR.
    Claimed,
}

impl Kind {
    /// The prefix that the vendor's sandbox uses.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Main => "TESTA",
            Self::Ancillary => "TESTB",
            Self::Claimed => "TESTC",
        }
    }
}

/// A passenger.
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
    /// Counted from 1 over both directions.
    pub index: i64,
    /// Airline code.
    pub carrier: String,
    /// Flight number with the airline code.
    pub flight: String,
    /// Departure airport.
    pub from: String,
    /// Arrival airport.
    pub to: String,
    /// `yyyyMMddHHmm`, airport-local.
    pub departs: String,
    /// `yyyyMMddHHmm`, airport-local.
    pub arrives: String,
    /// The segment belongs to the return direction.
    pub inbound: bool,
}

/// A bag bought for one passenger on one segment.
#[derive(Clone, Debug)]
pub struct Bag {
    /// Index into the order's passengers.
    pub passenger: usize,
    /// The segment's index.
    pub segment: i64,
    /// Product code.
    pub product: String,
    /// Kilograms.
    pub weight: i64,
    /// Cents.
    pub price: i64,
}

/// An order of any kind.
#[derive(Clone, Debug)]
pub struct Order {
    /// The order number.
    pub order_no: String,
    /// The vendor's own PNR.
    pub pnr: String,
    /// The kind.
    pub kind: Kind,
    /// The vendor's order status: 0, 1, 2 or -3.
    pub status: i64,
    /// Airline code.
    pub airline: String,
    /// The airline's record locator.
    pub airline_pnr: String,
    /// All passengers; for an ancillary order those with a bag.
    pub passengers: Vec<Passenger>,
    /// The whole itinerary.
    pub segments: Vec<Segment>,
    /// The bags of an ancillary order.
    pub bags: Vec<Bag>,
    /// Settlement currency.
    pub currency: String,
    /// Price in cents, without the transaction fee.
    pub total: i64,
    /// Transaction fee in cents.
    pub fee: i64,
    /// Time of creation.
    pub created: Millis,
    /// Payment deadline.
    pub limit: Millis,
    /// Time of payment.
    pub paid: Option<Millis>,
    /// Time of ticket issue.
    pub issued: Option<Millis>,
    /// The payment method: 1 deposit, 3 card.
    pub method: Option<i64>,
    /// Contact e-mail address.
    pub email: String,
    /// The main order of an ancillary order.
    pub main_order: Option<String>,
    /// The order that this one was regenerated from.
    pub original_order: Option<String>,
    /// Error code and message of a failed ticket issue.
    pub error: Option<(i64, String)>,
    /// The order was cancelled because its payment deadline passed.
    pub expired: bool,
    /// Another ancillary order of the booking was paid first, so this one cannot be paid.
    pub superseded: bool,
    /// A stop request was accepted.
    pub stopping: bool,
    /// Number of status changes; an event scheduled for an older revision is dropped.
    pub revision: u64,
    /// Numbers of the ancillary orders of this main order.
    pub children: Vec<String>,
    /// Refund and void cases, as indices into `World::cases`.
    pub cases: Vec<usize>,
    /// The options that the test set.
    pub options: Value,
}

impl Order {
    /// A text option.
    pub fn option(&self, name: &str) -> Option<&str> {
        text(&self.options, name)
    }

    /// A boolean option.
    pub fn bool_option(&self, name: &str, default: bool) -> bool {
        json::flag(&self.options, name).unwrap_or(default)
    }

    /// Paid by card at the airline; refunds go to the card, not to the deposit.
    pub fn paid_by_card(&self) -> bool {
        self.method.is_some_and(|method| method != 1)
    }

    /// The airline supports voids, or the option `voidable` says so.
    pub fn voidable(&self) -> bool {
        self.bool_option("voidable", VOIDABLE.split(' ').any(|airline| airline == self.airline))
    }

    /// Time of the first departure.
    pub fn departure(&self) -> Millis {
        self.segments.first().and_then(|segment| clock::parse(&segment.departs)).unwrap_or(Millis::MAX)
    }

    /// The airline's record locator; none before the ticket is issued.
    pub fn locator(&self) -> Option<&str> {
        self.issued.map(|_| self.airline_pnr.as_str())
    }
}
