//! E1, order of writes: the intent is synced before the connection for the submit is opened.

use crate::harness::{Plan, Report, Res};
use crate::kinds::{KINDS, Kind};
use crate::oracle::LedgerView;
use crate::trace::{Step, Trace};
use crate::worker::{Worker, WorkerExit};

/// `E1 order`
pub fn run(plan: &Plan) -> Res<Report> {
    let mut report = Report::default();
    let mut submits = 0;
    for (number, kind) in KINDS.iter().enumerate() {
        let lane = plan.lane(11, number, "clock=real")?;
        let trace = Trace::of(&lane, *kind)?;
        for (name, endpoint) in kind.steps() {
            match connected(&trace, endpoint) {
                None => report.violations.push(format!("{}: step {name} was never sent", kind.word())),
                Some(at) => {
                    submits += 1;
                    report
                        .violations
                        .extend(unsynced(&trace, at).map(|words| format!("{} {name}: {words}", kind.word())));
                }
            }
        }
        // The proof by loss of power: cut exactly there, nothing has left, and nothing may leave after it.
        if let Some((_, endpoint)) = kind.steps().first() {
            report.violations.extend(cut(plan, *kind, endpoint)?.map(|words| format!("{}: {words}", kind.word())));
        }
    }
    report.figures = format!(
        "{submits} submits of {} kinds: the last write before each connection is synced before it; {} violations",
        KINDS.len(),
        report.violations.len()
    );
    Ok(report)
}

/// Cuts the power at the submit's connect and lets another process go on.
fn cut(plan: &Plan, kind: Kind, endpoint: &str) -> Res<Option<String>> {
    let mut lane = plan.lane(15, kind as usize, "clock=real")?;
    let trace = Trace::of(&lane, kind)?;
    let at = connected(&trace, endpoint).ok_or("the submit was never sent")?;
    let connects = trace.steps.iter().take(at + 1).filter(|step| step.call == "connect").count();
    lane.forget()?;
    let spec = kind.spec(&lane.atlas, &mut lane.dice, format!("cut-{}", kind.word()))?;
    let (exit, log) = (WorkerExit::Step(format!("connect{connects}:power"), 0), lane.home().join("cut.trace"));
    let mut worker = Worker::shimmed(&lane, &exit, Some(&log))?;
    worker.ask("case.open", &spec.request, &serde_json::Value::Null);
    if !worker.finish(&exit)?.killed || std::fs::read_to_string(&log)?.contains(&path(endpoint)) {
        return Ok(Some(format!("{exit:?} is not the connect of the submit")));
    }
    let reply = Worker::start(&lane.config())?.call("case.open", &spec.request)?;
    let effect = LedgerView::of(&lane.atlas).effect(&spec.owner, endpoint);
    let again = format!("{exit:?} at the submit's connect, and it was sent again: {effect:?}\n    {reply}");
    Ok((effect.whole + effect.broken > 0).then_some(again))
}

fn path(endpoint: &str) -> String {
    match endpoint {
        "pnrClaim" => "/pnr/claim.do".to_owned(),
        other => format!("/{other}.do"),
    }
}

/// The position of the connect whose descriptor then carries the submit: a connection of its own.
fn connected(trace: &Trace, endpoint: &str) -> Option<usize> {
    let path = path(endpoint);
    let asks = |step: &Step| step.sends() && step.head.starts_with(&format!("POST {path} "));
    let sent = trace.steps.iter().position(asks)?;
    let fd = &trace.steps.get(sent)?.fd;
    let before = trace.steps.get(..sent)?;
    let at = before.iter().rposition(|step| step.call == "connect" && step.fd == *fd)?;
    // Nothing else may have gone over it.
    let alone = !before.get(at..)?.iter().any(|step| step.sends() && step.fd == *fd);
    alone.then_some(at)
}

/// What is wrong with the syncs before this connect.
fn unsynced(trace: &Trace, connect: usize) -> Option<String> {
    let before = trace.steps.get(..connect)?;
    let Some(write) = before.iter().rposition(Step::writes) else {
        return Some("nothing was written before the connection".to_owned());
    };
    let file = &before.get(write)?.target;
    let synced = before.get(write..)?.iter().any(|step| step.syncs() && step.target == *file);
    // An answer is what the intent is made of, so it must have been written after the last one.
    let answer = before.iter().rposition(|step| step.call == "recv").unwrap_or(0);
    match (synced, write > answer) {
        (false, _) => Some(format!(
            "{file} was written at step {} and not synced before the connect at {}",
            write + 1,
            connect + 1
        )),
        (true, false) => Some(format!(
            "nothing was written between the last answer (step {}) and the connect at {}",
            answer + 1,
            connect + 1
        )),
        (true, true) => None,
    }
}
