//! Whose cases the server's store has. The rules are those of a file; see [`super::super::accounts`].

use super::super::accounts::{
    cannot_take_in, collide, has_unnamed, made_by_nobody, none_of_this_client, several_of_this_client, unnamed,
};
use super::super::identity::Identity;
use super::super::{Stored, store_error};
use super::database::Postgres;
use super::link::{Failure, column, values_of};
use super::session::Tx;
use crate::case::hold::Hold;
use crate::error::ErrorCode;

/// The account of a client. It is made, named or merged where the rules have it so.
pub(super) fn resolve(tx: &Tx<'_>, who: &Identity) -> Result<Stored<String>, Failure> {
    tx.query("SELECT apb.alone(), apb.sync()", values_of![])?;
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

fn without_name(tx: &Tx<'_>, who: &Identity) -> Result<Stored<String>, Failure> {
    let sql = "SELECT a.id FROM apb.accounts a JOIN apb.account_clients c ON c.account = a.id
               WHERE c.client = $1 AND a.merged IS NULL ORDER BY a.made, a.id";
    let own: Vec<String> = tx.list(sql, values_of![&who.client])?;
    let has_accounts = tx.value("SELECT EXISTS (SELECT 1 FROM apb.accounts)", values_of![])?.unwrap_or(false);
    match own.as_slice() {
        [account] => Ok(Ok(account.clone())),
        [] if !has_accounts => make(tx, who).map(Ok),
        [] => Ok(Err(none_of_this_client(&unnamed_list(tx)?))),
        several => Ok(Err(several_of_this_client(several.len()))),
    }
}

/// `case.adoptAccount`: names the unnamed account that this host and client id made.
pub(super) fn adopt(tx: &Tx<'_>, who: &Identity) -> Result<Stored<()>, Failure> {
    tx.query("SELECT apb.alone(), apb.sync()", values_of![])?;
    let name = who.name.clone().unwrap_or_default();
    let account = named(tx, &name)?;
    let Some(own) = unnamed_of(tx, &who.client)? else {
        let sql = "SELECT EXISTS (SELECT 1 FROM apb.account_clients WHERE client = $1 AND account = $2)";
        // It has the name already.
        if let Some(account) = &account
            && tx.value(sql, values_of![&who.client, account])?.unwrap_or(false)
        {
            return Ok(Ok(()));
        }
        return Ok(Err(made_by_nobody(&unnamed_list(tx)?)));
    };
    match account {
        Some(account) => merge(tx, &own, &account, &name),
        None => give_name(tx, &own, &name).map(Ok),
    }
}

fn named(tx: &Tx<'_>, name: &str) -> Result<Option<String>, Failure> {
    tx.value("SELECT id FROM apb.accounts WHERE name = $1", values_of![name])
}

fn unnamed_of(tx: &Tx<'_>, client: &str) -> Result<Option<String>, Failure> {
    let sql = "SELECT a.id FROM apb.accounts a JOIN apb.account_clients c ON c.account = a.id
               WHERE c.client = $1 AND a.name IS NULL AND a.merged IS NULL";
    tx.value(sql, values_of![client])
}

fn give_name(tx: &Tx<'_>, account: &str, name: &str) -> Result<(), Failure> {
    tx.query("UPDATE apb.accounts SET name = $2 WHERE id = $1", values_of![account, name]).map(|_| ())
}

fn make(tx: &Tx<'_>, who: &Identity) -> Result<String, Failure> {
    let sql = "WITH made AS (
            INSERT INTO apb.accounts (id, name, made) VALUES (substr(md5(gen_random_uuid()::text), 1, 24), $1, apb.now_ms())
            RETURNING id
         ), client AS (
            INSERT INTO apb.account_clients (account, client, host, last_four) SELECT id, $2, $3, $4 FROM made
         ) SELECT id FROM made";
    let made = tx.value(sql, values_of![&who.name, &who.client, &who.host, &who.last_four])?;
    made.ok_or_else(|| Failure::own(store_error(ErrorCode::StoreIo, "the account was not made")))
}

/// Puts the cases of an unnamed account into a named one, unless a key or a held order stands in both.
fn merge(tx: &Tx<'_>, from: &str, to: &str, name: &str) -> Result<Stored<()>, Failure> {
    let keys: Vec<String> = tx.list(
        "SELECT key FROM (SELECT account, key FROM apb.cases UNION SELECT account, key FROM apb.remnants) a WHERE account = $1
         INTERSECT
         SELECT key FROM (SELECT account, key FROM apb.cases UNION SELECT account, key FROM apb.remnants) b WHERE account = $2",
        values_of![from, to],
    )?;
    let held = |account: &str| -> Result<Vec<Hold>, Failure> {
        let texts: Vec<String> =
            tx.list("SELECT order_no FROM apb.holds WHERE account = $1 ORDER BY order_no", values_of![account])?;
        Ok(texts.iter().map(|text| Hold::from_text(text)).collect())
    };
    let orders = collide(&held(from)?, &held(to)?);
    if !keys.is_empty() || !orders.is_empty() {
        return Ok(Err(cannot_take_in(name, &keys, &orders)));
    }
    // A reader of the named account's changes has not seen them.
    let sql = "WITH again AS (SELECT id FROM apb.cases WHERE account = $1 ORDER BY change),
        numbered AS MATERIALIZED (SELECT id, apb.next_change() AS number FROM again)
        UPDATE apb.cases c SET account = $2, change = n.number FROM numbered n WHERE c.id = n.id";
    tx.query(sql, values_of![from, to])?;
    for (table, key) in [
        ("holds", "order_no || ' ' || t.case_id"),
        ("remnants", "key"),
        ("notices", "dedupe"),
        ("offers", "offer_id"),
        ("order_passengers", "order_no"),
        ("account_clients", "client"),
    ] {
        let other = key.replace("t.", "o.");
        let sql = format!(
            "UPDATE apb.{table} t SET account = $2 WHERE t.account = $1 AND NOT EXISTS
             (SELECT 1 FROM apb.{table} o WHERE o.account = $2 AND o.{other} = t.{key})"
        );
        tx.query(&sql, values_of![from, to])?;
    }
    let sql = "UPDATE apb.accounts SET lists_orders = true WHERE id = $2 AND (SELECT lists_orders FROM apb.accounts WHERE id = $1)";
    tx.query(sql, values_of![from, to])?;
    tx.query("UPDATE apb.accounts SET merged = $2 WHERE id = $1 OR merged = $1", values_of![from, to])?;
    Ok(Ok(()))
}

/// The unnamed accounts, each as the help shows it.
fn unnamed_list(tx: &Tx<'_>) -> Result<Vec<String>, Failure> {
    let sql = "SELECT c.host, c.last_four, (SELECT count(*) FROM apb.cases WHERE account = a.id),
                      (SELECT max(updated) FROM apb.cases WHERE account = a.id)
               FROM apb.accounts a LEFT JOIN apb.account_clients c ON c.account = a.id
               WHERE a.name IS NULL AND a.merged IS NULL ORDER BY a.made, a.id";
    tx.query(sql, values_of![])?
        .iter()
        .map(|row| Ok(unnamed(column(row, 0)?, column(row, 1)?, column(row, 2)?, column(row, 3)?)))
        .collect()
}

impl Postgres {
    /// `case.adoptAccount`, which a client may call that is refused otherwise.
    pub(super) fn adopt(&self, who: &Identity) -> Stored<()> {
        self.raw_write(|tx| adopt(tx, who))??;
        // Still refused, perhaps: then its own calls say so.
        self.resolve_account().map(|_| ())
    }
}
