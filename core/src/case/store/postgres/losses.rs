//! A server's store that is older than what was sent through it: restored, or failed over with a loss. What was noticed
//! stands in the store, and stops every client until somebody confirms.

use super::super::Stored;
use super::super::rewound::{LIFT, not_all_asked, nothing_to_confirm, rewound_by};
use super::super::witness::ServerWitness;
use super::database::Postgres;
use super::link::{Failure, Link, column, values_of};
use super::look;
use super::session::Tx;
use crate::error::Error;
use crate::unix_time::Millis;

/// The error while a loss is not confirmed.
pub(super) fn error(tx: &Tx<'_>) -> Result<Option<Error>, Failure> {
    let sql = "SELECT host, what, case_id FROM apb.losses WHERE confirmed IS NULL ORDER BY change LIMIT 1";
    let Some(row) = tx.row(sql, values_of![])? else { return Ok(None) };
    let (host, what, case): (String, String, String) = (column(&row, 0)?, column(&row, 1)?, column(&row, 2)?);
    Ok(Some(rewound_by(&host, &what, &case)))
}

impl Postgres {
    /// The tables are there: from now on each new connection is compared.
    pub(super) fn begin_to_look(&self) -> Stored<()> {
        let mut known = ServerWitness::default();
        if let Some(found) = self.memory.read_file() {
            let serial = self.look_up(|tx| tx.value::<String>("SELECT serial FROM apb.store", values_of![]))?;
            // One of a store that was moved into this one goes on, with the case that it names.
            if Some(&found.store) == serial.as_ref() || self.imported(&found.store)? {
                known = found;
            } else {
                let link = Link::connect(&self.server, self.tls.as_ref()).map_err(|failure| failure.error)?;
                let what = "its witness is of another store";
                look::record(&link, what, &found.case, found.number).map_err(|failure| failure.error)?;
            }
        }
        self.memory.begin(known);
        Ok(())
    }

    fn imported(&self, serial: &str) -> Stored<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM apb.imports WHERE source = $1)";
        Ok(self.look_up(|tx| tx.value(sql, values_of![serial]))?.unwrap_or(false))
    }

    /// See [`Store::write_witness`](super::super::Store::write_witness).
    pub(super) fn remember_intent(&self, case: &str, number: i64) -> Option<String> {
        let is_named = self.memory.remember(case, number);
        (!is_named)
            .then(|| "the witness of the store could not be written; an older store would not be noticed".to_owned())
    }

    /// See [`Store::confirm`](super::super::Store::confirm).
    pub(super) fn confirm_losses(&self, by: &str, evidence: &str, now: Millis) -> Stored<()> {
        self.write(|tx| {
            tx.query("SELECT apb.alone(), apb.sync()", values_of![])?;
            let Some(since) = noticed(tx)? else { return Ok(Err(nothing_to_confirm())) };
            let not_asked = not_asked(tx, since, None)?;
            if !not_asked.is_empty() {
                return Ok(Err(not_all_asked(not_asked)));
            }
            let sql = "UPDATE apb.losses SET confirmed = $1, confirmed_at = $2 WHERE confirmed IS NULL";
            tx.query(sql, values_of![&format!("{by}: {evidence}"), now])?;
            // The next connection names the place that is confirmed now.
            tx.query("UPDATE apb.store SET place = ''", values_of![])?;
            tx.query("SELECT setval('apb.changes', apb.highest() + $1)", values_of![LIFT])?;
            // Also what ended since: the numbers of before may stand for other changes to a reader.
            let sql = "WITH again AS (SELECT id FROM apb.cases WHERE open OR change > $1 ORDER BY change),
                numbered AS MATERIALIZED (SELECT id, apb.next_change() AS number FROM again)
                UPDATE apb.cases c SET change = n.number FROM numbered n WHERE c.id = n.id";
            tx.query(sql, values_of![since])?;
            Ok(Ok(()))
        })??;
        let serial = self.read(|tx| tx.value::<String>("SELECT serial FROM apb.store", values_of![]))?;
        self.memory.forget(&serial.unwrap_or_default(), true);
        Ok(())
    }
}

/// When the first loss that is not confirmed was noticed: the number of the last write before.
fn noticed(tx: &Tx<'_>) -> Result<Option<i64>, Failure> {
    Ok(tx.value::<Option<i64>>("SELECT min(change) FROM apb.losses WHERE confirmed IS NULL", values_of![])?.flatten())
}

/// The account's cases that must be asked about before the losses can be confirmed.
pub(super) fn to_be_asked(tx: &Tx<'_>) -> Result<Vec<String>, Failure> {
    match noticed(tx)? {
        Some(since) => not_asked(tx, since, Some(&tx.account)),
        None => Ok(Vec::new()),
    }
}

fn not_asked(tx: &Tx<'_>, since: i64, account: Option<&str>) -> Result<Vec<String>, Failure> {
    let sql = "SELECT id FROM apb.cases WHERE open AND asked <= $1 AND ($2::text IS NULL OR account = $2) AND (
             body::json ->> 'state' IN ('sending', 'unknown', 'awaiting_payment')
             OR body::json ->> 'outcome' = 'unknown'
             OR (body::json ->> 'state' IN ('planned', 'quoting') AND json_array_length(body::json -> 'steps') > 0))
         ORDER BY id";
    tx.list(sql, values_of![since, account])
}
