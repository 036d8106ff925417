//! The native module of the Python package: requests as bytes in, replies out. The package's Python part converts
//! arguments and values; everything else is done by the core.

mod client;
mod encode;
mod guard;
mod keys;
mod queue;
mod reply;
mod scan;
mod slice;

use atlas_postbooking::Status;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// The native half of `atlas_postbooking`; not a public interface.
#[pymodule]
mod _native {
    use super::*;

    #[pymodule_export]
    use super::client::{Client, call, describe, open, validate};
    #[pymodule_export]
    use super::encode::encode;
    #[pymodule_export]
    use super::guard::Panicked;
    #[pymodule_export]
    use super::queue::{Cancel, Queue, cancel_all};
    #[pymodule_export]
    use super::reply::Reply;
    #[pymodule_export]
    use super::slice::Slice;

    #[cfg(debug_assertions)]
    #[pymodule_export]
    use super::guard::panic_for_tests;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        super::guard::install_panic_hook();
        let statuses = PyDict::new(module.py());
        for status in Status::all() {
            statuses.set_item(status.c_name().trim_start_matches("APB_").trim_start_matches("E_"), status.number())?;
        }
        module.add("STATUSES", statuses)?;
        module.add("VERSION", atlas_postbooking::VERSION)
    }
}
