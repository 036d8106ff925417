//! The one runtime behind every face: created on first use, one I/O thread, rebuilt in a forked child.
//!
//! A runtime inherited through fork() is dead (its thread stayed in the parent) and dangerous (its
//! epoll object is shared with the parent), so the child leaks it and builds its own. Nothing is
//! created before the first call, so a host that only links the library has no extra thread.

use std::cell::Cell;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use once_cell::sync::Lazy;
use tokio::runtime::{Builder, Runtime};

use crate::cancel::Ticker;
use crate::outcome::{Error, Status};

thread_local! {
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// A runtime and the process that made it.
#[derive(Clone, Copy)]
pub(crate) struct Generation {
    pub pid: u32,
    runtime: &'static Runtime,
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

/// Only calling threads hold this lock, and never across a call, so that a fork finds it free.
static CURRENT: Lazy<Mutex<Option<Generation>>> = Lazy::new(|| Mutex::new(None));

/// This process' runtime.
pub(crate) fn current() -> Result<Generation, Error> {
    let pid = std::process::id();
    let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
    match *current {
        Some(generation) if generation.pid == pid => Ok(generation),
        _ => {
            let runtime = Builder::new_multi_thread()
                .worker_threads(1)
                .max_blocking_threads(16)
                .thread_name("apb-io")
                .on_thread_start(|| IS_OURS.set(true))
                .enable_all()
                .build()
                .map_err(|e| Error::local("internal", Status::INTERNAL, format!("no runtime: {e}")))?;
            // Leaked on purpose: no host thread may drop a runtime, least of all in an async context.
            let generation = Generation {
                pid,
                runtime: Box::leak(Box::new(runtime)),
                ticker: Box::leak(Box::new(Ticker::default())),
                pacer: Box::leak(Box::new(Pacer::default())),
            };
            *current = Some(generation);
            Ok(generation)
        }
    }
}

impl Generation {
    /// Runs a future on the I/O thread.
    pub fn spawn<F>(self, future: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.runtime.spawn(future)
    }

    /// Runs a future on the I/O thread and waits for it on this one. Works inside a foreign async
    /// runtime too (it blocks that thread), because nothing is entered here.
    pub fn wait<F>(self, future: F) -> Result<F::Output, Error>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        if IS_OURS.get() {
            return Err(Error::local("busy", Status::BUSY, "a blocking call was made on the library's own thread"));
        }
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.spawn(async move {
            let _ = sender.send(future.await);
        });
        // The sender is gone without a word only if the task panicked.
        receiver.recv().map_err(|_| Error::local("panic", Status::PANIC, "a call panicked on the library's thread"))
    }
}
