//! The clock of the cases: the machine's, or a test's.

use std::time::{SystemTime, UNIX_EPOCH};

use once_cell::sync::Lazy;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::model::{Millis, Stamp};

/// Milliseconds since 1970 by this machine.
pub(crate) fn wall() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// The machine's boot, and milliseconds since then: the same for all processes, and never set back.
pub(crate) fn machine() -> (u64, Millis) {
    static BOOT: Lazy<u64> = Lazy::new(|| {
        let id = std::fs::read("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        // SQLite's integers are signed.
        id.iter().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3)) >> 1
    });
    #[cfg(target_os = "linux")]
    {
        use nix::time::{ClockId, clock_gettime};
        if let Ok(time) = clock_gettime(ClockId::CLOCK_BOOTTIME) {
            return (*BOOT, time.tv_sec() * 1000 + time.tv_nsec() / 1_000_000);
        }
    }
    (*BOOT, wall())
}

/// Now, on both clocks.
pub(crate) fn now() -> Stamp {
    Stamp { wall: wall(), machine: Some(machine()) }
}

/// A moment of a test clock.
pub(crate) fn at(wall: Millis) -> Stamp {
    Stamp { wall, machine: None }
}

/// `2026-11-22T10:00:00.25Z`
pub(crate) fn text(at: Millis) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000)
        .ok()
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .unwrap_or_default()
}

/// Reads an instant with its offset.
pub(crate) fn parse(text: &str) -> Option<Millis> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}
