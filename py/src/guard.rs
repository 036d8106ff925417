//! Turns panics into Python exceptions: no abort, and nothing on the stderr of the host process.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::PyException;
use pyo3::prelude::*;

pyo3::create_exception!(
    _native,
    Panicked,
    PyException,
    "A panic in the core. The Python part of the package raises its own error for it."
);

thread_local! {
    static LOCATION: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Replaces the hook that prints panics by one that stores their location. This module has its own copy of the standard
/// library, so other Rust code in the process keeps its hook.
pub(crate) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        let location = info.location().map(|l| format!(" at {}:{}", l.file(), l.line())).unwrap_or_default();
        // Fails in a thread that is ending, whose thread-local storage is gone.
        let _ = LOCATION.try_with(|l| l.replace(location));
    }));
}

/// Runs `work`; a panic is returned as its text and location.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let location = LOCATION.try_with(|l| l.take()).unwrap_or_default();
        format!("{}{location}", text(&*payload))
    })
}

/// As [`guarded`]; a panic is returned as a Python exception.
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

/// Panics, for the test that a panic becomes an exception. Not in release builds.
#[cfg(debug_assertions)]
#[allow(clippy::panic, reason = "panics on purpose")]
#[pyfunction]
pub(crate) fn panic_for_tests(py: Python<'_>) -> PyResult<()> {
    py.detach(|| guarded_py(|| std::panic::panic_any("a test")))
}
