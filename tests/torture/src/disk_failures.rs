//! E8: writes or syncs of the store fail, at any step, once or from then on.

use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{Plan, Report, Result, text};
use crate::kills::steps;
use crate::oracle::{Tally, named};
use crate::reconcile;
use crate::worker::{KillPlan, Worker};

const BATCH: usize = 100;

/// `E8 disk failures`
pub fn run(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    let lanes = plan.size(100, 3_000).div_ceil(BATCH);
    let steps = steps(plan)?;
    let tallies = plan.lanes(
        3,
        |number, _: &[Tally]| number >= lanes,
        |number| {
            let mut lane = plan.lane(8, number, "refundQueryWithoutCode=list,clock=real")?;
            let (mut tally, mut case_requests, mut kill_plans) = (Tally::default(), Vec::new(), Vec::new());
            for nth in 0..BATCH {
                let kind = *lane.rng.choice(plan.case_kinds()).ok_or("no kinds")?;
                let case_request = kind.case_request(&lane.atlas, &mut lane.rng, format!("disk-{number}-{nth}"))?;
                let how = *lane.rng.choice(&["eio", "enospc", "once"]).unwrap_or(&"once");
                let kill_plan =
                    KillPlan::Step(format!("{}:{how}", lane.rng.usize(1..steps.get(&kind).unwrap_or(&40) + 1)), 0);
                let before = lane.atlas.request_count();
                let mut worker = Worker::shimmed(&lane, &kill_plan, None)?;
                worker.send("case.open", &case_request.request, &Value::Null);
                let output = worker.finish(&kill_plan)?;
                // If the store cannot be opened, no client is made and the worker exits with an error: no crash.
                let refused = output.failure.as_deref().is_some_and(|message| message.contains("store"));
                if let Some(message) = output.failure.filter(|_| !refused) {
                    tally.violations.push(format!(
                        "{} {}: {kill_plan:?}: a worker failed: {message}",
                        kind.wire_name(),
                        case_request.key
                    ));
                }
                // A submit that left must be known to the next process.
                let submits = lane.atlas.requests_since(before);
                let left = submits.iter().any(|request| {
                    kind.steps().iter().any(|(_, step)| *step == text(request, "endpoint"))
                        && named(request) == case_request.owner
                });
                let mut successor = Worker::start(&lane.config())?;
                let known = successor.call("case.get", &json!({"key": case_request.key}))?;
                if left && crate::oracle::case(&known).is_none() {
                    tally.violations.push(format!(
                        "{} {}: {kill_plan:?}: a submit left and the case is lost",
                        kind.wire_name(),
                        case_request.key
                    ));
                }
                successor.call("case.open", &case_request.request)?;
                kill_plans.push((case_request.key.clone(), kill_plan));
                case_requests.push(case_request);
            }
            reconcile::check(&lane, &case_requests, &mut tally)?;
            for message in &mut tally.violations {
                let kill_plan = kill_plans
                    .iter()
                    .find(|(key, _)| message.contains(&format!(" {key}:")))
                    .map(|(_, kill_plan)| kill_plan.clone());
                *message = format!("lane {number} {kill_plan:?} {message}");
            }
            Ok(tally)
        },
    )?;
    let mut tally = Tally::default();
    tallies.into_iter().for_each(|one| tally.add(one));
    // A store that one failure stops for good would keep every other promise.
    if tally.count("executed") == 0 {
        tally.violations.push("nothing was executed".to_owned());
    }
    let figures = format!(
        "{} cases: {}, {}; violations {}, in {:.0} s",
        tally.cases,
        tally.invariants(),
        tally.outcome_figures(),
        tally.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(Report { figures, violations: tally.violations })
}
