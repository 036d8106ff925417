//! The C ABI. It has no rules of its own: each function checks its pointers, catches panics and calls
//! [`atlas_postbooking::dispatch`]. Its manual is the head of the generated header.
//!
//! `unsafe` has five uses here: to read texts and write results through the caller's pointers, to turn the pointer of
//! a reply back into its box, to call the host's log receiver, to be told of forks, and to allocate with a reserve. What cannot be checked about
//! those pointers is what the caller promises in the section PROMISES of the header; the SAFETY comments name the
//! promise they rest on.
#![allow(non_camel_case_types)]

mod call;
mod cancel;
mod client;
mod consts;
mod fork;
mod guard;
mod handle;
mod memory;
mod operations;
mod queue;
mod reply;
mod text;
mod version;

// Handles carry a slot and a generation of 32 bits each in a pointer's worth of bits.
const _: () = assert!(usize::BITS == 64, "the C ABI needs a 64-bit target");
