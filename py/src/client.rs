//! The functions of the module, all of them through the core's one door.

use atlas_postbooking::dispatch;
use pyo3::prelude::*;

use crate::courier;
use crate::guard::{Panicked, guarded_py};
use crate::reply::Reply;

/// An open client.
#[pyclass(frozen, module = "atlas_postbooking._native")]
pub(crate) struct Client {
    core: dispatch::Client,
}

#[pymethods]
impl Client {
    /// Calls an operation and waits for its end, with the interpreter lock released.
    fn call(&self, py: Python<'_>, operation: &[u8], request: &[u8], options: &[u8]) -> PyResult<Reply> {
        py.detach(|| guarded_py(|| dispatch::call(Some(&self.core), operation, request, options, None)))
            .map(Reply::from)
    }

    /// As `call`, for the main thread: Python's signal handlers run meanwhile, and if one raises, the
    /// call is left to run on by itself.
    fn call_interruptible(&self, py: Python<'_>, operation: &[u8], request: &[u8], options: &[u8]) -> PyResult<Reply> {
        match courier::carry(py, &self.core, operation, request, options)? {
            Ok(core) => Ok(Reply::from(core)),
            Err(panic) => Err(Panicked::new_err(panic)),
        }
    }
}

/// A client, or the reply that says what is wrong with the configuration.
#[derive(IntoPyObject)]
pub(crate) enum Opened {
    Client(Client),
    Reply(Reply),
}

/// Opens a client.
#[pyfunction]
pub(crate) fn open(py: Python<'_>, config: &[u8]) -> PyResult<Opened> {
    // Certificates are read from files here, which may take a while.
    py.detach(|| guarded_py(|| dispatch::open(config))).map(|opened| match opened {
        Ok(core) => Opened::Client(Client { core }),
        Err(reply) => Opened::Reply(Reply::from(reply)),
    })
}

/// Calls an operation that needs no client.
#[pyfunction]
pub(crate) fn call(py: Python<'_>, operation: &[u8], request: &[u8], options: &[u8]) -> PyResult<Reply> {
    py.detach(|| guarded_py(|| dispatch::call(None, operation, request, options, None))).map(Reply::from)
}

/// Checks a request without sending it.
#[pyfunction]
pub(crate) fn validate(operation: &[u8], request: &[u8]) -> PyResult<Reply> {
    guarded_py(|| dispatch::validate(operation, request)).map(Reply::from)
}

/// Describes one operation, or all.
#[pyfunction]
#[pyo3(signature = (operation=None))]
pub(crate) fn describe(operation: Option<&[u8]>) -> PyResult<Reply> {
    guarded_py(|| dispatch::describe(operation)).map(Reply::from)
}
