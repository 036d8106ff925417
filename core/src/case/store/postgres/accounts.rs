//! Whose cases the server's store has. The rules are those of a file; see [`super::super::accounts`].

use super::super::accounts::collide;
use super::super::identity::Identity;
use super::super::whose::{Facts, Whose, adopted, cannot_take_in, unnamed, whose};
use super::super::{Stored, moving, store_error};
use super::database::Postgres;
use super::link::{Failure, column, unreadable, values_of};
use super::session::Tx;
use crate::case::hold::Hold;
use crate::error::ErrorCode;

/// The account of a client. It is made, named or merged where the rules have it so.
pub(super) fn resolve(tx: &Tx<'_>, who: &Identity) -> Result<Stored<String>, Failure> {
    tx.query("SELECT apb.alone(), apb.sync()", values_of![])?;
    let facts = facts(tx, who)?;
    done(tx, who, whose(who, facts))
}

/// What the store knows of a client.
fn facts(tx: &Tx<'_>, who: &Identity) -> Result<Facts, Failure> {
    let sql = "SELECT a.id FROM apb.accounts a JOIN apb.account_clients c ON c.account = a.id
               WHERE c.client = $1 AND a.merged IS NULL ORDER BY a.made, a.id";
    let own = tx.list(sql, values_of![&who.client])?;
    let sql = "SELECT EXISTS (SELECT 1 FROM apb.accounts), (SELECT id FROM apb.accounts WHERE name = $2),
        (SELECT a.id FROM apb.accounts a JOIN apb.account_clients c ON c.account = a.id
             WHERE c.client = $1 AND a.name IS NULL AND a.merged IS NULL),
        EXISTS (SELECT 1 FROM apb.account_clients c JOIN apb.accounts a ON a.id = c.account
             WHERE c.client = $1 AND a.name = $2),
        EXISTS (SELECT 1 FROM apb.accounts WHERE name IS NULL AND merged IS NULL)";
    let row = tx.row(sql, values_of![&who.client, &who.name])?.ok_or_else(unreadable)?;
    Ok(Facts {
        own,
        has_accounts: column(&row, 0)?,
        named: column(&row, 1)?,
        own_unnamed: column(&row, 2)?,
        is_of_named: column(&row, 3)?,
        has_unnamed: column(&row, 4)?,
    })
}

/// Carries out what the rule says.
fn done(tx: &Tx<'_>, who: &Identity, whose: Whose) -> Result<Stored<String>, Failure> {
    let name = who.name.as_deref().unwrap_or_default();
    match whose {
        Whose::This(account) => Ok(Ok(account)),
        Whose::New => make(tx, who).map(Ok),
        Whose::Named(own) => give_name(tx, &own, name).map(|()| Ok(own)),
        Whose::Merged { from, into } => Ok(merge(tx, &from, &into, name)?.map(|()| into)),
        Whose::Nobodys(why) => Ok(Err(why.error(&unnamed_list(tx)?))),
    }
}

/// The account of a client in a store that was moved: nothing is written to it.
pub(super) fn find(tx: &Tx<'_>, who: &Identity) -> Result<Stored<String>, Failure> {
    Ok(match whose(who, facts(tx, who)?) {
        Whose::This(account) => Ok(account),
        Whose::Nobodys(why) => Err(why.error(&[])),
        _ => Err(moving::moved("the store was moved into another one")),
    })
}

/// `case.adoptAccount`: names the unnamed account that this host and client id made.
pub(super) fn adopt(tx: &Tx<'_>, who: &Identity) -> Result<Stored<()>, Failure> {
    tx.query("SELECT apb.alone(), apb.sync()", values_of![])?;
    let facts = facts(tx, who)?;
    Ok(done(tx, who, adopted(facts))?.map(|_| ()))
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
