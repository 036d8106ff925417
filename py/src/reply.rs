//! A reply of the core, whose parts Python reads one by one.

use std::sync::Mutex;

use atlas_postbooking::Reply as CoreReply;
use pyo3::prelude::*;

use crate::keys::Keys;
use crate::slice::Slice;

/// The result of a call.
#[pyclass(frozen, module = "atlas_postbooking._native")]
pub(crate) struct Reply {
    pub(crate) core: CoreReply,
    /// What is known of the keys in its data.
    pub(crate) keys: Mutex<Keys>,
}

#[pymethods]
impl Reply {
    #[getter]
    fn ok(&self) -> bool {
        self.core.error().is_none()
    }

    #[getter]
    fn status(&self) -> i32 {
        self.core.status().number()
    }

    #[getter]
    fn outcome(&self) -> &'static str {
        self.core.outcome().name()
    }

    #[getter]
    fn json(&self) -> &str {
        self.core.json()
    }

    #[getter]
    fn data(&self) -> &str {
        self.core.data()
    }

    /// The data as an object that is read when it is asked for; None if they are no object.
    #[getter]
    fn slice(slf: &Bound<'_, Self>) -> Option<Slice> {
        Slice::of(slf)
    }

    /// The lines of its attempts, if the client was told to keep them.
    #[getter]
    fn attempts(&self) -> Vec<&str> {
        self.core.log().iter().filter(|line| line.target == "transport").map(|line| line.message.as_str()).collect()
    }

    #[getter]
    fn raw(&self) -> Option<&[u8]> {
        self.core.raw()
    }
}

impl From<CoreReply> for Reply {
    fn from(core: CoreReply) -> Reply {
        Reply { core, keys: Mutex::default() }
    }
}
