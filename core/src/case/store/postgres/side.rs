//! A store on a server as one side of a move. Other accounts of the target go on meanwhile.

use serde_json::Value as Json;

use super::super::budget::{FOLLOW, REQUESTS};
use super::super::moving::arriving;
use super::super::rewound::rewound_by;
use super::super::side::{ACCOUNTS, Column, Head, Known, Record, Side, Table};
use super::super::whose::unnamed;
use super::super::{Stored, store_error};
use super::database::Postgres;
use super::link::{Failure, Link, Value, column, unreadable, values_of};
use super::schema::MOVED;
use crate::error::{Error, ErrorCode};

/// Rows at a time.
const ROWS: usize = 500;

struct ServerSide {
    link: Link,
    is_begun: bool,
}

impl Postgres {
    /// See [`Store::side`](super::super::Store::side). It has a connection of its own, for as long as the move lasts.
    pub(super) fn side(&self) -> Stored<Box<dyn Side + '_>> {
        let link = self.connect().map_err(|failure| failure.error)?;
        Ok(Box::new(ServerSide { link, is_begun: false }))
    }
}

impl ServerSide {
    fn query(&self, sql: &str, values: &[Value<'_>]) -> Stored<Vec<tokio_postgres::Row>> {
        self.link.query(sql, values).map_err(failed)
    }

    fn texts(&self, sql: &str) -> Stored<Vec<String>> {
        self.query(sql, values_of![])?.iter().map(|row| column(row, 0).map_err(failed)).collect()
    }

    fn number(&self, sql: &str, values: &[Value<'_>]) -> Stored<i64> {
        let rows = self.query(sql, values)?;
        column(rows.first().ok_or_else(|| failed(unreadable()))?, 0).map_err(failed)
    }
}

fn failed(failure: Failure) -> Error {
    if failure.is_conflict() {
        let mut error = Error::new(ErrorCode::Conflict, "others have written to the account meanwhile");
        error.help = format!("Nothing was changed: {}. Run case.import again.", error.message);
        return error;
    }
    failure.error
}

impl Side for ServerSide {
    fn begin(&mut self, exclusive: bool) -> Stored<()> {
        if self.is_begun {
            self.link.roll_back().map_err(failed)?;
        }
        let locks = match exclusive {
            // Also what takes no number: nobody else writes a row.
            true => "SELECT apb.alone(); LOCK TABLE apb.cases, apb.holds, apb.replies, apb.remnants, apb.offers, apb.notices,
                     apb.order_passengers IN SHARE ROW EXCLUSIVE MODE",
            false => "SELECT pg_advisory_xact_lock(1095778886, 0)",
        };
        self.is_begun = true;
        self.link.batch(&format!("BEGIN; SELECT apb.sync(); {locks}")).map_err(failed)
    }

    fn commit(&mut self) -> Stored<()> {
        self.is_begun = false;
        self.link.commit().map_err(failed)
    }

    fn head(&mut self) -> Stored<Head> {
        let sql = "SELECT serial, apb.highest(), purged, moved FROM apb.store";
        let rows = self.query(sql, values_of![])?;
        let row = rows.first().ok_or_else(|| failed(unreadable()))?;
        let losses = self.query(
            "SELECT host, what, case_id FROM apb.losses WHERE confirmed IS NULL ORDER BY change LIMIT 1",
            values_of![],
        )?;
        let text = |row: &tokio_postgres::Row, at: usize| column::<String>(row, at).map_err(failed);
        let rewound = losses.first().map(|row| Ok(rewound_by(&text(row, 0)?, &text(row, 1)?, &text(row, 2)?)));
        let sql = "SELECT c.host, c.last_four, (SELECT count(*) FROM apb.cases WHERE account = a.id),
                          (SELECT max(updated) FROM apb.cases WHERE account = a.id)
                   FROM apb.accounts a LEFT JOIN apb.account_clients c ON c.account = a.id
                   WHERE a.name IS NULL AND a.merged IS NULL ORDER BY a.made, a.id";
        let unnamed =
            |row: &tokio_postgres::Row| Ok(unnamed(column(row, 0)?, column(row, 1)?, column(row, 2)?, column(row, 3)?));
        Ok(Head {
            serial: text(row, 0)?,
            highest: column(row, 1).map_err(failed)?,
            purged: column(row, 2).map_err(failed)?,
            moved_to: column(row, 3).map_err(failed)?,
            imported: self.texts("SELECT source FROM apb.imports")?,
            rewound: rewound.transpose()?,
            unnamed: self.query(sql, values_of![])?.iter().map(unnamed).collect::<Result<_, _>>().map_err(failed)?,
            sending: self
                .texts("SELECT id FROM apb.cases WHERE unknown AND body::json ->> 'state' = 'sending' ORDER BY id")?,
        })
    }

    fn count(&mut self, table: &Table) -> Stored<i64> {
        self.number(&format!("SELECT count(*) FROM apb.{}", table.name), values_of![])
    }

    fn rows(&mut self, table: &Table, take: &mut dyn FnMut(Vec<Record>) -> Stored<()>) -> Stored<()> {
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|(name, column)| match column {
                Column::Bytes => format!("encode({name}, 'hex') AS {name}"),
                _ => (*name).to_owned(),
            })
            .collect();
        let sql = format!(
            "DECLARE apb_rows NO SCROLL CURSOR FOR SELECT row_to_json(t)::text FROM (SELECT {} FROM apb.{} ORDER BY {}) t",
            columns.join(", "),
            table.name,
            table.order
        );
        self.query(&sql, values_of![])?;
        loop {
            let rows = self.texts(&format!("FETCH {ROWS} FROM apb_rows"))?;
            if rows.is_empty() {
                break;
            }
            let parse = |row: &String| serde_json::from_str(row).map_err(|_| failed(unreadable()));
            take(rows.iter().map(parse).collect::<Result<_, _>>()?)?;
        }
        self.query("CLOSE apb_rows", values_of![]).map(|_| ())
    }

    fn pauses(&mut self) -> Stored<Vec<(String, i64)>> {
        let sql = "SELECT account, (not_before * 1000)::bigint - apb.now_ms() FROM apb.budgets
                   WHERE name = $1 AND not_before * 1000 > apb.now_ms()";
        let pause = |row: &tokio_postgres::Row| Ok((column(row, 0)?, column(row, 1)?));
        self.query(sql, values_of![REQUESTS])?.iter().map(pause).collect::<Result<_, _>>().map_err(failed)
    }

    fn known(&mut self, name: &str) -> Stored<Option<Known>> {
        let sql = "SELECT id, EXISTS (SELECT 1 FROM apb.cases WHERE account = a.id)
                   OR EXISTS (SELECT 1 FROM apb.remnants WHERE account = a.id)
                   OR EXISTS (SELECT 1 FROM apb.holds WHERE account = a.id) FROM apb.accounts a WHERE name = $1";
        let known = |row: &tokio_postgres::Row| Ok(Known { id: column(row, 0)?, is_used: column(row, 1)? });
        self.query(sql, values_of![name])?.first().map(known).transpose().map_err(failed)
    }

    fn close(&mut self, accounts: &[Record], source: &str) -> Stored<()> {
        for account in accounts {
            let name = account.get("name").and_then(Json::as_str).unwrap_or_default();
            if self.known(name)?.is_none() {
                self.insert(&ACCOUNTS, std::slice::from_ref(account))?;
            }
            let sql = "WITH closed AS (UPDATE apb.accounts SET arriving = $2
                           WHERE name = $1 AND coalesce(arriving, $2) = $2 RETURNING id) SELECT count(*) FROM closed";
            if self.number(sql, values_of![name, source])? == 0 {
                return Err(arriving());
            }
        }
        Ok(())
    }

    fn reopen(&mut self, source: &str) -> Stored<()> {
        self.query("UPDATE apb.accounts SET arriving = NULL WHERE arriving = $1", values_of![source]).map(|_| ())
    }

    fn reserve(&mut self, least: i64, count: i64) -> Stored<i64> {
        let sql = "SELECT setval('apb.changes', greatest(apb.highest(), $1) + $2)";
        Ok(self.number(sql, values_of![least, count.max(1)])? - count.max(1))
    }

    fn insert(&mut self, table: &Table, rows: &[Record]) -> Stored<()> {
        let of = |(name, column): &(&str, Column)| match column {
            Column::Bytes => (format!("decode({name}, 'hex')"), format!("{name} text")),
            Column::Text => ((*name).to_owned(), format!("{name} text")),
            Column::Int => ((*name).to_owned(), format!("{name} bigint")),
            Column::Bool => ((*name).to_owned(), format!("{name} boolean")),
        };
        let names: Vec<&str> = table.columns.iter().map(|(name, _)| *name).collect();
        let (values, types): (Vec<String>, Vec<String>) = table.columns.iter().map(of).unzip();
        let sql = format!(
            "INSERT INTO apb.{} ({}) SELECT {} FROM json_to_recordset($1::json) AS r ({}){}",
            table.name,
            names.join(", "),
            values.join(", "),
            types.join(", "),
            if table.may_be_there { " ON CONFLICT DO NOTHING" } else { "" }
        );
        let text = serde_json::to_string(rows)
            .map_err(|e| store_error(ErrorCode::StoreIo, format!("rows cannot be written: {e}")))?;
        self.query(&sql, values_of![&text]).map(|_| ())
    }

    fn pause(&mut self, account: &str, left: i64) -> Stored<()> {
        let sql = "INSERT INTO apb.budgets (account, name, full_at, share, slow_until, not_before)
                   VALUES ($1, $2, 0, 1, 0, (apb.now_ms() + $3) / 1000.0)
                   ON CONFLICT (account, name) DO UPDATE SET not_before = (apb.now_ms() + $3) / 1000.0";
        for name in [REQUESTS, FOLLOW] {
            self.query(sql, values_of![account, name, left])?;
        }
        Ok(())
    }

    fn finish(&mut self, source: &str, purged: i64) -> Stored<()> {
        self.query("INSERT INTO apb.imports VALUES ($1, apb.now_ms())", values_of![source])?;
        self.query("UPDATE apb.store SET purged = greatest(purged, $1)", values_of![purged])?;
        self.reopen(source)
    }

    fn seal(&mut self, target: &str) -> Stored<()> {
        let sql = "UPDATE apb.store SET moved = $1, layout = $2::bigint";
        self.query(sql, values_of![target, i64::from(MOVED)])?;
        let sql = "UPDATE apb.cases SET owner = NULL, worker = NULL, lease_end = NULL WHERE owner IS NOT NULL";
        self.query(sql, values_of![]).map(|_| ())
    }
}
