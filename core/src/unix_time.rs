//! Milliseconds since 1970-01-01T00:00:00Z, and their RFC 3339 text.

use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Milliseconds: since 1970 where a moment is meant, else a duration.
pub(crate) type Millis = i64;

/// The machine's wall clock.
pub(crate) fn now() -> Millis {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// `2026-11-22T10:00:00.25Z`
pub(crate) fn format_rfc3339(at: Millis) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(at) * 1_000_000)
        .ok()
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .unwrap_or_default()
}

/// Reads an instant with its offset; None if it is not one.
pub(crate) fn parse_rfc3339(text: &str) -> Option<Millis> {
    let moment = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}

/// The clock that nobody sets and that counts while the machine is suspended.
pub(crate) mod boot_clock {
    use std::time::Duration;

    use super::Millis;

    /// Milliseconds since the machine started.
    #[cfg(target_os = "linux")]
    pub(crate) fn now() -> Millis {
        use nix::time::{ClockId, clock_gettime};
        // Through Duration: the seconds have 32 bits on some machines, which hold 24 days of milliseconds.
        let millis = |time| Millis::try_from(Duration::from(time).as_millis()).unwrap_or(Millis::MAX);
        clock_gettime(ClockId::CLOCK_BOOTTIME).map_or_else(|_| super::now(), millis)
    }

    /// Milliseconds since 1970: elsewhere no such clock is read.
    #[cfg(not(target_os = "linux"))]
    pub(crate) fn now() -> Millis {
        super::now()
    }

    /// The moment when `left` will have passed.
    pub(crate) fn after(left: Duration) -> Millis {
        now().saturating_add(Millis::try_from(left.as_millis()).unwrap_or(Millis::MAX))
    }
}
