//! Whose cases a store has: accounts by name, and the one account of a client without a name.

use rusqlite::{Connection, OptionalExtension, params};

use super::identity::Identity;
use super::tables::Tx;
use super::{Stored, store_error};
use crate::case::hold::Hold;
use crate::error::{Error, ErrorCode};
use crate::unix_time::{self, Millis, format_rfc3339};

/// The account of a client. It is made, named or merged where the rules have it so.
pub(super) fn resolve(tx: &Tx<'_>, who: &Identity) -> rusqlite::Result<Stored<String>> {
    // Of an account of an earlier release, the store knows no more than a digest.
    tx.execute(
        "UPDATE account_clients SET host = ?2, last_four = ?3 WHERE client = ?1 AND host IS NULL",
        params![who.client, who.host, who.last_four],
    )?;
    let unnamed = unnamed_of(tx, &who.client)?;
    let Some(name) = &who.name else { return without_name(tx, who) };
    match (named(tx, name)?, unnamed) {
        (Some(account), Some(own)) => Ok(merge(tx, &own, &account, name)?.map(|()| account)),
        (Some(account), None) => Ok(Ok(account)),
        (None, Some(own)) => {
            give_name(tx, &own, name)?;
            Ok(Ok(own))
        }
        (None, None) => match unnamed_list(tx)?.as_slice() {
            [] => make(tx, who).map(Ok),
            list => Ok(Err(has_unnamed(list))),
        },
    }
}

fn without_name(tx: &Tx<'_>, who: &Identity) -> rusqlite::Result<Stored<String>> {
    let sql = "SELECT a.id FROM accounts a JOIN account_clients c ON c.account = a.id
               WHERE c.client = ?1 AND a.merged IS NULL ORDER BY a.made, a.id";
    let own: Vec<String> =
        tx.prepare_cached(sql)?.query_map([&who.client], |row| row.get(0))?.collect::<Result<_, _>>()?;
    match own.as_slice() {
        [account] => Ok(Ok(account.clone())),
        [] if !tx.query_row("SELECT EXISTS (SELECT 1 FROM accounts)", [], |row| row.get(0))? => make(tx, who).map(Ok),
        [] => Ok(Err(none_of_this_client(&unnamed_list(tx)?))),
        several => Ok(Err(several_of_this_client(several.len()))),
    }
}

/// A client without a name that has no account in a store with accounts.
pub(super) fn none_of_this_client(unnamed: &[String]) -> Error {
    let mut error = store_error(ErrorCode::StoreAccount, "the store has accounts, and none of this host and client id");
    error.help = format!(
        "Nothing was sent. Give the client the name of its account (`account`), or a store of its own.{}",
        listed(unnamed)
    );
    error
}

/// A client without a name that has several accounts.
pub(super) fn several_of_this_client(count: usize) -> Error {
    let message = format!("{count} accounts of this store belong to this host and client id");
    let mut error = store_error(ErrorCode::StoreAccount, message);
    error.help = "Nothing was sent. Say by `account` which of them is meant.".to_owned();
    error
}

/// `case.adoptAccount` for a host and client id that made no account.
pub(super) fn made_by_nobody(unnamed: &[String]) -> Error {
    let message = "no unnamed account of this store was made by that host and client id";
    let mut error = store_error(ErrorCode::StoreAccount, message);
    error.help = format!("Nothing was changed: {message}.{}", listed(unnamed));
    error
}

/// `case.adoptAccount`: names the unnamed account that this host and client id made.
pub(super) fn adopt(tx: &Tx<'_>, who: &Identity) -> rusqlite::Result<Stored<()>> {
    let name = who.name.clone().unwrap_or_default();
    let account = named(tx, &name)?;
    let Some(own) = unnamed_of(tx, &who.client)? else {
        let sql = "SELECT EXISTS (SELECT 1 FROM account_clients WHERE client = ?1 AND account = ?2)";
        // It has the name already.
        if account.is_some() && tx.query_row(sql, params![who.client, account], |row| row.get(0))? {
            return Ok(Ok(()));
        }
        return Ok(Err(made_by_nobody(&unnamed_list(tx)?)));
    };
    tx.execute(
        "UPDATE account_clients SET host = ?2, last_four = ?3 WHERE client = ?1",
        params![who.client, who.host, who.last_four],
    )?;
    match account {
        Some(account) => merge(tx, &own, &account, &name),
        None => give_name(tx, &own, &name).map(Ok),
    }
}

/// The account that another one was merged into; None if there is no such account.
pub(super) fn current(connection: &Connection, account: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT coalesce(merged, id) FROM accounts WHERE id = ?1";
    connection.prepare_cached(sql)?.query_row([account], |row| row.get(0)).optional()
}

fn named(tx: &Tx<'_>, name: &str) -> rusqlite::Result<Option<String>> {
    tx.query_row("SELECT id FROM accounts WHERE name = ?1", [name], |row| row.get(0)).optional()
}

fn unnamed_of(tx: &Tx<'_>, client: &str) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT a.id FROM accounts a JOIN account_clients c ON c.account = a.id
               WHERE c.client = ?1 AND a.name IS NULL AND a.merged IS NULL";
    tx.query_row(sql, [client], |row| row.get(0)).optional()
}

fn give_name(tx: &Tx<'_>, account: &str, name: &str) -> rusqlite::Result<()> {
    tx.execute("UPDATE accounts SET name = ?2 WHERE id = ?1", params![account, name]).map(|_| ())
}

fn make(tx: &Tx<'_>, who: &Identity) -> rusqlite::Result<String> {
    let account: String = tx.query_row(
        "INSERT INTO accounts (id, name, made) VALUES (lower(hex(randomblob(12))), ?1, ?2) RETURNING id",
        params![who.name, unix_time::now()],
        |row| row.get(0),
    )?;
    tx.execute(
        "INSERT INTO account_clients (account, client, host, last_four) VALUES (?1, ?2, ?3, ?4)",
        params![account, who.client, who.host, who.last_four],
    )?;
    Ok(account)
}

/// Puts the cases of an unnamed account into a named one, unless a key or a held order stands in both.
fn merge(tx: &Tx<'_>, from: &str, to: &str, name: &str) -> rusqlite::Result<Stored<()>> {
    let both = |sql: &str| -> rusqlite::Result<Vec<String>> {
        tx.prepare(sql)?.query_map([from, to], |row| row.get(0))?.collect()
    };
    let keys = both(
        "SELECT key FROM (SELECT account, key FROM cases UNION SELECT account, key FROM remnants) WHERE account = ?1
         INTERSECT
         SELECT key FROM (SELECT account, key FROM cases UNION SELECT account, key FROM remnants) WHERE account = ?2",
    )?;
    let held = |account: &str| -> rusqlite::Result<Vec<Hold>> {
        let texts = tx
            .prepare("SELECT order_no FROM holds WHERE account = ?1")?
            .query_map([account], |row| row.get(0))?
            .collect::<Result<Vec<String>, _>>()?;
        Ok(texts.iter().map(|text| Hold::from_text(text)).collect())
    };
    let orders = collide(&held(from)?, &held(to)?);
    if !keys.is_empty() || !orders.is_empty() {
        return Ok(Err(cannot_take_in(name, &keys, &orders)));
    }
    // A reader of the named account's changes has not seen them.
    let ids: Vec<String> = tx
        .prepare("SELECT id FROM cases WHERE account = ?1 ORDER BY change")?
        .query_map([from], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for id in ids {
        let number = super::tables::next_number(tx)?;
        tx.execute("UPDATE cases SET change = ?2 WHERE id = ?1", params![id, number])?;
    }
    for table in ["cases", "holds", "remnants", "notices", "offers", "order_passengers", "account_clients"] {
        tx.execute(&format!("UPDATE OR IGNORE {table} SET account = ?2 WHERE account = ?1"), [from, to])?;
    }
    let sql =
        "UPDATE accounts SET lists_orders = 1 WHERE id = ?2 AND (SELECT lists_orders FROM accounts WHERE id = ?1)";
    tx.execute(sql, [from, to])?;
    tx.execute("UPDATE accounts SET merged = ?2 WHERE id = ?1 OR merged = ?1", [from, to])?;
    Ok(Ok(()))
}

/// The orders that both of two accounts hold.
pub(super) fn collide(mine: &[Hold], theirs: &[Hold]) -> Vec<String> {
    // The positions of two accounts do not count the same list: some passengers are held with all of their order.
    let collide = |a: &Hold, b: &Hold| a == b || (a.order().is_some() && a.order() == b.order());
    let named = |hold: &Hold| hold.order().map_or_else(|| hold.to_text(), str::to_owned);
    mine.iter().filter(|mine| theirs.iter().any(|other| collide(mine, other))).map(named).collect()
}

/// Two accounts that have the same keys or orders.
pub(super) fn cannot_take_in(name: &str, keys: &[String], orders: &[String]) -> Error {
    let message = format!("account {name} exists, and cannot take in the unnamed account");
    let mut error = store_error(ErrorCode::StoreAccount, message);
    error.help = format!(
        "Nothing was changed. Both have {}. Give the unnamed account another name.",
        [("key", keys), ("order", orders)]
            .iter()
            .filter(|(_, found)| !found.is_empty())
            .map(|(what, found)| format!("the {what}s {}", found.join(", ")))
            .collect::<Vec<_>>()
            .join(" and ")
    );
    error
}

/// The unnamed accounts, each as the help shows it.
fn unnamed_list(tx: &Tx<'_>) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT c.host, c.last_four, (SELECT count(*) FROM cases WHERE account = a.id),
                      (SELECT max(updated) FROM cases WHERE account = a.id)
               FROM accounts a LEFT JOIN account_clients c ON c.account = a.id
               WHERE a.name IS NULL AND a.merged IS NULL ORDER BY a.made, a.id";
    tx.prepare(sql)?
        .query_map([], |row| {
            let (host, last_four): (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
            let (count, last): (i64, Option<Millis>) = (row.get(2)?, row.get(3)?);
            Ok(unnamed(host, last_four, count, last))
        })?
        .collect()
}

/// An unnamed account, as the help shows it.
pub(super) fn unnamed(host: Option<String>, last_four: Option<String>, count: i64, last: Option<Millis>) -> String {
    match (host, last_four) {
        (Some(host), Some(last_four)) => format!("{host} with a client id that ends in {last_four}"),
        _ => {
            let last = last.map_or("none".to_owned(), format_rfc3339);
            format!("one of an earlier release with {count} cases, the last of {last}")
        }
    }
}

fn listed(unnamed: &[String]) -> String {
    match unnamed {
        [] => String::new(),
        list => format!(" Unnamed accounts of this store: {}.", list.join("; ")),
    }
}

/// A new name while an account has none.
pub(super) fn has_unnamed(list: &[String]) -> Error {
    let mut error =
        store_error(ErrorCode::StoreAccount, "the store has an unnamed account, so that no account is made in it");
    error.help = format!(
        "Nothing was sent. Name the unnamed account first, by case.adoptAccount or by a client with its host and client id.{}",
        listed(list)
    );
    error
}
