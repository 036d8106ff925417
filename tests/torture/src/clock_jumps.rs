//! E13: the client's clock jumps by two hours or a day, forwards or backwards, at any reading during a case.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};

use crate::case_kinds::{CaseRequest, Kind, put};
use crate::follow_up::unix_seconds;
use crate::harness::{Lane, Plan, Report, Result, list, lock, text};
use crate::oracle::{LedgerSnapshot, case};
use crate::server::Server;
use crate::worker::Worker;

const DAY: i64 = 86_400;
/// The default of `offerMaxAgeMs.void`, in seconds.
const OFFER_AGE: f64 = 60.0;

/// How long the void window of an order stays open, in seconds.
const WINDOW: f64 = 3_600.0;

/// A clock that is correct until one reading and off by `jump` seconds from then on.
#[derive(Default)]
struct Clock {
    readings: AtomicUsize,
    jump_at: AtomicUsize,
    jump: Mutex<i64>,
    /// For each reading: the number of vendor requests so far, and the time that was returned.
    answered: Mutex<Vec<(usize, f64)>>,
}

/// `E13 clock jumps`
pub fn run(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    let lane = Arc::new(Mutex::new(plan.lane(13, 0, "refundQueryWithoutCode=list")?));
    let clock = Arc::new(Clock::default());
    let server = {
        let (lane, clock) = (lane.clone(), clock.clone());
        Server::answering(move |_| read_clock(&lock(&lane), &clock).to_string())?
    };
    let mut config = lock(&lane).config();
    put(&mut config, "clock", json!({"url": server.url()}));
    let mut report = Report::default();
    let (mut cases, mut submitted, mut absent) = (0, 0, 0);
    let jump_positions = plan.size(12, 40);
    for jump in [-DAY, DAY, -7_200, 7_200] {
        for at in 0..jump_positions {
            for lost in [false, true] {
                cases += 1;
                let setting =
                    format!("jump of {jump} s at reading {at}, submit {}", if lost { "lost" } else { "not lost" });
                let key = format!("clock-{cases}");
                let case_request = {
                    let mut lane = lock(&lane);
                    let mut rng = lane.rng.fork();
                    let case_request = Kind::Void.case_request(&lane.atlas, &mut rng, key)?;
                    lane.atlas.control(
                        "POST",
                        &format!("/_sim/orders/{}", case_request.owner),
                        json!({"sameDayDeadline": singapore(&lane)?}),
                    )?;
                    lane.rng = rng;
                    case_request
                };
                clock.readings.store(0, Ordering::SeqCst);
                clock.jump_at.store(at, Ordering::SeqCst);
                *lock(&clock.jump) = jump;
                lock(&clock.answered).clear();
                let mut worker = Worker::start(&config)?;
                let (violations, sent, none) = open_and_check(&lane, &clock, &mut worker, &case_request, lost)?;
                submitted += usize::from(sent);
                absent += usize::from(none);
                report.violations.extend(violations.into_iter().map(|message| format!("{setting}: {message}")));
            }
        }
    }
    report.figures = format!(
        "{cases} voids: {submitted} submitted, none by a clock past the deadline; \
         {absent} absences, each after two empty replies; \
         violations {}, in {:.0} s",
        report.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(report)
}

fn read_clock(lane: &Lane, clock: &Clock) -> Value {
    let nth = clock.readings.fetch_add(1, Ordering::SeqCst);
    let real = lane.atlas.now().ok().and_then(|now| unix_seconds(text(&now, "now"))).unwrap_or(0.0);
    let jump = if nth >= clock.jump_at.load(Ordering::SeqCst) { *lock(&clock.jump) } else { 0 };
    let returned = real + jump as f64;
    lock(&clock.answered).push((lane.atlas.request_count(), returned));
    json!({"now": stamp(returned)})
}

/// The end of the void window in the vendor's format: Singapore time, whole seconds.
fn singapore(lane: &Lane) -> Result<String> {
    let end =
        unix_seconds(text(&lane.atlas.now()?, "now")).ok_or("the simulator has no time")? + WINDOW + 8.0 * 3_600.0;
    Ok(stamp(end).replace('T', " ").chars().take(19).collect())
}

/// `2026-03-02T08:00:00.250Z`
fn stamp(seconds: f64) -> String {
    let when = time::OffsetDateTime::from_unix_timestamp(seconds as i64).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    let (date, at) = (when.date(), when.time());
    let millis = ((seconds - seconds.floor()) * 1e3) as u32;
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{millis:03}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// Opens a void and reconciles it. The result: violations, whether it was sent, whether it was stated to be absent.
fn open_and_check(
    lane: &Mutex<Lane>,
    clock: &Clock,
    worker: &mut Worker,
    case_request: &CaseRequest,
    lost: bool,
) -> Result<(Vec<String>, bool, bool)> {
    let mut violations = Vec::new();
    let before = lock(lane).atlas.request_count();
    let end = unix_seconds(text(&lock(lane).atlas.now()?, "now")).unwrap_or(0.0) + WINDOW;
    if lost {
        lock(lane).atlas.fault(json!({"endpoint": "void", "mode": "drop_before"}))?;
    }
    let mut reply = worker.call("case.open", &case_request.request)?;
    for _ in 0..5 {
        lock(lane).atlas.advance(1)?;
        reply = worker.call("case.reconcile", &json!({"key": case_request.key}))?;
    }
    let lane = lock(lane);
    lane.atlas.clear_faults()?;
    let requests = lane.atlas.requests_since(before);
    let sent = requests.iter().position(|request| text(request, "endpoint") == "void");
    if let Some(at) = sent {
        // The library knows the window from a quotation that is recent by the client's clock.
        let returned = |at: usize| {
            lock(&clock.answered).iter().rev().find(|(seen, _)| *seen <= before + at).map(|(_, returned)| *returned)
        };
        if returned(at).is_some_and(|returned| returned >= end) {
            violations.push(format!("sent although the window was over by the client's clock\n    {reply}"));
        }
        let quoted =
            requests.iter().position(|request| text(request, "endpoint") == "voidQuotation").and_then(returned);
        if let (Some(quoted), Some(left)) = (quoted, returned(at))
            && left - quoted > OFFER_AGE
        {
            violations.push(format!("sent although the quotation was too old by the client's clock\n    {reply}"));
        }
    }
    let outcome = case(&reply).map_or("no case", |case| text(case, "outcome")).to_owned();
    let empty = |request: &&Value| text(request, "endpoint") == "queryVoidOrders";
    let query_count = requests.get(sent.unwrap_or(0)..).unwrap_or_default().iter().filter(empty).count();
    let absent = outcome == "not_executed" && sent.is_some();
    if absent && query_count < 2 {
        violations.push(format!("absence after {query_count} empty replies\n    {reply}"));
    }
    let counts = LedgerSnapshot::of(&lane.atlas).counts(&case_request.owner, "void");
    if counts.complete + counts.truncated > 1
        || (outcome == "not_executed") == (counts.executed > 0) && outcome != "unknown" && outcome != "pending"
    {
        violations.push(format!("{outcome}, and the ledger has {counts:?}\n    {reply}"));
    }
    let steps = case(&reply).map_or(0, |case| list(case, "steps").len());
    if steps > 1 {
        violations.push(format!("{steps} steps"));
    }
    Ok((violations, sent.is_some(), absent))
}
