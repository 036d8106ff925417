//! E11: a thousand cases followed through ninety days, with a tenth of the notifications lost.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{Lane, Plan, Report, Res, flag, list, text};
use crate::kinds::{CaseSpec, Kind, put};
use crate::oracle::case;
use crate::server::Server;
use crate::worker::Worker;

const DAYS: usize = 90;

/// `E11 ninety days`
pub fn run(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let cases = plan.size(40, 1_000);
    let mut lane = plan.lane(111, 0, "refundQueryWithoutCode=list,balance=99999999.00")?;
    let (hook, letters) = channel();
    let hook = std::sync::Mutex::new(hook);
    let listener = Server::answering(move |body| {
        crate::harness::lock(&hook).send(body.to_vec()).ok();
        "{}".to_owned()
    })?;
    lane.atlas.webhook(&listener.url())?;
    let mut config = lane.config();
    put(&mut config, "follow", json!({"perSecond": 2000, "burst": 500}));
    put(&mut config, "settleMs", json!(180_000));
    let mut worker = Worker::start(&config)?;
    let mut report = Report::default();
    let specs = (0..cases).map(|nth| open(&mut lane, &mut worker, nth, &mut report)).collect::<Res<Vec<_>>>()?;
    let (queries, cpu) = (lane.atlas.request_count(), processor_ms(worker.pid()));
    let last = now(&lane)? + DAYS as f64 * 86_400.0;
    let mut steps = 0;
    let (mut open, mut stuck) = (cases as u64, 0);
    while now(&lane)? < last && open > 0 {
        steps += 1;
        deliver(&mut lane, &mut worker, &letters)?;
        let reply = worker.call("case.follow", &json!({"all": true, "until": "step"}))?;
        let data = reply.get("data").cloned().unwrap_or_default();
        open = data.get("open").and_then(Value::as_u64).unwrap_or(0);
        if !flag(&reply, "ok") {
            report.violations.push(format!("the follow-up failed: {reply}"));
            break;
        }
        stuck = if data.get("done").and_then(Value::as_u64) == Some(0)
            && data.get("due").and_then(Value::as_u64) > Some(0)
        {
            stuck + 1
        } else {
            0
        };
        if stuck > 1_000 {
            report.violations.push(format!("something is due and never looked at: {reply}"));
            break;
        }
        pass(&lane, &data)?;
    }
    let asked = lane.atlas.request_count() - queries;
    let spent = processor_ms(worker.pid()) - cpu;
    let mut ends = BTreeMap::<String, usize>::new();
    for spec in &specs {
        let reply = worker.call("case.get", &json!({"key": spec.key}))?;
        let seen = case(&reply).cloned().unwrap_or_default();
        *ends.entry(format!("{} {}", spec.kind.word(), text(&seen, "state"))).or_default() += 1;
        if let Some(words) = wrong_end(&lane, spec, &seen)? {
            report.violations.push(format!("{}: {words}\n    {reply}", spec.key));
        }
    }
    let reported: Vec<String> = ends.iter().map(|(end, count)| format!("{end} {count}")).collect();
    report.figures = format!(
        "{cases} cases: {} at their end and the simulator's ({}); {asked} queries in {steps} steps, {:.1} per case, \
         {:.2} ms CPU per simulated day; violations {}, in {:.0} s",
        cases - report.violations.len().min(cases),
        reported.join(", "),
        asked as f64 / cases as f64,
        spent / DAYS as f64,
        report.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(report)
}

/// Opens the nth case; the mix has every kind of end.
fn open(lane: &mut Lane, worker: &mut Worker, nth: usize, report: &mut Report) -> Res<CaseSpec> {
    let kind = match nth % 20 {
        0..10 => Kind::Refund,
        10..15 => Kind::Void,
        15 => Kind::Cancel,
        16 | 17 => Kind::Ancillary,
        18 => Kind::Stop,
        _ => Kind::Regenerate,
    };
    let spec = kind.spec(&lane.atlas, &mut lane.dice, format!("days-{nth}"))?;
    let exit = match lane.dice.u32(0..10) {
        0 => json!({"refundOutcome": "rejected", "voidOutcome": "rejected"}),
        1 => {
            json!({"refundPlan": [{"after": "1d", "status": 1}, {"after": "40d", "status": 3}, {"after": "70d", "status": 2}]})
        }
        2 => {
            json!({"refundPlan": [{"after": "2h", "status": 6}], "voidPlan": [{"after": "2d", "status": 1}, {"after": "9d", "status": 2}]})
        }
        _ => json!({}),
    };
    lane.atlas.control("POST", &format!("/_sim/orders/{}", spec.owner), exit)?;
    let reply = worker.call("case.open", &spec.request)?;
    if !flag(&reply, "ok") {
        report.violations.push(format!("{} was not opened: {reply}", spec.key));
    }
    Ok(spec)
}

/// Nine of ten notifications arrive, sooner or later.
fn deliver(lane: &mut Lane, worker: &mut Worker, letters: &Receiver<Vec<u8>>) -> Res<()> {
    while let Ok(letter) = letters.try_recv() {
        if lane.dice.u32(0..10) > 0 {
            worker.call("case.notify", &json!({"body": String::from_utf8_lossy(&letter)}))?;
        }
    }
    Ok(())
}

/// Lets time pass until something is due, or the budget has recovered.
fn pass(lane: &Lane, data: &Value) -> Res<()> {
    let due = data.get("due").and_then(Value::as_u64).unwrap_or(0);
    let wait = data.pointer("/budget/waitMs").and_then(Value::as_f64).unwrap_or(0.0);
    let next = text(data, "nextDueAt");
    if due > 0 {
        lane.atlas.advance((wait / 1e3).max(1.0))?;
        return Ok(());
    }
    // A follower looks every few minutes; and notifications come in between, so never more than a quarter of a day.
    let wait = moment(next).unwrap_or(f64::MAX) - now(lane)?;
    lane.atlas.advance(wait.clamp(300.0, 21_600.0))?;
    Ok(())
}

/// Whole seconds of the simulator's clock.
fn now(lane: &Lane) -> Res<f64> {
    let now = lane.atlas.now()?;
    moment(text(&now, "now")).ok_or_else(|| "the simulator has no time".into())
}

/// `2026-03-02T08:00:00Z` as seconds since 1970.
pub fn moment(at: &str) -> Option<f64> {
    let number = |range: std::ops::Range<usize>| at.get(range)?.parse::<u16>().ok();
    let month = time::Month::try_from(u8::try_from(number(5..7)?).ok()?).ok()?;
    let date =
        time::Date::from_calendar_date(i32::from(number(0..4)?), month, u8::try_from(number(8..10)?).ok()?).ok()?;
    Some(date.midnight().assume_utc().unix_timestamp() as f64 + crate::storm::seconds(at)?)
}

/// Why the case's end is not the vendor's.
fn wrong_end(lane: &Lane, spec: &CaseSpec, seen: &Value) -> Res<Option<String>> {
    if !flag(seen, "final") {
        return Ok(Some("is not at its end".to_owned()));
    }
    let code = seen.get("vendorCode").and_then(Value::as_i64);
    let ledger = match spec.kind {
        Kind::Refund | Kind::Void | Kind::Cancel => {
            let all = lane.atlas.control("GET", "/_sim/cases", json!({}))?;
            let mine = list(&all, "cases").iter().find(|one| text(one, "orderNo") == spec.owner);
            mine.and_then(|one| one.get("status").and_then(Value::as_i64))
        }
        Kind::Ancillary | Kind::Regenerate => state(lane, text(seen, "code"))?,
        Kind::Stop | Kind::Claim => state(lane, &spec.owner)?,
    };
    let ended = match (spec.kind, ledger) {
        (Kind::Ancillary | Kind::Regenerate, Some(2)) => text(seen, "state") == "ticketed",
        (Kind::Stop, Some(-3)) => text(seen, "state") == "stopped",
        (Kind::Refund | Kind::Void | Kind::Cancel, ledger) => ledger == code,
        _ => false,
    };
    Ok((!ended).then(|| format!("the vendor has {ledger:?}")))
}

fn state(lane: &Lane, order: &str) -> Res<Option<i64>> {
    Ok(lane.atlas.order(order)?.get("state").and_then(Value::as_i64))
}

/// Milliseconds of processor time of a process, from the kernel's hundredths.
fn processor_ms(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0.0))
        .collect();
    (fields.get(11).unwrap_or(&0.0) + fields.get(12).unwrap_or(&0.0)) * 10.0
}
