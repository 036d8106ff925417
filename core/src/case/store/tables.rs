//! What the files of the store share: the number that every write of a case takes.

use rusqlite::Connection;

/// What the work of a write gets: a savepoint within an exclusive transaction.
pub(super) type Tx<'t> = rusqlite::Savepoint<'t>;

/// The next number. One transaction writes at a time, so a reader that has seen a number has seen all below it.
pub(super) fn next_number(tx: &Tx<'_>) -> rusqlite::Result<i64> {
    tx.prepare_cached("UPDATE store SET highest = highest + 1 RETURNING highest")?.query_row([], |row| row.get(0))
}

/// The last number that was given.
pub(super) fn highest(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("SELECT highest FROM store")?.query_row([], |row| row.get(0))
}

/// The stores that were moved into this one.
pub(super) fn imported(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    match has_table(connection, "imports")? {
        true => connection.prepare("SELECT source FROM imports")?.query_map([], |row| row.get(0))?.collect(),
        false => Ok(Vec::new()),
    }
}

fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)";
    connection.query_row(sql, [name], |row| row.get(0))
}
