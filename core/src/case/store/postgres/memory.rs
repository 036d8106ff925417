//! What this process, and a file of its host, remember of the store: the last intent, and the server that it was on.

use std::mem;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::super::witness::{Locked, ServerWitness};
use super::warnings::Warnings;

/// See the module.
pub(super) struct Memory {
    file: Option<PathBuf>,
    known: Mutex<ServerWitness>,
    /// The tables are there, and can be compared.
    pub is_ready: AtomicBool,
    /// When the server started that a connection was last made to, in microseconds: connections to another one are
    /// given up.
    pub server: AtomicI64,
    pub warnings: Warnings,
}

impl Memory {
    pub fn new(file: Option<PathBuf>) -> Memory {
        Memory {
            file,
            known: Mutex::default(),
            is_ready: AtomicBool::new(false),
            server: AtomicI64::new(0),
            warnings: Warnings::default(),
        }
    }

    fn known(&self) -> MutexGuard<'_, ServerWitness> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// What is remembered now.
    pub fn get(&self) -> ServerWitness {
        self.known().clone()
    }

    /// The last intent of this process, or of its host.
    pub fn last(&self) -> Option<(String, i64)> {
        let known = self.known();
        (!known.case.is_empty()).then(|| (known.case.clone(), known.number))
    }

    /// What the host's file says; None if there is none, or nothing is in it.
    pub fn read_file(&self) -> Option<ServerWitness> {
        let known = Locked::open(self.file.as_deref()?)?.read().ok().flatten()?;
        Some(known.of_server())
    }

    /// Takes over what the host's file says.
    pub fn begin(&self, known: ServerWitness) {
        *self.known() = known;
        self.is_ready.store(true, Ordering::SeqCst);
    }

    /// After an intent was stored. Gives whether the file names it, if there is to be one.
    pub fn remember(&self, case: &str, number: i64) -> bool {
        let mut known = self.known();
        // Those of several threads come in any order.
        if number > known.number {
            (known.case, known.number) = (case.to_owned(), number);
        }
        let now = known.clone();
        drop(known);
        self.write(&now)
    }

    /// A server of this store was found sound.
    pub fn remember_server(&self, store: &str, system: &str, timeline: i64) {
        let mut known = self.known();
        let before = known.clone();
        known.store = store.to_owned();
        if timeline > 0 {
            (known.system, known.timeline) = (system.to_owned(), timeline);
        }
        let now = known.clone();
        drop(known);
        if now != before {
            // A file that cannot be written is reported by the next intent.
            self.write(&now);
        }
    }

    /// The loss of what was remembered is confirmed. What another process of the host has written since then stays,
    /// unless `all` is to be forgotten.
    pub fn forget(&self, store: &str, all: bool) {
        let begin = ServerWitness { store: store.to_owned(), ..ServerWitness::default() };
        let lost = mem::replace(&mut *self.known(), begin.clone());
        let Some(mut locked) = self.file.as_deref().and_then(Locked::open) else { return };
        let found = locked.read().ok().flatten().map(|found| found.of_server()).unwrap_or_default();
        if all || found.store != store || found.number <= lost.number {
            // As above.
            let _ = locked.write_of_server(begin);
        }
    }

    /// Only what is later than what another process has written.
    fn write(&self, known: &ServerWitness) -> bool {
        let Some(file) = &self.file else { return true };
        Locked::open(file).is_some_and(|mut locked| {
            let earlier = locked.read().ok().flatten().map(|earlier| earlier.of_server());
            let earlier = earlier.filter(|earlier| earlier.store == known.store).unwrap_or_default();
            let later = earlier.clone().with(known);
            later == earlier || locked.write_of_server(later).is_ok()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_the_last_intent_of_all_processes_of_a_host() {
        let file = std::env::temp_dir().join(format!("apb-memory-{}", std::process::id()));
        let process = || {
            let made = Memory::new(Some(file.clone()));
            made.begin(made.read_file().unwrap_or_default());
            made.remember_server("s", "7", 2);
            made
        };
        let (one, other) = (process(), process());
        assert!(one.remember("b", 5) && other.remember("a", 4));
        assert_eq!(one.read_file().unwrap(), one.get());
        // A lower timeline is no news, and intents of several threads come in any order.
        other.remember_server("s", "7", 1);
        one.remember("late", 3);
        assert_eq!((one.last(), one.read_file().unwrap()), (Some(("b".to_owned(), 5)), one.get()));
        // One forgets what is lost, and what the other has written since stays.
        one.remember("c", 1 << 33);
        other.forget("s", false);
        assert_eq!((other.last(), one.read_file().unwrap().case), (None, "c".to_owned()));
        other.forget("s", true);
        assert_eq!(one.read_file().unwrap(), ServerWitness { store: "s".to_owned(), ..ServerWitness::default() });
        std::fs::remove_file(&file).unwrap();
    }
}
