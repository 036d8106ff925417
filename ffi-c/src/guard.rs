//! No panic crosses the border, and none prints.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static INSIDE: Cell<u32> = const { Cell::new(0) };
}

/// The default hook writes to the host's stderr even for a panic that is caught. This library carries
/// its own copy of the Rust runtime, so the hook concerns nobody else; panics outside of our calls
/// and threads (in a host that links us statically) still go to the hook that was there.
fn silence() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let ours = INSIDE.with(|i| i.get() > 0) || std::thread::current().name() == Some("apb-io");
            if !ours {
                previous(info);
            }
        }));
    });
}

fn catch<T>(body: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    silence();
    INSIDE.with(|i| i.set(i.get() + 1));
    let result = catch_unwind(AssertUnwindSafe(body));
    INSIDE.with(|i| i.set(i.get().saturating_sub(1)));
    result
}

/// Runs `body`; a panic gives `fallback`.
pub fn quietly<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    catch(body).unwrap_or(fallback)
}

/// Runs `body`; a panic gives its text.
pub fn caught<T>(body: impl FnOnce() -> T) -> Result<T, String> {
    catch(body).map_err(|payload| {
        payload
            .downcast_ref::<&str>()
            .map(|s| (*s).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "panic without text".to_owned())
    })
}
