//! Objects of a reply, read out of its JSON when they are asked for. The JSON is the core's own: compact, and well
//! formed. None is the answer to what is read by Python instead: escapes, and numbers of too many digits.

use std::ops::Range;

use pyo3::exceptions::{PyArithmeticError, PyValueError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyInt, PyList, PyString, PyTuple, PyType};

use crate::keys::Keys;
use crate::reply::Reply;
use crate::scan::Scan;

/// Deeper values are left to Python.
const MAX_DEPTH: usize = 100;

/// Bytes of a large object: a page of a list.
const LARGE: usize = 1 << 14;

/// An object in the data of a reply. It keeps the reply.
#[pyclass(frozen, module = "atlas_postbooking._native")]
pub(crate) struct Slice {
    reply: Py<Reply>,
    range: Range<usize>,
}

impl Slice {
    /// The whole data; None if they are no object.
    pub(crate) fn of(reply: &Bound<'_, Reply>) -> Option<Slice> {
        let data = reply.get().core.data();
        data.starts_with('{').then(|| Slice { reply: reply.clone().unbind(), range: 0..data.len() })
    }

    fn read(&self) -> &str {
        self.reply.get().core.data().get(self.range.clone()).unwrap_or_default()
    }
}

#[pymethods]
impl Slice {
    /// Its JSON.
    #[getter]
    fn text(&self) -> &str {
        self.read()
    }

    /// The object as a dict; None: Python has to read it.
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        // Taken meanwhile: Python may run other code, and another thread, while its objects are made.
        let known = &self.reply.get().keys;
        let mut keys = known.lock().map(|mut keys| std::mem::take(&mut *keys)).unwrap_or_default();
        let values = plain(py, &mut Scan::new(self.read()), 0, &mut keys).transpose();
        if let Ok(mut known) = known.lock() {
            *known = keys;
        }
        values
    }

    /// Whether reading one field takes less time than making a dict, however many of them are read.
    #[getter]
    fn is_large(&self) -> bool {
        self.range.len() > LARGE
    }

    /// A field that is in the object at most once, as a tuple of one, objects in it as slices; an empty tuple: there is
    /// no such field. None: Python has to read the object.
    fn field<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let mut scan = Scan::new(self.read());
        match scan.find(name) {
            None => Ok(None),
            Some(false) => Ok(Some(PyTuple::empty(py))),
            Some(true) => self.sliced(py, &mut scan, 0).map(|value| PyTuple::new(py, [value?])).transpose(),
        }
    }
}

impl Slice {
    fn sliced<'py>(&self, py: Python<'py>, scan: &mut Scan<'_>, depth: usize) -> Option<PyResult<Bound<'py, PyAny>>> {
        match scan.peek()? {
            b'{' => {
                let start = self.range.start + scan.position();
                scan.skip()?;
                let range = start..self.range.start + scan.position();
                let slice = Slice { reply: self.reply.clone_ref(py), range };
                Some(Bound::new(py, slice).map(Bound::into_any))
            }
            b'[' => list(py, scan, depth, |scan| self.sliced(py, scan, depth + 1)),
            _ => scalar(py, scan),
        }
    }
}

/// A value with dicts for objects.
fn plain<'py>(
    py: Python<'py>,
    scan: &mut Scan<'_>,
    depth: usize,
    keys: &mut Keys,
) -> Option<PyResult<Bound<'py, PyAny>>> {
    match scan.peek()? {
        b'{' if depth < MAX_DEPTH => {
            scan.expect(b'{')?;
            let values = PyDict::new(py);
            let mut is_end = scan.takes(b'}');
            while !is_end {
                let key = keys.read(py, scan)?;
                // Of a key that occurs twice the last counts.
                let set = plain(py, scan, depth + 1, keys)?.and_then(|value| values.set_item(key, value));
                if let Err(error) = set {
                    return Some(Err(error));
                }
                is_end = scan.ends(b'}')?;
            }
            Some(Ok(values.into_any()))
        }
        b'[' => list(py, scan, depth, |scan| plain(py, scan, depth + 1, keys)),
        b'{' => None,
        _ => scalar(py, scan),
    }
}

fn list<'py, 's>(
    py: Python<'py>,
    scan: &mut Scan<'s>,
    depth: usize,
    mut item: impl FnMut(&mut Scan<'s>) -> Option<PyResult<Bound<'py, PyAny>>>,
) -> Option<PyResult<Bound<'py, PyAny>>> {
    if depth >= MAX_DEPTH {
        return None;
    }
    scan.expect(b'[')?;
    let items = PyList::empty(py);
    let mut is_end = scan.takes(b']');
    while !is_end {
        if let Err(error) = item(scan)?.and_then(|value| items.append(value)) {
            return Some(Err(error));
        }
        is_end = scan.ends(b']')?;
    }
    Some(Ok(items.into_any()))
}

fn scalar<'py>(py: Python<'py>, scan: &mut Scan<'_>) -> Option<PyResult<Bound<'py, PyAny>>> {
    match scan.peek()? {
        b'"' => Some(Ok(PyString::new(py, scan.text()?).into_any())),
        b't' | b'f' => {
            let value = scan.word()? == "true";
            Some(Ok(pyo3::types::PyBool::new(py, value).to_owned().into_any()))
        }
        b'n' => {
            scan.word()?;
            Some(Ok(py.None().into_bound(py)))
        }
        _ => number(py, scan.word()?),
    }
}

/// An int or a Decimal; None for what neither of them takes.
fn number<'py>(py: Python<'py>, token: &str) -> Option<PyResult<Bound<'py, PyAny>>> {
    static DECIMAL: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    if let Ok(number) = token.parse::<i64>() {
        return Some(number.into_pyobject(py).map(Bound::into_any).map_err(PyErr::from));
    }
    let made = if token.bytes().all(|b| b == b'-' || b.is_ascii_digit()) {
        py.get_type::<PyInt>().call1((token,))
    } else {
        DECIMAL.import(py, "decimal", "Decimal").and_then(|decimal| decimal.call1((token,)))
    };
    match made {
        Err(error) if error.is_instance_of::<PyValueError>(py) || error.is_instance_of::<PyArithmeticError>(py) => None,
        made => Some(made),
    }
}
