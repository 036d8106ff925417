//! One thread of a process writes at a time, and those that wait for it write in one transaction: a commit costs a sync
//! of the disk, and one sync serves all of them.
//!
//! Each part of such a batch runs on the thread that asked for it, in a savepoint of its own. The thread that has the
//! turn when nobody waits commits; no part has its answer before that.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;

use super::witness::FileId;
use super::{Stored, store_error};
use crate::error::{Error, ErrorCode};

/// The most parts of a batch, so that its first part is not kept waiting for ever.
const PARTS: usize = 64;

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
    /// Why SQLite gave the transaction up, if it did.
    pub failure: Option<Error>,
    end: Arc<End>,
}

impl Batch {
    /// Of a connection that is in a transaction.
    pub fn new(connection: Connection, file: Option<FileId>, is_synced: bool) -> Batch {
        Batch { connection: Some(connection), file, is_synced, parts: 0, failure: None, end: Arc::new(End::default()) }
    }

    pub fn connection(&mut self) -> Stored<&mut Connection> {
        self.connection.as_mut().ok_or_else(lost)
    }

    /// Whether SQLite has ended the transaction by itself, as it does after a full disk: nothing of it was written.
    pub fn is_lost(&self) -> bool {
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

pub(super) fn lost() -> Error {
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::case::store::file::Sqlite;
    use crate::case::store::identity::Identity;
    use crate::case::store::plans::commits;
    use crate::case::store::tables::Tx;
    use crate::config::FileStore;

    struct Fixture {
        directory: PathBuf,
        store: Sqlite,
    }

    impl Drop for Fixture {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.directory);
        }
    }

    fn fixture() -> Fixture {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("apb-writer-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::SeqCst));
        let directory = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&directory).unwrap();
        let config = FileStore { path: directory.join("cases.db"), witness: directory.join("witness") };
        let identity = Identity::new("https://vendor.test", "vendor.test", "client", None);
        Fixture { store: Sqlite::open(&config, identity, |_, _| false).unwrap(), directory }
    }

    impl Fixture {
        /// Writes from as many threads, which all wait before the first one has its turn; how each ended, and how
        /// many commits that took. Part `bad` does what is wrong instead.
        fn write(
            &self,
            parts: usize,
            bad: Option<usize>,
            wrong: fn(&Tx<'_>) -> rusqlite::Result<()>,
        ) -> (Vec<bool>, usize) {
            let (done, commits) = self.write_all(parts, bad, wrong);
            (done.iter().map(Result::is_ok).collect(), commits)
        }

        fn write_all(
            &self,
            parts: usize,
            bad: Option<usize>,
            wrong: fn(&Tx<'_>) -> rusqlite::Result<()>,
        ) -> (Vec<Stored<()>>, usize) {
            let turn = self.store.writer.turn();
            let done: Vec<(Stored<()>, usize)> = std::thread::scope(|scope| {
                let part = |n: usize| {
                    let before = commits();
                    let done = self.store.write(|tx| {
                        let sql = "INSERT INTO notices (account, dedupe, at) VALUES ('a', ?1, 1)";
                        tx.execute(sql, [n.to_string()])?;
                        if bad == Some(n) {
                            wrong(tx)?;
                        }
                        Ok(())
                    });
                    (done, commits() - before)
                };
                let mut workers = Vec::new();
                for n in 0..parts {
                    workers.push(scope.spawn(move || part(n)));
                    // In this order.
                    while self.store.writer.lock().waiting <= n {
                        std::thread::yield_now();
                    }
                }
                drop(turn);
                workers.into_iter().map(|worker| worker.join().unwrap_or((Err(lost()), 0))).collect()
            });
            let commits = done.iter().map(|(_, commits)| commits).sum();
            (done.into_iter().map(|(done, _)| done).collect(), commits)
        }

        fn rows(&self) -> usize {
            let sql = "SELECT count(*) FROM notices";
            let count: i64 = self.store.with(|connection| connection.query_row(sql, [], |row| row.get(0))).unwrap();
            usize::try_from(count).unwrap()
        }
    }

    #[test]
    fn who_waits_meanwhile_shares_one_commit() {
        let fixture = fixture();
        assert_eq!(fixture.write(8, None, |_| Ok(())), (vec![true; 8], 1));
        assert_eq!(fixture.rows(), 8);
    }

    #[test]
    fn nobody_waits_for_an_endless_batch() {
        let fixture = fixture();
        let (done, commits) = fixture.write(PARTS + 1, None, |_| Ok(()));
        assert_eq!((done, commits, fixture.rows()), (vec![true; PARTS + 1], 2, PARTS + 1));
    }

    #[test]
    fn a_part_that_fails_leaves_nothing_and_the_others_are_written() {
        let fixture = fixture();
        let (done, _) = fixture.write(8, Some(3), |tx| tx.execute("not SQL", []).map(|_| ()));
        assert_eq!(done.iter().filter(|ok| **ok).count(), 7);
        assert_eq!(fixture.rows(), 7);
    }

    #[test]
    fn nobody_is_told_of_success_in_a_transaction_that_was_given_up() {
        // As SQLite does by itself after some failures of the disk.
        let fixture = fixture();
        fn full(tx: &Tx<'_>) -> rusqlite::Result<()> {
            tx.execute_batch("ROLLBACK")?;
            Err(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), None))
        }
        let mut most = 0;
        // Whose turn comes first is the system's: in some rounds others are in the batch.
        for _ in 0..20 {
            let before = fixture.rows();
            let (done, _) = fixture.write_all(8, Some(3), full);
            assert_eq!(done.iter().filter(|done| done.is_ok()).count(), fixture.rows() - before);
            let failed: Vec<&Error> = done.iter().filter_map(|done| done.as_ref().err()).collect();
            // Each is told what the part was told that lost the batch: the disk is full, and nothing is damaged.
            assert!(failed.iter().all(|error| error.code == ErrorCode::StoreFull), "{failed:?}");
            most = most.max(failed.len());
            fixture.store.write(|tx| tx.execute("DELETE FROM notices", [])).unwrap();
        }
        assert!(most > 1, "the part that lost the batch was alone in it each time");
    }

    #[test]
    fn a_panic_in_a_part_is_an_error_of_its_batch_and_the_store_goes_on() {
        let fixture = fixture();
        let (done, _) = fixture.write(8, Some(3), |_| panic!("a panic of the test"));
        assert_eq!(done.iter().filter(|ok| **ok).count(), fixture.rows());
        let before = fixture.rows();
        fixture.store.write(|tx| tx.execute("INSERT INTO notices VALUES ('a', 'later', 1)", [])).unwrap();
        assert_eq!(fixture.rows(), before + 1);
    }
}
