//! E8: the store's disk fails: an error at any of its steps, once or from then on.

use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{Plan, Report, Res, text};
use crate::kills::steps;
use crate::oracle::{Tally, named};
use crate::settle;
use crate::worker::{Worker, WorkerExit};

const BATCH: usize = 100;

/// `E8 failing disk`
pub fn run(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let lanes = plan.size(100, 3_000).div_ceil(BATCH);
    let steps = steps(plan)?;
    let tallies = plan.lanes(
        3,
        |number, _: &[Tally]| number >= lanes,
        |number| {
            let mut lane = plan.lane(8, number, "refundQueryWithoutCode=list,clock=real")?;
            let (mut tally, mut specs, mut reported) = (Tally::default(), Vec::new(), Vec::new());
            for nth in 0..BATCH {
                let kind = *lane.dice.choice(plan.kinds()).ok_or("no kinds")?;
                let spec = kind.spec(&lane.atlas, &mut lane.dice, format!("disk-{number}-{nth}"))?;
                let how = *lane.dice.choice(&["eio", "enospc", "once"]).unwrap_or(&"once");
                let exit =
                    WorkerExit::Step(format!("{}:{how}", lane.dice.usize(1..steps.get(&kind).unwrap_or(&40) + 1)), 0);
                let before = lane.atlas.request_count();
                let mut worker = Worker::shimmed(&lane, &exit, None)?;
                worker.ask("case.open", &spec.request, &Value::Null);
                let said = worker.finish(&exit)?;
                // A store that cannot be opened is reported by a client that is not made: that is no crash.
                let refused = said.complaint.as_deref().is_some_and(|words| words.contains("store"));
                if let Some(words) = said.complaint.filter(|_| !refused) {
                    tally.violations.push(format!("{} {}: {exit:?}: a worker broke: {words}", kind.word(), spec.key));
                }
                // Whatever the disk did, what left must be known to whoever comes next.
                let submits = lane.atlas.requests_since(before);
                let left = submits.iter().any(|request| {
                    kind.steps().iter().any(|(_, step)| *step == text(request, "endpoint"))
                        && named(request) == spec.owner
                });
                let mut next = Worker::start(&lane.config())?;
                let known = next.call("case.get", &json!({"key": spec.key}))?;
                if left && crate::oracle::case(&known).is_none() {
                    tally.violations.push(format!(
                        "{} {}: {exit:?}: a submit left and the case is lost",
                        kind.word(),
                        spec.key
                    ));
                }
                next.call("case.open", &spec.request)?;
                reported.push((spec.key.clone(), exit));
                specs.push(spec);
            }
            settle::check(&lane, &specs, &mut tally)?;
            for words in &mut tally.violations {
                let exit =
                    reported.iter().find(|(key, _)| words.contains(&format!(" {key}:"))).map(|(_, exit)| exit.clone());
                *words = format!("lane {number} {exit:?} {words}");
            }
            Ok(tally)
        },
    )?;
    let mut tally = Tally::default();
    tallies.into_iter().for_each(|one| tally.add(one));
    let figures = format!(
        "{} cases: {}, {}; violations {}, in {:.0} s",
        tally.cases,
        tally.promise(),
        tally.reported(),
        tally.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(Report { figures, violations: tally.violations })
}
