//! The file of the embedded store, shared by the processes of one machine.
//!
//! Write-ahead log with `synchronous=FULL`: a transaction is on the disk when it returns. Connections are open only
//! while a call is under way: a child that inherited open connections through fork() would believe in locks that it does
//! not have. The locks themselves are those of the crate `sqlite-locks`.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use super::check::{beside, check, private};
use super::connection::{IsAlive, closed, is_open, make, readable, sign, signature};
use super::identity::Identity;
use super::witness::FileId;
use super::writer::Writer;
use super::{Stored, accounts, out_of_descriptors, store_error};
use crate::case::clock;
use crate::config::FileStore;
use crate::error::{Error, ErrorCode as Code};

/// How long emptying the log waits for its readers. No process can write meanwhile.
pub(super) const READERS: Duration = Duration::from_millis(20);
/// Up to this size the whole file is checked when it is opened. A larger one that ended uncleanly is checked before the
/// first intent, since reading it takes seconds.
const SMALL: u64 = 8 << 20;

/// A case store in a file, for one account.
pub(crate) struct Sqlite {
    pub(super) path: PathBuf,
    pub(super) witness: PathBuf,
    /// None for a store that is looked at as a whole.
    identity: Option<Identity>,
    account: Mutex<Account>,
    is_alive: IsAlive,
    pub(super) pool: Mutex<Pool>,
    pub(super) writer: Writer,
    /// When the log was last emptied.
    pub(super) emptied: Mutex<Option<Instant>>,
    /// The highest number that this client has seen given.
    pub(super) given: AtomicI64,
    /// A sync failed: what is on the disk is not known, and nothing may rely on it.
    pub(super) poisoned: AtomicBool,
    /// The file is large and ended uncleanly: it is checked before anything is written to a case.
    pub(super) unchecked: AtomicBool,
    /// The log holds raw replies that were stripped or removed, and could not be emptied yet.
    pub(super) checkpoint_pending: AtomicBool,
}

/// Whose cases this client has.
#[derive(Clone)]
pub(super) enum Account {
    Known(String),
    Refused(Error),
}

#[derive(Default)]
pub(super) struct Pool {
    pub scopes: usize,
    pub idle: Vec<Connection>,
    /// The file that was checked and compared with its witness.
    pub file: Option<FileId>,
}

impl Sqlite {
    /// Opens or makes the file; refuses one that cannot be trusted or written.
    pub fn open(config: &FileStore, identity: Identity, is_alive: IsAlive) -> Stored<Sqlite> {
        Sqlite::opened(config, Some(identity), is_alive)
    }

    /// Opens a file that is there, to move all of its accounts.
    pub fn open_whole(config: &FileStore, is_alive: IsAlive) -> Stored<Sqlite> {
        if !config.path.exists() {
            return Err(store_error(Code::StoreUnavailable, "there is no store to import"));
        }
        Sqlite::opened(config, None, is_alive)
    }

    fn opened(config: &FileStore, identity: Option<Identity>, is_alive: IsAlive) -> Stored<Sqlite> {
        sqlite_locks::install();
        clock::know_boot().map_err(|e| out_of_descriptors(&e))?;
        let store = Sqlite {
            path: config.path.clone(),
            witness: config.witness.clone(),
            identity,
            account: Mutex::new(Account::Known(String::new())),
            is_alive,
            pool: Mutex::new(Pool::default()),
            writer: Writer::default(),
            emptied: Mutex::new(None),
            given: AtomicI64::new(0),
            poisoned: AtomicBool::new(false),
            unchecked: AtomicBool::new(false),
            checkpoint_pending: AtomicBool::new(false),
        };
        let scope = store.open_scope();
        store.prepare()?;
        drop(scope);
        Ok(store)
    }

    /// Checks and migrates the file, finds the account, and compares the file with its witness.
    fn prepare(&self) -> Stored<()> {
        let path = &*self.path;
        check(path)?;
        // Before anything is written to it.
        if std::fs::metadata(path).is_ok_and(|m| m.len() < SMALL) {
            self.check_pages()?;
        } else {
            let has_log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|m| m.len() > 0);
            self.unchecked.store(has_log, Ordering::Relaxed);
        }
        self.raw(readable)??;
        private(path)?;
        // A new store is on the disk before its witness names it: with another serial, the witness would be a stranger's.
        self.raw_write(make)?;
        // In one transaction: a file in which one of these meets damage stays as it is.
        let account = self.raw(|connection| {
            let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let tx = transaction.savepoint()?;
            let is_open = is_open(&tx)?;
            if is_open && let Err(error) = sign(&tx, self.is_alive)? {
                return Ok(Err(error));
            }
            let account = match &self.identity {
                Some(identity) => accounts::resolve(&tx, identity)?,
                None => Ok(String::new()),
            };
            if let (Err(error), Some(false)) = (&account, self.identity.as_ref().map(Identity::is_named)) {
                return Ok(Err(error.clone()));
            }
            // Nothing is written to a store that was moved.
            if is_open {
                self.compared(&tx, None)?;
                tx.commit()?;
                transaction.commit()?;
            }
            Ok(Ok(account))
        })??;
        self.set_account(account);
        // A process that died may have left raw replies in the log.
        if std::fs::metadata(beside(path, "-wal")).is_ok_and(|m| m.len() > 0) {
            self.raw(|connection| self.checkpoint(connection, READERS))?;
        }
        self.pool().file = FileId::of(path);
        Ok(())
    }

    /// Whether every page of the file is sound.
    pub(super) fn check_pages(&self) -> Stored<()> {
        let sound: String =
            self.raw(|connection| connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)))?;
        match sound.as_str() {
            "ok" => Ok(()),
            _ => Err(store_error(Code::StoreCorrupt, "the store's file is damaged; it was left as it is")),
        }
    }

    /// Which account it is. A client with a name is refused at its calls, and may be let in later.
    fn resolve_account(&self) -> Stored<()> {
        let Some(identity) = &self.identity else { return Ok(()) };
        let account = self.raw_write(|tx| match closed(signature(tx)?.1, true) {
            Some(error) => Ok(Err(error)),
            None => accounts::resolve(tx, identity),
        })?;
        self.set_account(account);
        Ok(())
    }

    fn set_account(&self, account: Stored<String>) {
        *self.lock_account() = match account {
            Ok(account) => Account::Known(account),
            Err(error) => Account::Refused(error),
        };
    }

    pub(super) fn lock_account(&self) -> std::sync::MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The account whose cases are read and written.
    pub fn account(&self) -> String {
        match &*self.lock_account() {
            Account::Known(account) => account.clone(),
            Account::Refused(_) => String::new(),
        }
    }

    /// Why this client may not use the store, if so.
    pub fn refusal(&self) -> Option<Error> {
        let refused =
            |account: &Account| if let Account::Refused(error) = account { Some(error.clone()) } else { None };
        refused(&self.lock_account())?;
        // Somebody may have named the account meanwhile.
        match self.resolve_account() {
            Ok(()) => refused(&self.lock_account()),
            Err(error) => Some(error),
        }
    }

    /// `case.adoptAccount`, which a client may call that is refused otherwise.
    pub fn adopt(&self, who: &Identity) -> Stored<()> {
        self.same_file()?;
        self.raw_write(|tx| match closed(signature(tx)?.1, true) {
            Some(error) => Ok(Err(error)),
            None => accounts::adopt(tx, who),
        })??;
        self.resolve_account()
    }

    /// The file may have been replaced since it was checked.
    pub(super) fn same_file(&self) -> Stored<()> {
        let found = FileId::of(&self.path);
        if found.is_none() {
            return Err(store_error(Code::StoreUnavailable, "the store's file is gone"));
        }
        let mut pool = self.pool();
        if pool.file == found {
            return Ok(());
        }
        pool.idle.clear();
        drop(pool);
        self.prepare()
    }
}
