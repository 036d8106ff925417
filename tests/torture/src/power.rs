//! E1, loss of power: what a caller was told stays true when the power fails in the midst of much other work.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::{Value, json};

use crate::kinds::{Kind, MONEY_BACK, Wish};
use crate::oracle::{Tally, case};
use crate::rig::{Lane, Plan, Report, Res, text};
use crate::settle;
use crate::worker::{Fate, Worker};

const CASES: usize = 8;
const ROUNDS: usize = 30;

/// `E1 loss of power`
pub fn run(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let wanted = plan.size(8, 150);
    let mut lane = plan.lane(14, usize::MAX, "refundQueryWithoutCode=list")?;
    lane.limited = true;
    let log = lane.home().join("power.trace");
    let mut undisturbed = Worker::shimmed(&lane, &Fate::Live, Some(&log))?;
    work(&mut undisturbed, &lane, &wishes(&lane, 0)?);
    undisturbed.finish(&Fate::Live)?;
    let steps = std::fs::read_to_string(&log)?.lines().count();
    let results = plan.lanes(3, |number, _: &[(Tally, bool)]| number >= wanted, |number| one(plan, number, steps))?;
    let cut = results.iter().filter(|(_, cut)| *cut).count();
    let mut tally = Tally::default();
    results.into_iter().for_each(|(one, _)| tally.add(one));
    let figures = format!(
        "{cut} cuts amid the follow-up of {CASES} cases: what had been told before stayed true, ledger entries per step at most {}; \
         violations {}, in {:.0} s",
        tally.most,
        tally.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(Report { figures, violations: tally.violations })
}

fn wishes(lane: &Lane, number: usize) -> Res<Vec<Wish>> {
    let mut dice = lane.dice.clone();
    let kind = |nth: usize| MONEY_BACK.get(nth % MONEY_BACK.len()).copied().unwrap_or(Kind::Void);
    (0..CASES).map(|nth| kind(nth).wish(&lane.atlas, &mut dice, format!("power-{number}-{nth}"))).collect()
}

/// Opens cases and follows them, until it is done or dead; what was told last about each.
fn work(worker: &mut Worker, lane: &Lane, wishes: &[Wish]) -> BTreeMap<String, Value> {
    let mut told = BTreeMap::new();
    let mut note = |reply: Value| {
        if let Some(case) = case(&reply) {
            told.insert(text(case, "key").to_owned(), case.clone());
        }
    };
    for wish in wishes {
        match worker.call("case.open", &wish.request) {
            Ok(reply) => note(reply),
            Err(_) => return told,
        }
    }
    for _ in 0..ROUNDS {
        lane.atlas.advance("20m").ok();
        for wish in wishes {
            match worker.call("case.reconcile", &json!({"key": wish.key})) {
                Ok(reply) => note(reply),
                Err(_) => return told,
            }
        }
    }
    told
}

fn one(plan: &Plan, number: usize, steps: usize) -> Res<(Tally, bool)> {
    let mut lane = plan.lane(14, number, "refundQueryWithoutCode=list")?;
    lane.limited = number.is_multiple_of(2);
    let wishes = wishes(&lane, number)?;
    let seed = if lane.dice.bool() { 0 } else { lane.dice.u64(1..) };
    let fate = Fate::Step(format!("{}:power", lane.dice.usize(1..steps + 1)), seed);
    let mut worker = Worker::shimmed(&lane, &fate, None)?;
    let told = work(&mut worker, &lane, &wishes);
    let cut = worker.finish(&fate)?.killed;
    let mut tally = Tally::default();
    let mut next = Worker::start(&lane.config())?;
    for (key, before) in &told {
        let reply = next.call("case.get", &json!({"key": key}))?;
        let after = case(&reply).cloned().unwrap_or_default();
        // Settled is settled; where it is on its way may be a little behind.
        let same = |name: &str| text(before, name) == text(&after, name);
        let settled = matches!(text(before, "outcome"), "executed" | "not_executed");
        if !same("id") || (settled && !(same("outcome") && same("code"))) {
            tally.violations.push(format!("{fate:?} {key}: told\n    {before}\n    and then\n    {reply}"));
        }
    }
    for wish in &wishes {
        next.call("case.open", &wish.request)?;
    }
    drop(next);
    settle::judge(&lane, &wishes, &mut tally)?;
    for words in &mut tally.violations {
        words.insert_str(0, &format!("lane {number} {fate:?} "));
    }
    Ok((tally, cut))
}
