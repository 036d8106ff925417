//! Calls that are started and not waited for: their replies come out of a queue whose descriptor an event loop watches.

use atlas_postbooking::{Cancel as CoreCancel, Next, Queue as CoreQueue, StartError, dispatch};
use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::prelude::*;
use std::time::Duration;

use crate::client::Client;
use crate::guard::guarded_py;
use crate::reply::Reply;

/// Cancels the calls that were started with it.
#[pyclass(frozen, module = "atlas_postbooking._native")]
pub(crate) struct Cancel {
    core: CoreCancel,
}

#[pymethods]
impl Cancel {
    #[new]
    fn new() -> Cancel {
        Cancel { core: CoreCancel::new() }
    }

    fn set(&self) {
        self.core.set();
    }
}

/// Cancels every call of this process that began before.
#[pyfunction]
pub(crate) fn cancel_all() {
    CoreCancel::all();
}

/// Replies of calls that were started.
#[pyclass(frozen, module = "atlas_postbooking._native")]
pub(crate) struct Queue {
    core: CoreQueue<()>,
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.core.free();
    }
}

#[pymethods]
impl Queue {
    #[new]
    fn new() -> PyResult<Queue> {
        match CoreQueue::new() {
            Ok(core) => Ok(Queue { core }),
            Err(error) => Err(PyOSError::new_err(error.message)),
        }
    }

    /// Readable while a reply waits.
    #[getter]
    fn fd(&self) -> i32 {
        self.core.fd()
    }

    /// False in a forked child.
    #[getter]
    fn is_usable(&self) -> bool {
        self.core.is_usable()
    }

    /// Starts a call; its reply comes out of `next` with this tag.
    #[allow(clippy::too_many_arguments)]
    fn start(
        &self,
        client: &Client,
        operation: &[u8],
        request: &[u8],
        options: &[u8],
        tag: u64,
        cancel: &Cancel,
    ) -> PyResult<()> {
        let call = dispatch::Call { operation, request, options, tag };
        let started = guarded_py(|| dispatch::start(&self.core, Some(client.core()), call, (), Some(&cancel.core)))?;
        started.map_err(|error| {
            PyRuntimeError::new_err(match error {
                StartError::Closed => "the queue is closed",
                StartError::Freed => "the queue belongs to another process",
                StartError::Busy => "a call was made on the library's own thread",
            })
        })
    }

    /// The next reply with its tag; None if none waits.
    fn next(&self) -> PyResult<Option<(u64, Reply)>> {
        Ok(match guarded_py(|| self.core.next(Some(Duration::ZERO)))? {
            Next::Done(completion) => Some((completion.tag, Reply::from(completion.reply))),
            Next::None | Next::Closed | Next::Freed => None,
        })
    }
}
