//! What a client holds: its configuration, and the connections and budgets of this process.

use std::sync::atomic::AtomicU8;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use crate::budget::Budget;
use crate::case::model::Stamp;
use crate::case::store::{Sqlite, Store, Stored};
use crate::case::{self, clock};
use crate::config::{CaseClock, Config, Rate};
use crate::json::Node;
use crate::outcome::{Error, Status};
use crate::reply::Reply;
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
    /// Where cases are kept.
    pub store: Option<Arc<dyn Store>>,
    rate: Option<Rate>,
    clock: CaseClock,
}

impl Live {
    pub fn new(config: &Config) -> Result<Arc<Live>, Error> {
        let store = match &config.store {
            Some(path) => Some(Arc::new(Sqlite::open(path, account(config))?) as Arc<dyn Store>),
            None => None,
        };
        Ok(Arc::new(Live {
            store,
            rate: config.rate_limit,
            clock: config.clock.clone(),
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

/// Two accounts in one store never see each other's cases.
fn account(config: &Config) -> String {
    let who = format!("{}\n{}", config.base_url.as_str().trim_end_matches('/'), config.client_id);
    let digest = ring::digest::digest(&ring::digest::SHA256, who.as_bytes());
    case::wish::hex(digest.as_ref().get(..12).unwrap_or_default())
}

/// The name of the budget of all requests in the store.
const REQUESTS: &str = "requests";

impl Live {
    /// Waits for a place in the request budget, unless there is none before the deadline.
    pub async fn wait_for_place(&self, limits: &Limits<'_>) -> Result<(), Fault> {
        let wait = match (&self.budget, &self.store, self.rate) {
            (_, Some(store), Some(rate)) => self.shared_place(store, REQUESTS, rate, limits).await,
            (Some(budget), ..) => {
                let mut budget = budget.lock().unwrap_or_else(PoisonError::into_inner);
                budget.take_within(self.since.elapsed().as_secs_f64(), limits.left())
            }
            (None, ..) => Some(Duration::ZERO),
        };
        Live::wait(wait, limits).await
    }

    /// As [`Live::wait_for_place`], in a budget that the processes of a store share.
    pub async fn shared_place(
        &self,
        store: &Arc<dyn Store>,
        name: &'static str,
        rate: Rate,
        limits: &Limits<'_>,
    ) -> Option<Duration> {
        let patience = i64::try_from(limits.left().as_millis()).unwrap_or(i64::MAX);
        let place = on(store, move |store| store.place(name, rate, patience)).await;
        // A store that fails must not let everybody through at once, nor stop queries for ever.
        let wait = place.unwrap_or(Some((1000.0 / rate.per_second) as i64));
        wait.map(|ms| Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
    }

    /// Waits for a place that was taken.
    pub async fn wait(wait: Option<Duration>, limits: &Limits<'_>) -> Result<(), Fault> {
        match wait {
            None => Err(Fault::RateWaitTimeout),
            Some(wait) if wait.is_zero() => Ok(()),
            Some(wait) => match limits.run(tokio::time::sleep(wait)).await {
                Err(Fault::Timeout) => Err(Fault::RateWaitTimeout),
                other => other,
            },
        }
    }

    /// The vendor complained about the pace: everybody slows down.
    pub async fn heed(&self, reply: &Reply) {
        let Some(error) = reply.error().filter(|e| e.status == Status::RATE_LIMITED || e.vendor_status == Some(905))
        else {
            return;
        };
        let wait = error.retry_after_ms;
        if let Some(budget) = &self.budget {
            let mut budget = budget.lock().unwrap_or_else(PoisonError::into_inner);
            budget.slow_down(self.since.elapsed().as_secs_f64(), Duration::from_millis(wait.unwrap_or(0)));
        }
        if let Some(store) = &self.store {
            let wait = wait.and_then(|ms| i64::try_from(ms).ok());
            let _ = on(store, move |store| store.slow_down(wait)).await;
        }
    }

    /// Now, by the clock of the cases.
    pub async fn now(&self) -> Result<Stamp, Error> {
        match &self.clock {
            CaseClock::Machine => Ok(clock::now()),
            CaseClock::Fixed(at) => Ok(clock::at(*at)),
            CaseClock::At(url) => {
                let text = self.transport.text(url).await;
                let now = text.as_deref().and_then(|t| {
                    Node::parse(t).ok().and_then(|n| n.get("now").and_then(Node::as_str).and_then(clock::parse))
                });
                now.map(clock::at).ok_or_else(|| {
                    Error::local(
                        "bad_config",
                        Status::CONFIG,
                        "the test clock at clock.url does not answer {\"now\": …}",
                    )
                })
            }
        }
    }

    /// Whether the clock is the machine's.
    pub fn is_real_time(&self) -> bool {
        self.clock == CaseClock::Machine
    }
}

/// Works on the store beside the I/O thread: it waits for the disk and for other processes.
pub(crate) async fn on<T: Send + 'static>(
    store: &Arc<dyn Store>,
    work: impl FnOnce(&dyn Store) -> Stored<T> + Send + 'static,
) -> Stored<T> {
    let store = store.clone();
    tokio::task::spawn_blocking(move || work(&*store))
        .await
        .unwrap_or_else(|_| Err(Error::local("panic", Status::PANIC, "the store panicked")))
}
