//! The clock of the database, read on this machine: asked for now and then, and carried on by a clock that nobody sets.

use std::sync::{Mutex, PoisonError};

use super::super::Stored;
use super::Postgres;
use super::link::values_of;
use crate::case::clock::{self, Stamp};
use crate::unix_time::{Millis, boot_clock};

/// How long an answer is carried on: clocks of two machines drift apart by some milliseconds in that time.
const LASTS: Millis = 20_000;

/// What the database's clock said, and this machine's clock at that moment.
#[derive(Default)]
pub(super) struct ServerClock(Mutex<Option<(Millis, Millis)>>);

impl ServerClock {
    fn now(&self) -> Option<Millis> {
        let (then, at) = (*self.0.lock().unwrap_or_else(PoisonError::into_inner))?;
        let passed = boot_clock::now() - at;
        (passed < LASTS).then_some(then + passed)
    }

    fn set(&self, now: Millis, at: Millis) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, at));
    }
}

impl Postgres {
    /// Now, without waiting; None if the database must be asked.
    pub(super) fn quick_stamp(&self) -> Option<Stamp> {
        self.clock.now().map(|wall| Stamp { wall, machine: Some(clock::machine()) })
    }

    pub(super) fn stamp(&self) -> Stored<Stamp> {
        if let Some(stamp) = self.quick_stamp() {
            return Ok(stamp);
        }
        let before = boot_clock::now();
        let now = self.read(|tx| tx.value::<i64>("SELECT apb.now_ms()", values_of![]))?.unwrap_or(0);
        let after = boot_clock::now();
        self.clock.set(now, before + (after - before) / 2);
        Ok(Stamp { wall: now, machine: Some(clock::machine()) })
    }
}
