//! Faults that a test injects between a client and the vendor.

use crate::json::{flag, get, int, text};
use serde_json::{Value, json};

/// Fault modes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The request is read, then the connection is reset; not executed.
    DropBefore,
    /// Executed, then reset without a reply.
    DropAfter,
    /// Executed; the reply is truncated.
    Cut,
    /// Executed; the reply is delayed.
    Delay,
    /// Another HTTP status with an HTML page; not executed unless `execute` is true.
    Http,
    /// The rate limiter's reply 429; not executed.
    RateLimit,
    /// Executed; the reply cannot be decoded.
    Garbage,
    /// Executed; the reply is very large.
    Oversize,
    /// Executed; the reply is sent byte by byte.
    Trickle,
    /// No reply; executed later.
    LateExecution,
    /// Fields of the reply are overwritten with `body`.
    Reply,
}

const MODES: &[(&str, Mode)] = &[
    ("drop_before", Mode::DropBefore),
    ("drop_after", Mode::DropAfter),
    ("cut", Mode::Cut),
    ("delay", Mode::Delay),
    ("http", Mode::Http),
    ("rate_limit", Mode::RateLimit),
    ("garbage", Mode::Garbage),
    ("oversize", Mode::Oversize),
    ("trickle", Mode::Trickle),
    ("late", Mode::LateExecution),
    ("reply", Mode::Reply),
];

/// One fault that applies to later requests.
#[derive(Clone, Debug)]
pub struct Fault {
    /// The mode.
    pub mode: Mode,
    /// `cut`: bytes of the reply that are sent.
    pub after_bytes: Option<usize>,
    /// Real milliseconds; with `by_virtual_clock` virtual ones.
    pub delay_ms: Option<u64>,
    /// HTTP status.
    pub status: Option<u16>,
    /// Whether the request is executed; the default depends on the mode.
    pub execute: Option<bool>,
    /// `late`: the delay is measured on the virtual clock.
    pub by_virtual_clock: bool,
    /// The variant of `garbage` or `oversize`.
    pub variant: String,
    /// `reply`: fields that overwrite those of the reply.
    pub body: Value,
    /// `oversize`: size of the body in bytes.
    pub bytes: u64,
    endpoint: String,
    left: Option<u64>,
    skip: u64,
    probability: f64,
}

impl Fault {
    fn parse(options: &Value) -> Result<Self, String> {
        let mode_names = || MODES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let mode_name = text(options, "mode").ok_or_else(|| format!("mode is one of {}", mode_names()))?;
        let Some((_, mode)) = MODES.iter().find(|(name, _)| *name == mode_name) else {
            return Err(format!("mode is one of {}, not {mode_name:?}", mode_names()));
        };
        let endpoint = text(options, "endpoint").unwrap_or("*");
        if endpoint != "*" && !crate::operations::OPERATIONS.iter().any(|o| o.name == endpoint || o.path == endpoint) {
            return Err(format!("no operation is called {endpoint:?}"));
        }
        let count = |key: &str| {
            int(options, key).map(|number| u64::try_from(number).map_err(|_| format!("{key} is negative"))).transpose()
        };
        let probability = get(options, "probability").as_f64();
        let times = count("times")?;
        let status =
            count("status")?.map(|status| u16::try_from(status).map_err(|_| "status is no HTTP status")).transpose()?;
        Ok(Self {
            mode: *mode,
            after_bytes: count("afterBytes")?.map(|bytes| bytes as usize),
            delay_ms: count("delayMs")?,
            status,
            execute: flag(options, "execute"),
            by_virtual_clock: flag(options, "virtual").unwrap_or(false),
            variant: text(options, "variant").unwrap_or_default().to_owned(),
            body: get(options, "body").clone(),
            bytes: count("bytes")?.unwrap_or(256 * 1024 * 1024),
            endpoint: endpoint.to_owned(),
            // Without `times` a fault applies once, one with a probability until it is cleared; 0 has no limit.
            left: match times {
                Some(0) => None,
                Some(times) => Some(times),
                None if probability.is_some() => None,
                None => Some(1),
            },
            skip: count("skip")?.unwrap_or(0),
            probability: probability.unwrap_or(1.0),
        })
    }

    /// The name of the mode.
    pub fn name(&self) -> &'static str {
        MODES.iter().find(|(_, mode)| *mode == self.mode).map_or("", |(name, _)| name)
    }
}

/// The faults that have been set.
pub struct Faults {
    list: Vec<Fault>,
    rng: fastrand::Rng,
}

impl Faults {
    /// No faults. They have a random generator of their own, so that a fault does
    /// not change the values that the rest of the simulation draws.
    pub fn new(seed: u64) -> Self {
        Self { list: Vec::new(), rng: fastrand::Rng::with_seed(seed ^ 0x5eed) }
    }

    /// Adds a fault.
    pub fn add(&mut self, options: &Value) -> Result<(), String> {
        self.list.push(Fault::parse(options)?);
        Ok(())
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// The fault that applies to this request, if any; its counters are updated.
    pub fn matching(&mut self, name: &str, path: &str) -> Option<Fault> {
        for fault in &mut self.list {
            let mine = fault.endpoint == "*" || fault.endpoint == name || fault.endpoint == path;
            if !mine || fault.left == Some(0) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if fault.probability < 1.0 && self.rng.f64() >= fault.probability {
                continue;
            }
            fault.left = fault.left.map(|left| left - 1);
            return Some(fault.clone());
        }
        None
    }

    /// The faults that can still apply, as the control API shows them.
    pub fn pending(&self) -> Vec<Value> {
        let pending = self.list.iter().filter(|fault| fault.left != Some(0));
        pending.map(|f| json!({"endpoint": f.endpoint, "mode": f.name(), "times": f.left, "skip": f.skip})).collect()
    }
}
