//! The keys of the objects of one reply, each as one Python string. Objects of a list have the same keys in the same
//! order, so that a key is mostly the one after the last.

use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::scan::Scan;

/// Further keys are not remembered: a reply may have any number of undocumented ones.
const MAX_KEYS: usize = 128;

#[derive(Default)]
pub(crate) struct Keys {
    /// As the core writes them, with quotes and colon, in the order in which they came first.
    known: Vec<(String, Py<PyString>)>,
    /// The likeliest one.
    next: usize,
}

impl Keys {
    /// Reads a key and its colon; None if it has escapes.
    pub(crate) fn read<'py>(&mut self, py: Python<'py>, scan: &mut Scan<'_>) -> Option<Bound<'py, PyString>> {
        if let Some((written, key)) = self.known.get(self.next)
            && scan.takes_text(written)
        {
            self.next += 1;
            return Some(key.bind(py).clone());
        }
        let text = scan.text()?;
        scan.expect(b':')?;
        let is_it = |written: &str| written.get(1..written.len().saturating_sub(2)) == Some(text);
        if let Some(at) = self.known.iter().position(|(written, _)| is_it(written)) {
            self.next = at + 1;
            return self.known.get(at).map(|(_, key)| key.bind(py).clone());
        }
        let key = PyString::intern(py, text);
        if self.known.len() < MAX_KEYS {
            self.known.push((format!("\"{text}\":"), key.clone().unbind()));
            self.next = self.known.len();
        }
        Some(key)
    }
}
