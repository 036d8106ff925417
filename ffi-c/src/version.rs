//! Versions, names of statuses, and the count of live handles.

use std::ffi::c_char;

use crate::consts::{APB_ABI_VERSION, apb_status};
use crate::guard::catch_panic_or;
use crate::handle::live;
use crate::text::status_name;

/// The ABI version of the loaded library: compare it with APB_ABI_VERSION before the first call.
/// It grows with incompatible changes only, not with additions.
#[unsafe(no_mangle)]
pub extern "C" fn apb_abi_version() -> u32 {
    APB_ABI_VERSION
}

/// The version of the loaded library, as static text.
#[unsafe(no_mangle)]
pub extern "C" fn apb_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The name of a status, "APB_E_TIMEOUT" for -24, as static text; "APB_E_?" for unknown numbers.
#[unsafe(no_mangle)]
pub extern "C" fn apb_status_name(status: apb_status) -> *const c_char {
    catch_panic_or(c"APB_E_?".as_ptr(), || status_name(status))
}

/// The number of clients, replies and cancel tokens that are not freed, for leak checks at the end of a
/// program.
#[unsafe(no_mangle)]
pub extern "C" fn apb_live_handles() -> u64 {
    live()
}
