//! Who decides when a request may leave: a token bucket of this client, or one that the processes of a store share.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use crate::process::PerProcess;
use crate::token_bucket::{Rate, TokenBucket};
use crate::transport::{Fault, Limits};
use crate::unix_time::Millis;

/// A boxed future: the trait is used as an object.
pub(crate) type Later<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

/// A request's place in a budget.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Place {
    /// Until its moment.
    pub wait: Duration,
    /// Its moment, in milliseconds of the budget's clock.
    pub at: i64,
    /// The end of a pause raises it: places of before are lost.
    pub epoch: i64,
}

/// A place that is not used within this time after its moment is lost: a process that was stopped in its wait must not
/// send together with those that came after it.
pub(crate) const PLACE_LASTS: i64 = 1000;

/// While a request waits, how often it is asked whether its place still stands.
const SLICE: Duration = Duration::from_millis(500);

/// A request budget.
pub(crate) trait RateLimiter: Send + Sync {
    /// Takes a place; None, and nothing is taken, if its wait is longer than `limit`.
    fn acquire(&self, limit: Duration) -> Later<'_, Option<Place>>;

    /// Whether a place is lost: its moment is over, or the pause that it waited for was ended.
    fn is_lost(&self, place: Place) -> Later<'_, bool>;

    /// The vendor answered "too many requests", with its Retry-After in milliseconds, and when that ends by a test clock.
    fn on_rate_limited(&self, retry_after_ms: Option<u64>, test_end: Option<Millis>) -> Later<'_, ()>;
}

/// Waits until the budget allows a request; fails at once if that is not before the deadline.
pub(crate) async fn wait_for_place(limiter: &dyn RateLimiter, limits: &Limits<'_>) -> Result<(), Fault> {
    loop {
        let Some(place) = limiter.acquire(limits.left()).await else { return limits.sleep_for_budget(None).await };
        let mut left = place.wait;
        while !left.is_zero() {
            let slice = left.min(SLICE);
            limits.sleep_for_budget(Some(slice)).await?;
            left -= slice;
            if limiter.is_lost(place).await {
                break;
            }
            if left.is_zero() {
                return Ok(());
            }
        }
        if place.wait.is_zero() {
            return Ok(());
        }
    }
}

/// A budget of one client in one process. Without a rate it only pauses for a Retry-After.
pub(crate) struct LocalLimiter {
    /// Each process begins with a full one.
    bucket: PerProcess<Option<TokenBucket>>,
    rate: Rate,
    /// The bucket counts seconds since then.
    start: Instant,
}

impl LocalLimiter {
    pub fn new(rate: Option<Rate>) -> LocalLimiter {
        LocalLimiter { bucket: PerProcess::default(), rate: rate.unwrap_or(Rate::UNLIMITED), start: Instant::now() }
    }

    fn with<T>(&self, work: impl FnOnce(&mut TokenBucket, f64) -> T) -> T {
        let mut bucket = self.bucket.lock();
        work(bucket.get_or_insert_with(|| TokenBucket::new(self.rate)), self.start.elapsed().as_secs_f64())
    }

    fn millis(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

impl RateLimiter for LocalLimiter {
    fn acquire(&self, limit: Duration) -> Later<'_, Option<Place>> {
        let wait = self.with(|bucket, now| bucket.take_within(now, limit));
        let at = |wait: Duration| self.millis().saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        Box::pin(std::future::ready(wait.map(|wait| Place { wait, at: at(wait), epoch: 0 })))
    }

    fn is_lost(&self, place: Place) -> Later<'_, bool> {
        Box::pin(std::future::ready(self.millis() > place.at.saturating_add(PLACE_LASTS)))
    }

    fn on_rate_limited(&self, retry_after_ms: Option<u64>, _: Option<Millis>) -> Later<'_, ()> {
        let wait = Duration::from_millis(retry_after_ms.unwrap_or(0));
        self.with(|bucket, now| bucket.slow_down(now, wait));
        Box::pin(std::future::ready(()))
    }
}
