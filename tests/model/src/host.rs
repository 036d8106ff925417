//! A host: one process that makes one call at a time.

use atlas_postbooking::exploration::{Happening, Next};

use crate::subjects::Id;
use crate::vendor::{Key, Reply, Step};

/// How far a call has come.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub enum Stage {
    #[default]
    Idle,
    /// It has the lease and the case in memory, and does this next.
    Driving(Next),
    /// It has an answer that it has not read yet.
    Holding(Happening),
    /// The intent is stored.
    Intent(Step),
    /// No other case holds what this one needs.
    Looked(Step),
    /// The body has left, or not: this is what the sender knows.
    Sent { step: Step, attempt: u8, reply: Reply, stored: bool },
    /// It lost the lease, and has a reply that belongs to the case.
    Overtaken { step: Step, attempt: u8, reply: Reply },
}

/// Whether the process runs. A stop that ends within its tick would be no different from going on slowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Stopped {
    #[default]
    Runs,
    /// Stopped in this tick.
    Now,
    /// Stopped in an earlier tick: it may be continued.
    Since,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Host {
    pub stage: Stage,
    pub key: Key,
    /// The case as this call has it.
    pub case: Id,
    /// The version that it knows.
    pub token: u8,
    /// The last tick of the lease, by the clock that was read before it was taken.
    pub until: u8,
    pub stopped: Stopped,
    /// Somebody else held what the case needs when the intent was stored.
    pub had_rival: bool,
}

impl Host {
    pub fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    pub fn is_stopped(&self) -> bool {
        self.stopped != Stopped::Runs
    }

    pub fn rest(&mut self) {
        *self = Host::default();
    }
}
