//! Work on the server: a pool of connections, reads, writes that are one statement, and transactions.
//!
//! Of a write whose answer did not come nobody knows whether it was carried out. It is made once more on another
//! connection, marked as `again`, so that it can tell its own row from that of somebody else. If that succeeds, it is
//! certain; a late first attempt then finds another version and changes nothing. If it does not, the caller is told
//! that the fate is unknown.

use std::cell::Cell;
use std::sync::{LazyLock, PoisonError};
use std::time::Instant;

use tokio_postgres::Row;
use tokio_postgres::types::FromSqlOwned;

use super::super::{Stored, moving, patience, store_error};
use super::database::{Account, Postgres};
use super::link::{Failure, Link, Value, column, values_of};
use super::look::{self, SERVER, TABLE};
use super::memory::Memory;
use super::schema::{LAYOUT, MOVED};
use crate::error::{Advice, Error, ErrorCode, Outcome};

/// How often a transaction is begun anew that others were in the way of.
const TRIES: usize = 20;

/// What a statement runs in.
pub(super) struct Tx<'l> {
    link: &'l Link,
    memory: &'l Memory,
    kind: Kind,
    /// Statements were sent.
    has_begun: Cell<bool>,
    /// The account was merged into another one meanwhile.
    merged: Cell<Option<String>>,
    /// The account whose cases are read and written.
    pub account: String,
    /// It may have been carried out already.
    pub again: bool,
    /// Something is changed: not in a store that was moved.
    writes: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// Each statement is a transaction of its own.
    Single,
    Transaction,
}

/// The account as it is now, the layout, and whether the store is the one that was looked at and has the last intent, or
/// its loss is known.
static CURRENT: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT (SELECT layout FROM apb.store)::bigint, a.account, a.arriving, {SERVER}, {TABLE},
            $2::text IS NULL OR EXISTS (SELECT 1 FROM apb.cases WHERE id = $2 AND token >= $3)
            OR EXISTS (SELECT 1 FROM apb.remnants WHERE id = $2 AND token >= $3)
            OR EXISTS (SELECT 1 FROM apb.losses WHERE case_id = $2 AND number = $3)
        FROM (SELECT) one LEFT JOIN (SELECT coalesce(merged, id) AS account, arriving IS NOT NULL AS arriving
                                     FROM apb.accounts WHERE id = $1) a ON true"
    )
});

impl Tx<'_> {
    /// Runs one statement. The first one travels together with what must be asked before.
    pub fn query(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row>, Failure> {
        if self.has_begun.replace(true) {
            return self.link.query(sql, values);
        }
        let last = self.memory.last();
        let (case, number) = last.as_ref().map_or((None, 0), |(case, number)| (Some(&**case), *number));
        let (current, rows) = self.link.first(
            self.kind == Kind::Transaction,
            (&CURRENT, values_of![&self.account, case, number]),
            (sql, values),
        )?;
        if let Some(row) = current.first() {
            if !look::is_same(self.link, self.memory, column(row, 3)?, column(row, 4)?, column(row, 5)?) {
                return Err(Failure::lost("the store is not the one that this connection was made to"));
            }
            let layout: i64 = column(row, 0)?;
            if layout == i64::from(MOVED) && self.writes {
                return Err(Failure::own(moving::moved("the store was moved into another one")));
            }
            if ![LAYOUT, MOVED].map(i64::from).contains(&layout) {
                return Err(Failure::own(super::schema::other_layout(layout)));
            }
            if column::<Option<bool>>(row, 2)? == Some(true) {
                return Err(Failure::own(moving::arriving()));
            }
            match column::<Option<String>>(row, 1)? {
                Some(account) if account != self.account => self.merged.set(Some(account)),
                Some(_) => {}
                None if self.account.is_empty() => {}
                None => {
                    let message = "the store does not have this account any more";
                    return Err(Failure::own(store_error(ErrorCode::StoreAccount, message)));
                }
            }
        }
        Ok(rows)
    }

    /// The first row of a statement's answer.
    pub fn row(&self, sql: &str, values: &[Value<'_>]) -> Result<Option<Row>, Failure> {
        Ok(self.query(sql, values)?.into_iter().next())
    }

    /// The first column of the first row.
    pub fn value<T: FromSqlOwned>(&self, sql: &str, values: &[Value<'_>]) -> Result<Option<T>, Failure> {
        self.row(sql, values)?.map(|row| column(&row, 0)).transpose()
    }

    /// The first column of all rows.
    pub fn list<T: FromSqlOwned>(&self, sql: &str, values: &[Value<'_>]) -> Result<Vec<T>, Failure> {
        self.query(sql, values)?.iter().map(|row| column(row, 0)).collect()
    }
}

impl Postgres {
    /// Looks something up. May be done twice.
    pub(super) fn read<T>(&self, work: impl Fn(&Tx<'_>) -> Result<T, Failure>) -> Stored<T> {
        self.admit()?;
        self.look_up(work)
    }

    /// As [`Postgres::read`], of the store itself and not of an account.
    pub(super) fn look_up<T>(&self, work: impl Fn(&Tx<'_>) -> Result<T, Failure>) -> Stored<T> {
        self.attempt(Kind::Single, false, work).map_err(|(error, _)| error)
    }

    /// Looks several things up of one moment, under locks.
    pub(super) fn read_locked<T>(&self, work: impl Fn(&Tx<'_>) -> Result<T, Failure>) -> Stored<T> {
        self.admit()?;
        self.attempt(Kind::Transaction, false, work).map_err(|(error, _)| error)
    }

    /// One statement that changes something.
    pub(super) fn write_one<T>(&self, work: impl Fn(&Tx<'_>) -> Result<T, Failure>) -> Stored<T> {
        self.admit()?;
        self.attempt(Kind::Single, true, work).map_err(of_unknown_fate)
    }

    /// One transaction.
    pub(super) fn write<T>(&self, work: impl Fn(&Tx<'_>) -> Result<T, Failure>) -> Stored<T> {
        self.admit()?;
        self.attempt(Kind::Transaction, true, work).map_err(of_unknown_fate)
    }

    /// As [`Postgres::write`], of the store itself and not of an account.
    pub(super) fn raw_write<T>(&self, work: impl Fn(&Tx<'_>) -> Result<T, Failure>) -> Stored<T> {
        self.attempt(Kind::Transaction, true, work).map_err(of_unknown_fate)
    }

    /// The second value of the error is whether it may have been carried out.
    fn attempt<T>(
        &self,
        kind: Kind,
        writes: bool,
        work: impl Fn(&Tx<'_>) -> Result<T, Failure>,
    ) -> Result<T, (Error, bool)> {
        let (mut again, mut lost) = (false, 0);
        let mut tries = 0;
        loop {
            tries += 1;
            let link = self.take_link().map_err(|failure| (failure.error, again))?;
            let tx = Tx {
                link: &link,
                memory: &self.memory,
                kind,
                has_begun: Cell::new(false),
                merged: Cell::new(None),
                account: self.account(),
                again,
                writes,
            };
            let mut commits = kind == Kind::Single;
            let done = work(&tx).and_then(|value| {
                if kind == Kind::Transaction && tx.has_begun.get() && tx.merged_is(None) {
                    commits = true;
                    link.commit()?;
                } else if kind == Kind::Single {
                    link.check_warning()?;
                }
                Ok(value)
            });
            let (has_begun, merged) = (tx.has_begun.get(), tx.merged.take());
            if let Some(account) = merged {
                *self.lock_account() = Account::Known(account);
                let _ = kind == Kind::Transaction && link.roll_back().is_ok();
                self.give_back(link);
                // What is one statement was carried out; made once more, it is of the account as it is now.
                again |= kind == Kind::Single && done.is_ok();
                if tries < TRIES {
                    continue;
                }
                return done.map_err(|failure| (failure.error, again));
            }
            match done {
                Ok(value) => {
                    self.give_back(link);
                    return Ok(value);
                }
                Err(failure) if failure.is_lost => {
                    again |= commits && has_begun;
                    lost += 1;
                    // Others of its age are as dead.
                    self.forget(link);
                    if lost > 1 || patience::left().is_zero() {
                        return Err((failure.error, again));
                    }
                }
                Err(failure) => {
                    let is_sound = kind == Kind::Single || !has_begun || link.roll_back().is_ok();
                    match is_sound {
                        true => self.give_back(link),
                        false => self.forget(link),
                    }
                    if !failure.is_conflict() || tries >= TRIES || patience::left().is_zero() {
                        return Err((failure.error, again));
                    }
                }
            }
        }
    }

    /// Closes the connections that wait.
    pub(super) fn close(&self) {
        let idle = std::mem::take(&mut self.pool.state.lock().unwrap_or_else(PoisonError::into_inner).idle);
        drop(idle);
    }

    /// A connection that waits, or a new one.
    fn take_link(&self) -> Result<Link, Failure> {
        let until = Instant::now() + patience::left();
        let mut state = self.pool.state.lock().unwrap_or_else(PoisonError::into_inner);
        while state.used >= self.server.pool_size {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Failure::own(store_error(
                    ErrorCode::StoreBusy,
                    "all connections to the store's server are in use (poolSize)",
                )));
            }
            state = self.pool.free.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.used += 1;
        let idle = state.idle.pop();
        drop(state);
        if let Some(link) = idle.filter(|link| link.is_open() && look::is_current(link, &self.memory)) {
            return Ok(link);
        }
        self.connect().inspect_err(|_| self.leave(None))
    }

    fn give_back(&self, link: Link) {
        self.leave(Some(link));
    }

    /// Drops a connection, and those that wait.
    fn forget(&self, link: Link) {
        drop(link);
        self.close();
        self.leave(None);
    }

    fn leave(&self, link: Option<Link>) {
        let mut state = self.pool.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.used = state.used.saturating_sub(1);
        state.idle.extend(link.filter(Link::is_open));
        drop(state);
        self.pool.free.notify_one();
    }
}

impl Tx<'_> {
    /// Whether a statement that fails takes others with it.
    pub fn is_transaction(&self) -> bool {
        self.kind == Kind::Transaction
    }

    fn merged_is(&self, what: Option<&str>) -> bool {
        let merged = self.merged.take();
        let is = merged.as_deref() == what;
        self.merged.set(merged);
        is
    }
}

/// Nobody sends on the strength of it, and nobody may say that it was not written.
fn of_unknown_fate((error, may_be_done): (Error, bool)) -> Error {
    if !may_be_done {
        return error;
    }
    let message = format!("{}; whether it was written is not known", error.message);
    let mut error = Error { outcome: Outcome::Unknown, advice: Advice::Reconcile, ..error };
    error.code = ErrorCode::StoreUnavailable;
    error.retryable = false;
    error.next = Some("case.reconcile");
    error.help = format!("This call sent nothing after that: {message}. Open the case again with the same key.");
    error.message = message;
    error
}
