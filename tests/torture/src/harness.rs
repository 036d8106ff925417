//! Shared by all experiments: the plan, lanes (a simulator with a store and a random generator), and the report.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use atlas_simulator::{Options, Simulator};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::case_kinds::{KINDS, Kind, MONEY_BACK, put};

/// A result with any error.
pub type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// The text at a key, or nothing.
pub fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The flag at a key.
pub fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}

/// The list at a key, or an empty one.
pub fn list<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The parameters of a run.
pub struct Plan {
    /// The seed of all random values.
    pub seed: u64,
    /// The long form (`--long`).
    pub long: bool,
    /// Only this lane of experiments with several lanes (`--lane`).
    pub lane: Option<usize>,
    /// The baseline client instead of the library.
    pub baseline: bool,
    /// Directory for stores and logs.
    pub work: PathBuf,
    /// The preloaded library, compiled.
    pub shim: PathBuf,
}

impl Plan {
    /// The plan of the control experiment: one short lane with the baseline client.
    pub fn control(&self) -> Plan {
        Plan { long: false, baseline: true, lane: Some(0), work: self.work.clone(), shim: self.shim.clone(), ..*self }
    }

    /// The kinds of cases that the client supports.
    pub fn case_kinds(&self) -> &'static [Kind] {
        if self.baseline { &MONEY_BACK } else { &KINDS }
    }

    /// The size for the short or the long form.
    pub fn size(&self, short: usize, long: usize) -> usize {
        if self.long { long } else { short }
    }

    /// The seed of one lane of one experiment.
    pub fn seed_of(&self, experiment: u64, lane: usize) -> u64 {
        Rng::with_seed(self.seed ^ (experiment << 48)).u64(..).wrapping_add(lane as u64)
    }

    /// A new simulator and an empty store.
    pub fn lane(&self, experiment: u64, number: usize, profile: &str) -> Result<Lane> {
        let seed = self.seed_of(experiment, number);
        let control = if self.baseline { "-control" } else { "" };
        let home = self.work.join(format!("e{experiment}-{number}{control}"));
        std::fs::create_dir_all(&home)?;
        let profile = format!("{profile},balance=99999999.00");
        let atlas = Simulator::start(Options { seed: seed >> 1, profile, ..Options::default() })?;
        Ok(Lane {
            atlas,
            rng: Rng::with_seed(seed),
            limited: false,
            baseline: self.baseline,
            server: None,
            account: None,
            has_clock: true,
            home,
            shim: self.shim.clone(),
        })
    }

    /// Runs lanes in parallel until `enough`, called with the lane number and the results so far, is true. The results
    /// are in the order of completion.
    pub fn lanes<T: Send>(
        &self,
        threads: usize,
        enough: impl Fn(usize, &[T]) -> bool + Sync,
        lane: impl Fn(usize) -> Result<T> + Sync,
    ) -> Result<Vec<T>> {
        if let Some(only) = self.lane {
            return Ok(vec![lane(only)?]);
        }
        let (next, done) = (AtomicUsize::new(0), Mutex::new((Vec::new(), None)));
        let run = || loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            {
                let held = lock(&done);
                if held.1.is_some() || enough(number, &held.0) {
                    return;
                }
            }
            let result = lane(number);
            let mut held = lock(&done);
            match result {
                Ok(result) => held.0.push(result),
                Err(error) => held.1 = Some(error),
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(run);
            }
        });
        let (results, error) = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        error.map_or(Ok(results), Err)
    }
}

/// Locks a mutex, ignoring poison: no holder leaves its data inconsistent.
pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A simulator, a store and a random generator, independent of other lanes.
pub struct Lane {
    /// The simulated vendor; its ledger is the oracle.
    pub atlas: Simulator,
    /// The random generator.
    pub rng: Rng,
    /// With a rate limit, whose state is in the store, at a rate that never delays.
    pub limited: bool,
    /// The URL of a server with the store, instead of a file.
    pub server: Option<String>,
    /// The account's name.
    pub account: Option<String>,
    /// The cases have the simulator's clock; else the store's.
    pub has_clock: bool,
    baseline: bool,
    home: PathBuf,
    shim: PathBuf,
}

impl Lane {
    /// The configuration of a client: the simulator's clock, a short settle time, a rate that does not delay follow-up.
    pub fn config(&self) -> Value {
        let store = match &self.server {
            Some(url) => json!({"url": url}),
            None => json!({"path": self.store()}),
        };
        let mut config = json!({
            "baseUrl": self.atlas.url(), "clientId": "torture", "clientSecret": "torture-secret",
            "store": store, "settleMs": SETTLE_MS,
            "clock": {"url": format!("{}/_sim/clock", self.atlas.url())},
            "follow": {"perSecond": 100_000, "burst": 100_000},
            "retry": {"maxAttempts": 3, "baseDelayMs": 1, "maxDelayMs": 5},
        });
        if self.limited {
            put(&mut config, "rateLimit", json!({"perSecond": 100_000, "burst": 100_000}));
        }
        if !self.has_clock {
            put(&mut config, "clock", Value::Null);
        }
        if let Some(account) = &self.account {
            put(&mut config, "account", account.clone().into());
        }
        if self.baseline {
            put(&mut config, "baseline", true.into());
        }
        config
    }

    /// The lane's directory.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The store file; the journal files of SQLite have the same prefix.
    pub fn store(&self) -> PathBuf {
        self.home.join("cases.db")
    }

    /// Removes the store and all logs.
    pub fn forget(&self) -> Result<()> {
        for file in std::fs::read_dir(&self.home)?.flatten() {
            std::fs::remove_file(file.path())?;
        }
        Ok(())
    }

    /// The preloaded library.
    pub fn shim(&self) -> &Path {
        &self.shim
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.home).ok();
    }
}

/// `settleMs`: until then an empty query reply does not prove absence.
pub const SETTLE_MS: u64 = 120;

/// The result of an experiment.
#[derive(Default)]
pub struct Report {
    /// The rest of the output line, after the title.
    pub figures: String,
    /// Violations, each with the data needed to reproduce it.
    pub violations: Vec<String>,
}

/// The error of an experiment that cannot run on this machine: the reason.
#[derive(Debug)]
pub struct Skipped(pub String);

impl std::fmt::Display for Skipped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Skipped {}
