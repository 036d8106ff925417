//! Opening a server's store: the tables, the account, and what the host remembers.

use std::sync::{Arc, Mutex};

use super::super::connection::IsAlive;
use super::super::identity::Identity;
use super::super::{EndScope, Stored, store_error};
use super::database::{Account, Postgres};
use super::link::{Failure, Link};
use super::memory::Memory;
use super::pool::Pool;
use super::time::ServerClock;
use super::tls::Tls;
use super::workers::Workers;
use super::{accounts, look, schema};
use crate::config::ServerStore;
use crate::error::{Error, ErrorCode};
use crate::exchange::runtime::no_thread;
use crate::threads;
use crate::transport::server_tls;

impl Postgres {
    /// Opens a store that is there, to move all of its accounts.
    pub fn open_whole(server: &ServerStore, is_alive: IsAlive) -> Stored<Postgres> {
        let store = Postgres::made(server, Identity::nobody(), is_alive)?;
        let link = store.connect().map_err(|failure| failure.error)?;
        match schema::is_there(&link).map_err(|failure| failure.error)? {
            true => schema::prepare(&link).map_err(|failure| failure.error)??,
            false => return Err(store_error(ErrorCode::StoreUnavailable, "there is no store to import")),
        }
        drop(link);
        store.begin_to_look()?;
        Ok(store)
    }

    fn made(server: &ServerStore, identity: Identity, is_alive: IsAlive) -> Stored<Postgres> {
        let tls = server.tls.as_ref().map(server_tls).transpose()?.map(|config| Tls(Arc::new(config)));
        let memory = Arc::new(Memory::new(server.witness.clone()));
        Ok(Postgres {
            server: server.clone(),
            tls: tls.clone(),
            identity,
            account: Mutex::new(Account::Known(String::new())),
            is_alive,
            pool: Pool::default(),
            workers: Arc::new(Workers::new(server.clone(), tls, memory.clone())),
            clock: ServerClock::default(),
            memory,
        })
    }

    /// Connects, makes the tables if there are none, and finds the account. No connection is left open by it: a process
    /// may be forked between this and its first call.
    pub fn open(server: &ServerStore, identity: Identity, is_alive: IsAlive) -> Stored<Postgres> {
        let store = Postgres::made(server, identity, is_alive)?;
        // On a thread of its own: this one may belong to an event loop, which must not wait.
        let opened = std::thread::scope(|scope| {
            let prepared = threads::builder("apb-store")
                .and_then(|builder| builder.spawn_scoped(scope, || store.prepare()))
                .map_err(|error| no_thread(&error))?;
            prepared.join().unwrap_or_else(|_| Err(Error::new(ErrorCode::Panic, "the store panicked")))
        });
        opened?;
        store.close();
        if !store.memory.has_file() {
            let text = "the store is on a server, and no witnessFile is configured: the last intent is remembered by this \
                        process alone, and a later one may not notice a store that was put back";
            store.memory.warnings.add("store_no_witness", text.to_owned());
        }
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

    pub(super) fn connect(&self) -> Result<Link, Failure> {
        let mut link = Link::connect(&self.server, self.tls.as_ref())?;
        look::look(&mut link, &self.memory)?;
        Ok(link)
    }

    /// Which account it is. A client with a name is refused at its calls, and may be let in later.
    pub(super) fn resolve_account(&self) -> Stored<Stored<()>> {
        let account = match self.raw_write(|tx| accounts::resolve(tx, &self.identity)) {
            // Its cases can still be read.
            Err(error) if error.code == ErrorCode::StoreMoved => {
                self.look_up(|tx| accounts::find(tx, &self.identity))?
            }
            account => account?,
        };
        let done = account.as_ref().map(|_| ()).map_err(Clone::clone);
        *self.lock_account() = match account {
            Ok(account) => Account::Known(account),
            Err(_) => Account::Refused,
        };
        Ok(done)
    }

    /// Why this client may not use the store, if so.
    pub(super) fn refused(&self) -> Option<Error> {
        if let Account::Known(_) = &*self.lock_account() {
            return None;
        }
        // Somebody may have named the account meanwhile.
        match self.resolve_account() {
            Ok(Ok(())) => None,
            Ok(Err(error)) | Err(error) => Some(error),
        }
    }

    pub(super) fn admit(&self) -> Stored<()> {
        self.refused().map_or(Ok(()), Err)
    }
}

/// Connections stay open between calls; a forked child makes its own and forgets those of its parent.
impl EndScope for Postgres {
    fn end_scope(&self) {}
}
