//! One thread of a process writes at a time, and those that wait for it write in one transaction: a commit costs a sync
//! of the disk, and one sync serves all of them.
//!
//! Each part of such a batch runs on the thread that asked for it, in a savepoint of its own. The thread that has the
//! turn when nobody waits commits; no part has its answer before that.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::witness::FileId;
use super::{Stored, store_error};
use crate::error::ErrorCode;

/// The most parts of a batch, so that its first part is not kept waiting for ever.
const PARTS: usize = 64;

/// What the work of a write gets: a savepoint within an exclusive transaction.
pub(super) type Tx<'t> = rusqlite::Savepoint<'t>;

/// Whose turn it is.
#[derive(Default)]
pub(super) struct Writer {
    turns: Mutex<Turns>,
    free: Condvar,
}

#[derive(Default)]
struct Turns {
    is_taken: bool,
    waiting: usize,
    /// The batch that the next one goes on with.
    open: Option<Batch>,
}

impl Writer {
    /// Waits for the turn. Whoever has it holds it for one part, and for the commit.
    pub fn turn(&self) -> Turn<'_> {
        let mut turns = self.lock();
        turns.waiting += 1;
        while turns.is_taken {
            turns = self.free.wait(turns).unwrap_or_else(PoisonError::into_inner);
        }
        turns.waiting -= 1;
        turns.is_taken = true;
        Turn(self)
    }

    /// The turn, if nobody has it.
    pub fn idle_turn(&self) -> Option<Turn<'_>> {
        let mut turns = self.lock();
        (!turns.is_taken).then(|| {
            turns.is_taken = true;
            Turn(self)
        })
    }

    fn lock(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to write, until it is dropped.
pub(super) struct Turn<'w>(&'w Writer);

impl Turn<'_> {
    /// The batch that the thread before has left open.
    pub fn open_batch(&self) -> Option<Batch> {
        self.0.lock().open.take()
    }

    /// Leaves a batch to the next one that waits; gives it back if it must be ended now.
    pub fn leave(&self, batch: Batch) -> Option<Batch> {
        let mut turns = self.0.lock();
        if turns.waiting == 0 || batch.parts >= PARTS || !batch.is_synced || batch.is_lost() {
            return Some(batch);
        }
        turns.open = Some(batch);
        None
    }

    /// Whether another thread waits for the turn.
    pub fn is_awaited(&self) -> bool {
        self.0.lock().waiting > 0
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.lock().is_taken = false;
        self.0.free.notify_one();
    }
}

/// A transaction that several threads write in, one after the other.
pub(super) struct Batch {
    connection: Option<Connection>,
    /// The file that it is a transaction of.
    pub file: Option<FileId>,
    /// Whether its commit is synced.
    pub is_synced: bool,
    pub parts: usize,
    end: Arc<End>,
}

impl Batch {
    /// Of a connection that is in a transaction.
    pub fn new(connection: Connection, file: Option<FileId>, is_synced: bool) -> Batch {
        Batch { connection: Some(connection), file, is_synced, parts: 0, end: Arc::new(End::default()) }
    }

    pub fn connection(&mut self) -> Stored<&mut Connection> {
        self.connection.as_mut().ok_or_else(lost)
    }

    /// Whether SQLite has ended the transaction by itself, as it does after a full disk: nothing of it was written.
    fn is_lost(&self) -> bool {
        self.connection.as_ref().is_none_or(Connection::is_autocommit)
    }

    /// How it ends, for each of its parts.
    pub fn outcome(&self) -> Arc<End> {
        self.end.clone()
    }

    /// Tells every part how it ended, and gives the connection back.
    pub fn end(mut self, result: Stored<()>) -> Option<Connection> {
        self.end.set(result);
        self.connection.take()
    }
}

impl Drop for Batch {
    /// A panic: the connection is dropped, and with it what was written.
    fn drop(&mut self) {
        self.end.set(Err(lost()));
    }
}

fn lost() -> crate::error::Error {
    store_error(ErrorCode::StoreIo, "the store failed: a transaction was given up before its end")
}

/// How a batch ended.
#[derive(Default)]
pub(super) struct End {
    result: Mutex<Option<Stored<()>>>,
    ended: Condvar,
}

impl End {
    /// The first result counts.
    fn set(&self, result: Stored<()>) {
        self.result.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(result);
        self.ended.notify_all();
    }

    /// Waits for the commit, or for what came instead.
    pub fn wait(&self) -> Stored<()> {
        let mut result = self.result.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            match &*result {
                Some(result) => return result.clone(),
                None => result = self.ended.wait(result).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}
