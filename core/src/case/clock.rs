//! The clocks of cases: the wall's, the machine's, or a test's.

use once_cell::sync::Lazy;
use serde::{Deserialize, Serialize};

use crate::digest::fnv1a;
use crate::unix_time::{self, Millis, boot_clock};

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
    pub fn elapsed_at_least(self, later: Stamp) -> Millis {
        let wall = later.wall - self.wall;
        self.elapsed_on_machine(later).map_or(wall, |machine| machine.min(wall))
    }

    /// How long ago at most: a wall clock put back must not keep an offer young.
    pub fn elapsed_at_most(self, later: Stamp) -> Millis {
        let wall = later.wall - self.wall;
        self.elapsed_on_machine(later).map_or(wall, |machine| machine.max(wall))
    }
}

/// The machine's boot, and milliseconds since then: the same for all processes, and never set back.
pub(crate) fn machine() -> (u64, Millis) {
    static BOOT: Lazy<u64> = Lazy::new(|| {
        let id = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        // SQLite's integers are signed.
        fnv1a(&id) >> 1
    });
    (*BOOT, boot_clock::now())
}

/// Now, on both clocks.
pub(crate) fn now() -> Stamp {
    Stamp { wall: unix_time::now(), machine: Some(machine()) }
}

/// A moment of a test clock.
pub(crate) fn at(wall: Millis) -> Stamp {
    Stamp { wall, machine: None }
}
