//! E13: the clock jumps a day, forwards or backwards, at any moment of a case.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde_json::{Value, json};

use crate::days::moment;
use crate::harness::{Lane, Plan, Report, Res, list, lock, text};
use crate::kinds::{CaseSpec, Kind, put};
use crate::oracle::{LedgerView, case};
use crate::server::Server;
use crate::worker::Worker;

const DAY: i64 = 86_400;
/// offerMaxAgeMs.void, by default.
const OFFER_AGE: f64 = 60.0;

/// How long the void window of an order is open.
const WINDOW: f64 = 3_600.0;

/// A false clock: right until a reading, a day wrong from then on.
#[derive(Default)]
struct Clock {
    readings: AtomicUsize,
    jump_at: AtomicUsize,
    jump: Mutex<i64>,
    /// Requests at the vendor when a reading was answered, and the answer.
    reported: Mutex<Vec<(usize, f64)>>,
}

/// `E13 clock jumps`
pub fn run(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let lane = Arc::new(Mutex::new(plan.lane(13, 0, "refundQueryWithoutCode=list")?));
    let clock = Arc::new(Clock::default());
    let server = {
        let (lane, clock) = (lane.clone(), clock.clone());
        Server::answering(move |_| read(&lock(&lane), &clock).to_string())?
    };
    let mut config = lock(&lane).config();
    put(&mut config, "clock", json!({"url": server.url()}));
    let mut report = Report::default();
    let (mut cases, mut submitted, mut absent) = (0, 0, 0);
    let most = plan.size(12, 40);
    for jump in [-DAY, DAY, -7_200, 7_200] {
        for at in 0..most {
            for lost in [false, true] {
                cases += 1;
                let setting =
                    format!("jump of {jump} s at reading {at}, submit {}", if lost { "lost" } else { "not lost" });
                let key = format!("clock-{cases}");
                let spec = {
                    let mut lane = lock(&lane);
                    let mut dice = lane.dice.fork();
                    let spec = Kind::Void.spec(&lane.atlas, &mut dice, key)?;
                    lane.atlas.control(
                        "POST",
                        &format!("/_sim/orders/{}", spec.owner),
                        json!({"sameDayDeadline": singapore(&lane)?}),
                    )?;
                    lane.dice = dice;
                    spec
                };
                clock.readings.store(0, Ordering::SeqCst);
                clock.jump_at.store(at, Ordering::SeqCst);
                *lock(&clock.jump) = jump;
                lock(&clock.reported).clear();
                let mut worker = Worker::start(&config)?;
                let (faults, sent, none) = one(&lane, &clock, &mut worker, &spec, lost)?;
                submitted += usize::from(sent);
                absent += usize::from(none);
                report.violations.extend(faults.into_iter().map(|words| format!("{setting}: {words}")));
            }
        }
    }
    report.figures = format!(
        "{cases} voids: {submitted} submitted, none by a clock past the deadline; {absent} absences, each after two empty answers; \
         violations {}, in {:.0} s",
        report.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(report)
}

fn read(lane: &Lane, clock: &Clock) -> Value {
    let nth = clock.readings.fetch_add(1, Ordering::SeqCst);
    let real = lane.atlas.now().ok().and_then(|now| moment(text(&now, "now"))).unwrap_or(0.0);
    let jump = if nth >= clock.jump_at.load(Ordering::SeqCst) { *lock(&clock.jump) } else { 0 };
    let shown = real + jump as f64;
    lock(&clock.reported).push((lane.atlas.request_count(), shown));
    json!({"now": stamp(shown)})
}

/// The end of the window as the vendor says it: its own time, whole seconds.
fn singapore(lane: &Lane) -> Res<String> {
    let end = moment(text(&lane.atlas.now()?, "now")).ok_or("the simulator has no time")? + WINDOW + 8.0 * 3_600.0;
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

/// Opens a void and asks after it; says what is wrong, whether it was sent, and whether it was called absent.
fn one(
    lane: &Mutex<Lane>,
    clock: &Clock,
    worker: &mut Worker,
    spec: &CaseSpec,
    lost: bool,
) -> Res<(Vec<String>, bool, bool)> {
    let mut faults = Vec::new();
    let before = lock(lane).atlas.request_count();
    let end = moment(text(&lock(lane).atlas.now()?, "now")).unwrap_or(0.0) + WINDOW;
    if lost {
        lock(lane).atlas.fault(json!({"endpoint": "void", "mode": "drop_before"}))?;
    }
    let mut reply = worker.call("case.open", &spec.request)?;
    for _ in 0..5 {
        lock(lane).atlas.advance(1)?;
        reply = worker.call("case.reconcile", &json!({"key": spec.key}))?;
    }
    let lane = lock(lane);
    lane.atlas.clear_faults()?;
    let requests = lane.atlas.requests_since(before);
    let sent = requests.iter().position(|request| text(request, "endpoint") == "void");
    if let Some(at) = sent {
        // The window is reported by a quotation that is young enough, by the clock that the case has.
        let shown = |at: usize| {
            lock(&clock.reported).iter().rev().find(|(seen, _)| *seen <= before + at).map(|(_, shown)| *shown)
        };
        if shown(at).is_some_and(|shown| shown >= end) {
            faults.push(format!("sent although the clock had said that the window was over\n    {reply}"));
        }
        let quoted = requests.iter().position(|request| text(request, "endpoint") == "voidQuotation").and_then(shown);
        if let (Some(quoted), Some(left)) = (quoted, shown(at))
            && left - quoted > OFFER_AGE
        {
            faults.push(format!("sent although the clock had said that the quotation was old\n    {reply}"));
        }
    }
    let outcome = case(&reply).map_or("no case", |case| text(case, "outcome")).to_owned();
    let empty = |request: &&Value| text(request, "endpoint") == "queryVoidOrders";
    let asked = requests.get(sent.unwrap_or(0)..).unwrap_or_default().iter().filter(empty).count();
    let absent = outcome == "not_executed" && sent.is_some();
    if absent && asked < 2 {
        faults.push(format!("absence after {asked} empty answers\n    {reply}"));
    }
    let effect = LedgerView::of(&lane.atlas).effect(&spec.owner, "void");
    if effect.whole + effect.broken > 1
        || (outcome == "not_executed") == (effect.executed > 0) && outcome != "unknown" && outcome != "pending"
    {
        faults.push(format!("{outcome}, and the ledger has {effect:?}\n    {reply}"));
    }
    let steps = case(&reply).map_or(0, |case| list(case, "steps").len());
    if steps > 1 {
        faults.push(format!("{steps} steps"));
    }
    Ok((faults, sent.is_some(), absent))
}
