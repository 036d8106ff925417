//! What every thread of the library has in common.

use std::cell::Cell;

thread_local!(static IS_OURS: Cell<bool> = const { Cell::new(false) });

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
