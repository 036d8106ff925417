//! Python module of atlas-postbooking: bytes in, replies out. What they mean is Python's business
//! (`atlas_postbooking/`), what they do is the core's.

mod client;
mod courier;
mod guard;
mod reply;

use pyo3::prelude::*;

/// The native half of `atlas_postbooking`; not a public interface.
#[pymodule]
mod _native {
    use super::*;

    #[pymodule_export]
    use super::client::{Client, call, describe, open, validate};
    #[pymodule_export]
    use super::guard::Panicked;
    #[pymodule_export]
    use super::reply::Reply;

    #[cfg(debug_assertions)]
    #[pymodule_export]
    use super::guard::panic_for_tests;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::guard::silence();
        module.add("VERSION", atlas_postbooking::VERSION)
    }
}
