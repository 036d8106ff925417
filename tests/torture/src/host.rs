//! A host: a worker with a boot id, process ids and a clock of its own, behind a proxy to the database and one to the
//! vendor.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::thread;

use fastrand::Rng;
use nix::sys::signal::{Signal, kill};
use serde_json::Value;

use crate::case_kinds::put;
use crate::gate::{Barrier, Cut, Gate};
use crate::harness::{Lane, Result, lock, text};
use crate::incidents::{Fault, Incident, Trigger};
use crate::worker::Worker;

/// See the module.
pub struct Host {
    /// Its number in the lane.
    pub number: usize,
    home: PathBuf,
    config: Value,
    database: Gate,
    vendor: Gate,
    rng: Rng,
    worker: Option<Worker>,
}

/// The end of a call.
pub struct Called {
    /// None if the host was killed before it answered, or had no store to begin with.
    pub reply: Option<Value>,
    /// The fault struck.
    pub struck: bool,
}

/// A fault strikes once, and not after its call.
#[derive(Default)]
struct Phase {
    is_over: bool,
    struck: bool,
}

impl Host {
    /// A host that is not started yet.
    pub fn new(lane: &Lane, config: &Value, number: usize, ports: (u16, u16)) -> Result<Host> {
        let (database, vendor) = (Gate::start(ports.0)?, Gate::start(ports.1)?);
        let home = lane.home().join(format!("host-{number}"));
        std::fs::create_dir_all(&home)?;
        let mut config = config.clone();
        let url = text(config.get("store").unwrap_or(&Value::Null), "url");
        let url = url.replace(&format!(":{}/", ports.0), &format!(":{}/", database.port()));
        put(&mut config, "store", serde_json::json!({"url": url, "witnessFile": home.join("witness")}));
        put(&mut config, "baseUrl", format!("http://127.0.0.1:{}", vendor.port()).into());
        let rng = Rng::with_seed(lane.rng.clone().u64(..).wrapping_add(number as u64));
        Ok(Host { number, home, config, database, vendor, rng, worker: None })
    }

    /// A worker, started anew with another boot id if the host was killed.
    fn worker(&mut self) -> Result<&mut Worker> {
        if self.worker.is_none() {
            let boot = self.home.join("boot_id");
            std::fs::write(&boot, format!("{:032x}\n", self.rng.u128(..)))?;
            // Hosts do not agree on how long they have been running.
            self.worker = Some(Worker::on_host(&self.config, &boot, self.rng.u32(1..1_000_000))?);
        }
        self.worker.as_mut().ok_or_else(|| "a host has no worker".into())
    }

    /// A call, with what befalls the host meanwhile.
    pub fn call(
        &mut self,
        operation: &str,
        request: &Value,
        timeout: u64,
        incident: Option<&Incident>,
    ) -> Result<Called> {
        // One fault at a time.
        self.database.wait_until_open();
        self.vendor.wait_until_open();
        let pid = self.worker()?.inner()?;
        let phase = Arc::new(Mutex::new(Phase::default()));
        if let Some(incident) = incident {
            let strike = strike(incident, pid, self.database.barrier(), self.vendor.barrier(), phase.clone());
            match &incident.trigger {
                Trigger::Database(moment) => self.database.arm(*moment, strike),
                Trigger::Vendor(moment) => self.vendor.arm(*moment, strike),
                Trigger::Time(time) => {
                    let time = *time;
                    thread::spawn(move || {
                        thread::sleep(time);
                        strike();
                    });
                }
            }
        }
        let worker = self.worker()?;
        worker.send(operation, request, &serde_json::json!({"timeoutMs": timeout}));
        let reply = worker.receive();
        let struck = {
            let mut phase = lock(&phase);
            phase.is_over = true;
            phase.struck
        };
        self.database.disarm();
        self.vendor.disarm();
        if struck && incident.is_some_and(|incident| matches!(incident.fault, Fault::Kill { .. })) {
            self.worker = None;
            return Ok(Called { reply: reply.ok(), struck });
        }
        match reply {
            // A client that cannot open its store is none: the host starts another one.
            Err(error) if error.to_string().contains("the store's server") => {
                self.worker = None;
                Ok(Called { reply: None, struck })
            }
            reply => Ok(Called { reply: Some(reply?), struck }),
        }
    }
}

/// What the fault does.
fn strike(
    incident: &Incident,
    pid: nix::unistd::Pid,
    database: Barrier,
    vendor: Barrier,
    phase: Arc<Mutex<Phase>>,
) -> impl FnOnce() + Send + 'static {
    let incident = incident.clone();
    move || {
        let mut phase = lock(&phase);
        if phase.is_over {
            return;
        }
        phase.struck = true;
        match incident.fault {
            Fault::Kill { loses_message } => {
                kill(pid, Signal::SIGKILL).ok();
                if loses_message {
                    let moment = std::time::Duration::from_millis(20);
                    database.cut(Cut::Closed, moment);
                    vendor.cut(Cut::Closed, moment);
                }
            }
            Fault::Stop(time) => {
                kill(pid, Signal::SIGSTOP).ok();
                thread::spawn(move || {
                    thread::sleep(time);
                    kill(pid, Signal::SIGCONT).ok();
                });
            }
            Fault::Database(cut, time) => database.cut(cut, time),
            Fault::Vendor(cut, time) => vendor.cut(cut, time),
        }
    }
}
