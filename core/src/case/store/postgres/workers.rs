//! The lease of this process: one row, renewed in the background while cases are driven. Without it none of its cases is
//! its own any more, and nothing of them is sent.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::super::patience;
use super::link::{Failure, Link, column, values_of};
use super::look::{self, SERVER};
use super::memory::Memory;
use super::tls::Tls;
use crate::config::ServerStore;
use crate::exchange::runtime;
use crate::unix_time::{Millis, boot_clock};

/// How long the lease lasts after each renewal.
pub(super) const LEASE: Millis = 15_000;
/// This process counts on so much less: clocks run at different rates, and a write takes its time.
const MARGIN: Millis = 1_000;
const RENEWAL: Duration = Duration::from_secs(4);
/// Rows of processes that are gone for so long are removed.
const KEPT: Millis = 86_400_000;

/// One lease of this process. Once it is over it never comes back: the next one has another id.
pub(super) struct Worker {
    pub id: String,
    /// Until when, by this machine's clock; a renewal moves it on.
    pub until: Arc<AtomicI64>,
}

/// See the module.
pub(super) struct Workers {
    server: ServerStore,
    tls: Option<Tls>,
    memory: Arc<Memory>,
    current: Mutex<Option<Arc<Worker>>>,
    /// Until when this process may have cases, by this machine's clock.
    busy_until: AtomicI64,
    is_running: AtomicBool,
    /// A connection of its own: those of the calls may all be in use.
    link: Mutex<Option<Link>>,
    /// Cases that this process has: the version, and the lease that it was written under.
    held: Mutex<HashMap<String, (i64, Arc<AtomicI64>)>>,
    /// What was seen to stand still, and since when by this machine's clock.
    seen: Mutex<HashMap<String, Millis>>,
}

impl Workers {
    pub fn new(server: ServerStore, tls: Option<Tls>, memory: Arc<Memory>) -> Workers {
        Workers {
            server,
            tls,
            memory,
            current: Mutex::new(None),
            busy_until: AtomicI64::new(0),
            is_running: AtomicBool::new(false),
            link: Mutex::new(None),
            held: Mutex::new(HashMap::new()),
            seen: Mutex::new(HashMap::new()),
        }
    }

    /// The lease of this process, with some of its time left, for a case that it will have for at most `ms`.
    pub fn current(self: &Arc<Workers>, ms: Millis) -> Result<Arc<Worker>, Failure> {
        self.busy_until.fetch_max(boot_clock::now().saturating_add(ms), Ordering::SeqCst);
        let known = self.current.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let worker = match known {
            Some(worker) if worker.until.load(Ordering::SeqCst) - boot_clock::now() > LEASE / 2 => worker,
            _ => self.renew()?,
        };
        self.keep();
        Ok(worker)
    }

    /// Renews the lease, or takes a new one if it is over.
    fn renew(&self) -> Result<Arc<Worker>, Failure> {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        // Of the server that the cases are on: nobody else asks another one whether this lease lasts.
        let is_usable = |link: &Link| link.is_open() && look::is_current(link, &self.memory);
        let used = match link.take().filter(is_usable) {
            Some(usable) => usable,
            None => {
                let mut made = Link::connect(&self.server, self.tls.as_ref())?;
                look::look(&mut made, &self.memory)?;
                made
            }
        };
        let done = self.renew_by(&used);
        if done.is_ok() {
            *link = Some(used);
        }
        done
    }

    fn renew_by(&self, link: &Link) -> Result<Arc<Worker>, Failure> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        // Before the request leaves: the database counts from a later moment.
        let before = boot_clock::now();
        if let Some(worker) = &*current {
            // A late one does not take back what others may have by now.
            let sql = format!(
                "UPDATE apb.workers SET until = apb.now_ms() + $2, renewals = renewals + 1
                 WHERE id = $1 AND until > apb.now_ms() AND apb.sync() RETURNING {SERVER}"
            );
            if let Some(row) = link.query(&sql, values_of![&worker.id, LEASE])?.first() {
                if link.seen.is_some_and(|seen| Ok(seen.0) != column(row, 0).map_err(|_| ())) {
                    return Err(Failure::lost("behind the connection stands another server now"));
                }
                worker.until.fetch_max(before + LEASE - MARGIN, Ordering::SeqCst);
                return Ok(worker.clone());
            }
            // After a fail-over that lost its row too, whatever this process believed.
            worker.until.store(i64::MIN, Ordering::SeqCst);
        }
        let sql = "INSERT INTO apb.workers (id, host, until)
                   SELECT gen_random_uuid()::text, $1, apb.now_ms() + $2 WHERE apb.sync() RETURNING id";
        let before = boot_clock::now();
        let rows = link.query(sql, values_of![&super::super::witness::host(), LEASE])?;
        let id = rows.first().map_or_else(|| Ok(String::new()), |row| column(row, 0))?;
        link.query("DELETE FROM apb.workers WHERE until < apb.now_ms() - $1", values_of![KEPT])?;
        let worker = Arc::new(Worker { id, until: Arc::new(AtomicI64::new(before + LEASE - MARGIN)) });
        *current = Some(worker.clone());
        Ok(worker)
    }

    /// Renews in the background while this process may have cases.
    fn keep(self: &Arc<Workers>) {
        if self.is_running.swap(true, Ordering::SeqCst) {
            return;
        }
        match runtime::current() {
            Ok(runtime) => drop(runtime.spawn(keep(Arc::downgrade(self)))),
            // The next call tries again; until then its own renewals are all there are.
            Err(_) => self.is_running.store(false, Ordering::SeqCst),
        }
    }

    /// This process has a case by this version.
    pub fn take(&self, id: &str, version: i64, worker: &Worker) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.len() > 10_000 {
            // Cases that others have taken over.
            held.retain(|_, (_, end)| end.load(Ordering::SeqCst) > boot_clock::now());
        }
        held.insert(id.to_owned(), (version, worker.until.clone()));
    }

    pub fn leave(&self, id: &str) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// The end of the lease under which a version of a case was written; one that is over if it is not known.
    pub fn end(&self, id: &str, version: i64) -> Arc<AtomicI64> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let known = held.get(id).filter(|(known, _)| *known == version);
        known.map_or_else(|| Arc::new(AtomicI64::new(i64::MIN)), |(_, end)| end.clone())
    }

    /// How long something must still be seen to stand still, for `needed` in all. The clock of the database may jump, or
    /// be that of another host after a fail-over.
    pub fn rest(&self, what: String, needed: Millis) -> Millis {
        let now = boot_clock::now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() > 10_000 {
            seen.retain(|_, since| now - *since < 10 * LEASE);
        }
        *seen.entry(what).or_insert(now) + needed - now
    }

    /// Looks at the leases of other processes, so that one that stands still is known to when it matters.
    fn look(&self) -> Result<(), Failure> {
        let link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(link) = &*link else { return Ok(()) };
        let sql = "SELECT id, renewals FROM apb.workers WHERE until > apb.now_ms() - $1";
        for row in link.query(sql, values_of![4 * LEASE])? {
            self.rest(still(&column::<String>(&row, 0)?, column(&row, 1)?), LEASE);
        }
        Ok(())
    }
}

pub(super) fn still(worker: &str, renewals: i64) -> String {
    format!("{worker} {renewals}")
}

async fn keep(workers: Weak<Workers>) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        let Some(kept) = workers.upgrade() else { return };
        if kept.busy_until.load(Ordering::SeqCst) < boot_clock::now() {
            kept.is_running.store(false, Ordering::SeqCst);
            return;
        }
        let work = move || {
            patience::within(Instant::now() + RENEWAL, || {
                let _ = kept.renew().and_then(|_| kept.look());
            });
        };
        // Without a thread the next turn tries again.
        if let Ok(done) = crate::workers::current().store.spawn(work) {
            let _ = done.await;
        }
    }
}
