//! The embedded store: one SQLite file, shared by the processes of one machine.
//!
//! Write-ahead log with `synchronous=FULL`: a transaction is on the disk when it returns. Connections are open only
//! while a call is under way: SQLite's locks belong to a process, and a child that inherited open connections
//! through fork() would believe in locks that it does not have.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params};

use super::check::{APPLICATION, LAYOUT, beside, check, foreign, layout, private};
use super::{Claim, Counts, Filter, KnownOffer, Lease, Leave, Name, Row, Store, Stored, Visit, budget, store_error};
use crate::case::clock;
use crate::case::model::{Case, Millis, Stamp, Verdict};
use crate::case::rules::HORIZON;
use crate::config::Rate;
use crate::outcome::Error;

const SCHEMA: &str = include_str!("schema.sql");

/// How long a transaction waits for another process.
const BUSY: Duration = Duration::from_secs(10);
/// How long emptying the log waits for those who read it. Nobody can write meanwhile.
const READERS: Duration = Duration::from_millis(20);
/// Above this size the whole file is not read at the start; damage is then found where it is met.
const LARGE: u64 = 256 << 20;

/// A case store in a file, for one account.
pub(crate) struct Sqlite {
    path: PathBuf,
    account: String,
    pool: Mutex<Pool>,
    /// A sync failed: what the disk has is not known, and nothing may rest on it.
    poisoned: AtomicBool,
    /// The log holds raw replies of a settled case, and could not be emptied yet.
    unswept: AtomicBool,
}

#[derive(Default)]
struct Pool {
    visitors: usize,
    idle: Vec<Connection>,
}

impl Sqlite {
    /// Opens or makes the file; refuses one that cannot be trusted or written.
    pub fn open(path: &Path, account: String) -> Stored<Sqlite> {
        let store = Sqlite {
            path: path.to_owned(),
            account,
            pool: Mutex::new(Pool::default()),
            poisoned: AtomicBool::new(false),
            unswept: AtomicBool::new(false),
        };
        let visit = store.visit();
        check(path)?;
        // Before anything is written to it.
        if std::fs::metadata(path).is_ok_and(|m| m.len() < LARGE) {
            let sound: String =
                store.with(|connection| connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)))?;
            if sound != "ok" {
                return Err(store_error("store_corrupt", "the store's file is damaged; it was left as it is"));
            }
        }
        let signature = store.with(sign)?;
        if !is_ours(signature) {
            return Err(foreign());
        }
        layout(signature.1)?;
        private(path)?;
        // A process that died may have left raw replies in the log.
        if std::fs::metadata(beside(path, "-wal")).is_ok_and(|m| m.len() > 0) {
            store.with(|connection| store.sweep(connection, READERS))?;
        }
        drop(visit);
        Ok(store)
    }

    fn connect(&self) -> Stored<Connection> {
        self.connection().map_err(|e| self.failed(&e))?.ok_or_else(foreign)
    }

    /// None if the file is not ours, or not the one any more that it was.
    fn connection(&self) -> rusqlite::Result<Option<Connection>> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(BUSY)?;
        // The last process to leave must not delete the log under a process that is just coming.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        connection.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -1024; PRAGMA wal_autocheckpoint = 200",
        )?;
        // The next statement would write to it.
        if !is_ours(signature(&connection)?) && !is_empty(&connection)? {
            return Ok(None);
        }
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            return Err(rusqlite::Error::InvalidPath(self.path.clone()));
        }
        Ok(Some(connection))
    }

    /// Runs `work` on a connection of its own.
    fn with<T>(&self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Stored<T> {
        if self.poisoned.load(Ordering::Relaxed) {
            return Err(store_error("store_io", "a sync of the store failed before; check the disk and start again"));
        }
        let idle = self.pool().idle.pop();
        let mut connection = match idle {
            Some(connection) => connection,
            None => self.connect()?,
        };
        let done = work(&mut connection).map_err(|e| self.failed(&e));
        if done.is_ok() && self.unswept.load(Ordering::Relaxed) {
            // What did not succeed before costs nobody time or an answer now.
            let _ = self.sweep(&connection, Duration::ZERO);
        }
        let mut pool = self.pool();
        if pool.visitors > 0 && done.is_ok() {
            pool.idle.push(connection);
        }
        done
    }

    /// One exclusive transaction: it never reads first and writes later on what it read.
    fn write<T>(&self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Stored<T> {
        self.with(|connection| {
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
    fn write_unsynced<T>(&self, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Stored<T> {
        self.with(|connection| {
            connection.execute_batch("PRAGMA synchronous = NORMAL")?;
            let done = (|| {
                let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let value = work(&tx)?;
                tx.commit()?;
                Ok(value)
            })();
            connection.execute_batch("PRAGMA synchronous = FULL")?;
            done
        })
    }

    /// Empties the log, unless somebody reads it for longer; then the next call tries again.
    fn sweep(&self, connection: &Connection, patience: Duration) -> rusqlite::Result<()> {
        connection.busy_timeout(patience)?;
        let busy = match connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(true),
            busy => busy,
        };
        connection.busy_timeout(BUSY)?;
        self.unswept.store(busy?, Ordering::Relaxed);
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
            Some(ErrorCode::DiskFull) => store_error("store_full", "the disk of the store is full"),
            Some(ErrorCode::ReadOnly) => store_error("store_readonly", "the store cannot be written"),
            Some(ErrorCode::CannotOpen) => store_error("store_unavailable", "the store cannot be opened"),
            // `Unknown` is SQLite's plain error: tables that are not there, a form that nobody knows.
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown) => {
                store_error("store_corrupt", "the store's file is damaged; nothing rests on it any more")
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                store_error("store_busy", "another process kept the store busy for too long")
            }
            // SQLite's own words name codes and never hold values; the others may.
            _ => match error.sqlite_error() {
                Some(error) => store_error("store_io", format!("the store failed: {error}")),
                None => store_error("store_corrupt", "the store has a row that cannot be read"),
            },
        }
    }
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

/// An empty file becomes ours.
fn sign(connection: &mut Connection) -> rusqlite::Result<Signature> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if is_empty(&tx)? {
        tx.execute_batch(SCHEMA)?;
        tx.execute_batch(&format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {LAYOUT}"))?;
    } else if matches!(signature(&tx)?, (APPLICATION, 1..=LAYOUT)) {
        // The probe: a file or disk that cannot be written is found before money depends on it.
        tx.execute("UPDATE probe SET at = ?1", [clock::wall()])?;
    }
    let signature = signature(&tx)?;
    tx.commit()?;
    Ok(signature)
}

fn body(case: &Case) -> rusqlite::Result<String> {
    serde_json::to_string(case).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let text: String = row.get(0)?;
    let case = serde_json::from_str(&text)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(e)))?;
    let owner: Option<String> = row.get(2)?;
    Ok(Row {
        case,
        version: row.get(1)?,
        owner: owner.map(|o| Ok::<_, rusqlite::Error>((o, row.get(3)?))).transpose()?,
    })
}

const COLUMNS: &str = "body, version, owner, lease_until";

impl Sqlite {
    fn by_id(&self, tx: &Connection, id: &str) -> rusqlite::Result<Option<Row>> {
        let sql = format!("SELECT {COLUMNS} FROM cases WHERE account = ?1 AND id = ?2");
        tx.prepare_cached(&sql)?.query_row(params![self.account, id], row).optional()
    }

    fn by_key(&self, tx: &Connection, key: &str) -> rusqlite::Result<Option<Row>> {
        let sql = format!("SELECT {COLUMNS} FROM cases WHERE account = ?1 AND key = ?2");
        tx.prepare_cached(&sql)?.query_row(params![self.account, key], row).optional()
    }

    /// Compare and swap.
    fn put(&self, tx: &Transaction<'_>, row: &Row, lease: Option<&Lease>) -> rusqlite::Result<Option<i64>> {
        let case = &row.case;
        let changed = tx
            .prepare_cached(
                "UPDATE cases SET kind = ?3, order_no = ?4, open = ?5, unknown = ?6, due = ?7, version = version + 1,
                 owner = ?8, lease_until = ?9, updated = ?10, body = ?11 WHERE id = ?1 AND version = ?2",
            )?
            .execute(params![
                case.id,
                row.version,
                case.kind.word(),
                case.order_no,
                !case.closed,
                is_unknown(case),
                case.due,
                lease.map(|l| l.owner.as_str()),
                lease.map(|l| l.until),
                case.updated,
                body(case)?
            ])?;
        if changed == 0 {
            return Ok(None);
        }
        self.hold(tx, case)?;
        Ok(Some(row.version + 1))
    }

    /// Cases on the order that were given up and may still turn out to have been executed.
    fn given_up(&self, tx: &Connection, order_no: Option<&str>) -> rusqlite::Result<Vec<Row>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM cases WHERE account = ?1 AND order_no = ?2 AND open = 0 AND due IS NOT NULL"
        );
        tx.prepare_cached(&sql)?.query_map(params![self.account, order_no], row)?.collect()
    }

    /// Writes which orders the case keeps others away from.
    fn hold(&self, tx: &Transaction<'_>, case: &Case) -> rusqlite::Result<()> {
        tx.prepare_cached("DELETE FROM holds WHERE case_id = ?1")?.execute([&case.id])?;
        if case.keeps_others_away() {
            for order in &case.holds {
                tx.prepare_cached("INSERT OR IGNORE INTO holds (account, order_no, case_id) VALUES (?1, ?2, ?3)")?
                    .execute(params![self.account, order, case.id])?;
            }
        }
        Ok(())
    }
}

impl Leave for Sqlite {
    fn leave(&self) {
        let idle = {
            let mut pool = self.pool();
            pool.visitors = pool.visitors.saturating_sub(1);
            if pool.visitors > 0 { Vec::new() } else { std::mem::take(&mut pool.idle) }
        };
        drop(idle);
    }
}

impl Store for Sqlite {
    fn visit(&self) -> Visit<'_> {
        self.pool().visitors += 1;
        Visit(self)
    }

    fn claim(&self, case: &Case, lease: &Lease, after: Option<&str>) -> Stored<Claim> {
        self.write(|tx| {
            if let Some(known) = self.by_key(tx, &case.key)? {
                return Ok(Claim::Known(known));
            }
            let purged: bool = tx.query_row(
                "SELECT EXISTS (SELECT 1 FROM purged WHERE account = ?1 AND key = ?2)",
                params![self.account, case.key],
                |row| row.get(0),
            )?;
            if purged {
                return Ok(Claim::Purged);
            }
            for order in &case.holds {
                let holder: Option<String> = tx
                    .query_row(
                        "SELECT case_id FROM holds WHERE account = ?1 AND order_no = ?2",
                        params![self.account, order],
                        |row| row.get(0),
                    )
                    .optional()?;
                let Some(holder) = holder else { continue };
                match self.by_id(tx, &holder)? {
                    // Only a case that was given up makes room, and only for one that names it.
                    Some(row) if row.case.closed && after == Some(holder.as_str()) => {
                        let earlier = Row { case: Case { holds: Vec::new(), ..row.case }, ..row };
                        self.put(tx, &earlier, None)?;
                    }
                    Some(row) => return Ok(Claim::Held(Box::new(row.case))),
                    None => {}
                }
            }
            for earlier in self.given_up(tx, case.order_no.as_deref())? {
                let earlier = Row { case: Case { succeeded: true, ..earlier.case }, ..earlier };
                self.put(tx, &earlier, None)?;
            }
            tx.execute(
                "INSERT INTO cases (id, account, key, kind, order_no, open, unknown, due, version, owner, lease_until, updated, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1, ?9, ?10, ?11, ?12)",
                params![
                    case.id,
                    self.account,
                    case.key,
                    case.kind.word(),
                    case.order_no,
                    !case.closed,
                    is_unknown(case),
                    case.due,
                    lease.owner,
                    lease.until,
                    case.updated,
                    body(case)?
                ],
            )?;
            self.hold(tx, case)?;
            let owner = Some((lease.owner.clone(), lease.until));
            Ok(Claim::New(Row { case: case.clone(), version: 1, owner }))
        })
    }

    fn load(&self, name: &Name) -> Stored<Option<Row>> {
        self.with(|connection| match name {
            Name::Id(id) => self.by_id(connection, id),
            Name::Key(key) => self.by_key(connection, key),
        })
    }

    fn lease(&self, id: &str, lease: &Lease, is_alive: &dyn Fn(&str, Millis) -> bool) -> Stored<Option<Row>> {
        self.write(|tx| {
            let Some(mut row) = self.by_id(tx, id)? else { return Ok(None) };
            if let Some((owner, until)) = &row.owner
                && *owner != lease.owner
                && is_alive(owner, *until)
            {
                return Ok(None);
            }
            tx.prepare_cached("UPDATE cases SET version = version + 1, owner = ?1, lease_until = ?2 WHERE id = ?3")?
                .execute(params![lease.owner, lease.until, id])?;
            row.version += 1;
            row.owner = Some((lease.owner.clone(), lease.until));
            Ok(Some(row))
        })
    }

    fn save(&self, row: &Row, lease: Option<&Lease>) -> Stored<Option<i64>> {
        self.write(|tx| self.put(tx, row, lease))
    }

    fn settle(&self, row: &Row, thin: &dyn Fn(&[u8]) -> Option<String>) -> Stored<Option<i64>> {
        let mut thinned = false;
        let version = self.write(|tx| {
            let version = self.put(tx, row, None)?;
            thinned = version.is_some() && thin_replies(tx, &row.case.id, thin)?;
            Ok(version)
        })?;
        if thinned {
            // The log still has what was replaced. The outcome is stored: what goes wrong here is tried again.
            self.unswept.store(true, Ordering::Relaxed);
            let _ = self.with(|connection| self.sweep(connection, READERS));
        }
        Ok(version)
    }

    fn keep_reply(&self, id: &str, step: &str, attempt: u32, reply: &[u8]) -> Stored<()> {
        self.write(|tx| {
            tx.execute(
                "INSERT OR REPLACE INTO replies (case_id, step, attempt, at, thin, body) VALUES (?1, ?2, ?3, ?4, 0, ?5)",
                params![id, step, attempt, clock::wall(), reply],
            )
            .map(|_| ())
        })
    }

    fn list(&self, filter: &Filter) -> Stored<Vec<Case>> {
        self.with(|connection| {
            let sql = "SELECT body FROM cases WHERE account = ?1 AND id > ?2
                 AND (?3 IS NULL OR open = ?3) AND (?4 IS NULL OR order_no = ?4) AND (?5 IS NULL OR kind = ?5)
                 AND (?6 = 0 OR unknown = 1) ORDER BY id LIMIT ?7";
            let mut statement = connection.prepare_cached(sql)?;
            let values = params![
                self.account,
                filter.after.as_deref().unwrap_or(""),
                filter.open,
                filter.order_no,
                filter.kind.map(|k| k.word()),
                filter.unknown,
                filter.limit as i64
            ];
            let texts = statement.query_map(values, |row| row.get::<_, String>(0))?;
            texts
                .map(|text| {
                    serde_json::from_str(&text?).map_err(|e| {
                        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(e))
                    })
                })
                .collect()
        })
    }

    fn due(&self, now: Millis, limit: usize, is_alive: &dyn Fn(&str, Millis) -> bool) -> Stored<Vec<String>> {
        let columns = "SELECT id, owner, lease_until FROM cases WHERE account = ?1";
        let past = (format!("{columns} AND due <= ?2 ORDER BY due"), now);
        // What is due later than any pause ends, a clock that was wrong left so.
        let never = (format!("{columns} AND due > ?2 ORDER BY due"), now.saturating_add(HORIZON));
        self.with(|connection| {
            let mut ids = Vec::new();
            for (sql, bound) in [&past, &never] {
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query(params![self.account, bound])?;
                while ids.len() < limit
                    && let Some(row) = rows.next()?
                {
                    let owner: Option<String> = row.get(1)?;
                    match owner {
                        Some(owner) if is_alive(&owner, row.get(2)?) => {}
                        _ => ids.push(row.get(0)?),
                    }
                }
            }
            Ok(ids)
        })
    }

    fn counts(&self, now: Millis) -> Stored<Counts> {
        self.with(|connection| {
            let one = |sql: &str| -> rusqlite::Result<Option<i64>> {
                connection.prepare_cached(sql)?.query_row(params![self.account, now], |row| row.get(0))
            };
            Ok(Counts {
                due: one("SELECT count(*) FROM cases WHERE account = ?1 AND due <= ?2")?.unwrap_or(0) as u64,
                open: one("SELECT count(*) FROM cases WHERE account = ?1 AND open = 1 AND ?2 = ?2")?.unwrap_or(0)
                    as u64,
                next: one("SELECT min(due) FROM cases WHERE account = ?1 AND due IS NOT NULL AND ?2 = ?2")?,
            })
        })
    }

    fn concerned(&self, order_no: &str) -> Stored<Vec<String>> {
        self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT id FROM cases WHERE account = ?1 AND order_no = ?2 AND due IS NOT NULL
                     UNION SELECT case_id FROM holds WHERE account = ?1 AND order_no = ?2",
                )?
                .query_map(params![self.account, order_no], |row| row.get(0))?
                .collect()
        })
    }

    fn first_notice(&self, dedupe: &str, now: Millis) -> Stored<bool> {
        self.write_unsynced(|tx| {
            tx.execute("DELETE FROM notices WHERE at < ?1", [now - 30 * 86_400_000])?;
            let new = tx.execute(
                "INSERT OR IGNORE INTO notices (account, dedupe, at) VALUES (?1, ?2, ?3)",
                params![self.account, dedupe, now],
            )?;
            Ok(new == 1)
        })
    }

    fn remember_offer(&self, offer_id: &str, offer: &KnownOffer, at: Stamp) -> Stored<()> {
        let text = serde_json::to_string(&(offer, at))
            .map_err(|e| store_error("store_io", format!("an offer cannot be written: {e}")))?;
        self.write_unsynced(|tx| {
            tx.execute("DELETE FROM offers WHERE at < ?1", [clock::wall() - 86_400_000])?;
            tx.execute(
                "INSERT OR REPLACE INTO offers (account, offer_id, at, body) VALUES (?1, ?2, ?3, ?4)",
                params![self.account, offer_id, clock::wall(), text],
            )
            .map(|_| ())
        })
    }

    fn known_offer(&self, offer_id: &str) -> Stored<Option<KnownOffer>> {
        let text: Option<String> = self.with(|connection| {
            connection
                .query_row(
                    "SELECT body FROM offers WHERE account = ?1 AND offer_id = ?2",
                    params![self.account, offer_id],
                    |row| row.get(0),
                )
                .optional()
        })?;
        Ok(text.and_then(|text| serde_json::from_str::<(KnownOffer, Stamp)>(&text).ok()).map(|(mut offer, at)| {
            offer.quote.at = Some(at);
            offer
        }))
    }

    fn place(&self, name: &str, rate: Rate, patience: Millis) -> Stored<Option<Millis>> {
        self.write_unsynced(|tx| {
            let (mut budget, now) = budget::read(tx, &self.account, name, rate)?;
            let patience = Duration::from_millis(u64::try_from(patience).unwrap_or(0));
            let Some(wait) = budget.take_within(now, patience) else { return Ok(None) };
            budget::write(tx, &self.account, name, &budget)?;
            Ok(Some(budget::millis(wait)))
        })
    }

    fn slow_down(&self, wait: Option<Millis>) -> Stored<()> {
        let wait = Duration::from_millis(wait.and_then(|w| u64::try_from(w).ok()).unwrap_or(0));
        self.write_unsynced(|tx| {
            let names: Vec<String> = tx
                .prepare("SELECT name FROM budgets WHERE account = ?1")?
                .query_map([&self.account], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            for name in names {
                // The rate itself does not matter here: what is stored does not depend on it.
                let (mut budget, now) = budget::read(tx, &self.account, &name, Rate { per_second: 1.0, burst: 1 })?;
                budget.slow_down(now, wait);
                budget::write(tx, &self.account, &name, &budget)?;
            }
            Ok(())
        })
    }

    fn pace(&self, name: &str, rate: Rate) -> Stored<(f64, Millis)> {
        self.write_unsynced(|tx| {
            let (mut budget, now) = budget::read(tx, &self.account, name, rate)?;
            let wait = budget.wait(now);
            Ok((budget.per_second(), budget::millis(wait)))
        })
    }

    fn purge(&self, before: Millis) -> Stored<u64> {
        self.write(|tx| {
            let old = "account = ?1 AND open = 0 AND due IS NULL AND owner IS NULL AND updated < ?2";
            let values = params![self.account, before];
            tx.execute(
                &format!("INSERT OR IGNORE INTO purged (account, key) SELECT account, key FROM cases WHERE {old}"),
                values,
            )?;
            tx.execute(&format!("DELETE FROM replies WHERE case_id IN (SELECT id FROM cases WHERE {old})"), values)?;
            tx.execute(&format!("DELETE FROM holds WHERE case_id IN (SELECT id FROM cases WHERE {old})"), values)?;
            Ok(tx.execute(&format!("DELETE FROM cases WHERE {old}"), values)? as u64)
        })
    }
}

/// Replaces the raw replies of a case; says whether there were any.
fn thin_replies(tx: &Transaction<'_>, id: &str, thin: &dyn Fn(&[u8]) -> Option<String>) -> rusqlite::Result<bool> {
    let mut kept = tx.prepare_cached("SELECT step, attempt, body FROM replies WHERE case_id = ?1 AND thin = 0")?;
    let rows: Vec<(String, u32, Vec<u8>)> =
        kept.query_map([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_, _>>()?;
    for (step, attempt, reply) in &rows {
        let (mark, text) = match thin(reply) {
            Some(text) => (1, Some(text)),
            // 2: it cannot be read, so nobody can say what may go. It stays, and is marked.
            None => (2, None),
        };
        tx.execute(
            "UPDATE replies SET thin = ?4, body = coalesce(?5, body) WHERE case_id = ?1 AND step = ?2 AND attempt = ?3",
            params![id, step, attempt, mark, text.map(String::into_bytes)],
        )?;
    }
    Ok(!rows.is_empty())
}

/// Whether a query may settle it: also what a dead process left while sending.
fn is_unknown(case: &Case) -> bool {
    case.outcome == Verdict::Unknown || case.state == crate::case::model::State::Sending
}
