//! The C ABI: glue only. Every function checks its pointers, catches panics and calls the core's
//! one door, [`atlas_postbooking::dispatch`]. The manual is the generated header.
//!
//! `unsafe` here has two reasons only: reading the caller's memory as the header's contract
//! describes it, and turning a reply's pointer back into the box it came from.
#![allow(non_camel_case_types)]

mod call;
mod cancel;
mod cases;
mod client;
mod consts;
mod guard;
mod handle;
mod named;
mod reply;
mod text;
mod version;

// Handles carry a slot and a generation of 32 bits each in a pointer's worth of bits.
const _: () = assert!(usize::BITS == 64, "the C ABI needs a 64-bit target");
