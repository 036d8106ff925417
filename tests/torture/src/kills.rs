//! E1: a worker that opens a case is killed at any of its steps; the workers that resume the case may be killed too.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Instant;

use serde_json::{Value, json};

use crate::case_kinds::{CaseRequest, Kind};
use crate::harness::{Lane, Plan, Report, Result, flag, text};
use crate::oracle::{Tally, named};
use crate::reconcile;
use crate::syscall_trace::Trace;
use crate::worker::{KillPlan, Worker};

/// Cases that share a store and a simulator.
const BATCH: usize = 70;
const PROFILES: [&str; 3] = ["default", "strict", "refundQueryWithoutCode=list,quirks=drift"];

/// The results of a lane.
#[derive(Default)]
pub struct BatchResult {
    /// The cases, against the ledger.
    pub tally: Tally,
    /// Workers killed.
    pub kills: usize,
    /// Manner of a kill → count.
    by_manner: BTreeMap<&'static str, usize>,
}

/// `E1 kills`
pub fn run(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    let wanted = plan.size(300, 10_000);
    let steps = steps(plan)?;
    let result = plan.lanes(
        3,
        |_, done: &[BatchResult]| done.iter().map(|result| result.kills).sum::<usize>() >= wanted,
        |number| batch(plan, number, &steps),
    )?;
    let mut total = BatchResult::default();
    for one in result {
        total.tally.add(one.tally);
        total.kills += one.kills;
        one.by_manner.into_iter().for_each(|(how, count)| *total.by_manner.entry(how).or_default() += count);
    }
    let tally = total.tally;
    let seconds = started.elapsed().as_secs_f64();
    let by_manner: Vec<String> = total.by_manner.iter().map(|(how, count)| format!("{count} {how}")).collect();
    let figures = format!(
        "{} ({}) in {} cases: {}, {}; violations {}, in {seconds:.0} s, {:.0} ms per kill",
        total.kills,
        by_manner.join(", "),
        tally.cases,
        tally.invariants(),
        tally.outcome_figures(),
        tally.violations.len(),
        seconds * 1e3 / total.kills.max(1) as f64,
    );
    Ok(Report { figures, violations: tally.violations })
}

/// The violations that the experiment finds in the baseline client.
pub fn control(plan: &Plan) -> Result<Vec<String>> {
    let plan = plan.control();
    Ok(batch(&plan, 0, &steps(&plan)?)?.tally.violations)
}

/// The number of steps of a worker that is not killed, by kind.
pub fn steps(plan: &Plan) -> Result<BTreeMap<Kind, usize>> {
    let lane = plan.lane(1, usize::MAX, "clock=real")?;
    plan.case_kinds().iter().map(|kind| Ok((*kind, Trace::of(&lane, *kind)?.steps.len()))).collect()
}

fn batch(plan: &Plan, number: usize, steps: &BTreeMap<Kind, usize>) -> Result<BatchResult> {
    let profile = PROFILES.get(number % PROFILES.len()).unwrap_or(&"default");
    let mut lane = plan.lane(1, number, &format!("{profile},clock=real"))?;
    let mut result = BatchResult::default();
    let mut case_requests = Vec::new();
    for nth in 0..if plan.baseline { 45 } else { BATCH } {
        let kind = plan.case_kinds().get(nth % plan.case_kinds().len()).copied().unwrap_or(Kind::Void);
        let case_request = kind.case_request(&lane.atlas, &mut lane.rng, format!("kill-{number}-{nth}"))?;
        let steps = steps.get(&kind).copied().unwrap_or(40);
        let violations = result.tally.violations.len();
        let attempts = kill_until_answered(&mut lane, &case_request, steps, &WITH_POWER_LOSS, &mut result)?;
        case_requests.push(case_request);
        if result.tally.violations.len() > violations {
            result.tally.violations.push(attempts);
        }
    }
    let violations_before = result.tally.violations.len();
    reconcile::check(&lane, &case_requests, &mut result.tally)?;
    for message in result.tally.violations.iter_mut().skip(violations_before) {
        *message = format!("lane {number} ({profile}) {message}");
    }
    Ok(result)
}

/// Runs and kills workers on one case until one of them answers. The first one always gets a kill.
pub fn kill_until_answered(
    lane: &mut Lane,
    case_request: &CaseRequest,
    steps: usize,
    manners: &Range<u32>,
    result: &mut BatchResult,
) -> Result<String> {
    let requests_before = lane.atlas.request_count();
    let mut attempts = String::new();
    for attempt in 0..12 {
        let kill_plan =
            if attempt == 0 || lane.rng.f64() < 0.3 { random_kill(lane, steps, manners) } else { KillPlan::Never };
        attempts.push_str(&format!(" {kill_plan:?}"));
        let mut worker = Worker::shimmed(lane, &kill_plan, None)?;
        // A submit sent by an earlier worker must be in the store before this one does anything.
        worker.send("case.get", &json!({"key": case_request.key}), &Value::Null);
        let submitted = submits_left(lane, case_request, requests_before);
        worker.send("case.open", &case_request.request, &Value::Null);
        let output = worker.finish(&kill_plan)?;
        if output.killed {
            result.kills += 1;
            *result.by_manner.entry(kill_manner(&kill_plan)).or_default() += 1;
        }
        if let Some(message) = output.failure {
            result.tally.violations.push(format!(
                "{} {}: a worker failed: {message};{attempts}",
                case_request.kind.wire_name(),
                case_request.key
            ));
            return Ok(attempts);
        }
        if submitted && output.replies.first().is_some_and(|reply| crate::oracle::case(reply).is_none()) {
            result.tally.lost += 1;
            result.tally.violations.push(format!(
                "{} {}: a submit left and the case is lost;{attempts}",
                case_request.kind.wire_name(),
                case_request.key
            ));
        }
        if output.replies.len() > 1 {
            break;
        }
    }
    Ok(attempts)
}

fn submits_left(lane: &Lane, case_request: &CaseRequest, requests_before: usize) -> bool {
    let matching = |request: &Value| {
        let endpoint = text(request, "endpoint");
        flag(request, "bodyComplete")
            && case_request.kind.steps().iter().any(|(_, step)| *step == endpoint)
            && named(request) == case_request.owner
    };
    lane.atlas.requests_since(requests_before).iter().any(matching)
}

/// All manners of a kill, and those that leave the other processes of the store alive: after a loss of power there are none.
const WITH_POWER_LOSS: Range<u32> = 0..100;
pub const WITHOUT_POWER_LOSS: Range<u32> = 0..75;

/// A kill at a random step, after a random time, or at a step with loss of power.
fn random_kill(lane: &mut Lane, steps: usize, manners: &Range<u32>) -> KillPlan {
    let rng = &mut lane.rng;
    let step = rng.usize(1..steps + 4);
    match rng.u32(manners.clone()) {
        0..25 => KillPlan::Step(format!("{step}:before"), 0),
        25..40 => KillPlan::Step(format!("{step}:after"), 0),
        40..60 => KillPlan::Step(format!("{step}:torn"), 0),
        60..75 => KillPlan::After(rng.u64(0..40_000)),
        75..90 => KillPlan::Step(format!("{step}:power"), 0),
        _ => KillPlan::Step(format!("{step}:power"), rng.u64(1..)),
    }
}

fn kill_manner(kill_plan: &KillPlan) -> &'static str {
    match kill_plan {
        KillPlan::Step(step, _) if step.ends_with("power") => "by loss of power",
        KillPlan::Step(..) => "at a step",
        _ => "at any time",
    }
}
