//! The client handle.

use std::ffi::{CString, c_char, c_void};
use std::sync::{Arc, Mutex, PoisonError};

use atlas_postbooking::{ErrorCode, LogLevel, LogLine, dispatch};

use crate::consts::*;
use crate::guard::{catch_panic, catch_panic_or};
use crate::handle::Registry;
use crate::memory;
use crate::reply::{apb_reply, write_reply};
use crate::text::bytes;

/// A client: a configuration with its connections. Any number of threads may use one at once.
/// The value is an id, not an address: a freed or invented one gives APB_E_HANDLE.
pub struct apb_client {
    _opaque: [u8; 0],
}

/// The object that a client handle names.
pub struct ClientObject {
    pub core: dispatch::Client,
    log: Mutex<Option<LogReceiver>>,
}

/// Receives one log line.
///
/// level: 1 error, 2 warning, 3 info, 4 debug, 5 trace. target: the part of the library, NUL-terminated.
/// message, len: UTF-8 with a NUL behind its len bytes. Both texts live until the receiver returns.
///
/// The lines of a call are delivered in order, on the thread that made the call, when it has ended and
/// before it returns. Threads that call with one client at the same time are in the receiver at the same
/// time: IT MUST BE REENTRANT, and what user_data points to must be protected by the receiver itself.
/// No lock of the library is held meanwhile, so the receiver may call any function of it. A call with the
/// same client enters the receiver again with lines of its own.
/// The receiver must return: no exception, no longjmp.
pub type apb_log_fn = Option<
    unsafe extern "C" fn(user_data: *mut c_void, level: i32, target: *const c_char, message: *const c_char, len: usize),
>;

#[derive(Clone, Copy)]
struct LogReceiver {
    function: unsafe extern "C" fn(*mut c_void, i32, *const c_char, *const c_char, usize),
    user_data: *mut c_void,
}

// SAFETY: only `user_data` is not Send by itself. It is not dereferenced here, only handed to the receiver, and the host
// promises (PROMISES, log receiver) that the receiver may be called with it on every thread that calls with the client.
unsafe impl Send for LogReceiver {}

pub static CLIENTS: Registry<ClientObject> = Registry::new();

/// The client of a handle. The caller shares its ownership, so it lives on if the handle is freed meanwhile.
pub fn get(client: *const apb_client) -> Option<Arc<ClientObject>> {
    CLIENTS.get(client.addr())
}

impl ClientObject {
    /// Calls the host's receiver with the lines of a call, on this thread.
    pub fn deliver(&self, lines: &[LogLine]) {
        if lines.is_empty() {
            return;
        }
        // Copied, so that the lock is not held while the receiver runs: it may call the library, also to replace itself.
        let Some(receiver) = *self.log.lock().unwrap_or_else(PoisonError::into_inner) else { return };
        for line in lines {
            let target = CString::new(line.target).unwrap_or_default();
            let message = CString::new(line.message.replace('\0', " ")).unwrap_or_default();
            let (level, len) = (line.level as i32, message.as_bytes().len());
            // SAFETY: `function` is what the host gave to apb_client_set_log(), and the host promises (PROMISES, log
            // receiver) that it may be called with this `user_data` on this thread, also while other threads do, and
            // that it returns. `target` and `message` are NUL-terminated and live until after the call.
            unsafe { (receiver.function)(receiver.user_data, level, target.as_ptr(), message.as_ptr(), len) };
        }
    }
}

/// Makes a client from a JSON configuration. Nothing is sent and no thread is started.
///
/// config_json, len: the configuration, see CONFIGURATION above. Not used after the call: you may wipe it.
/// out_client: receives the client; NULL on failure. Free it with apb_client_free().
/// out_reply: may be NULL; receives a reply on failure only, which names the key that is wrong.
/// Returns APB_OK, APB_E_NULL, APB_E_UTF8, APB_E_JSON, APB_E_CONFIG or APB_E_MEMORY.
///
/// # Safety
/// PROMISES of the header: texts, out parameters.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_client_new(
    config_json: *const c_char,
    len: usize,
    out_client: *mut *mut apb_client,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    let body = || {
        if !out_reply.is_null() {
            // SAFETY: not NULL, so the caller promises (PROMISES, out parameters) that it may be written.
            unsafe { *out_reply = std::ptr::null_mut() };
        }
        let fail = |message: &str| dispatch::failure("clientNew", ErrorCode::NullArgument, message);
        if out_client.is_null() {
            return Err(fail("out_client is NULL"));
        }
        // SAFETY: not NULL, as above for `out_reply`.
        unsafe { *out_client = std::ptr::null_mut() };
        // SAFETY: the caller promises (PROMISES, texts) that config_json is readable for len bytes or up to its NUL.
        let config = unsafe { bytes(config_json, len) }.ok_or_else(|| fail("config_json is NULL"))?;
        if !memory::is_left() {
            return Err(dispatch::failure("clientNew", ErrorCode::Memory, "no memory is left for a client"));
        }
        let client = dispatch::open(config)?;
        let id = CLIENTS
            .insert(ClientObject { core: client, log: Mutex::new(None) })
            .ok_or_else(|| dispatch::failure("clientNew", ErrorCode::Memory, "too many clients"))?;
        // SAFETY: not NULL, as above. What is written is an id, which nothing dereferences.
        unsafe { *out_client = std::ptr::without_provenance_mut(id) };
        Ok(())
    };
    let failed = match catch_panic(body) {
        Ok(Ok(())) => return APB_OK,
        Ok(Err(reply)) => reply,
        Err(text) => dispatch::failure("clientNew", ErrorCode::Panic, &format!("the library panicked: {text}")),
    };
    // SAFETY: `out_reply` is NULL, or the caller promises (PROMISES, out parameters) that it may be written.
    catch_panic(|| unsafe { write_reply(failed, out_reply) }).unwrap_or(APB_E_PANIC)
}

/// Frees a client. NULL, stale and freed handles are ignored. It does not wait: calls that other
/// threads have in progress go on to their end.
#[unsafe(no_mangle)]
pub extern "C" fn apb_client_free(client: *mut apb_client) {
    catch_panic_or((), || {
        CLIENTS.remove(client.addr());
    });
}

/// Sets or (with NULL) removes the receiver of a client's log lines.
///
/// receiver: see apb_log_fn, also on concurrency. user_data is passed to it.
/// max_level: 1 error to 5 trace; lines above it are not made. 0 or less: none.
/// Lines contain no body, header, secret, card or passenger.
/// The change applies to calls that end later. Calls in progress in other threads are not waited for and
/// may still enter the old receiver: it and its user_data must stay valid until those have returned.
/// Returns APB_OK, APB_E_NULL or APB_E_HANDLE.
///
/// # Safety
/// PROMISES of the header: log receiver.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_client_set_log(
    client: *mut apb_client,
    receiver: apb_log_fn,
    user_data: *mut c_void,
    max_level: i32,
) -> apb_status {
    catch_panic_or(APB_E_PANIC, || {
        if client.is_null() {
            return APB_E_NULL;
        }
        let Some(client) = get(client) else { return APB_E_HANDLE };
        let level = match max_level {
            i32::MIN..=0 => None,
            1 => Some(LogLevel::Error),
            2 => Some(LogLevel::Warn),
            3 => Some(LogLevel::Info),
            4 => Some(LogLevel::Debug),
            _ => Some(LogLevel::Trace),
        };
        client.core.set_log_level(level.filter(|_| receiver.is_some()));
        let receiver = receiver.map(|function| LogReceiver { function, user_data });
        *client.log.lock().unwrap_or_else(PoisonError::into_inner) = receiver;
        APB_OK
    })
}
