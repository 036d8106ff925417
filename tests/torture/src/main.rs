//! Fault-injection experiments on cases, checked against the simulator's ledger. See `README.md`.

mod baseline;
mod board;
mod broken_connections;
mod case_kinds;
mod changes;
mod clock_jumps;
mod concurrent_opens;
mod database;
mod disk_failures;
mod failing_queries;
mod follow_up;
mod gate;
mod harness;
mod host;
mod hosts;
mod incidents;
mod kills;
mod lost_replies;
mod notifications;
mod oracle;
mod power_loss;
mod rate_limits;
mod reconcile;
mod reply_drift;
mod server;
mod syscall_trace;
mod vendor_codes;
mod worker;
mod write_order;

use std::io::Write;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use harness::{Plan, Report, Result, Skipped};
use lexopt::{Arg, Parser, ValueExt};

/// The name for the command line, the title of the output line, and the experiment.
type Experiment = (&'static str, &'static str, fn(&Plan) -> Result<Report>);

const EXPERIMENTS: &[Experiment] = &[
    ("control", "E0 control", baseline::run),
    ("order", "E1 write order", write_order::run),
    ("kills", "E1 kills", kills::run),
    ("power", "E1 power loss", power_loss::run),
    ("lost", "E2 lost replies", lost_replies::run),
    ("codes", "E2c vendor codes", vendor_codes::run),
    ("blind", "E2d failing queries", failing_queries::run),
    ("late", "E2b late submits", lost_replies::late),
    ("dying", "E3 broken connections", broken_connections::run),
    ("drift", "E7 reply drift", reply_drift::run),
    ("disk", "E8 disk failures", disk_failures::run),
    ("crowd", "E9 concurrent opens", concurrent_opens::run),
    ("storm", "E10 rate limits", rate_limits::run),
    ("days", "E11 ninety days", follow_up::run),
    ("hooks", "E12 notifications", notifications::run),
    ("clocks", "E13 clock jumps", clock_jumps::run),
    ("changes", "E14 reader of changes", changes::run),
    ("hosts", "E15 hosts", hosts::run),
];

fn main() -> ExitCode {
    match all() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            writeln!(std::io::stderr(), "atlas-torture: {error}").ok();
            ExitCode::from(2)
        }
    }
}

fn all() -> Result<bool> {
    let (mut seed, mut long, mut lane, mut wanted) = (None, false, None, Vec::new());
    let mut parser = Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Value(wire_name) if wire_name == "worker" => {
                worker::serve(&parser.value()?.string()?)?;
                return Ok(true);
            }
            Arg::Value(wire_name) => wanted.push(wire_name.string()?),
            Arg::Long("seed") => seed = Some(parser.value()?.parse()?),
            Arg::Long("lane") => lane = Some(parser.value()?.parse()?),
            Arg::Long("long") => long = true,
            other => return Err(other.unexpected().into()),
        }
    }
    if let Some(unknown) = wanted.iter().find(|name| !EXPERIMENTS.iter().any(|(known, ..)| known == name)) {
        return Err(format!("no experiment is called {unknown}").into());
    }
    let seed =
        seed.unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| d.as_secs() % 100_000));
    let work = std::env::temp_dir().join(format!("atlas-torture-{}", std::process::id()));
    std::fs::create_dir_all(&work)?;
    let plan = Plan { seed, long, lane, baseline: false, shim: compile(&work)?, work };
    let passed = experiments(&plan, &wanted);
    std::fs::remove_dir_all(&plan.work).ok();
    passed
}

/// Runs the selected experiments, two at a time because they mostly wait, and prints a line as each ends. The result
/// is false if there was a violation.
fn experiments(plan: &Plan, wanted: &[String]) -> Result<bool> {
    let chosen: Vec<&Experiment> =
        EXPERIMENTS.iter().filter(|(name, ..)| wanted.is_empty() || wanted.iter().any(|one| one == name)).collect();
    let (next, failed, skipped) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some((name, title, run)) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
            let report = match run(plan) {
                Err(error) if error.is::<Skipped>() => {
                    skipped.fetch_add(1, Ordering::Relaxed);
                    writeln!(std::io::stdout().lock(), "SKIPPED {name}: {error}").ok();
                    continue;
                }
                report => report.unwrap_or_else(|error| Report {
                    figures: "stopped by an error".to_owned(),
                    violations: vec![format!("the experiment stopped: {error}")],
                }),
            };
            let mut lines = format!("{title} (seed {}): {}\n", plan.seed, report.figures);
            for message in report.violations.iter().take(20) {
                lines.push_str(&format!("FAILED {name} --seed {}: {message}\n", plan.seed));
            }
            failed.fetch_add(usize::from(!report.violations.is_empty()), Ordering::Relaxed);
            let mut out = std::io::stdout().lock();
            out.write_all(lines.as_bytes()).and_then(|()| out.flush()).ok();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let (mut failed, mut skipped) = (failed.into_inner(), skipped.into_inner());
    let passed = chosen.len() - failed - skipped;
    if std::env::var("APB_REQUIRE_ALL").is_ok_and(|value| value == "1") {
        failed += std::mem::take(&mut skipped);
    }
    writeln!(std::io::stdout(), "{passed} passed, {failed} failed, {skipped} skipped")?;
    Ok(failed == 0)
}

/// Compiles the library that is preloaded into workers.
fn compile(work: &std::path::Path) -> Result<std::path::PathBuf> {
    let out = work.join("shim.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/shim.c");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let done = Command::new(compiler)
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-pthread", "-o"])
        .arg(&out)
        .arg(source)
        .output()?;
    if !done.status.success() {
        return Err(format!("shim.c does not compile:\n{}", String::from_utf8_lossy(&done.stderr)).into());
    }
    Ok(out)
}
