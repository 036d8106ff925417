//! What a case is: everything the store keeps of it. No passenger, no card, no secret.

use serde::{Deserialize, Serialize};

use crate::outcome::{Error, Outcome, Status};
use crate::wire::Amount;

/// Milliseconds since 1970 on the clock of the cases.
pub(crate) type Millis = i64;

/// A moment on two clocks: the wall's, which may jump, and the machine's, which counts since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub wall: Millis,
    /// The boot it counts from, and the count. None under a test clock, which is the only authority then.
    pub machine: Option<(u64, Millis)>,
}

impl Stamp {
    fn elapsed_on_machine(self, later: Stamp) -> Option<Millis> {
        match (self.machine, later.machine) {
            (Some((boot, from)), Some((same, to))) if boot == same => Some(to - from),
            _ => None,
        }
    }

    /// How long ago at least: a wall clock put forward must not let a settle time pass.
    pub fn at_least_until(self, later: Stamp) -> Millis {
        let wall = later.wall - self.wall;
        self.elapsed_on_machine(later).map_or(wall, |machine| machine.min(wall))
    }

    /// How long ago at most: a wall clock put back must not keep an offer young.
    pub fn at_most_until(self, later: Stamp) -> Millis {
        let wall = later.wall - self.wall;
        self.elapsed_on_machine(later).map_or(wall, |machine| machine.max(wall))
    }
}

macro_rules! words {
    ($(#[doc = $doc:literal])* $name:ident { $($(#[doc = $vdoc:literal])* $variant:ident = $word:literal,)* }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        pub(crate) enum $name { $($(#[doc = $vdoc])* #[serde(rename = $word)] $variant,)* }
        impl $name {
            /// The word in JSON.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }
            /// The one with that word.
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
    /// The two ways of giving an order back.
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
    /// Where a case stands.
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
    /// Whether it happened.
    Verdict {
        Pending = "pending",
        Executed = "executed",
        NotExecuted = "not_executed",
        Unknown = "unknown",
    }
}

impl Verdict {
    /// The outcome of a reply; None while nothing is settled.
    pub fn outcome(self) -> Option<Outcome> {
        match self {
            Verdict::Pending => None,
            Verdict::Executed => Some(Outcome::Executed),
            Verdict::NotExecuted => Some(Outcome::NotExecuted),
            Verdict::Unknown => Some(Outcome::Unknown),
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

/// One submit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Step {
    pub name: StepName,
    pub outcome: Verdict,
    pub attempts: u32,
    pub at: Millis,
    /// When the last byte can have left, at the latest.
    pub sent: Option<Stamp>,
    /// Its sender ended before the outcome was stored; the answer itself may have been kept.
    #[serde(default)]
    pub abandoned: bool,
}

/// What an outcome rests on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Evidence {
    pub at: Millis,
    pub what: String,
    pub strength: Strength,
}

/// Decimal text in one currency.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Money {
    pub currency: Option<String>,
    pub paid: Option<String>,
    pub estimated_refund: Option<String>,
    pub fee: Option<String>,
    pub actual_refund: Option<String>,
}

/// Limits that the caller set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Expect {
    pub currency: Option<String>,
    pub min_refund: Option<Amount>,
    pub max_fee: Option<Amount>,
    pub max_price: Option<Amount>,
    pub accept_voucher: bool,
    pub accept_unquoted: bool,
}

/// A last moment, and the vendor's field that says so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Deadline {
    pub at: Millis,
    pub source: String,
}

/// An error as the store keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trouble {
    pub code: String,
    pub status: i32,
    pub message: String,
    pub vendor_status: Option<i64>,
    pub vendor_code: Option<String>,
}

impl Trouble {
    pub fn of(error: &Error) -> Trouble {
        Trouble {
            code: error.code.to_owned(),
            status: error.status.number(),
            message: error.message.clone(),
            vendor_status: error.vendor_status,
            vendor_code: error.vendor_code.map(str::to_owned),
        }
    }

    pub fn status(&self) -> Status {
        Status::from_number(self.status)
    }
}

/// A case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Case {
    pub id: String,
    pub key: String,
    pub kind: Kind,
    pub via: Option<Way>,
    pub order_no: Option<String>,
    pub offer_id: Option<String>,
    pub code: Option<String>,
    pub outcome: Verdict,
    pub state: State,
    pub vendor_code: Option<i64>,
    pub closed: bool,
    pub adopted: bool,
    pub reopened: bool,
    pub money: Option<Money>,
    pub deadline: Option<Deadline>,
    pub due: Option<Millis>,
    pub created: Millis,
    pub updated: Millis,
    pub steps: Vec<Step>,
    pub evidence: Vec<Evidence>,
    pub error: Option<Trouble>,

    /// Fingerprint of what the caller asked for: the same key must mean the same.
    pub content: String,
    pub expect: Expect,
    /// What keeps other cases away: order numbers, or a booking's locator.
    pub holds: Vec<String>,
    /// Sent by itself, not by case.open: nothing is ever tried again for it.
    pub direct: bool,
    /// A new offer was asked for after the vendor called one expired (805, 502).
    pub requoted: bool,
    /// Looks at the vendor since the state changed.
    pub looks: u32,
    /// When the state changed.
    pub since: Millis,
    /// When the vendor was asked last.
    pub asked: Option<Millis>,
    /// The first plausible empty answer after the settle time.
    pub empty: Option<Stamp>,
    /// Given up by absence or by a human: its effect may still show up.
    pub watched: bool,
    /// After it was given up, another case was opened on its order. To go on with both could buy twice.
    #[serde(default)]
    pub succeeded: bool,
    /// Baggage orders that stood before this one was sent, if the vendor said.
    pub before: Option<Vec<String>>,
    /// Some passengers of the order, not all. Who they are is not stored.
    #[serde(default)]
    pub partial: bool,
    /// Claim: the booking's airlines; a locator is unique to one only.
    #[serde(default)]
    pub carriers: Vec<String>,
    /// Claim: departs later than orderList reaches.
    #[serde(default)]
    pub unlisted: bool,

    /// How this run may go on; never stored.
    #[serde(skip)]
    pub run: Run,
}

/// What the caller of this run allows and what it has seen.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Run {
    pub may_send: bool,
    pub can_pay: bool,
    /// Tries of this run that provably did not leave.
    pub unsent: u32,
    /// An offer given by the caller is to be used.
    pub own_offer: bool,
    /// The payment is sent directly, for a case that waits for one.
    pub paid_directly: bool,
    /// The question that is under way.
    pub waits_for: Option<super::event::Question>,
}

impl Case {
    /// A case that nothing has been done for.
    pub fn new(id: String, key: String, kind: Kind, order_no: Option<String>, content: String, now: Stamp) -> Case {
        Case {
            id,
            key,
            kind,
            via: None,
            holds: order_no.iter().cloned().collect(),
            order_no,
            offer_id: None,
            code: None,
            outcome: Verdict::Pending,
            state: State::Planned,
            vendor_code: None,
            closed: false,
            adopted: false,
            reopened: false,
            money: None,
            deadline: None,
            due: None,
            created: now.wall,
            updated: now.wall,
            steps: Vec::new(),
            evidence: Vec::new(),
            error: None,
            content,
            expect: Expect::default(),
            direct: false,
            requoted: false,
            looks: 0,
            since: now.wall,
            asked: None,
            empty: None,
            watched: false,
            succeeded: false,
            before: None,
            partial: false,
            carriers: Vec::new(),
            unlisted: false,
            run: Run::default(),
        }
    }

    /// The way of giving back that is being taken.
    pub fn way(&self) -> Option<Way> {
        match self.kind {
            Kind::Void => Some(self.via.unwrap_or(Way::Void)),
            Kind::Refund => Some(self.via.unwrap_or(Way::Refund)),
            Kind::Cancel => self.via,
            _ => None,
        }
    }

    /// The submit that the case is about.
    pub fn first_step(&self) -> StepName {
        match self.kind {
            Kind::Void | Kind::Refund | Kind::Cancel if self.way() == Some(Way::Refund) => StepName::Refund,
            Kind::Void | Kind::Refund | Kind::Cancel => StepName::Void,
            Kind::Ancillary => StepName::Order,
            Kind::Regenerate => StepName::Regenerate,
            Kind::Stop => StepName::Stop,
            Kind::Claim => StepName::Claim,
            Kind::Pay => StepName::Pay,
        }
    }

    /// The locator of the booking that is claimed, if the claim named it.
    pub fn locator(&self) -> Option<&str> {
        self.holds.iter().find_map(|hold| hold.strip_prefix(super::wish::LOCATOR))
    }

    /// The last submit.
    pub fn step(&self) -> Option<&Step> {
        self.steps.last()
    }

    /// Whether another case on the same order would be in conflict.
    pub fn keeps_others_away(&self) -> bool {
        !self.closed || !self.holds.is_empty()
    }
}
