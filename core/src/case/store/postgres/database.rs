//! What a client has of a server's store.

use std::sync::{Arc, Mutex, PoisonError};

use super::super::connection::IsAlive;
use super::super::identity::Identity;
use super::memory::Memory;
use super::pool::Pool;
use super::time::ServerClock;
use super::tls::Tls;
use super::workers::Workers;
use crate::config::ServerStore;

/// A case store on a server, for one account.
pub(crate) struct Postgres {
    pub(super) server: ServerStore,
    pub(super) tls: Option<Tls>,
    pub(super) identity: Identity,
    pub(super) account: Mutex<Account>,
    pub(super) is_alive: IsAlive,
    pub(super) pool: Pool,
    pub(super) workers: Arc<Workers>,
    pub(super) clock: ServerClock,
    pub(super) memory: Arc<Memory>,
}

/// Whose cases this client has.
pub(super) enum Account {
    Known(String),
    Refused,
}

impl Postgres {
    pub(super) fn lock_account(&self) -> std::sync::MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account whose cases are read and written.
    pub(super) fn account(&self) -> String {
        match &*self.lock_account() {
            Account::Known(account) => account.clone(),
            Account::Refused => String::new(),
        }
    }
}
