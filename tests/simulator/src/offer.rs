//! Offers with a limited validity: refund and void quotations, and the products
//! of a baggage search.

use crate::clock::Millis;

/// What a quotation is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferKind {
    /// A refund by the fare rules.
    Refund,
    /// A void of the ticket.
    Void,
}

/// A quotation.
#[derive(Clone, Debug)]
pub struct Offer {
    /// `q_` and 32 hexadecimal digits.
    pub id: String,
    /// Refund or void.
    pub kind: OfferKind,
    /// The main order.
    pub order: String,
    /// Indices into the order's passengers.
    pub passengers: Vec<usize>,
    /// 0 involuntary, 1 voluntary, 4 void.
    pub reason: i64,
    /// The time from which a submit is refused with 805.
    pub expires: Millis,
    /// The offer id came with a refusal and cannot be submitted (805).
    pub unusable: bool,
    /// The offer has been submitted.
    pub submitted: bool,
    /// The amount paid for the tickets, in cents.
    pub paid: i64,
    /// The amount refunded for the tickets, in cents.
    pub refund_amount: i64,
    /// The vendor's own fee, in cents.
    pub fee: i64,
    /// Ancillary orders: number, amount paid, amount refunded (cents).
    pub ancillaries: Vec<(String, i64, i64)>,
    /// The requested display currency.
    pub display_currency: Option<String>,
}

/// A baggage search.
#[derive(Clone, Debug)]
pub struct Session {
    /// The main order.
    pub order: String,
    /// The time from which the session is refused.
    pub expires: Millis,
    /// The products found.
    pub products: Vec<Product>,
}

/// A baggage product on one segment.
#[derive(Clone, Debug)]
pub struct Product {
    /// The segment's index.
    pub segment: i64,
    /// The product code; the same on every segment.
    pub code: String,
    /// Kilograms.
    pub weight: i64,
    /// Cents.
    pub price: i64,
}
