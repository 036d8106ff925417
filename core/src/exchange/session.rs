//! What the calls of one client in one process share: configuration, connections, places in flight, request budget.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::rate_limiter::{RateLimiter, wait_for_place};
use crate::config::{CaseClock, Config};
use crate::error::{Error, ErrorCode, Status};
use crate::json::Node;
use crate::reply::Reply;
use crate::transport::{Fault, Limits, Transport};
use crate::unix_time::{Millis, parse_rfc3339};

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
        let most = u64::try_from(self.config.case_policy.retry_after_max).unwrap_or(0);
        let wait = error.retry_after_ms.map(|ms| ms.min(most));
        // By a test clock the pause may end before the machine's clock says so.
        let test_now = self.test_now().await.and_then(Result::ok);
        let ends = test_now.zip(wait.and_then(|ms| Millis::try_from(ms).ok())).map(|(now, ms)| now.saturating_add(ms));
        self.limiter.on_rate_limited(wait, ends).await;
    }

    /// Now by the configured test clock; None if the machine's clock is used.
    pub async fn test_now(&self) -> Option<Result<Millis, Error>> {
        let url = match &self.config.clock {
            CaseClock::Machine => return None,
            CaseClock::Fixed(at) => return Some(Ok(*at)),
            CaseClock::At(url) => url,
        };
        let text = self.transport.text(url).await;
        let now = text.as_deref().and_then(|t| {
            Node::parse(t).ok().and_then(|n| n.get("now").and_then(Node::as_str).and_then(parse_rfc3339))
        });
        Some(now.ok_or_else(|| {
            Error::new(ErrorCode::BadConfig, "the test clock at clock.url does not answer {\"now\": …}")
        }))
    }
}
