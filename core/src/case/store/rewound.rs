//! A store that is older than what was sent through it: noticed by the witness, written into the store, and stopped
//! there for every client until somebody confirmed.

use std::sync::atomic::Ordering;

use rusqlite::{Connection, params};

use super::file::Sqlite;
use super::tables::Tx;
use super::witness::{Locked, Loss, host, is_known, is_missing, last_number};
use super::{Stored, store_error};
use crate::error::{Advice, Detail, Error, ErrorCode};
use crate::unix_time::Millis;

/// Numbers that a lost store may have given beyond those of this one: more than any store ever writes, and still below
/// 2^53 after a million losses.
pub(super) const LIFT: i64 = 1 << 32;

/// The error while a loss is not confirmed.
pub(super) fn error(connection: &Connection) -> rusqlite::Result<Option<Error>> {
    let sql = "SELECT host, what, case_id FROM losses WHERE confirmed IS NULL ORDER BY change";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (host, what, case): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    Ok(Some(rewound_by(&host, &what, &case)))
}

/// The error of a loss.
pub(super) fn rewound_by(host: &str, what: &str, case: &str) -> Error {
    let of = if case.is_empty() { String::new() } else { format!(", case {case}") };
    store_rewound(format!("the store is older than what was sent through it: {what} (seen by {host}{of})"))
}

/// Nothing was sent.
pub(super) fn store_rewound(message: String) -> Error {
    let mut error = store_error(ErrorCode::StoreRewound, message);
    error.advice = Advice::ContactSupport;
    error.next = Some("case.confirmStore");
    error.help = format!(
        "Nothing was sent: {}. Reconcile every open case, compare with the vendor what is missing, then call case.confirmStore.",
        error.message
    );
    error
}

/// Writes a loss into the store, unless it was confirmed before; gives whether the store is rewound by it.
fn record(tx: &Tx<'_>, loss: &Loss) -> rusqlite::Result<bool> {
    tx.execute(
        "INSERT OR IGNORE INTO losses (host, what, case_id, number, change)
         SELECT ?1, ?2, ?3, ?4, highest FROM store",
        params![host(), loss.what, loss.case, loss.number],
    )?;
    tx.query_row(
        "SELECT confirmed IS NULL FROM losses WHERE host = ?1 AND what = ?2 AND case_id = ?3 AND number = ?4",
        params![host(), loss.what, loss.case, loss.number],
        |row| row.get(0),
    )
}

/// As the store stands after its witness was compared.
pub(super) enum Compared {
    Fits,
    Rewound(Error),
    /// The witness can be neither read nor written.
    NoWitness,
}

impl Sqlite {
    /// After an intent was stored, before its body leaves: names the intent in the witness. Fails if the intent is not
    /// in the file any more or the store turns out to be rewound: then nothing may leave. Gives a warning if the
    /// witness cannot be written.
    pub(super) fn write_witness(&self, case: &str, number: i64) -> Stored<Option<String>> {
        let compared = self.write(|tx| {
            if !super::witness::has_intent(tx, case, number)? {
                let loss = Loss {
                    what: "its file was replaced while an intent was written".to_owned(),
                    case: case.to_owned(),
                    number,
                };
                record(tx, &loss)?;
                return Ok(Compared::Rewound(store_rewound(format!("{}, case {case}", loss.what))));
            }
            self.compared(tx, Some((case, number)))
        })?;
        match compared {
            Compared::Fits => Ok(None),
            Compared::Rewound(error) => Err(error),
            Compared::NoWitness => Ok(Some(
                "the witness of the store could not be written; an older store would not be noticed".to_owned(),
            )),
        }
    }

    /// Compares the store with its witness, makes one where there is none yet, and names an intent in it.
    ///
    /// The witness is locked within the transaction by whoever locks it, so that nobody who writes waits for it.
    pub(super) fn compared(&self, tx: &Tx<'_>, intent: Option<(&str, i64)>) -> rusqlite::Result<Compared> {
        let is_copy: bool = tx.query_row("SELECT copy FROM store", [], |row| row.get(0))?;
        if is_copy {
            tx.execute("UPDATE store SET copy = 0", [])?;
            // Of this very copy: another one is another loss.
            let number = super::tables::next_number(tx)?;
            record(tx, &Loss { what: "it is a copy made by case.backup".to_owned(), case: String::new(), number })?;
        }
        let Some(mut locked) = Locked::open(&self.witness) else {
            if is_missing(&self.witness) && had(tx, &self.witness.to_string_lossy())? {
                record(tx, &Loss { what: "its witness is missing".to_owned(), case: String::new(), number: 0 })?;
            } else if !is_known(tx, &self.path)? {
                let what = "it is another file than before, and its witness cannot be read".to_owned();
                record(tx, &Loss { what, case: String::new(), number: 0 })?;
            }
            return Ok(error(tx)?.map_or(Compared::NoWitness, Compared::Rewound));
        };
        let (loss, there) = locked.compare(tx, &self.path)?;
        let confirmed = match &loss {
            Some(loss) => !record(tx, loss)?,
            None => false,
        };
        // While it is rewound, the witness stays as it is.
        if let Some(error) = error(tx)? {
            return Ok(Compared::Rewound(error));
        }
        if (confirmed || !there)
            && let Err(_) = locked.name(tx, &self.path, None, confirmed)?
        {
            return Ok(Compared::NoWitness);
        }
        match intent {
            Some(intent) if locked.name(tx, &self.path, Some(intent), false)?.is_err() => Ok(Compared::NoWitness),
            _ => Ok(Compared::Fits),
        }
    }

    /// At the begin of a transaction that writes: the file may have been overwritten in place since the last one.
    pub(super) fn check_numbers(&self, tx: &Tx<'_>) -> rusqlite::Result<()> {
        let highest = super::tables::highest(tx)?;
        let given = self.given.load(Ordering::SeqCst).max(last_number(&self.path).unwrap_or(0));
        if highest < given {
            let what = format!("number {given} was given in it, and the last number now is {highest}");
            record(tx, &Loss { what, case: String::new(), number: given })?;
        }
        Ok(())
    }

    /// See [`Store::confirm`](super::Store::confirm).
    pub(super) fn confirm_losses(&self, by: &str, evidence: &str, now: Millis) -> Stored<()> {
        self.write(|tx| {
            let Some(since) = noticed(tx)? else {
                return Ok(Err(nothing_to_confirm()));
            };
            let not_asked = not_asked(tx, since, None)?;
            if !not_asked.is_empty() {
                return Ok(Err(not_all_asked(not_asked)));
            }
            let sql = "UPDATE losses SET confirmed = ?1, confirmed_at = ?2 WHERE confirmed IS NULL";
            tx.execute(sql, params![format!("{by}: {evidence}"), now])?;
            tx.execute("UPDATE store SET highest = highest + ?1", [LIFT])?;
            // Also what ended since: the numbers of before may stand for other changes to a reader.
            let renumbered: Vec<String> = tx
                .prepare("SELECT id FROM cases WHERE open = 1 OR change > ?1 ORDER BY change")?
                .query_map([since], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            for id in renumbered {
                let number = super::tables::next_number(tx)?;
                tx.execute("UPDATE cases SET change = ?2 WHERE id = ?1", params![id, number])?;
            }
            if let Some(mut locked) = Locked::open(&self.witness) {
                // A witness that cannot be written now is reported by the next intent.
                let _ = locked.name(tx, &self.path, None, true)?;
            }
            Ok(Ok(()))
        })?
    }
}

/// `case.confirmStore` on a sound store.
pub(super) fn nothing_to_confirm() -> Error {
    let message = "the store is not rewound: there is nothing to confirm";
    Error::at(ErrorCode::BadRequest, "case.confirmStore", "", message)
}

/// `case.confirmStore` before these cases were asked about.
pub(super) fn not_all_asked(ids: Vec<String>) -> Error {
    let message = format!("{} cases were not asked about since the loss was noticed", ids.len());
    let mut error = Error::new(ErrorCode::Conflict, message);
    error.next = Some("case.reconcile");
    error.help = format!("Nothing was changed: {}. Reconcile them first.", error.message);
    error.details = ids.into_iter().map(|id| Detail::of("id", id)).collect();
    error
}

/// When the first loss that is not confirmed was noticed: the number of the last write before.
fn noticed(connection: &Connection) -> rusqlite::Result<Option<i64>> {
    connection.query_row("SELECT min(change) FROM losses WHERE confirmed IS NULL", [], |row| row.get(0))
}

/// The account's cases that must be asked about before the losses can be confirmed.
pub(super) fn to_be_asked(connection: &Connection, account: &str) -> rusqlite::Result<Vec<String>> {
    match noticed(connection)? {
        Some(since) => not_asked(connection, since, Some(account)),
        None => Ok(Vec::new()),
    }
}

/// Ids of the cases of an account, or of every one, that may have been sent by what is lost, and were not asked about
/// since.
fn not_asked(connection: &Connection, since: i64, account: Option<&str>) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(
            "SELECT id FROM cases WHERE open = 1 AND asked <= ?1 AND (?2 IS NULL OR account = ?2) AND (
             json_extract(body, '$.state') IN ('sending', 'unknown', 'awaiting_payment')
             OR json_extract(body, '$.outcome') = 'unknown'
             OR (json_extract(body, '$.state') IN ('planned', 'quoting') AND json_array_length(body, '$.steps') > 0))
         ORDER BY id",
        )?
        .query_map(params![since, account], |row| row.get(0))?
        .collect()
}

fn had(tx: &Tx<'_>, path: &str) -> rusqlite::Result<bool> {
    tx.query_row("SELECT EXISTS (SELECT 1 FROM witnesses WHERE path = ?1)", [path], |row| row.get(0))
}
