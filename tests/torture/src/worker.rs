//! The program under torture: reads calls from its standard input, answers each with one line.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use atlas_postbooking::blocking::Client;
use serde_json::{Value, json};

use crate::baseline::Baseline;
use crate::harness::{Lane, Res, flag};

/// `atlas-torture worker CONFIG`: every line of the input is `[operation, request, options]`.
pub fn serve(config: &str) -> Res<()> {
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

/// The library, or the control.
enum Caller {
    Real(Client),
    Baseline(Baseline),
}

/// When a worker is to be ended.
#[derive(Clone, Debug, PartialEq)]
pub enum WorkerExit {
    /// By itself.
    Normal,
    /// At a step of its own: `12:torn`. With a seed for what a loss of power spares.
    Step(String, u64),
    /// After microseconds.
    After(u64),
}

/// What a worker that ran to its end, or to its kill, has said.
pub struct Said {
    /// Whole lines only.
    pub replies: Vec<Value>,
    /// It was killed.
    pub killed: bool,
    /// How it ended otherwise, unless well.
    pub complaint: Option<String>,
}

/// Another process with a client in it.
pub struct Worker {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts one with a configuration.
    pub fn start(config: &Value) -> Res<Worker> {
        Worker::spawn(&mut command(config)?)
    }

    /// Starts one under the shim, which writes what it does to `log` and ends it at its step.
    pub fn shimmed(lane: &Lane, exit: &WorkerExit, log: Option<&std::path::Path>) -> Res<Worker> {
        let mut command = command(&lane.config())?;
        command.env("LD_PRELOAD", lane.shim()).env("APB_SHIM_STORE", lane.store());
        command.env("APB_SHIM_UNDO", lane.home().join("undo"));
        if let Some(log) = log {
            command.env("APB_SHIM_LOG", log);
        }
        if let WorkerExit::Step(step, seed) = exit {
            command.env("APB_SHIM_KILL", step).env("APB_SHIM_SEED", seed.to_string());
        }
        Worker::spawn(&mut command)
    }

    fn spawn(command: &mut Command) -> Res<Worker> {
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

    /// Sends a call without waiting. A dead worker takes nothing, which its answer will show.
    pub fn ask(&mut self, operation: &str, request: &Value, options: &Value) {
        let line = format!("{}\n", json!([operation, request, options]));
        if let Some(input) = &mut self.input {
            input.write_all(line.as_bytes()).and_then(|()| input.flush()).ok();
        }
    }

    /// The next answer.
    pub fn answer(&mut self) -> Res<Value> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err(format!("the worker is gone: {}", self.last_words()).into());
        }
        Ok(serde_json::from_str(&line)?)
    }

    /// One call.
    pub fn call(&mut self, operation: &str, request: &Value) -> Res<Value> {
        self.ask(operation, request, &Value::Null);
        self.answer()
    }

    /// No more calls: lets it end, or ends it, and hears what it has said.
    pub fn finish(mut self, exit: &WorkerExit) -> Res<Said> {
        self.input = None;
        if let WorkerExit::After(micros) = exit {
            std::thread::sleep(Duration::from_micros(*micros));
            self.child.kill().ok();
        }
        let mut text = String::new();
        self.output.read_to_string(&mut text)?;
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let replies = whole.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        let words = self.last_words();
        let status = self.child.wait()?;
        let killed = status.signal() == Some(9);
        let complaint = (!killed && (!status.success() || !words.is_empty())).then(|| format!("{status}: {words}"));
        Ok(Said { replies, killed, complaint })
    }

    fn last_words(&mut self) -> String {
        let mut words = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut words).ok();
        }
        words
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn command(config: &Value) -> Res<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("worker").arg(config.to_string());
    Ok(command)
}
