//! Whose cases a store has: accounts by name, and the one account of a client without a name.

use rusqlite::{Connection, OptionalExtension, params};

use super::Stored;
use super::identity::Identity;
use super::tables::Tx;
use super::whose::{Facts, Whose, adopted, cannot_take_in, unnamed, whose};
use crate::case::hold::Hold;
use crate::unix_time::{self, Millis};

/// The account of a client. It is made, named or merged where the rules have it so.
pub(super) fn resolve(tx: &Tx<'_>, who: &Identity) -> rusqlite::Result<Stored<String>> {
    // Of an account of an earlier release, the store knows no more than a digest.
    tx.execute(
        "UPDATE account_clients SET host = ?2, last_four = ?3 WHERE client = ?1 AND host IS NULL",
        params![who.client, who.host, who.last_four],
    )?;
    let facts = facts(tx, who)?;
    done(tx, who, whose(who, facts))
}

/// What the store knows of a client.
fn facts(tx: &Tx<'_>, who: &Identity) -> rusqlite::Result<Facts> {
    let sql = "SELECT a.id FROM accounts a JOIN account_clients c ON c.account = a.id
               WHERE c.client = ?1 AND a.merged IS NULL ORDER BY a.made, a.id";
    let own = tx.prepare_cached(sql)?.query_map([&who.client], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let named = match &who.name {
        Some(name) => named(tx, name)?,
        None => None,
    };
    let sql = "SELECT EXISTS (SELECT 1 FROM account_clients WHERE client = ?1 AND account = ?2)";
    Ok(Facts {
        is_of_named: tx.query_row(sql, params![who.client, named], |row| row.get(0))?,
        named,
        own_unnamed: unnamed_of(tx, &who.client)?,
        own,
        has_accounts: tx.query_row("SELECT EXISTS (SELECT 1 FROM accounts)", [], |row| row.get(0))?,
        has_unnamed: {
            let sql = "SELECT EXISTS (SELECT 1 FROM accounts WHERE name IS NULL AND merged IS NULL)";
            tx.query_row(sql, [], |row| row.get(0))?
        },
    })
}

/// Carries out what the rule says.
fn done(tx: &Tx<'_>, who: &Identity, whose: Whose) -> rusqlite::Result<Stored<String>> {
    let name = who.name.as_deref().unwrap_or_default();
    match whose {
        Whose::This(account) => Ok(Ok(account)),
        Whose::New => make(tx, who).map(Ok),
        Whose::Named(own) => give_name(tx, &own, name).map(|()| Ok(own)),
        Whose::Merged { from, into } => Ok(merge(tx, &from, &into, name)?.map(|()| into)),
        Whose::Nobodys(why) => Ok(Err(why.error(&unnamed_list(tx)?))),
    }
}

/// `case.adoptAccount`: names the unnamed account that this host and client id made.
pub(super) fn adopt(tx: &Tx<'_>, who: &Identity) -> rusqlite::Result<Stored<()>> {
    let facts = facts(tx, who)?;
    if facts.own_unnamed.is_some() {
        tx.execute(
            "UPDATE account_clients SET host = ?2, last_four = ?3 WHERE client = ?1",
            params![who.client, who.host, who.last_four],
        )?;
    }
    Ok(done(tx, who, adopted(facts))?.map(|_| ()))
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

/// The unnamed accounts, each as the help shows it.
pub(super) fn unnamed_list(tx: &Connection) -> rusqlite::Result<Vec<String>> {
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
