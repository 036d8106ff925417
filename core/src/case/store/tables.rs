//! What the files of the store share: the number that every write of a case takes.

use rusqlite::Transaction;

/// The next number. One transaction writes at a time, so a reader that has seen a number has seen all below it.
pub(super) fn next_number(tx: &Transaction<'_>) -> rusqlite::Result<i64> {
    tx.prepare_cached("UPDATE store SET highest = highest + 1 RETURNING highest")?.query_row([], |row| row.get(0))
}
