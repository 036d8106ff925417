//! What is locked for a moment by every call, at a fork: the thread that forks holds it meanwhile, so that the child finds
//! it free and whole, whatever the other threads of its parent were in the middle of. Only `fork()` of the C library
//! does this, not the bare system call.

use std::any::Any;
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, RwLock, TryLockError};
use std::time::Duration;

/// A lock that no thread keeps for longer than an access takes.
pub trait ShortLock: Sync {
    /// Holds it until the result is dropped; None if it is not to be had, as when a signal handler forks that has
    /// interrupted its own thread's access.
    fn hold(&'static self) -> Option<Box<dyn Any>>;
}

impl<T: Send> ShortLock for Mutex<T> {
    fn hold(&'static self) -> Option<Box<dyn Any>> {
        patiently(|| self.try_lock())
    }
}

impl<T: Send + Sync> ShortLock for RwLock<T> {
    fn hold(&'static self) -> Option<Box<dyn Any>> {
        patiently(|| self.try_write())
    }
}

/// Tries for a second.
fn patiently<G: 'static>(mut lock: impl FnMut() -> Result<G, TryLockError<G>>) -> Option<Box<dyn Any>> {
    for _ in 0..10_000 {
        match lock() {
            Ok(guard) => return Some(Box::new(guard)),
            Err(TryLockError::Poisoned(poisoned)) => return Some(Box::new(poisoned.into_inner())),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_micros(100)),
        }
    }
    None
}

/// In the order in which they may be taken.
static LOCKS: [&dyn ShortLock; 4] =
    [&crate::client::CLIENTS, &crate::queue::QUEUES, &crate::queue::INHERITED, &crate::cancel::FREE];

static WATCHED: AtomicBool = AtomicBool::new(false);
static FORKS: AtomicU32 = AtomicU32::new(0);

thread_local! {
    static HELD: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

/// Called before one of the locks is taken for the first time.
pub fn watch() {
    // No Once: a child of a fork meanwhile would wait in it for ever.
    if !WATCHED.load(Ordering::Relaxed) && !WATCHED.swap(true, Ordering::SeqCst) {
        // SAFETY: the handlers are there as long as the process, since the library is never unloaded (-z nodelete), and
        // do what handlers may: they take locks, allocate, and free.
        unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    }
}

/// This process: its number, and the forks between it and the one that loaded the library, since a child may have its
/// parent's number in a pid namespace of its own. Async-signal-safe.
pub fn process() -> u64 {
    u64::from(FORKS.load(Ordering::SeqCst)) << 32 | u64::from(std::process::id())
}

extern "C" fn before() {
    let locks = LOCKS.iter().filter_map(|lock| lock.hold()).collect();
    // In a thread that is ending there is nowhere to keep them: they are free again.
    let _ = HELD.try_with(|held| held.replace(locks));
}

extern "C" fn in_parent() {
    let _ = HELD.try_with(RefCell::take);
}

extern "C" fn in_child() {
    FORKS.fetch_add(1, Ordering::SeqCst);
    in_parent();
}
