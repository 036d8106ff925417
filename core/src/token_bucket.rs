//! The request budget: over any window w at most `rate·w + burst` requests. Pure; the caller waits.

use std::time::Duration;

/// A request budget as configured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rate {
    /// Requests per second; may be a fraction.
    pub per_second: f64,
    /// Requests at once, at least 1.
    pub burst: u32,
}

impl Rate {
    /// No limit but a Retry-After: no interval between requests.
    pub const UNLIMITED: Rate = Rate { per_second: f64::INFINITY, burst: 1 };
}

/// The smallest share of the configured rate that "too many requests" answers leave.
const SMALLEST_SHARE: f64 = 1.0 / 8.0;
/// Seconds without a "too many requests" answer after which the share doubles.
const QUIET: f64 = 60.0;
/// "Too many requests" answers within this many seconds count as one.
const SAME_EVENT: f64 = 1.0;

/// A token bucket in its "virtual scheduling" form: the time at which the bucket is full again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct TokenBucket {
    rate: Rate,
    /// Seconds on the caller's monotonic clock.
    full_at: f64,
    /// The share of the rate that is in use: 1, ½, ¼ …
    share: f64,
    /// When the share may double again.
    slow_until: f64,
    /// No request before this time (Retry-After).
    not_before: f64,
}

impl TokenBucket {
    pub fn new(rate: Rate) -> TokenBucket {
        TokenBucket { rate, full_at: 0.0, share: 1.0, slow_until: 0.0, not_before: 0.0 }
    }

    /// The state, as a store keeps it.
    pub fn state(&self) -> [f64; 4] {
        [self.full_at, self.share, self.slow_until, self.not_before]
    }

    /// Takes over the state that another process stored.
    pub fn restore(&mut self, [full_at, share, slow_until, not_before]: [f64; 4]) {
        *self =
            TokenBucket { rate: self.rate, full_at, share: share.clamp(SMALLEST_SHARE, 1.0), slow_until, not_before };
    }

    /// Requests per second, as they are allowed now.
    pub fn per_second(&self) -> f64 {
        self.rate.per_second * self.share
    }

    fn interval(&self) -> f64 {
        1.0 / self.per_second()
    }

    /// Lowers the share. What is owed is a number of requests, so it takes longer from now on.
    fn lower(&mut self, share: f64, now: f64) {
        let owed = (self.full_at - now).max(0.0) * self.share;
        self.share = share;
        self.full_at = now + owed / share;
    }

    /// Doubles the share for each quiet period that has passed.
    fn recover(&mut self, now: f64) {
        while self.share < 1.0 && now >= self.slow_until {
            // Callers that wait have been given their times already; those do not change.
            self.share = (self.share * 2.0).min(1.0);
            self.slow_until += QUIET;
        }
    }

    /// The vendor answered "too many requests": half the rate, and no request before `wait` is over.
    pub fn slow_down(&mut self, now: f64, wait: Duration) {
        self.recover(now);
        if self.share == 1.0 || now >= self.slow_until - QUIET + SAME_EVENT {
            self.lower((self.share / 2.0).max(SMALLEST_SHARE), now);
        }
        self.slow_until = self.slow_until.max(now + QUIET + wait.as_secs_f64());
        self.not_before = self.not_before.max(now + wait.as_secs_f64());
    }

    /// Ends a pause that a Retry-After began. The share stays lowered, and the places of the pause are lost: the bucket
    /// is empty, so that those who were given a place in it must ask again.
    pub fn end_pause(&mut self, now: f64) {
        if self.not_before > now {
            self.not_before = now;
            self.full_at = now + self.interval() * f64::from(self.rate.burst);
        }
    }

    /// How long a Retry-After still stops every request.
    pub fn pause_left(&self, now: f64) -> Duration {
        Duration::try_from_secs_f64((self.not_before - now).max(0.0)).unwrap_or(Duration::MAX)
    }

    /// How long until the next request may leave.
    pub fn wait(&mut self, now: f64) -> Duration {
        self.recover(now);
        let interval = self.interval();
        let start = now.max(self.not_before);
        // The bucket may be at most `burst` intervals away from full.
        let wait = self.full_at.max(start) + interval - start - interval * f64::from(self.rate.burst);
        Duration::try_from_secs_f64(wait.max(0.0) + start - now).unwrap_or(Duration::MAX)
    }

    /// Takes a token at `now` and gives how long to wait before the request may leave. A token that was taken is
    /// used up, so that waiting callers are served in order.
    pub fn take(&mut self, now: f64) -> Duration {
        let wait = self.wait(now);
        self.full_at = self.full_at.max(now).max(self.not_before) + self.interval();
        wait
    }

    /// As [`TokenBucket::take`], but takes nothing if the wait is longer than `limit`.
    pub fn take_within(&mut self, now: f64, limit: Duration) -> Option<Duration> {
        let before = *self;
        let wait = self.take(now);
        if wait > limit {
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

    #[test]
    fn the_rate_halves_at_most_to_an_eighth_and_doubles_back_after_each_quiet_minute() {
        let mut bucket = TokenBucket::new(Rate { per_second: 8.0, burst: 1 });
        for nth in 0..6 {
            bucket.slow_down(f64::from(nth) * 2.0, Duration::ZERO);
        }
        assert_eq!(bucket.per_second(), 1.0);
        for (now, rate) in [(69.0, 1.0), (70.0, 2.0), (129.0, 2.0), (130.0, 4.0), (190.0, 8.0)] {
            bucket.wait(now);
            assert_eq!(bucket.per_second(), rate, "{now}");
        }
    }

    #[test]
    fn without_a_rate_a_retry_after_pauses_all_the_same_and_unpause_ends_it() {
        let mut bucket = TokenBucket::new(Rate::UNLIMITED);
        assert_eq!((0..100).map(|_| bucket.take(1.0)).max(), Some(Duration::ZERO));
        bucket.slow_down(1.0, Duration::from_secs(30));
        assert_eq!(bucket.take(2.0), Duration::from_secs(29));
        bucket.end_pause(3.0);
        assert_eq!(bucket.take(3.0), Duration::ZERO);
    }

    #[test]
    fn the_end_of_a_pause_keeps_the_halved_rate_and_gives_no_burst() {
        let mut bucket = TokenBucket::new(Rate { per_second: 2.0, burst: 4 });
        bucket.slow_down(0.0, Duration::from_secs(100));
        for _ in 0..4 {
            bucket.take(1.0);
        }
        bucket.end_pause(50.0);
        assert_eq!(bucket.per_second(), 1.0);
        assert_eq!(bucket.take(50.0), Duration::from_secs(1));
    }

    proptest! {
        /// Whatever the arrivals and slow-downs, no window holds more than rate·w + burst requests.
        #[test]
        fn no_window_exceeds_the_budget(gaps in proptest::collection::vec((0.0..2.0f64, 0u8..8), 1..80), per_second in 0.5..20.0f64, burst in 1u32..6) {
            let mut bucket = TokenBucket::new(Rate { per_second, burst });
            let mut now = 0.0;
            let mut sent = Vec::new();
            for (gap, slow_down) in gaps {
                now += gap * if slow_down == 7 { 40.0 } else { 1.0 };
                if slow_down == 0 {
                    bucket.slow_down(now, Duration::ZERO);
                }
                sent.push(now + bucket.take(now).as_secs_f64());
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
