//! E1, the order of things: the intent lasts before the connection for the submit is opened.

use crate::kinds::KINDS;
use crate::oracle::Truth;
use crate::rig::{Plan, Report, Res};
use crate::trace::{Step, Trace};
use crate::worker::{Fate, Worker};

/// `E1 order`
pub fn run(plan: &Plan) -> Res<Report> {
    let mut report = Report::default();
    let mut submits = 0;
    for (number, kind) in KINDS.iter().enumerate() {
        let mut lane = plan.lane(11, number, "clock=real")?;
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
        let Some((at, (_, endpoint))) =
            kind.steps().first().and_then(|first| Some((connected(&trace, first.1)?, first)))
        else {
            continue;
        };
        let mut dice = lane.dice.fork();
        let wish = kind.wish(&lane.atlas, &mut dice, format!("cut-{}", kind.word()))?;
        lane.dice = dice;
        let cut = Fate::Step(format!("{}:power", at + 1), 0);
        let mut worker = Worker::shimmed(&lane, &cut, None)?;
        worker.ask("case.open", &wish.request, &serde_json::Value::Null);
        worker.finish(&cut)?;
        let mut next = Worker::start(&lane.config())?;
        let reply = next.call("case.open", &wish.request)?;
        let deed = Truth::of(&lane.atlas).deed(&wish.owner, endpoint);
        if deed.whole + deed.broken > 0 {
            report.violations.push(format!(
                "{}: power was lost at the submit's connect (step {}), the intent was forgotten and sent again: {deed:?}\n    {reply}",
                kind.word(),
                at + 1,
            ));
        }
    }
    report.figures = format!(
        "{submits} submits of {} kinds: the last write before each connection is synced before it; {} violations",
        KINDS.len(),
        report.violations.len()
    );
    Ok(report)
}

/// The position of the connect whose descriptor then carries the submit: a connection of its own.
fn connected(trace: &Trace, endpoint: &str) -> Option<usize> {
    let path = match endpoint {
        "pnrClaim" => "/pnr/claim.do".to_owned(),
        other => format!("/{other}.do"),
    };
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
