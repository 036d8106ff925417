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
    /// Stopped, and not continued yet.
    pub stopped: bool,
    /// Somebody else held what the case needs when the intent was stored.
    pub had_rival: bool,
}

impl Host {
    pub fn is_idle(&self) -> bool {
        self.stage == Stage::Idle
    }

    pub fn rest(&mut self) {
        *self = Host::default();
    }
}
