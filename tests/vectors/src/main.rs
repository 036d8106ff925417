//! Runs every vector through every language. See `README.md`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program: failing loudly and printing are its purpose"
)]

mod callers;
mod documented;
mod drift;
mod fixture;
mod languages;
mod proxy;
mod run;
mod server;
mod tls;
mod vector;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use languages::{LANGUAGES, Places};
use tls::Authority;
use vector::{File, Vector};

/// What was counted for one language.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    skipped: Option<String>,
    lines: Vec<String>,
}

fn main() -> ExitCode {
    match all() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(message) => {
            eprintln!("vectors: {message}");
            ExitCode::from(2)
        }
    }
}

fn all() -> Result<bool, String> {
    let only = std::env::var("APB_VECTOR").unwrap_or_default();
    let languages = std::env::var("APB_LANG").unwrap_or_default();
    let wanted = |language: &str| languages.is_empty() || languages.split(',').any(|l| l == language);
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = here.join("../..").canonicalize().map_err(|e| e.to_string())?;
    let work = std::env::temp_dir().join(format!("atlas-vectors-{}", std::process::id()));
    let authority = Authority::new(&work).map_err(|e| e.to_string())?;
    let places = Places { root, work };
    let mut files = vector::load(&here)?;
    if std::env::var_os("BLESS").is_some() {
        return bless(&mut files, &authority, &only).map(|()| true);
    }
    let vectors: Vec<&Vector> =
        files.iter().flat_map(|f| f.vectors.iter().map(|(v, _)| v)).filter(|v| v.id().contains(&only)).collect();
    println!("{} vectors in {} files", vectors.len(), files.len());
    let (authority, places, vectors, files) = (&authority, &places, &vectors, &files);
    let tallies: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = LANGUAGES
            .iter()
            .filter(|language| wanted(language))
            .map(|language| (*language, scope.spawn(move || run_language(language, vectors, places, authority))))
            .collect();
        let drift = (only.is_empty() || only == "drift").then(|| scope.spawn(move || run_drift(files, places)));
        let mut all: Vec<_> =
            threads.into_iter().map(|(language, t)| (language, t.join().expect("no panic"))).collect();
        if only.is_empty() || only == "documented" {
            all.push(("documented", run_documented(files, places)));
        }
        all.extend(drift.map(|t| ("drift", t.join().expect("no panic"))));
        all
    });
    Ok(report(&tallies))
}

/// Runs all vectors in one language.
fn run_language(language: &str, vectors: &[&Vector], places: &Places, authority: &Authority) -> Tally {
    let started = Instant::now();
    let mut tally = Tally::default();
    let mut caller = match languages::start(language, places) {
        Ok(caller) => caller,
        Err(why) => {
            tally.skipped = Some(why);
            return tally;
        }
    };
    for vector in vectors {
        let faults = match run::run(vector, &mut *caller, authority) {
            Ok(ran) => run::faults(vector, &ran),
            Err(e) => vec![e],
        };
        if faults.is_empty() {
            tally.passed += 1;
        } else {
            tally.failed += 1;
            tally.lines.push(format!("FAILED {language} {}\n    {}", vector.id(), faults.join("\n    ")));
            if faults.iter().any(|f| f.starts_with("the caller broke")) {
                match languages::start(language, places) {
                    Ok(again) => caller = again,
                    Err(_) => break,
                }
            }
        }
    }
    if let Some(vector) = vectors.iter().find(|v| v.reply.is_some()) {
        tally.lines.extend(self_check(language, vector, &mut *caller, authority));
        tally.failed += usize::from(tally.lines.last().is_some_and(|l| l.starts_with("FAILED self-check")));
    }
    tally.lines.push(format!("{language}: done in {:.1} s", started.elapsed().as_secs_f32()));
    tally
}

/// Changes every position of every answer; a sample of it through C as well.
fn run_drift(files: &[File], places: &Places) -> Tally {
    let started = Instant::now();
    let mut tally = Tally::default();
    let mut c = languages::start("c", places).ok();
    let vectors = files.iter().flat_map(|f| f.vectors.iter().map(|(v, _)| v));
    let other = c.as_mut().map(|c| &mut **c as &mut dyn callers::Caller);
    let drift = drift::run(vectors, other);
    (tally.passed, tally.failed) = (drift.cases - drift.failed.len(), drift.failed.len());
    tally.lines.extend(drift.failed.iter().take(50).map(|line| format!("FAILED drift {line}")));
    tally.lines.push(format!(
        "drift: {} changed answers through Rust, {} of them through C too, in {:.1} s",
        drift.cases,
        drift.shared,
        started.elapsed().as_secs_f32()
    ));
    tally
}

/// The vendor's own samples, which are not part of the repository.
fn run_documented(files: &[File], places: &Places) -> Tally {
    let beside = places.root.join("../shared/contract/samples");
    let directory = std::env::var_os("APB_SAMPLES").map_or(beside, PathBuf::from);
    let mut tally = Tally::default();
    if !directory.is_dir() {
        tally.skipped = Some("the vendor's samples are not here (APB_SAMPLES names their directory)".to_owned());
        return tally;
    }
    let vectors: Vec<&Vector> = files.iter().flat_map(|f| f.vectors.iter().map(|(v, _)| v)).collect();
    for (name, faults) in documented::run(&directory, &vectors) {
        if faults.is_empty() {
            tally.passed += 1;
        } else {
            tally.failed += 1;
            tally.lines.push(format!("FAILED documented {name}: {}", faults.join("; ")));
        }
    }
    tally
}

/// One changed byte must fail, else the comparison proves nothing.
fn self_check(
    language: &str,
    vector: &Vector,
    caller: &mut dyn callers::Caller,
    authority: &Authority,
) -> Option<String> {
    let mut changed = vector.clone();
    let text = vector.reply.as_ref()?.get().replacen("\"warnings\":", "\"warnings\": ", 1);
    changed.reply = serde_json::value::RawValue::from_string(text).ok();
    match run::run(&changed, caller, authority) {
        Ok(ran) if run::faults(&changed, &ran).is_empty() => {
            Some(format!("FAILED self-check: {language} did not notice a changed byte"))
        }
        _ => None,
    }
}

/// Prints what was counted; false if anything failed, or was skipped where nothing may be.
fn report(tallies: &[(&str, Tally)]) -> bool {
    let require_all = std::env::var("APB_REQUIRE_ALL").is_ok_and(|v| v == "1");
    let (mut passed, mut failed, mut skipped, mut missing) = (0, 0, 0, 0);
    for (_, tally) in tallies {
        tally.lines.iter().for_each(|line| println!("{line}"));
    }
    for (language, tally) in tallies {
        match &tally.skipped {
            Some(why) => {
                println!("{language:>10}: SKIPPED: {why}");
                skipped += 1;
                missing += usize::from(LANGUAGES.contains(language));
            }
            None => println!("{language:>10}: {} passed, {} failed", tally.passed, tally.failed),
        }
        passed += tally.passed;
        failed += tally.failed;
    }
    if require_all && missing > 0 {
        println!("APB_REQUIRE_ALL=1: a skipped language is a failure");
        failed += missing;
        skipped -= missing;
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    failed == 0
}

/// Writes the replies of the Rust core into the files, to be reviewed by a human.
fn bless(files: &mut [File], authority: &Authority, only: &str) -> Result<(), String> {
    for file in files {
        for (vector, members) in &mut file.vectors {
            if !vector.id().contains(only) {
                continue;
            }
            let ran = run::run(vector, &mut callers::InProcess, authority)?;
            let json = run::settled(vector, &String::from_utf8_lossy(&ran.answer.json));
            let reply = serde_json::value::RawValue::from_string(json).map_err(|e| e.to_string())?;
            members.0.retain(|(key, _)| key != "reply");
            // Descriptions change with every comment; that all languages give the same is enough.
            if vector.verb == vector::Verb::Describe {
                continue;
            }
            if vector.wire.is_none()
                && let Some(request) = ran.requests.first()
            {
                let path = serde_json::Value::from(request.path.as_str());
                let wire = format!("{{\"path\":{path},\"body\":{}}}", String::from_utf8_lossy(&request.body));
                members.0.push((
                    "wire".to_owned(),
                    serde_json::value::RawValue::from_string(wire).map_err(|e| e.to_string())?,
                ));
            }
            members.0.push(("reply".to_owned(), reply.clone()));
            vector.reply = Some(reply);
            for fault in run::faults(vector, &ran) {
                println!("{}: {fault}", vector.id());
            }
        }
        let blessed = file.vectors.iter().filter(|(v, _)| v.id().contains(only)).count();
        if blessed > 0 {
            file.save().map_err(|e| e.to_string())?;
            println!("{}: {blessed} replies", file.path.display());
        }
    }
    Ok(())
}
