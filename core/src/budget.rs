//! The request budget: over any window w at most `rate·w + burst` requests. Pure; the caller waits.

use std::time::Duration;

use crate::config::Rate;

/// A token bucket in its "virtual scheduling" form: one number, the time at which the bucket is full again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Budget {
    rate: Rate,
    /// Seconds on the caller's monotonic clock.
    full_at: f64,
}

impl Budget {
    pub fn new(rate: Rate) -> Budget {
        Budget { rate, full_at: 0.0 }
    }

    /// Takes one place at `now` and says how long to wait for it. A place once taken is used up, so
    /// that waiting callers are served in order.
    pub fn take(&mut self, now: f64) -> Duration {
        let interval = 1.0 / self.rate.per_second;
        let full_at = self.full_at.max(now) + interval;
        // The bucket may be at most `burst` intervals away from full.
        let wait = full_at - now - interval * f64::from(self.rate.burst);
        self.full_at = full_at;
        Duration::try_from_secs_f64(wait.max(0.0)).unwrap_or(Duration::MAX)
    }

    /// As [`Budget::take`], but takes nothing if the wait is longer than `patience`.
    pub fn take_within(&mut self, now: f64, patience: Duration) -> Option<Duration> {
        let before = *self;
        let wait = self.take(now);
        if wait > patience {
            *self = before;
            return None;
        }
        Some(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the arrivals, no window holds more than rate·w + burst requests.
        #[test]
        fn no_window_exceeds_the_budget(gaps in proptest::collection::vec(0.0..2.0f64, 1..80), per_second in 0.5..20.0f64, burst in 1u32..6) {
            let mut budget = Budget::new(Rate { per_second, burst });
            let mut now = 0.0;
            let mut sent = Vec::new();
            for gap in gaps {
                now += gap;
                sent.push(now + budget.take(now).as_secs_f64());
            }
            sent.sort_by(f64::total_cmp);
            for (i, from) in sent.iter().enumerate() {
                for (j, to) in sent.iter().enumerate().skip(i) {
                    let allowed = per_second * (to - from) + f64::from(burst);
                    prop_assert!(((j - i + 1) as f64) <= allowed + 1e-6, "{} in {}", j - i + 1, to - from);
                }
            }
        }
    }
}
