//! Text across the border: bytes and a length, in both directions.

use std::ffi::{CStr, c_char};

/// `APB_ZSTR`: the text ends at its NUL.
const ZSTR: usize = usize::MAX;

/// The caller's bytes; None for what cannot be a text. `(NULL, 0)` is the empty text; NULL with any other length is None.
///
/// # Safety
/// `text` is NULL, or points to `len` readable bytes, or to a NUL-terminated text if `len` is `APB_ZSTR`.
pub unsafe fn bytes<'t>(text: *const c_char, len: usize) -> Option<&'t [u8]> {
    match (text.is_null(), len) {
        (true, 0) => Some(&[]),
        (true, _) => None,
        // SAFETY: the caller promises a NUL-terminated text.
        (false, ZSTR) => Some(unsafe { CStr::from_ptr(text) }.to_bytes()),
        // A length that no object can have is a mistake, not a text.
        (false, len) if len > isize::MAX as usize => None,
        // SAFETY: the caller promises `len` readable bytes.
        (false, len) => Some(unsafe { std::slice::from_raw_parts(text.cast(), len) }),
    }
}

/// A status' name as static, NUL-terminated text.
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
