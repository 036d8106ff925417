//! Texts of the caller, and names of statuses.

use std::ffi::{CStr, c_char};

/// `APB_ZSTR`: the text ends at its NUL.
const ZSTR: usize = usize::MAX;

/// The caller's bytes. `(NULL, 0)` is the empty text; NULL with another length is None, and so is a length that is larger
/// than any object.
///
/// # Safety
/// `text` is NULL, or points to `len` readable bytes, or to a NUL-terminated text if `len` is `APB_ZSTR`.
/// Nothing changes them as long as the result is used.
pub unsafe fn bytes<'t>(text: *const c_char, len: usize) -> Option<&'t [u8]> {
    match (text.is_null(), len) {
        (true, 0) => Some(&[]),
        (true, _) => None,
        // SAFETY: not NULL and APB_ZSTR, so NUL-terminated by this function's contract.
        (false, ZSTR) => Some(unsafe { CStr::from_ptr(text) }.to_bytes()),
        (false, len) if len > isize::MAX as usize => None,
        // SAFETY: not NULL, and `len` bytes are readable by this function's contract; `len` is at most isize::MAX.
        (false, len) => Some(unsafe { std::slice::from_raw_parts(text.cast(), len) }),
    }
}

/// The name of a status as static, NUL-terminated text.
pub fn status_name(status: i32) -> *const c_char {
    macro_rules! names {
        ($($name:ident),*) => {
            match status {
                $(n if n == crate::consts::$name => concat!(stringify!($name), "\0").as_ptr().cast(),)*
                _ => c"APB_E_?".as_ptr(),
            }
        };
    }
    names!(
        APB_OK,
        APB_E_NULL,
        APB_E_UTF8,
        APB_E_JSON,
        APB_E_REQUEST,
        APB_E_CONFIG,
        APB_E_OPERATION,
        APB_E_HANDLE,
        APB_E_CLOSED,
        APB_E_BUSY,
        APB_E_DNS,
        APB_E_CONNECT,
        APB_E_TLS,
        APB_E_PROXY,
        APB_E_TIMEOUT,
        APB_E_CANCELLED,
        APB_E_IO,
        APB_E_HTTP,
        APB_E_RATE_LIMITED,
        APB_E_AUTH,
        APB_E_REFUSED,
        APB_E_RESPONSE,
        APB_E_TOO_LARGE,
        APB_E_NOT_FOUND,
        APB_E_UNCERTAIN,
        APB_E_ALREADY,
        APB_E_IN_PROGRESS,
        APB_E_STORE,
        APB_E_CONFLICT,
        APB_E_GUARD,
        APB_E_MEMORY,
        APB_E_INTERNAL,
        APB_E_PANIC
    )
}
