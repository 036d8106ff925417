//! The words of cases: kinds, steps, states, outcomes, strengths, queries.

use serde::{Deserialize, Serialize};

use crate::error::Outcome;

macro_rules! words {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $vdoc:literal])* $variant:ident = $word:literal,)* }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub(crate) enum $name { $($(#[doc = $vdoc])* #[serde(rename = $word)] $variant,)* }
        impl $name {
            /// The word in JSON.
            #[allow(dead_code)]
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }
            /// The value with that word.
            #[allow(dead_code)]
            pub fn of(word: &str) -> Option<$name> {
                match word { $($word => Some($name::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// What a case is for.
    Kind {
        Refund = "refund",
        Void = "void",
        Cancel = "cancel",
        Ancillary = "ancillary",
        Regenerate = "regenerate",
        Stop = "stop",
        Claim = "claim",
        /// A payment sent directly: there is no case.open of this kind.
        Pay = "pay",
    }
}

words! {
    /// The two ways of cancelling a ticketed order.
    Way {
        Void = "void",
        Refund = "refund",
    }
}

words! {
    /// A submit of a case.
    StepName {
        Void = "void",
        Refund = "refund",
        Order = "order",
        Pay = "pay",
        Regenerate = "regenerate",
        Stop = "stop",
        Claim = "claim",
    }
}

impl StepName {
    /// The vendor's operation.
    pub fn operation(self) -> &'static str {
        match self {
            StepName::Void => "void",
            StepName::Refund => "refund",
            StepName::Order => "postBookingAncillaryOrder",
            StepName::Pay => "pay",
            StepName::Regenerate => "regenerateOrder",
            StepName::Stop => "stopTicket",
            StepName::Claim => "pnrClaim",
        }
    }

    /// The step that a direct submit is, with the kind of its case.
    pub fn of_operation(name: &str) -> Option<(StepName, Kind)> {
        Some(match name {
            "void" => (StepName::Void, Kind::Void),
            "refund" => (StepName::Refund, Kind::Refund),
            "postBookingAncillaryOrder" => (StepName::Order, Kind::Ancillary),
            "pay" => (StepName::Pay, Kind::Pay),
            "regenerateOrder" => (StepName::Regenerate, Kind::Regenerate),
            "stopTicket" => (StepName::Stop, Kind::Stop),
            "pnrClaim" => (StepName::Claim, Kind::Claim),
            _ => return None,
        })
    }
}

words! {
    /// The state of a case: what is being done, or the vendor's state of what was submitted.
    State {
        Planned = "planned",
        Quoting = "quoting",
        Sending = "sending",
        Unknown = "unknown",
        AwaitingPayment = "awaiting_payment",
        Ticketing = "ticketing",
        Ticketed = "ticketed",
        AtlasProcessing = "atlas_processing",
        AirlineProcessing = "airline_processing",
        Refunding = "refunding",
        Refunded = "refunded",
        Rejected = "rejected",
        Fulfilled = "fulfilled",
        Withdrawn = "withdrawn",
        Stopped = "stopped",
        StopFailed = "stop_failed",
        Claimed = "claimed",
        Cancelled = "cancelled",
        Refused = "refused",
        NeedsHuman = "needs_human",
    }
}

words! {
    /// Whether the effect that the case is about exists at the vendor.
    CaseOutcome {
        Pending = "pending",
        Executed = "executed",
        NotExecuted = "not_executed",
        Unknown = "unknown",
    }
}

impl CaseOutcome {
    /// The outcome of a reply about the case.
    pub fn outcome(self) -> Outcome {
        match self {
            CaseOutcome::Pending => Outcome::Pending,
            CaseOutcome::Executed => Outcome::Executed,
            CaseOutcome::NotExecuted => Outcome::NotExecuted,
            CaseOutcome::Unknown => Outcome::Unknown,
        }
    }
}

words! {
    /// How much a piece of evidence proves.
    Strength {
        Strong = "strong",
        Fair = "fair",
        Weak = "weak",
        Human = "human",
    }
}

words! {
    /// Why an attempt that was not executed may be followed by another one.
    Retry {
        /// It provably never left.
        Transport = "transport",
        /// 429, or 905 at a refund or void.
        Pace = "pace",
        /// 805, 502 or 6: a new offer or session within the same case.open.
        Expired = "expired",
        /// A payment refused by the vendor, but not because the time to pay is over (401).
        Payment = "payment",
    }
}

/// A query to the vendor that changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Query {
    /// queryOrderDetails of the case's order.
    Order,
    VoidQuote,
    RefundQuote,
    /// The offer that the caller gave: the store knows its age. Not asked of the vendor.
    KnownOffer,
    /// postBookingAncillarySearch.
    Search,
    VoidList,
    RefundList,
    /// A fresh refund quotation, only to see whether it is refused because a refund is there.
    RefundProbe,
    /// queryOrderDetails of the order that the case made (or pays).
    NewOrder,
    /// queryOrderDetails with all orders of the booking.
    BookingOrders,
    /// orderList by the booking's locator.
    ClaimList,
    /// orderList since the submit, for a regenerated order.
    RegenerateCandidates,
}
