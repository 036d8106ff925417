//! How long the store's work on this thread may wait for other processes: as long as the call that it is for.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Without a call, and at most: how long a transaction waits for another process.
const LONGEST: Duration = Duration::from_secs(10);

thread_local!(static UNTIL: Cell<Option<Instant>> = const { Cell::new(None) });

/// Runs `work`, whose waits end at that moment.
pub(crate) fn within<T>(until: Instant, work: impl FnOnce() -> T) -> T {
    let before = UNTIL.replace(Some(until));
    let done = work();
    UNTIL.set(before);
    done
}

/// How long a wait that begins now may last.
pub(super) fn left() -> Duration {
    UNTIL.get().map_or(LONGEST, |until| until.saturating_duration_since(Instant::now()).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_waits_as_long_as_its_call_and_never_longer_than_the_longest() {
        assert_eq!(left(), LONGEST);
        within(Instant::now(), || assert_eq!(left(), Duration::ZERO));
        within(Instant::now() + 2 * LONGEST, || assert_eq!(left(), LONGEST));
        assert_eq!(left(), LONGEST);
    }
}
