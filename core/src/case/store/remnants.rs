//! `case.purge`, and what stays of a purged case: its key means that case for ever, and what it paid stays paid.

use rusqlite::{Connection, OptionalExtension, params};

use super::Name;
use super::remnant::Remnant;
use super::tables::Tx;
use crate::case::hold::Hold;
use crate::case::model::Case;
use crate::case::vocabulary::{CaseOutcome, Kind, Strength};
use crate::unix_time::Millis;

const COLUMNS: &str = "key, id, kind, order_no, content, outcome, paid";

fn remnant(row: &rusqlite::Row<'_>) -> rusqlite::Result<Remnant> {
    let (kind, outcome): (Option<String>, Option<String>) = (row.get(2)?, row.get(5)?);
    let paid: Option<String> = row.get(6)?;
    Ok(Remnant {
        key: row.get(0)?,
        id: row.get(1)?,
        kind: kind.as_deref().and_then(Kind::of),
        order_no: row.get(3)?,
        content: row.get(4)?,
        outcome: outcome.as_deref().and_then(CaseOutcome::of),
        paid: paid.and_then(|paid| serde_json::from_str(&paid).ok()).unwrap_or_default(),
    })
}

pub(super) fn find(connection: &Connection, account: &str, name: &Name) -> rusqlite::Result<Option<Remnant>> {
    // Named, since the planner would read all rows of the account by the primary key.
    let (table, column, value) = match name {
        Name::Id(id) => ("remnants INDEXED BY remnants_id", "id", id),
        Name::Key(key) => ("remnants", "key", key),
    };
    let sql = format!("SELECT {COLUMNS} FROM {table} WHERE account = ?1 AND {column} = ?2");
    connection.prepare_cached(&sql)?.query_row([account, value], remnant).optional()
}

/// Orders that purged cases made: another case must not take one for its own.
pub(super) fn made(connection: &Connection, account: &str) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare_cached("SELECT made FROM remnants INDEXED BY remnants_made WHERE account = ?1 AND made IS NOT NULL")?
        .query_map([account], |row| row.get(0))?
        .collect()
}

/// Whether the key means this case for ever: an intent was written, or a human gave a verdict.
pub(super) fn is_bound(case: &Case) -> bool {
    !case.steps.is_empty() || case.evidence.iter().any(|evidence| evidence.strength == Strength::Human)
}

/// Removes final cases that did not change since `before`; gives how many.
pub(super) fn purge(tx: &Tx<'_>, account: &str, before: Millis) -> rusqlite::Result<u64> {
    let sql = "SELECT body, token, change FROM cases
               WHERE account = ?1 AND open = 0 AND due IS NULL AND unknown = 0 AND owner IS NULL AND updated <= ?2";
    let old: Vec<(String, i64, i64)> = tx
        .prepare(sql)?
        .query_map(params![account, before], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<Result<_, _>>()?;
    let mut purged = 0;
    for (body, token, change) in old {
        let case: Case = serde_json::from_str(&body)
            .map_err(|e| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(e)))?;
        if case.watched {
            continue;
        }
        purged += 1;
        if is_bound(&case) {
            leave(tx, account, &case, token)?;
        }
        // What was paid stays held, in the name of the case that is gone.
        tx.execute("DELETE FROM holds WHERE case_id = ?1 AND order_no NOT LIKE 'paid:%'", [&case.id])?;
        tx.execute("DELETE FROM replies WHERE case_id = ?1", [&case.id])?;
        tx.execute("DELETE FROM cases WHERE id = ?1", [&case.id])?;
        tx.execute("UPDATE store SET purged = max(purged, ?1)", [change])?;
    }
    Ok(purged)
}

/// The orders that a case pays or has paid.
pub(super) fn paid_orders(case: &Case) -> Vec<&String> {
    case.holds.iter().filter_map(|hold| if let Hold::Payment(order) = hold { Some(order) } else { None }).collect()
}

/// Whether the case's code is the number of an order that it made.
pub(super) fn makes_order(case: &Case) -> bool {
    matches!(case.kind, Kind::Ancillary | Kind::Regenerate | Kind::Claim)
}

fn leave(tx: &Tx<'_>, account: &str, case: &Case, token: i64) -> rusqlite::Result<()> {
    tx.execute(
        "INSERT INTO remnants (account, key, id, kind, order_no, content, token, outcome, made, paid)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            account,
            case.key,
            case.id,
            case.kind.word(),
            case.order_no,
            case.content,
            token,
            case.outcome.word(),
            case.code.as_ref().filter(|_| makes_order(case)),
            serde_json::to_string(&paid_orders(case)).unwrap_or_default()
        ],
    )?;
    Ok(())
}
