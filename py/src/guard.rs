//! Panics become exceptions: never an abort, never a line on the host's stderr.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::PyException;
use pyo3::prelude::*;

pyo3::create_exception!(_native, Panicked, PyException, "A panic of the library; Python turns it into its own error.");

thread_local! {
    static PLACE: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Replaces the hook that prints panics. This module has its own copy of the standard library, so
/// other Rust code in the process keeps its hook.
pub(crate) fn silence() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(|l| format!(" at {}:{}", l.file(), l.line())).unwrap_or_default();
        // A thread that is ending has no such storage any more.
        let _ = PLACE.try_with(|p| p.replace(place));
    }));
}

/// Runs `work`; a panic comes back as its text.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let place = PLACE.try_with(|p| p.take()).unwrap_or_default();
        format!("{}{place}", text(&*payload))
    })
}

/// As [`guarded`], as a Python exception.
pub(crate) fn guarded_py<T>(work: impl FnOnce() -> T) -> PyResult<T> {
    guarded(work).map_err(Panicked::new_err)
}

fn text(payload: &(dyn Any + Send)) -> &str {
    payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("a panic without a text")
}

/// Shows that a panic arrives in Python as an exception; absent in release builds.
#[cfg(debug_assertions)]
#[allow(clippy::panic, reason = "a panic is what this one is for")]
#[pyfunction]
pub(crate) fn panic_for_tests(py: Python<'_>) -> PyResult<()> {
    py.detach(|| guarded_py(|| std::panic::panic_any("a test")))
}
