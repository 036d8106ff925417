//! What the calls of one client in one process share: configuration, connections, places in flight, request budget.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::rate_limiter::{RateLimiter, wait_for_place};
use crate::config::Config;
use crate::error::{Error, Status};
use crate::reply::Reply;
use crate::transport::{Fault, Limits, Transport};

/// See the module. A forked child makes its own.
pub(crate) struct Session {
    pub config: Arc<Config>,
    pub transport: Transport,
    pub in_flight: Semaphore,
    limiter: Arc<dyn RateLimiter>,
}

impl Session {
    pub fn new(config: Arc<Config>, limiter: Arc<dyn RateLimiter>) -> Result<Session, Error> {
        Ok(Session {
            transport: Transport::new(&config)?,
            in_flight: Semaphore::new(config.max_in_flight),
            limiter,
            config,
        })
    }

    /// Waits until the request budget allows a request; fails at once if that is not before the deadline.
    pub async fn acquire(&self, limits: &Limits<'_>) -> Result<(), Fault> {
        wait_for_place(&*self.limiter, limits).await
    }

    /// Slows down if the vendor answered "too many requests" (429) or "submitted too often" (905).
    pub async fn on_reply(&self, reply: &Reply) {
        let Some(error) = reply.error().filter(|e| e.status == Status::RATE_LIMITED || e.vendor_status == Some(905))
        else {
            return;
        };
        // One Retry-After must not stop an account for ever.
        let most = self.config.retry_after_max.as_millis() as u64;
        self.limiter.on_rate_limited(error.retry_after_ms.map(|ms| ms.min(most))).await;
    }
}
