//! What every thread of the library has in common.

use std::cell::Cell;
use std::hint::black_box;
use std::io;
use std::thread::Builder;

thread_local!(static IS_OURS: Cell<bool> = const { Cell::new(false) });

const STACK: usize = 2 << 20;

/// What makes a thread of the library. Beside its stack some memory must be left: the C library ends the process where a
/// new thread finds none for its first few bytes. It asks the system for 1 MiB at once.
pub(crate) fn builder(name: &str) -> io::Result<Builder> {
    if !has_memory_for(STACK + (2 << 20)) {
        return Err(io::ErrorKind::OutOfMemory.into());
    }
    Ok(Builder::new().name(name.to_owned()).stack_size(STACK))
}

/// Whether so many bytes can be had now.
pub(crate) fn has_memory_for(bytes: usize) -> bool {
    black_box(&mut Vec::<u8>::new()).try_reserve_exact(bytes).is_ok()
}

/// The first thing that a thread of the library does.
pub(crate) fn begin() {
    IS_OURS.set(true);
    hold_signals();
}

/// Whether this is a thread of the library: a call that waits would wait for itself.
pub(crate) fn is_own() -> bool {
    IS_OURS.get()
}

/// Our threads take no signals. The host's handlers run on the host's threads, and writing to a
/// connection that the other side has reset does not kill a host that does not expect SIGPIPE (Rust
/// programs ignore it, C programs do not). Masks and handlers of other threads are not touched.
fn hold_signals() {
    #[cfg(unix)]
    {
        use nix::sys::signal::{SigSet, Signal};
        let mut held = SigSet::all();
        // Faults of the thread itself belong to the host's crash handler, and profilers want every thread.
        for own in [Signal::SIGSEGV, Signal::SIGBUS, Signal::SIGFPE, Signal::SIGILL, Signal::SIGTRAP, Signal::SIGPROF] {
            held.remove(own);
        }
        let _ = held.thread_block();
    }
}
