//! A store in a file as one side of a move.

use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Statement, params, params_from_iter};
use serde_json::Value;

use super::check::{ARRIVING, LAYOUT, MOVED};
use super::connection::signature;
use super::file::Sqlite;
use super::side::{Column, Head, Known, Record, Side, Table};
use super::tables::imported;
use super::{Stored, accounts, budget, rewound};
use crate::case::clock;
use crate::digest::hex;
use crate::token_bucket::Rate;
use crate::unix_time;

/// Rows at a time.
const ROWS: usize = 500;

/// What stands only in files that were moved, or that others were moved into.
const TABLES: &str = "CREATE TABLE IF NOT EXISTS moved (target TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS imports (source TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;";

struct FileSide<'s> {
    store: &'s Sqlite,
    connection: Connection,
}

impl Sqlite {
    /// See [`Store::side`](super::Store::side).
    pub(super) fn side(&self) -> Stored<Box<dyn Side + '_>> {
        self.same_file()?;
        Ok(Box::new(FileSide { store: self, connection: self.connect()? }))
    }
}

fn set_version(connection: &Connection, version: i32) -> rusqlite::Result<()> {
    connection.execute_batch(&format!("PRAGMA user_version = {version}"))
}

impl FileSide<'_> {
    fn run<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Stored<T> {
        work(&self.connection).map_err(|error| self.store.failed(&error))
    }

    fn texts(&self, sql: &str) -> Stored<Vec<String>> {
        self.run(|connection| connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect())
    }
}

impl Side for FileSide<'_> {
    fn begin(&mut self, _: bool) -> Stored<()> {
        // One transaction writes at a time, whatever it is for.
        if !self.connection.is_autocommit() {
            self.run(|connection| connection.execute_batch("ROLLBACK"))?;
        }
        self.run(|connection| connection.execute_batch("BEGIN IMMEDIATE"))
    }

    fn commit(&mut self) -> Stored<()> {
        self.run(|connection| connection.execute_batch("COMMIT"))
    }

    fn head(&mut self) -> Stored<Head> {
        let sending =
            "SELECT id FROM cases WHERE unknown = 1 AND json_extract(body, '$.state') = 'sending' ORDER BY id";
        let sending = self.texts(sending)?;
        self.run(|connection| {
            let sql = "SELECT serial, highest, purged FROM store";
            let (serial, highest, purged) =
                connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            let moved_to = match signature(connection)?.1 {
                MOVED => connection.query_row("SELECT target FROM moved", [], |row| row.get(0)).optional()?,
                _ => None,
            };
            Ok(Head {
                serial,
                highest,
                purged,
                moved_to,
                imported: imported(connection)?,
                rewound: rewound::error(connection)?,
                unnamed: accounts::unnamed_list(connection)?,
                sending,
            })
        })
    }

    fn count(&mut self, table: &Table) -> Stored<i64> {
        let sql = format!("SELECT count(*) FROM {}", table.name);
        self.run(|connection| connection.query_row(&sql, [], |row| row.get(0)))
    }

    fn rows(&mut self, table: &Table, take: &mut dyn FnMut(Vec<Record>) -> Stored<()>) -> Stored<()> {
        let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
        let sql = format!("SELECT {} FROM {} ORDER BY {}", columns.join(", "), table.name, table.order);
        let failed = |error: rusqlite::Error| self.store.failed(&error);
        let mut statement = self.connection.prepare(&sql).map_err(failed)?;
        let mut rows = statement.query([]).map_err(failed)?;
        let mut chunk = Vec::new();
        while let Some(row) = rows.next().map_err(failed)? {
            chunk.push(record(row, table).map_err(failed)?);
            if chunk.len() >= ROWS {
                take(std::mem::take(&mut chunk))?;
            }
        }
        if chunk.is_empty() { Ok(()) } else { take(chunk) }
    }

    fn pauses(&mut self) -> Stored<Vec<(String, i64)>> {
        let accounts = self.texts("SELECT account FROM budgets WHERE name = 'requests'")?;
        self.run(|connection| {
            let mut pauses = Vec::new();
            for account in accounts {
                let (bucket, now, _) = budget::read(connection, &account, budget::REQUESTS, Rate::UNLIMITED)?;
                let left = budget::millis(bucket.pause_left(now));
                if left > 0 {
                    pauses.push((account, left));
                }
            }
            Ok(pauses)
        })
    }

    fn known(&mut self, name: &str) -> Stored<Option<Known>> {
        let sql = "SELECT id, EXISTS (SELECT 1 FROM cases WHERE account = a.id)
                   OR EXISTS (SELECT 1 FROM remnants WHERE account = a.id)
                   OR EXISTS (SELECT 1 FROM holds WHERE account = a.id) FROM accounts a WHERE name = ?1";
        self.run(|connection| {
            let known = |row: &Row<'_>| Ok(Known { id: row.get(0)?, is_used: row.get(1)? });
            connection.query_row(sql, [name], known).optional()
        })
    }

    /// The whole file: it is locked while rows are copied, so that nobody loses by it.
    fn close(&mut self, accounts: &[Record], _: &str) -> Stored<()> {
        self.run(|connection| {
            connection.execute_batch(TABLES)?;
            set_version(connection, ARRIVING)
        })?;
        for account in accounts {
            let has = self.known(account.get("name").and_then(Value::as_str).unwrap_or_default())?.is_some();
            if !has {
                self.insert(&super::side::ACCOUNTS, std::slice::from_ref(account))?;
            }
        }
        Ok(())
    }

    fn reopen(&mut self, _: &str) -> Stored<()> {
        self.run(|connection| set_version(connection, LAYOUT))
    }

    fn reserve(&mut self, least: i64, count: i64) -> Stored<i64> {
        let sql = "UPDATE store SET highest = max(highest, ?1) + ?2 RETURNING highest";
        let last: i64 = self.run(|connection| connection.query_row(sql, [least, count], |row| row.get(0)))?;
        Ok(last - count)
    }

    fn insert(&mut self, table: &Table, rows: &[Record]) -> Stored<()> {
        let columns: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
        let marks: Vec<String> = (1..=columns.len()).map(|n| format!("?{n}")).collect();
        let or = if table.may_be_there { "OR IGNORE " } else { "" };
        let (names, marks) = (columns.join(", "), marks.join(", "));
        let sql = format!("INSERT {or}INTO {} ({names}) VALUES ({marks})", table.name);
        self.run(|connection| {
            let mut statement: Statement<'_> = connection.prepare(&sql)?;
            for row in rows {
                let cells = table.columns.iter().map(|(name, column)| cell(row.get(*name), *column));
                statement.execute(params_from_iter(cells))?;
            }
            Ok(())
        })
    }

    fn pause(&mut self, account: &str, left: i64) -> Stored<()> {
        let (boot, now) = clock::machine();
        let sql = "INSERT OR REPLACE INTO budgets (account, name, full_at, share, slow_until, not_before, boot, epoch)
                   VALUES (?1, ?2, 0, 1, 0, ?3, ?4, 0)";
        let until = now.saturating_add(left) as f64 / 1000.0;
        self.run(|connection| {
            for name in [budget::REQUESTS, budget::FOLLOW] {
                connection.execute(sql, params![account, name, until, boot as i64])?;
            }
            Ok(())
        })
    }

    fn finish(&mut self, source: &str, purged: i64) -> Stored<()> {
        self.run(|connection| {
            connection.execute("INSERT INTO imports VALUES (?1, ?2)", params![source, unix_time::now()])?;
            connection.execute("UPDATE store SET purged = ?1", [purged])?;
            set_version(connection, LAYOUT)
        })
    }

    fn seal(&mut self, target: &str) -> Stored<()> {
        self.run(|connection| {
            connection.execute_batch(TABLES)?;
            connection.execute("DELETE FROM moved", [])?;
            connection.execute("INSERT INTO moved VALUES (?1)", [target])?;
            connection.execute("UPDATE cases SET owner = NULL, lease_until = NULL WHERE owner IS NOT NULL", [])?;
            set_version(connection, MOVED)
        })
    }
}

fn record(row: &Row<'_>, table: &Table) -> rusqlite::Result<Record> {
    let mut record = Record::new();
    for (at, (name, column)) in table.columns.iter().enumerate() {
        let value = match (row.get_ref(at)?, column) {
            (ValueRef::Null, _) => Value::Null,
            (ValueRef::Integer(n), Column::Bool) => (n != 0).into(),
            (ValueRef::Integer(n), _) => n.into(),
            (ValueRef::Real(n), _) => n.into(),
            (ValueRef::Text(bytes) | ValueRef::Blob(bytes), Column::Bytes) => hex(bytes).into(),
            (ValueRef::Text(bytes) | ValueRef::Blob(bytes), _) => match std::str::from_utf8(bytes) {
                Ok(text) => text.into(),
                Err(error) => return Err(rusqlite::Error::Utf8Error(at, error)),
            },
        };
        record.insert((*name).to_owned(), value);
    }
    Ok(record)
}

fn cell(value: Option<&Value>, column: Column) -> Cell {
    match (value, column) {
        (Some(Value::Bool(is)), _) => Cell::Integer(i64::from(*is)),
        (Some(Value::Number(number)), _) => number.as_i64().map_or(Cell::Null, Cell::Integer),
        (Some(Value::String(text)), Column::Bytes) => Cell::Blob(bytes(text)),
        (Some(Value::String(text)), _) => Cell::Text(text.clone()),
        _ => Cell::Null,
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |byte: &u8| (*byte as char).to_digit(16).unwrap_or(0) as u8;
    hex.as_bytes().chunks(2).map(|pair| pair.iter().fold(0, |byte, half| byte * 16 + digit(half))).collect()
}
