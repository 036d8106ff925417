//! Faults between a client and the vendor, as a test asks for them.

use crate::json::{flag, get, int, text};
use serde_json::{Value, json};

/// The ways to go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The request arrives, then the connection is reset; nothing is executed.
    DropBefore,
    /// Executed, then reset without an answer.
    DropAfter,
    /// Executed; the answer breaks off.
    Cut,
    /// Executed; the answer takes its time.
    Delay,
    /// Another HTTP status with an HTML page; not executed unless delivered.
    Http,
    /// The policy answer 429; not executed.
    RateLimit,
    /// Executed; the answer makes no sense.
    Garbage,
    /// Executed; the answer does not end.
    Oversize,
    /// Executed; the answer comes byte by byte.
    Trickle,
    /// No answer ever; executed later.
    Late,
    /// The answer's body is changed as the test says.
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
    ("late", Mode::Late),
    ("reply", Mode::Reply),
];

/// One fault, waiting for its requests.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What happens.
    pub mode: Mode,
    /// Bytes of the answer before a cut.
    pub after_bytes: Option<usize>,
    /// Real milliseconds, or virtual ones for a virtual late execution.
    pub delay_ms: Option<u64>,
    /// HTTP status.
    pub status: Option<u16>,
    /// Is the request executed? Each mode has its own default.
    pub execute: Option<bool>,
    /// A late execution waits for the virtual clock.
    pub by_virtual_clock: bool,
    /// Which kind of garbage or size.
    pub variant: String,
    /// Fields put over the reply.
    pub body: Value,
    /// Size of an oversize answer.
    pub bytes: u64,
    endpoint: String,
    left: Option<u64>,
    skip: u64,
    probability: f64,
}

impl Fault {
    fn parse(spec: &Value) -> Result<Self, String> {
        let known = || MODES.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let word = text(spec, "mode").ok_or_else(|| format!("mode is one of {}", known()))?;
        let Some((_, mode)) = MODES.iter().find(|(name, _)| *name == word) else {
            return Err(format!("mode is one of {}, not {word:?}", known()));
        };
        let endpoint = text(spec, "endpoint").unwrap_or("*");
        if endpoint != "*" && !crate::operations::OPERATIONS.iter().any(|o| o.name == endpoint || o.path == endpoint) {
            return Err(format!("no operation is called {endpoint:?}"));
        }
        let count = |key: &str| {
            int(spec, key).map(|number| u64::try_from(number).map_err(|_| format!("{key} is negative"))).transpose()
        };
        let probability = get(spec, "probability").as_f64();
        let times = count("times")?;
        let status =
            count("status")?.map(|status| u16::try_from(status).map_err(|_| "status is no HTTP status")).transpose()?;
        Ok(Self {
            mode: *mode,
            after_bytes: count("afterBytes")?.map(|bytes| bytes as usize),
            delay_ms: count("delayMs")?,
            status,
            execute: flag(spec, "execute"),
            by_virtual_clock: flag(spec, "virtual").unwrap_or(false),
            variant: text(spec, "variant").unwrap_or_default().to_owned(),
            body: get(spec, "body").clone(),
            bytes: count("bytes")?.unwrap_or(256 * 1024 * 1024),
            endpoint: endpoint.to_owned(),
            // A fault strikes once, a probable one until it is cleared; 0 is for ever.
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

    /// Its name.
    pub fn name(&self) -> &'static str {
        MODES.iter().find(|(_, mode)| *mode == self.mode).map_or("", |(name, _)| name)
    }
}

/// All faults waiting.
pub struct Faults {
    list: Vec<Fault>,
    rng: fastrand::Rng,
}

impl Faults {
    /// None yet. Their dice are their own: a fault must not change what the
    /// world would have drawn without it.
    pub fn new(seed: u64) -> Self {
        Self { list: Vec::new(), rng: fastrand::Rng::with_seed(seed ^ 0x5eed) }
    }

    /// Adds one.
    pub fn add(&mut self, spec: &Value) -> Result<(), String> {
        self.list.push(Fault::parse(spec)?);
        Ok(())
    }

    /// Removes all.
    pub fn clear(&mut self) {
        self.list.clear();
    }

    /// The fault that strikes this request.
    pub fn strike(&mut self, name: &str, path: &str) -> Option<Fault> {
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

    /// What is still waiting.
    pub fn waiting(&self) -> Vec<Value> {
        let waiting = self.list.iter().filter(|fault| fault.left != Some(0));
        waiting.map(|f| json!({"endpoint": f.endpoint, "mode": f.name(), "times": f.left, "skip": f.skip})).collect()
    }
}
