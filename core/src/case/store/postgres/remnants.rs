//! What stays of purged cases, on the server.

use super::super::Name;
use super::super::remnant::Remnant;
use super::super::remnants::{is_bound, makes_order, paid_orders};
use super::link::{Failure, column, unreadable, values_of};
use super::session::Tx;
use crate::case::model::Case;
use crate::case::vocabulary::{CaseOutcome, Kind};
use crate::unix_time::Millis;

pub(super) fn find(tx: &Tx<'_>, name: &Name) -> Result<Option<Remnant>, Failure> {
    let (column_name, value) = match name {
        Name::Id(id) => ("id", id),
        Name::Key(key) => ("key", key),
    };
    let sql = format!(
        "SELECT key, id, kind, order_no, content, outcome, paid FROM apb.remnants WHERE account = $1 AND {column_name} = $2"
    );
    let Some(row) = tx.row(&sql, values_of![&tx.account, value])? else { return Ok(None) };
    let text = |at: usize| column::<Option<String>>(&row, at);
    Ok(Some(Remnant {
        key: column(&row, 0)?,
        id: text(1)?,
        kind: text(2)?.as_deref().and_then(Kind::of),
        order_no: text(3)?,
        content: text(4)?,
        outcome: text(5)?.as_deref().and_then(CaseOutcome::of),
        paid: text(6)?.and_then(|paid| serde_json::from_str(&paid).ok()).unwrap_or_default(),
    }))
}

/// Removes final cases that did not change since `before`; gives how many.
pub(super) fn purge(tx: &Tx<'_>, before: Millis) -> Result<u64, Failure> {
    let sql = "SELECT body, token, change FROM apb.cases
               WHERE account = $1 AND NOT open AND due IS NULL AND NOT unknown AND owner IS NULL AND updated <= $2
               ORDER BY id FOR UPDATE";
    let (mut purged, mut highest) = (0, 0);
    for row in tx.query(sql, values_of![&tx.account, before])? {
        let body: String = column(&row, 0)?;
        let case: Case = serde_json::from_str(&body).map_err(|_| unreadable())?;
        if case.watched {
            continue;
        }
        purged += 1;
        highest = highest.max(column::<i64>(&row, 2)?);
        if is_bound(&case) {
            leave(tx, &case, column(&row, 1)?)?;
        }
        // What was paid stays held, in the name of the case that is gone.
        let sql = "DELETE FROM apb.holds WHERE case_id = $1 AND order_no NOT LIKE 'paid:%'";
        tx.query(sql, values_of![&case.id])?;
        tx.query("DELETE FROM apb.replies WHERE case_id = $1", values_of![&case.id])?;
        tx.query("DELETE FROM apb.cases WHERE id = $1", values_of![&case.id])?;
    }
    if purged > 0 {
        tx.query("UPDATE apb.store SET purged = greatest(purged, $1)", values_of![highest])?;
    }
    Ok(purged)
}

fn leave(tx: &Tx<'_>, case: &Case, token: i64) -> Result<(), Failure> {
    let paid = serde_json::to_string(&paid_orders(case)).unwrap_or_default();
    let made = case.code.as_deref().filter(|_| makes_order(case));
    tx.query(
        "INSERT INTO apb.remnants (account, key, id, kind, order_no, content, token, outcome, made, paid)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        values_of![
            &tx.account,
            &case.key,
            &case.id,
            case.kind.word(),
            &case.order_no,
            &case.content,
            token,
            case.outcome.word(),
            made,
            &paid,
        ],
    )
    .map(|_| ())
}
