//! The store's rules, and how often the vendor is asked: pure.

use super::model::{Case, Kind, Millis, State, Verdict, Way};

pub(crate) const SECOND: Millis = 1000;
pub(crate) const MINUTE: Millis = 60 * SECOND;
pub(crate) const HOUR: Millis = 60 * MINUTE;
pub(crate) const DAY: Millis = 24 * HOUR;

/// What the configuration says about cases.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rules {
    /// How long an empty answer proves nothing after the last byte was sent.
    pub settle: Millis,
    /// The oldest offers that are submitted.
    pub void_offer_age: Millis,
    pub refund_offer_age: Millis,
}

impl Default for Rules {
    fn default() -> Rules {
        Rules { settle: 180_000, void_offer_age: 60_000, refund_offer_age: 5_400_000 }
    }
}

impl Rules {
    pub fn offer_age(&self, way: Way) -> Millis {
        match way {
            Way::Void => self.void_offer_age,
            Way::Refund => self.refund_offer_age,
        }
    }

    /// The pause between two empty answers that together prove absence.
    pub fn between_answers(&self) -> Millis {
        (self.settle + 2) / 3
    }
}

/// stopTicket: the vendor decides within 8 minutes (stop ticketing page, 2025-05; its message says so in 2026-04).
pub(crate) const STOP_DECIDED: Millis = 8 * MINUTE;

/// orderList shows departures within a year (order list page, 2026); less a margin.
pub(crate) const LISTED: Millis = 360 * DAY;

/// How long the effect of a submit that was given up is still looked for.
pub(crate) const WATCH: Millis = 30 * DAY;

/// An unknown outcome that no query settles within this time is a human's.
pub(crate) const PATIENCE: Millis = DAY;

/// When the vendor is asked next about this case.
///
/// Voids settle within minutes, so they are asked for every half minute first; refunds take hours with Atlas and
/// up to 21 days with the airline (FAQ, 2026-07), and longer, so they are never given up.
pub(crate) fn pause(case: &Case, rules: &Rules, now: Millis) -> Millis {
    let age = (now - case.since).max(0);
    let widening = |first: Millis, most: Millis| {
        // Half as much again each time.
        let grown = (first as f64) * 1.5f64.powi(case.looks.min(60) as i32);
        (grown as Millis).clamp(first.min(most), most)
    };
    let plain = if case.watched && case.closed {
        widening(rules.settle.max(SECOND), DAY)
    } else if case.outcome == Verdict::Unknown {
        let first = rules.between_answers().max(50);
        if age < 10 * rules.settle { first } else { widening(first, 6 * HOUR) }
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
    // Whatever a deadline or a configured settle time says: what nobody asks about is forgotten.
    jitter(case, plain.clamp(1, DAY))
}

/// Whether a case is due: also if it is due later than any pause ends, which only a clock that was wrong can say.
pub(crate) fn is_due(due: Millis, now: Millis) -> bool {
    due <= now || due > now.saturating_add(HORIZON)
}

/// No pause is as long as this.
pub(crate) const HORIZON: Millis = 2 * DAY;

/// A tenth more or less, so that cases opened together do not ask together. Told from the case alone: the same
/// case makes the same choice in every process.
fn jitter(case: &Case, pause: Millis) -> Millis {
    let seed =
        case.id.bytes().fold(u64::from(case.looks) + 1, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3));
    let tenth = pause / 10;
    // Only later: what must not be asked before a moment is not.
    pause + (seed >> 11) as Millis % (tenth + 1)
}
