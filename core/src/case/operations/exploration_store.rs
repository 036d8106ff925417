//! A real store, for a test that plays the same moves on it and on the model's (`tests/model`).

use std::sync::Arc;
use std::time::Duration;

use super::exploration::Subject;
use crate::case::engine::lease::{Owner, is_alive};
use crate::case::service::CaseService;
use crate::case::store::{Claim, Name, Row, Store};
use crate::config::Config;
use crate::error::{Error, ErrorCode};

/// A store, a file or on a server.
pub struct RealStore(Arc<dyn Store>);

/// One call of a process; dropped, it has ended.
#[derive(Debug)]
pub struct Call(Owner);

/// A row, as a call has read it.
#[derive(Debug, Clone)]
pub struct Read(Row);

impl Call {
    #[allow(clippy::new_without_default, missing_docs)]
    pub fn new() -> Call {
        Call(Owner::new())
    }
}

impl Read {
    /// The case.
    pub fn case(&self) -> Subject {
        Subject(self.0.case.clone())
    }

    /// The same row with another case, as a call is about to write it.
    #[must_use]
    pub fn with(&self, case: &Subject) -> Read {
        Read(Row { case: case.0.clone(), ..self.0.clone() })
    }
}

impl RealStore {
    /// Opens the store of a client's configuration.
    pub fn open(config: &str) -> Result<RealStore, Error> {
        let store = CaseService::open_store(&Config::parse(config)?, is_alive)?;
        store.map(RealStore).ok_or_else(|| Error::new(ErrorCode::BadConfig, "no store is configured"))
    }

    /// The word of the claim's result, and the row that is the call's own by now.
    pub fn claim(&self, case: &Subject, call: &Call) -> Result<(&'static str, Option<Read>), Error> {
        Ok(result(self.0.claim(&case.0, &call.0.lease(Duration::ZERO))?))
    }

    /// As a claim, of a row that is the call's own; None: it is not any more.
    pub fn reclaim(&self, read: &Read, call: &Call) -> Result<(&'static str, Option<Read>), Error> {
        Ok(self.0.reclaim(&read.0, &call.0.lease(Duration::ZERO))?.map_or(("lost", None), result))
    }

    /// Takes the lease of a case, unless a living call has it.
    pub fn lease(&self, id: &str, call: &Call) -> Result<Option<Read>, Error> {
        Ok(self.0.lease(id, &call.0.lease(Duration::ZERO), &is_alive)?.map(Read))
    }

    /// Writes a row that is the call's own; with the call, it stays so. None: it is not any more.
    pub fn save(&self, read: &Read, call: Option<&Call>) -> Result<Option<Read>, Error> {
        let lease = call.map(|call| call.0.lease(Duration::ZERO));
        let version = self.0.save(&read.0, lease.as_ref())?;
        Ok(version.map(|version| {
            let mut row = read.0.clone();
            row.saved(version);
            Read(row)
        }))
    }

    /// Gives a lease back.
    pub fn release(&self, read: &Read) -> Result<(), Error> {
        self.0.release(&read.0)
    }

    /// The id of another case that holds what this one needs.
    pub fn rival(&self, case: &Subject) -> Result<Option<String>, Error> {
        Ok(self.0.rival(&case.0)?.map(|case| case.id))
    }

    /// The case of a key, and whether a living call has it.
    pub fn load(&self, key: &str) -> Result<Option<(Subject, bool)>, Error> {
        let row = self.0.load(&Name::Key(key.to_owned()))?;
        Ok(row.map(|row| {
            let owned = row.owner.as_ref().is_some_and(|(owner, until)| is_alive(owner, *until));
            (Subject(row.case), owned)
        }))
    }
}

fn result(claim: Claim) -> (&'static str, Option<Read>) {
    match claim {
        Claim::New(row) => ("new", Some(Read(row))),
        Claim::Known(row) => ("known", Some(Read(row))),
        Claim::Held(_) => ("held", None),
        Claim::Purged(_) => ("purged", None),
    }
}
