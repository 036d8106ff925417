//! Who owns the lease of a case, and whether that owner still lives.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use once_cell::sync::Lazy;

use crate::case::clock;
use crate::case::store::Lease;
use crate::unix_time::Millis;

/// Numbers of the owners in this process that still live.
static LIVING: Lazy<Mutex<HashSet<u64>>> = Lazy::new(|| Mutex::new(HashSet::new()));
static NEXT: AtomicU64 = AtomicU64::new(1);

/// One drive of a case by this process. Dropped, its lease is worth nothing any more.
#[derive(Debug)]
pub(crate) struct Owner {
    run: u64,
}

/// Time for the last writes after a call's deadline.
const GRACE: Duration = Duration::from_secs(60);

impl Owner {
    pub fn new() -> Owner {
        let run = NEXT.fetch_add(1, Ordering::Relaxed);
        LIVING.lock().unwrap_or_else(PoisonError::into_inner).insert(run);
        Owner { run }
    }

    /// A lease for a call that has so much time left.
    pub fn lease(&self, left: Duration) -> Lease {
        let (_, now) = clock::machine();
        let until = now.saturating_add(i64::try_from((left + GRACE).as_millis()).unwrap_or(i64::MAX / 2));
        Lease { owner: format!("{} {}", process(std::process::id()), self.run), until }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        LIVING.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.run);
    }
}

/// Boot, pid namespace, pid and start of a process: no two are the same.
fn process(pid: u32) -> String {
    let (boot, _) = clock::machine();
    let namespace =
        std::fs::read_link("/proc/self/ns/pid").map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
    format!("{boot:x} {namespace} {pid} {}", start(pid).unwrap_or_default())
}

/// When a process started, in the machine's ticks; None if there is no such process (or no such file here).
fn start(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; the 20th field after it is the start time.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?;
    // A zombie runs no more.
    if matches!(state, "Z" | "X") {
        return None;
    }
    fields.nth(18).map(str::to_owned)
}

/// Whether an owner may still be at work. In doubt it is, until its lease ends.
pub(crate) fn is_alive(owner: &str, until: Millis) -> bool {
    let (boot, now) = clock::machine();
    let parts: Vec<&str> = owner.split(' ').collect();
    // Nothing of ours has written that, and without its boot the end of its lease is no time of this machine.
    let [their_boot, namespace, pid, their_start, run] = parts.as_slice() else { return false };
    // The machine was started anew: nothing of before runs.
    if *their_boot != format!("{boot:x}") || now > until {
        return false;
    }
    let ours = std::fs::read_link("/proc/self/ns/pid").map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
    let Ok(pid) = pid.parse::<u32>() else { return true };
    if *namespace != ours || ours.is_empty() {
        return true;
    }
    if pid == std::process::id() && start(pid).as_deref() == Some(*their_start) {
        let runs = LIVING.lock().unwrap_or_else(PoisonError::into_inner);
        return run.parse().is_ok_and(|run: u64| runs.contains(&run));
    }
    start(pid).is_some_and(|start| start == *their_start)
}
