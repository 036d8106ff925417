//! The reply: a box that the caller frees, with text that lives as long as it does.

use std::ffi::{CString, c_char};

use atlas_postbooking::{Reply, Status, dispatch};

use crate::consts::*;
use crate::guard::{caught, quietly};
use crate::handle;

/// What came of a call. Read it with the apb_reply_ functions, free it with apb_reply_free().
pub struct apb_reply {
    /// NUL-terminated; the length leaves the NUL out.
    json: Vec<u8>,
    message: CString,
    raw: Option<Vec<u8>>,
    status: Status,
    outcome: apb_outcome,
    http_status: i32,
    vendor_status: Option<i64>,
}

impl apb_reply {
    fn new(reply: Reply) -> apb_reply {
        let status = reply.status();
        let outcome = reply.outcome().number();
        let http_status = reply.http_status().map_or(0, i32::from);
        let vendor_status = reply.vendor_status();
        let message = CString::new(reply.message().replace('\0', " ")).unwrap_or_default();
        let (json, raw) = reply.into_parts();
        let mut json = json.into_bytes();
        json.push(0);
        let raw = raw.map(|mut raw| {
            raw.push(0);
            raw
        });
        apb_reply { json, message, raw, status, outcome, http_status, vendor_status }
    }
}

/// Gives a reply to the caller and returns its status. Without a place for it, the reply is dropped.
///
/// # Safety
/// `out` is NULL or points to a writable pointer.
pub unsafe fn give(reply: Reply, out: *mut *mut apb_reply) -> apb_status {
    let status = reply.status().number();
    if !out.is_null() {
        handle::born();
        // SAFETY: the caller promises a writable pointer.
        unsafe { *out = Box::into_raw(Box::new(apb_reply::new(reply))) };
    }
    status
}

/// Runs `body` and gives its reply; a panic becomes a reply too.
///
/// # Safety
/// `out` is NULL or points to a writable pointer.
pub unsafe fn answer(operation: &str, out: *mut *mut apb_reply, body: impl FnOnce() -> Reply) -> apb_status {
    if out.is_null() {
        return APB_E_NULL;
    }
    // SAFETY: checked above; so that a caller who frees it after a failure frees nothing.
    unsafe { *out = std::ptr::null_mut() };
    let reply = caught(body).unwrap_or_else(|text| dispatch::panicked(operation, &text));
    // SAFETY: as above. Building the C reply may run out of memory and panic too.
    caught(|| unsafe { give(reply, out) }).unwrap_or(APB_E_PANIC)
}

/// Reads a field of a reply; NULL gives `fallback`.
///
/// # Safety
/// `reply` is NULL or a reply that is not freed.
unsafe fn read<T>(reply: *const apb_reply, fallback: T, get: impl FnOnce(&apb_reply) -> T) -> T {
    // SAFETY: the caller promises a live reply.
    unsafe { reply.as_ref() }.map_or(fallback, get)
}

/// Gives a text and, if asked, its length without the NUL.
///
/// # Safety
/// `out_len` is NULL or writable.
unsafe fn text(with_nul: Option<&[u8]>, out_len: *mut usize) -> *const c_char {
    if !out_len.is_null() {
        // SAFETY: the caller promises a writable length.
        unsafe { *out_len = with_nul.map_or(0, |t| t.len().saturating_sub(1)) };
    }
    with_nul.map_or(std::ptr::null(), |t| t.as_ptr().cast())
}

/// The reply as JSON, NUL-terminated too; lives until apb_reply_free(). NULL for NULL.
/// `out_len` may be NULL; else it receives the length without the NUL.
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_json(reply: *const apb_reply, out_len: *mut usize) -> *const c_char {
    quietly(std::ptr::null(), || unsafe {
        let json = reply.as_ref().map(|r| r.json.as_slice());
        text(json, out_len)
    })
}

/// The vendor's bytes as received, decompressed; partial if the answer was cut; NULL if none began.
/// They are followed by a NUL that `out_len` does not count, and may contain NULs.
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_raw(reply: *const apb_reply, out_len: *mut usize) -> *const c_char {
    quietly(std::ptr::null(), || unsafe {
        let raw = reply.as_ref().and_then(|r| r.raw.as_deref());
        text(raw, out_len)
    })
}

/// The status of the call; APB_E_NULL for NULL.
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_status(reply: *const apb_reply) -> apb_status {
    quietly(APB_E_PANIC, || unsafe { read(reply, APB_E_NULL, |r| r.status.number()) })
}

/// Did it happen? APB_UNKNOWN for NULL.
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_outcome(reply: *const apb_reply) -> apb_outcome {
    quietly(APB_UNKNOWN, || unsafe { read(reply, APB_UNKNOWN, |r| r.outcome) })
}

/// The HTTP status of the answer; 0 if none came, or for NULL.
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_http_status(reply: *const apb_reply) -> i32 {
    quietly(0, || unsafe { read(reply, 0, |r| r.http_status) })
}

/// The vendor's status number; APB_NO_VENDOR_STATUS if none was read, or for NULL.
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_vendor_status(reply: *const apb_reply) -> i32 {
    // The one number that means "none" is never a status: larger numbers are cut to the range above it.
    let number = |r: &apb_reply| match r.vendor_status {
        None => i32::MIN,
        Some(n) => n.clamp(i64::from(i32::MIN) + 1, i64::from(i32::MAX)) as i32,
    };
    quietly(i32::MIN, || unsafe { read(reply, i32::MIN, number) })
}

/// What went wrong, for a human, in English; "" on success; NULL for NULL. Lives until apb_reply_free().
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_message(reply: *const apb_reply) -> *const c_char {
    quietly(std::ptr::null(), || unsafe { read(reply, std::ptr::null(), |r| r.message.as_ptr()) })
}

/// Frees a reply and every text taken from it. NULL is fine.
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_free(reply: *mut apb_reply) {
    if !reply.is_null() {
        quietly((), || {
            handle::died();
            // SAFETY: the caller promises a reply that is not freed yet.
            drop(unsafe { Box::from_raw(reply) });
        });
    }
}
