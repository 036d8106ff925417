//! E10: the vendor repeatedly answers 429 and 905 to several processes that share a store.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::case_kinds::{CaseRequest, Kind, MONEY_BACK, put};
use crate::harness::{Lane, Plan, Report, Result, text};
use crate::oracle::LedgerSnapshot;
use crate::worker::Worker;

const PROCESSES: usize = 4;
const RATE: f64 = 60.0;
const BURST: u32 = 10;
/// Requests may be delayed on a busy machine, and arrive closer together, by up to this time in seconds.
const JITTER: f64 = 0.06;

/// `E10 rate limits`
pub fn run(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    let length = Duration::from_secs(plan.size(6, 120) as u64);
    let mut lane = plan.lane(10, 0, "clock=real")?;
    let mut config = lane.config();
    put(&mut config, "rateLimit", json!({"perSecond": RATE, "burst": BURST}));
    let mut workers = (0..PROCESSES).map(|_| Worker::start(&config)).collect::<Result<Vec<_>>>()?;
    let mut report = Report::default();
    let (mut outcomes, mut case_requests, mut before_limits) = (BTreeMap::<String, usize>::new(), Vec::new(), None);
    while started.elapsed() < length {
        // The first half without rate-limit replies, the second half with them.
        if before_limits.is_none() && started.elapsed() > length / 2 {
            before_limits = Some(lane.atlas.request_count());
            // Most have no retryAfter; some have one of a second, which all processes must observe.
            lane.atlas.fault(json!([
                {"endpoint": "*", "mode": "rate_limit", "probability": 0.01},
                {"endpoint": "*", "mode": "rate_limit", "probability": 0.05, "delayMs": 0},
            ]))?;
        }
        let round = case_requests.len();
        let limited = before_limits.is_some();
        let opened = (0..PROCESSES)
            .map(|nth| case_request(&mut lane, round + nth, limited))
            .collect::<Result<Vec<CaseRequest>>>()?;
        for (worker, case_request) in workers.iter_mut().zip(&opened) {
            worker.send("case.open", &case_request.request, &Value::Null);
        }
        for worker in &mut workers {
            let reply = worker.receive()?;
            let code = reply.pointer("/error/code").and_then(Value::as_str).unwrap_or("ok");
            *outcomes.entry(format!("{code}/{}", text(&reply, "outcome"))).or_default() += 1;
        }
        case_requests.extend(opened);
    }
    let requests = lane.atlas.requests();
    let (before, after) = requests.split_at(before_limits.unwrap_or(0).min(requests.len()));
    let excess = excess(&requests);
    if excess > 1.0 + RATE * JITTER {
        report.violations.push(format!("some window holds {excess:.1} requests more than rate·w + burst"));
    }
    let ledger = LedgerSnapshot::of(&lane.atlas);
    for case_request in &case_requests {
        for (_, endpoint) in case_request.kind.steps() {
            let counts = ledger.counts(&case_request.owner, endpoint);
            if counts.complete + counts.truncated > 1 {
                report.violations.push(format!("{} was sent again: {counts:?}", case_request.key));
            }
        }
    }
    let rejected = requests.iter().filter(|request| text(request, "fault") == "rate_limit").count();
    let outcome_counts: Vec<String> = outcomes.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect();
    report.figures = format!(
        "{} cases by {PROCESSES} processes, {} requests: {:.0}/s of {RATE} before, \
         {:.0}/s with {rejected} answers 429; at most \
         {excess:.1} over rate·w + burst, no submit sent twice; {}; violations {}, in {:.0} s",
        case_requests.len(),
        requests.len(),
        rate(before),
        rate(after),
        outcome_counts.join(", "),
        report.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(report)
}

/// A case. With rate limits, the vendor refuses the submit of every fifth one with 905.
fn case_request(lane: &mut Lane, nth: usize, limited: bool) -> Result<CaseRequest> {
    let kind = MONEY_BACK.get(nth % MONEY_BACK.len()).copied().unwrap_or(Kind::Void);
    let case_request = kind.case_request(&lane.atlas, &mut lane.rng, format!("storm-{nth}"))?;
    if limited && nth.is_multiple_of(5) {
        let path = format!("/_sim/orders/{}", case_request.owner);
        lane.atlas.control("POST", &path, json!({"codes": {"void": 905, "refund": 905}}))?;
    }
    Ok(case_request)
}

/// The maximum, over all windows of length `w`, of requests above `rate·w + burst`.
fn excess(requests: &[Value]) -> f64 {
    // A leaky bucket finds the maximum over all windows in one pass.
    let (mut level, mut before, mut worst) = (0.0f64, f64::MAX, 0.0f64);
    for at in times(requests) {
        level = (level - RATE * (at - before).max(0.0)).max(0.0) + 1.0;
        before = at;
        worst = worst.max(level - f64::from(BURST));
    }
    worst
}

/// Requests per second.
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
