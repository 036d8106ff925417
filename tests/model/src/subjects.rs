//! Cases as numbers: each that was met once, without what no decision rests on, and what the state machine makes of it.
//! The state machine is asked once for each case, event and moment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use atlas_postbooking::exploration::{Facts, Happening, Next, Subject};

use crate::bounds::TICK;

/// The number of a case.
pub type Id = u32;

/// A case that was met.
#[derive(Debug)]
pub struct Met {
    pub subject: Subject,
    pub facts: Facts,
}

/// What the state machine made of a case, an event and a tick.
type Steps = HashMap<(Id, Happening, u8), (Id, Next)>;

#[derive(Default)]
pub struct Subjects {
    met: RwLock<Vec<Arc<Met>>>,
    numbers: Mutex<HashMap<String, Id>>,
    steps: RwLock<Steps>,
    settle: i64,
}

impl Subjects {
    pub fn new(settle: i64) -> Subjects {
        Subjects { settle, ..Subjects::default() }
    }

    pub fn number(&self, subject: &Subject) -> Id {
        let subject = subject.reduced();
        let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        *numbers.entry(subject.text()).or_insert_with(|| {
            let mut met = self.met.write().unwrap_or_else(PoisonError::into_inner);
            met.push(Arc::new(Met { facts: subject.facts(), subject }));
            Id::try_from(met.len() - 1).unwrap()
        })
    }

    pub fn get(&self, id: Id) -> Arc<Met> {
        self.met.read().unwrap_or_else(PoisonError::into_inner)[id as usize].clone()
    }

    /// One step of the state machine.
    pub fn step(&self, id: Id, happening: Happening, now: u8) -> (Id, Next) {
        let key = (id, happening, now);
        if let Some(known) = self.steps.read().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return *known;
        }
        let (subject, next) = self.get(id).subject.step(&key.1, millis(now), self.settle);
        let done = (self.number(&subject), next);
        self.steps.write().unwrap_or_else(PoisonError::into_inner).insert(key, done);
        done
    }

    /// What a process reads that did not write it.
    pub fn stored(&self, id: Id) -> Id {
        self.number(&self.get(id).subject.stored())
    }

    /// How many cases were met, and how often the state machine was asked.
    pub fn counts(&self) -> (usize, usize) {
        let met = self.met.read().unwrap_or_else(PoisonError::into_inner).len();
        (met, self.steps.read().unwrap_or_else(PoisonError::into_inner).len())
    }
}

/// A tick in the milliseconds of the state machine; it begins long after 1970.
pub fn millis(tick: u8) -> i64 {
    1_000_000 * TICK + i64::from(tick) * TICK
}
