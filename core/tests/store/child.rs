//! Runs steps in a child process: this program again, with a plan in its environment.

use std::io::Read;
use std::process::{Child, Command, Stdio};

use atlas_postbooking::blocking::Client;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use serde_json::{Value, json};

use crate::fixture::{beside, call};

const PLAN: &str = "APB_STORE_CHILD";
const MARK: &str = "@@";

/// Starts a child. `plan`: `config`, `steps`, and optionally `uid`, `umask`, `scenario`.
pub fn start(plan: &Value) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child::child", "--nocapture", "--test-threads=1"])
        .env(PLAN, plan.to_string())
        .current_dir("/")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The results of a child, one for each step.
pub fn results(child: Child) -> Vec<Value> {
    let mut child = child;
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success(), "{text}");
    text.lines().filter_map(|line| line.strip_prefix(MARK)).map(|json| serde_json::from_str(json).unwrap()).collect()
}

pub fn report(value: &Value) {
    println!("\n{MARK}{value}");
}

#[test]
fn child() {
    let Ok(plan) = std::env::var(PLAN) else { return };
    let plan: Value = serde_json::from_str(&plan).unwrap();
    if let Some(mask) = plan["umask"].as_u64() {
        nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(mask as u32));
    }
    if let Some(uid) = plan["uid"].as_u64() {
        nix::unistd::setuid((uid as u32).into()).unwrap();
    }
    match plan["scenario"].as_str() {
        Some("fork") => crate::sharing::fork_scenario(&plan),
        Some("chdir") => crate::sharing::chdir_scenario(&plan),
        Some("same number") => crate::sharing::same_number_scenario(&plan),
        Some("create") => crate::sharing::create_scenario(&plan),
        _ => steps(&plan),
    }
}

fn steps(plan: &Value) {
    // At the size limit a write then fails, instead of ending the process.
    // SAFETY: no handler is installed, the signal is only ignored.
    unsafe { nix::sys::signal::signal(nix::sys::signal::SIGXFSZ, nix::sys::signal::SigHandler::SigIgn) }.unwrap();
    let client = match Client::new(&plan["config"].to_string()) {
        Ok(client) => client,
        Err(error) => return report(&json!({"code": error.code.as_str(), "status": error.status.number()})),
    };
    let log = beside(std::path::Path::new(plan["config"]["store"]["path"].as_str().unwrap()), "-wal");
    let (_, most) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    for step in plan["steps"].as_array().unwrap() {
        if let Some(room) = step["room"].as_u64() {
            // The log may still grow by so many bytes.
            let length = std::fs::metadata(&log).map_or(0, |m| m.len());
            setrlimit(Resource::RLIMIT_FSIZE, length + room, most).unwrap();
        }
        let answer = call(&client, step["call"].as_str().unwrap(), step["request"].clone());
        setrlimit(Resource::RLIMIT_FSIZE, most, most).unwrap();
        report(&answer);
    }
}
