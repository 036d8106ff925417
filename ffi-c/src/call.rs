//! The generic call, validate and describe.

use std::ffi::c_char;

use atlas_postbooking::{ErrorCode, Reply, dispatch};

use crate::cancel::{InUse, apb_cancel, token};
use crate::client::{apb_client, get};
use crate::consts::*;
use crate::reply::{answer, apb_reply};
use crate::text::bytes;

/// Calls an operation by its name and waits for the end.
///
/// client: may be NULL for parseWebhook only.
/// operation: NUL-terminated, "refundQuotation", "void" ...
/// request_json, len: the request with the vendor's field names; (NULL,0) is {}.
/// options_json, options_len: options of this call; (NULL,0) for none.
/// cancel: a token from apb_cancel_new(), or NULL.
/// out_reply: receives the reply, always, and with every status; must not be NULL, else nothing is
/// sent and APB_E_NULL comes back. Free it with apb_reply_free().
/// Returns the status of the reply. Whether it happened is apb_reply_outcome().
///
/// # Safety
/// See the header.
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
    // SAFETY: the caller's promises about the texts and the pointer.
    unsafe {
        let name = if operation.is_null() { None } else { bytes(operation, usize::MAX) };
        let shown = String::from_utf8_lossy(name.unwrap_or_default());
        answer(&shown, out_reply, || {
            let Some(name) = name else { return null(b"", "operation is NULL") };
            let Some(options) = bytes(options_json, options_len) else {
                return null(name, "options_json is NULL, but its length is not 0");
            };
            // Looked up once: from here on the call has the token, whatever becomes of its handle.
            let token = token(cancel);
            if token.is_none() && !cancel.is_null() {
                return stale(name, "the cancel handle is stale, freed, or none");
            }
            run(client, name, request_json, len, options, token.as_ref())
        })
    }
}

/// A call by a named function: without options and token.
///
/// # Safety
/// `request_json` and `len` as in [`bytes`].
pub unsafe fn named(client: *const apb_client, operation: &[u8], request_json: *const c_char, len: usize) -> Reply {
    // SAFETY: the caller's promise.
    unsafe { run(client, operation, request_json, len, b"", None) }
}

/// # Safety
/// `request_json` and `len` as in [`bytes`].
unsafe fn run(
    client: *const apb_client,
    operation: &[u8],
    request_json: *const c_char,
    len: usize,
    options: &[u8],
    token: Option<&InUse>,
) -> Reply {
    // SAFETY: the caller's promise.
    let Some(request) = (unsafe { bytes(request_json, len) }) else {
        return null(operation, "request_json is NULL, but its length is not 0");
    };
    if client.is_null() {
        return dispatch::call(None, operation, request, options, None);
    }
    let Some(client) = get(client) else {
        return stale(operation, "the client handle is stale, freed, or none");
    };
    let reply = dispatch::call(Some(&client.core), operation, request, options, token.map(InUse::token));
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
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_validate(
    operation: *const c_char,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the texts and the pointer.
    unsafe {
        answer("", out_reply, || {
            if operation.is_null() {
                return null(b"", "operation is NULL");
            }
            let name = bytes(operation, usize::MAX).unwrap_or_default();
            match bytes(request_json, len) {
                Some(request) => dispatch::validate(name, request),
                None => null(name, "request_json is NULL, but its length is not 0"),
            }
        })
    }
}

/// Describes one operation, or all of them for NULL: names, documentation, JSON Schemas of request
/// and reply, vendor codes. `data.operations` has the list.
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_describe(operation: *const c_char, out_reply: *mut *mut apb_reply) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe {
        answer("describe", out_reply, || {
            let name = if operation.is_null() { None } else { bytes(operation, usize::MAX) };
            dispatch::describe(name)
        })
    }
}
