//! Stress tests of the promises on cases, with the simulator's ledger as the oracle. See `README.md`.

mod baseline;
mod blind;
mod clocks;
mod codes;
mod crowd;
mod days;
mod disk;
mod drift;
mod dying;
mod harness;
mod kills;
mod kinds;
mod lost;
mod notifications;
mod oracle;
mod ordered;
mod power;
mod server;
mod settle;
mod storm;
mod trace;
mod worker;

use std::io::Write;
use std::process::{Command, ExitCode};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use harness::{Plan, Report, Res};
use lexopt::{Arg, Parser, ValueExt};

/// A name, what its line says first, and the experiment.
type Experiment = (&'static str, &'static str, fn(&Plan) -> Res<Report>);

const EXPERIMENTS: &[Experiment] = &[
    ("control", "E0 control", baseline::run),
    ("order", "E1 order of things", ordered::run),
    ("kills", "E1 kills", kills::run),
    ("power", "E1 loss of power", power::run),
    ("lost", "E2 lost replies", lost::run),
    ("codes", "E2c codes", codes::run),
    ("blind", "E2d blind queries", blind::run),
    ("late", "E2b late submits", lost::late),
    ("dying", "E3 dying connections", dying::run),
    ("drift", "E7 drift", drift::run),
    ("disk", "E8 failing disk", disk::run),
    ("crowd", "E9 crowds", crowd::run),
    ("storm", "E10 storms", storm::run),
    ("days", "E11 ninety days", days::run),
    ("hooks", "E12 notifications", notifications::run),
    ("clocks", "E13 clock jumps", clocks::run),
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

fn all() -> Res<bool> {
    let (mut seed, mut long, mut lane, mut wanted) = (None, false, None, Vec::new());
    let mut parser = Parser::from_env();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Value(word) if word == "worker" => {
                worker::serve(&parser.value()?.string()?)?;
                return Ok(true);
            }
            Arg::Value(word) => wanted.push(word.string()?),
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

/// Runs what is wanted, two at a time since much of it is waiting, and a line for each as it ends; false if a
/// promise was broken.
fn experiments(plan: &Plan, wanted: &[String]) -> Res<bool> {
    let chosen: Vec<&Experiment> =
        EXPERIMENTS.iter().filter(|(name, ..)| wanted.is_empty() || wanted.iter().any(|one| one == name)).collect();
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some((name, title, run)) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
            let report = run(plan).unwrap_or_else(|error| Report {
                figures: "broke off".to_owned(),
                violations: vec![format!("the experiment broke off: {error}")],
            });
            let mut reported = format!("{title} (seed {}): {}\n", plan.seed, report.figures);
            for words in report.violations.iter().take(20) {
                reported.push_str(&format!("FAILED {name} --seed {}: {words}\n", plan.seed));
            }
            failed.fetch_add(usize::from(!report.violations.is_empty()), Ordering::Relaxed);
            let mut out = std::io::stdout().lock();
            out.write_all(reported.as_bytes()).and_then(|()| out.flush()).ok();
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(work);
        scope.spawn(work);
    });
    let failed = failed.into_inner();
    writeln!(std::io::stdout(), "{} passed, {failed} failed, 0 skipped", chosen.len() - failed)?;
    Ok(failed == 0)
}

/// The library that is preloaded into workers.
fn compile(work: &std::path::Path) -> Res<std::path::PathBuf> {
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
