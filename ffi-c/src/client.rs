//! The client handle.

use std::ffi::{CString, c_char, c_void};
use std::sync::{Arc, Mutex, PoisonError};

use atlas_postbooking::{ErrorCode, LogLevel, LogLine, dispatch};

use crate::consts::*;
use crate::guard::{caught, quietly};
use crate::handle::Registry;
use crate::reply::{apb_reply, give};
use crate::text::bytes;

/// A client: a configuration with its connections. Any number of threads may use one at once.
/// The value is an id, not an address: a freed or invented one is answered with APB_E_HANDLE.
pub struct apb_client {
    _opaque: [u8; 0],
}

/// What stands behind a client handle.
pub struct Held {
    pub core: dispatch::Client,
    log: Mutex<Option<Receiver>>,
}

/// Receives one log line. Called on the thread of the call that the line is about, before that call
/// returns; it may call the library, but must return: no exception, no longjmp. message is UTF-8 with a NUL behind its len bytes; both texts
/// live until the receiver returns. level is 1 error, 2 warning, 3 info, 4 debug, 5 trace.
pub type apb_log_fn = Option<
    unsafe extern "C" fn(user_data: *mut c_void, level: i32, target: *const c_char, message: *const c_char, len: usize),
>;

#[derive(Clone, Copy)]
struct Receiver {
    call: unsafe extern "C" fn(*mut c_void, i32, *const c_char, *const c_char, usize),
    user_data: *mut c_void,
}

// SAFETY: the header tells the host that the receiver is called on whichever thread makes a call.
unsafe impl Send for Receiver {}

static CLIENTS: Registry<Held> = Registry::new();

/// The client of a handle, kept alive for the call.
pub fn get(client: *const apb_client) -> Option<Arc<Held>> {
    CLIENTS.get(client.addr())
}

impl Held {
    /// Gives a call's lines to the host, on this thread.
    pub fn deliver(&self, lines: &[LogLine]) {
        if lines.is_empty() {
            return;
        }
        // Copied out, so that the receiver may call the library and even change itself.
        let Some(receiver) = *self.log.lock().unwrap_or_else(PoisonError::into_inner) else { return };
        for line in lines {
            let target = CString::new(line.target).unwrap_or_default();
            let message = CString::new(line.message.replace('\0', " ")).unwrap_or_default();
            let (level, len) = (line.level as i32, message.as_bytes().len());
            // SAFETY: the host promised a receiver that takes these arguments.
            unsafe { (receiver.call)(receiver.user_data, level, target.as_ptr(), message.as_ptr(), len) };
        }
    }
}

/// Makes a client from a JSON configuration. Nothing is sent and no thread is started.
///
/// config_json, len: the configuration; see "Configuration" above. Not kept, wipe it if you like.
/// out_client: receives the client; NULL on failure. Free it with apb_client_free().
/// out_reply: may be NULL; receives a reply on failure only, which names the key that is wrong.
/// Returns APB_OK, APB_E_NULL, APB_E_UTF8, APB_E_JSON or APB_E_CONFIG.
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_client_new(
    config_json: *const c_char,
    len: usize,
    out_client: *mut *mut apb_client,
    out_reply: *mut *mut apb_reply,
) -> apb_status {
    let body = || {
        if !out_reply.is_null() {
            // SAFETY: the caller promises a writable pointer.
            unsafe { *out_reply = std::ptr::null_mut() };
        }
        let fail = |message: &str| dispatch::failure("clientNew", ErrorCode::NullArgument, message);
        if out_client.is_null() {
            return Err(fail("out_client is NULL"));
        }
        // SAFETY: checked above.
        unsafe { *out_client = std::ptr::null_mut() };
        // SAFETY: the caller's promise about config_json.
        let config = unsafe { bytes(config_json, len) }.ok_or_else(|| fail("config_json is NULL"))?;
        let client = dispatch::open(config)?;
        let id = CLIENTS
            .insert(Held { core: client, log: Mutex::new(None) })
            .ok_or_else(|| dispatch::failure("clientNew", ErrorCode::Memory, "too many clients"))?;
        // SAFETY: checked above. The address is never followed.
        unsafe { *out_client = std::ptr::without_provenance_mut(id) };
        Ok(())
    };
    let failed = match caught(body) {
        Ok(Ok(())) => return APB_OK,
        Ok(Err(reply)) => reply,
        Err(text) => dispatch::failure("clientNew", ErrorCode::Panic, &format!("the library panicked: {text}")),
    };
    // SAFETY: the caller's promise about out_reply.
    caught(|| unsafe { give(failed, out_reply) }).unwrap_or(APB_E_PANIC)
}

/// Frees a client. NULL, stale and freed handles are fine. It returns at once; calls that are under
/// way in other threads go on to their end.
#[unsafe(no_mangle)]
pub extern "C" fn apb_client_free(client: *mut apb_client) {
    quietly((), || {
        CLIENTS.remove(client.addr());
    });
}

/// Sets or (with NULL) removes the receiver of a client's log lines.
///
/// receiver: see apb_log_fn; user_data is handed to it and must outlive the client's last call.
/// max_level: 1 error to 5 trace; lines above it are not made. 0 or less: none.
/// Lines hold no body, header, secret, card or passenger.
/// Returns APB_OK, APB_E_NULL or APB_E_HANDLE.
///
/// # Safety
/// See the header.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn apb_client_set_log(
    client: *mut apb_client,
    receiver: apb_log_fn,
    user_data: *mut c_void,
    max_level: i32,
) -> apb_status {
    quietly(APB_E_PANIC, || {
        if client.is_null() {
            return APB_E_NULL;
        }
        let Some(held) = get(client) else { return APB_E_HANDLE };
        let level = match max_level {
            i32::MIN..=0 => None,
            1 => Some(LogLevel::Error),
            2 => Some(LogLevel::Warn),
            3 => Some(LogLevel::Info),
            4 => Some(LogLevel::Debug),
            _ => Some(LogLevel::Trace),
        };
        held.core.set_log_level(level.filter(|_| receiver.is_some()));
        let receiver = receiver.map(|call| Receiver { call, user_data });
        *held.log.lock().unwrap_or_else(PoisonError::into_inner) = receiver;
        APB_OK
    })
}
