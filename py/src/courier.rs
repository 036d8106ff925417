//! Calls of Python's main thread, made by a thread of their own.
//!
//! Only the main thread runs Python's signal handlers, and it must run them while a call takes its
//! time. The core's calls block, so another thread makes them and this one looks up between slices.
//! That thread is kept for the next call: handing over costs two wake-ups instead of a new thread.

use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use atlas_postbooking::{Reply as CoreReply, dispatch};
use pyo3::prelude::*;

use crate::guard::guarded;
use crate::reply::Reply;

/// How long a signal may wait for its handler.
const SLICE: Duration = Duration::from_millis(50);

/// A reply, or the text of a panic.
type Answer = Result<CoreReply, String>;

struct Job {
    client: dispatch::Client,
    operation: Vec<u8>,
    request: Vec<u8>,
    options: Vec<u8>,
}

/// A thread that waits for a call to make.
struct Courier {
    pid: u32,
    jobs: Sender<Job>,
    answers: Receiver<Answer>,
}

thread_local! {
    // Never dropped by this storage: in a forked child the other end's thread does not exist, and
    // what it held of the channel at that moment is held for ever.
    static IDLE: Cell<Option<ManuallyDrop<Courier>>> = const { Cell::new(None) };
}

/// Makes a call; the outer error is what a signal handler raised.
///
/// If the call happened to end at that same moment, the exception carries its reply as `_atlas_reply`.
pub(crate) fn carry(
    py: Python<'_>,
    client: &dispatch::Client,
    operation: &[u8],
    request: &[u8],
    options: &[u8],
) -> PyResult<Answer> {
    let Some(mut courier) = Courier::hire() else {
        // No thread to be had: better a call that cannot be interrupted than none.
        return Ok(py.detach(|| guarded(|| dispatch::call(Some(client), operation, request, options, None))));
    };
    let job = Job {
        client: client.clone(),
        operation: operation.to_vec(),
        request: request.to_vec(),
        options: options.to_vec(),
    };
    if courier.jobs.send(job).is_err() {
        return Ok(py.detach(|| guarded(|| dispatch::call(Some(client), operation, request, options, None))));
    }
    let answer = courier.wait(py)?;
    courier.rest();
    Ok(answer)
}

impl Courier {
    fn hire() -> Option<Courier> {
        match IDLE.take().map(ManuallyDrop::into_inner) {
            Some(courier) if courier.pid == std::process::id() => return Some(courier),
            Some(inherited) => std::mem::forget(inherited),
            None => {}
        }
        let (jobs, inbox) = channel::<Job>();
        let (outbox, answers) = channel::<Answer>();
        let work = move || {
            while let Ok(job) = inbox.recv() {
                let answer =
                    guarded(|| dispatch::call(Some(&job.client), &job.operation, &job.request, &job.options, None));
                drop(job);
                // Nobody listens any more after an interrupt; then this thread has done its last work.
                if outbox.send(answer).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new().name("apb-call".to_owned()).spawn(work).ok()?;
        Some(Courier { pid: std::process::id(), jobs, answers })
    }

    fn wait(&mut self, py: Python<'_>) -> PyResult<Answer> {
        loop {
            // A receiver may go to another thread but not be seen by two, hence the unique borrow.
            let answers = &mut self.answers;
            match py.detach(move || answers.recv_timeout(SLICE)) {
                Ok(answer) => return Ok(answer),
                Err(RecvTimeoutError::Disconnected) => return Ok(Err("the calling thread ended".to_owned())),
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(raised) = py.check_signals() {
                        if let Ok(Ok(reply)) = self.answers.try_recv() {
                            let _ = raised.value(py).setattr("_atlas_reply", Reply::from(reply));
                        }
                        return Err(raised);
                    }
                }
            }
        }
    }

    /// Keeps the thread for the next call. A handler that made a call of its own may have left one
    /// here already; then that one ends.
    fn rest(self) {
        if let Some(other) = IDLE.replace(Some(ManuallyDrop::new(self))) {
            drop(ManuallyDrop::into_inner(other));
        }
    }
}
