//! Which cases there are, on the server.

use super::super::{Counts, Filter, Page, Stored};
use super::cases::CASES;
use super::database::Postgres;
use super::link::{Failure, Value, column, unreadable, values_of};
use super::session::Tx;
use crate::case::hold::Hold;
use crate::case::schedule::LONGEST_PAUSE;
use crate::unix_time::Millis;

/// Rows beside the due ones that are read because their owners may turn out to be gone.
const OWNED: i64 = 200;

impl Postgres {
    /// See [`Store::page`](super::super::Store::page).
    pub(super) fn find_page(&self, filter: &Filter) -> Stored<Page> {
        let work = |tx: &Tx<'_>| {
            if filter.changed_since.is_some() {
                // No number below one that is read is under way, nor given before this transaction ends.
                tx.query("SELECT apb.alone()", values_of![])?;
            }
            let kind = filter.kind.map(|kind| kind.word());
            let mut values = vec![Value::from(&tx.account), Value::from(filter.limit as i64)];
            values.push(match filter.changed_since {
                Some(number) => number.into(),
                None => filter.after.as_deref().unwrap_or_default().into(),
            });
            let sql = page_sql(filter, kind, &mut values);
            let rows = tx.query(&sql, &values)?.iter().map(|found| self.row(found)).collect::<Result<_, _>>()?;
            let numbers =
                tx.row("SELECT apb.highest(), purged FROM apb.store", values_of![])?.ok_or_else(unreadable)?;
            Ok(Page { rows, highest: column(&numbers, 0)?, purged: column(&numbers, 1)? })
        };
        match filter.changed_since {
            Some(_) => self.read_locked(work),
            None => self.read(work),
        }
    }

    /// See [`Store::due`](super::super::Store::due).
    pub(super) fn find_due(
        &self,
        now: Millis,
        limit: usize,
        is_alive: &dyn Fn(&str, Millis) -> bool,
    ) -> Stored<Vec<String>> {
        let never = now.saturating_add(LONGEST_PAUSE);
        self.read(|tx| {
            let mut ids = Vec::new();
            // Due later than any pause ends: a wrong clock has written that.
            for (condition, bound) in [("c.due <= $2", now), ("c.due > $2", never)] {
                if ids.len() >= limit {
                    break;
                }
                let sql = format!("{CASES} WHERE c.account = $1 AND {condition} ORDER BY c.due LIMIT $3");
                for found in tx.query(&sql, values_of![&tx.account, bound, limit as i64 + OWNED])? {
                    let row = self.row(&found)?;
                    let is_driven = row.owner.is_some_and(|(owner, until)| is_alive(&owner, until));
                    if !is_driven && ids.len() < limit {
                        ids.push(row.case.id);
                    }
                }
            }
            Ok(ids)
        })
    }

    /// See [`Store::counts`](super::super::Store::counts).
    pub(super) fn count(&self, now: Millis) -> Stored<Counts> {
        let sql = "SELECT (SELECT count(*) FROM apb.cases WHERE account = $1 AND (due <= $2 OR due > $2 + $3)),
                          (SELECT count(*) FROM apb.cases WHERE account = $1 AND open),
                          (SELECT min(due) FROM apb.cases WHERE account = $1 AND due IS NOT NULL)";
        self.read(|tx| {
            let row = tx.row(sql, values_of![&tx.account, now, LONGEST_PAUSE])?.ok_or_else(unreadable)?;
            let count = |at: usize| Ok::<_, Failure>(column::<i64>(&row, at)?.unsigned_abs());
            Ok(Counts { due: count(0)?, open: count(1)?, next: column(&row, 2)? })
        })
    }

    /// See [`Store::cases_for_order`](super::super::Store::cases_for_order).
    pub(super) fn concerned(&self, order_no: &str) -> Stored<Vec<String>> {
        let (first, end) = Hold::passenger_texts(order_no);
        let sql = "SELECT id FROM apb.cases WHERE account = $1 AND order_no = $2 AND (due IS NOT NULL OR NOT open)
             UNION SELECT case_id FROM apb.holds WHERE account = $1 AND order_no IN ($2, 'paid:' || $2)
             UNION SELECT case_id FROM apb.holds WHERE account = $1 AND order_no >= $3 AND order_no < $4
             ORDER BY 1";
        self.read(|tx| tx.list(sql, values_of![&tx.account, order_no, &first, &end]))
    }
}

/// A statement for each combination of filters: a plan for all of them could use no index. `values` has the account, the
/// limit and the place after which the page begins.
fn page_sql<'v>(filter: &'v Filter, kind: Option<&'v str>, values: &mut Vec<Value<'v>>) -> String {
    let order = if filter.changed_since.is_some() { "change" } else { "id" };
    let mut sql = format!("{CASES} WHERE c.account = $1 AND c.{order} > $3");
    if filter.unknown {
        sql.push_str(" AND c.unknown");
    }
    match filter.open {
        Some(true) => sql.push_str(" AND c.open"),
        Some(false) => sql.push_str(" AND NOT c.open"),
        None => {}
    }
    for (column, value) in [("order_no", filter.order_no.as_deref()), ("kind", kind)] {
        if let Some(value) = value {
            values.push(value.into());
            sql.push_str(&format!(" AND c.{column} = ${}", values.len()));
        }
    }
    sql + &format!(" ORDER BY c.{order} LIMIT $2")
}
