//! The embedded store: cases in the tables of one SQLite file, shared by the processes of one machine. The file
//! itself, its connections and its transactions are in [`super::file`].

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::file::Sqlite;
use super::{Claim, ConnectionScope, Counts, Filter, KnownOffer, Lease, Name, Row, Store, Stored, budget, store_error};
use crate::case::clock::Stamp;
use crate::case::hold::Hold;
use crate::case::model::Case;
use crate::case::passengers::OrderPassengers;
use crate::case::schedule::LONGEST_PAUSE;
use crate::case::vocabulary::{CaseOutcome, State};
use crate::error::ErrorCode;
use crate::token_bucket::Rate;
use crate::unix_time::{self, Millis};

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

    /// Compare and swap. Also None if it is about to pay an order that another case pays or has paid.
    fn put(&self, tx: &Transaction<'_>, row: &Row, lease: Option<&Lease>) -> rusqlite::Result<Option<i64>> {
        let case = &row.case;
        for hold in case.holds.iter().filter(|hold| matches!(hold, Hold::Payment(_))) {
            let sql = "SELECT EXISTS (SELECT 1 FROM holds WHERE account = ?1 AND order_no = ?2 AND case_id <> ?3)";
            let values = params![self.account, hold.to_text(), case.id];
            if tx.prepare_cached(sql)?.query_row(values, |row| row.get(0))? {
                return Ok(None);
            }
        }
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
        self.write_holds(tx, case)?;
        Ok(Some(row.version + 1))
    }

    /// Watched cases on the order: their effect may still show up.
    fn watched(&self, tx: &Connection, order_no: Option<&str>) -> rusqlite::Result<Vec<Row>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM cases WHERE account = ?1 AND order_no = ?2 AND open = 0 AND due IS NOT NULL"
        );
        tx.prepare_cached(&sql)?.query_map(params![self.account, order_no], row)?.collect()
    }

    /// The cases that have a hold which overlaps this one. The primary key alone keeps equal holds apart; those of some
    /// passengers are compared one by one.
    fn holders(&self, tx: &Connection, hold: &Hold) -> rusqlite::Result<Vec<String>> {
        let exact = hold.to_text();
        let (first, end) = hold.order().map_or((exact.clone(), exact.clone()), Hold::passenger_texts);
        let order = hold.order().unwrap_or(&exact);
        let sql = "SELECT order_no, case_id FROM holds WHERE account = ?1
             AND (order_no = ?2 OR (order_no >= ?3 AND order_no < ?4))";
        let mut statement = tx.prepare_cached(sql)?;
        let rows = statement.query_map(params![self.account, order, first, end], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
        })?;
        let mut holders = Vec::new();
        for row in rows {
            let (text, holder) = row?;
            if Hold::from_text(&text).overlaps(hold) && !holders.contains(&holder) {
                holders.push(holder);
            }
        }
        Ok(holders)
    }

    /// Writes the holds of the case.
    fn write_holds(&self, tx: &Transaction<'_>, case: &Case) -> rusqlite::Result<()> {
        tx.prepare_cached("DELETE FROM holds WHERE case_id = ?1")?.execute([&case.id])?;
        if case.is_holding() {
            for hold in &case.holds {
                // Another case has it by now, or some of it.
                if self.holders(tx, hold)?.iter().any(|holder| *holder != case.id) {
                    continue;
                }
                tx.prepare_cached("INSERT OR IGNORE INTO holds (account, order_no, case_id) VALUES (?1, ?2, ?3)")?
                    .execute(params![self.account, hold.to_text(), case.id])?;
            }
        }
        Ok(())
    }
}

impl Store for Sqlite {
    fn connection_scope(&self) -> ConnectionScope<'_> {
        self.open_scope()
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
            let mut given_up = Vec::new();
            for hold in &case.holds {
                for holder in self.holders(tx, hold)? {
                    match self.by_id(tx, &holder)? {
                        // Only a closed case gives up its holds, and only to a case that names it.
                        Some(row) if row.case.closed && after == Some(holder.as_str()) => given_up.push(row),
                        Some(row) => return Ok(Claim::Held(Box::new(row.case))),
                        None => {}
                    }
                }
            }
            // Its version is the same for each of its holds: it is written once.
            if let Some(row) = given_up.into_iter().next() {
                self.put(tx, &Row { case: Case { holds: Vec::new(), ..row.case }, ..row }, None)?;
            }
            for earlier in self.watched(tx, case.order_no.as_deref())? {
                let earlier = Row { case: Case { superseded: true, ..earlier.case }, ..earlier };
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
            self.write_holds(tx, case)?;
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

    fn settle(&self, row: &Row, strip: &dyn Fn(&[u8]) -> Option<String>) -> Stored<Option<i64>> {
        let mut stripped = false;
        let version = self.write(|tx| {
            let version = self.put(tx, row, None)?;
            stripped = version.is_some() && strip_replies(tx, &row.case.id, strip)?;
            Ok(version)
        })?;
        if stripped {
            // The log still has what was replaced.
            self.empty_log();
        }
        Ok(version)
    }

    fn store_reply(&self, id: &str, step: &str, attempt: u32, reply: &[u8]) -> Stored<()> {
        self.write(|tx| {
            tx.execute(
                "INSERT OR REPLACE INTO replies (case_id, step, attempt, at, thin, body) VALUES (?1, ?2, ?3, ?4, 0, ?5)",
                params![id, step, attempt, unix_time::now(), reply],
            )
            .map(|_| ())
        })
    }

    fn stored_reply(&self, id: &str, step: &str, attempt: u32) -> Stored<Option<Vec<u8>>> {
        self.with(|connection| {
            let sql = "SELECT body FROM replies WHERE case_id = ?1 AND step = ?2 AND attempt = ?3 AND thin = 0";
            connection.query_row(sql, params![id, step, attempt], |row| row.get(0)).optional()
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
        // Due later than any pause ends: a wrong clock has written that.
        let never = (format!("{columns} AND due > ?2 ORDER BY due"), now.saturating_add(LONGEST_PAUSE));
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
                due: one(&format!(
                    "SELECT count(*) FROM cases WHERE account = ?1 AND (due <= ?2 OR due > ?2 + {LONGEST_PAUSE})"
                ))?
                .unwrap_or(0) as u64,
                open: one("SELECT count(*) FROM cases WHERE account = ?1 AND open = 1 AND ?2 = ?2")?.unwrap_or(0)
                    as u64,
                next: one("SELECT min(due) FROM cases WHERE account = ?1 AND due IS NOT NULL AND ?2 = ?2")?,
            })
        })
    }

    fn cases_for_order(&self, order_no: &str) -> Stored<Vec<String>> {
        let (first, end) = Hold::passenger_texts(order_no);
        self.with(|connection| {
            connection
                .prepare_cached(
                    "SELECT id FROM cases WHERE account = ?1 AND order_no = ?2 AND due IS NOT NULL
                     UNION SELECT case_id FROM holds WHERE account = ?1 AND order_no = ?2
                     UNION SELECT case_id FROM holds WHERE account = ?1 AND order_no >= ?3 AND order_no < ?4",
                )?
                .query_map(params![self.account, order_no, first, end], |row| row.get(0))?
                .collect()
        })
    }

    fn record_notification(&self, dedupe: &str, now: Millis) -> Stored<bool> {
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
            .map_err(|e| store_error(ErrorCode::StoreIo, format!("an offer cannot be written: {e}")))?;
        self.write_unsynced(|tx| {
            tx.execute("DELETE FROM offers WHERE at < ?1", [unix_time::now() - 86_400_000])?;
            tx.execute(
                "INSERT OR REPLACE INTO offers (account, offer_id, at, body) VALUES (?1, ?2, ?3, ?4)",
                params![self.account, offer_id, unix_time::now(), text],
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

    fn order_passengers(&self, order_no: &str) -> Stored<Option<OrderPassengers>> {
        self.with(|connection| passengers_of(connection, &self.account, order_no))
    }

    fn remember_order_passengers(&self, order_no: &str, passengers: &OrderPassengers) -> Stored<OrderPassengers> {
        let text = serde_json::to_string(passengers)
            .map_err(|e| store_error(ErrorCode::StoreIo, format!("passengers cannot be written: {e}")))?;
        let stored = self.write(|tx| {
            tx.execute(
                "INSERT OR IGNORE INTO order_passengers (account, order_no, at, body) VALUES (?1, ?2, ?3, ?4)",
                params![self.account, order_no, unix_time::now(), text],
            )?;
            passengers_of(tx, &self.account, order_no)
        })?;
        stored.ok_or_else(|| store_error(ErrorCode::StoreIo, "the passengers were not stored"))
    }

    fn acquire(&self, name: &str, rate: Rate, limit: Millis) -> Stored<Option<Millis>> {
        self.write_unsynced(|tx| {
            let (mut budget, now) = budget::read(tx, &self.account, name, rate)?;
            let limit = Duration::from_millis(u64::try_from(limit).unwrap_or(0));
            let Some(wait) = budget.take_within(now, limit) else { return Ok(None) };
            budget::write(tx, &self.account, name, &budget)?;
            Ok(Some(budget::millis(wait)))
        })
    }

    fn on_rate_limited(&self, wait: Option<Millis>) -> Stored<()> {
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

    fn current_rate(&self, name: &str, rate: Rate) -> Stored<(f64, Millis)> {
        self.write_unsynced(|tx| {
            let (mut budget, now) = budget::read(tx, &self.account, name, rate)?;
            let wait = budget.wait(now);
            Ok((budget.per_second(), budget::millis(wait)))
        })
    }

    fn purge(&self, before: Millis) -> Stored<u64> {
        let purged = self.write(|tx| {
            let old = "account = ?1 AND open = 0 AND due IS NULL AND owner IS NULL AND updated < ?2";
            let values = params![self.account, before];
            tx.execute(
                &format!("INSERT OR IGNORE INTO purged (account, key) SELECT account, key FROM cases WHERE {old}"),
                values,
            )?;
            tx.execute(&format!("DELETE FROM replies WHERE case_id IN (SELECT id FROM cases WHERE {old})"), values)?;
            tx.execute(&format!("DELETE FROM holds WHERE case_id IN (SELECT id FROM cases WHERE {old})"), values)?;
            Ok(tx.execute(&format!("DELETE FROM cases WHERE {old}"), values)? as u64)
        })?;
        if purged > 0 {
            // The log still has what was removed.
            self.empty_log();
        }
        Ok(purged)
    }
}

/// Replaces the raw replies of a case by what `strip` retains; gives whether there were any.
fn strip_replies(tx: &Transaction<'_>, id: &str, strip: &dyn Fn(&[u8]) -> Option<String>) -> rusqlite::Result<bool> {
    let mut select = tx.prepare_cached("SELECT step, attempt, body FROM replies WHERE case_id = ?1 AND thin = 0")?;
    let rows: Vec<(String, u32, Vec<u8>)> =
        select.query_map([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_, _>>()?;
    for (step, attempt, reply) in &rows {
        let (mark, text) = match strip(reply) {
            Some(text) => (1, Some(text)),
            // 2: it cannot be parsed, so what may go is not known. It stays, and is marked.
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
    case.outcome == CaseOutcome::Unknown || case.state == State::Sending
}

fn passengers_of(connection: &Connection, account: &str, order_no: &str) -> rusqlite::Result<Option<OrderPassengers>> {
    let sql = "SELECT body FROM order_passengers WHERE account = ?1 AND order_no = ?2";
    let text: Option<String> =
        connection.prepare_cached(sql)?.query_row(params![account, order_no], |row| row.get(0)).optional()?;
    text.map(|text| serde_json::from_str(&text))
        .transpose()
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(e)))
}
