//! E8: the store's disk fails: an error at any of its steps, once or from then on.

use std::time::Instant;

use serde_json::{Value, json};

use crate::kills::steps;
use crate::oracle::{Tally, named};
use crate::rig::{Plan, Report, Res, text};
use crate::settle;
use crate::worker::{Fate, Worker};

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
            let (mut tally, mut wishes, mut told) = (Tally::default(), Vec::new(), Vec::new());
            for nth in 0..BATCH {
                let kind = *lane.dice.choice(plan.kinds()).ok_or("no kinds")?;
                let wish = kind.wish(&lane.atlas, &mut lane.dice, format!("disk-{number}-{nth}"))?;
                let how = *lane.dice.choice(&["eio", "enospc", "once"]).unwrap_or(&"once");
                let fate = Fate::Step(format!("{}:{how}", lane.dice.usize(1..steps.get(&kind).unwrap_or(&40) + 1)), 0);
                let before = lane.atlas.request_count();
                let mut worker = Worker::shimmed(&lane, &fate, None)?;
                worker.ask("case.open", &wish.request, &Value::Null);
                let said = worker.finish(&fate)?;
                // A store that cannot be opened is told by a client that is not made: that is no crash.
                let refused = said.complaint.as_deref().is_some_and(|words| words.contains("store"));
                if let Some(words) = said.complaint.filter(|_| !refused) {
                    tally.violations.push(format!("{} {}: {fate:?}: a worker broke: {words}", kind.word(), wish.key));
                }
                // Whatever the disk did, what left must be known to whoever comes next.
                let submits = lane.atlas.requests_since(before);
                let left = submits.iter().any(|request| {
                    kind.steps().iter().any(|(_, step)| *step == text(request, "endpoint"))
                        && named(request) == wish.owner
                });
                let mut next = Worker::start(&lane.config())?;
                let known = next.call("case.get", &json!({"key": wish.key}))?;
                if left && crate::oracle::case(&known).is_none() {
                    tally.violations.push(format!(
                        "{} {}: {fate:?}: a submit left and the case is lost",
                        kind.word(),
                        wish.key
                    ));
                }
                next.call("case.open", &wish.request)?;
                told.push((wish.key.clone(), fate));
                wishes.push(wish);
            }
            settle::judge(&lane, &wishes, &mut tally)?;
            for words in &mut tally.violations {
                let fate =
                    told.iter().find(|(key, _)| words.contains(&format!(" {key}:"))).map(|(_, fate)| fate.clone());
                *words = format!("lane {number} {fate:?} {words}");
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
        tally.told(),
        tally.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(Report { figures, violations: tally.violations })
}
