//! The file of the embedded store, shared by the processes of one machine.
//!
//! Write-ahead log with `synchronous=FULL`: a transaction is on the disk when it returns. Connections are open only
//! while a call is under way: a child that inherited open connections through fork() would believe in locks that it does
//! not have. The locks themselves are those of the crate `sqlite-locks`.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};

use super::accounts;
use super::check::{APPLICATION, LAYOUT, beside, check, foreign, layout, private};
use super::identity::Identity;
use super::tables::highest;
use super::witness::{FileId, Locked};
use super::{ConnectionScope, EndScope, Stored, store_error};
use crate::config::StoreConfig;
use crate::error::{Error, ErrorCode as Code};
use crate::unix_time::{self, Millis};

const SCHEMA: &str = include_str!("schema.sql");
/// From the layout of the first release.
const MIGRATION: &str = include_str!("layout_1_to_2.sql");

/// How long a transaction waits for another process.
const BUSY: Duration = Duration::from_secs(10);
/// How long emptying the log waits for its readers. No process can write meanwhile.
const READERS: Duration = Duration::from_millis(20);
/// Up to this size the whole file is checked when it is opened. A larger one that ended uncleanly is checked before the
/// first intent, since reading it takes seconds.
const SMALL: u64 = 8 << 20;

/// A case store in a file, for one account.
pub(crate) struct Sqlite {
    pub(super) path: PathBuf,
    pub(super) witness: PathBuf,
    identity: Identity,
    account: Mutex<Account>,
    is_alive: IsAlive,
    pool: Mutex<Pool>,
    /// The highest number that this client has seen given.
    pub(super) given: AtomicI64,
    /// A sync failed: what is on the disk is not known, and nothing may rely on it.
    poisoned: AtomicBool,
    /// The file is large and ended uncleanly: it is checked before anything is written to a case.
    unchecked: AtomicBool,
    /// The log holds raw replies that were stripped or removed, and could not be emptied yet.
    checkpoint_pending: AtomicBool,
}

/// Whether the owner of a lease may still be at work.
pub(crate) type IsAlive = fn(&str, Millis) -> bool;

/// Whose cases this client has.
#[derive(Clone)]
enum Account {
    Known(String),
    Refused(Error),
}

#[derive(Default)]
struct Pool {
    scopes: usize,
    idle: Vec<Connection>,
    /// The file that was checked and compared with its witness.
    file: Option<FileId>,
}

/// A connection, or why there is none.
enum Connected {
    Ours(Connection),
    Foreign,
    Newer(i32),
}

impl Sqlite {
    /// Opens or makes the file; refuses one that cannot be trusted or written.
    pub fn open(config: &StoreConfig, identity: Identity, is_alive: IsAlive) -> Stored<Sqlite> {
        sqlite_locks::install();
        let store = Sqlite {
            path: config.path.clone(),
            witness: config.witness.clone(),
            identity,
            account: Mutex::new(Account::Known(String::new())),
            is_alive,
            pool: Mutex::new(Pool::default()),
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
        let locked = Locked::open(&self.witness);
        // In one transaction: a file in which one of these meets damage stays as it is.
        let account = self.raw(|connection| {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            if let Err(error) = sign(&tx, self.is_alive)? {
                return Ok(Err(error));
            }
            let account = accounts::resolve(&tx, &self.identity)?;
            if let (Err(error), false) = (&account, self.identity.is_named()) {
                return Ok(Err(error.clone()));
            }
            self.compared(&tx, locked, None)?;
            tx.commit()?;
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
    fn check_pages(&self) -> Stored<()> {
        let sound: String =
            self.raw(|connection| connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)))?;
        match sound.as_str() {
            "ok" => Ok(()),
            _ => Err(store_error(Code::StoreCorrupt, "the store's file is damaged; it was left as it is")),
        }
    }

    /// Which account it is. A client with a name is refused at its calls, and may be let in later.
    fn resolve_account(&self) -> Stored<()> {
        let account = self.raw_write(|tx| accounts::resolve(tx, &self.identity))?;
        self.set_account(account);
        Ok(())
    }

    fn set_account(&self, account: Stored<String>) {
        *self.lock_account() = match account {
            Ok(account) => Account::Known(account),
            Err(error) => Account::Refused(error),
        };
    }

    fn lock_account(&self) -> std::sync::MutexGuard<'_, Account> {
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
        self.raw_write(|tx| accounts::adopt(tx, who))??;
        self.resolve_account()
    }

    /// The file may have been replaced since it was checked.
    fn same_file(&self) -> Stored<()> {
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

    /// Within a connection or transaction: the layout is this one, and the account was not merged meanwhile.
    fn current(&self, connection: &Connection) -> rusqlite::Result<Stored<()>> {
        let (_, version) = signature(connection)?;
        if version != LAYOUT {
            return Ok(layout(version).and_then(|()| {
                Err(store_error(Code::StoreVersion, "the store's file was replaced by one of an earlier layout"))
            }));
        }
        let account = self.account();
        match accounts::current(connection, &account)? {
            Some(current) => {
                if current != account {
                    *self.lock_account() = Account::Known(current);
                }
                Ok(Ok(()))
            }
            None => Ok(Err(store_error(Code::StoreAccount, "the store does not have this account any more"))),
        }
    }

    /// See [`Store::connection_scope`](super::Store::connection_scope).
    pub fn open_scope(&self) -> ConnectionScope<'_> {
        self.pool().scopes += 1;
        ConnectionScope(self)
    }

    /// Several processes may make the file at once. Where SQLite sees that waiting could be for ever, as in turning to
    /// the write-ahead log, it gives up at once, and beginning anew helps.
    fn connect(&self) -> Stored<Connection> {
        let begun = Instant::now();
        loop {
            match self.connection() {
                Err(error) if is_busy(&error) && begun.elapsed() < BUSY => std::thread::sleep(READERS / 4),
                done => {
                    return match done.map_err(|e| self.failed(&e))? {
                        Connected::Ours(connection) => Ok(connection),
                        Connected::Foreign => Err(foreign()),
                        Connected::Newer(version) => layout(version).and(Err(foreign())),
                    };
                }
            }
        }
    }

    fn connection(&self) -> rusqlite::Result<Connected> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY)?;
        // The last process to close must not delete the log while another one opens it.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -1024; PRAGMA wal_autocheckpoint = 200",
        )?;
        // The next statement would write to it.
        let ours = || signature(&connection).map(is_ours);
        // Read once more: another process may make the store between the first two reads.
        if !ours()? && !is_empty(&connection)? && !ours()? {
            return Ok(Connected::Foreign);
        }
        // A newer release may have migrated it: not a byte of it is changed.
        if let (APPLICATION, version @ LAYOUT..) = signature(&connection)?
            && version > LAYOUT
        {
            return Ok(Connected::Newer(version));
        }
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(rusqlite::Error::InvalidPath(self.path.clone()));
        }
        Ok(Connected::Ours(connection))
    }

    /// Runs `work` on a connection of its own.
    pub fn with<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Stored<T> {
        self.same_file()?;
        if let Some(error) = self.refusal() {
            return Err(error);
        }
        self.raw(|connection| match self.current(connection)? {
            Ok(()) => work(connection).map(Ok),
            Err(error) => Ok(Err(error)),
        })?
    }

    /// As [`Sqlite::with`], also before the file was checked and for a client that is refused.
    fn raw<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Stored<T> {
        if self.poisoned.load(Ordering::Relaxed) {
            return Err(store_error(
                Code::StoreIo,
                "a sync of the store failed before; check the disk and start again",
            ));
        }
        let idle = self.pool().idle.pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let done = work(&mut connection).map_err(|e| self.failed(&e));
        if done.is_ok() && self.checkpoint_pending.load(Ordering::Relaxed) {
            // A failure here must cost this call neither time nor its answer.
            let _ = self.checkpoint(&connection, Duration::ZERO);
        }
        let mut pool = self.pool();
        if pool.scopes > 0 && done.is_ok() {
            pool.idle.push(connection);
        }
        done
    }

    /// One exclusive transaction: it never reads first and writes later on what it read.
    pub fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Stored<T> {
        if self.unchecked.load(Ordering::Relaxed) {
            self.check_pages()?;
            self.unchecked.store(false, Ordering::Relaxed);
        }
        self.with(|connection| {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // Another process may have migrated the file or merged the account just before.
            if let Err(error) = self.current(&tx)? {
                return Ok(Err(error));
            }
            self.check_numbers(&tx)?;
            let value = work(&tx)?;
            let highest = highest(&tx)?;
            tx.commit()?;
            self.given.fetch_max(highest, Ordering::SeqCst);
            Ok(Ok(value))
        })?
    }

    /// A transaction of the store itself, not of an account.
    pub(super) fn raw_write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Stored<T> {
        self.raw(|connection| {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&tx)?;
            tx.commit()?;
            Ok(value)
        })
    }

    /// As [`Sqlite::write`], for what may be lost by a power failure (not by a dying process).
    ///
    /// Not `OFF`: a transaction may also move the log into the file, and then the log is overwritten. With `NORMAL`
    /// the file is synced in between, with `OFF` a power failure could take what was synced as part of the log.
    pub fn write_unsynced<T>(&self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Stored<T> {
        self.with(|connection| {
            connection.execute_batch("PRAGMA synchronous = NORMAL")?;
            let done = (|| {
                let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                if let Err(error) = self.current(&tx)? {
                    return Ok(Err(error));
                }
                let value = work(&tx)?;
                tx.commit()?;
                Ok(Ok(value))
            })();
            connection.execute_batch("PRAGMA synchronous = FULL")?;
            done
        })?
    }

    /// Empties the log, which has bytes that must go. If that fails, the next call tries again.
    pub fn empty_log(&self) {
        self.checkpoint_pending.store(true, Ordering::Relaxed);
        let _ = self.with(|connection| self.checkpoint(connection, READERS));
    }

    /// Empties the log, unless a reader holds it for longer; then the next call tries again.
    fn checkpoint(&self, connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
        connection.busy_timeout(patience)?;
        let busy = match connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)) {
            Err(error) if is_busy(&error) => Ok(true),
            busy => busy,
        };
        connection.busy_timeout(BUSY)?;
        self.checkpoint_pending.store(busy?, Ordering::Relaxed);
        Ok(())
    }

    fn pool(&self) -> std::sync::MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: &rusqlite::Error) -> Error {
        // 1034: SQLITE_IOERR_FSYNC, 1290: of a directory.
        if error.sqlite_error().is_some_and(|e| matches!(e.extended_code, 1034 | 1290)) {
            self.poisoned.store(true, Ordering::Relaxed);
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => store_error(Code::StoreFull, "the disk of the store is full"),
            Some(ErrorCode::ReadOnly) => store_error(Code::StoreReadonly, "the store cannot be written"),
            Some(ErrorCode::CannotOpen) => store_error(Code::StoreUnavailable, "the store cannot be opened"),
            // `Unknown` is SQLite's general error: missing tables, an unknown file format.
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) => {
                store_error(Code::StoreCorrupt, "the store's file is damaged; nothing rests on it any more")
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                store_error(Code::StoreBusy, "another process kept the store busy for too long")
            }
            // SQLite's own messages name codes and never hold values; the others may.
            _ => match error.sqlite_error() {
                Some(error) => store_error(Code::StoreIo, format!("the store failed: {error}")),
                None => store_error(Code::StoreCorrupt, "the store has a row that cannot be read"),
            },
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

/// Whose file it is, and its layout.
type Signature = (i32, i32);

fn signature(connection: &Connection) -> rusqlite::Result<Signature> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get(0));
    Ok((number("PRAGMA application_id")?, number("PRAGMA user_version")?))
}

fn is_ours((application, _): Signature) -> bool {
    application == APPLICATION
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    let unsigned = signature(connection)? == (0, 0);
    Ok(unsigned && connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?)
}

/// Refuses a file of another program or of a newer layout. An empty one becomes ours.
fn readable(connection: &mut Connection) -> rusqlite::Result<Stored<()>> {
    // One transaction: another process may make the store just now.
    let tx = connection.transaction()?;
    let found = signature(&tx)?;
    Ok(match (is_ours(found), is_empty(&tx)?) {
        (true, _) => layout(found.1),
        (false, true) => Ok(()),
        (false, false) => Err(foreign()),
    })
}

/// An empty file becomes ours.
fn make(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    if is_empty(tx)? {
        tx.execute_batch(SCHEMA)?;
        tx.execute_batch(&format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {LAYOUT}"))?;
    }
    Ok(())
}

/// A file of an earlier release is migrated, unless a process of that release is at work.
fn sign(tx: &Transaction<'_>, is_alive: IsAlive) -> rusqlite::Result<Stored<()>> {
    if signature(tx)? == (APPLICATION, 1) {
        if has_live_lease(tx, is_alive)? {
            let message = "a process of an earlier release is at work on a case; its file is migrated after that";
            return Ok(Err(store_error(Code::StoreBusy, message)));
        }
        tx.execute_batch(MIGRATION)?;
        tx.execute_batch(&format!("PRAGMA user_version = {LAYOUT}"))?;
    }
    let found = signature(tx)?;
    if found != (APPLICATION, LAYOUT) {
        return Ok(if is_ours(found) { layout(found.1) } else { Err(foreign()) });
    }
    // The probe: a file or disk that cannot be written is found before money depends on it.
    tx.execute("UPDATE store SET probed = ?1", [unix_time::now()])?;
    Ok(Ok(()))
}

fn has_live_lease(tx: &Transaction<'_>, is_alive: IsAlive) -> rusqlite::Result<bool> {
    let mut leases = tx.prepare("SELECT owner, lease_until FROM cases WHERE owner IS NOT NULL")?;
    let mut rows = leases.query([])?;
    while let Some(row) = rows.next()? {
        let (owner, until): (String, Option<Millis>) = (row.get(0)?, row.get(1)?);
        if is_alive(&owner, until.unwrap_or(0)) {
            return Ok(true);
        }
    }
    Ok(false)
}

impl EndScope for Sqlite {
    fn end_scope(&self) {
        let idle = {
            let mut pool = self.pool();
            pool.scopes = pool.scopes.saturating_sub(1);
            if pool.scopes > 0 { Vec::new() } else { std::mem::take(&mut pool.idle) }
        };
        drop(idle);
    }
}
