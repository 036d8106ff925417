//! The cases of a lane that are not settled yet: which a host opens next, and which it takes up.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::case_kinds::CaseRequest;
use crate::harness::{Result, lock, text};
use crate::oracle::case;

/// Looks that found the case free and its outcome open, after which only time settles it.
const LOOKS: usize = 3;
/// The longest pause that an answer asks for: the lease of a host.
const LEASE_MS: u64 = 15_000;

/// A case to work on.
#[derive(Clone)]
pub struct Job {
    /// The case's number in the lane.
    pub nth: usize,
    /// Calls about it before this one.
    pub attempt: usize,
    /// The case.
    pub case_request: CaseRequest,
    /// Nothing befalls a host that looks at it: how long it takes until the case is free is measured.
    pub is_measured: bool,
}

struct Open {
    job: Job,
    ready: Instant,
    looks: usize,
    /// When the only host that was at it was killed.
    orphaned: Option<Instant>,
}

#[derive(Default)]
struct State {
    opened: Vec<CaseRequest>,
    open: BTreeMap<usize, Open>,
    all_opened: Option<Instant>,
    taken_up: Vec<Duration>,
}

/// See the module.
pub struct Board {
    wanted: usize,
    state: Mutex<State>,
}

impl Board {
    /// A board for so many cases.
    pub fn new(wanted: usize) -> Board {
        Board { wanted, state: Mutex::default() }
    }

    /// The case that waits longest, if one is to be looked at now: of those that are measured, or of the others.
    pub fn waiting(&self, patience: Duration, is_measured: bool) -> Option<Job> {
        let mut state = lock(&self.state);
        let now = Instant::now();
        let is_wanted = |open: &Open| open.ready <= now && open.orphaned.is_some() == is_measured;
        let open = state.open.values_mut().filter(|open| is_wanted(open)).min_by_key(|open| open.ready)?;
        // Others may come while this host is at it.
        open.ready = now + patience;
        open.job.attempt += 1;
        open.job.is_measured = is_measured;
        Some(open.job.clone())
    }

    /// The next new case; None when all were opened.
    pub fn new_case(&self, make: impl FnOnce(usize) -> Result<CaseRequest>, patience: Duration) -> Result<Option<Job>> {
        let mut state = lock(&self.state);
        let nth = state.opened.len();
        if nth >= self.wanted {
            return Ok(None);
        }
        let case_request = make(nth)?;
        state.opened.push(case_request.clone());
        let job = Job { nth, attempt: 0, case_request, is_measured: false };
        let ready = Instant::now() + patience;
        state.open.insert(nth, Open { job: job.clone(), ready, looks: 0, orphaned: None });
        Ok(Some(job))
    }

    /// Whether all were opened, and nothing is left to look at or this time has passed.
    pub fn is_done(&self, patience: Duration) -> bool {
        let mut state = lock(&self.state);
        let is_over = state.opened.len() >= self.wanted;
        is_over && (state.open.is_empty() || state.all_opened.get_or_insert_with(Instant::now).elapsed() > patience)
    }

    /// The host of this call was killed. Another one asks soon, and comes again when it is told to.
    pub fn orphaned(&self, job: &Job) {
        if let Some(open) = lock(&self.state).open.get_mut(&job.nth) {
            let now = Instant::now();
            if open.job.attempt == job.attempt && job.attempt == 0 {
                open.orphaned = Some(now);
            }
            open.ready = now + Duration::from_millis(500);
        }
    }

    /// The case was followed with all others: how it stands is to be looked at.
    pub fn followed(&self, job: &Job) {
        if let Some(open) = lock(&self.state).open.get_mut(&job.nth) {
            open.ready = Instant::now();
        }
    }

    /// The answer of a call about one case.
    pub fn answered(&self, job: &Job, reply: &Value) {
        let mut state = lock(&self.state);
        let Some(open) = state.open.get_mut(&job.nth) else { return };
        let mut pause = 700;
        let mut taken_up = None;
        if was_free(reply) {
            taken_up = open.orphaned.take().map(|at| at.elapsed());
            open.looks += 1;
        } else if let Some(left) = reply.pointer("/error/retryAfterMs").and_then(Value::as_u64) {
            pause = left.clamp(300, LEASE_MS);
        }
        open.ready = Instant::now() + Duration::from_millis(pause);
        let is_settled = case(reply).is_some_and(|case| matches!(text(case, "outcome"), "executed" | "not_executed"));
        if is_settled || open.looks >= LOOKS {
            state.open.remove(&job.nth);
        }
        state.taken_up.extend(taken_up);
    }

    /// All cases, and after what times those of killed hosts were taken up.
    pub fn end(self) -> (Vec<CaseRequest>, Vec<Duration>) {
        let state = self.state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        (state.opened, state.taken_up)
    }
}

/// Whether the call had the case: nobody else was at it, and the store could be used.
pub fn was_free(reply: &Value) -> bool {
    let code = reply.pointer("/error/code").and_then(Value::as_str).unwrap_or_default();
    case(reply).is_some() && !code.starts_with("store_") && code != "in_progress"
}
