//! Runs every vector through every language. See `README.md`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program may panic and print"
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

use languages::Directories;
use tls::Authority;
use vector::{File, Vector};

/// The counts of one language.
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
    let filter = std::env::var("APB_VECTOR").unwrap_or_default();
    let languages = std::env::var("APB_LANG").unwrap_or_default();
    let wanted = |language: &str| languages.is_empty() || languages.split(',').any(|l| l == language);
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let root = here.join("../..").canonicalize().map_err(|e| e.to_string())?;
    let work = std::env::temp_dir().join(format!("atlas-vectors-{}", std::process::id()));
    let authority = Authority::new(&work).map_err(|e| e.to_string())?;
    let directories = Directories { root, work, given: languages::given()? };
    let mut files = vector::load(&here)?;
    if std::env::var_os("BLESS").is_some() {
        return bless(&mut files, &authority, &filter).map(|()| true);
    }
    let vectors: Vec<&Vector> =
        files.iter().flat_map(|f| f.vectors.iter().map(|(v, _)| v)).filter(|v| v.id().contains(&filter)).collect();
    println!("{} vectors in {} files", vectors.len(), files.len());
    let (authority, directories, vectors, files) = (&authority, &directories, &vectors, &files);
    let tallies: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = directories
            .languages()
            .into_iter()
            .filter(|language| wanted(language))
            .map(|language| (language, scope.spawn(move || run_language(language, vectors, directories, authority))))
            .collect();
        let has = |check: &str| wanted(check) && (filter.is_empty() || filter == check);
        let drift = has("drift").then(|| scope.spawn(move || run_drift(files, directories)));
        let mut all: Vec<_> =
            threads.into_iter().map(|(language, t)| (language, t.join().expect("no panic"))).collect();
        if has("documented") {
            all.push(("documented", run_documented(files, directories)));
        }
        all.extend(drift.map(|t| ("drift", t.join().expect("no panic"))));
        all
    });
    Ok(report(&tallies, &directories.languages()))
}

/// Runs all vectors with one language.
fn run_language(language: &str, vectors: &[&Vector], directories: &Directories, authority: &Authority) -> Tally {
    let started = Instant::now();
    let mut tally = Tally::default();
    let mut caller = match languages::start(language, directories) {
        Ok(caller) => caller,
        Err(reason) => {
            tally.skipped = Some(reason);
            return tally;
        }
    };
    for vector in vectors {
        let mismatches = match run::run(vector, &mut *caller, authority) {
            Ok(result) => run::mismatches(vector, &result),
            Err(e) => vec![e],
        };
        if mismatches.is_empty() {
            tally.passed += 1;
        } else {
            tally.failed += 1;
            tally.lines.push(format!("FAILED {language} {}\n    {}", vector.id(), mismatches.join("\n    ")));
            if mismatches.iter().any(|f| f.starts_with("the caller failed")) {
                match languages::start(language, directories) {
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

/// The drift test in Rust; every 97th case through C as well.
fn run_drift(files: &[File], directories: &Directories) -> Tally {
    let started = Instant::now();
    let mut tally = Tally::default();
    let mut c = languages::start("c", directories).ok();
    let vectors = files.iter().flat_map(|f| f.vectors.iter().map(|(v, _)| v));
    let c_caller = c.as_mut().map(|c| &mut **c as &mut dyn callers::Caller);
    let drift = drift::run(vectors, c_caller);
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

/// Runs the vendor's published samples, which are not part of the repository.
fn run_documented(files: &[File], directories: &Directories) -> Tally {
    let default = directories.root.join("../shared/contract/samples");
    let directory = std::env::var_os("APB_SAMPLES").map_or(default, PathBuf::from);
    let mut tally = Tally::default();
    if !directory.is_dir() {
        tally.skipped = Some("the vendor's samples are not available (set APB_SAMPLES to their directory)".to_owned());
        return tally;
    }
    let vectors: Vec<&Vector> = files.iter().flat_map(|f| f.vectors.iter().map(|(v, _)| v)).collect();
    for (name, mismatches) in documented::run(&directory, &vectors) {
        if mismatches.is_empty() {
            tally.passed += 1;
        } else {
            tally.failed += 1;
            tally.lines.push(format!("FAILED documented {name}: {}", mismatches.join("; ")));
        }
    }
    tally
}

/// A vector with one changed byte must fail; otherwise the comparison does not work.
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
        Ok(result) if run::mismatches(&changed, &result).is_empty() => {
            Some(format!("FAILED self-check: {language} did not notice a changed byte"))
        }
        _ => None,
    }
}

/// Prints the counts. The result is false if anything failed, or was skipped with APB_REQUIRE_ALL=1.
fn report(tallies: &[(&str, Tally)], languages: &[&str]) -> bool {
    let require_all = std::env::var("APB_REQUIRE_ALL").is_ok_and(|v| v == "1");
    let (mut passed, mut failed, mut skipped, mut missing) = (0, 0, 0, 0);
    for (_, tally) in tallies {
        tally.lines.iter().for_each(|line| println!("{line}"));
    }
    for (language, tally) in tallies {
        match &tally.skipped {
            Some(reason) => {
                println!("{language:>10}: SKIPPED: {reason}");
                skipped += 1;
                missing += usize::from(languages.contains(language));
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

/// Writes the replies of the Rust core into the files. They must be reviewed.
fn bless(files: &mut [File], authority: &Authority, filter: &str) -> Result<(), String> {
    for file in files {
        for (vector, members) in &mut file.vectors {
            if !vector.id().contains(filter) {
                continue;
            }
            let result = run::run(vector, &mut callers::InProcess, authority)?;
            let json = run::normalised(vector, &String::from_utf8_lossy(&result.answer.json));
            let reply = serde_json::value::RawValue::from_string(json).map_err(|e| e.to_string())?;
            members.0.retain(|(key, _)| key != "reply");
            // Descriptions contain the comments of the sources, so they are only compared between the languages.
            if vector.verb == vector::Verb::Describe {
                continue;
            }
            if vector.wire.is_none()
                && let Some(request) = result.requests.first()
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
            for mismatch in run::mismatches(vector, &result) {
                println!("{}: {mismatch}", vector.id());
            }
        }
        let blessed = file.vectors.iter().filter(|(v, _)| v.id().contains(filter)).count();
        if blessed > 0 {
            file.save().map_err(|e| e.to_string())?;
            println!("{}: {blessed} replies", file.path.display());
        }
    }
    Ok(())
}
