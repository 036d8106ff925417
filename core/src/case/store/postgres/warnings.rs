//! What is noticed of a server beside the answers: told once, in the reply of the next call that uses the store.

use std::mem;
use std::sync::{Mutex, PoisonError};

use crate::exchange::context::Warning;

#[derive(Default)]
pub(super) struct Warnings(Mutex<State>);

#[derive(Default)]
struct State {
    /// Not told yet.
    pending: Vec<Warning>,
    /// What the server's settings gave cause for when a connection was last made.
    present: Vec<&'static str>,
}

impl Warnings {
    /// Something happened.
    pub fn add(&self, code: &'static str, text: String) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.pending.retain(|known| known.code != code);
        state.pending.push(Warning { code, text });
    }

    /// The server is so now: what it was before is not told again.
    pub fn set_present(&self, found: Vec<Warning>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = mem::replace(&mut state.present, found.iter().map(|warning| warning.code).collect());
        state.pending.extend(found.into_iter().filter(|warning| !before.contains(&warning.code)));
    }

    pub fn take(&self) -> Vec<Warning> {
        mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).pending)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(found: &[Warning]) -> Vec<&'static str> {
        found.iter().map(|warning| warning.code).collect()
    }

    #[test]
    fn what_stays_as_it_is_is_told_once() {
        let warnings = Warnings::default();
        let of = |code| Warning { code, text: String::new() };
        warnings.set_present(vec![of("a")]);
        assert_eq!(codes(&warnings.take()), ["a"]);
        warnings.set_present(vec![of("a"), of("b")]);
        assert_eq!(codes(&warnings.take()), ["b"]);
        warnings.set_present(Vec::new());
        warnings.set_present(vec![of("a")]);
        warnings.add("c", String::new());
        warnings.add("c", String::new());
        assert_eq!(codes(&warnings.take()), ["a", "c"]);
        assert!(warnings.take().is_empty());
    }
}
