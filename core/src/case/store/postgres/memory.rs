//! What this process remembers of the store: the last intent.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, PoisonError};

/// What this host remembers of the store.
pub(super) struct Witness {
    pub file: Option<PathBuf>,
    last: Mutex<Option<(String, i64)>>,
    /// The tables are there, and can be compared.
    pub is_ready: AtomicBool,
}

impl Witness {
    pub fn new(file: Option<PathBuf>) -> Witness {
        Witness { file, last: Mutex::new(None), is_ready: AtomicBool::new(false) }
    }

    pub fn last(&self) -> Option<(String, i64)> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set(&self, last: Option<(String, i64)>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = last;
    }
}
