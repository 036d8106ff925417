//! E10: the vendor keeps answering "too many requests" to several processes that share a store.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::{Lane, Plan, Report, Res, text};
use crate::kinds::{CaseSpec, Kind, MONEY_BACK, put};
use crate::oracle::LedgerView;
use crate::worker::Worker;

const PROCESSES: usize = 4;
const RATE: f64 = 60.0;
const BURST: u32 = 10;
/// Requests may bunch on their way by so many seconds on a busy machine.
const JITTER: f64 = 0.06;

/// `E10 storms`
pub fn run(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let length = Duration::from_secs(plan.size(6, 120) as u64);
    let mut lane = plan.lane(10, 0, "clock=real")?;
    let mut config = lane.config();
    put(&mut config, "rateLimit", json!({"perSecond": RATE, "burst": BURST}));
    let mut workers = (0..PROCESSES).map(|_| Worker::start(&config)).collect::<Res<Vec<_>>>()?;
    let mut report = Report::default();
    let (mut outcomes, mut specs, mut calm) = (BTreeMap::<String, usize>::new(), Vec::new(), None);
    while started.elapsed() < length {
        // First as fast as the budget allows, then the storm.
        if calm.is_none() && started.elapsed() > length / 2 {
            calm = Some(lane.atlas.request_count());
            // Most are over at once; now and then one asks for a second's rest, which everyone takes.
            lane.atlas.fault(json!([
                {"endpoint": "*", "mode": "rate_limit", "probability": 0.01},
                {"endpoint": "*", "mode": "rate_limit", "probability": 0.05, "delayMs": 0},
            ]))?;
        }
        let round = specs.len();
        let stormy = calm.is_some();
        let asked = (0..PROCESSES).map(|nth| spec(&mut lane, round + nth, stormy)).collect::<Res<Vec<CaseSpec>>>()?;
        for (worker, spec) in workers.iter_mut().zip(&asked) {
            worker.ask("case.open", &spec.request, &Value::Null);
        }
        for worker in &mut workers {
            let reply = worker.answer()?;
            let code = reply.pointer("/error/code").and_then(Value::as_str).unwrap_or("ok");
            *outcomes.entry(format!("{code}/{}", text(&reply, "outcome"))).or_default() += 1;
        }
        specs.extend(asked);
    }
    let requests = lane.atlas.requests();
    let (before, after) = requests.split_at(calm.unwrap_or(0).min(requests.len()));
    let excess = excess(&requests);
    if excess > 1.0 + RATE * JITTER {
        report.violations.push(format!("some window holds {excess:.1} requests more than rate·w + burst"));
    }
    let ledger = LedgerView::of(&lane.atlas);
    for spec in &specs {
        for (_, endpoint) in spec.kind.steps() {
            let effect = ledger.effect(&spec.owner, endpoint);
            if effect.whole + effect.broken > 1 {
                report.violations.push(format!("{} was sent again: {effect:?}", spec.key));
            }
        }
    }
    let struck = requests.iter().filter(|request| text(request, "fault") == "rate_limit").count();
    let reported: Vec<String> = outcomes.iter().map(|(word, count)| format!("{word} {count}")).collect();
    report.figures = format!(
        "{} cases by {PROCESSES} processes, {} requests: {:.0}/s of {RATE} before, {:.0}/s with {struck} answers 429; at most \
         {excess:.1} over rate·w + burst, no submit sent twice; {}; violations {}, in {:.0} s",
        specs.len(),
        requests.len(),
        rate(before),
        rate(after),
        reported.join(", "),
        report.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(report)
}

/// A case; of every fifth the vendor refuses the submit with 905.
fn spec(lane: &mut Lane, nth: usize, stormy: bool) -> Res<CaseSpec> {
    let kind = MONEY_BACK.get(nth % MONEY_BACK.len()).copied().unwrap_or(Kind::Void);
    let spec = kind.spec(&lane.atlas, &mut lane.dice, format!("storm-{nth}"))?;
    if stormy && nth.is_multiple_of(5) {
        let path = format!("/_sim/orders/{}", spec.owner);
        lane.atlas.control("POST", &path, json!({"codes": {"void": 905, "refund": 905}}))?;
    }
    Ok(spec)
}

/// The most requests above `rate·w + burst` in any window.
fn excess(requests: &[Value]) -> f64 {
    // Of all windows that end at a request, the fullest is found by one sweep: a bucket that drains.
    let (mut level, mut before, mut worst) = (0.0f64, f64::MAX, 0.0f64);
    for at in times(requests) {
        level = (level - RATE * (at - before).max(0.0)).max(0.0) + 1.0;
        before = at;
        worst = worst.max(level - f64::from(BURST));
    }
    worst
}

/// Requests a second.
fn rate(requests: &[Value]) -> f64 {
    let times = times(requests);
    let span = times.last().zip(times.first()).map_or(1.0, |(last, first)| last - first);
    times.len() as f64 / span.max(1e-3)
}

fn times(requests: &[Value]) -> Vec<f64> {
    requests.iter().filter_map(|request| seconds(text(request, "at"))).collect()
}

/// Seconds of the day in `2026-03-02T08:00:00.250Z`.
pub fn seconds(at: &str) -> Option<f64> {
    let clock = at.split_once('T')?.1.trim_end_matches('Z');
    let mut parts = clock.split(':').map(str::parse::<f64>);
    Some(parts.next()?.ok()? * 3600.0 + parts.next()?.ok()? * 60.0 + parts.next()?.ok()?)
}
