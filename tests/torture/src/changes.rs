//! E14: a second process reads what changed while workers are killed, cases reopen and old ones are purged.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::{Value, json};

use crate::case_kinds::{CaseRequest, Kind};
use crate::harness::{Lane, Plan, Report, Result, flag, list, text};
use crate::kills::{self, BatchResult, WITHOUT_POWER_LOSS};
use crate::oracle::case;
use crate::reconcile;
use crate::worker::Worker;

/// Cases of a lane.
const BATCH: usize = 35;
/// Of a page: small, so that a reading is many pages and commits fall between them.
const PAGE: usize = 3;

/// `E14 reader of changes`
pub fn run(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    let steps = kills::steps(plan)?;
    let lanes = plan.size(4, 60);
    let results = plan.lanes(3, |number, _: &[LaneResult]| number >= lanes, |number| lane(plan, number, &steps))?;
    let mut total = LaneResult::default();
    for one in results {
        total.add(one);
    }
    let (work, reader) = (&total.work, &total.reader);
    let violations: Vec<String> = work.tally.violations.iter().chain(&reader.violations).cloned().collect();
    let figures = format!(
        "{} cases, {} kills, {} reopened, {} purged; {} pages with {} changes read meanwhile: {} last states compared; \
         {}; violations {}, in {:.0} s",
        work.tally.cases,
        work.kills,
        total.reopened,
        total.purged,
        reader.pages,
        reader.changes,
        total.compared,
        work.tally.invariants(),
        violations.len(),
        started.elapsed().as_secs_f64(),
    );
    Ok(Report { figures, violations })
}

#[derive(Default)]
struct LaneResult {
    work: BatchResult,
    reader: Reader,
    reopened: usize,
    purged: usize,
    compared: usize,
}

impl LaneResult {
    fn add(&mut self, other: LaneResult) {
        self.work.tally.add(other.work.tally);
        self.work.kills += other.work.kills;
        self.reader.pages += other.reader.pages;
        self.reader.changes += other.reader.changes;
        self.reader.violations.extend(other.reader.violations);
        self.reopened += other.reopened;
        self.purged += other.purged;
        self.compared += other.compared;
    }
}

fn lane(plan: &Plan, number: usize, steps: &BTreeMap<Kind, usize>) -> Result<LaneResult> {
    let mut lane = plan.lane(14, number, "refundQueryWithoutCode=list,clock=real")?;
    let mut result = LaneResult::default();
    let stop = AtomicBool::new(false);
    let config = lane.config();
    let reader = std::thread::scope(|scope| {
        let reader = scope.spawn(|| Reader::read_until(&config, &stop));
        let worked = work(&mut lane, number, steps, &mut result);
        stop.store(true, Ordering::Relaxed);
        let reader = reader.join().map_err(|_| "the reader's thread panicked")?;
        worked.and(reader)
    })?;
    result.reader = reader;
    compare(&lane, &mut result)?;
    for message in result.work.tally.violations.iter_mut().chain(&mut result.reader.violations) {
        *message = format!("lane {number} {message}");
    }
    Ok(result)
}

/// Kills workers at cases of all kinds, lets some submits be executed late, reconciles, and purges what is final.
fn work(lane: &mut Lane, number: usize, steps: &BTreeMap<Kind, usize>, result: &mut LaneResult) -> Result<()> {
    let (mut case_requests, mut late) = (Vec::new(), Vec::new());
    for nth in 0..BATCH {
        let kind = crate::case_kinds::KINDS.get(nth % crate::case_kinds::KINDS.len()).copied().unwrap_or(Kind::Void);
        let case_request = kind.case_request(&lane.atlas, &mut lane.rng, format!("change-{number}-{nth}"))?;
        if kind == Kind::Refund && lane.rng.bool() {
            open_late(lane, &case_request)?;
            late.push(case_request);
            continue;
        }
        let steps = steps.get(&kind).copied().unwrap_or(40);
        kills::kill_until_answered(lane, &case_request, steps, &WITHOUT_POWER_LOSS, &mut result.work)?;
        case_requests.push(case_request);
        if nth % 10 == 9 {
            purge(lane, result)?;
        }
    }
    // The late submits are found absent before their effect appears, and then reopened.
    let mut worker = Worker::start(&lane.config())?;
    for _ in 0..4 {
        lane.atlas.advance(1)?;
        for case_request in &late {
            worker.call("case.reconcile", &json!({"key": case_request.key}))?;
        }
    }
    reconcile::check(lane, &case_requests, &mut result.work.tally)?;
    lane.atlas.advance("15m")?;
    for case_request in &late {
        let reply = worker.call("case.reconcile", &json!({"key": case_request.key}))?;
        result.reopened += usize::from(case(&reply).is_some_and(|case| flag(case, "reopened")));
    }
    purge(lane, result)
}

/// Opens a case whose submit is executed ten minutes of virtual time after it was sent.
fn open_late(lane: &mut Lane, case_request: &CaseRequest) -> Result<()> {
    let endpoint = case_request.kind.steps().first().map_or("", |(_, endpoint)| endpoint);
    lane.atlas.fault(json!({"endpoint": endpoint, "mode": "late", "delayMs": 600_000, "virtual": true}))?;
    let mut worker = Worker::start(&lane.config())?;
    worker.send("case.open", &case_request.request, &json!({"timeoutMs": 150}));
    worker.receive()?;
    lane.atlas.clear_faults()?;
    Ok(())
}

fn purge(lane: &Lane, result: &mut LaneResult) -> Result<()> {
    let reply = Worker::start(&lane.config())?.call("case.purge", &json!({"olderThan": "0h"}))?;
    let purged = reply.pointer("/data/purged").and_then(Value::as_u64);
    result.purged += purged.ok_or_else(|| format!("the purge failed: {reply}"))? as usize;
    Ok(())
}

/// What a second process has read.
#[derive(Default)]
struct Reader {
    /// Case id → the last state that it was given.
    last: HashMap<String, Value>,
    /// The number to go on from.
    next: u64,
    pages: usize,
    changes: usize,
    violations: Vec<String>,
}

impl Reader {
    /// Reads until it is told to stop, and then what is left.
    fn read_until(config: &Value, stop: &AtomicBool) -> Result<Reader> {
        let mut reader = Reader::default();
        let mut worker = Worker::start(config)?;
        loop {
            let last_round = stop.load(Ordering::Relaxed);
            while reader.page(&mut worker)? == PAGE {}
            if last_round {
                return Ok(reader);
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    /// Reads one page; the number of cases in it.
    fn page(&mut self, worker: &mut Worker) -> Result<usize> {
        let reply = worker.call("case.list", &json!({"changedSince": self.next, "limit": PAGE}))?;
        let data = reply.get("data").filter(|data| data.is_object());
        let data = data.ok_or_else(|| format!("changes since {} cannot be read: {reply}", self.next))?;
        let cases = list(data, "cases");
        let mut previous = self.next;
        for case in cases {
            let change = change(case);
            if change <= previous {
                self.violations.push(format!("change {change} comes after {previous}\n    {case}"));
            }
            previous = change;
            self.last.insert(text(case, "id").to_owned(), case.clone());
        }
        let next = data.get("next").and_then(Value::as_u64).ok_or_else(|| format!("next is no number: {reply}"))?;
        if next < previous {
            self.violations.push(format!("next is {next} after change {previous}"));
        }
        self.next = next;
        self.pages += 1;
        self.changes += cases.len();
        Ok(cases.len())
    }
}

fn change(case: &Value) -> u64 {
    case.get("change").and_then(Value::as_u64).unwrap_or_default()
}

/// The store's own state of every case against the last one that the reader was given.
fn compare(lane: &Lane, result: &mut LaneResult) -> Result<()> {
    let mut worker = Worker::start(&lane.config())?;
    let mut after = Value::Null;
    loop {
        let reply = worker.call("case.list", &json!({"after": after, "limit": 100}))?;
        let data = reply.get("data").filter(|data| data.is_object()).ok_or_else(|| format!("no list: {reply}"))?;
        for case in list(data, "cases") {
            result.compared += 1;
            let seen = result.reader.last.get(text(case, "id"));
            if seen != Some(case) {
                let violation = format!("the last state that was read is not the case's\n    {case}\n    {seen:?}");
                result.reader.violations.push(violation);
            }
        }
        after = data.get("next").cloned().unwrap_or_default();
        if after.is_null() {
            return Ok(());
        }
    }
}
