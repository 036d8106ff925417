//! Catches panics: an unwinding panic that crossed `extern "C"` would abort the host, and a caught one must print nothing.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// How many calls of this library the thread is inside of: more than one if a log receiver calls it.
    static CALL_DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Installs a panic hook that is silent for panics of this library: the default hook writes to the host's stderr also
/// when the panic is caught. A shared library has a Rust runtime, and so a hook, of its own. A host that links the
/// static library shares both, so panics outside of our calls and of our threads go to the hook that was there before.
fn install_panic_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let ours = CALL_DEPTH.with(|d| d.get() > 0)
                || std::thread::current().name().is_some_and(|name| name.starts_with("apb-"));
            if !ours {
                previous(info);
            }
        }));
    });
}

fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    install_panic_hook();
    CALL_DEPTH.with(|d| d.set(d.get() + 1));
    let result = catch_unwind(AssertUnwindSafe(body));
    CALL_DEPTH.with(|d| d.set(d.get().saturating_sub(1)));
    result
}

/// The result of `body`, or `fallback` if it panics.
pub fn catch_panic_or<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    catch(body).unwrap_or(fallback)
}

/// The result of `body`, or the message of its panic.
pub fn catch_panic<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    catch(body).map_err(|payload| {
        payload
            .downcast_ref::<&str>()
            .map(|s| (*s).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "panic without text".to_owned())
    })
}
