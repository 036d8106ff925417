//! Whether and when to try again: a pure function.

use std::time::Duration;

use crate::config::RetryConfig;
use crate::contract::operation::OperationKind;
use crate::error::{Advice, Error, Status};

/// What to do after an attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Next {
    Done,
    After(Duration),
}

/// Decides after attempt number `attempt` (from 1) that ended in `error`, with `left` until the deadline.
///
/// `jitter` is a random number in 0..1. A submit is never repeated, whatever happened to it.
pub(crate) fn next(
    kind: OperationKind,
    error: Option<&Error>,
    http: Option<u16>,
    attempt: u32,
    left: Duration,
    config: RetryConfig,
    jitter: f64,
) -> Next {
    let Some(error) = error else { return Next::Done };
    if !kind.may_repeat() || attempt >= config.max_attempts || !is_transient(error, http) {
        return Next::Done;
    }
    // Full doubling with half of it random: callers that failed together do not return together.
    let backoff = config.base_delay.saturating_mul(1 << (attempt - 1).min(16)).min(config.max_delay);
    let pause = backoff.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0));
    let pause = error.retry_after_ms.map_or(pause, |ms| pause.max(Duration::from_millis(ms)));
    if pause < left { Next::After(pause) } else { Next::Done }
}

/// Whether the same request may well succeed a moment later.
fn is_transient(error: &Error, http: Option<u16>) -> bool {
    match error.status {
        Status::DNS | Status::CONNECT | Status::PROXY | Status::IO | Status::RATE_LIMITED => true,
        // The deadline is over, so there is no time to repeat in.
        Status::TIMEOUT => false,
        Status::HTTP => matches!(http, Some(408 | 500..=599)),
        // Only codes that the status table calls passing; an undocumented one is final.
        Status::REFUSED | Status::UNCERTAIN => error.advice == Advice::Retry && error.vendor_code.is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorCode;
    use proptest::prelude::*;

    const CONFIG: RetryConfig =
        RetryConfig { max_attempts: 3, base_delay: Duration::from_millis(200), max_delay: Duration::from_millis(5000) };

    fn error(status: Status, retry_after_ms: Option<u64>) -> Error {
        let mut e = Error::new(ErrorCode::Io, "x");
        e.status = status;
        e.advice = Advice::Retry;
        e.retry_after_ms = retry_after_ms;
        e
    }

    #[test]
    fn waits_as_long_as_the_vendor_asks() {
        let limited = error(Status::RATE_LIMITED, Some(3000));
        let minute = Duration::from_secs(60);
        assert_eq!(
            next(OperationKind::Read, Some(&limited), None, 1, minute, CONFIG, 0.0),
            Next::After(Duration::from_secs(3))
        );
        assert_eq!(next(OperationKind::Read, Some(&limited), None, 1, Duration::from_secs(2), CONFIG, 0.0), Next::Done);
        assert_eq!(
            next(OperationKind::Quote, Some(&error(Status::IO, None)), None, 3, minute, CONFIG, 0.0),
            Next::Done
        );
    }

    proptest! {
        #[test]
        fn a_submit_is_never_repeated(status in -92i32..0, attempt in 1u32..10, after in proptest::option::of(0u64..9999), jitter in 0.0..1.0f64) {
            let e = error(Status::from_number(status), after);
            prop_assert_eq!(next(OperationKind::Submit, Some(&e), Some(503), attempt, Duration::from_secs(600), CONFIG, jitter), Next::Done);
        }

        #[test]
        fn pauses_stay_inside_the_deadline(attempt in 1u32..100, left in 0u64..10_000, after in proptest::option::of(0u64..20_000), jitter in 0.0..1.0f64) {
            let config = RetryConfig { max_attempts: 100, ..CONFIG };
            let left = Duration::from_millis(left);
            if let Next::After(pause) = next(OperationKind::Read, Some(&error(Status::IO, after)), None, attempt, left, config, jitter) {
                prop_assert!(pause < left);
                prop_assert!(pause <= config.max_delay.max(Duration::from_millis(after.unwrap_or(0))));
            }
        }
    }
}
