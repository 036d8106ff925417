//! The system calls of a worker, as the shim recorded them.

use crate::harness::{Lane, Res};
use crate::kinds::Kind;
use crate::worker::{Worker, WorkerExit};

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// connect, send, recv, pwrite, fdatasync…
    pub call: String,
    /// The descriptor.
    pub fd: String,
    /// `net`, or the name of a file of the store.
    pub target: String,
    /// The first bytes, printable.
    pub head: String,
}

impl Step {
    /// Makes earlier writes to its file last.
    pub fn syncs(&self) -> bool {
        matches!(self.call.as_str(), "fsync" | "fdatasync")
    }

    /// Gives bytes to a connection.
    pub fn sends(&self) -> bool {
        self.target == "net" && matches!(self.call.as_str(), "send" | "write" | "writev")
    }

    /// Changes a file of the store.
    pub fn writes(&self) -> bool {
        self.target != "net" && matches!(self.call.as_str(), "write" | "pwrite" | "ftruncate")
    }
}

/// All steps of one worker that opened one case and ended by itself.
pub struct Trace {
    /// In their order; the shim counts from 1.
    pub steps: Vec<Step>,
}

impl Trace {
    /// Opens a case of this kind undisturbed.
    pub fn of(lane: &Lane, kind: Kind) -> Res<Trace> {
        let log = lane.home().join(format!("{}.trace", kind.word()));
        let mut dice = lane.dice.clone();
        let spec =
            kind.spec(&lane.atlas, &mut dice, format!("trace-{}-{}", kind.word(), lane.atlas.request_count()))?;
        let mut worker = Worker::shimmed(lane, &WorkerExit::Normal, Some(&log))?;
        worker.call("case.open", &spec.request)?;
        let said = worker.finish(&WorkerExit::Normal)?;
        if let Some(words) = said.complaint {
            return Err(format!("the traced worker: {words}").into());
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
