//! What a client holds: its configuration, and the connections and budgets of this process.

use std::sync::atomic::AtomicU8;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::budget::Budget;
use crate::config::Config;
use crate::outcome::Error;
use crate::transport::{Fault, Limits, Transport};

pub(crate) struct Inner {
    pub config: Config,
    /// The process that made it, and its connections.
    pub live: Mutex<Option<(u32, Arc<Live>)>>,
    pub log_level: AtomicU8,
}

/// What belongs to one process: a forked child makes its own.
pub(crate) struct Live {
    pub transport: Transport,
    pub in_flight: Semaphore,
    budget: Option<Mutex<Budget>>,
    since: Instant,
}

impl Live {
    pub fn new(config: &Config) -> Result<Arc<Live>, Error> {
        Ok(Arc::new(Live {
            transport: Transport::new(config)?,
            in_flight: Semaphore::new(config.max_in_flight),
            budget: config.rate_limit.map(|rate| Mutex::new(Budget::new(rate))),
            since: Instant::now(),
        }))
    }
}

impl Inner {
    /// This process' connections. In a forked child the inherited ones are forgotten, never dropped:
    /// closing them would disturb the parent's sockets.
    ///
    /// `pid` is the process of the runtime that asks, hence this one: its thread runs nowhere else.
    pub fn live(&self, pid: u32) -> Result<Arc<Live>, Error> {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((owner, live)) = &*live
            && *owner == pid
        {
            return Ok(live.clone());
        }
        let own = Live::new(&self.config)?;
        std::mem::forget(live.replace((pid, own.clone())));
        Ok(own)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let live = self.live.get_mut().unwrap_or_else(PoisonError::into_inner);
        if live.as_ref().is_some_and(|(owner, _)| *owner != std::process::id()) {
            std::mem::forget(live.take());
        }
    }
}

impl Live {
    /// Waits for a place in the request budget, unless there is none before the deadline.
    pub async fn wait_for_place(&self, limits: &Limits<'_>) -> Result<(), Fault> {
        let wait = match &self.budget {
            None => Some(Duration::ZERO),
            Some(budget) => {
                let mut budget = budget.lock().unwrap_or_else(PoisonError::into_inner);
                budget.take_within(self.since.elapsed().as_secs_f64(), limits.left())
            }
        };
        match wait {
            None => Err(Fault::RateWaitTimeout),
            Some(wait) if wait.is_zero() => Ok(()),
            Some(wait) => match limits.run(tokio::time::sleep(wait)).await {
                Err(Fault::Timeout) => Err(Fault::RateWaitTimeout),
                other => other,
            },
        }
    }
}
