//! `case.import`: moves all accounts of one store into another.
//!
//! The target's accounts are closed first. Then everything is copied in one transaction of each side: that of the source
//! keeps everybody else from writing to it, and its last statement seals it. It is committed before the target's. So
//! there is no moment at which both take a case, and whoever is killed between the two commits finds, when he runs it
//! again, a source that is sealed for this target, and copies what cannot change any more.

use std::collections::HashMap;

use serde_json::Value;

use super::side::{ACCOUNTS, CASES, Head, Known, OTHERS, Record, Side, Table};
use super::{Stored, store_error};
use crate::case::clock::Stamp;
use crate::case::model::Case;
use crate::error::{Advice, Detail, Error, ErrorCode};

/// What was moved, or would be.
#[derive(Debug, Default)]
pub(crate) struct Moved {
    pub accounts: Vec<String>,
    pub cases: i64,
    /// Keys of purged cases.
    pub remnants: i64,
    /// The target had it all before this call.
    pub is_done: bool,
}

/// Moves the source into the target; with `dry_run` says what would be moved, and checks that it can be.
///
/// `now` gives the time by the target's clock.
pub(crate) fn import(
    source: &mut dyn Side,
    target: &mut dyn Side,
    now: &dyn Fn() -> Stored<Stamp>,
    dry_run: bool,
) -> Result<Moved, Error> {
    // A store would wait for itself.
    if source.head()?.serial == target.head()?.serial {
        return Err(Error::at(ErrorCode::BadRequest, "case.import", "/from", "is the store of this client"));
    }
    source.begin(true)?;
    let from = source.head()?;
    target.begin(!dry_run)?;
    let to = target.head()?;
    if to.imported.contains(&from.serial) {
        return Ok(Moved { is_done: true, ..Moved::default() });
    }
    check(&from, &to)?;
    let accounts = accounts(source, target)?;
    let names = accounts.iter().map(|(record, _)| text(record, "name")).collect();
    let cases = source.count(&CASES)?;
    let remnants = OTHERS.iter().find(|table| table.name == "remnants").map_or(Ok(0), |table| source.count(table))?;
    let moved = Moved { accounts: names, cases, remnants, is_done: false };
    if dry_run {
        return Ok(moved);
    }
    let records: Vec<Record> = accounts.iter().map(|(record, _)| record.clone()).collect();
    target.close(&records, &from.serial)?;
    target.commit()?;
    // Nothing has left since the source is held.
    let copied = now().and_then(|now| copy(source, target, &from, &to, now, cases));
    if copied.is_err() && from.moved_to.is_none() {
        // The source goes on. If this fails as well, the accounts stay closed until the import is run again.
        let _ = target.begin(false).and_then(|()| target.reopen(&from.serial)).and_then(|()| target.commit());
    }
    copied?;
    seal(source, &to)?;
    target.commit()?;
    Ok(moved)
}

fn check(from: &Head, to: &Head) -> Result<(), Error> {
    if from.moved_to.as_ref().is_some_and(|target| *target != to.serial) {
        return Err(moved("the store to import was moved into another one"));
    }
    if to.moved_to.is_some() {
        return Err(moved("the store of this client was moved into another one"));
    }
    for (what, head) in [("to import", from), ("of this client", to)] {
        if let Some(error) = &head.rewound {
            return Err(error.clone());
        }
        if !head.unnamed.is_empty() {
            let message = format!("the store {what} has an unnamed account");
            let mut error = store_error(ErrorCode::StoreAccount, message);
            error.help = format!(
                "Nothing was changed: {}. Name it first, by case.adoptAccount or by a client with `account`: {}.",
                error.message,
                head.unnamed.join("; ")
            );
            return Err(error);
        }
    }
    if !from.sending.is_empty() {
        let mut error = Error::new(
            ErrorCode::Conflict,
            format!("{} cases of the store to import are being sent, or their sender died", from.sending.len()),
        );
        error.next = Some("case.reconcile");
        error.help = format!("Nothing was changed: {}. Reconcile them there first.", error.message);
        error.details = from.sending.iter().map(|id| Detail::of("id", id)).collect();
        return Err(error);
    }
    Ok(())
}

/// A store that was moved: nothing is written to it any more.
pub(super) fn moved(message: &str) -> Error {
    let mut error = store_error(ErrorCode::StoreMoved, message);
    error.advice = Advice::FixConfig;
    error.help = format!("Nothing was sent: {message}. Configure the store that has the cases now.");
    error
}

/// The accounts are closed while they are moved here.
pub(super) fn arriving() -> Error {
    let message = "cases are being moved into this store, and it takes none before that is done";
    let mut error = store_error(ErrorCode::StoreBusy, message);
    error.help = format!("Nothing was sent: {message}. If nobody moves them now, run case.import again.");
    error
}

/// The accounts of the source with the ids that they get here: those of the same name, if they have nothing yet.
fn accounts(source: &mut dyn Side, target: &mut dyn Side) -> Result<Vec<(Record, String)>, Error> {
    let mut found = Vec::new();
    source.rows(&ACCOUNTS, &mut |rows| {
        found.extend(rows.into_iter().filter(|row| row.get("merged").is_none_or(Value::is_null)));
        Ok(())
    })?;
    let mut accounts = Vec::new();
    for mut record in found {
        let (old, name) = (text(&record, "id"), text(&record, "name"));
        match target.known(&name)? {
            Some(Known { is_used: true, .. }) => {
                let message = format!("account {name} of this store has cases that are none of the store to import");
                let mut error = Error::new(ErrorCode::Conflict, message);
                error.help = format!("Nothing was changed: {}.", error.message);
                return Err(error);
            }
            Some(known) => {
                record.insert("id".to_owned(), known.id.into());
            }
            None => {}
        }
        accounts.push((record, old));
    }
    Ok(accounts)
}

fn copy(
    source: &mut dyn Side,
    target: &mut dyn Side,
    from: &Head,
    to: &Head,
    now: Stamp,
    cases: i64,
) -> Result<(), Error> {
    // Whoever was about to write to one of the accounts when they were closed has done so now.
    target.begin(true)?;
    let mut ids = HashMap::new();
    for (record, old) in accounts(source, target)? {
        ids.insert(old, record.get("id").cloned().unwrap_or_default());
    }
    let mut number = target.reserve(from.highest, cases)?;
    target.commit()?;
    target.begin(false)?;
    let mut copy = |table: &Table| {
        source.rows(table, &mut |mut rows| {
            for row in &mut rows {
                if let Some(account) = row.get_mut("account") {
                    let new = account.as_str().and_then(|old| ids.get(old)).cloned();
                    *account = new.unwrap_or_else(|| account.take());
                }
                if table.name == CASES.name {
                    number += 1;
                    row.insert("token".to_owned(), number.into());
                    row.insert("change".to_owned(), number.into());
                    row.insert("body".to_owned(), arrived(&text(row, "body"), now)?.into());
                }
            }
            target.insert(table, &rows)
        })
    };
    copy(&CASES)?;
    OTHERS.iter().try_for_each(copy)?;
    for (account, left) in source.pauses()? {
        if let Some(new) = ids.get(&account).and_then(Value::as_str) {
            target.pause(new, left)?;
        }
    }
    target.finish(&from.serial, from.purged.max(to.purged))
}

/// The case as the target has it.
fn arrived(body: &str, now: Stamp) -> Stored<String> {
    let unreadable = |e| store_error(ErrorCode::StoreIo, format!("a case of the store to import cannot be read: {e}"));
    let mut case: Case = serde_json::from_str(body).map_err(unreadable)?;
    case.arrive(now);
    serde_json::to_string(&case).map_err(unreadable)
}

/// The source's last transaction.
fn seal(source: &mut dyn Side, to: &Head) -> Result<(), Error> {
    source.seal(&to.serial)?;
    source.commit()
}

fn text(record: &Record, column: &str) -> String {
    record.get(column).and_then(Value::as_str).unwrap_or_default().to_owned()
}
