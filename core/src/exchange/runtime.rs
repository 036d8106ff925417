//! The one runtime behind every language binding: created on first use, one I/O thread, rebuilt in a forked child.
//!
//! A runtime inherited through fork() is dead (its thread stayed in the parent) and dangerous (its
//! epoll object is shared with the parent), so the child leaks it and builds its own. Nothing is
//! created before the first call, so a host that only links the library has no extra thread.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use once_cell::sync::Lazy;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;

use crate::cancel::Ticker;
use crate::contract::operation::Operation;
use crate::error::{Advice, Error, ErrorCode, Outcome};
use crate::process::{self, PerProcess, ProcessId};
use crate::threads;

/// A runtime and the process that made it.
#[derive(Clone, Copy)]
pub(crate) struct RuntimeHandle {
    pub process: ProcessId,
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

static CURRENT: Lazy<PerProcess<Option<RuntimeHandle>>> = Lazy::new(PerProcess::default);

/// This process' runtime.
pub(crate) fn current() -> Result<RuntimeHandle, Error> {
    let process = process::current();
    let mut current = CURRENT.lock();
    match *current {
        Some(runtime) if runtime.process == process => Ok(runtime),
        _ => {
            let runtime = RuntimeHandle {
                process,
                runtime: start()?,
                ticker: Box::leak(Box::new(Ticker::default())),
                pacer: Box::leak(Box::new(Pacer::default())),
            };
            *current = Some(runtime);
            Ok(runtime)
        }
    }
}

/// Starts the I/O thread, which makes the runtime and runs it for ever.
fn start() -> Result<&'static Runtime, Error> {
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let run = move || {
        threads::begin();
        match Builder::new_current_thread().enable_all().build() {
            Ok(built) => {
                // Leaked on purpose: no host thread may drop a runtime, least of all in an async context.
                let runtime: &Runtime = Box::leak(Box::new(built));
                let _ = sender.send(Ok(runtime));
                runtime.block_on(std::future::pending())
            }
            Err(error) => drop(sender.send(Err(error))),
        }
    };
    threads::builder("apb-io").and_then(|builder| builder.spawn(run)).map_err(not_built)?;
    receiver.recv().map_err(|_| thread_panicked())?.map_err(not_built)
}

fn not_built(e: std::io::Error) -> Error {
    // Out of descriptors: 24 and 23 on every Unix.
    let is_io = matches!(e.raw_os_error(), Some(23 | 24));
    let code = if is_io { ErrorCode::Io } else { ErrorCode::Memory };
    Error::new(code, format!("no I/O thread can be made: {e}"))
}

/// Out of threads.
pub(crate) fn no_thread(error: &std::io::Error) -> Error {
    Error::new(ErrorCode::Memory, format!("no thread can be made: {error}"))
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
        if threads::is_own() {
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
