//! E2: the reply to a submit is lost in every way there is. E2b: the submit is executed late.

use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{Lane, Plan, Report, Res, flag, text};
use crate::kinds::{CaseSpec, Kind, MONEY_BACK, put};
use crate::oracle::{LedgerView, Tally, case};
use crate::settle;
use crate::worker::Worker;

const BATCH: usize = 100;
const PROFILES: [&str; 4] = ["default", "strict", "strict,refundQueryEmpty=list", "quoteAfterRefund=0,quirks=drift"];

/// `E2 lost replies`
pub fn run(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let lanes = plan.size(400, 10_000).div_ceil(BATCH);
    let tallies = plan.lanes(3, |number, _: &[Tally]| number >= lanes, |number| batch(plan, number))?;
    let mut tally = Tally::default();
    tallies.into_iter().for_each(|one| tally.add(one));
    let figures = format!(
        "{} of {} modes: {}, {}; violations {}, in {:.0} s",
        tally.cases,
        MODES,
        tally.promise(),
        tally.reported(),
        tally.violations.len(),
        started.elapsed().as_secs_f64(),
    );
    Ok(Report { figures, violations: tally.violations })
}

/// What the experiment finds wrong with the control.
pub fn control(plan: &Plan) -> Res<Vec<String>> {
    Ok(batch(&plan.control(), 0)?.violations)
}

fn batch(plan: &Plan, number: usize) -> Res<Tally> {
    let profile = PROFILES.get(number % PROFILES.len()).unwrap_or(&"default");
    let mut lane = plan.lane(2, number, &format!("{profile},clock=real"))?;
    let mut worker = Worker::start(&lane.config())?;
    let (mut tally, mut specs, mut modes) = (Tally::default(), Vec::new(), Vec::new());
    for nth in 0..if plan.baseline { 45 } else { BATCH } {
        let kind = plan.kinds().get(nth % plan.kinds().len()).copied().unwrap_or(Kind::Void);
        let spec = kind.spec(&lane.atlas, &mut lane.dice, format!("lost-{number}-{nth}"))?;
        let endpoint = lane.dice.choice(kind.steps()).map_or("void", |(_, endpoint)| endpoint);
        let fault = fault(&mut lane, endpoint);
        lane.atlas.fault(fault.clone())?;
        worker.ask("case.open", &spec.request, &json!({"timeoutMs": 500}));
        worker.answer()?;
        lane.atlas.clear_faults()?;
        modes.push((spec.key.clone(), fault));
        specs.push(spec);
    }
    settle::check(&lane, &specs, &mut tally)?;
    for words in &mut tally.violations {
        let fault =
            modes.iter().find(|(key, _)| words.contains(&format!(" {key}:"))).map(|(_, fault)| fault.to_string());
        *words = format!("lane {number} ({profile}) {words}\n    after {}", fault.unwrap_or_default());
    }
    Ok(tally)
}

const MODES: u32 = 16;

/// One of the ways to lose an answer.
fn fault(lane: &mut Lane, endpoint: &str) -> Value {
    let dice = &mut lane.dice;
    let mut fault = match dice.u32(0..MODES) {
        0 => json!({"mode": "drop_before"}),
        1 => json!({"mode": "drop_after"}),
        2 => json!({"mode": "cut", "afterBytes": 0}),
        3 => json!({"mode": "cut", "afterBytes": 1}),
        4 => json!({"mode": "cut"}),
        // More than there is means all; a reply is longer than its head.
        5 => json!({"mode": "cut", "afterBytes": dice.u32(2..900)}),
        // As long as the call may take, and then some.
        6 => json!({"mode": "delay", "delayMs": 700}),
        7 => json!({"mode": "garbage", "variant": "text"}),
        8 => json!({"mode": "garbage", "variant": dice.choice(["json", "array", "nostatus", "empty"])}),
        9 => json!({"mode": "garbage", "variant": "gzip"}),
        10 => json!({"mode": "garbage", "variant": "json", "execute": false}),
        11 => json!({"mode": "http", "status": dice.choice([500, 502, 503, 504, 408, 302])}),
        12 => json!({"mode": "http", "status": 503, "execute": true}),
        13 => json!({"mode": "reply", "body": {"status": dice.choice([9999, 2, -1])}}),
        14 => json!({"mode": "reply", "body": {"status": 9999}, "execute": false}),
        _ => json!({"mode": "trickle", "delayMs": 1}),
    };
    put(&mut fault, "endpoint", endpoint.into());
    fault
}

/// `E2b late`
pub fn late(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let wanted = plan.size(30, 400);
    let lanes =
        plan.lanes(3, |number, _: &[Vec<String>]| number >= wanted.div_ceil(30), |number| late_batch(plan, number))?;
    let violations: Vec<String> = lanes.into_iter().flatten().collect();
    let figures = format!(
        "{wanted}: no absence before the settle time, each reopened when it landed, no second submit; \
         violations {}, in {:.0} s",
        violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(Report { figures, violations })
}

fn late_batch(plan: &Plan, number: usize) -> Res<Vec<String>> {
    // Absence can be proved where the vendor lists what it has.
    let mut lane = plan.lane(21, number, "refundQueryWithoutCode=list")?;
    let mut worker = Worker::start(&lane.config())?;
    let mut faults = Vec::new();
    for nth in 0..30 {
        let kind = MONEY_BACK.get(nth % MONEY_BACK.len()).copied().unwrap_or(Kind::Void);
        let spec = kind.spec(&lane.atlas, &mut lane.dice, format!("late-{number}-{nth}"))?;
        for words in land(&mut lane, &mut worker, &spec)? {
            faults.push(format!("lane {number} {} {}: {words}", kind.word(), spec.key));
        }
    }
    Ok(faults)
}

/// One submit that lands an hour of virtual time after it was sent.
fn land(lane: &mut Lane, worker: &mut Worker, spec: &CaseSpec) -> Res<Vec<String>> {
    let mut faults = Vec::new();
    let endpoint = spec.kind.steps().first().map_or("", |(_, endpoint)| endpoint);
    let key = json!({"key": spec.key});
    lane.atlas.fault(json!({"endpoint": endpoint, "mode": "late", "delayMs": 600_000, "virtual": true}))?;
    worker.ask("case.open", &spec.request, &json!({"timeoutMs": 150}));
    let outcome = |reply: &Value| case(reply).map_or("no case", |case| text(case, "outcome")).to_owned();
    let first = worker.answer()?;
    lane.atlas.clear_faults()?;
    // The virtual clock stands still: nothing is proved, however often one asks.
    for _ in 0..3 {
        let early = outcome(&worker.call("case.reconcile", &key)?);
        if early != "unknown" && early != "pending" {
            faults.push(format!("{early} before the settle time\n    {first}"));
        }
    }
    let mut absent = false;
    for _ in 0..6 {
        lane.atlas.advance(1)?;
        absent |= outcome(&worker.call("case.reconcile", &key)?) == "not_executed";
    }
    if !absent {
        let now = worker.call("case.get", &key)?;
        faults.push(format!("absence was never stated after the settle time\n    {now}"));
    }
    // In the meantime another case on the order is a conflict, unless it names the first.
    let mut other = json!({"kind": "refund", "orderNo": spec.owner, "key": format!("{}-other", spec.key)});
    let conflict = |reply: &Value| reply.pointer("/error/status").and_then(Value::as_i64) == Some(-61);
    let second = worker.call("case.open", &other)?;
    if !conflict(&second) {
        faults.push(format!("a second case was not a conflict\n    {second}"));
    }
    let replaced = lane.dice.bool();
    if replaced {
        let first = worker.call("case.get", &key)?;
        put(&mut other, "after", case(&first).map_or("", |case| text(case, "id")).into());
        let third = worker.call("case.open", &other)?;
        if outcome(&third) != "executed" {
            faults.push(format!("a case that names the first was not carried out\n    {third}"));
        }
    }
    lane.atlas.advance("15m")?;
    let landed = worker.call("case.follow", &json!({"all": true, "until": "step"}))?;
    worker.call("case.reconcile", &key)?;
    let after = worker.call("case.get", &key)?;
    let seen = case(&after).cloned().unwrap_or_default();
    // The vendor lets one effect stand: of two submits the second is refused, and then the first never was.
    let back = text(&seen, "outcome") == "executed" && (flag(&seen, "reopened") || !absent);
    if back == replaced {
        faults.push(format!("replaced {replaced}, and at the end\n    {after}\n    {landed}"));
    }
    let ledger = LedgerView::of(&lane.atlas);
    let (first, second) = (ledger.effect(&spec.owner, endpoint), ledger.effect(&spec.owner, "refund"));
    let (sent, executed) = match endpoint {
        "refund" => (first.whole, first.executed),
        _ => (first.whole + second.whole, first.executed + second.executed),
    };
    if sent != 1 + usize::from(replaced) || executed != 1 {
        faults.push(format!("replaced {replaced}, and there were {sent} submits, {executed} executed"));
    }
    Ok(faults)
}
