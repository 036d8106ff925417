//! The store on a PostgreSQL server, shared by any number of machines.
//!
//! The clock of the database is the only one that counts: leases, moments of cases, pauses. A row is changed only by who
//! knows its version. A lease ends with the lease of its process, which is renewed in the background, so that the cases
//! of a machine that is gone rest for seconds.

mod accounts;
mod budget;
mod cases;
mod holds;
pub(super) mod link;
mod losses;
mod remnants;
mod schema;
mod session;
mod store;
mod time;
mod tls;
mod workers;

use std::sync::{Arc, Mutex, PoisonError};

use super::connection::IsAlive;
use super::identity::Identity;
use super::{EndScope, Stored};
use crate::config::ServerStore;
use crate::error::{Error, ErrorCode};
use crate::transport::server_tls;
use link::{Failure, Link};
use losses::Witness;
use session::Pool;
use time::ServerClock;
use tls::Tls;
use workers::Workers;

/// A case store on a server, for one account.
pub(crate) struct Postgres {
    server: ServerStore,
    tls: Option<Tls>,
    identity: Identity,
    account: Mutex<Account>,
    is_alive: IsAlive,
    pool: Pool,
    workers: Arc<Workers>,
    clock: ServerClock,
    witness: Witness,
}

/// Whose cases this client has.
enum Account {
    Known(String),
    Refused,
}

impl Postgres {
    /// Connects, makes the tables if there are none, and finds the account. No connection is left open by it: a process
    /// may be forked between this and its first call.
    pub fn open(server: &ServerStore, identity: Identity, is_alive: IsAlive) -> Stored<Postgres> {
        let tls = server.tls.as_ref().map(server_tls).transpose()?.map(|config| Tls(Arc::new(config)));
        let store = Postgres {
            server: server.clone(),
            tls: tls.clone(),
            identity,
            account: Mutex::new(Account::Known(String::new())),
            is_alive,
            pool: Pool::default(),
            workers: Arc::new(Workers::new(server.clone(), tls)),
            clock: ServerClock::default(),
            witness: Witness::new(server.witness.clone()),
        };
        // On a thread of its own: this one may belong to an event loop, which must not wait.
        let opened = std::thread::scope(|scope| {
            let prepared = std::thread::Builder::new()
                .name("apb-store".to_owned())
                .spawn_scoped(scope, || store.prepare())
                .map_err(|e| Error::new(ErrorCode::Memory, format!("no thread can be made: {e}")))?;
            prepared.join().unwrap_or_else(|_| Err(Error::new(ErrorCode::Panic, "the store panicked")))
        });
        opened?;
        store.close();
        Ok(store)
    }

    fn prepare(&self) -> Stored<()> {
        let link = self.connect().map_err(|failure| failure.error)?;
        schema::prepare(&link).map_err(|failure| failure.error)??;
        drop(link);
        match self.resolve_account()? {
            Err(error) if !self.identity.is_named() => return Err(error),
            _ => {}
        }
        self.begin_to_look()
    }

    fn connect(&self) -> Result<Link, Failure> {
        let link = Link::connect(&self.server, self.tls.as_ref())?;
        self.look(&link)?;
        Ok(link)
    }

    /// Which account it is. A client with a name is refused at its calls, and may be let in later.
    fn resolve_account(&self) -> Stored<Stored<()>> {
        let account = self.raw_write(|tx| accounts::resolve(tx, &self.identity))?;
        let done = account.as_ref().map(|_| ()).map_err(Clone::clone);
        *self.lock_account() = match account {
            Ok(account) => Account::Known(account),
            Err(_) => Account::Refused,
        };
        Ok(done)
    }

    fn lock_account(&self) -> std::sync::MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account whose cases are read and written.
    fn account(&self) -> String {
        match &*self.lock_account() {
            Account::Known(account) => account.clone(),
            Account::Refused => String::new(),
        }
    }

    /// Why this client may not use the store, if so.
    fn refused(&self) -> Option<Error> {
        if let Account::Known(_) = &*self.lock_account() {
            return None;
        }
        // Somebody may have named the account meanwhile.
        match self.resolve_account() {
            Ok(Ok(())) => None,
            Ok(Err(error)) | Err(error) => Some(error),
        }
    }

    fn admit(&self) -> Stored<()> {
        self.refused().map_or(Ok(()), Err)
    }
}

/// Connections stay open between calls; a forked child makes its own and forgets those of its parent.
impl EndScope for Postgres {
    fn end_scope(&self) {}
}

/// An operation on the file of a store.
fn not_for_servers(operation: &str) -> Error {
    Error::at(ErrorCode::BadRequest, operation, "", "is for a store in a file; a server is copied by its own tools")
}
