//! The functions that take an operation by its name: call, validate, describe.

use std::ffi::c_char;

use atlas_postbooking::{ErrorCode, Reply, dispatch};

use crate::cancel::{TokenInUse, acquire, apb_cancel};
use crate::client::{apb_client, get};
use crate::consts::*;
use crate::reply::{apb_reply, respond};
use crate::text::bytes;

/// Calls an operation by its name and waits for its end.
///
/// client: may be NULL for parseWebhook only.
/// operation: NUL-terminated, "refundQuotation", "void" ...
/// request_json, len: the request with the vendor's field names; (NULL,0) is {}.
/// options_json, options_len: options of this call; (NULL,0) for none.
/// cancel: a token from apb_cancel_new(), or NULL.
/// out_reply: receives the reply, with every status. Must not be NULL, otherwise nothing is sent and
/// APB_E_NULL is returned. Free it with apb_reply_free().
/// Returns the status of the reply. Whether the operation was executed says apb_reply_outcome().
///
/// # Safety
/// PROMISES of the header: texts, out parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_call(
    client: *const apb_client,
    operation: *const c_char,
    request_json: *const c_char,
    len: usize,
    options_json: *const c_char,
    options_len: usize,
    cancel: *const apb_cancel,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller promises (PROMISES, texts) that `operation`, if not NULL, ends with a NUL.
    let name = if operation.is_null() { None } else { unsafe { bytes(operation, usize::MAX) } };
    let shown = String::from_utf8_lossy(name.unwrap_or_default());
    let body = || {
        let Some(name) = name else { return null(b"", "operation is NULL") };
        // SAFETY: the caller promises (PROMISES, texts) that options_json is readable for its length or up to its NUL.
        let Some(options) = (unsafe { bytes(options_json, options_len) }) else {
            return null(name, "options_json is NULL, but its length is not 0");
        };
        // Acquired before the call: it keeps the token even if another thread frees the handle meanwhile.
        let token = acquire(cancel);
        if token.is_none() && !cancel.is_null() {
            return stale(name, "the cancel handle is stale, freed, or none");
        }
        // SAFETY: the caller promises (PROMISES, texts) that request_json is readable for len bytes or up to its NUL.
        unsafe { call(client, name, request_json, len, options, token.as_ref()) }
    };
    // SAFETY: `out_reply` is NULL, or the caller promises (PROMISES, out parameters) that it may be written.
    unsafe { respond(&shown, out_reply, body) }
}

/// A call of a function of `operations.rs`: apb_call() without options and cancel token.
///
/// # Safety
/// `request_json` and `len` as in [`bytes`]; `out_reply` is NULL or may be written.
pub unsafe fn call_named(
    operation: &str,
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: this function's contract on `request_json` and `len`.
    let body = || unsafe { call(client, operation.as_bytes(), request_json, len, b"", None) };
    // SAFETY: this function's contract on `out_reply`.
    unsafe { respond(operation, out_reply, body) }
}

/// Checks the pointers, calls the core and delivers the log lines.
///
/// # Safety
/// `request_json` and `len` as in [`bytes`].
unsafe fn call(
    client: *const apb_client,
    operation: &[u8],
    request_json: *const c_char,
    len: usize,
    options: &[u8],
    token: Option<&TokenInUse>,
) -> Reply {
    // SAFETY: this function's contract.
    let Some(request) = (unsafe { bytes(request_json, len) }) else {
        return null(operation, "request_json is NULL, but its length is not 0");
    };
    if client.is_null() {
        return dispatch::call(None, operation, request, options, None);
    }
    let Some(client) = get(client) else {
        return stale(operation, "the client handle is stale, freed, or none");
    };
    let reply = dispatch::call(Some(&client.core), operation, request, options, token.map(TokenInUse::token));
    client.deliver(reply.log());
    reply
}

fn null(operation: &[u8], message: &str) -> Reply {
    dispatch::failure(&String::from_utf8_lossy(operation), ErrorCode::NullArgument, message)
}

fn stale(operation: &[u8], message: &str) -> Reply {
    dispatch::failure(&String::from_utf8_lossy(operation), ErrorCode::BadHandle, message)
}

/// Checks a request as a call would, without sending anything: `data` is {valid, body}, the body as
/// it would be sent. Arguments as in apb_call().
///
/// # Safety
/// PROMISES of the header: texts, out parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_validate(
    operation: *const c_char,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    let body = || {
        if operation.is_null() {
            return null(b"", "operation is NULL");
        }
        // SAFETY: the caller promises (PROMISES, texts) that `operation`, if not NULL, ends with a NUL.
        let name = unsafe { bytes(operation, usize::MAX) }.unwrap_or_default();
        // SAFETY: the caller promises (PROMISES, texts) that request_json is readable for len bytes or up to its NUL.
        match unsafe { bytes(request_json, len) } {
            Some(request) => dispatch::validate(name, request),
            None => null(name, "request_json is NULL, but its length is not 0"),
        }
    };
    // SAFETY: `out_reply` is NULL, or the caller promises (PROMISES, out parameters) that it may be written.
    unsafe { respond("", out_reply, body) }
}

/// Describes one operation, or all of them for NULL: names, documentation, JSON Schemas of request
/// and reply, vendor codes. `data.operations` has the list; with NULL, `data.constants` has the constants of
/// this header by name.
///
/// # Safety
/// PROMISES of the header: texts, out parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_describe(operation: *const c_char, out_reply: *mut *mut apb_reply) -> apb_status {
    let body = || {
        // SAFETY: the caller promises (PROMISES, texts) that `operation`, if not NULL, ends with a NUL.
        let name = if operation.is_null() { None } else { unsafe { bytes(operation, usize::MAX) } };
        dispatch::describe(name)
    };
    // SAFETY: `out_reply` is NULL, or the caller promises (PROMISES, out parameters) that it may be written.
    unsafe { respond("describe", out_reply, body) }
}
