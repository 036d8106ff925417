//! The clock of the database, read on this machine: asked for now and then, and carried on by a clock that nobody sets.

use std::sync::{Mutex, PoisonError};

use crate::unix_time::{Millis, boot_clock};

/// How long an answer is carried on: clocks of two machines drift apart by some milliseconds in that time.
const LASTS: Millis = 20_000;

/// What the database's clock said, and this machine's clock at that moment.
#[derive(Default)]
pub(super) struct ServerClock(Mutex<Option<(Millis, Millis)>>);

impl ServerClock {
    pub fn now(&self) -> Option<Millis> {
        let (then, at) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let passed = boot_clock::now() - at;
        (passed < LASTS).then_some(then + passed)
    }

    pub fn set(&self, now: Millis, at: Millis) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, at));
    }
}
