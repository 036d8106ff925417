//! Following cases in passes, for a program that reports progress or stops on the way.

use std::time::{Duration, Instant};

use super::{Answer, Client, Failure, blocking};
use crate::wire::{CaseFollowReply, CaseFollowRequest, Number};

/// The state between two passes; the same for the async and the blocking form.
#[derive(Debug)]
struct Steps {
    request: CaseFollowRequest,
    /// Longest wait of one step. The core waits, so that this works in any runtime.
    every: Duration,
    until: Option<Instant>,
    started: bool,
    done: bool,
}

impl Steps {
    fn new(mut request: CaseFollowRequest) -> Steps {
        let limit =
            request.timeout_ms.take().and_then(|n| n.to_i64()).map(|ms| Duration::from_millis(ms.max(0) as u64));
        if request.id.is_none() && request.key.is_none() {
            request.all = request.all.or(Some(true));
        }
        let until = limit.and_then(|limit| Instant::now().checked_add(limit));
        Steps { request, every: Duration::from_secs(1), until, started: false, done: false }
    }

    /// The request of the next step; None at the end. The first step does not wait.
    fn next_request(&mut self) -> Option<CaseFollowRequest> {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        if self.done || (self.started && left.is_some_and(|left| left.is_zero())) {
            return None;
        }
        let wait = if self.started { self.every.min(left.unwrap_or(Duration::MAX)) } else { Duration::ZERO };
        self.started = true;
        let (until, timeout) = match wait.as_millis() {
            0 => ("step", None),
            millis => ("final", Some(Number::from(i64::try_from(millis).unwrap_or(i64::MAX)))),
        };
        Some(CaseFollowRequest { until: Some(until.to_owned()), timeout_ms: timeout, ..self.request.clone() })
    }

    /// Nothing open is the end, and so is an error. A vendor that does not answer is no error here; a failing store is.
    fn take(&mut self, answer: Result<Answer<CaseFollowReply>, Failure>) -> Result<CaseFollowReply, Failure> {
        let open = answer.as_ref().ok().and_then(|answer| answer.data.open.as_ref()?.to_i64());
        self.done = answer.is_err() || open == Some(0);
        answer.map(|answer| answer.data)
    }
}

/// Following cases, blocking: gives how far it is after every step, until nothing is open or the time is
/// up. An error ends it.
#[derive(Debug)]
pub struct Follow {
    client: blocking::Client,
    steps: Steps,
}

impl Follow {
    /// How long a step may wait for something to become due. Default: a second.
    pub fn every(mut self, every: Duration) -> Follow {
        self.steps.every = every;
        self
    }
}

impl Iterator for Follow {
    type Item = Result<CaseFollowReply, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let request = self.steps.next_request()?;
        Some(self.steps.take(self.client.case_follow(&request)))
    }
}

impl blocking::Client {
    /// Follows a case, or all open ones if the request names none, step by step; `timeout_ms` is the limit
    /// of all steps together, and without one it goes on until nothing is open.
    pub fn follow(&self, request: CaseFollowRequest) -> Follow {
        Follow { client: self.clone(), steps: Steps::new(request) }
    }
}

/// Following cases, one future at a time; see [`Follow`].
#[derive(Debug)]
pub struct FollowSteps {
    client: Client,
    steps: Steps,
}

impl FollowSteps {
    /// How long a step may wait for something to become due. Default: a second.
    pub fn every(mut self, every: Duration) -> FollowSteps {
        self.steps.every = every;
        self
    }

    /// How far it is after the next step; None when nothing is open or the time is up.
    pub async fn next(&mut self) -> Option<Result<CaseFollowReply, Failure>> {
        let request = self.steps.next_request()?;
        Some(self.steps.take(self.client.case_follow(&request).await))
    }
}

impl Client {
    /// Follows a case, or all open ones if the request names none, step by step; `timeout_ms` is the limit
    /// of all steps together, and without one it goes on until nothing is open.
    pub fn follow(&self, request: CaseFollowRequest) -> FollowSteps {
        FollowSteps { client: self.clone(), steps: Steps::new(request) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(cases: i64) -> Result<Answer<CaseFollowReply>, Failure> {
        let data = CaseFollowReply { open: Some(cases.into()), ..CaseFollowReply::default() };
        Ok(Answer { data, reply: crate::client::dispatch::describe(None) })
    }

    #[test]
    fn the_first_step_does_not_wait_and_the_others_do() {
        let mut steps = Steps::new(CaseFollowRequest { key: Some("k".into()), ..CaseFollowRequest::default() });
        let first = steps.next_request().unwrap();
        assert_eq!((first.until.as_deref(), first.timeout_ms, first.all), (Some("step"), None, None));
        steps.take(open(1)).unwrap();
        let second = steps.next_request().unwrap();
        assert_eq!((second.until.as_deref(), second.timeout_ms), (Some("final"), Some(1000.into())));
        assert_eq!(second.key.as_deref(), Some("k"));
        steps.take(open(0)).unwrap();
        assert!(steps.next_request().is_none());
    }

    #[test]
    fn it_ends_with_the_time_but_takes_one_step() {
        let mut steps = Steps::new(CaseFollowRequest { timeout_ms: Some(0.into()), ..CaseFollowRequest::default() });
        assert!(steps.next_request().is_some_and(|r| r.all == Some(true)));
        steps.take(open(3)).unwrap();
        assert!(steps.next_request().is_none());
    }

    #[test]
    fn a_wait_is_no_longer_than_the_time_left() {
        let mut steps = Steps::new(CaseFollowRequest { timeout_ms: Some(500.into()), ..CaseFollowRequest::default() });
        steps.next_request();
        let wait = steps.next_request().and_then(|r| r.timeout_ms?.to_i64());
        assert!(wait.is_some_and(|ms| (1..=500).contains(&ms)), "{wait:?}");
    }
}
