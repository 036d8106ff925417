//! The reply: a box that the caller frees, and the texts in it, which live as long as the box.

use std::collections::BTreeMap;
use std::ffi::{CString, c_char};
use std::sync::{Mutex, OnceLock, PoisonError};

use atlas_postbooking::{ErrorCode, Fields, Reply, Scalar, Status, dispatch};

use crate::consts::*;
use crate::guard::{catch_panic, catch_panic_or};
use crate::handle;
use crate::memory;
use crate::text::bytes;

/// The result of a call. Read it with the apb_reply_ functions, free it with apb_reply_free().
pub struct apb_reply {
    /// With a NUL at the end.
    json: Vec<u8>,
    message: CString,
    /// With a NUL at the end.
    raw: Option<Vec<u8>>,
    status: Status,
    outcome: apb_outcome,
    http_status: i32,
    vendor_status: Option<i64>,
    /// Made when the first field is asked for.
    fields: OnceLock<Fields>,
    /// Texts of fields that were asked for, by pointer, each with a NUL at its end. A box keeps its address, and none is
    /// removed before the reply is freed.
    texts: Mutex<BTreeMap<String, Box<[u8]>>>,
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
        let (fields, texts) = (OnceLock::new(), Mutex::default());
        apb_reply { json, message, raw, status, outcome, http_status, vendor_status, fields, texts }
    }
}

impl apb_reply {
    fn fields(&self) -> &Fields {
        self.fields.get_or_init(|| {
            let json = self.json.strip_suffix(b"\0").unwrap_or(&self.json);
            Fields::of(std::str::from_utf8(json).unwrap_or_default())
        })
    }
}

/// A scalar of a reply by its pointer, with both; None if there is none, either is NULL, or the pointer is not UTF-8.
///
/// # Safety
/// `reply` as in [`get`], and used only as long; `pointer` is NULL or NUL-terminated.
unsafe fn scalar<'r>(reply: *const apb_reply, pointer: *const c_char) -> Option<(&'r apb_reply, &'r str, Scalar<'r>)> {
    // SAFETY: this function's contract.
    let (reply, pointer) = unsafe { named(reply, pointer) }?;
    Some((reply, pointer, reply.fields().get(pointer)?))
}

/// A reply and a pointer into it; None if either is NULL, or the pointer is not UTF-8.
///
/// # Safety
/// As for [`scalar`].
unsafe fn named<'r>(reply: *const apb_reply, pointer: *const c_char) -> Option<(&'r apb_reply, &'r str)> {
    if pointer.is_null() {
        return None;
    }
    // SAFETY: this function's contract.
    let (reply, pointer) = unsafe { (get(reply)?, bytes(pointer, usize::MAX)?) };
    Some((reply, std::str::from_utf8(pointer).ok()?))
}

/// Writes whether a value was found.
///
/// # Safety
/// `out_ok` is NULL or may be written.
unsafe fn found<T: Default>(value: Option<T>, out_ok: *mut i32) -> T {
    if !out_ok.is_null() {
        // SAFETY: not NULL, so it may be written by this function's contract.
        unsafe { *out_ok = i32::from(value.is_some()) };
    }
    value.unwrap_or_default()
}

/// Writes a reply to `out` and returns its status. If `out` is NULL, the reply is dropped.
///
/// # Safety
/// `out` is NULL or may be written.
pub unsafe fn write_reply(reply: Reply, out: *mut *mut apb_reply) -> apb_status {
    let status = reply.status().number();
    if !out.is_null() {
        handle::count_created();
        // SAFETY: not NULL, so it may be written by this function's contract.
        unsafe { *out = Box::into_raw(Box::new(apb_reply::new(reply))) };
    }
    status
}

/// Runs `body` and writes its reply to `out`; a panic becomes a reply too. If `out` is NULL, `body` does not run.
///
/// # Safety
/// `out` is NULL or may be written.
pub unsafe fn respond(operation: &str, out: *mut *mut apb_reply, body: impl FnOnce() -> Reply) -> apb_status {
    if out.is_null() {
        return APB_E_NULL;
    }
    // NULL until there is a reply, so that a caller who frees it after APB_E_PANIC frees nothing.
    // SAFETY: not NULL, so it may be written by this function's contract.
    unsafe { *out = std::ptr::null_mut() };
    let body = || match memory::is_left() {
        true => body(),
        false => dispatch::failure(operation, ErrorCode::Memory, "no memory is left for another call"),
    };
    let reply = catch_panic(body).unwrap_or_else(|text| dispatch::panicked(operation, &text));
    // Copying the reply for C may panic too.
    // SAFETY: as above.
    catch_panic(|| unsafe { write_reply(reply, out) }).unwrap_or(APB_E_PANIC)
}

/// The reply behind a pointer; None for NULL.
///
/// # Safety
/// `reply` is NULL, or a reply that is not freed as long as the reference is used.
unsafe fn get<'r>(reply: *const apb_reply) -> Option<&'r apb_reply> {
    // SAFETY: by this function's contract it is NULL or a box of write_reply() that is not freed. Nothing changes a reply
    // after it was made, so shared references to it are sound.
    unsafe { reply.as_ref() }
}

/// The address of a text that has a NUL at its end; its length without the NUL goes to `out_len`. NULL and 0 for None.
///
/// # Safety
/// `out_len` is NULL or may be written.
unsafe fn text(with_nul: Option<&[u8]>, out_len: *mut usize) -> *const c_char {
    if !out_len.is_null() {
        // SAFETY: not NULL, so it may be written by this function's contract.
        unsafe { *out_len = with_nul.map_or(0, |t| t.len().saturating_sub(1)) };
    }
    with_nul.map_or(std::ptr::null(), |t| t.as_ptr().cast())
}

/// The reply as JSON with a NUL behind it; it lives until apb_reply_free(). NULL for NULL.
/// out_len may be NULL; otherwise it receives the length without the NUL.
///
/// # Safety
/// PROMISES of the header: replies, out parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_json(reply: *const apb_reply, out_len: *mut usize) -> *const c_char {
    // SAFETY: the caller promises (PROMISES, replies) NULL or a reply that is not freed.
    let reply = unsafe { get(reply) };
    // SAFETY: `out_len` is NULL, or the caller promises (PROMISES, out parameters) that it may be written.
    catch_panic_or(std::ptr::null(), || unsafe { text(reply.map(|r| r.json.as_slice()), out_len) })
}

/// The vendor's bytes as received, decompressed; partial if the answer was cut; NULL if none began.
/// A NUL follows them that out_len does not count; there may be NULs in them.
///
/// # Safety
/// PROMISES of the header: replies, out parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_raw(reply: *const apb_reply, out_len: *mut usize) -> *const c_char {
    // SAFETY: the caller promises (PROMISES, replies) NULL or a reply that is not freed.
    let reply = unsafe { get(reply) };
    // SAFETY: `out_len` is NULL, or the caller promises (PROMISES, out parameters) that it may be written.
    catch_panic_or(std::ptr::null(), || unsafe { text(reply.and_then(|r| r.raw.as_deref()), out_len) })
}

/// The status of the call; APB_E_NULL for NULL.
///
/// # Safety
/// PROMISES of the header: replies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_status(reply: *const apb_reply) -> apb_status {
    // SAFETY: the caller promises (PROMISES, replies) NULL or a reply that is not freed.
    let reply = unsafe { get(reply) };
    catch_panic_or(APB_E_PANIC, || reply.map_or(APB_E_NULL, |r| r.status.number()))
}

/// The outcome of the call: whether the effect that was asked for exists. APB_UNKNOWN for NULL.
///
/// # Safety
/// PROMISES of the header: replies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_outcome(reply: *const apb_reply) -> apb_outcome {
    // SAFETY: the caller promises (PROMISES, replies) NULL or a reply that is not freed.
    let reply = unsafe { get(reply) };
    catch_panic_or(APB_UNKNOWN, || reply.map_or(APB_UNKNOWN, |r| r.outcome))
}

/// The HTTP status of the answer; 0 if none came, or for NULL.
///
/// # Safety
/// PROMISES of the header: replies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_http_status(reply: *const apb_reply) -> i32 {
    // SAFETY: the caller promises (PROMISES, replies) NULL or a reply that is not freed.
    let reply = unsafe { get(reply) };
    catch_panic_or(0, || reply.map_or(0, |r| r.http_status))
}

/// The vendor's status number; APB_NO_VENDOR_STATUS if none was read, or for NULL.
///
/// # Safety
/// PROMISES of the header: replies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_vendor_status(reply: *const apb_reply) -> i32 {
    // The number that means "none" is never a status: numbers out of range are clamped to the range above it.
    let number = |r: &apb_reply| match r.vendor_status {
        None => i32::MIN,
        Some(n) => n.clamp(i64::from(i32::MIN) + 1, i64::from(i32::MAX)) as i32,
    };
    // SAFETY: the caller promises (PROMISES, replies) NULL or a reply that is not freed.
    let reply = unsafe { get(reply) };
    catch_panic_or(i32::MIN, || reply.map_or(i32::MIN, number))
}

/// The error message, in English; "" on success; NULL for NULL. It lives until apb_reply_free().
///
/// # Safety
/// PROMISES of the header: replies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_message(reply: *const apb_reply) -> *const c_char {
    // SAFETY: the caller promises (PROMISES, replies) NULL or a reply that is not freed.
    let reply = unsafe { get(reply) };
    catch_panic_or(std::ptr::null(), || reply.map_or(std::ptr::null(), |r| r.message.as_ptr()))
}

/// The text of a field, so that a program needs no JSON library: apb_reply_get(reply,
/// "/data/voidFareAmount/estimatedRefundAmount", &len).
///
/// pointer: a JSON Pointer (RFC 6901) into the reply's JSON, NUL-terminated: "/data/refundOrders/0/refundCode",
/// "/case/state", "/error/help". In names, "~1" stands for "/" and "~0" for "~".
/// out_len: may be NULL; receives the length without the NUL, 0 with NULL.
/// Returns the text of a string, number, true or false; it lives until apb_reply_free(). NULL if the field is
/// absent, null, an object or an array, and for NULL.
///
/// # Safety
/// PROMISES of the header: replies, texts, out parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_get(
    reply: *const apb_reply,
    pointer: *const c_char,
    out_len: *mut usize,
) -> *const c_char {
    catch_panic_or(std::ptr::null(), || {
        // SAFETY: the caller promises (PROMISES, replies and texts) a reply that is not freed and a NUL at the end.
        let Some((reply, pointer, found)) = (unsafe { scalar(reply, pointer) }) else {
            // SAFETY: `out_len` is NULL, or the caller promises (PROMISES, out parameters) that it may be written.
            return unsafe { text(None, out_len) };
        };
        let mut texts = reply.texts.lock().unwrap_or_else(PoisonError::into_inner);
        let with_nul = texts.entry(pointer.to_owned()).or_insert_with(|| {
            let shown = match found {
                Scalar::Bool(true) => "true",
                Scalar::Bool(false) => "false",
                Scalar::Number(text) | Scalar::Text(text) => text,
            };
            [shown.as_bytes(), b"\0"].concat().into()
        });
        // SAFETY: as above.
        unsafe { text(Some(with_nul), out_len) }
    })
}

/// A field that is a whole number. out_ok: may be NULL; receives 1 if there is one that fits, else 0.
/// Returns the number, or 0. Amounts are text: read them with apb_reply_get().
///
/// # Safety
/// PROMISES of the header: replies, texts, out parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_get_int(reply: *const apb_reply, pointer: *const c_char, out_ok: *mut i32) -> i64 {
    catch_panic_or(0, || {
        // SAFETY: as in apb_reply_get().
        let number = match unsafe { scalar(reply, pointer) } {
            Some((_, _, Scalar::Number(text))) => text.parse::<i64>().ok(),
            _ => None,
        };
        // SAFETY: `out_ok` is NULL, or the caller promises (PROMISES, out parameters) that it may be written.
        unsafe { found(number, out_ok) }
    })
}

/// A field that is true or false. out_ok: may be NULL; receives 1 if there is one, else 0.
/// Returns 1 for true, else 0.
///
/// # Safety
/// PROMISES of the header: replies, texts, out parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_get_bool(reply: *const apb_reply, pointer: *const c_char, out_ok: *mut i32) -> i32 {
    catch_panic_or(0, || {
        // SAFETY: as in apb_reply_get().
        let flag = match unsafe { scalar(reply, pointer) } {
            Some((_, _, Scalar::Bool(value))) => Some(i32::from(value)),
            _ => None,
        };
        // SAFETY: as in apb_reply_get_int().
        unsafe { found(flag, out_ok) }
    })
}

/// The number of elements of an array ("/data/refundOrders"), or of members of an object; 0 for anything
/// else.
///
/// # Safety
/// PROMISES of the header: replies, texts.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_count(reply: *const apb_reply, pointer: *const c_char) -> usize {
    // SAFETY: as in apb_reply_get().
    catch_panic_or(0, || unsafe { named(reply, pointer) }.map_or(0, |(reply, pointer)| reply.fields().count(pointer)))
}

/// Frees a reply and every text taken from it. NULL is ignored.
///
/// # Safety
/// PROMISES of the header: replies.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_reply_free(reply: *mut apb_reply) {
    if !reply.is_null() {
        catch_panic_or((), || {
            handle::count_freed();
            // SAFETY: not NULL, so the caller promises (PROMISES, replies) a reply of this library that is not freed and
            // that no other thread uses. It is the box that write_reply() made.
            drop(unsafe { Box::from_raw(reply) });
        });
    }
}
