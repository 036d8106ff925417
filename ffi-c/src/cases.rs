//! The named functions of the case operations, as in `named.rs`.

use std::ffi::c_char;

use crate::call::named;
use crate::client::apb_client;
use crate::consts::apb_status;
use crate::reply::{answer, apb_reply};

/// case.plan: what a void and what a refund of an order would give back, until when, and which is
/// better. Submits nothing (read).
///
/// request: {"orderNo":...}
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_case_plan(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("case.plan", out_reply, || named(client, b"case.plan", request_json, len)) }
}

/// case.open: starts a case, or resumes the one with this key; submits at most once (submit).
///
/// request: {"kind":"refund|void|cancel|ancillary|regenerate|stop|claim","orderNo":...,"key":...} and,
/// as the kind wants, reason, passengers, offerId, products, payment, expect, after. The same key and
/// the same content are the same case for ever, so a program that was killed calls this again.
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_case_open(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("case.open", out_reply, || named(client, b"case.open", request_json, len)) }
}

/// case.get: a case as the store has it; asks nobody (local).
///
/// request: {"id":...} or {"key":...}
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_case_get(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("case.get", out_reply, || named(client, b"case.get", request_json, len)) }
}

/// case.list: the cases of this account, oldest first; asks nobody (local).
///
/// request: {"open":...,"orderNo":...,"kind":...,"after":...,"limit":...}, all optional. data.next is
/// the `after` of the next page, null at the end.
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_case_list(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("case.list", out_reply, || named(client, b"case.list", request_json, len)) }
}

/// case.reconcile: asks the vendor now what became of a case, or of all whose outcome is unknown.
/// Submits nothing (read).
///
/// request: {"id":...}, {"key":...} or {"all":true}
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_case_reconcile(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("case.reconcile", out_reply, || named(client, b"case.reconcile", request_json, len)) }
}

/// case.follow: follows one case, or all open ones, within the budget of the follow-up. Submits
/// nothing (read).
///
/// request: {"id":...}, {"key":...} or {"all":true}, with "until":"step" (what is due now) or "final"
/// (until nothing is open, or timeoutMs is over). data is {done, due, open, nextDueAt, budget}.
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_case_follow(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("case.follow", out_reply, || named(client, b"case.follow", request_json, len)) }
}

/// case.notify: takes a notification of the vendor. It proves nothing, since nobody signs it: it
/// makes a query of its case due, which the next apb_case_follow() makes (local).
///
/// request: {"body":...}, the notification's body as JSON or as text
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_case_notify(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("case.notify", out_reply, || named(client, b"case.notify", request_json, len)) }
}

/// case.resolve: a human's verdict on a case whose outcome is unknown, or the code that a lost reply
/// took with it (local).
///
/// request: {"id":...,"as":"executed|not_executed","by":...,"evidence":...}; evidence is a text or
/// {"text":...,"code":...}
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_case_resolve(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("case.resolve", out_reply, || named(client, b"case.resolve", request_json, len)) }
}

/// case.export: cases as newline-delimited JSON in data.ndjson, without secrets, cards and
/// passengers (local).
///
/// request: as in apb_case_list()
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_case_export(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("case.export", out_reply, || named(client, b"case.export", request_json, len)) }
}

/// case.purge: removes final cases that did not change for long; their keys stay used (local).
///
/// request: {"olderThan":"90d"}, or a moment with its offset
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_case_purge(
    client: *const apb_client,
    request_json: *const c_char,
    len: usize,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    // SAFETY: the caller's promises about the text and the pointer.
    unsafe { answer("case.purge", out_reply, || named(client, b"case.purge", request_json, len)) }
}
