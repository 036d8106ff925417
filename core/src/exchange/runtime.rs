//! The one runtime behind every language binding: created on first use, one I/O thread, rebuilt in a forked child.
//!
//! A runtime inherited through fork() is dead (its thread stayed in the parent) and dangerous (its
//! epoll object is shared with the parent), so the child leaks it and builds its own. Nothing is
//! created before the first call, so a host that only links the library has no extra thread.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use once_cell::sync::Lazy;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::JoinHandle;

use crate::cancel::Ticker;
use crate::contract::operation::Operation;
use crate::error::{Advice, Error, ErrorCode, Outcome};
use crate::process::{self, PerProcess, ProcessId};

thread_local! {
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
    /// On the I/O thread: where the work of stores is done.
    static STORE_WORK: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// The threads of stores are their own: lookups of names that hang must not keep them waiting.
const STORE_THREADS: usize = 8;

/// A runtime and the process that made it.
#[derive(Clone, Copy)]
pub(crate) struct RuntimeHandle {
    pub process: ProcessId,
    runtime: &'static Runtime,
    /// Without a driver: it makes threads for blocking work, when there is some, and nothing else.
    #[allow(dead_code, reason = "the I/O thread has a handle of it")]
    store: &'static Runtime,
    /// Wakes cancelled calls.
    pub ticker: &'static Ticker,
    /// Makes deadlines cheap.
    pub pacer: &'static Pacer,
}

/// Keeps a timer in front of every deadline while calls are made.
///
/// tokio writes to its own wake-up descriptor whenever a timer becomes the earliest, which a lone
/// call's deadline always is: a system call and a needless turn of the loop. Behind this timer it is
/// not. It only saves work, so that a race with its end costs nothing but that.
#[derive(Default)]
pub(crate) struct Pacer {
    running: AtomicBool,
    used: AtomicBool,
}

impl Pacer {
    /// How long it outlives the last call, at least.
    const PACE: Duration = Duration::from_millis(250);

    /// Says that a deadline will be set. Must be called on the runtime.
    pub fn keep(&'static self) {
        self.used.store(true, Ordering::Relaxed);
        if !self.running.load(Ordering::Relaxed) && !self.running.swap(true, Ordering::Relaxed) {
            tokio::spawn(self.run());
        }
    }

    async fn run(&self) {
        while self.used.swap(false, Ordering::Relaxed) {
            tokio::time::sleep(Pacer::PACE).await;
        }
        self.running.store(false, Ordering::Relaxed);
    }
}

static CURRENT: Lazy<PerProcess<Option<RuntimeHandle>>> = Lazy::new(PerProcess::default);

/// This process' runtime.
pub(crate) fn current() -> Result<RuntimeHandle, Error> {
    let process = process::current();
    let mut current = CURRENT.lock();
    match *current {
        Some(runtime) if runtime.process == process => Ok(runtime),
        _ => {
            // tokio panics where its thread cannot be made.
            std::thread::Builder::new()
                .name("apb-io".to_owned())
                .spawn(|| {})
                .map_err(|e| Error::new(ErrorCode::Memory, format!("no thread can be made: {e}")))?;
            let store = Builder::new_current_thread()
                .max_blocking_threads(STORE_THREADS)
                .thread_name("apb-store")
                .on_thread_start(begin_thread)
                .build()
                .map_err(not_built)?;
            let store: &Runtime = Box::leak(Box::new(store));
            let store_work = store.handle().clone();
            let built = Builder::new_multi_thread()
                .worker_threads(1)
                .max_blocking_threads(16)
                .thread_name("apb-io")
                .on_thread_start(move || {
                    begin_thread();
                    STORE_WORK.set(Some(store_work.clone()));
                })
                .enable_all()
                .build()
                .map_err(not_built)?;
            // Leaked on purpose: no host thread may drop a runtime, least of all in an async context.
            let runtime = RuntimeHandle {
                process,
                runtime: Box::leak(Box::new(built)),
                store,
                ticker: Box::leak(Box::new(Ticker::default())),
                pacer: Box::leak(Box::new(Pacer::default())),
            };
            *current = Some(runtime);
            Ok(runtime)
        }
    }
}

fn begin_thread() {
    IS_OURS.set(true);
    hold_signals();
}

fn not_built(e: std::io::Error) -> Error {
    // Out of descriptors: 24 and 23 on every Unix.
    let is_io = matches!(e.raw_os_error(), Some(23 | 24));
    let code = if is_io { ErrorCode::Io } else { ErrorCode::Memory };
    Error::new(code, format!("no I/O thread can be made: {e}"))
}

/// Runs work of a store, which waits for the disk and for other processes, beside the I/O thread.
pub(crate) fn spawn_store_work<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    match STORE_WORK.with_borrow(Clone::clone) {
        Some(threads) => threads.spawn_blocking(work),
        None => tokio::task::spawn_blocking(work),
    }
}

/// Our threads take no signals. The host's handlers run on the host's threads, and writing to a
/// connection that the other side has reset does not kill a host that does not expect SIGPIPE (Rust
/// programs ignore it, C programs do not). Masks and handlers of other threads are not touched.
fn hold_signals() {
    #[cfg(unix)]
    {
        use nix::sys::signal::{SigSet, Signal};
        let mut held = SigSet::all();
        // Faults of the thread itself belong to the host's crash handler, and profilers want every thread.
        for own in [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGFPE, Signal::SIGILL, Signal::SIGTRAP, Signal::SIGPROF] {
            held.remove(own);
        }
        let _ = held.thread_block();
    }
}

/// Whether this is a thread of the library: a call that waits would wait for itself.
pub(crate) fn is_own_thread() -> bool {
    IS_OURS.get()
}

impl RuntimeHandle {
    /// Runs a future on the I/O thread.
    pub fn spawn<F>(self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.runtime.spawn(future)
    }

    /// Runs a future on the I/O thread and waits for it on this one. Works inside a foreign async
    /// runtime too (it blocks that thread), because nothing is entered here.
    ///
    /// When the watcher says no, the future is left to run on unobserved and there is no output.
    pub fn wait<F>(self, future: F, watch: Option<Watch<'_>>) -> Result<Option<F::Output>, Error>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if IS_OURS.get() {
            return Err(Error::new(ErrorCode::Busy, "a blocking call was made on the library's own thread"));
        }
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.spawn(async move {
            let _ = sender.send(future.await);
        });
        // The sender is gone without a word only if the task panicked.
        let Some((slice, keep_waiting)) = watch else {
            return receiver.recv().map(Some).map_err(|_| thread_panicked());
        };
        loop {
            match receiver.recv_timeout(slice) {
                Ok(output) => return Ok(Some(output)),
                Err(RecvTimeoutError::Disconnected) => return Err(thread_panicked()),
                // What ended at that very moment is not lost.
                Err(RecvTimeoutError::Timeout) if !keep_waiting() => return Ok(receiver.try_recv().ok()),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// How often to look up while waiting, and what to ask then: whether to go on.
pub(crate) type Watch<'w> = (Duration, &'w mut dyn FnMut() -> bool);

fn thread_panicked() -> Error {
    Error::new(ErrorCode::Panic, "a call panicked on the library's thread")
}

/// A call whose task panicked: of a submit, nobody knows whether it was executed.
pub(crate) fn panicked(op: &Operation) -> Error {
    let mut error = thread_panicked();
    if op.kind.has_effect() {
        error.outcome = Outcome::Unknown;
        error.advice = Advice::Reconcile;
        error.next = op.resolved_by;
        error.help = format!("The {} may have been accepted; ask the vendor before anything else.", op.name);
    }
    error
}
