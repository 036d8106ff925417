//! How far the exploration goes, and which rule is broken in it.

use crate::vendor::Key;

/// Milliseconds of one tick. A call is over within a tick, unless its host is stopped.
pub const TICK: i64 = 60_000;
/// The settle time, in ticks: the default of the configuration.
pub const SETTLE: u8 = 3;
/// How long a lease lasts, in ticks.
pub const LEASE: u8 = 2;
/// The last tick. The first case is opened at tick 0; if its sender then stands still, it is settled before this one.
pub const HORIZON: u8 = LEASE + 1 + SETTLE + 1 + 1;

/// The two cases that are opened, on one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    pub kind: &'static str,
    /// The passengers, counted from 1; none are all.
    pub passengers: &'static [usize],
}

/// What is taken away from the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Broken {
    #[default]
    Nothing,
    /// A write is not refused when another owner has written since.
    Fence,
    /// Nothing is stored before a submit leaves.
    Intent,
    /// The lease is not looked at before the body leaves.
    Check,
    /// The lease is looked at, and then the process may be stopped before the body leaves.
    Gap,
    /// Absence counts after a third of the time in which a request may still arrive.
    Settle,
}

/// The bounds of one exploration: how often each of these may happen.
#[derive(Debug, Clone)]
pub struct Bounds {
    pub cases: [Wanted; 2],
    pub hosts: usize,
    pub horizon: u8,
    pub opens: u8,
    pub crashes: u8,
    pub losses: u8,
    pub stops: u8,
    /// Queries without an answer.
    pub silences: u8,
    /// Submits that the vendor refuses for their pace.
    pub paces: u8,
    /// Submits that provably do not leave.
    pub unsent: u8,
    /// A late request may arrive after the settle time as well.
    pub late: bool,
    pub broken: Broken,
}

impl Bounds {
    /// Two hosts, one crash, one lost reply, one stop, two opens.
    pub fn new(one: Wanted, other: Wanted) -> Bounds {
        Bounds {
            cases: [one, other],
            hosts: 2,
            horizon: HORIZON,
            opens: 2,
            crashes: 1,
            losses: 1,
            stops: 1,
            silences: 0,
            paces: 0,
            unsent: 0,
            late: false,
            broken: Broken::Nothing,
        }
    }

    /// The same with some of these changed.
    #[must_use]
    pub fn with(self, change: impl FnOnce(&mut Bounds)) -> Bounds {
        let mut bounds = self;
        change(&mut bounds);
        bounds
    }

    /// The settle time by which the state machine decides, in milliseconds.
    pub fn settle(&self) -> i64 {
        let whole = i64::from(SETTLE) * TICK;
        if self.broken == Broken::Settle { whole / 3 } else { whole }
    }

    /// Whether two of the cases are about the same passengers.
    pub fn meet(&self) -> bool {
        let [one, other] = &self.cases;
        one.passengers.is_empty()
            || other.passengers.is_empty()
            || one.passengers.iter().any(|p| other.passengers.contains(p))
    }

    pub fn kind(&self, key: Key) -> &'static str {
        self.cases[key as usize].kind
    }
}

pub const VOID: Wanted = Wanted { kind: "void", passengers: &[] };
pub const FIRST: Wanted = Wanted { kind: "refund", passengers: &[1] };
pub const SECOND: Wanted = Wanted { kind: "refund", passengers: &[2] };
pub const REFUND: Wanted = Wanted { kind: "refund", passengers: &[] };
pub const ANCILLARY: Wanted = Wanted { kind: "ancillary", passengers: &[] };
