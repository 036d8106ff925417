//! The worker process: reads calls from standard input and answers each with one line of JSON.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use atlas_postbooking::blocking::Client;
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::baseline::Baseline;
use crate::harness::{Lane, Result, flag};

/// `atlas-torture worker CONFIG`: every line of the input is `[operation, request, options]`.
pub fn serve(config: &str) -> Result<()> {
    let mut out = std::io::stdout();
    let parsed: Value = serde_json::from_str(config)?;
    let client = match flag(&parsed, "baseline") {
        true => Caller::Baseline(Baseline::new(&parsed)?),
        false => Caller::Real(Client::new(config)?),
    };
    for line in std::io::stdin().lines() {
        let call: (String, Value, Value) = serde_json::from_str(&line?)?;
        let options = if call.2.is_null() { String::new() } else { call.2.to_string() };
        let mut json = match &client {
            Caller::Real(client) => client.call(&call.0, &call.1.to_string(), &options).json().to_owned(),
            Caller::Baseline(baseline) => baseline.call(&call.0, &call.1)?.to_string(),
        };
        json.push('\n');
        out.write_all(json.as_bytes())?;
        out.flush()?;
    }
    Ok(())
}

/// The client under test: the library, or the baseline client.
enum Caller {
    Real(Client),
    Baseline(Baseline),
}

/// When a worker is killed.
#[derive(Clone, Debug, PartialEq)]
pub enum KillPlan {
    /// Not at all.
    Never,
    /// At a step: `12:torn`. The seed selects the unsynced writes that a loss of power does not revert (0: none).
    Step(String, u64),
    /// After microseconds.
    After(u64),
}

/// The output of a worker that has ended.
pub struct WorkerOutput {
    /// Complete lines only.
    pub replies: Vec<Value>,
    /// It was killed.
    pub killed: bool,
    /// The exit status and standard error, if it failed without being killed.
    pub failure: Option<String>,
}

/// A process with a client.
pub struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts a worker with a configuration.
    pub fn start(config: &Value) -> Result<Worker> {
        Worker::spawn(&mut command(config)?)
    }

    /// Starts a worker with the shim, which logs its system calls to `log` and kills it at the planned step.
    pub fn shimmed(lane: &Lane, kill_plan: &KillPlan, log: Option<&Path>) -> Result<Worker> {
        let mut command = command(&lane.config())?;
        command.env("LD_PRELOAD", lane.shim()).env("APB_SHIM_STORE", lane.store());
        command.env("APB_SHIM_UNDO", lane.home().join("undo"));
        if let Some(log) = log {
            command.env("APB_SHIM_LOG", log);
        }
        if let KillPlan::Step(step, seed) = kill_plan {
            command.env("APB_SHIM_KILL", step).env("APB_SHIM_SEED", seed.to_string());
        }
        Worker::spawn(&mut command)
    }

    /// Starts a worker as the only process of a host of its own: `host` holds its boot id, and its clock since the boot
    /// is ahead by so many seconds.
    pub fn on_host(config: &Value, host: &Path, uptime: u32) -> Result<Worker> {
        Worker::spawn(host_command(host, uptime).arg(std::env::current_exe()?).arg("worker").arg(config.to_string()))
    }

    /// Why this machine cannot have such hosts.
    pub fn no_hosts(host: &Path) -> Option<String> {
        match host_command(host, 1).arg("true").output() {
            Ok(done) if done.status.success() => None,
            Ok(done) => Some(String::from_utf8_lossy(&done.stderr).trim().to_owned()),
            Err(error) => Some(format!("unshare: {error}")),
        }
    }

    /// The process of a worker of [`Worker::on_host`], for signals: the child of the one that was started.
    pub fn inner(&self) -> Result<Pid> {
        let pid = self.child.id();
        for _ in 0..10_000 {
            let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
            if let Some(child) = children.split_whitespace().next() {
                return Ok(Pid::from_raw(child.parse()?));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Err("a host has no process".into())
    }

    fn spawn(command: &mut Command) -> Result<Worker> {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().ok_or("no output")?);
        Ok(Worker { child, input, output })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a call without waiting for the answer. If the worker has ended, `receive` returns the error.
    pub fn send(&mut self, operation: &str, request: &Value, options: &Value) {
        let line = format!("{}\n", json!([operation, request, options]));
        if let Some(input) = &mut self.input {
            input.write_all(line.as_bytes()).and_then(|()| input.flush()).ok();
        }
    }

    /// Receives the next answer.
    pub fn receive(&mut self) -> Result<Value> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(format!("the worker has ended: {}", self.stderr()).into());
        }
        Ok(serde_json::from_str(&line)?)
    }

    /// Sends a call and receives its answer.
    pub fn call(&mut self, operation: &str, request: &Value) -> Result<Value> {
        self.send(operation, request, &Value::Null);
        self.receive()
    }

    /// Closes the input, waits or kills by plan, and reads the remaining output.
    pub fn finish(mut self, kill_plan: &KillPlan) -> Result<WorkerOutput> {
        self.input = None;
        if let KillPlan::After(micros) = kill_plan {
            std::thread::sleep(Duration::from_micros(*micros));
            self.child.kill().ok();
        }
        let mut text = String::new();
        self.output.read_to_string(&mut text)?;
        let complete = text.rsplit_once('\n').map_or("", |(complete, _)| complete);
        let replies = complete.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let message = self.stderr();
        let status = self.child.wait()?;
        let killed = status.signal() == Some(9);
        let failure = (!killed && (!status.success() || !message.is_empty())).then(|| format!("{status}: {message}"));
        Ok(WorkerOutput { replies, killed, failure })
    }

    fn stderr(&mut self) -> String {
        let mut message = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut message).ok();
        }
        message
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Runs what is appended in namespaces of its own: of processes, of mounts for its boot id, of the clock since the boot.
fn host_command(host: &Path, uptime: u32) -> Command {
    const RENAMED: &str = "mount --bind \"$0\" /proc/sys/kernel/random/boot_id && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--pid", "--mount", "--mount-proc", "--fork", "--kill-child", "--time", "--boottime"]);
    command.arg(uptime.to_string()).args(["sh", "-c", RENAMED]).arg(host);
    command
}

fn command(config: &Value) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("worker").arg(config.to_string());
    Ok(command)
}
