//! The C ABI: glue only. Every function checks its pointers, catches panics and calls the core's
//! one door, [`atlas_postbooking::dispatch`]. The manual is the generated header.
//!
//! `unsafe` here has two reasons only: reading the caller's memory as the header's contract
//! describes it, and turning a reply's pointer back into the box it came from.
#![allow(non_camel_case_types)]

mod call;
mod client;
mod consts;
mod guard;
mod handle;
mod named;
mod reply;
mod text;

use std::ffi::c_char;

/// The ABI version of the loaded library: compare it with `APB_ABI_VERSION` before the first call.
/// It grows only on a break; additions leave it as it is.
#[unsafe(no_mangle)]
pub extern "C" fn apb_abi_version() -> u32 {
    consts::APB_ABI_VERSION
}

/// The version of the loaded library, as static text.
#[unsafe(no_mangle)]
pub extern "C" fn apb_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}

/// The name of a status, "APB_E_TIMEOUT" for -24, as static text; "APB_E_?" for unknown numbers.
#[unsafe(no_mangle)]
pub extern "C" fn apb_status_name(status: consts::apb_status) -> *const c_char {
    guard::quietly(c"APB_E_?".as_ptr(), || text::status_name(status))
}

/// How many clients and replies exist that were not freed. For leak checks at the end of a program.
#[unsafe(no_mangle)]
pub extern "C" fn apb_live_handles() -> u64 {
    handle::live()
}
