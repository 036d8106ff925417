//! E10: the vendor says "too many" again and again, to several processes that share a store.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::kinds::{Kind, MONEY_BACK, Wish, put};
use crate::oracle::Truth;
use crate::rig::{Lane, Plan, Report, Res, text};
use crate::worker::Worker;

const PROCESSES: usize = 3;
const RATE: f64 = 60.0;
const BURST: f64 = 10.0;
/// Requests may bunch on their way by so many seconds on a busy machine.
const JITTER: f64 = 0.06;

/// `E10 storms`
pub fn run(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let length = Duration::from_secs(plan.size(8, 120) as u64);
    let mut lane = plan.lane(10, 0, "clock=real")?;
    let mut config = lane.config();
    put(&mut config, "rateLimit", json!({"perSecond": RATE, "burst": BURST as u64}));
    lane.atlas.fault(json!({"endpoint": "*", "mode": "rate_limit", "probability": 0.2}))?;
    let mut workers = (0..PROCESSES).map(|_| Worker::start(&config)).collect::<Res<Vec<_>>>()?;
    let mut report = Report::default();
    let (mut outcomes, mut wishes) = (BTreeMap::<String, usize>::new(), Vec::new());
    while started.elapsed() < length {
        let round = wishes.len();
        let asked = (0..PROCESSES).map(|nth| wish(&mut lane, round + nth)).collect::<Res<Vec<Wish>>>()?;
        for (worker, wish) in workers.iter_mut().zip(&asked) {
            worker.ask("case.open", &wish.request, &Value::Null);
        }
        for worker in &mut workers {
            let reply = worker.answer()?;
            let code = reply.pointer("/error/code").and_then(Value::as_str).unwrap_or("ok");
            *outcomes.entry(format!("{code}/{}", text(&reply, "outcome"))).or_default() += 1;
        }
        wishes.extend(asked);
    }
    let requests = lane.atlas.requests();
    let (excess, rate) = excess(&requests);
    if excess > 1.0 + RATE * JITTER {
        report.violations.push(format!("some window holds {excess:.1} requests more than rate·w + burst"));
    }
    let truth = Truth::of(&lane.atlas);
    for wish in &wishes {
        for (_, endpoint) in wish.kind.steps() {
            let deed = truth.deed(&wish.owner, endpoint);
            if deed.whole + deed.broken > 1 {
                report.violations.push(format!("{} was sent again: {deed:?}", wish.key));
            }
        }
    }
    let struck = requests.iter().filter(|request| text(request, "fault") == "rate_limit").count();
    let told: Vec<String> = outcomes.iter().map(|(word, count)| format!("{word} {count}")).collect();
    report.figures = format!(
        "{} cases by {PROCESSES} processes, {} requests, {struck} answered 429: {rate:.1} requests/s of {RATE}, at most \
         {excess:.1} over rate·w + burst, no submit sent twice; {}; violations {}, in {:.0} s",
        wishes.len(),
        requests.len(),
        told.join(", "),
        report.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(report)
}

/// A case; of every fifth the vendor refuses the submit with 905.
fn wish(lane: &mut Lane, nth: usize) -> Res<Wish> {
    let kind = MONEY_BACK.get(nth % MONEY_BACK.len()).copied().unwrap_or(Kind::Void);
    let wish = kind.wish(&lane.atlas, &mut lane.dice, format!("storm-{nth}"))?;
    if nth.is_multiple_of(5) {
        let path = format!("/_sim/orders/{}", wish.owner);
        lane.atlas.control("POST", &path, json!({"codes": {"void": 905, "refund": 905}}))?;
    }
    Ok(wish)
}

/// The most requests above `rate·w + burst` in any window, and the rate of the whole.
fn excess(requests: &[Value]) -> (f64, f64) {
    let times: Vec<f64> = requests.iter().filter_map(|request| seconds(text(request, "at"))).collect();
    let span = times.last().zip(times.first()).map_or(1.0, |(last, first)| last - first);
    // Of all windows that end at a request, the fullest is found by one sweep: a bucket that drains.
    let (mut level, mut before, mut worst) = (0.0f64, f64::MAX, 0.0f64);
    for at in &times {
        level = (level - RATE * (at - before).max(0.0)).max(0.0) + 1.0;
        before = *at;
        worst = worst.max(level - BURST);
    }
    (worst, times.len() as f64 / span.max(1e-3))
}

/// Seconds of the day in `2026-03-02T08:00:00.250Z`.
pub fn seconds(at: &str) -> Option<f64> {
    let clock = at.split_once('T')?.1.trim_end_matches('Z');
    let mut parts = clock.split(':').map(str::parse::<f64>);
    Some(parts.next()?.ok()? * 3600.0 + parts.next()?.ok()? * 60.0 + parts.next()?.ok()?)
}
