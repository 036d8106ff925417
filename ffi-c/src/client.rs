//! The client handle.

use std::ffi::c_char;
use std::sync::Arc;

use atlas_postbooking::{Status, dispatch};

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

static CLIENTS: Registry<dispatch::Client> = Registry::new();

/// The client of a handle, kept alive for the call.
pub fn get(client: *const apb_client) -> Option<Arc<dispatch::Client>> {
    CLIENTS.get(client.addr())
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
        let fail = |message: &str| dispatch::failure("clientNew", "null_argument", Status::NULL, message);
        if out_client.is_null() {
            return Err(fail("out_client is NULL"));
        }
        // SAFETY: checked above.
        unsafe { *out_client = std::ptr::null_mut() };
        // SAFETY: the caller's promise about config_json.
        let config = unsafe { bytes(config_json, len) }.ok_or_else(|| fail("config_json is NULL"))?;
        let client = dispatch::open(config)?;
        let id = CLIENTS
            .insert(client)
            .ok_or_else(|| dispatch::failure("clientNew", "memory", Status::MEMORY, "too many clients"))?;
        // SAFETY: checked above. The address is never followed.
        unsafe { *out_client = std::ptr::without_provenance_mut(id) };
        Ok(())
    };
    let failed = match caught(body) {
        Ok(Ok(())) => return APB_OK,
        Ok(Err(reply)) => reply,
        Err(text) => dispatch::failure("clientNew", "panic", Status::PANIC, &format!("the library panicked: {text}")),
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
