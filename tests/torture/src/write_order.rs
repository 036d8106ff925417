//! E1, write order: the intent is written and synced before the connection for the submit is opened.

use crate::case_kinds::{KINDS, Kind};
use crate::harness::{Plan, Report, Result};
use crate::oracle::LedgerSnapshot;
use crate::syscall_trace::{Step, Trace};
use crate::worker::{KillPlan, Worker};

/// `E1 write order`
pub fn run(plan: &Plan) -> Result<Report> {
    let mut report = Report::default();
    let mut submits = 0;
    for (number, kind) in KINDS.iter().enumerate() {
        let lane = plan.lane(11, number, "clock=real")?;
        let syscall_trace = Trace::of(&lane, *kind)?;
        for (name, endpoint) in kind.steps() {
            match connected(&syscall_trace, endpoint) {
                None => report.violations.push(format!("{}: step {name} was never sent", kind.wire_name())),
                Some(at) => {
                    submits += 1;
                    report.violations.extend(
                        unsynced(&syscall_trace, at).map(|message| format!("{} {name}: {message}", kind.wire_name())),
                    );
                }
            }
        }
        // A loss of power exactly at the connect: nothing has been sent, and the next process must not send.
        if let Some((_, endpoint)) = kind.steps().first() {
            report
                .violations
                .extend(lose_power(plan, *kind, endpoint)?.map(|message| format!("{}: {message}", kind.wire_name())));
        }
    }
    report.figures = format!(
        "{submits} submits of {} kinds: the last write before each connection is synced before it; {} violations",
        KINDS.len(),
        report.violations.len()
    );
    Ok(report)
}

/// Simulates a loss of power at the submit's connect; another process then resumes the case.
fn lose_power(plan: &Plan, kind: Kind, endpoint: &str) -> Result<Option<String>> {
    let mut lane = plan.lane(15, kind as usize, "clock=real")?;
    let syscall_trace = Trace::of(&lane, kind)?;
    let at = connected(&syscall_trace, endpoint).ok_or("the submit was never sent")?;
    let connects = syscall_trace.steps.iter().take(at + 1).filter(|step| step.call == "connect").count();
    lane.forget()?;
    let case_request = kind.case_request(&lane.atlas, &mut lane.rng, format!("cut-{}", kind.wire_name()))?;
    let (kill_plan, log) = (KillPlan::Step(format!("connect{connects}:power"), 0), lane.home().join("cut.trace"));
    let mut worker = Worker::shimmed(&lane, &kill_plan, Some(&log))?;
    worker.send("case.open", &case_request.request, &serde_json::Value::Null);
    if !worker.finish(&kill_plan)?.killed || std::fs::read_to_string(&log)?.contains(&path(endpoint)) {
        return Ok(Some(format!("{kill_plan:?} is not the connect of the submit")));
    }
    let reply = Worker::start(&lane.config())?.call("case.open", &case_request.request)?;
    let counts = LedgerSnapshot::of(&lane.atlas).counts(&case_request.owner, endpoint);
    let again = format!("{kill_plan:?} at the submit's connect, and it was sent again: {counts:?}\n    {reply}");
    Ok((counts.complete + counts.truncated > 0).then_some(again))
}

fn path(endpoint: &str) -> String {
    match endpoint {
        "pnrClaim" => "/pnr/claim.do".to_owned(),
        other => format!("/{other}.do"),
    }
}

/// The position of the connect of the submit's connection, if nothing else was sent over it.
fn connected(syscall_trace: &Trace, endpoint: &str) -> Option<usize> {
    let path = path(endpoint);
    let asks = |step: &Step| step.sends() && step.head.starts_with(&format!("POST {path} "));
    let sent = syscall_trace.steps.iter().position(asks)?;
    let fd = &syscall_trace.steps.get(sent)?.fd;
    let before = syscall_trace.steps.get(..sent)?;
    let at = before.iter().rposition(|step| step.call == "connect" && step.fd == *fd)?;
    // A submit has a connection of its own.
    let alone = !before.get(at..)?.iter().any(|step| step.sends() && step.fd == *fd);
    alone.then_some(at)
}

/// The violation of the write order before this connect, if any.
fn unsynced(syscall_trace: &Trace, connect: usize) -> Option<String> {
    let before = syscall_trace.steps.get(..connect)?;
    let Some(write) = before.iter().rposition(Step::writes) else {
        return Some("nothing was written before the connection".to_owned());
    };
    let file = &before.get(write)?.target;
    let synced = before.get(write..)?.iter().any(|step| step.syncs() && step.target == *file);
    // The intent contains data of the last vendor reply, so it must have been written after it.
    let answer = before.iter().rposition(|step| step.call == "recv").unwrap_or(0);
    match (synced, write > answer) {
        (false, _) => Some(format!(
            "{file} was written at step {} and not synced before the connect at {}",
            write + 1,
            connect + 1
        )),
        (true, false) => Some(format!(
            "nothing was written between the last reply (step {}) and the connect at {}",
            answer + 1,
            connect + 1
        )),
        (true, true) => None,
    }
}
