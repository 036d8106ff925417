//! What a call does with the store's file: reads, writes that share their commits, and emptying the log.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::check::{beside, foreign, layout};
use super::connection::{Connected, closed, is_busy, open, signature};
use super::file::{Account, Pool, READERS, Sqlite};
use super::tables::{Tx, highest};
use super::writer::{Batch, Turn, lost};
use super::{ConnectionScope, EndScope, Stored, accounts, out_of_descriptors, patience, store_error};
use crate::error::{Error, ErrorCode as Code};

/// The pause before a file that other processes are making just now is opened once more.
const AGAIN: Duration = Duration::from_millis(5);
/// A log of this length is not emptied as it should be: 800 kB are usual.
const GROWN: u64 = 16 << 20;
/// Beyond this length no new case is opened.
const FULL: u64 = 512 << 20;
/// While writes follow each other, the log is emptied this often at most.
const EMPTYING: Duration = Duration::from_millis(50);

impl Sqlite {
    /// See [`Store::connection_scope`](super::Store::connection_scope).
    pub fn open_scope(&self) -> ConnectionScope<'_> {
        self.pool().scopes += 1;
        ConnectionScope(self)
    }

    /// Several processes may make the file at once. Where SQLite sees that waiting could be for ever, as in turning to
    /// the write-ahead log, it gives up at once, and beginning anew helps.
    pub(super) fn connect(&self) -> Stored<Connection> {
        loop {
            match open(&self.path) {
                Err(error) if is_busy(&error) && !patience::left().is_zero() => std::thread::sleep(AGAIN),
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

    /// One that another call has left, or a new one.
    fn take_connection(&self) -> Stored<Connection> {
        if self.poisoned.load(Ordering::Relaxed) {
            return Err(store_error(
                Code::StoreIo,
                "a sync of the store failed before; check the disk and start again",
            ));
        }
        // What others have met on this thread.
        let _ = sqlite_locks::take_open_error();
        let Some(connection) = self.pool().idle.pop() else { return self.connect() };
        connection.busy_timeout(patience::left()).map_err(|e| self.failed(&e))?;
        Ok(connection)
    }

    /// For the next call, while a scope is open.
    fn give_back(&self, connection: Connection) {
        let mut pool = self.pool();
        if pool.scopes > 0 {
            pool.idle.push(connection);
        }
    }

    /// Runs `work` on a connection of its own.
    pub fn with<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Stored<T> {
        self.admit()?;
        self.raw(|connection| match self.current(connection, false)? {
            Ok(()) => work(connection).map(Ok),
            Err(error) => Ok(Err(error)),
        })?
    }

    /// As [`Sqlite::with`], also before the file was checked and for a client that is refused.
    pub(super) fn raw<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Stored<T> {
        let mut connection = self.take_connection()?;
        let done = work(&mut connection).map_err(|e| self.failed(&e));
        if done.is_ok() {
            // A failure here must cost this call neither time nor its answer.
            if self.checkpoint_pending.load(Ordering::Relaxed)
                && let Some(_turn) = self.writer.idle_turn()
            {
                let _ = self.checkpoint(&connection, Duration::ZERO);
            }
            self.give_back(connection);
        }
        done
    }

    /// The file is the one that was checked, and this client has an account in it.
    fn admit(&self) -> Stored<()> {
        self.same_file()?;
        self.refusal().map_or(Ok(()), Err)
    }

    /// In one exclusive transaction, which never reads first and writes later on what it read. Others of this process
    /// may write in the same one. It is on the disk when this returns.
    pub fn write<T>(&self, work: impl FnOnce(&Tx<'_>) -> rusqlite::Result<T>) -> Stored<T> {
        if self.unchecked.load(Ordering::Relaxed) {
            self.check_pages()?;
            self.unchecked.store(false, Ordering::Relaxed);
        }
        self.write_part(true, work)
    }

    /// As [`Sqlite::write`], for what may be lost by a power failure (not by a dying process).
    ///
    /// Not `OFF`: a transaction may also move the log into the file, and then the log is overwritten. With `NORMAL`
    /// the file is synced in between, with `OFF` a power failure could take what was synced as part of the log.
    pub fn write_unsynced<T>(&self, work: impl FnOnce(&Tx<'_>) -> rusqlite::Result<T>) -> Stored<T> {
        self.write_part(false, work)
    }

    fn write_part<T>(&self, is_synced: bool, work: impl FnOnce(&Tx<'_>) -> rusqlite::Result<T>) -> Stored<T> {
        self.admit()?;
        let turn = self.writer.turn();
        let file = self.pool().file;
        let mut batch = match turn.open_batch() {
            Some(batch) if batch.file == file => batch,
            other => {
                if let Some(replaced) = other {
                    self.commit(&turn, replaced);
                }
                self.begin(is_synced)?
            }
        };
        let done = self.part(&mut batch, work);
        let outcome = batch.outcome();
        if let Some(batch) = turn.leave(batch) {
            self.commit(&turn, batch);
        }
        drop(turn);
        // What failed has left nothing in the batch.
        let value = done?;
        outcome.wait()?;
        Ok(value)
    }

    /// Begins a transaction.
    fn begin(&self, is_synced: bool) -> Stored<Batch> {
        let file = self.pool().file;
        let connection = self.take_connection()?;
        let begun = (|| {
            if !is_synced {
                connection.execute_batch("PRAGMA synchronous = NORMAL")?;
            }
            connection.execute_batch("BEGIN IMMEDIATE")
        })();
        begun.map_err(|e| self.failed(&e))?;
        Ok(Batch::new(connection, file, is_synced))
    }

    /// One part of a batch; what fails leaves nothing in it.
    fn part<T>(&self, batch: &mut Batch, work: impl FnOnce(&Tx<'_>) -> rusqlite::Result<T>) -> Stored<T> {
        batch.parts += 1;
        let connection = batch.connection()?;
        let done = (|| {
            let tx = connection.savepoint()?;
            // Another process may have migrated the file or merged the account just before.
            if let Err(error) = self.current(&tx, true)? {
                return Ok(Err(error));
            }
            self.check_numbers(&tx)?;
            let value = work(&tx)?;
            tx.commit()?;
            Ok(Ok(value))
        })();
        let done = done.map_err(|e| self.failed(&e));
        if let Err(error) = &done
            && batch.is_lost()
        {
            batch.failure.get_or_insert(error.clone());
        }
        done?
    }

    /// Commits a batch, tells its parts, and empties the log if something in it must go.
    fn commit(&self, turn: &Turn<'_>, mut batch: Batch) {
        if batch.is_lost() {
            let failure = batch.failure.take().unwrap_or_else(lost);
            drop(batch.end(Err(failure)));
            return;
        }
        let is_synced = batch.is_synced;
        let done = batch.connection().and_then(|connection| {
            let done = (|| {
                let highest = highest(connection)?;
                connection.execute_batch("COMMIT")?;
                self.given.fetch_max(highest, Ordering::SeqCst);
                if !is_synced {
                    connection.execute_batch("PRAGMA synchronous = FULL")?;
                }
                Ok(())
            })();
            done.map_err(|e| self.failed(&e))
        });
        let is_sound = done.is_ok();
        // Of one that failed nothing is certain: it is closed, and SQLite rolls back what is not written.
        let Some(connection) = batch.end(done).filter(|_| is_sound) else { return };
        if self.checkpoint_pending.load(Ordering::Relaxed) {
            let mut emptied = self.emptied.lock().unwrap_or_else(PoisonError::into_inner);
            if !turn.is_awaited() || emptied.is_none_or(|at| at.elapsed() > EMPTYING) {
                let _ = self.checkpoint(&connection, READERS);
                *emptied = Some(Instant::now());
            }
        }
        self.give_back(connection);
    }

    /// A transaction of the store itself, not of an account.
    pub(super) fn raw_write<T>(&self, work: impl FnOnce(&Tx<'_>) -> rusqlite::Result<T>) -> Stored<T> {
        self.raw(|connection| {
            let mut transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let tx = transaction.savepoint()?;
            let value = work(&tx)?;
            tx.commit()?;
            transaction.commit()?;
            Ok(value)
        })
    }

    /// The log has bytes that must go: within a write, its commit empties the log; if that fails, a later call tries
    /// again.
    pub fn empty_log(&self) {
        self.checkpoint_pending.store(true, Ordering::Relaxed);
    }

    /// Empties the log, unless a reader holds it for longer; then the next call tries again.
    pub(super) fn checkpoint(&self, connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
        connection.busy_timeout(patience)?;
        let busy = match connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)) {
            Err(error) if is_busy(&error) => Ok(true),
            busy => busy,
        };
        connection.busy_timeout(patience::left())?;
        if let Err(error) = &busy {
            // A sync that failed here is one that later calls must know of.
            self.failed(error);
        }
        self.checkpoint_pending.store(busy?, Ordering::Relaxed);
        Ok(())
    }

    fn log_length(&self) -> u64 {
        std::fs::metadata(beside(&self.path, "-wal")).map_or(0, |found| found.len())
    }

    /// The length of a log that has grown and cannot be emptied, since a reader keeps a transaction open.
    pub(super) fn held_log(&self) -> Stored<Option<u64>> {
        if self.log_length() > GROWN {
            self.admit()?;
            if let Some(_turn) = self.writer.idle_turn() {
                self.raw(|connection| self.checkpoint(connection, READERS))?;
            }
        }
        Ok(Some(self.log_length()).filter(|length| *length > GROWN))
    }

    /// A log without end would fill the disk: then the answers to what was sent have no place. No new case is opened.
    pub(super) fn log_is_full(&self) -> Option<Error> {
        let length = self.log_length();
        if length <= FULL {
            return None;
        }
        // After this call it is emptied, if the reader is gone.
        self.empty_log();
        let message =
            format!("a program reads the store without end: its log has {} MB and cannot be emptied", length >> 20);
        Some(store_error(Code::StoreBusy, message))
    }

    /// Within a connection or transaction: the layout is this one, and the account was not merged meanwhile.
    fn current(&self, connection: &Connection, writes: bool) -> rusqlite::Result<Stored<()>> {
        let (_, version) = signature(connection)?;
        if let Some(error) = closed(version, writes) {
            return Ok(layout(version).and(Err(error)));
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

    pub(super) fn pool(&self) -> std::sync::MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn failed(&self, error: &rusqlite::Error) -> Error {
        // 1034: SQLITE_IOERR_FSYNC, 1290: of a directory.
        if error.sqlite_error().is_some_and(|e| matches!(e.extended_code, 1034 | 1290)) {
            self.poisoned.store(true, Ordering::Relaxed);
        }
        if let Some(none_left) = sqlite_locks::take_open_error() {
            return out_of_descriptors(&none_left);
        }
        match error.sqlite_error_code() {
            // 3082: SQLITE_IOERR_NOMEM; 5386: SQLITE_IOERR_SHMMAP, the index of the log has no place in the memory.
            Some(ErrorCode::OutOfMemory) => Error::new(Code::Memory, "no memory is left for the store"),
            _ if error.sqlite_error().is_some_and(|e| matches!(e.extended_code, 3082 | 5386)) => {
                Error::new(Code::Memory, "no memory is left for the store")
            }
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
