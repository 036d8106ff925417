//! Many calls in flight without a thread for each: calls are started, and their replies wait in a queue.
//!
//! Every call that was started gives exactly one completion, whatever happens to it. The I/O thread puts replies in; any
//! thread of the host takes them out.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::execute::{Started, run, start as check};
use super::offline::text;
use super::readable::Readable;
use super::{blocking, offline};
use crate::cancel::{CallCancel, Cancel};
use crate::contract::operation::Operation;
use crate::error::{Error, ErrorCode};
use crate::exchange::runtime::{self, panicked};
use crate::process::{self, ProcessId};
use crate::reply::Reply;
use crate::threads;

/// A queue of completions. `T` is what the host wants back with each.
///
/// Cheap to clone; all clones are one queue. It belongs to the process that made it: in a forked child it answers
/// [`Next::Freed`] and [`StartError::Freed`].
pub struct Queue<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Queue<T> {
        Queue { shared: self.shared.clone() }
    }
}

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    readable: Readable,
    process: ProcessId,
    freed: Arc<AtomicBool>,
}

struct State<T> {
    done: VecDeque<Completion<T>>,
    in_flight: usize,
    /// A byte was written since the last answer "none".
    is_readable: bool,
    closed: bool,
}

/// A call that has ended.
#[derive(Debug)]
pub struct Completion<T> {
    /// The number that the call was started with.
    pub tag: u64,
    /// Its reply.
    pub reply: Reply,
    /// What the call was started with.
    pub context: T,
}

/// What [`Queue::next`] gives.
#[derive(Debug)]
pub enum Next<T> {
    /// A call has ended.
    Done(Box<Completion<T>>),
    /// None has, within the time.
    None,
    /// The queue is closed, and every call has been taken out.
    Closed,
    /// The queue was freed, or belongs to another process.
    Freed,
}

/// Why a call was not started: nothing was sent, and there is no completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartError {
    /// The queue is closed.
    Closed,
    /// The queue was freed, or belongs to another process.
    Freed,
    /// The thread is one of the library's own.
    Busy,
}

impl<T: Send + 'static> Queue<T> {
    /// Makes a queue. Fails if there are no descriptors left.
    pub fn new() -> Result<Queue<T>, Error> {
        let readable = Readable::new().map_err(|e| Error::new(ErrorCode::Io, format!("no socket pair: {e}")))?;
        let state = State { done: VecDeque::new(), in_flight: 0, is_readable: false, closed: false };
        Ok(Queue {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                changed: Condvar::new(),
                readable,
                process: process::current(),
                freed: Arc::new(AtomicBool::new(false)),
            }),
        })
    }

    /// A descriptor that is readable while a completion waits, and once the queue is closed and drained; the same each
    /// time. It is lent: whoever gives it to something that closes it gives a duplicate. -1 in another process, and
    /// where there are no such descriptors.
    pub fn fd(&self) -> i32 {
        if self.is_usable() { self.shared.readable.lent() } else { -1 }
    }

    /// Whether it was made by this process, and is not freed.
    pub fn is_usable(&self) -> bool {
        self.shared.process == process::current() && !self.shared.freed.load(Ordering::SeqCst)
    }

    /// Whether it was made by this process.
    pub fn is_of_this_process(&self) -> bool {
        self.shared.process == process::current()
    }

    /// The next completion; waits for one at most so long, without a time for ever. Any number of threads may wait.
    pub fn next(&self, timeout: Option<Duration>) -> Next<T> {
        if !self.is_usable() {
            return Next::Freed;
        }
        let deadline = timeout.map(|timeout| Instant::now().checked_add(timeout));
        let shared = &self.shared;
        let mut state = shared.lock();
        loop {
            if shared.freed.load(Ordering::SeqCst) {
                return Next::Freed;
            }
            if let Some(completion) = state.done.pop_front() {
                shared.end_if_drained(&mut state);
                return Next::Done(Box::new(completion));
            }
            if state.closed && state.in_flight == 0 {
                return Next::Closed;
            }
            state = match deadline {
                None | Some(None) => shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(Some(deadline)) => match deadline.saturating_duration_since(Instant::now()) {
                    left if left.is_zero() => {
                        // The next completion writes a new byte.
                        if std::mem::take(&mut state.is_readable) {
                            shared.readable.clear();
                        }
                        return Next::None;
                    }
                    left => shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0,
                },
            };
        }
    }

    /// Nothing can be started any more; what is in flight ends and is taken out by [`Queue::next`].
    pub fn close(&self) {
        if self.is_usable() {
            let mut state = self.shared.lock();
            state.closed = true;
            self.shared.end_if_drained(&mut state);
            self.shared.changed.notify_all();
        }
    }

    /// Ends the queue at once: threads that wait get [`Next::Freed`], reads in flight are cancelled, submits run to
    /// their end, and nobody learns how. In a forked child, closes the descriptors that it has inherited.
    pub fn free(&self) {
        if self.shared.process != process::current() {
            self.shared.readable.close();
            return;
        }
        let dropped = {
            let mut state = self.shared.lock();
            self.shared.freed.store(true, Ordering::SeqCst);
            state.closed = true;
            self.shared.readable.close();
            self.shared.changed.notify_all();
            std::mem::take(&mut state.done)
        };
        // Their contexts may be the host's: not under the lock.
        drop(dropped);
        Cancel::moved();
    }

    /// Takes a place for a call that is about to begin.
    fn begin(&self) -> Result<(), StartError> {
        let mut state = self.shared.lock();
        match () {
            () if self.shared.freed.load(Ordering::SeqCst) => Err(StartError::Freed),
            () if state.closed => Err(StartError::Closed),
            () => {
                state.in_flight += 1;
                Ok(())
            }
        }
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn complete(&self, completion: Completion<T>) {
        let mut state = self.lock();
        state.in_flight -= 1;
        if self.freed.load(Ordering::SeqCst) {
            drop(state);
            return drop(completion);
        }
        state.done.push_back(completion);
        if !std::mem::replace(&mut state.is_readable, true) {
            self.readable.set();
        }
        if state.closed { self.changed.notify_all() } else { self.changed.notify_one() }
    }

    /// Closed and drained, it stays readable, and everybody who waits is told.
    fn end_if_drained(&self, state: &mut State<T>) {
        if state.closed && state.in_flight == 0 && state.done.is_empty() {
            self.readable.set_for_ever();
            self.changed.notify_all();
        }
    }
}

/// The place of a call that was started. A task that panics drops it: that is its completion then.
struct Place<T: Send + 'static> {
    shared: Arc<Shared<T>>,
    op: Option<&'static Operation>,
    tag: u64,
    context: Option<T>,
}

impl<T: Send + 'static> Place<T> {
    fn complete(mut self, reply: Reply) {
        if let Some(context) = self.context.take() {
            self.shared.complete(Completion { tag: self.tag, reply, context });
        }
    }
}

impl<T: Send + 'static> Drop for Place<T> {
    fn drop(&mut self) {
        if let (Some(context), Some(op)) = (self.context.take(), self.op) {
            let reply = Reply::failed(op.name, panicked(op));
            self.shared.complete(Completion { tag: self.tag, reply, context });
        }
    }
}

/// One call to start.
#[derive(Debug, Clone, Copy)]
pub struct Call<'c> {
    /// As for [`super::dispatch::call`].
    pub operation: &'c [u8],
    /// The request.
    pub request: &'c [u8],
    /// The options.
    pub options: &'c [u8],
    /// Comes back with the completion.
    pub tag: u64,
}

/// Starts a call: any operation, also those of cases and local ones. Neither waits nor does I/O; an error of the request
/// is a completion as well.
pub fn start<T: Send + 'static>(
    queue: &Queue<T>,
    client: Option<&blocking::Client>,
    call: Call<'_>,
    context: T,
    cancel: Option<&Cancel>,
) -> Result<(), StartError> {
    if threads::is_own() {
        return Err(StartError::Busy);
    }
    if !queue.is_usable() {
        return Err(StartError::Freed);
    }
    let (op, started) = checked(client, call, queue, cancel);
    queue.begin()?;
    let place = Place { shared: queue.shared.clone(), op, tag: call.tag, context: Some(context) };
    match (started, client) {
        (Started::Done(reply), _) => place.complete(*reply),
        (Started::Call(prepared), Some(client)) => match runtime::current() {
            Err(error) => place.complete(Reply::failed(prepared.request.op.name, error)),
            Ok(runtime) => {
                let running = run(client.state().clone(), prepared, runtime);
                // The handle is dropped: the task goes on.
                drop(runtime.spawn(async move { place.complete(Box::pin(running).await) }));
            }
        },
        (Started::Call(prepared), None) => {
            let error = Error::new(ErrorCode::NullArgument, "the client is missing");
            place.complete(Reply::failed(prepared.request.op.name, error));
        }
    }
    Ok(())
}

/// Checks a call; what is wrong with it is its reply.
fn checked<T>(
    client: Option<&blocking::Client>,
    call: Call<'_>,
    queue: &Queue<T>,
    cancel: Option<&Cancel>,
) -> (Option<&'static Operation>, Started) {
    let name = match text(call.operation, "the operation name") {
        Ok(name) => name,
        Err(error) => return (None, Started::Done(Box::new(Reply::failed("", error)))),
    };
    let op = Operation::find(name);
    let (request, options) = match (text(call.request, "the request"), text(call.options, "the options")) {
        (Ok(request), Ok(options)) => (request, options),
        (Err(error), _) | (_, Err(error)) => return (op, Started::Done(Box::new(Reply::failed(name, error)))),
    };
    let Some(client) = client else {
        return (op, Started::Done(Box::new(offline::call_without_client(name, request))));
    };
    let mut stops = CallCancel::new(cancel);
    // A submit runs to its end, also if nobody will take its reply.
    let may_be_left = op.is_some_and(|op| !op.kind.has_effect() && !op.is_case());
    if may_be_left {
        stops = stops.or_abandoned(queue.shared.freed.clone());
    }
    (op, check(client.state(), name, request, options, stops))
}
