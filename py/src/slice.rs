//! Objects of a reply, read out of its JSON when they are asked for. The JSON is the core's own: compact, and well
//! formed. None is the answer to what is read by Python instead: escapes, fractions, integers of more than 64 bits.

use std::ops::Range;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::reply::Reply;
use crate::scan::Scan;

/// Deeper values are left to Python.
const MAX_DEPTH: usize = 100;

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
        Ok(match plain(py, &mut Scan::new(self.read()), 0) {
            Some(values) => Some(values?),
            None => None,
        })
    }

    /// A field that is in the object at most once, as a tuple of one, objects in it as slices; None: Python has to
    /// read the object. An absent field is None.
    fn field<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Option<(Bound<'py, PyAny>,)>> {
        let mut scan = Scan::new(self.read());
        Ok(match scan.find(name) {
            None => None,
            Some(false) => Some((py.None().into_bound(py),)),
            Some(true) => match self.sliced(py, &mut scan, 0) {
                Some(value) => Some((value?,)),
                None => None,
            },
        })
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
fn plain<'py>(py: Python<'py>, scan: &mut Scan<'_>, depth: usize) -> Option<PyResult<Bound<'py, PyAny>>> {
    match scan.peek()? {
        b'{' if depth < MAX_DEPTH => {
            scan.expect(b'{')?;
            let values = PyDict::new(py);
            let mut is_end = scan.takes(b'}');
            while !is_end {
                let key = PyString::intern(py, scan.text()?);
                scan.expect(b':')?;
                // Of a key that occurs twice the last counts.
                let set = plain(py, scan, depth + 1)?.and_then(|value| values.set_item(key, value));
                if let Err(error) = set {
                    return Some(Err(error));
                }
                is_end = scan.ends(b'}')?;
            }
            Some(Ok(values.into_any()))
        }
        b'[' => list(py, scan, depth, |scan| plain(py, scan, depth + 1)),
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
        _ => {
            let number: i64 = scan.word()?.parse().ok()?;
            Some(number.into_pyobject(py).map(Bound::into_any).map_err(PyErr::from))
        }
    }
}
