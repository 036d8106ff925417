//! Connections to the store's file: how one is opened, and whose file it is.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::check::{APPLICATION, ARRIVING, LAYOUT, MOVED, foreign, layout};
use super::tables::Tx;
use super::{Stored, moving, patience, store_error};
use crate::error::{Error, ErrorCode as Code};
use crate::unix_time::{self, Millis};

const SCHEMA: &str = include_str!("schema.sql");
/// From the layout of the first release.
const MIGRATION: &str = include_str!("layout_1_to_2.sql");

/// Whether the owner of a lease may still be at work.
pub(crate) type IsAlive = fn(&str, Millis) -> bool;

/// More statements than the store has.
const STATEMENTS: usize = 64;

/// A connection, or why there is none.
pub(super) enum Connected {
    Ours(Connection),
    Foreign,
    Newer(i32),
}

/// A connection to the file, which must be ours or empty.
pub(super) fn open(path: &Path) -> rusqlite::Result<Connected> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    #[cfg(test)]
    let connection = super::plans::traced(connection);
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.busy_timeout(patience::left())?;
    // The last process to close must not delete the log while another one opens it.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.execute_batch(
        "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -1024; PRAGMA wal_autocheckpoint = 200",
    )?;
    // The next statement would write to it.
    let ours = || signature(&connection).map(is_ours);
    // Read once more: another process may make the store between the first two reads.
    if !ours()? && !is_empty(&connection)? && !ours()? {
        return Ok(Connected::Foreign);
    }
    // A newer release may have migrated it: not a byte of it is changed.
    if let (APPLICATION, version @ LAYOUT..) = signature(&connection)?
        && version > LAYOUT
        && ![MOVED, ARRIVING].contains(&version)
    {
        return Ok(Connected::Newer(version));
    }
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        return Err(rusqlite::Error::InvalidPath(path.to_owned()));
    }
    Ok(Connected::Ours(connection))
}

pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
}

/// Whose file it is, and its layout.
pub(super) type Signature = (i32, i32);

pub(super) fn signature(connection: &Connection) -> rusqlite::Result<Signature> {
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get(0));
    Ok((number("PRAGMA application_id")?, number("PRAGMA user_version")?))
}

fn is_ours((application, _): Signature) -> bool {
    application == APPLICATION
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
    let unsigned = signature(connection)? == (0, 0);
    Ok(unsigned && connection.query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))?)
}

/// Refuses a file of another program or of a newer layout. An empty one becomes ours.
pub(super) fn readable(connection: &mut Connection) -> rusqlite::Result<Stored<()>> {
    // One transaction: another process may make the store just now.
    let tx = connection.transaction()?;
    let found = signature(&tx)?;
    Ok(match (is_ours(found), is_empty(&tx)?) {
        (true, _) => layout(found.1),
        (false, true) => Ok(()),
        (false, false) => Err(foreign()),
    })
}

/// An empty file becomes ours.
pub(super) fn make(tx: &Tx<'_>) -> rusqlite::Result<()> {
    if is_empty(tx)? {
        tx.execute_batch(SCHEMA)?;
        tx.execute_batch(&format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {LAYOUT}"))?;
    }
    Ok(())
}

/// Whether the file is neither moved away nor being moved into.
pub(super) fn is_open(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(![MOVED, ARRIVING].contains(&signature(connection)?.1))
}

/// A file of an earlier release is migrated, unless a process of that release is at work.
pub(super) fn sign(tx: &Tx<'_>, is_alive: IsAlive) -> rusqlite::Result<Stored<()>> {
    if signature(tx)? == (APPLICATION, 1) {
        if has_live_lease(tx, is_alive)? {
            let message = "a process of an earlier release is at work on a case; its file is migrated after that";
            return Ok(Err(store_error(Code::StoreBusy, message)));
        }
        tx.execute_batch(MIGRATION)?;
        tx.execute_batch(&format!("PRAGMA user_version = {LAYOUT}"))?;
    }
    let found = signature(tx)?;
    if found != (APPLICATION, LAYOUT) {
        return Ok(if is_ours(found) { layout(found.1) } else { Err(foreign()) });
    }
    // The probe: a file or disk that cannot be written is found before money depends on it.
    tx.execute("UPDATE store SET probed = ?1", [unix_time::now()])?;
    Ok(Ok(()))
}

fn has_live_lease(tx: &Tx<'_>, is_alive: IsAlive) -> rusqlite::Result<bool> {
    let mut leases = tx.prepare("SELECT owner, lease_until FROM cases WHERE owner IS NOT NULL")?;
    let mut rows = leases.query([])?;
    while let Some(row) = rows.next()? {
        let (owner, until): (String, Option<Millis>) = (row.get(0)?, row.get(1)?);
        if is_alive(&owner, until.unwrap_or(0)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Why a file with this `user_version` takes no writes, or no calls at all.
pub(super) fn closed(version: i32, writes: bool) -> Option<Error> {
    match version {
        MOVED if writes => Some(moving::moved("the store was moved into another one")),
        ARRIVING => Some(moving::arriving()),
        LAYOUT | MOVED => None,
        _ => Some(store_error(Code::StoreVersion, "the store's file was replaced by one of an earlier layout")),
    }
}
