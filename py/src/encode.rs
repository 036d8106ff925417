//! Requests of plain values to JSON, without a pass through Python. It knows no types: what is not plain, or may be
//! wrong, is left to `_encode.py`, which has the rules and the errors.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyInt, PyList, PyString};

/// Deeper requests are left to Python.
const MAX_DEPTH: usize = 32;

/// The JSON of `values` under the vendor's names; None if a value in it is neither a str without escapes, an int of 64
/// bits, a bool, None, a list nor a dict, or if a name may be given twice.
#[pyfunction]
pub(crate) fn encode<'py>(
    py: Python<'py>,
    values: &Bound<'py, PyDict>,
    schema: &Bound<'py, PyAny>,
) -> PyResult<Option<Bound<'py, PyBytes>>> {
    let mut out = Vec::with_capacity(256);
    let is_plain = object(values, schema, 0, &mut out)?;
    Ok(is_plain.then(|| PyBytes::new(py, &out)))
}

/// Whether it was plain.
fn object(values: &Bound<'_, PyDict>, schema: &Bound<'_, PyAny>, depth: usize, out: &mut Vec<u8>) -> PyResult<bool> {
    if depth > MAX_DEPTH {
        return Ok(false);
    }
    let attributes = schema.getattr(intern!(schema.py(), "attributes"))?.cast_into::<PyDict>()?;
    out.push(b'{');
    let mut is_first = true;
    // A copy: another thread may change the dict while the schema is asked.
    for item in values.items() {
        let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
        let Ok(key) = key.cast_exact::<PyString>() else { return Ok(false) };
        let name = match attributes.get_item(key)? {
            Some(name) => name.cast_into::<PyString>()?,
            None => key.clone(),
        };
        // The Python name was given; the vendor's may be too.
        if !name.is(key) && name.as_any().ne(key)? && values.contains(&name)? {
            return Ok(false);
        }
        if !is_first {
            out.push(b',');
        }
        is_first = false;
        if !text(&name, out) {
            return Ok(false);
        }
        out.push(b':');
        if !scalar(&value, out)? {
            let child = schema.call_method1(intern!(schema.py(), "child"), (&name,))?;
            if !container(&value, &child, depth + 1, out)? {
                return Ok(false);
            }
        }
    }
    out.push(b'}');
    Ok(true)
}

fn container(value: &Bound<'_, PyAny>, schema: &Bound<'_, PyAny>, depth: usize, out: &mut Vec<u8>) -> PyResult<bool> {
    if let Ok(values) = value.cast_exact::<PyDict>() {
        return object(values, schema, depth, out);
    }
    let Ok(items) = value.cast_exact::<PyList>() else { return Ok(false) };
    if depth > MAX_DEPTH {
        return Ok(false);
    }
    out.push(b'[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        if !scalar(&item, out)? && !container(&item, schema, depth + 1, out)? {
            return Ok(false);
        }
    }
    out.push(b']');
    Ok(true)
}

/// Whether it was written; nothing is written of a value that was not.
fn scalar(value: &Bound<'_, PyAny>, out: &mut Vec<u8>) -> PyResult<bool> {
    if let Ok(value) = value.cast_exact::<PyString>() {
        return Ok(text(value, out));
    }
    if value.is_none() {
        out.extend_from_slice(b"null");
    } else if let Ok(value) = value.cast_exact::<PyBool>() {
        out.extend_from_slice(if value.is_true() { b"true" } else { b"false" });
    } else if let Ok(value) = value.cast_exact::<PyInt>() {
        let Ok(number) = value.extract::<i64>() else { return Ok(false) };
        out.extend_from_slice(number.to_string().as_bytes());
    } else {
        return Ok(false);
    }
    Ok(true)
}

fn text(value: &Bound<'_, PyString>, out: &mut Vec<u8>) -> bool {
    // Not of half a surrogate pair.
    let Ok(text) = value.to_str() else { return false };
    if text.bytes().any(|b| b < b' ' || b == b'"' || b == b'\\') {
        return false;
    }
    out.push(b'"');
    out.extend_from_slice(text.as_bytes());
    out.push(b'"');
    true
}
