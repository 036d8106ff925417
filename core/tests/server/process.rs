//! A process of another host: this program again, in a namespace of process ids of its own, so that nobody outside can
//! tell from its number whether it lives.

use std::io::Read;
use std::process::{Child, Command, Stdio};

use atlas_postbooking::blocking::Client;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

const PLAN: &str = "APB_SERVER_CHILD";
const MARK: &str = "@@";

pub struct Host {
    /// `unshare`, which ends its child when it is killed.
    outer: Child,
}

impl Host {
    /// Runs `calls`, each `[operation, request, options]`, with a client of `config`.
    pub fn start(config: &Value, calls: &Value) -> Host {
        let plan = serde_json::json!({"config": config, "calls": calls});
        let outer = Command::new("unshare")
            .args(["--pid", "--fork", "--kill-child"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", "process::child", "--nocapture", "--test-threads=1"])
            .env(PLAN, plan.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Host { outer }
    }

    fn signal(&self, signal: Signal) {
        let pid = self.outer.id();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        let child = children.split_whitespace().next().unwrap().parse().unwrap();
        kill(Pid::from_raw(child), signal).unwrap();
    }

    pub fn stop(&self) {
        self.signal(Signal::SIGSTOP);
    }

    pub fn go_on(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// As by a host that loses its power.
    pub fn kill(mut self) {
        // It ends its child by the same signal.
        self.outer.kill().unwrap();
        self.outer.wait().unwrap();
    }

    pub fn is_over(&mut self) -> bool {
        self.outer.try_wait().unwrap().is_some()
    }

    /// Waits for its end; the replies of its calls.
    pub fn replies(mut self) -> Vec<Value> {
        let mut text = String::new();
        self.outer.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        self.outer.wait().unwrap();
        text.lines()
            .filter_map(|line| line.strip_prefix(MARK))
            .map(|json| serde_json::from_str(json).unwrap())
            .collect()
    }
}

#[test]
fn child() {
    let Ok(plan) = std::env::var(PLAN) else { return };
    let plan: Value = serde_json::from_str(&plan).unwrap();
    let client = Client::new(&plan["config"].to_string()).unwrap();
    for call in plan["calls"].as_array().unwrap() {
        let options = if call[2].is_null() { String::new() } else { call[2].to_string() };
        let reply = client.call(call[0].as_str().unwrap(), &call[1].to_string(), &options);
        println!("\n{MARK}{}", reply.json());
    }
}
