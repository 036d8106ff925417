//! Offers with a lifetime: refund and void quotations, and the
//! prices of a baggage search.

use crate::clock::Millis;

/// Which way money goes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By the fare rules.
    Refund,
    /// As if it had never been issued.
    Void,
}

/// A quotation.
#[derive(Clone, Debug)]
pub struct Offer {
    /// `q_` and 32 hexadecimal digits.
    pub id: String,
    /// Refund or void.
    pub way: Way,
    /// The main order.
    pub order: String,
    /// Whose tickets, as indices into the order's passengers.
    pub passengers: Vec<usize>,
    /// 0 involuntary, 1 voluntary, 4 void.
    pub reason: i64,
    /// Until when it may be submitted.
    pub expires: Millis,
    /// It came with a refusal and buys nothing.
    pub hollow: bool,
    /// It has been submitted.
    pub spent: bool,
    /// Cash paid for the tickets, in cents.
    pub paid: i64,
    /// What comes back of it, in cents.
    pub back: i64,
    /// The vendor's own fee, in cents.
    pub fee: i64,
    /// Ancillary orders: number, paid, back.
    pub extras: Vec<(String, i64, i64)>,
    /// The currency asked for display.
    pub display: Option<String>,
}

/// A baggage search.
#[derive(Clone, Debug)]
pub struct Session {
    /// The main order.
    pub order: String,
    /// Until when its products may be ordered.
    pub expires: Millis,
    /// Segment, product code, kilograms, cents.
    pub products: Vec<Product>,
}

/// One bag on sale.
#[derive(Clone, Debug)]
pub struct Product {
    /// On which segment.
    pub segment: i64,
    /// The code; the same on every segment.
    pub code: String,
    /// Kilograms.
    pub weight: i64,
    /// Cents.
    pub price: i64,
}
