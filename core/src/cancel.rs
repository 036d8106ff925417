//! Cancellation that a signal handler may ask for.
//!
//! A handler may only touch atomics, so it cannot wake a task. It sets its flag and moves one global
//! counter; while cancellable calls are under way, a ticker on the I/O thread poll_count at the counter
//! every few milliseconds and wakes them. One ticker serves any number of calls.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

/// How long a cancellation may take to be seen.
const TICK: Duration = Duration::from_millis(5);

/// Moves with every cancellation.
static MOVED: AtomicU64 = AtomicU64::new(0);

/// Moves when all calls of the process are cancelled.
static ALL: AtomicU64 = AtomicU64::new(0);

/// Cancels calls: sticky, shared by any number of them.
///
/// Set before a call, nothing is sent. Set during a call, the call ends at once and its outcome says
/// whether the request may have been executed.
#[derive(Clone)]
pub struct Cancel {
    is_set: Arc<dyn Fn() -> bool + Send + Sync>,
    flag: Option<Arc<AtomicBool>>,
}

/// What may cancel one call: the caller's token, [`Cancel::all`], and the end of the queue that would take its reply.
#[derive(Clone)]
pub(crate) struct CallCancel {
    token: Option<Cancel>,
    all: u64,
    abandoned: Option<Arc<AtomicBool>>,
}

impl CallCancel {
    /// For a call that begins now.
    pub fn new(token: Option<&Cancel>) -> CallCancel {
        CallCancel { token: token.cloned(), all: ALL.load(Ordering::SeqCst), abandoned: None }
    }

    /// Nobody will take the reply once the flag is set.
    pub fn or_abandoned(mut self, flag: Arc<AtomicBool>) -> CallCancel {
        self.abandoned = Some(flag);
        self
    }

    pub fn is_set(&self) -> bool {
        ALL.load(Ordering::SeqCst) != self.all
            || self.token.as_ref().is_some_and(Cancel::is_set)
            || self.abandoned.as_ref().is_some_and(|flag| flag.load(Ordering::SeqCst))
    }
}

impl Cancel {
    /// A token of its own.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Cancel {
        let flag = Arc::new(AtomicBool::new(false));
        let seen = flag.clone();
        Cancel { is_set: Arc::new(move || seen.load(Ordering::SeqCst)), flag: Some(flag) }
    }

    /// A token whose flag lives elsewhere. Whoever sets that flag must call [`Cancel::moved`] afterwards.
    pub fn watching(is_set: impl Fn() -> bool + Send + Sync + 'static) -> Cancel {
        Cancel { is_set: Arc::new(is_set), flag: None }
    }

    /// Cancels, now and for ever.
    pub fn set(&self) {
        if let Some(flag) = &self.flag {
            flag.store(true, Ordering::SeqCst);
        }
        Cancel::moved();
    }

    /// Whether it was cancelled.
    pub fn is_set(&self) -> bool {
        (self.is_set)()
    }

    /// Cancels, once, every call of this process that began before; later ones are untouched. For exit handlers of
    /// other runtimes. Async-signal-safe: two atomic additions.
    pub fn all() {
        ALL.fetch_add(1, Ordering::SeqCst);
        Cancel::moved();
    }

    /// Says that some flag was set. Async-signal-safe: one atomic addition.
    pub fn moved() {
        MOVED.fetch_add(1, Ordering::SeqCst);
    }
}

impl std::fmt::Debug for Cancel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Cancel").field(&self.is_set()).finish()
    }
}

/// Wakes cancelled calls; one per runtime.
#[derive(Default)]
pub(crate) struct Ticker {
    waiting: AtomicUsize,
    running: AtomicBool,
    wake: Notify,
}

impl Ticker {
    /// Runs `future` unless the call is cancelled first; then it is dropped and None comes back.
    pub async fn race<F: Future>(&'static self, cancel: &CallCancel, future: F) -> Option<F::Output> {
        let _watch = Watch::new(self);
        tokio::select! {
            biased;
            () = self.cancelled(cancel) => None,
            output = future => Some(output),
        }
    }

    async fn cancelled(&self, cancel: &CallCancel) {
        loop {
            let mut woken = std::pin::pin!(self.wake.notified());
            // Registered before the flag is read, so that no cancellation slips between the two.
            woken.as_mut().enable();
            if cancel.is_set() {
                return;
            }
            woken.await;
        }
    }

    async fn run(&self) {
        let mut seen = MOVED.load(Ordering::SeqCst);
        // A cancellation before this moment was counted already, perhaps after its call read its flag.
        self.wake.notify_waiters();
        loop {
            tokio::time::sleep(TICK).await;
            let now = MOVED.load(Ordering::SeqCst);
            if now != seen {
                seen = now;
                self.wake.notify_waiters();
            }
            if self.waiting.load(Ordering::SeqCst) == 0 {
                self.running.store(false, Ordering::SeqCst);
                // A call that began meanwhile may have counted on this ticker.
                let needed = self.waiting.load(Ordering::SeqCst) > 0;
                if !needed || self.running.swap(true, Ordering::SeqCst) {
                    return;
                }
                self.wake.notify_waiters();
            }
        }
    }
}

/// Keeps the ticker running while a cancellable call waits.
struct Watch(&'static Ticker);

impl Watch {
    fn new(ticker: &'static Ticker) -> Watch {
        ticker.waiting.fetch_add(1, Ordering::SeqCst);
        if !ticker.running.swap(true, Ordering::SeqCst) {
            tokio::spawn(ticker.run());
        }
        Watch(ticker)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}
