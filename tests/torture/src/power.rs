//! E1, loss of power: what was reported to a caller stays true when the power fails during other work.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{Lane, Plan, Report, Res, text};
use crate::kinds::{CaseSpec, Kind, MONEY_BACK};
use crate::oracle::{Tally, case};
use crate::settle;
use crate::worker::{Worker, WorkerExit};

const CASES: usize = 8;
const ROUNDS: usize = 30;

/// `E1 loss of power`
pub fn run(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let wanted = plan.size(8, 150);
    let mut lane = plan.lane(14, usize::MAX, "refundQueryWithoutCode=list")?;
    lane.limited = true;
    let log = lane.home().join("power.trace");
    let mut undisturbed = Worker::shimmed(&lane, &WorkerExit::Normal, Some(&log))?;
    work(&mut undisturbed, &lane, &specs(&lane, 0)?);
    undisturbed.finish(&WorkerExit::Normal)?;
    let steps = std::fs::read_to_string(&log)?.lines().count();
    let results = plan.lanes(3, |number, _: &[(Tally, bool)]| number >= wanted, |number| one(plan, number, steps))?;
    let cut = results.iter().filter(|(_, cut)| *cut).count();
    let mut tally = Tally::default();
    results.into_iter().for_each(|(one, _)| tally.add(one));
    let figures = format!(
        "{cut} cuts amid the follow-up of {CASES} cases: what had been reported before stayed true, ledger entries per step at most {}; \
         violations {}, in {:.0} s",
        tally.most,
        tally.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(Report { figures, violations: tally.violations })
}

fn specs(lane: &Lane, number: usize) -> Res<Vec<CaseSpec>> {
    let mut dice = lane.dice.clone();
    let kind = |nth: usize| MONEY_BACK.get(nth % MONEY_BACK.len()).copied().unwrap_or(Kind::Void);
    (0..CASES).map(|nth| kind(nth).spec(&lane.atlas, &mut dice, format!("power-{number}-{nth}"))).collect()
}

/// Opens cases and follows them, until it is done or dead; what was reported last about each.
fn work(worker: &mut Worker, lane: &Lane, specs: &[CaseSpec]) -> BTreeMap<String, Value> {
    let mut reported = BTreeMap::new();
    let mut note = |reply: Value| {
        if let Some(case) = case(&reply) {
            reported.insert(text(case, "key").to_owned(), case.clone());
        }
    };
    for spec in specs {
        match worker.call("case.open", &spec.request) {
            Ok(reply) => note(reply),
            Err(_) => return reported,
        }
    }
    for _ in 0..ROUNDS {
        lane.atlas.advance("20m").ok();
        for spec in specs {
            match worker.call("case.reconcile", &json!({"key": spec.key})) {
                Ok(reply) => note(reply),
                Err(_) => return reported,
            }
        }
    }
    reported
}

fn one(plan: &Plan, number: usize, steps: usize) -> Res<(Tally, bool)> {
    let mut lane = plan.lane(14, number, "refundQueryWithoutCode=list")?;
    lane.limited = number.is_multiple_of(2);
    let specs = specs(&lane, number)?;
    let seed = if lane.dice.bool() { 0 } else { lane.dice.u64(1..) };
    let exit = WorkerExit::Step(format!("{}:power", lane.dice.usize(1..steps + 1)), seed);
    let mut worker = Worker::shimmed(&lane, &exit, None)?;
    let reported = work(&mut worker, &lane, &specs);
    let cut = worker.finish(&exit)?.killed;
    let mut tally = Tally::default();
    let mut next = Worker::start(&lane.config())?;
    for (key, before) in &reported {
        let reply = next.call("case.get", &json!({"key": key}))?;
        let after = case(&reply).cloned().unwrap_or_default();
        // Settled is settled; where it is on its way may be a little behind.
        let same = |name: &str| text(before, name) == text(&after, name);
        let settled = matches!(text(before, "outcome"), "executed" | "not_executed");
        if !same("id") || (settled && !(same("outcome") && same("code"))) {
            tally.violations.push(format!("{exit:?} {key}: reported\n    {before}\n    and then\n    {reply}"));
        }
    }
    for spec in &specs {
        next.call("case.open", &spec.request)?;
    }
    drop(next);
    settle::check(&lane, &specs, &mut tally)?;
    for words in &mut tally.violations {
        words.insert_str(0, &format!("lane {number} {exit:?} "));
    }
    Ok((tally, cut))
}
