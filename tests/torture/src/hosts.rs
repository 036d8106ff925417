//! E15: several hosts share a PostgreSQL server. They are killed, stopped, and cut off from the server or the vendor; the
//! server is killed; others take their cases up.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};

use crate::board::{Board, Job, was_free};
use crate::case_kinds::{CaseRequest, Kind, put};
use crate::database::{Database, none_because};
use crate::harness::{Lane, Plan, Report, Result, Skipped, list, lock, text};
use crate::host::Host;
use crate::incidents::{Fault, Incident};
use crate::oracle::{Tally, case};
use crate::reconcile;
use crate::worker::Worker;

/// Hosts that are killed and stopped, and those that stay: a host takes up only what it has seen to stand still for 15 s.
const STRUCK: usize = 6;
const STAYING: usize = 3;
/// The last one does nothing else than to take up the cases of killed hosts, and nothing befalls it.
const WATCHER: usize = STRUCK + STAYING - 1;
/// Longer than anything is late on its way to the vendor.
const SETTLE_MS: u64 = 5_000;
const CALL_MS: u64 = 5_000;
/// A look at a case that another host may have.
const LOOK_MS: u64 = 1_000;
/// A pause before the next call when the server does not answer.
const SERVER_AWAY: Duration = Duration::from_millis(500);
/// How long those that stay go on when all cases were opened.
const AFTERWARDS: Duration = Duration::from_secs(25);
/// Within this the cases of a killed host are taken up.
const TAKEN_UP: Duration = Duration::from_secs(30);
/// Of all cases, at the end.
const MOST_UNKNOWN: f64 = 0.02;
/// Where the list of refunds answers 810, nothing proves that a lost one was not executed.
const PROFILES: [&str; 4] =
    ["default", "refundQueryWithoutCode=list", "strict", "refundQueryWithoutCode=list,quirks=drift"];

/// The results of a lane.
#[derive(Default)]
struct Batch {
    tally: Tally,
    faults: BTreeMap<&'static str, usize>,
    taken_up: Vec<Duration>,
    /// Why an outcome stayed unknown → count.
    unknown: BTreeMap<String, usize>,
}

impl Batch {
    fn add(&mut self, other: Batch) {
        self.tally.add(other.tally);
        self.taken_up.extend(other.taken_up);
        other.faults.into_iter().for_each(|(name, count)| *self.faults.entry(name).or_default() += count);
        other.unknown.into_iter().for_each(|(why, count)| *self.unknown.entry(why).or_default() += count);
    }

    fn faults(&self) -> usize {
        self.faults.values().sum()
    }
}

/// `E15 hosts`
pub fn run(plan: &Plan) -> Result<Report> {
    let reason = none_because().or_else(|| {
        let probe = plan.work.join("probe");
        std::fs::write(&probe, "0\n").err().map(|error| error.to_string()).or_else(|| Worker::no_hosts(&probe))
    });
    if let Some(reason) = reason {
        return Err(Skipped(reason).into());
    }
    let started = Instant::now();
    let (wanted, threads) = (plan.size(250, 5_000), plan.size(2, 4));
    let enough = |number: usize, done: &[Batch]| {
        let faults: usize = done.iter().map(Batch::faults).sum();
        // Those under way will bring some as well.
        let running = number - done.len();
        faults + running * faults.checked_div(done.len()).unwrap_or(0) >= wanted || (!plan.long && number >= 2)
    };
    let results = plan.lanes(threads, enough, |number| batch(plan, number))?;
    let mut total = Batch::default();
    results.into_iter().for_each(|one| total.add(one));
    let unknown = total.tally.count("unknown");
    // Of a few hundred it says little.
    if plan.long && unknown as f64 > MOST_UNKNOWN * total.tally.cases as f64 {
        total.tally.violations.push(format!("{unknown} of {} cases are left unknown", total.tally.cases));
    }
    Ok(Report { figures: figures(&mut total, started), violations: total.tally.violations })
}

fn figures(total: &mut Batch, started: Instant) -> String {
    total.taken_up.sort();
    let rested = total.taken_up.iter().filter(|time| time.as_millis() > 1_000).count();
    let after = |part: usize| {
        let at = total.taken_up.len().saturating_sub(1) * part / 100;
        total.taken_up.get(at).map_or(0.0, Duration::as_secs_f64)
    };
    let tally = &total.tally;
    let faults: Vec<String> = total.faults.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let reasons: String = total.unknown.iter().map(|(why, count)| format!("\n    unknown {count}: {why}")).collect();
    format!(
        "{} ({}) in {} cases of {} hosts on PostgreSQL: {}, {}; the cases of {} killed hosts, {rested} of them at work \
         on one, were taken up after {:.1} s (median), {:.1} s (19 of 20), {:.1} s (all); violations {}, in {:.0} s{reasons}",
        total.faults(),
        faults.join(", "),
        tally.cases,
        STRUCK + STAYING,
        tally.invariants(),
        tally.outcome_figures(),
        total.taken_up.len(),
        after(50),
        after(95),
        after(100),
        tally.violations.len(),
        started.elapsed().as_secs_f64(),
    )
}

/// One server, one vendor, nine hosts.
fn batch(plan: &Plan, number: usize) -> Result<Batch> {
    let mut server = Database::start()?;
    // In every other lane no clock counts but that of the database and the hosts' own.
    let is_real = number % 2 == 1;
    let profile = PROFILES.get(number % PROFILES.len()).unwrap_or(&"default");
    let start = if is_real { format!(",start={}", now()) } else { String::new() };
    let mut lane = plan.lane(15, number, &format!("{profile},clock=real{start}"))?;
    lane.server = Some(server.url.clone());
    lane.has_clock = !is_real;
    lane.account = Some("torture".to_owned());
    let mut config = lane.config();
    put(&mut config, "settleMs", SETTLE_MS.into());
    let vendor = lane.atlas.url().rsplit(':').next().unwrap_or_default().parse()?;
    let hosts = (0..STRUCK + STAYING)
        .map(|number| Host::new(&lane, &config, number, (server.port, vendor)))
        .collect::<Result<Vec<_>>>()?;
    let board = Board::new(plan.size(160, 400));
    let (result, seed, is_over) = (Mutex::new(Batch::default()), plan.seed_of(15, number), AtomicBool::new(false));
    let work = Work { lane: &lane, board: &board, result: &result, seed, number, is_real };
    let ended = std::thread::scope(|scope| {
        let hosts: Vec<_> = hosts.into_iter().map(|host| scope.spawn(|| work.host(host))).collect();
        let restarts = scope.spawn(|| restarts(&mut server, &work, &is_over));
        let ended: Vec<Result<()>> =
            hosts.into_iter().map(|host| host.join().unwrap_or_else(|_| Err("a host panicked".into()))).collect();
        is_over.store(true, Ordering::SeqCst);
        restarts.join().unwrap_or_else(|_| Err("the restarts panicked".into()))?;
        ended.into_iter().collect::<Result<()>>()
    });
    let mut result = result.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    ended.map_err(|error| format!("lane {number}: {error}"))?;
    let (case_requests, taken_up) = board.end();
    for time in taken_up.iter().filter(|time| **time > TAKEN_UP) {
        result.tally.violations.push(format!("a killed host's case was taken up after {:.1} s", time.as_secs_f64()));
    }
    result.taken_up = taken_up;
    settle(&lane, &config, &case_requests)?;
    reconcile::check(&lane, &case_requests, &mut result.tally)?;
    reasons(&lane, profile, &case_requests, &mut result)?;
    for message in &mut result.tally.violations {
        *message = format!("lane {number} ({profile}) {message}");
    }
    Ok(result)
}

/// What the hosts of a lane share.
struct Work<'w> {
    lane: &'w Lane,
    board: &'w Board,
    result: &'w Mutex<Batch>,
    seed: u64,
    number: usize,
    is_real: bool,
}

impl Work<'_> {
    /// Works until all cases were opened; a host that stays, until none is left to take up.
    fn host(&self, mut host: Host) -> Result<()> {
        let stays = host.number >= STRUCK;
        let watches = host.number == WATCHER;
        let mut rng = Rng::with_seed(self.seed.wrapping_add(host.number as u64));
        loop {
            let looks = stays || rng.u32(0..4) == 0;
            let waiting = if looks { self.board.waiting(Duration::from_secs(3), watches) } else { None };
            let job = match waiting {
                Some(job) => Some(job),
                // Those that stay open some, too: their leases are renewed, and they see those of others.
                None if watches || stays && rng.u32(0..20) > 0 => None,
                None => {
                    self.board.new_case(|nth| self.case_request(nth), Duration::from_millis(rng.u64(300..4_000)))?
                }
            };
            match job {
                Some(job) => self.turn(&mut host, &job, stays)?,
                None if !stays || self.board.is_done(AFTERWARDS) => return Ok(()),
                None => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// The same for the same seed, whichever host opens it.
    fn case_request(&self, nth: usize) -> Result<CaseRequest> {
        let mut rng = Rng::with_seed(self.seed ^ (nth as u64) << 32);
        let kind = match nth % 40 {
            0..14 => Kind::Refund,
            14..26 => Kind::Void,
            26..31 => Kind::Cancel,
            // These end by the vendor's clock only.
            _ if self.is_real => Kind::Void,
            31..36 => Kind::Ancillary,
            36 | 37 => Kind::Stop,
            38 => Kind::Regenerate,
            _ => Kind::Claim,
        };
        kind.case_request(&self.lane.atlas, &mut rng, format!("hosts-{}-{nth}", self.number))
    }

    /// One call about a case, with or without a fault.
    fn turn(&self, host: &mut Host, job: &Job, stays: bool) -> Result<()> {
        let mut rng = Rng::with_seed(self.seed ^ (job.nth as u64) << 32 ^ (job.attempt as u64 + 1) << 52);
        let has_fault = (job.attempt == 0 || rng.u32(0..10) < 3) && !job.is_measured;
        let follow = json!({"all": true, "until": "step"});
        let key = json!({"key": job.case_request.key});
        let (operation, request) = match rng.u32(0..10) {
            0..6 => ("case.open", &job.case_request.request),
            _ if job.attempt == 0 => ("case.open", &job.case_request.request),
            _ if job.is_measured => ("case.reconcile", &key),
            6..9 => ("case.reconcile", &key),
            _ => ("case.follow", &follow),
        };
        let incident = Incident::random(&mut rng, stays);
        // Others come into a pass of case.follow, which is left alone.
        let incident = Some(incident).filter(|_| has_fault && operation != "case.follow");
        let timeout = match job.attempt {
            0 => CALL_MS,
            _ if job.is_measured => LOOK_MS / 4,
            _ => LOOK_MS,
        };
        let called = host.call(operation, request, timeout, incident.as_ref());
        let called = called.map_err(|error| format!("host {}, {}: {error}", host.number, job.case_request.key))?;
        if let Some(incident) = incident.filter(|_| called.struck) {
            *lock(self.result).faults.entry(incident.name()).or_default() += 1;
            if matches!(incident.fault, Fault::Kill { .. }) {
                self.board.orphaned(job);
                return Ok(());
            }
        }
        match called.reply {
            Some(_) if operation == "case.follow" => self.board.followed(job),
            Some(reply) => {
                let code = reply.pointer("/error/code").and_then(Value::as_str).unwrap_or_default();
                self.board.answered(job, &reply);
                if code.starts_with("store_") && !called.struck {
                    std::thread::sleep(SERVER_AWAY);
                }
            }
            // Its client could not be made.
            None => std::thread::sleep(SERVER_AWAY),
        }
        Ok(())
    }
}

/// Kills the server now and then.
fn restarts(server: &mut Database, work: &Work<'_>, is_over: &AtomicBool) -> Result<()> {
    let mut rng = Rng::with_seed(work.seed);
    loop {
        let next = Instant::now() + Duration::from_millis(rng.u64(15_000..45_000));
        while Instant::now() < next {
            if is_over.load(Ordering::SeqCst) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        server.restart()?;
        *lock(work.result).faults.entry("times the server killed").or_default() += 1;
    }
}

/// All hosts are gone: waits until their leases are over and the settle time has passed.
fn settle(lane: &Lane, config: &Value, case_requests: &[CaseRequest]) -> Result<()> {
    let mut config = config.clone();
    put(&mut config, "store", json!({"url": lane.server}));
    put(&mut config, "baseUrl", lane.atlas.url().into());
    let mut worker = Worker::start(&config)?;
    let started = Instant::now();
    let mut held: Vec<&CaseRequest> = case_requests.iter().collect();
    while !held.is_empty() && started.elapsed() < Duration::from_secs(60) {
        let mut still = Vec::new();
        for case_request in held {
            worker.send("case.reconcile", &json!({"key": case_request.key}), &json!({"timeoutMs": 100}));
            let reply = worker.receive()?;
            let is_there = reply.pointer("/error/code").and_then(Value::as_str) != Some("not_found");
            if is_there && !was_free(&reply) {
                still.push(case_request);
            }
        }
        held = still;
    }
    if !lane.has_clock {
        for _ in 0..4 {
            worker.call("case.reconcile", &json!({"all": true}))?;
            std::thread::sleep(Duration::from_millis(SETTLE_MS / 2));
        }
    }
    Ok(())
}

/// Why outcomes stayed unknown.
fn reasons(lane: &Lane, profile: &str, case_requests: &[CaseRequest], result: &mut Batch) -> Result<()> {
    let mut worker = Worker::start(&lane.config())?;
    for case_request in case_requests {
        let reply = worker.call("case.get", &json!({"key": case_request.key}))?;
        let Some(case) = case(&reply).filter(|case| text(case, "outcome") == "unknown") else { continue };
        let last = list(case, "evidence").last().map_or("no evidence", |evidence| text(evidence, "what"));
        let why = format!("{} ({profile}), {}: {last}", text(case, "kind"), text(case, "state"));
        *result.unknown.entry(why).or_default() += 1;
    }
    Ok(())
}

/// The wall clock, as the simulator reads it.
fn now() -> String {
    let now = time::OffsetDateTime::now_utc();
    let (date, time) = (now.date(), now.time());
    let month = u8::from(date.month());
    format!(
        "{:04}-{month:02}-{:02}T{:02}:{:02}:{:02}Z",
        date.year(),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    )
}
