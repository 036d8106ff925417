//! Rows of cases on the server: read with their owners, written by who knows their version.

use tokio_postgres::error::SqlState;

use super::super::{Lease, Row};
use super::database::Postgres;
use super::link::{Failure, column, unreadable, values_of};
use super::owners::Holder;
use super::session::Tx;
use crate::case::hold::Hold;
use crate::case::model::Case;
use crate::case::vocabulary::{CaseOutcome, State};
use crate::unix_time::boot_clock;

/// The columns that [`Postgres::row`] reads.
pub(super) const CASES: &str = "SELECT c.body, c.token, c.change, c.owner, c.worker, c.lease_end - apb.now_ms(), \
     coalesce(w.until - apb.now_ms(), 0), coalesce(w.renewals, 0), c.lease_ms, c.id, c.account \
     FROM apb.cases c LEFT JOIN apb.workers w ON w.id = c.worker";

/// Whether a query may settle it: also what a dead process left while sending.
fn is_unknown(case: &Case) -> bool {
    case.outcome == CaseOutcome::Unknown || case.state == State::Sending
}

pub(super) fn body(case: &Case) -> Result<String, Failure> {
    serde_json::to_string(case).map_err(|_| unreadable())
}

/// The texts of the holds that a case keeps others from now.
fn held(case: &Case) -> Vec<String> {
    if case.is_holding() { case.holds.iter().map(Hold::to_text).collect() } else { Vec::new() }
}

/// How long a lease lasts from now on.
pub(super) fn duration(lease: &Lease) -> i64 {
    (lease.until - boot_clock::now()).max(0)
}

impl Postgres {
    /// A row of [`CASES`].
    pub(super) fn row(&self, row: &tokio_postgres::Row) -> Result<Row, Failure> {
        let text: String = column(row, 0)?;
        let mut case: Case = serde_json::from_str(&text).map_err(|_| unreadable())?;
        case.change = column(row, 2)?;
        // What pages and leases go by: the text of a damaged row may have another one.
        case.id = column(row, 9)?;
        let token = column(row, 1)?;
        let owner = self.live_owner(Holder {
            id: &case.id,
            token,
            owner: column(row, 3)?,
            worker: column(row, 4)?,
            left: column::<Option<i64>>(row, 5)?.unwrap_or(0),
            worker_left: column(row, 6)?,
            renewals: column(row, 7)?,
            lease_ms: column::<Option<i64>>(row, 8)?.unwrap_or(0),
        });
        Ok(Row { case, version: token, owner })
    }

    pub(super) fn by_id(&self, tx: &Tx<'_>, id: &str) -> Result<Option<Row>, Failure> {
        let sql = format!("{CASES} WHERE c.account = $1 AND c.id = $2");
        tx.row(&sql, values_of![&tx.account, id])?.map(|row| self.row(&row)).transpose()
    }

    pub(super) fn by_key(&self, tx: &Tx<'_>, key: &str) -> Result<Option<Row>, Failure> {
        let sql = format!("{CASES} WHERE c.account = $1 AND c.key = $2");
        tx.row(&sql, values_of![&tx.account, key])?.map(|row| self.row(&row)).transpose()
    }

    /// Compare and swap, in one statement. Also None if it is about to pay an order that another case pays or has paid.
    /// If it may have been done already, a row that has this very content and owner is this one's.
    pub(super) fn put(&self, tx: &Tx<'_>, row: &Row, lease: Option<&Lease>) -> Result<Option<i64>, Failure> {
        let case = &row.case;
        let worker = lease.map(|lease| self.workers.current(duration(lease))).transpose()?;
        let (texts, body) = (held(case), body(case)?);
        let paid: Vec<String> =
            case.holds.iter().filter(|hold| matches!(hold, Hold::Payment(_))).map(Hold::to_text).collect();
        let own = "AND (c.token = $2 OR $18 AND c.token > $2 AND c.body = $11 AND c.owner IS NOT DISTINCT FROM $8)";
        let is_intent = case.state == State::Sending && lease.is_some();
        let next = if is_intent { "next_intent" } else { "next_change" };
        let sql = format!(
            "WITH n AS MATERIALIZED (SELECT apb.{next}() AS number), moved AS (
                UPDATE apb.cases c SET kind = $3, order_no = $4, open = $5, unknown = $6, due = $7, token = n.number,
                    change = n.number, owner = $8, worker = $9, lease_ms = $10, lease_end = apb.now_ms() + $10,
                    body = $11, updated = $12, asked = CASE WHEN $13 THEN n.number ELSE c.asked END, code = $14
                FROM n WHERE c.id = $1 {own} AND NOT EXISTS (SELECT 1 FROM apb.holds h
                    WHERE h.account = $15 AND h.order_no = ANY ($16) AND h.case_id <> $1)
                RETURNING c.id, c.token
             ), gone AS (
                DELETE FROM apb.holds h USING moved WHERE h.case_id = moved.id
                AND NOT (h.account = $15 AND h.order_no = ANY ($17))
             ), kept AS (
                INSERT INTO apb.holds (account, order_no, case_id)
                SELECT $15, held, moved.id FROM moved, unnest($17) AS held
                ON CONFLICT (account, order_no, case_id) DO NOTHING
             ) SELECT token FROM moved"
        );
        let values = values_of![
            &case.id,
            row.version,
            case.kind.word(),
            &case.order_no,
            !case.closed,
            is_unknown(case),
            case.due,
            lease.map(|lease| lease.owner.as_str()),
            worker.as_ref().map(|worker| worker.id.as_str()),
            lease.map(duration),
            &body,
            case.updated,
            case.run.asked,
            &case.code,
            &tx.account,
            &*paid,
            &*texts,
            tx.again,
        ];
        let version = match tx.value::<i64>(&sql, values) {
            // Somebody pays the order just now.
            Err(failure) if failure.state == Some(SqlState::UNIQUE_VIOLATION) && !tx.is_transaction() => None,
            done => done?,
        };
        match (version, &worker) {
            (Some(version), Some(worker)) => self.workers.take(&case.id, version, worker),
            (Some(_), None) => self.workers.leave(&case.id),
            (None, _) => {}
        }
        Ok(version)
    }

    /// Writes a new case with its lease and its holds. It may be an intent already.
    pub(super) fn insert(&self, tx: &Tx<'_>, case: &Case, lease: &Lease) -> Result<Row, Failure> {
        let worker = self.workers.current(duration(lease))?;
        let sql = "WITH n AS MATERIALIZED (SELECT apb.next_intent() AS number), made AS (
                INSERT INTO apb.cases (id, account, key, kind, order_no, open, unknown, due, token, owner, worker,
                    lease_ms, lease_end, updated, body, change, code)
                SELECT $1, $2, $3, $4, $5, $6, $7, $8, n.number, $9, $10, $11, apb.now_ms() + $11, $12, $13, n.number, $14
                FROM n RETURNING id, token
             ), kept AS (
                INSERT INTO apb.holds (account, order_no, case_id) SELECT $2, held, made.id FROM made, unnest($15) AS held
                ON CONFLICT (account, order_no, case_id) DO NOTHING
             ) SELECT token FROM made";
        let (texts, body) = (held(case), body(case)?);
        let values = values_of![
            &case.id,
            &tx.account,
            &case.key,
            case.kind.word(),
            &case.order_no,
            !case.closed,
            is_unknown(case),
            case.due,
            &lease.owner,
            &worker.id,
            duration(lease),
            case.updated,
            &body,
            &case.code,
            &*texts,
        ];
        let number: i64 = tx.value(sql, values)?.ok_or_else(unreadable)?;
        self.workers.take(&case.id, number, &worker);
        let owner = Some((lease.owner.clone(), lease.until));
        Ok(Row { case: Case { change: number, ..case.clone() }, version: number, owner })
    }
}
