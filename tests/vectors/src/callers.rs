//! The callers: Rust in this process, every other language as one process.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use atlas_postbooking::{Reply, dispatch};

use crate::vector::Verb;

/// A call for a caller.
pub struct Call {
    pub verb: Verb,
    pub times: usize,
    pub operation: Vec<u8>,
    pub config: Vec<u8>,
    pub request: Vec<u8>,
    pub options: Vec<u8>,
}

/// The answer of a caller: the values of the accessors, and the two texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: i32,
    /// 0 unknown, 1 executed, 2 not executed.
    pub outcome: i32,
    /// None if the language has no such accessor.
    pub http: Option<i32>,
    pub vendor: Option<i32>,
    pub json: Vec<u8>,
    pub raw: Option<Vec<u8>>,
    /// The number of handles that were not freed.
    pub leaked: i64,
}

/// The value of the accessor if there is no vendor status.
pub const NO_VENDOR_STATUS: i32 = i32::MIN;

/// A language binding under test.
pub trait Caller {
    fn call(&mut self, call: &Call) -> Result<Answer, String>;
}

/// Rust in this process.
pub struct InProcess;

impl Caller for InProcess {
    fn call(&mut self, call: &Call) -> Result<Answer, String> {
        let mut reply = None;
        match call.verb {
            Verb::Validate => reply = Some(dispatch::validate(&call.operation, &call.request)),
            Verb::Describe => {
                let name = (!call.operation.is_empty()).then_some(&*call.operation);
                reply = Some(dispatch::describe(name));
            }
            Verb::Local => reply = Some(dispatch::call(None, &call.operation, &call.request, &call.options, None)),
            Verb::Call => match dispatch::open(&call.config) {
                Err(refused) => reply = Some(refused),
                Ok(client) => {
                    for _ in 0..call.times {
                        reply =
                            Some(dispatch::call(Some(&client), &call.operation, &call.request, &call.options, None));
                    }
                }
            },
        }
        reply.map(answer_of).ok_or_else(|| "no reply".to_owned())
    }
}

/// The answer by the accessors of the Rust API.
pub fn answer_of(reply: Reply) -> Answer {
    let vendor = reply.vendor_status().map_or(NO_VENDOR_STATUS, |n| i32::try_from(n).unwrap_or(i32::MAX));
    Answer {
        status: reply.status().number(),
        outcome: reply.outcome().number(),
        http: Some(reply.http_status().map_or(0, i32::from)),
        vendor: Some(vendor),
        json: reply.json().as_bytes().to_vec(),
        raw: reply.raw().map(<[u8]>::to_vec),
        leaked: 0,
    }
}

/// A separate process. See `callers/caller.c` for the protocol.
pub struct OtherProcess {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl OtherProcess {
    /// Starts the process. Its first line is `ready`, or the reason why it cannot run.
    pub fn start(command: &mut Command) -> Result<OtherProcess, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{:?}: {e}", command.get_program()))?;
        let input = child.stdin.take();
        let mut output = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        let mut line = String::new();
        output.read_line(&mut line).map_err(|e| e.to_string())?;
        if line.trim() != "ready" {
            let _ = child.wait();
            return Err(if line.trim().is_empty() {
                "the caller printed nothing".to_owned()
            } else {
                line.trim().to_owned()
            });
        }
        Ok(OtherProcess { child, input, output })
    }

    fn exchange(&mut self, call: &Call) -> std::io::Result<Answer> {
        let verb = match call.verb {
            Verb::Call => "CALL",
            Verb::Local => "LOCAL",
            Verb::Validate => "VALIDATE",
            Verb::Describe => "DESCRIBE",
        };
        let parts = [&call.operation, &call.config, &call.request, &call.options];
        let mut out = format!("{verb} {}", call.times).into_bytes();
        for part in parts {
            out.extend_from_slice(format!(" {}", part.len()).as_bytes());
        }
        out.push(b'\n');
        for part in parts {
            out.extend_from_slice(part);
        }
        let input = self.input.as_mut().ok_or_else(|| std::io::Error::other("closed"))?;
        input.write_all(&out)?;
        input.flush()?;
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        let numbers: Vec<Option<i64>> = line.split_whitespace().map(|n| n.parse().ok()).collect();
        let [Some(status), Some(outcome), http, vendor, Some(json), Some(raw), Some(leaked)] = numbers[..] else {
            return Err(std::io::Error::other(format!("it answered {line:?}")));
        };
        let mut text = vec![0; json as usize];
        self.output.read_exact(&mut text)?;
        let mut bytes = vec![0; raw.max(0) as usize];
        self.output.read_exact(&mut bytes)?;
        Ok(Answer {
            status: status as i32,
            outcome: outcome as i32,
            http: http.map(|n| n as i32),
            vendor: vendor.map(|n| n as i32),
            json: text,
            raw: (raw >= 0).then_some(bytes),
            leaked,
        })
    }
}

impl Caller for OtherProcess {
    fn call(&mut self, call: &Call) -> Result<Answer, String> {
        self.exchange(call).map_err(|e| {
            let end = self.child.try_wait().ok().flatten();
            format!("the caller failed: {e} {}", end.map(|s| s.to_string()).unwrap_or_default())
        })
    }
}

impl Drop for OtherProcess {
    fn drop(&mut self) {
        self.input.take();
        let _ = self.child.wait();
    }
}
