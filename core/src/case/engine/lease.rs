//! Who owns the lease of a case, and whether that owner still lives.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use once_cell::sync::Lazy;

use crate::case::clock;
use crate::case::store::{ELSEWHERE, Lease};
use crate::process::PerProcess;
use crate::unix_time::Millis;

/// Numbers of the owners in this process that still live.
static LIVING: Lazy<PerProcess<HashSet<u64>>> = Lazy::new(PerProcess::default);
static NEXT: AtomicU64 = AtomicU64::new(1);
/// This copy of the library: a process may have loaded another one, whose owners it does not know.
static COPY: Lazy<String> = Lazy::new(|| format!("{:x}", RandomState::new().hash_one(std::process::id())));

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
        LIVING.lock().insert(run);
        Owner { run }
    }

    /// A lease for a call that has so much time left.
    pub fn lease(&self, left: Duration) -> Lease {
        let (_, now) = clock::machine();
        let until = now.saturating_add(i64::try_from((left + GRACE).as_millis()).unwrap_or(i64::MAX / 2));
        Lease { owner: format!("{} {}.{}", process(std::process::id()), *COPY, self.run), until }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        LIVING.lock().remove(&self.run);
    }
}

/// Boot, pid namespace, pid and start of a process: no two are the same.
fn process(pid: u32) -> String {
    let (boot, _) = clock::machine();
    let namespace =
        std::fs::read_link("/proc/self/ns/pid").map(|p| p.to_string_lossy().into_owned()).unwrap_or_default();
    let start = if let Process::Started(start) = Process::of(pid) { start } else { String::new() };
    format!("{boot:x} {namespace} {pid} {start}")
}

/// What the system shows of a process.
#[derive(Debug, PartialEq)]
enum Process {
    /// When it started, in the machine's ticks.
    Started(String),
    /// It exists, and is another user's that `/proc` hides (hidepid), or there is no `/proc`.
    Hidden,
    /// There is none, or it is a zombie, which runs no more.
    Gone,
}

impl Process {
    fn of(pid: u32) -> Process {
        match std::fs::read_to_string(format!("/proc/{pid}/stat")) {
            Ok(stat) => Process::read(&stat),
            Err(_) if exists(pid) => Process::Hidden,
            Err(_) => Process::Gone,
        }
    }

    fn read(stat: &str) -> Process {
        // The name, in parentheses, may hold anything; the 20th field after it is the start time.
        let mut fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        match fields.next() {
            Some("Z" | "X") => Process::Gone,
            Some(_) => fields.nth(18).map_or(Process::Hidden, |start| Process::Started(start.to_owned())),
            None => Process::Hidden,
        }
    }

    /// Whether it may be the one that started then. In doubt it is, until its lease ends.
    fn may_be(&self, start: &str) -> bool {
        match self {
            // One that could not read its own start has written none.
            Process::Started(own) => own == start || start.is_empty(),
            Process::Hidden => true,
            Process::Gone => false,
        }
    }
}

/// Whether there is such a process, whoever it belongs to.
#[cfg(unix)]
fn exists(pid: u32) -> bool {
    let Ok(pid) = i32::try_from(pid) else { return false };
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None) != Err(nix::errno::Errno::ESRCH)
}

#[cfg(not(unix))]
fn exists(_: u32) -> bool {
    true
}

/// Whether an owner may still be at work. In doubt it is, until its lease ends.
pub(crate) fn is_alive(owner: &str, until: Millis) -> bool {
    let (boot, now) = clock::machine();
    if owner == ELSEWHERE {
        return now <= until;
    }
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
    let process = Process::of(pid);
    match run.split_once('.') {
        Some((copy, run)) if pid == std::process::id() && *copy == **COPY && process.may_be(their_start) => {
            let runs = LIVING.lock();
            run.parse().is_ok_and(|run: u64| runs.contains(&run))
        }
        // Of another process, or of another copy of the library in this one.
        _ => process.may_be(their_start),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_of_this_process_lives_until_it_is_dropped_and_that_of_another_copy_until_its_lease_ends() {
        let owner = Owner::new();
        let lease = owner.lease(Duration::ZERO);
        assert!(is_alive(&lease.owner, lease.until));
        let other = lease.owner.replace(COPY.as_str(), "0");
        drop(owner);
        assert!(!is_alive(&lease.owner, lease.until));
        assert!(is_alive(&other, lease.until) && !is_alive(&other, 0));
    }

    #[test]
    fn a_process_that_cannot_be_read_counts_as_alive_and_one_that_ended_does_not() {
        let stat = |state: &str| format!("7 (a) b) {state} {} 4711 0", "1 ".repeat(18).trim_end());
        assert_eq!(Process::read(&stat("S")), Process::Started("4711".to_owned()));
        assert_eq!(Process::read(&stat("Z")), Process::Gone);
        assert!(Process::Hidden.may_be("4711") && Process::read(&stat("S")).may_be("4711"));
        assert!(Process::read(&stat("S")).may_be("") && !Process::Gone.may_be(""));
        assert!(!Process::Gone.may_be("4711") && !Process::read(&stat("S")).may_be("4712"));
        assert!(exists(std::process::id()) && !exists(u32::MAX >> 1));
    }
}
