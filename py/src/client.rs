//! The functions of the module. All of them call `dispatch`, the entry of the core for bindings.

use std::time::Duration;

use atlas_postbooking::{LogLevel, dispatch};
use pyo3::prelude::*;

use crate::guard::{Panicked, guarded_py};
use crate::reply::Reply;

/// An open client.
#[pyclass(frozen, module = "atlas_postbooking._native")]
pub(crate) struct Client {
    core: dispatch::Client,
}

impl Client {
    pub(crate) fn core(&self) -> &dispatch::Client {
        &self.core
    }
}

#[pymethods]
impl Client {
    /// Whether replies come with a line for each attempt.
    fn log_attempts(&self, wanted: bool) {
        self.core.set_log_level(wanted.then_some(LogLevel::Debug));
    }

    /// Calls an operation and waits for its end, with the interpreter lock released.
    fn call(&self, py: Python<'_>, operation: &[u8], request: &[u8], options: &[u8]) -> PyResult<Reply> {
        py.detach(|| guarded_py(|| dispatch::call(Some(&self.core), operation, request, options, None)))
            .map(Reply::from)
    }

    /// As `call`, for the main thread: signal handlers of Python run during the call. If one raises, the call is left
    /// to run in the background and the exception is returned; if the call had ended by then, its reply is the
    /// attribute `_atlas_reply` of the exception.
    fn call_interruptible(&self, py: Python<'_>, operation: &[u8], request: &[u8], options: &[u8]) -> PyResult<Reply> {
        let mut raised = None;
        let reply = py.detach(|| {
            let mut no_handler_raised = || {
                raised = Python::attach(|py| py.check_signals()).err();
                raised.is_none()
            };
            guarded_py(|| {
                dispatch::call_watched(
                    &self.core,
                    operation,
                    request,
                    options,
                    SIGNAL_CHECK_INTERVAL,
                    &mut no_handler_raised,
                )
            })
        });
        match (raised, reply?) {
            (None, Some(core)) => Ok(Reply::from(core)),
            (None, None) => Err(Panicked::new_err("a call ended without a reply")),
            (Some(raised), reply) => {
                if let Some(core) = reply {
                    let _ = raised.value(py).setattr("_atlas_reply", Reply::from(core));
                }
                Err(raised)
            }
        }
    }
}

/// How long a signal waits for its handler at most.
const SIGNAL_CHECK_INTERVAL: Duration = Duration::from_millis(50);

/// A client, or the reply with the faults of the configuration.
#[derive(IntoPyObject)]
pub(crate) enum Opened {
    Client(Client),
    Reply(Reply),
}

/// Opens a client.
#[pyfunction]
pub(crate) fn open(py: Python<'_>, config: &[u8]) -> PyResult<Opened> {
    // Detached because certificates are read from files here.
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
