//! The clocks of cases: the wall's, the machine's, or a test's.

use once_cell::sync::OnceCell;
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

static BOOT: OnceCell<u64> = OnceCell::new();

/// Reads which boot of the machine this is. Fails where that cannot be known now, since no descriptor is left: with
/// another number, other processes would take the leases of this one for those of a machine that has ended.
pub(crate) fn know_boot() -> std::io::Result<u64> {
    BOOT.get_or_try_init(|| {
        let id = match std::fs::read("/proc/sys/kernel/random/boot_id") {
            Err(error) if cfg!(unix) && matches!(error.raw_os_error(), Some(23 | 24)) => return Err(error),
            id => id.unwrap_or_default(),
        };
        // SQLite's integers are signed.
        Ok(fnv1a(&id) >> 1)
    })
    .copied()
}

/// The machine's boot, and milliseconds since then: the same for all processes, and never set back.
pub(crate) fn machine() -> (u64, Millis) {
    // A store is opened by nobody who does not know it.
    (know_boot().unwrap_or_default(), boot_clock::now())
}

/// Now, on both clocks.
pub(crate) fn now() -> Stamp {
    Stamp { wall: unix_time::now(), machine: Some(machine()) }
}

/// A moment of a test clock.
pub(crate) fn at(wall: Millis) -> Stamp {
    Stamp { wall, machine: None }
}
