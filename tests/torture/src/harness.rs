//! What every experiment needs: a plan, lanes with a simulator and a store of their own, and a report.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use atlas_simulator::{Options, Simulator};
use fastrand::Rng;
use serde_json::{Value, json};

use crate::kinds::{KINDS, Kind, MONEY_BACK, put};

/// Anything may go wrong, and says how.
pub type Res<T> = Result<T, Box<dyn Error + Send + Sync>>;

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

/// How much is to be done, and where.
pub struct Plan {
    /// Everything random comes from it.
    pub seed: u64,
    /// The long form.
    pub long: bool,
    /// Only this lane of an experiment that has many.
    pub lane: Option<usize>,
    /// The control instead of the library.
    pub baseline: bool,
    /// Directory for stores and logs.
    pub work: PathBuf,
    /// The preloaded library, compiled.
    pub shim: PathBuf,
}

impl Plan {
    /// The same for the control: small, and another client.
    pub fn control(&self) -> Plan {
        Plan { long: false, baseline: true, lane: Some(0), work: self.work.clone(), shim: self.shim.clone(), ..*self }
    }

    /// The kinds of cases to play.
    pub fn kinds(&self) -> &'static [Kind] {
        if self.baseline { &MONEY_BACK } else { &KINDS }
    }

    /// A size that depends on the form.
    pub fn size(&self, short: usize, long: usize) -> usize {
        if self.long { long } else { short }
    }

    /// The seed of one lane of one experiment.
    pub fn seed_of(&self, experiment: u64, lane: usize) -> u64 {
        Rng::with_seed(self.seed ^ (experiment << 48)).u64(..).wrapping_add(lane as u64)
    }

    /// A fresh simulator and an empty store.
    pub fn lane(&self, experiment: u64, number: usize, profile: &str) -> Res<Lane> {
        let seed = self.seed_of(experiment, number);
        let control = if self.baseline { "-control" } else { "" };
        let home = self.work.join(format!("e{experiment}-{number}{control}"));
        std::fs::create_dir_all(&home)?;
        let profile = format!("{profile},balance=99999999.00");
        let atlas = Simulator::start(Options { seed: seed >> 1, profile, ..Options::default() })?;
        Ok(Lane {
            atlas,
            dice: Rng::with_seed(seed),
            limited: false,
            baseline: self.baseline,
            home,
            shim: self.shim.clone(),
        })
    }

    /// Runs lanes side by side until `enough` has been said; results in no order.
    pub fn lanes<T: Send>(
        &self,
        threads: usize,
        enough: impl Fn(usize, &[T]) -> bool + Sync,
        lane: impl Fn(usize) -> Res<T> + Sync,
    ) -> Res<Vec<T>> {
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

/// A lock whose holder cannot have broken anything.
pub fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A simulator, a store beside it, and dice.
pub struct Lane {
    /// The vendor, and the oracle.
    pub atlas: Simulator,
    /// Chance.
    pub dice: Rng,
    /// With a request budget, which is kept in the store and holds nobody back.
    pub limited: bool,
    baseline: bool,
    home: PathBuf,
    shim: PathBuf,
}

impl Lane {
    /// A client on this lane: time comes from the simulator, settling is short, follow-up is not held back.
    pub fn config(&self) -> Value {
        let mut config = json!({
            "baseUrl": self.atlas.url(), "clientId": "torture", "clientSecret": "torture-secret",
            "store": {"path": self.store()}, "settleMs": SETTLE_MS,
            "clock": {"url": format!("{}/_sim/clock", self.atlas.url())},
            "follow": {"perSecond": 100_000, "burst": 100_000},
            "retry": {"maxAttempts": 3, "baseDelayMs": 1, "maxDelayMs": 5},
        });
        if self.limited {
            put(&mut config, "rateLimit", json!({"perSecond": 100_000, "burst": 100_000}));
        }
        if self.baseline {
            put(&mut config, "baseline", true.into());
        }
        config
    }

    /// Its directory.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Its store; the log files of the database begin with the same name.
    pub fn store(&self) -> PathBuf {
        self.home.join("cases.db")
    }

    /// Begins with an empty store again.
    pub fn forget(&self) -> Res<()> {
        for file in std::fs::read_dir(&self.home)?.flatten() {
            std::fs::remove_file(file.path())?;
        }
        Ok(())
    }

    /// The library to preload.
    pub fn shim(&self) -> &Path {
        &self.shim
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.home).ok();
    }
}

/// How long silence proves nothing, here.
pub const SETTLE_MS: u64 = 120;

/// What an experiment found.
#[derive(Default)]
pub struct Report {
    /// The line after its name.
    pub figures: String,
    /// Broken promises, each with what is needed to see it again.
    pub violations: Vec<String>,
}
