//! A server's store that is older than what was sent through it: restored, or failed over with a loss. Noticed by where
//! the tables are, and by the last intent that each process, and a file of its host, remembers.

use std::sync::atomic::Ordering;

use super::super::Stored;
use super::super::rewound::{LIFT, not_all_asked, nothing_to_confirm, rewound_by};
use super::super::witness::{self, Locked};
use super::database::Postgres;
use super::link::{Failure, Link, column, values_of};
use super::session::Tx;
use crate::error::Error;
use crate::unix_time::Millis;

/// What the database is: its cluster, itself and its table. A dump that is restored gets another table.
const PLACE: &str = "SELECT (SELECT system_identifier FROM pg_control_system())::text || ' ' ||
    (SELECT oid FROM pg_database WHERE datname = current_database())::text || ' ' || 'apb.cases'::regclass::oid::text";
/// Where the user may not ask for the cluster, or it is none of PostgreSQL's own.
const PLACE_WITHIN: &str = "SELECT '? ' || (SELECT oid FROM pg_database WHERE datname = current_database())::text
    || ' ' || 'apb.cases'::regclass::oid::text";

const RECORD: &str = "INSERT INTO apb.losses (host, what, case_id, number, change)
    VALUES ($1, $2, $3, $4, apb.highest()) ON CONFLICT DO NOTHING";

fn same_place(a: &str, b: &str) -> bool {
    let (a, b): (Vec<&str>, Vec<&str>) = (a.split(' ').collect(), b.split(' ').collect());
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a == b || *a == "?" || *b == "?")
}

fn one(link: &Link, sql: &str) -> Result<String, Failure> {
    link.query(sql, values_of![])?.first().map_or_else(|| Ok(String::new()), |row| column(row, 0))
}

/// The error while a loss is not confirmed.
pub(super) fn error(tx: &Tx<'_>) -> Result<Option<Error>, Failure> {
    let sql = "SELECT host, what, case_id FROM apb.losses WHERE confirmed IS NULL ORDER BY change LIMIT 1";
    let Some(row) = tx.row(sql, values_of![])? else { return Ok(None) };
    let (host, what, case): (String, String, String) = (column(&row, 0)?, column(&row, 1)?, column(&row, 2)?);
    Ok(Some(rewound_by(&host, &what, &case)))
}

fn record(tx: &Tx<'_>, what: &str, case: &str, number: i64) -> Result<(), Failure> {
    tx.query(RECORD, values_of![&witness::host(), what, case, number]).map(|_| ())
}

impl Postgres {
    /// The tables are there: from now on each new connection is compared.
    pub(super) fn begin_to_look(&self) -> Stored<()> {
        if let Some(file) = &self.witness.file {
            let serial = self.look_up(|tx| tx.value::<String>("SELECT serial FROM apb.store", values_of![]))?;
            let known = Locked::open(file).and_then(|mut locked| locked.read().ok().flatten());
            match known {
                // One of a store that was moved into this one goes on, with the case that it names.
                Some(known) if Some(&known.store) != serial.as_ref() && !self.imported(&known.store)? => {
                    self.raw_write(|tx| record(tx, "its witness is of another store", "", 0))?;
                }
                Some(known) if !known.case.is_empty() => self.witness.set(Some((known.case, known.number))),
                _ => {}
            }
        }
        self.witness.is_ready.store(true, Ordering::SeqCst);
        Ok(())
    }

    fn imported(&self, serial: &str) -> Stored<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM apb.imports WHERE source = $1)";
        Ok(self.look_up(|tx| tx.value(sql, values_of![serial]))?.unwrap_or(false))
    }

    /// Compares a new connection's database with what is remembered.
    pub(super) fn look(&self, link: &Link) -> Result<(), Failure> {
        if !self.witness.is_ready.load(Ordering::SeqCst) {
            return Ok(());
        }
        let place = match one(link, PLACE) {
            Err(failure) if !failure.is_lost => one(link, PLACE_WITHIN)?,
            place => place?,
        };
        let was = one(link, "SELECT place FROM apb.store")?;
        let host = witness::host();
        if was.is_empty() {
            link.query("UPDATE apb.store SET place = $1 WHERE place = ''", values_of![&place])?;
        } else if !same_place(&was, &place) {
            let what = format!("its tables are not where they were ({place}, was {was})");
            link.query(RECORD, values_of![&host, &what, "", 0_i64])?;
        }
        if let Some((case, number)) = self.witness.last() {
            let sql = "SELECT EXISTS (SELECT 1 FROM apb.cases WHERE id = $1 AND token >= $2)
                OR EXISTS (SELECT 1 FROM apb.remnants WHERE id = $1 AND token >= $2)";
            let rows = link.query(sql, values_of![&case, number])?;
            if !rows.first().map_or(Ok(true), |row| column(row, 0))? {
                link.query(RECORD, values_of![&host, "it does not have the last intent", &case, number])?;
            }
        }
        Ok(())
    }

    /// See [`Store::write_witness`](super::super::Store::write_witness).
    pub(super) fn remember_intent(&self, case: &str, number: i64) -> Stored<Option<String>> {
        self.witness.set(Some((case.to_owned(), number)));
        let Some(file) = &self.witness.file else { return Ok(None) };
        let serial = self.read(|tx| tx.value::<String>("SELECT serial FROM apb.store", values_of![]))?;
        let written = Locked::open(file).is_some_and(|mut locked| {
            let store = serial.unwrap_or_default();
            let known = locked.read().ok().flatten().filter(|known| known.store == store);
            known.is_some_and(|known| known.number >= number) || locked.write_intent(store, case, number).is_ok()
        });
        Ok((!written)
            .then(|| "the witness of the store could not be written; an older store would not be noticed".to_owned()))
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
        self.witness.set(None);
        if let Some(file) = &self.witness.file {
            let serial = self.read(|tx| tx.value::<String>("SELECT serial FROM apb.store", values_of![]))?;
            if let Some(mut locked) = Locked::open(file) {
                // A witness that cannot be written now is reported by the next intent.
                let _ = locked.write_intent(serial.unwrap_or_default(), "", 0);
            }
        }
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
