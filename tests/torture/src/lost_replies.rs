//! E2: the reply to a submit is lost, by every fault mode. E2b: the submit is executed late.

use std::time::Instant;

use serde_json::{Value, json};

use crate::case_kinds::{CaseRequest, Kind, MONEY_BACK, put};
use crate::harness::{Lane, Plan, Report, Result, flag, text};
use crate::oracle::{LedgerSnapshot, Tally, case};
use crate::reconcile;
use crate::worker::Worker;

const BATCH: usize = 100;
const PROFILES: [&str; 4] = ["default", "strict", "strict,refundQueryEmpty=list", "quoteAfterRefund=0,quirks=drift"];

/// `E2 lost replies`
pub fn run(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    let lanes = plan.size(400, 10_000).div_ceil(BATCH);
    let tallies = plan.lanes(3, |number, _: &[Tally]| number >= lanes, |number| batch(plan, number))?;
    let mut tally = Tally::default();
    tallies.into_iter().for_each(|one| tally.add(one));
    let figures = format!(
        "{} of {} modes: {}, {}; violations {}, in {:.0} s",
        tally.cases,
        MODES,
        tally.invariants(),
        tally.outcome_figures(),
        tally.violations.len(),
        started.elapsed().as_secs_f64(),
    );
    Ok(Report { figures, violations: tally.violations })
}

/// The violations that the experiment finds in the baseline client.
pub fn control(plan: &Plan) -> Result<Vec<String>> {
    Ok(batch(&plan.control(), 0)?.violations)
}

fn batch(plan: &Plan, number: usize) -> Result<Tally> {
    let profile = PROFILES.get(number % PROFILES.len()).unwrap_or(&"default");
    let mut lane = plan.lane(2, number, &format!("{profile},clock=real"))?;
    let mut worker = Worker::start(&lane.config())?;
    let (mut tally, mut case_requests, mut modes) = (Tally::default(), Vec::new(), Vec::new());
    for nth in 0..if plan.baseline { 45 } else { BATCH } {
        let kind = plan.case_kinds().get(nth % plan.case_kinds().len()).copied().unwrap_or(Kind::Void);
        let case_request = kind.case_request(&lane.atlas, &mut lane.rng, format!("lost-{number}-{nth}"))?;
        let endpoint = lane.rng.choice(kind.steps()).map_or("void", |(_, endpoint)| endpoint);
        let fault = fault(&mut lane, endpoint);
        lane.atlas.fault(fault.clone())?;
        worker.send("case.open", &case_request.request, &json!({"timeoutMs": 500}));
        worker.receive()?;
        lane.atlas.clear_faults()?;
        modes.push((case_request.key.clone(), fault));
        case_requests.push(case_request);
    }
    reconcile::check(&lane, &case_requests, &mut tally)?;
    for message in &mut tally.violations {
        let fault =
            modes.iter().find(|(key, _)| message.contains(&format!(" {key}:"))).map(|(_, fault)| fault.to_string());
        *message = format!("lane {number} ({profile}) {message}\n    after {}", fault.unwrap_or_default());
    }
    Ok(tally)
}

const MODES: u32 = 16;

/// A random fault that loses the reply.
fn fault(lane: &mut Lane, endpoint: &str) -> Value {
    let rng = &mut lane.rng;
    let mut fault = match rng.u32(0..MODES) {
        0 => json!({"mode": "drop_before"}),
        1 => json!({"mode": "drop_after"}),
        2 => json!({"mode": "cut", "afterBytes": 0}),
        3 => json!({"mode": "cut", "afterBytes": 1}),
        4 => json!({"mode": "cut"}),
        // A length above the reply's sends all of it.
        5 => json!({"mode": "cut", "afterBytes": rng.u32(2..900)}),
        // Longer than the call's timeout of 500 ms.
        6 => json!({"mode": "delay", "delayMs": 700}),
        7 => json!({"mode": "garbage", "variant": "text"}),
        8 => json!({"mode": "garbage", "variant": rng.choice(["json", "array", "nostatus", "empty"])}),
        9 => json!({"mode": "garbage", "variant": "gzip"}),
        10 => json!({"mode": "garbage", "variant": "json", "execute": false}),
        11 => json!({"mode": "http", "status": rng.choice([500, 502, 503, 504, 408, 302])}),
        12 => json!({"mode": "http", "status": 503, "execute": true}),
        13 => json!({"mode": "reply", "body": {"status": rng.choice([9999, 2, -1])}}),
        14 => json!({"mode": "reply", "body": {"status": 9999}, "execute": false}),
        _ => json!({"mode": "trickle", "delayMs": 1}),
    };
    put(&mut fault, "endpoint", endpoint.into());
    fault
}

/// `E2b late submits`
pub fn late(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    let wanted = plan.size(30, 400);
    let lanes =
        plan.lanes(3, |number, _: &[Vec<String>]| number >= wanted.div_ceil(30), |number| late_batch(plan, number))?;
    let violations: Vec<String> = lanes.into_iter().flatten().collect();
    let figures = format!(
        "{wanted}: no absence before the settle time, each reopened when it was executed, no second submit; \
         violations {}, in {:.0} s",
        violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(Report { figures, violations })
}

fn late_batch(plan: &Plan, number: usize) -> Result<Vec<String>> {
    // With this switch the refund query without a code lists refunds, so that absence can be proved.
    let mut lane = plan.lane(21, number, "refundQueryWithoutCode=list")?;
    let mut worker = Worker::start(&lane.config())?;
    let mut violations = Vec::new();
    for nth in 0..30 {
        let kind = MONEY_BACK.get(nth % MONEY_BACK.len()).copied().unwrap_or(Kind::Void);
        let case_request = kind.case_request(&lane.atlas, &mut lane.rng, format!("late-{number}-{nth}"))?;
        for message in open_with_late_execution(&mut lane, &mut worker, &case_request)? {
            violations.push(format!("lane {number} {} {}: {message}", kind.wire_name(), case_request.key));
        }
    }
    Ok(violations)
}

/// A submit that is executed ten minutes of virtual time after it was sent.
fn open_with_late_execution(lane: &mut Lane, worker: &mut Worker, case_request: &CaseRequest) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    let endpoint = case_request.kind.steps().first().map_or("", |(_, endpoint)| endpoint);
    let key = json!({"key": case_request.key});
    lane.atlas.fault(json!({"endpoint": endpoint, "mode": "late", "delayMs": 600_000, "virtual": true}))?;
    worker.send("case.open", &case_request.request, &json!({"timeoutMs": 150}));
    let outcome = |reply: &Value| case(reply).map_or("no case", |case| text(case, "outcome")).to_owned();
    let first = worker.receive()?;
    lane.atlas.clear_faults()?;
    // The virtual clock does not move, so that queries before the settle time prove nothing.
    for _ in 0..3 {
        let early = outcome(&worker.call("case.reconcile", &key)?);
        if early != "unknown" && early != "pending" {
            violations.push(format!("{early} before the settle time\n    {first}"));
        }
    }
    let mut absent = false;
    for _ in 0..6 {
        lane.atlas.advance(1)?;
        absent |= outcome(&worker.call("case.reconcile", &key)?) == "not_executed";
    }
    if !absent {
        let now = worker.call("case.get", &key)?;
        violations.push(format!("absence was never stated after the settle time\n    {now}"));
    }
    // Another case on the order is a conflict, unless its `after` names the first case.
    let mut other =
        json!({"kind": "refund", "orderNo": case_request.owner, "key": format!("{}-other", case_request.key)});
    let conflict = |reply: &Value| reply.pointer("/error/status").and_then(Value::as_i64) == Some(-61);
    let second = worker.call("case.open", &other)?;
    if !conflict(&second) {
        violations.push(format!("a second case was not a conflict\n    {second}"));
    }
    let replaced = lane.rng.bool();
    if replaced {
        let first = worker.call("case.get", &key)?;
        put(&mut other, "after", case(&first).map_or("", |case| text(case, "id")).into());
        let third = worker.call("case.open", &other)?;
        if outcome(&third) != "executed" {
            violations.push(format!("a case that names the first was not executed\n    {third}"));
        }
    }
    lane.atlas.advance("15m")?;
    let followed = worker.call("case.follow", &json!({"all": true, "until": "step"}))?;
    worker.call("case.reconcile", &key)?;
    let after = worker.call("case.get", &key)?;
    let seen = case(&after).cloned().unwrap_or_default();
    // The vendor executes one of the two submits. If the second case was executed, the late first one is refused.
    let executed_in_the_end = text(&seen, "outcome") == "executed" && (flag(&seen, "reopened") || !absent);
    if executed_in_the_end == replaced {
        violations.push(format!("replaced {replaced}, and at the end\n    {after}\n    {followed}"));
    }
    let ledger = LedgerSnapshot::of(&lane.atlas);
    let (first, second) = (ledger.counts(&case_request.owner, endpoint), ledger.counts(&case_request.owner, "refund"));
    let (sent, executed) = match endpoint {
        "refund" => (first.complete, first.executed),
        _ => (first.complete + second.complete, first.executed + second.executed),
    };
    if sent != 1 + usize::from(replaced) || executed != 1 {
        violations.push(format!("replaced {replaced}, and there were {sent} submits, {executed} executed"));
    }
    Ok(violations)
}
