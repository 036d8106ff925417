//! What the case operations of one client share: the store, the clock, the budgets that the store holds.

use std::sync::Arc;
use std::time::Duration;

use super::clock::{self, Stamp};
use super::passengers::{Asked, ticket_marks};
use super::store::budget::{FOLLOW, REQUESTS};
use super::store::connection::IsAlive;
use super::store::file::Sqlite;
use super::store::identity::Identity;
use super::store::moving::{self, Moved};
#[cfg(feature = "postgres")]
use super::store::postgres::database::Postgres;
use super::store::{KnownOffer, Store, Stored, patience, store_error};
use super::vendor::answers;
use super::vocabulary::Way;
#[cfg(not(feature = "postgres"))]
use crate::config::bad_config;
use crate::config::{CaseClock, CasePolicy, Config, StoreConfig};
use crate::contract::operation::{Operation, OperationKind};
use crate::error::{Error, ErrorCode};
use crate::exchange::context::{CallContext, Warning};
use crate::exchange::rate_limiter::{Later, PLACE_LASTS, Place, RateLimiter, wait_for_place};
use crate::exchange::runtime::no_thread;
use crate::exchange::session::Session;
use crate::reply::Reply;
use crate::token_bucket::Rate;
use crate::transport::{Fault, Limits};
use crate::unix_time::Millis;
use crate::workers;

#[cfg(not(feature = "postgres"))]
const NO_SERVERS: &str = "this build of the library has no PostgreSQL in it (feature `postgres`)";

/// See the module.
pub(crate) struct CaseService {
    store: Arc<dyn Store>,
    session: Arc<Session>,
}

impl CaseService {
    /// Opens the configured store; None if none is configured.
    pub fn open_store(config: &Config, is_alive: IsAlive) -> Result<Option<Arc<dyn Store>>, Error> {
        match &config.store {
            Some(StoreConfig::File(file)) => Ok(Some(Arc::new(Sqlite::open(file, identity(config), is_alive)?))),
            #[cfg(feature = "postgres")]
            Some(StoreConfig::Server(server)) => {
                Ok(Some(Arc::new(Postgres::open(server, identity(config), is_alive)?)))
            }
            #[cfg(not(feature = "postgres"))]
            Some(StoreConfig::Server(_)) => Err(bad_config("/store/url", NO_SERVERS)),
            None => Ok(None),
        }
    }

    /// Moves all accounts of another store into this one.
    pub async fn import(&self, from: StoreConfig, dry_run: bool, is_alive: IsAlive) -> Stored<Moved> {
        let test_now = self.session.test_now().await.transpose()?;
        run_within(&self.store, MOVE, move |target| {
            let source: Box<dyn Store> = match &from {
                StoreConfig::File(file) => Box::new(Sqlite::open_whole(file, is_alive)?),
                #[cfg(feature = "postgres")]
                StoreConfig::Server(server) => Box::new(Postgres::open_whole(server, is_alive)?),
                #[cfg(not(feature = "postgres"))]
                StoreConfig::Server(_) => return Err(bad_config("/store/url", NO_SERVERS)),
            };
            let now = || test_now.map_or_else(|| target.now(), |now| Ok(clock::at(now)));
            moving::import(&mut *source.side()?, &mut *target.side()?, &now, dry_run)
        })
        .await
    }

    /// The request budget that all processes of the store share.
    pub fn limiter(store: &Arc<dyn Store>, config: &Config) -> Arc<dyn RateLimiter> {
        let rate = config.rate_limit.unwrap_or(Rate::UNLIMITED);
        Arc::new(StoreLimiter { store: store.clone(), name: REQUESTS, rate })
    }

    pub fn new(store: Arc<dyn Store>, session: Arc<Session>) -> CaseService {
        CaseService { store, session }
    }

    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub fn policy(&self) -> &CasePolicy {
        &self.session.config.case_policy
    }

    /// The configured budget of the follow-up.
    pub fn follow_rate(&self) -> Rate {
        self.session.config.follow
    }

    /// Runs store work beside the I/O thread: it waits for the disk and for other processes.
    pub async fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Store) -> Stored<T> + Send + 'static,
    ) -> Stored<T> {
        run_blocking(&self.store, work).await
    }

    /// Now, by the clock of the cases.
    pub async fn now(&self) -> Result<Stamp, Error> {
        match self.session.test_now().await {
            None => match self.store.quick_now() {
                Some(now) => Ok(now),
                None => self.run_blocking(|store| store.now()).await,
            },
            Some(now) => now.map(clock::at),
        }
    }

    /// Whether the clock is the machine's.
    pub fn is_real_time(&self) -> bool {
        self.session.config.clock == CaseClock::Machine
    }

    /// After an intent is stored and before its body leaves; see [`Store::write_witness`].
    pub async fn write_witness(&self, id: &str, number: i64) -> Stored<Option<String>> {
        let id = id.to_owned();
        self.run_blocking(move |store| store.write_witness(&id, number)).await
    }

    /// Adds what was noticed of the store, in this call or before.
    pub fn with_warnings(&self, reply: Reply, context: &mut CallContext) -> Reply {
        for warning in self.store.take_warnings() {
            context.warn_of_store(warning);
        }
        let add = |reply: Reply, warning: Warning| reply.with_warning(warning.code, &warning.text);
        context.store_warnings.drain(..).fold(reply, add)
    }

    /// The budgets of the account and their rates.
    pub fn rates(&self) -> [(&'static str, Rate); 2] {
        [(REQUESTS, self.session.config.rate_limit.unwrap_or(Rate::UNLIMITED)), (FOLLOW, self.follow_rate())]
    }

    /// How long a Retry-After still stops the account, in milliseconds; None if none does.
    pub async fn pause_left(&self) -> Stored<Option<Millis>> {
        let test_now = self.session.test_now().await.transpose()?;
        let rates = self.rates();
        let left = self.run_blocking(move |store| store.pause_left(test_now, &rates)).await?;
        Ok((left > 0).then_some(left))
    }

    /// Until when a Retry-After stops the account, by the clock of the cases.
    pub async fn paused_until(&self) -> Stored<Option<Millis>> {
        match self.pause_left().await? {
            Some(left) => Ok(Some(self.now().await?.wall + left)),
            None => Ok(None),
        }
    }

    /// Waits until the follow-up's budget allows a request.
    pub async fn acquire_follow(&self, limits: &Limits<'_>) -> Result<(), Fault> {
        let limiter = StoreLimiter { store: self.store.clone(), name: FOLLOW, rate: self.follow_rate() };
        wait_for_place(&limiter, limits).await
    }

    /// Takes a token of the follow-up's budget if the wait is at most `limit`; gives the wait. Fails with the store.
    pub async fn try_acquire_follow(&self, limit: Duration) -> Stored<Option<Duration>> {
        let (rate, limit) = (self.follow_rate(), i64::try_from(limit.as_millis()).unwrap_or(i64::MAX));
        let place = self.run_blocking(move |store| store.acquire(FOLLOW, rate, limit)).await?;
        Ok(place.map(|place| place.wait))
    }

    /// The follow-up's rate now, in requests per second, and the wait for the next request in milliseconds.
    pub async fn follow_budget(&self) -> Stored<(f64, Millis)> {
        let rate = self.follow_rate();
        self.run_blocking(move |store| store.current_rate(FOLLOW, rate)).await
    }

    /// Records of a vendor's answer what a case needs to know later: the offer of a quotation, so that its age is known
    /// when a case is to use it, and that orders come with the list of their booking's orders.
    pub async fn remember(&self, op: &'static Operation, reply: &Reply) {
        if op.kind == OperationKind::Quote {
            self.remember_offer(op, reply).await;
        } else if answers::lists_orders(op.name, reply) {
            let _ = self
                .run_blocking(|store| {
                    let _scope = store.connection_scope();
                    store.remember_listing()
                })
                .await;
        }
    }

    async fn remember_offer(&self, op: &'static Operation, reply: &Reply) {
        let Some((way, Some(order_no), quote)) = answers::offer(op.name, reply) else { return };
        let Some(offer_id) = quote.offer_id.clone() else { return };
        let Ok(stamp) = self.now().await else { return };
        let names = match way {
            Way::Refund => answers::quoted_names(reply),
            Way::Void => Vec::new(),
        };
        let tickets = ticket_marks(&offer_id, names.iter().map(String::as_str));
        let asked: Vec<Asked> = names.into_iter().map(Asked::Name).collect();
        let _ = self
            .run_blocking(move |store| {
                let _scope = store.connection_scope();
                let known = store.order_passengers(&order_no)?;
                let positions = known.and_then(|known| known.positions(&asked)).unwrap_or_default();
                let offer = KnownOffer { way, order_no, positions, tickets, quote };
                store.remember_offer(&offer_id, &offer, stamp)
            })
            .await;
    }
}

fn identity(config: &Config) -> Identity {
    let host = config.base_url.host_str().unwrap_or_default();
    Identity::new(config.base_url.as_str(), host, &config.client_id, config.account.clone())
}

tokio::task_local!(static DEADLINE: tokio::time::Instant);

/// Near and after the call's deadline, so long for each of the last writes: they store what the call has learned.
const LAST_WRITES: Duration = Duration::from_millis(500);
/// Beyond the wait for other processes, for the disk itself. One that is slower than that, or frozen, costs no more.
const DISK: Duration = Duration::from_millis(500);
/// Of work without a call.
const ANY: Duration = Duration::from_secs(60);
/// Of a move between stores, which copies all rows.
const MOVE: Duration = Duration::from_secs(3600);

/// Runs a call; the store's work for it ends with it.
pub(crate) async fn until<F: Future>(deadline: tokio::time::Instant, call: F) -> F::Output {
    DEADLINE.scope(deadline, call).await
}

/// Work that is given up goes on in its thread if it has begun there. It may yet be written, so its fate is not known: the
/// caller sends nothing on the strength of it. What has not begun never does.
async fn run_blocking<T: Send + 'static>(
    store: &Arc<dyn Store>,
    work: impl FnOnce(&dyn Store) -> Stored<T> + Send + 'static,
) -> Stored<T> {
    run_within(store, ANY, work).await
}

async fn run_within<T: Send + 'static>(
    store: &Arc<dyn Store>,
    most: Duration,
    work: impl FnOnce(&dyn Store) -> Stored<T> + Send + 'static,
) -> Stored<T> {
    let store = store.clone();
    let left = DEADLINE.try_with(|at| at.saturating_duration_since(tokio::time::Instant::now()));
    let left = left.map_or(most, |left| left.clamp(LAST_WRITES, most));
    let end = std::time::Instant::now() + left;
    let done = workers::current().store.spawn(move || patience::within(end, || work(&*store)));
    let done = done.map_err(|(error, _)| no_thread(&error))?;
    match tokio::time::timeout(left + DISK, done).await {
        Ok(Ok(Ok(done))) => done,
        Ok(_) => Err(Error::new(ErrorCode::Panic, "the store panicked")),
        Err(_) => {
            Err(store_error(ErrorCode::StoreBusy, "the store's file system did not answer in the time of the call"))
        }
    }
}

/// A budget in the store. Without a configured rate it limits nothing, but pauses for a Retry-After.
struct StoreLimiter {
    store: Arc<dyn Store>,
    name: &'static str,
    rate: Rate,
}

impl RateLimiter for StoreLimiter {
    fn acquire(&self, limit: Duration) -> Later<'_, Option<Place>> {
        Box::pin(async move {
            let (name, rate) = (self.name, self.rate);
            let limit = i64::try_from(limit.as_millis()).unwrap_or(i64::MAX);
            let place = run_blocking(&self.store, move |store| store.acquire(name, rate, limit)).await;
            // A store that fails must not let every request through at once, nor stop queries for ever.
            place.unwrap_or_else(|_| {
                let wait = Duration::try_from_secs_f64(1.0 / rate.per_second).unwrap_or_default();
                Some(Place { wait, at: i64::MAX - PLACE_LASTS, epoch: -1 })
            })
        })
    }

    fn is_lost(&self, place: Place) -> Later<'_, bool> {
        Box::pin(async move {
            let name = self.name;
            let ended = run_blocking(&self.store, move |store| store.epoch(name)).await;
            let is_ended = place.epoch >= 0 && ended.is_ok_and(|epoch| epoch != place.epoch);
            // On a clock that counts suspends.
            is_ended || clock::machine().1 > place.at.saturating_add(PLACE_LASTS)
        })
    }

    fn on_rate_limited(&self, retry_after_ms: Option<u64>, test_end: Option<Millis>) -> Later<'_, ()> {
        let wait = retry_after_ms.and_then(|ms| i64::try_from(ms).ok());
        Box::pin(async move {
            let _ = run_blocking(&self.store, move |store| store.on_rate_limited(wait, test_end)).await;
        })
    }
}
