//! Who decides when a request may leave: a token bucket of this client, or one that the processes of a store share.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::token_bucket::{Rate, TokenBucket};

/// A boxed future: the trait is used as an object.
pub(crate) type Later<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

/// A request budget.
pub(crate) trait RateLimiter: Send + Sync {
    /// Takes a token and gives how long to wait before the request may leave; None, and nothing is taken, if that is
    /// longer than `limit`.
    fn acquire(&self, limit: Duration) -> Later<'_, Option<Duration>>;

    /// The vendor answered "too many requests", with its Retry-After in milliseconds.
    fn on_rate_limited(&self, retry_after_ms: Option<u64>) -> Later<'_, ()>;
}

/// A budget of one client in one process.
pub(crate) struct LocalLimiter {
    bucket: Mutex<TokenBucket>,
    /// The bucket counts seconds since then.
    start: Instant,
}

impl LocalLimiter {
    pub fn new(rate: Rate) -> LocalLimiter {
        LocalLimiter { bucket: Mutex::new(TokenBucket::new(rate)), start: Instant::now() }
    }

    fn with<T>(&self, work: impl FnOnce(&mut TokenBucket, f64) -> T) -> T {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        work(&mut bucket, self.start.elapsed().as_secs_f64())
    }
}

impl RateLimiter for LocalLimiter {
    fn acquire(&self, limit: Duration) -> Later<'_, Option<Duration>> {
        Box::pin(std::future::ready(self.with(|bucket, now| bucket.take_within(now, limit))))
    }

    fn on_rate_limited(&self, retry_after_ms: Option<u64>) -> Later<'_, ()> {
        let wait = Duration::from_millis(retry_after_ms.unwrap_or(0));
        self.with(|bucket, now| bucket.slow_down(now, wait));
        Box::pin(std::future::ready(()))
    }
}
