//! The rules of a store: claims, leases, writes fenced by version, holds. The trait in `core/src/case/store/mod.rs` says
//! the same in words, and the stores say it in SQL.

use atlas_postbooking::exploration::Subject;

use crate::subjects::{Id, Subjects};
use crate::vendor::{Key, Reply, Step};

/// Who has the lease of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Owner {
    pub host: u8,
    /// Its process has ended, which its own host sees.
    pub dead: bool,
    /// The last tick of the lease.
    pub until: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row {
    pub case: Id,
    pub version: u8,
    pub owner: Option<Owner>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Store {
    pub rows: [Option<Row>; 2],
    /// Raw replies: the step, its attempt, what it says.
    pub replies: [Option<(Step, u8, Reply)>; 2],
}

/// The result of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    New(u8),
    Known,
    Held,
}

impl Store {
    /// In one transaction: the key is new, no other case holds what it needs, and it is written with its lease.
    pub fn claim(&mut self, subjects: &Subjects, key: Key, case: Id, owner: Owner) -> Claim {
        if self.rows[key as usize].is_some() {
            return Claim::Known;
        }
        if !self.take_holds(subjects, key, case) {
            return Claim::Held;
        }
        self.rows[key as usize] = Some(Row { case: subjects.stored(case), version: 1, owner: Some(owner) });
        Claim::New(1)
    }

    /// As a claim, for a case that is there. None if the lease was lost.
    pub fn reclaim(&mut self, subjects: &Subjects, key: Key, case: Id, token: u8, owner: Owner) -> Option<Claim> {
        if !self.take_holds(subjects, key, case) {
            return Some(Claim::Held);
        }
        self.save(subjects, key, case, token, Some(owner)).map(Claim::New)
    }

    /// Takes the lease, unless a living owner has it. Gives the version.
    pub fn lease(&mut self, key: Key, owner: Owner, is_alive: impl Fn(Owner) -> bool) -> Option<u8> {
        let row = self.rows[key as usize].as_mut()?;
        if row.owner.is_some_and(|other| other.host != owner.host && is_alive(other)) {
            return None;
        }
        row.version += 1;
        row.owner = Some(owner);
        Some(row.version)
    }

    /// Compare and swap; without an owner the lease ends. Gives the new version. That two cases never pay one order is not
    /// looked at: those of the model pay different ones.
    pub fn save(&mut self, subjects: &Subjects, key: Key, case: Id, token: u8, owner: Option<Owner>) -> Option<u8> {
        let row = self.rows[key as usize].as_mut()?;
        if row.version != token {
            return None;
        }
        *row = Row { case: subjects.stored(case), version: token + 1, owner };
        Some(row.version)
    }

    /// Gives a lease back without changing the case.
    pub fn release(&mut self, key: Key, token: u8) {
        if let Some(row) = self.rows[key as usize].as_mut().filter(|row| row.version == token) {
            row.owner = None;
        }
    }

    /// Another case that holds what this one needs, but for one that was given up and that it was opened after.
    pub fn rival(&self, subjects: &Subjects, key: Key, case: Id) -> Option<Id> {
        let other = self.rows[1 - key as usize]?;
        let (mine, theirs) = (subjects.get(case), subjects.get(other.case));
        let is_given_up = theirs.facts.closed && theirs.facts.outcome == "not_executed";
        // Of two cases, `after` names the other one.
        let is_after = mine.facts.after.is_some();
        (mine.subject.needs_of(&theirs.subject) && !(is_given_up && is_after)).then_some(other.case)
    }

    /// What is held is free; then a watched case of the order learns that this one came after it.
    fn take_holds(&mut self, subjects: &Subjects, key: Key, case: Id) -> bool {
        if self.rival(subjects, key, case).is_some() {
            return false;
        }
        if let Some(row) = &mut self.rows[1 - key as usize] {
            let met = subjects.get(row.case);
            if met.facts.watched {
                *row = Row { case: subjects.number(&met.subject.superseded()), version: row.version + 1, owner: None };
            }
        }
        true
    }
}

/// The id of a case of the exploration.
pub fn name(key: Key) -> &'static str {
    if key == 0 { "A" } else { "B" }
}

/// A case that is about to be claimed.
pub fn fresh(kind: &str, key: Key, passengers: &[usize], after: bool, at: i64) -> Subject {
    Subject::new(kind, name(key), "O", passengers, after.then(|| name(1 - key)), at).unwrap()
}
