//! E1: a worker that opens a case is killed at any of its steps, and its successors too.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{Lane, Plan, Report, Res, flag, text};
use crate::kinds::{CaseSpec, Kind};
use crate::oracle::{Tally, named};
use crate::settle;
use crate::trace::Trace;
use crate::worker::{Worker, WorkerExit};

/// Cases that share a store and a simulator.
const BATCH: usize = 70;
const PROFILES: [&str; 3] = ["default", "strict", "refundQueryWithoutCode=list,quirks=drift"];

/// What one lane has seen.
#[derive(Default)]
struct Seen {
    tally: Tally,
    kills: usize,
    /// How a kill came about → how often.
    by: BTreeMap<&'static str, usize>,
}

/// `E1 kills`
pub fn run(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let wanted = plan.size(300, 10_000);
    let steps = steps(plan)?;
    let seen = plan.lanes(
        3,
        |_, done: &[Seen]| done.iter().map(|seen| seen.kills).sum::<usize>() >= wanted,
        |number| batch(plan, number, &steps),
    )?;
    let mut all = Seen::default();
    for one in seen {
        all.tally.add(one.tally);
        all.kills += one.kills;
        one.by.into_iter().for_each(|(how, count)| *all.by.entry(how).or_default() += count);
    }
    let tally = all.tally;
    let seconds = started.elapsed().as_secs_f64();
    let by: Vec<String> = all.by.iter().map(|(how, count)| format!("{count} {how}")).collect();
    let figures = format!(
        "{} ({}) in {} cases: {}, {}; violations {}, in {seconds:.0} s, {:.0} ms per kill",
        all.kills,
        by.join(", "),
        tally.cases,
        tally.promise(),
        tally.reported(),
        tally.violations.len(),
        seconds * 1e3 / all.kills.max(1) as f64,
    );
    Ok(Report { figures, violations: tally.violations })
}

/// What the experiment finds wrong with the control.
pub fn control(plan: &Plan) -> Res<Vec<String>> {
    let plan = plan.control();
    Ok(batch(&plan, 0, &steps(&plan)?)?.tally.violations)
}

/// How many steps an undisturbed worker has, by kind.
pub fn steps(plan: &Plan) -> Res<BTreeMap<Kind, usize>> {
    let lane = plan.lane(1, usize::MAX, "clock=real")?;
    plan.kinds().iter().map(|kind| Ok((*kind, Trace::of(&lane, *kind)?.steps.len()))).collect()
}

fn batch(plan: &Plan, number: usize, steps: &BTreeMap<Kind, usize>) -> Res<Seen> {
    let profile = PROFILES.get(number % PROFILES.len()).unwrap_or(&"default");
    let mut lane = plan.lane(1, number, &format!("{profile},clock=real"))?;
    let mut seen = Seen::default();
    let mut specs = Vec::new();
    for nth in 0..if plan.baseline { 45 } else { BATCH } {
        let kind = plan.kinds().get(nth % plan.kinds().len()).copied().unwrap_or(Kind::Void);
        let spec = kind.spec(&lane.atlas, &mut lane.dice, format!("kill-{number}-{nth}"))?;
        let steps = steps.get(&kind).copied().unwrap_or(40);
        let faults = seen.tally.violations.len();
        let reported = torment(&mut lane, &spec, steps, &mut seen)?;
        specs.push(spec);
        if seen.tally.violations.len() > faults {
            seen.tally.violations.push(reported);
        }
    }
    let before = seen.tally.violations.len();
    settle::check(&lane, &specs, &mut seen.tally)?;
    for words in seen.tally.violations.iter_mut().skip(before) {
        *words = format!("lane {number} ({profile}) {words}");
    }
    Ok(seen)
}

/// Kills workers on one case until one of them answers; the first is always meant to die.
fn torment(lane: &mut Lane, spec: &CaseSpec, steps: usize, seen: &mut Seen) -> Res<String> {
    let before = lane.atlas.request_count();
    let mut reported = String::new();
    for attempt in 0..12 {
        let exit = if attempt == 0 || lane.dice.f64() < 0.3 { doom(lane, steps) } else { WorkerExit::Normal };
        reported.push_str(&format!(" {exit:?}"));
        let mut worker = Worker::shimmed(lane, &exit, None)?;
        // What a predecessor sent must be known to the store before anything else happens.
        worker.ask("case.get", &json!({"key": spec.key}), &Value::Null);
        let left = submits_left(lane, spec, before);
        worker.ask("case.open", &spec.request, &Value::Null);
        let said = worker.finish(&exit)?;
        if said.killed {
            seen.kills += 1;
            *seen.by.entry(manner(&exit)).or_default() += 1;
        }
        if let Some(words) = said.complaint {
            seen.tally.violations.push(format!(
                "{} {}: a worker broke: {words};{reported}",
                spec.kind.word(),
                spec.key
            ));
            return Ok(reported);
        }
        if left && said.replies.first().is_some_and(|reply| crate::oracle::case(reply).is_none()) {
            seen.tally.lost += 1;
            seen.tally.violations.push(format!(
                "{} {}: a submit left and the case is lost;{reported}",
                spec.kind.word(),
                spec.key
            ));
        }
        if said.replies.len() > 1 {
            break;
        }
    }
    Ok(reported)
}

fn submits_left(lane: &Lane, spec: &CaseSpec, before: usize) -> bool {
    let mine = |request: &Value| {
        let endpoint = text(request, "endpoint");
        flag(request, "bodyComplete")
            && spec.kind.steps().iter().any(|(_, step)| *step == endpoint)
            && named(request) == spec.owner
    };
    lane.atlas.requests_since(before).iter().any(mine)
}

/// A step, with or without loss of power, or just some time.
fn doom(lane: &mut Lane, steps: usize) -> WorkerExit {
    let dice = &mut lane.dice;
    let step = dice.usize(1..steps + 4);
    match dice.u32(0..100) {
        0..25 => WorkerExit::Step(format!("{step}:before"), 0),
        25..40 => WorkerExit::Step(format!("{step}:after"), 0),
        40..60 => WorkerExit::Step(format!("{step}:torn"), 0),
        60..75 => WorkerExit::Step(format!("{step}:power"), 0),
        75..85 => WorkerExit::Step(format!("{step}:power"), dice.u64(1..)),
        _ => WorkerExit::After(dice.u64(0..40_000)),
    }
}

fn manner(exit: &WorkerExit) -> &'static str {
    match exit {
        WorkerExit::Step(step, _) if step.ends_with("power") => "by loss of power",
        WorkerExit::Step(..) => "at a step",
        _ => "at any time",
    }
}
