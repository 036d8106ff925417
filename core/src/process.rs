//! Which process this is, where forks copy what the threads of the parent were in the middle of.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The process that was seen last, folded, and how many forks lie between it and the one that loaded the library.
static SEEN: AtomicU64 = AtomicU64::new(0);

/// Which process this is. A child may have its parent's number in a pid namespace of its own, and one that was made by
/// the bare system call has not been counted as a fork: hence both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProcessId {
    pid: u32,
    forks: u32,
}

/// This process. Takes no lock after the first call.
pub(crate) fn current() -> ProcessId {
    ProcessId { pid: std::process::id(), forks: sqlite_locks::forks() }
}

/// Counts the forks between the process that loaded the library and this one. Takes no lock.
fn generation() -> usize {
    let id = current();
    // Numbers of processes have 22 bits at most on Linux.
    let own = u64::from(id.pid ^ (id.forks << 22));
    let next = |seen: u64| (seen >> 32 != own).then(|| (own << 32) | ((seen + 1) & u64::from(u32::MAX)));
    match SEEN.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next) {
        Ok(before) => (before + 1) as u32 as usize,
        Err(seen) => seen as u32 as usize,
    }
}

/// A mutex for each process: a forked child never waits for one that a thread of its parent held, which nobody gives
/// back. After so many forks within forks the first one comes again.
#[derive(Default)]
pub(crate) struct PerProcess<T>([Mutex<T>; 8]);

impl<T> PerProcess<T> {
    pub const fn new(values: [Mutex<T>; 8]) -> PerProcess<T> {
        PerProcess(values)
    }

    /// The value of this process: the default one at first, and in a child of many forks perhaps that of an ancestor.
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.of(generation())
    }

    fn of(&self, generation: usize) -> MutexGuard<'_, T> {
        let [first, ..] = &self.0;
        let own = self.0.get(generation % self.0.len()).unwrap_or(first);
        own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All values, those of ancestors too.
    pub fn all(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().map(|one| one.get_mut().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_does_not_wait_for_a_lock_that_its_parent_held() {
        let number = PerProcess::<u32>::default();
        let mut parents = number.of(3);
        *parents = 7;
        let mut childs = number.of(4);
        assert_eq!(*childs, 0);
        *childs = 1;
        drop((parents, childs));
        assert_eq!((*number.of(3), *number.of(4), generation()), (7, 1, generation()));
        let mut number = number;
        assert_eq!(number.all().map(|n| *n).sum::<u32>(), 8);
    }
}
