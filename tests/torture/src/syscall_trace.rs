//! The system calls of a worker, as recorded by the shim.

use crate::case_kinds::Kind;
use crate::harness::{Lane, Result};
use crate::worker::{KillPlan, Worker};

/// One recorded system call.
#[derive(Clone, Debug)]
pub struct Step {
    /// The name: connect, send, recv, pwrite, fdatasync…
    pub call: String,
    /// The descriptor.
    pub fd: String,
    /// `net`, or the name of a file of the store.
    pub target: String,
    /// The first bytes, printable.
    pub head: String,
}

impl Step {
    /// Syncs its file.
    pub fn syncs(&self) -> bool {
        matches!(self.call.as_str(), "fsync" | "fdatasync")
    }

    /// Sends bytes on a socket.
    pub fn sends(&self) -> bool {
        self.target == "net" && matches!(self.call.as_str(), "send" | "write" | "writev")
    }

    /// Changes a file of the store; the witness beside it need not be synced.
    pub fn writes(&self) -> bool {
        self.target != "net"
            && !self.target.ends_with("-witness")
            && matches!(self.call.as_str(), "write" | "pwrite" | "ftruncate")
    }
}

/// All steps of a worker that opened one case and was not killed.
pub struct Trace {
    /// In order of execution; the shim counts from 1.
    pub steps: Vec<Step>,
}

impl Trace {
    /// Records a worker that opens a case of this kind.
    pub fn of(lane: &Lane, kind: Kind) -> Result<Trace> {
        let log = lane.home().join(format!("{}.trace", kind.wire_name()));
        let mut rng = lane.rng.clone();
        let case_request = kind.case_request(
            &lane.atlas,
            &mut rng,
            format!("trace-{}-{}", kind.wire_name(), lane.atlas.request_count()),
        )?;
        let mut worker = Worker::shimmed(lane, &KillPlan::Never, Some(&log))?;
        worker.call("case.open", &case_request.request)?;
        let output = worker.finish(&KillPlan::Never)?;
        if let Some(message) = output.failure {
            return Err(format!("the traced worker: {message}").into());
        }
        let text = std::fs::read_to_string(&log)?;
        std::fs::remove_file(&log)?;
        Ok(Trace { steps: text.lines().filter_map(step).collect() })
    }
}

fn step(line: &str) -> Option<Step> {
    let mut parts = line.splitn(6, '\t').map(str::to_owned);
    parts.next()?;
    Some(Step {
        call: parts.next()?,
        fd: parts.next()?,
        target: parts.next()?,
        head: {
            parts.next()?;
            parts.next()?
        },
    })
}
