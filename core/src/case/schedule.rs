//! When the vendor is queried next about a case: pure. All durations are milliseconds.

use super::model::Case;
use super::vocabulary::{CaseOutcome, Kind, State, Way};
use crate::config::CasePolicy;
use crate::digest::fnv1a_from;
use crate::unix_time::Millis;

pub(crate) const SECOND: Millis = 1000;
pub(crate) const MINUTE: Millis = 60 * SECOND;
pub(crate) const HOUR: Millis = 60 * MINUTE;
pub(crate) const DAY: Millis = 24 * HOUR;

/// stopTicket: the vendor decides within 8 minutes (stop ticketing page, 2025-05; its message says so in 2026-04); with
/// a margin.
pub(crate) const STOP_DECIDED: Millis = 10 * MINUTE;

/// orderList shows departures within a year (order list page, 2026); less a margin.
pub(crate) const ORDER_LIST_REACH: Millis = 360 * DAY;

/// How long the effect of a submit that was found absent is still looked for.
pub(crate) const WATCH: Millis = 30 * DAY;

/// After this time an unknown outcome that no query settled needs a human.
pub(crate) const UNKNOWN_LIMIT: Millis = DAY;

/// How long until the next query about this case.
///
/// Voids settle within minutes, so they are queried every half minute first; refunds take hours with Atlas and up to
/// 21 days with the airline (FAQ, 2026-07), and longer, so they are queried without end.
pub(crate) fn pause(case: &Case, policy: &CasePolicy, now: Millis) -> Millis {
    let age = (now - case.since).max(0);
    let widening = |first: Millis, most: Millis| {
        // Half as much again each time.
        let grown = (first as f64) * 1.5f64.powi(case.poll_count.min(60) as i32);
        (grown as Millis).clamp(first.min(most), most)
    };
    let plain = if case.watched && case.closed {
        widening(policy.settle.max(SECOND), DAY)
    } else if case.outcome == CaseOutcome::Unknown {
        let first = policy.between_absences().max(50);
        if age < 10 * policy.settle { first } else { widening(first, 6 * HOUR) }
    } else {
        match case.state {
            State::Ticketing if case.kind == Kind::Stop && age < STOP_DECIDED => STOP_DECIDED - age,
            State::Ticketing if case.kind == Kind::Stop => widening(2 * MINUTE, HOUR),
            State::Ticketing => widening(20 * SECOND, HOUR),
            State::AwaitingPayment => match &case.deadline {
                Some(deadline) if deadline.at > now => deadline.at - now + MINUTE,
                _ => widening(2 * MINUTE, HOUR),
            },
            _ if case.way() == Some(Way::Void) => widening(30 * SECOND, 6 * HOUR),
            _ => match age {
                _ if age < HOUR => widening(5 * MINUTE, 20 * MINUTE),
                _ if age < DAY => HOUR,
                _ if age < 21 * DAY => 8 * HOUR,
                _ => DAY,
            },
        }
    };
    // Whatever a deadline or a configured settle time says: a case that is never queried is forgotten.
    jitter(case, plain.clamp(1, DAY))
}

/// No pause is as long as this.
pub(crate) const LONGEST_PAUSE: Millis = 2 * DAY;

/// Whether a case is due: also if it is due later than any pause ends, which only a wrong clock can have caused.
pub(crate) fn is_due(due: Millis, now: Millis) -> bool {
    due <= now || due > now.saturating_add(LONGEST_PAUSE)
}

/// Adds up to a tenth, so that cases opened together are not queried together. Derived from the case alone: the same
/// case gets the same pause in every process. Never less, since a query before the settle time proves nothing.
fn jitter(case: &Case, pause: Millis) -> Millis {
    let seed = fnv1a_from(u64::from(case.poll_count) + 1, case.id.as_bytes());
    pause + (seed >> 11) as Millis % (pause / 10 + 1)
}
