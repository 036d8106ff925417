//! E1, power loss: a case state that was reported to the caller is not lost when the power fails during other work.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};

use crate::case_kinds::{CaseRequest, Kind, MONEY_BACK};
use crate::harness::{Lane, Plan, Report, Result, text};
use crate::oracle::{Tally, case};
use crate::reconcile;
use crate::worker::{KillPlan, Worker};

const CASES: usize = 8;
const ROUNDS: usize = 30;

/// `E1 power loss`
pub fn run(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    let wanted = plan.size(8, 150);
    let mut lane = plan.lane(14, usize::MAX, "refundQueryWithoutCode=list")?;
    lane.limited = true;
    let log = lane.home().join("power.trace");
    let mut uninterrupted = Worker::shimmed(&lane, &KillPlan::Never, Some(&log))?;
    open_and_reconcile(&mut uninterrupted, &lane, &case_requests(&lane, 0)?);
    uninterrupted.finish(&KillPlan::Never)?;
    let steps = std::fs::read_to_string(&log)?.lines().count();
    let results =
        plan.lanes(3, |number, _: &[(Tally, bool)]| number >= wanted, |number| run_lane(plan, number, steps))?;
    let losses = results.iter().filter(|(_, power_was_lost)| *power_was_lost).count();
    let mut tally = Tally::default();
    results.into_iter().for_each(|(one, _)| tally.add(one));
    let figures = format!(
        "{losses} power losses during the follow-up of {CASES} cases: every reported outcome was retained, \
         ledger entries per step at most {}; \
         violations {}, in {:.0} s",
        tally.max_per_step,
        tally.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(Report { figures, violations: tally.violations })
}

fn case_requests(lane: &Lane, number: usize) -> Result<Vec<CaseRequest>> {
    let mut rng = lane.rng.clone();
    let kind = |nth: usize| MONEY_BACK.get(nth % MONEY_BACK.len()).copied().unwrap_or(Kind::Void);
    (0..CASES).map(|nth| kind(nth).case_request(&lane.atlas, &mut rng, format!("power-{number}-{nth}"))).collect()
}

/// Opens and reconciles cases until the end or until the worker is killed. The result is the last reported state of
/// each.
fn open_and_reconcile(worker: &mut Worker, lane: &Lane, case_requests: &[CaseRequest]) -> BTreeMap<String, Value> {
    let mut reported = BTreeMap::new();
    let mut record = |reply: Value| {
        if let Some(case) = case(&reply) {
            reported.insert(text(case, "key").to_owned(), case.clone());
        }
    };
    for case_request in case_requests {
        match worker.call("case.open", &case_request.request) {
            Ok(reply) => record(reply),
            Err(_) => return reported,
        }
    }
    for _ in 0..ROUNDS {
        lane.atlas.advance("20m").ok();
        for case_request in case_requests {
            match worker.call("case.reconcile", &json!({"key": case_request.key})) {
                Ok(reply) => record(reply),
                Err(_) => return reported,
            }
        }
    }
    reported
}

fn run_lane(plan: &Plan, number: usize, steps: usize) -> Result<(Tally, bool)> {
    let mut lane = plan.lane(14, number, "refundQueryWithoutCode=list")?;
    lane.limited = number.is_multiple_of(2);
    let case_requests = case_requests(&lane, number)?;
    let seed = if lane.rng.bool() { 0 } else { lane.rng.u64(1..) };
    let kill_plan = KillPlan::Step(format!("{}:power", lane.rng.usize(1..steps + 1)), seed);
    let mut worker = Worker::shimmed(&lane, &kill_plan, None)?;
    let reported = open_and_reconcile(&mut worker, &lane, &case_requests);
    let power_was_lost = worker.finish(&kill_plan)?.killed;
    let mut tally = Tally::default();
    let mut successor = Worker::start(&lane.config())?;
    for (key, before) in &reported {
        let reply = successor.call("case.get", &json!({"key": key}))?;
        let after = case(&reply).cloned().unwrap_or_default();
        // A known outcome must be retained; other fields may be older.
        let same = |name: &str| text(before, name) == text(&after, name);
        let was_known = matches!(text(before, "outcome"), "executed" | "not_executed");
        if !same("id") || (was_known && !(same("outcome") && same("code"))) {
            tally.violations.push(format!("{kill_plan:?} {key}: reported\n    {before}\n    and then\n    {reply}"));
        }
    }
    for case_request in &case_requests {
        successor.call("case.open", &case_request.request)?;
    }
    drop(successor);
    reconcile::check(&lane, &case_requests, &mut tally)?;
    for message in &mut tally.violations {
        message.insert_str(0, &format!("lane {number} {kill_plan:?} "));
    }
    Ok((tally, power_was_lost))
}
