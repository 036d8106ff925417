//! Threads beside the I/O thread, for work that waits: stores, lookups of names, large answers.
//!
//! Made when there is work and none of them is idle, up to a number. Where the system makes no more of them, those that
//! there are do the work, and without any the caller has an error. (tokio's own pool panics.)

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use crate::process::{self, PerProcess, ProcessId};
use crate::threads;

/// How long a thread without work lives.
const IDLE: Duration = Duration::from_secs(10);

type Work = Box<dyn FnOnce() + Send>;

/// The threads for one purpose.
pub(crate) struct Workers {
    name: &'static str,
    most: usize,
    state: Mutex<State>,
    work: Condvar,
}

/// The threads of this process.
pub(crate) struct Pools {
    /// Of stores, which are their own: lookups of names that hang must not keep them waiting.
    pub store: Workers,
    /// That look up names.
    pub lookups: Workers,
    /// That decode large answers.
    pub decoding: Workers,
}

static CURRENT: PerProcess<Option<(ProcessId, &'static Pools)>> = PerProcess::new([const { Mutex::new(None) }; 8]);

/// The threads of this process; a forked child has none of its parent's.
pub(crate) fn current() -> &'static Pools {
    let process = process::current();
    let mut current = CURRENT.lock();
    match *current {
        Some((of, pools)) if of == process => pools,
        _ => {
            let pools: &Pools = Box::leak(Box::new(Pools {
                store: Workers::new("apb-store", 8),
                lookups: Workers::new("apb-lookup", 16),
                decoding: Workers::new("apb-decode", 4),
            }));
            *current = Some((process, pools));
            pools
        }
    }
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Work>,
    threads: usize,
    idle: usize,
}

/// Why work gave no result: it panicked.
#[derive(Debug)]
pub(crate) struct Panicked;

/// Work that was begun or waits. Dropped before it has begun, it never does.
pub(crate) type Pending<T> = oneshot::Receiver<Result<T, Panicked>>;

impl Workers {
    pub const fn new(name: &'static str, most: usize) -> Workers {
        let state = State { waiting: VecDeque::new(), threads: 0, idle: 0 };
        Workers { name, most, state: Mutex::new(state), work: Condvar::new() }
    }

    /// Gives the work to a thread. Gives it back if there is none and none can be made.
    pub fn spawn<T, F>(&'static self, work: F) -> Result<Pending<T>, (std::io::Error, F)>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let mut state = self.lock();
        if state.idle <= state.waiting.len() && state.threads < self.most {
            match self.make_thread() {
                Ok(()) => state.threads += 1,
                Err(error) if state.threads == 0 => return Err((error, work)),
                Err(_) => {}
            }
        }
        let (sender, receiver) = oneshot::channel();
        state.waiting.push_back(Box::new(move || {
            if !sender.is_closed() {
                let done = catch_unwind(AssertUnwindSafe(work));
                let _ = sender.send(done.map_err(|_: Box<dyn Any + Send>| Panicked));
            }
        }));
        drop(state);
        self.work.notify_one();
        Ok(receiver)
    }

    fn make_thread(&'static self) -> std::io::Result<()> {
        threads::builder(self.name)?.spawn(|| self.run()).map(drop)
    }

    fn run(&self) {
        threads::begin();
        let mut state = self.lock();
        loop {
            if let Some(work) = state.waiting.pop_front() {
                drop(state);
                work();
                state = self.lock();
                continue;
            }
            state.idle += 1;
            let (woken, time) = self.work.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = woken;
            state.idle -= 1;
            if time.timed_out() && state.waiting.is_empty() {
                state.threads -= 1;
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn workers(most: usize) -> &'static Workers {
        Box::leak(Box::new(Workers::new("apb-test", most)))
    }

    #[test]
    fn work_is_done_by_so_many_threads_at_most_and_one_that_is_idle_is_used_again() {
        let two = workers(2);
        let (begun, begins) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        let gone = std::sync::Arc::new(Mutex::new(gone));
        let pending: Vec<_> = (0..3)
            .map(|nth| {
                let (begun, gone) = (begun.clone(), gone.clone());
                let work = move || {
                    begun.send(std::thread::current().id()).unwrap();
                    gone.lock().unwrap().recv().unwrap();
                    nth
                };
                two.spawn(work).map_err(|(e, _)| e).unwrap()
            })
            .collect();
        let first = (begins.recv().unwrap(), begins.recv().unwrap());
        assert!(first.0 != first.1 && begins.recv_timeout(Duration::from_millis(50)).is_err());
        (0..3).for_each(|_| go.send(()).unwrap());
        let done: Vec<i32> = pending.into_iter().map(|one| one.blocking_recv().unwrap().unwrap()).collect();
        assert_eq!((done, two.lock().threads), (vec![0, 1, 2], 2));
    }

    #[test]
    fn work_that_nobody_waits_for_is_not_begun_and_a_panic_ends_no_thread() {
        let one = workers(1);
        let (go, gone) = mpsc::channel::<()>();
        let busy = one.spawn(move || gone.recv().unwrap()).map_err(|(e, _)| e).unwrap();
        let (begun, begins) = mpsc::channel();
        drop(one.spawn(move || begun.send(()).unwrap()).map_err(|(e, _)| e).unwrap());
        go.send(()).unwrap();
        busy.blocking_recv().unwrap().unwrap();
        let panics = one.spawn(|| std::panic::resume_unwind(Box::new("of the test"))).map_err(|(e, _)| e).unwrap();
        assert!(matches!(panics.blocking_recv(), Ok(Err::<(), _>(Panicked))));
        assert_eq!(one.spawn(|| 7).map_err(|(e, _)| e).unwrap().blocking_recv().unwrap().unwrap(), 7);
        assert!(begins.recv().is_err());
    }
}
