//! The embedded store: cases in the tables of one SQLite file, shared by the processes of one machine. The file
//! itself, its connections and its transactions are in [`super::file`].

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, named_params, params};

use super::file::Sqlite;
use super::identity::Identity;
use super::remnant::Remnant;
use super::side::Side;
use super::tables::{Tx, next_number};
use super::{
    Claim, ConnectionScope, Counts, Filter, KnownOffer, Lease, Listing, Name, Page, Row, Store, Stored, budget,
    remnants, rewound, store_error,
};
use crate::case::clock::{self, Stamp};
use crate::case::hold::Hold;
use crate::case::model::Case;
use crate::case::passengers::OrderPassengers;
use crate::case::schedule::LONGEST_PAUSE;
use crate::case::vocabulary::{CaseOutcome, State};
use crate::error::{Error, ErrorCode};
use crate::exchange::rate_limiter::Place;
use crate::token_bucket::{Rate, TokenBucket};
use crate::unix_time::{self, Millis};

fn body(case: &Case) -> rusqlite::Result<String> {
    serde_json::to_string(case).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

pub(super) fn row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let text: String = row.get(0)?;
    let mut case: Case = serde_json::from_str(&text)
        .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(e)))?;
    case.change = row.get(4)?;
    // What pages and leases go by: the text of a damaged row may have another one.
    case.id = row.get(5)?;
    let owner: Option<String> = row.get(2)?;
    Ok(Row {
        case,
        version: row.get(1)?,
        owner: owner.map(|o| Ok::<_, rusqlite::Error>((o, row.get(3)?))).transpose()?,
    })
}

/// What a notification may be about: cases of the order that are due or closed, and whoever holds it.
pub(super) const CASES_OF_ORDER: &str =
    "SELECT id FROM cases INDEXED BY cases_order WHERE account = ?1 AND order_no = ?2 AND (due IS NOT NULL OR open = 0)
     UNION SELECT case_id FROM holds WHERE account = ?1 AND order_no IN (?2, 'paid:' || ?2)
     UNION SELECT case_id FROM holds WHERE account = ?1 AND order_no >= ?3 AND order_no < ?4";

pub(super) const COLUMNS: &str = "body, token, owner, lease_until, change, id";

impl Sqlite {
    pub(super) fn by_id(&self, tx: &Connection, id: &str) -> rusqlite::Result<Option<Row>> {
        let sql = format!("SELECT {COLUMNS} FROM cases WHERE account = ?1 AND id = ?2");
        tx.prepare_cached(&sql)?.query_row(params![self.account(), id], row).optional()
    }

    fn by_key(&self, tx: &Connection, key: &str) -> rusqlite::Result<Option<Row>> {
        let sql = format!("SELECT {COLUMNS} FROM cases WHERE account = ?1 AND key = ?2");
        tx.prepare_cached(&sql)?.query_row(params![self.account(), key], row).optional()
    }

    /// Compare and swap. Also None if it is about to pay an order that another case pays or has paid.
    pub(super) fn put(&self, tx: &Tx<'_>, row: &Row, lease: Option<&Lease>) -> rusqlite::Result<Option<i64>> {
        let case = &row.case;
        for hold in case.holds.iter().filter(|hold| matches!(hold, Hold::Payment(_))) {
            let sql = "SELECT EXISTS (SELECT 1 FROM holds WHERE account = ?1 AND order_no = ?2 AND case_id <> ?3)";
            let values = params![self.account(), hold.to_text(), case.id];
            if tx.prepare_cached(sql)?.query_row(values, |row| row.get(0))? {
                return Ok(None);
            }
        }
        let number = next_number(tx)?;
        let changed = tx
            .prepare_cached(
                "UPDATE cases SET kind = ?3, order_no = ?4, open = ?5, unknown = ?6, due = ?7, token = ?12, change = ?12,
                 owner = ?8, lease_until = ?9, updated = ?10, body = ?11, asked = iif(?13, ?12, asked), code = ?14
                 WHERE id = ?1 AND token = ?2",
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
                body(case)?,
                number,
                case.run.asked,
                case.code
            ])?;
        if changed == 0 {
            return Ok(None);
        }
        self.write_holds(tx, case)?;
        Ok(Some(number))
    }
}

impl Store for Sqlite {
    fn connection_scope(&self) -> ConnectionScope<'_> {
        self.open_scope()
    }

    fn claim(&self, case: &Case, lease: &Lease) -> Stored<Claim> {
        self.write(|tx| {
            if let Some(known) = self.by_key(tx, &case.key)? {
                return Ok(Ok(Claim::Known(known)));
            }
            if let Some(remnant) = remnants::find(tx, &self.account(), &Name::Key(case.key.clone()))? {
                return Ok(Ok(Claim::Purged(Box::new(remnant))));
            }
            if let Some(error) = rewound::error(tx)? {
                return Ok(Err(error));
            }
            if let Some(error) = self.log_is_full() {
                return Ok(Err(error));
            }
            if let Some(other) = self.take_holds(tx, case)? {
                return Ok(Ok(Claim::Held(Box::new(other))));
            }
            let number = next_number(tx)?;
            tx.execute(
                "INSERT INTO cases (id, account, key, kind, order_no, open, unknown, due, token, owner, lease_until, updated, body, change, code)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?13, ?9, ?10, ?11, ?12, ?13, ?14)",
                params![
                    case.id,
                    self.account(),
                    case.key,
                    case.kind.word(),
                    case.order_no,
                    !case.closed,
                    is_unknown(case),
                    case.due,
                    lease.owner,
                    lease.until,
                    case.updated,
                    body(case)?,
                    number,
                    case.code
                ],
            )?;
            self.write_holds(tx, case)?;
            let owner = Some((lease.owner.clone(), lease.until));
            let case = Case { change: number, ..case.clone() };
            Ok(Ok(Claim::New(Row { case, version: number, owner })))
        })?
    }

    fn reclaim(&self, row: &Row, lease: &Lease) -> Stored<Option<Claim>> {
        self.write(|tx| {
            if let Some(other) = self.take_holds(tx, &row.case)? {
                return Ok(Some(Claim::Held(Box::new(other))));
            }
            let version = self.put(tx, row, Some(lease))?;
            Ok(version.map(|version| Claim::Known(Row { version, ..row.clone() })))
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
            // A fencing token, and no change that a reader sees.
            row.version = next_number(tx)?;
            tx.prepare_cached("UPDATE cases SET token = ?4, owner = ?1, lease_until = ?2 WHERE id = ?3")?
                .execute(params![lease.owner, lease.until, id, row.version])?;
            row.owner = Some((lease.owner.clone(), lease.until));
            Ok(Some(row))
        })
    }

    fn save(&self, row: &Row, lease: Option<&Lease>) -> Stored<Option<i64>> {
        self.write(|tx| {
            // An intent.
            if row.case.state == State::Sending
                && lease.is_some()
                && let Some(error) = rewound::error(tx)?
            {
                return Ok(Err(error));
            }
            self.put(tx, row, lease).map(Ok)
        })?
    }

    fn release(&self, row: &Row) -> Stored<()> {
        self.write(|tx| {
            tx.prepare_cached("UPDATE cases SET owner = NULL, lease_until = NULL WHERE id = ?1 AND token = ?2")?
                .execute(params![row.case.id, row.version])
                .map(|_| ())
        })
    }

    fn held_log(&self) -> Stored<Option<u64>> {
        self.held_log()
    }

    fn write_witness(&self, id: &str, number: i64) -> Stored<Option<String>> {
        self.write_witness(id, number)
    }

    fn rewound(&self) -> Stored<Option<Error>> {
        self.with(|connection| rewound::error(connection))
    }

    fn to_be_asked(&self) -> Stored<Vec<String>> {
        self.with(|connection| rewound::to_be_asked(connection, &self.account()))
    }

    fn confirm(&self, by: &str, evidence: &str, now: Millis) -> Stored<()> {
        self.confirm_losses(by, evidence, now)
    }

    fn refusal(&self) -> Option<Error> {
        self.refusal()
    }

    fn adopt_account(&self, who: &Identity) -> Stored<()> {
        self.adopt(who)
    }

    fn backup(&self, path: &Path) -> Stored<()> {
        self.backup_to(path)
    }

    fn side(&self) -> Stored<Box<dyn Side + '_>> {
        self.side()
    }

    fn purged(&self, name: &Name) -> Stored<Option<Remnant>> {
        self.with(|connection| remnants::find(connection, &self.account(), name))
    }

    fn made_by_purged(&self) -> Stored<Vec<String>> {
        self.with(|connection| remnants::made(connection, &self.account()))
    }

    fn settle(&self, row: &Row, strip: &dyn Fn(&str, &[u8]) -> Option<String>) -> Stored<Option<i64>> {
        self.write(|tx| {
            let version = self.put(tx, row, None)?;
            if version.is_some() && strip_replies(tx, &row.case.id, strip)? {
                // The log still has what was replaced.
                self.empty_log();
            }
            Ok(version)
        })
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
            // A stripped reply still says how the submit ended.
            let sql = "SELECT body FROM replies WHERE case_id = ?1 AND step = ?2 AND attempt = ?3";
            connection.query_row(sql, params![id, step, attempt], |row| row.get(0)).optional()
        })
    }

    fn has_made(&self, order: &str) -> Stored<bool> {
        self.with(|connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM cases WHERE account = ?1 AND code = ?2 AND code IS NOT NULL)";
            connection.prepare_cached(sql)?.query_row(params![self.account(), order], |row| row.get(0))
        })
    }

    fn list(&self, filter: &Filter) -> Stored<Vec<Case>> {
        Ok(self.page(filter)?.rows.into_iter().map(|row| row.case).collect())
    }

    fn page(&self, filter: &Filter) -> Stored<Page> {
        self.with(|connection| {
            // One snapshot: a number is the highest of exactly the rows that were read.
            let tx = connection.transaction()?;
            let (highest, purged) =
                tx.query_row("SELECT highest, purged FROM store", [], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let sql = page_sql(filter);
            let past: rusqlite::types::Value = match filter.changed_since {
                Some(number) => number.into(),
                None => filter.after.clone().unwrap_or_default().into(),
            };
            let account = self.account();
            let (limit, kind) = (filter.limit as i64, filter.kind.map(|k| k.word()));
            let values = named_params! {":account": account, ":past": past, ":limit": limit};
            let optional: [(&str, &dyn rusqlite::ToSql); 3] =
                [(":open", &filter.open), (":order", &filter.order_no), (":kind", &kind)];
            let used = optional.iter().filter(|(name, _)| sql.contains(name));
            let values: Vec<_> = values.iter().chain(used).copied().collect();
            let rows = tx.prepare_cached(&sql)?.query_map(&*values, row)?.collect::<Result<_, _>>()?;
            Ok(Page { rows, highest, purged })
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
                let mut rows = statement.query(params![self.account(), bound])?;
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
                connection.prepare_cached(sql)?.query_row(params![self.account(), now], |row| row.get(0))
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
                .prepare_cached(CASES_OF_ORDER)?
                .query_map(params![self.account(), order_no, first, end], |row| row.get(0))?
                .collect()
        })
    }

    fn record_notification(&self, dedupe: &str, now: Millis) -> Stored<bool> {
        self.write_unsynced(|tx| {
            tx.execute("DELETE FROM notices WHERE at < ?1", [now - 30 * 86_400_000])?;
            let new = tx.execute(
                "INSERT OR IGNORE INTO notices (account, dedupe, at) VALUES (?1, ?2, ?3)",
                params![self.account(), dedupe, now],
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
                params![self.account(), offer_id, unix_time::now(), text],
            )
            .map(|_| ())
        })
    }

    fn remember_listing(&self) -> Stored<()> {
        if self.listing()?.is_listed {
            return Ok(());
        }
        self.write_unsynced(|tx| {
            tx.execute("UPDATE accounts SET lists_orders = 1 WHERE id = ?1", [self.account()]).map(|_| ())
        })
    }

    fn listing(&self) -> Stored<Listing> {
        self.with(|connection| {
            let sql = "SELECT coalesce((SELECT lists_orders FROM accounts WHERE id = ?1), 0),
                              (SELECT max(confirmed_at) FROM losses)";
            connection
                .prepare_cached(sql)?
                .query_row([self.account()], |row| Ok(Listing { is_listed: row.get(0)?, confirmed_at: row.get(1)? }))
        })
    }

    fn known_offer(&self, offer_id: &str) -> Stored<Option<KnownOffer>> {
        let text: Option<String> = self.with(|connection| {
            connection
                .query_row(
                    "SELECT body FROM offers WHERE account = ?1 AND offer_id = ?2",
                    params![self.account(), offer_id],
                    |row| row.get(0),
                )
                .optional()
        })?;
        Ok(text.and_then(|text| serde_json::from_str::<(KnownOffer, Stamp)>(&text).ok()).map(|(mut offer, at)| {
            offer.quote.at = Some(at);
            offer
        }))
    }

    fn gave_back_by_purged(&self, order_no: &str) -> Stored<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM remnants INDEXED BY remnants_order WHERE account = ?1 AND order_no = ?2
                   AND kind IN ('refund', 'void', 'cancel') AND coalesce(outcome, 'unknown') <> 'not_executed')";
        self.with(|connection| connection.query_row(sql, params![self.account(), order_no], |row| row.get(0)))
    }

    fn rival(&self, case: &Case) -> Stored<Option<Case>> {
        self.with(|connection| self.other_holder(connection, case))
    }

    fn order_passengers(&self, order_no: &str) -> Stored<Option<OrderPassengers>> {
        self.with(|connection| passengers_of(connection, &self.account(), order_no))
    }

    fn remember_order_passengers(&self, order_no: &str, passengers: &OrderPassengers) -> Stored<OrderPassengers> {
        let text = serde_json::to_string(passengers)
            .map_err(|e| store_error(ErrorCode::StoreIo, format!("passengers cannot be written: {e}")))?;
        let stored = self.write(|tx| {
            tx.execute(
                "INSERT OR IGNORE INTO order_passengers (account, order_no, at, body) VALUES (?1, ?2, ?3, ?4)",
                params![self.account(), order_no, unix_time::now(), text],
            )?;
            passengers_of(tx, &self.account(), order_no)
        })?;
        stored.ok_or_else(|| store_error(ErrorCode::StoreIo, "the passengers were not stored"))
    }

    fn acquire(&self, name: &str, rate: Rate, limit: Millis) -> Stored<Option<Place>> {
        let limit = Duration::from_millis(u64::try_from(limit).unwrap_or(0));
        let take = |connection: &Connection| -> rusqlite::Result<Option<(TokenBucket, Place)>> {
            let (mut budget, now, epoch) = budget::read(connection, &self.account(), name, rate)?;
            let Some(wait) = budget.take_within(now, limit) else { return Ok(None) };
            let millis = budget::millis(wait);
            let at = clock::machine().1.saturating_add(millis);
            let wait = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
            Ok(Some((budget, Place { wait, at, epoch })))
        };
        if rate == Rate::UNLIMITED {
            // Only a pause stops such a request, and it takes nothing from the others.
            return self.with(|connection| Ok(take(connection)?.map(|(_, place)| place)));
        }
        self.write_unsynced(|tx| {
            let Some((budget, place)) = take(tx)? else { return Ok(None) };
            budget::write(tx, &self.account(), name, &budget, place.epoch)?;
            Ok(Some(place))
        })
    }

    fn epoch(&self, name: &str) -> Stored<i64> {
        self.with(|connection| budget::epoch(connection, &self.account(), name))
    }

    fn on_rate_limited(&self, wait: Option<Millis>, test_end: Option<Millis>) -> Stored<()> {
        let wait = Duration::from_millis(wait.and_then(|w| u64::try_from(w).ok()).unwrap_or(0));
        self.write_unsynced(|tx| {
            if let Some(end) = test_end {
                let sql = "UPDATE accounts SET pause_ends = max(coalesce(pause_ends, 0), ?2) WHERE id = ?1";
                tx.execute(sql, params![self.account(), end])?;
            }
            budget::change_all(tx, &self.account(), |budget, now, _| budget.slow_down(now, wait))
        })
    }

    fn current_rate(&self, name: &str, rate: Rate) -> Stored<(f64, Millis)> {
        self.with(|connection| {
            let (mut budget, now, _) = budget::read(connection, &self.account(), name, rate)?;
            let wait = budget.wait(now);
            Ok((budget.per_second(), budget::millis(wait)))
        })
    }

    fn pause_left(&self, test_now: Option<Millis>, rates: &[(&'static str, Rate)]) -> Stored<Millis> {
        let account = self.account();
        let (left, is_over) = self.with(|connection| {
            let (budget, now, _) = budget::read(connection, &account, budget::REQUESTS, Rate::UNLIMITED)?;
            let sql = "SELECT pause_ends <= ?2 FROM accounts WHERE id = ?1";
            let is_over: Option<bool> = connection.query_row(sql, params![account, test_now], |row| row.get(0))?;
            Ok((budget::millis(budget.pause_left(now)), is_over == Some(true)))
        })?;
        if left > 0 && is_over {
            self.write_unsynced(|tx| budget::end_pauses(tx, &account, rates))?;
            return Ok(0);
        }
        Ok(left)
    }

    fn unpause(&self, now: Millis, rates: &[(&'static str, Rate)]) -> Stored<u64> {
        self.write(|tx| {
            budget::end_pauses(tx, &self.account(), rates)?;
            let sql = format!(
                "SELECT {COLUMNS} FROM cases WHERE account = ?1 AND open = 1
                 AND json_extract(body, '$.retry_after') AND json_extract(body, '$.paced_until') > ?2"
            );
            let paced: Vec<Row> =
                tx.prepare(&sql)?.query_map(params![self.account(), now], row)?.collect::<Result<_, _>>()?;
            for row in &paced {
                // The version, and so a lease, stays: a live owner writes its own.
                let case = Case { paced_until: None, retry_after: false, ..row.case.clone() };
                let number = next_number(tx)?;
                tx.execute(
                    "UPDATE cases SET body = ?2, change = ?3 WHERE id = ?1",
                    params![case.id, body(&case)?, number],
                )?;
            }
            Ok(paced.len() as u64)
        })
    }

    fn purge(&self, before: Millis) -> Stored<u64> {
        self.write(|tx| {
            if let Some(error) = rewound::error(tx)? {
                return Ok(Err(error));
            }
            let purged = remnants::purge(tx, &self.account(), before)?;
            if purged > 0 {
                // The log still has what was removed.
                self.empty_log();
            }
            Ok(Ok(purged))
        })?
    }
}

/// A statement for each combination of filters: one for all of them could use no index. The plus keeps the planner from
/// the index of what is asked for in the order of the result, where that of the cases of one order has fewer rows.
fn page_sql(filter: &Filter) -> String {
    let (order, plus) = (
        if filter.changed_since.is_some() { "change" } else { "id" },
        if filter.order_no.is_some() { "+" } else { "" },
    );
    let mut sql = format!("SELECT {COLUMNS} FROM cases WHERE account = :account AND {plus}{order} > :past");
    for (is_asked, condition) in [
        (filter.order_no.is_some(), " AND order_no = :order"),
        (filter.open.is_some(), " AND open = :open"),
        (filter.kind.is_some(), " AND kind = :kind"),
        (filter.unknown, " AND unknown = 1"),
    ] {
        if is_asked {
            sql.push_str(condition);
        }
    }
    sql + &format!(" ORDER BY {plus}{order} LIMIT :limit")
}

/// Replaces the raw replies of a case by what `strip` retains; gives whether there were any.
fn strip_replies(tx: &Tx<'_>, id: &str, strip: &dyn Fn(&str, &[u8]) -> Option<String>) -> rusqlite::Result<bool> {
    let mut select = tx.prepare_cached("SELECT step, attempt, body FROM replies WHERE case_id = ?1 AND thin = 0")?;
    let rows: Vec<(String, u32, Vec<u8>)> =
        select.query_map([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.collect::<Result<_, _>>()?;
    for (step, attempt, reply) in &rows {
        let (mark, text) = match strip(step, reply) {
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
