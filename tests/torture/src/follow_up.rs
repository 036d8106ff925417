//! E11: cases (1,000 in the long form) followed through ninety virtual days, with a tenth of the notifications lost.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use serde_json::{Value, json};

use crate::case_kinds::{CaseRequest, Kind, put};
use crate::harness::{Lane, Plan, Report, Result, flag, list, text};
use crate::oracle::case;
use crate::server::Server;
use crate::worker::Worker;

const DAYS: usize = 90;

/// `E11 ninety days`
pub fn run(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    let cases = plan.size(40, 1_000);
    let mut lane = plan.lane(111, 0, "refundQueryWithoutCode=list,balance=99999999.00")?;
    let (sender, notifications) = channel();
    let sender = std::sync::Mutex::new(sender);
    let listener = Server::answering(move |body| {
        crate::harness::lock(&sender).send(body.to_vec()).ok();
        "{}".to_owned()
    })?;
    lane.atlas.webhook(&listener.url())?;
    let mut config = lane.config();
    put(&mut config, "follow", json!({"perSecond": 2000, "burst": 500}));
    put(&mut config, "settleMs", json!(180_000));
    let mut worker = Worker::start(&config)?;
    let mut report = Report::default();
    let case_requests =
        (0..cases).map(|nth| open(&mut lane, &mut worker, nth, &mut report)).collect::<Result<Vec<_>>>()?;
    let (requests_before, cpu) = (lane.atlas.request_count(), cpu_ms(worker.pid()));
    let last = now(&lane)? + DAYS as f64 * 86_400.0;
    let mut steps = 0;
    let (mut open, mut idle_steps) = (cases as u64, 0);
    while now(&lane)? < last && open > 0 {
        steps += 1;
        deliver_notifications(&mut lane, &mut worker, &notifications)?;
        let reply = worker.call("case.follow", &json!({"all": true, "until": "step"}))?;
        let data = reply.get("data").cloned().unwrap_or_default();
        open = data.get("open").and_then(Value::as_u64).unwrap_or(0);
        if !flag(&reply, "ok") {
            report.violations.push(format!("case.follow failed: {reply}"));
            break;
        }
        idle_steps = if data.get("done").and_then(Value::as_u64) == Some(0)
            && data.get("due").and_then(Value::as_u64) > Some(0)
        {
            idle_steps + 1
        } else {
            0
        };
        if idle_steps > 1_000 {
            report.violations.push(format!("a case is due and is never queried: {reply}"));
            break;
        }
        advance_clock(&lane, &data)?;
    }
    let queries = lane.atlas.request_count() - requests_before;
    let cpu_spent = cpu_ms(worker.pid()) - cpu;
    let mut final_states = BTreeMap::<String, usize>::new();
    for case_request in &case_requests {
        let reply = worker.call("case.get", &json!({"key": case_request.key}))?;
        let last_case = case(&reply).cloned().unwrap_or_default();
        *final_states.entry(format!("{} {}", case_request.kind.wire_name(), text(&last_case, "state"))).or_default() +=
            1;
        if let Some(message) = difference(&lane, case_request, &last_case)? {
            report.violations.push(format!("{}: {message}\n    {reply}", case_request.key));
        }
    }
    let state_counts: Vec<String> = final_states.iter().map(|(state, count)| format!("{state} {count}")).collect();
    report.figures = format!(
        "{cases} cases: {} final and equal to the simulator's state ({}); \
         {queries} queries in {steps} steps, {:.1} per case, \
         {:.2} ms CPU per simulated day; violations {}, in {:.0} s",
        cases - report.violations.len().min(cases),
        state_counts.join(", "),
        queries as f64 / cases as f64,
        cpu_spent / DAYS as f64,
        report.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(report)
}

/// Opens the nth case. The mix leads to every kind of final state.
fn open(lane: &mut Lane, worker: &mut Worker, nth: usize, report: &mut Report) -> Result<CaseRequest> {
    let kind = match nth % 20 {
        0..10 => Kind::Refund,
        10..15 => Kind::Void,
        15 => Kind::Cancel,
        16 | 17 => Kind::Ancillary,
        18 => Kind::Stop,
        _ => Kind::Regenerate,
    };
    let case_request = kind.case_request(&lane.atlas, &mut lane.rng, format!("days-{nth}"))?;
    let options = match lane.rng.u32(0..10) {
        0 => json!({"refundOutcome": "rejected", "voidOutcome": "rejected"}),
        1 => {
            json!({"refundPlan": [{"after": "1d", "status": 1}, {"after": "40d", "status": 3}, {"after": "70d", "status": 2}]})
        }
        2 => {
            json!({"refundPlan": [{"after": "2h", "status": 6}], "voidPlan": [{"after": "2d", "status": 1}, {"after": "9d", "status": 2}]})
        }
        _ => json!({}),
    };
    lane.atlas.control("POST", &format!("/_sim/orders/{}", case_request.owner), options)?;
    let reply = worker.call("case.open", &case_request.request)?;
    if !flag(&reply, "ok") {
        report.violations.push(format!("{} was not opened: {reply}", case_request.key));
    }
    Ok(case_request)
}

/// Delivers nine of ten notifications.
fn deliver_notifications(lane: &mut Lane, worker: &mut Worker, notifications: &Receiver<Vec<u8>>) -> Result<()> {
    while let Ok(notification) = notifications.try_recv() {
        if lane.rng.u32(0..10) > 0 {
            worker.call("case.notify", &json!({"body": String::from_utf8_lossy(&notification)}))?;
        }
    }
    Ok(())
}

/// Advances the clock until a case is due, or until the request budget allows the next query.
fn advance_clock(lane: &Lane, data: &Value) -> Result<()> {
    let due = data.get("due").and_then(Value::as_u64).unwrap_or(0);
    let wait = data.pointer("/budget/waitMs").and_then(Value::as_f64).unwrap_or(0.0);
    let next = text(data, "nextDueAt");
    if due > 0 {
        lane.atlas.advance((wait / 1e3).max(1.0))?;
        return Ok(());
    }
    // At least five minutes as between two runs of a scheduler; at most six hours so that notifications are delivered.
    let wait = unix_seconds(next).unwrap_or(f64::MAX) - now(lane)?;
    lane.atlas.advance(wait.clamp(300.0, 21_600.0))?;
    Ok(())
}

/// The simulator's clock in seconds since 1970.
fn now(lane: &Lane) -> Result<f64> {
    let now = lane.atlas.now()?;
    unix_seconds(text(&now, "now")).ok_or_else(|| "the simulator has no time".into())
}

/// `2026-03-02T08:00:00Z` as seconds since 1970.
pub fn unix_seconds(at: &str) -> Option<f64> {
    let number = |range: std::ops::Range<usize>| at.get(range)?.parse::<u16>().ok();
    let month = time::Month::try_from(u8::try_from(number(5..7)?).ok()?).ok()?;
    let date =
        time::Date::from_calendar_date(i32::from(number(0..4)?), month, u8::try_from(number(8..10)?).ok()?).ok()?;
    Some(date.midnight().assume_utc().unix_timestamp() as f64 + crate::rate_limits::seconds(at)?)
}

/// How the final state of the case differs from the vendor's.
fn difference(lane: &Lane, case_request: &CaseRequest, last_case: &Value) -> Result<Option<String>> {
    if !flag(last_case, "final") {
        return Ok(Some("is not final".to_owned()));
    }
    let code = last_case.get("vendorCode").and_then(Value::as_i64);
    let vendor_state = match case_request.kind {
        Kind::Refund | Kind::Void | Kind::Cancel => {
            let all = lane.atlas.control("GET", "/_sim/cases", json!({}))?;
            let row = list(&all, "cases").iter().find(|one| text(one, "orderNo") == case_request.owner);
            row.and_then(|one| one.get("status").and_then(Value::as_i64))
        }
        Kind::Ancillary | Kind::Regenerate => order_state(lane, text(last_case, "code"))?,
        Kind::Stop | Kind::Claim => order_state(lane, &case_request.owner)?,
    };
    let agrees = match (case_request.kind, vendor_state) {
        (Kind::Ancillary | Kind::Regenerate, Some(2)) => text(last_case, "state") == "ticketed",
        (Kind::Stop, Some(-3)) => text(last_case, "state") == "stopped",
        (Kind::Refund | Kind::Void | Kind::Cancel, vendor_state) => vendor_state == code,
        _ => false,
    };
    Ok((!agrees).then(|| format!("the vendor has {vendor_state:?}")))
}

fn order_state(lane: &Lane, order: &str) -> Result<Option<i64>> {
    Ok(lane.atlas.order(order)?.get("state").and_then(Value::as_i64))
}

/// CPU time of a process in milliseconds. The kernel counts in ticks of 10 ms.
fn cpu_ms(pid: u32) -> f64 {
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
