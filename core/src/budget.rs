//! The request budget: over any window w at most `rate·w + burst` requests. Pure; the caller waits.

use std::time::Duration;

use crate::config::Rate;

/// The smallest share of the rate that complaints of the vendor leave.
const LEAST: f64 = 1.0 / 16.0;
/// After so many quiet seconds, the share doubles again.
const QUIET: f64 = 30.0;
/// Complaints that come together are one.
const TOGETHER: f64 = 1.0;

/// A token bucket in its "virtual scheduling" form: the time at which the bucket is full again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Budget {
    rate: Rate,
    /// Seconds on the caller's monotonic clock.
    full_at: f64,
    /// What is left of the rate after complaints: 1, ½, ¼ …
    share: f64,
    /// Until when the share stays.
    slow_until: f64,
    /// The vendor wants no request before.
    not_before: f64,
}

impl Budget {
    pub fn new(rate: Rate) -> Budget {
        Budget { rate, full_at: 0.0, share: 1.0, slow_until: 0.0, not_before: 0.0 }
    }

    /// What a store keeps of it.
    pub fn state(&self) -> [f64; 4] {
        [self.full_at, self.share, self.slow_until, self.not_before]
    }

    /// As another process left it.
    pub fn restore(&mut self, [full_at, share, slow_until, not_before]: [f64; 4]) {
        *self = Budget { rate: self.rate, full_at, share: share.clamp(LEAST, 1.0), slow_until, not_before };
    }

    /// Requests per second, as they are allowed now.
    pub fn per_second(&self) -> f64 {
        self.rate.per_second * self.share
    }

    fn interval(&self) -> f64 {
        1.0 / self.per_second()
    }

    /// A smaller share; what is owed is counted in requests, so it takes longer from now on.
    fn lower(&mut self, share: f64, now: f64) {
        let owed = (self.full_at - now).max(0.0) * self.share;
        self.share = share;
        self.full_at = now + owed / share;
    }

    /// Gives the rate back step by step when nobody complains.
    fn recover(&mut self, now: f64) {
        while self.share < 1.0 && now >= self.slow_until {
            // Who waits already was told when: their places stay where they are.
            self.share = (self.share * 2.0).min(1.0);
            self.slow_until += QUIET;
        }
    }

    /// The vendor complained: half the rate, and no request before `wait` is over.
    pub fn slow_down(&mut self, now: f64, wait: Duration) {
        self.recover(now);
        if self.share == 1.0 || now >= self.slow_until - QUIET + TOGETHER {
            self.lower((self.share / 2.0).max(LEAST), now);
        }
        self.slow_until = self.slow_until.max(now + QUIET + wait.as_secs_f64());
        self.not_before = self.not_before.max(now + wait.as_secs_f64());
    }

    /// How long the next place is away.
    pub fn wait(&mut self, now: f64) -> Duration {
        self.recover(now);
        let interval = self.interval();
        let start = now.max(self.not_before);
        // The bucket may be at most `burst` intervals away from full.
        let wait = self.full_at.max(start) + interval - start - interval * f64::from(self.rate.burst);
        Duration::try_from_secs_f64(wait.max(0.0) + start - now).unwrap_or(Duration::MAX)
    }

    /// Takes one place at `now` and says how long to wait for it. A place once taken is used up, so
    /// that waiting callers are served in order.
    pub fn take(&mut self, now: f64) -> Duration {
        let wait = self.wait(now);
        self.full_at = self.full_at.max(now).max(self.not_before) + self.interval();
        wait
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
        /// Whatever the arrivals and complaints, no window holds more than rate·w + burst requests.
        #[test]
        fn no_window_exceeds_the_budget(gaps in proptest::collection::vec((0.0..2.0f64, 0u8..8), 1..80), per_second in 0.5..20.0f64, burst in 1u32..6) {
            let mut budget = Budget::new(Rate { per_second, burst });
            let mut now = 0.0;
            let mut sent = Vec::new();
            for (gap, complaint) in gaps {
                now += gap * if complaint == 7 { 40.0 } else { 1.0 };
                if complaint == 0 {
                    budget.slow_down(now, Duration::ZERO);
                }
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
