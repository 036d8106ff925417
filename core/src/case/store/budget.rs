//! The request budgets that all processes of a store share.

use std::time::Duration;

use rusqlite::{OptionalExtension, Transaction, params};

use crate::case::clock;
use crate::token_bucket::{Rate, TokenBucket};

/// Reads a budget as another process may have left it.
pub(super) fn read(
    tx: &Transaction<'_>,
    account: &str,
    name: &str,
    rate: Rate,
) -> rusqlite::Result<(TokenBucket, f64)> {
    let (boot, now) = clock::machine();
    let mut budget = TokenBucket::new(rate);
    let row = tx
        .query_row(
            "SELECT full_at, share, slow_until, not_before, boot FROM budgets WHERE account = ?1 AND name = ?2",
            params![account, name],
            |row| Ok(([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?], row.get::<_, i64>(4)?)),
        )
        .optional()?;
    // The machine's clock begins anew with every start.
    if let Some((state, then)) = row
        && then == boot as i64
    {
        budget.restore(state);
    }
    Ok((budget, now as f64 / 1000.0))
}

pub(super) fn write(tx: &Transaction<'_>, account: &str, name: &str, budget: &TokenBucket) -> rusqlite::Result<()> {
    let (boot, _) = clock::machine();
    let [full_at, share, slow_until, not_before] = budget.state();
    tx.execute(
        "INSERT OR REPLACE INTO budgets (account, name, full_at, share, slow_until, not_before, boot)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![account, name, full_at, share, slow_until, not_before, boot as i64],
    )?;
    Ok(())
}

/// Milliseconds, rounded up: a request must not leave early.
pub(super) fn millis(wait: Duration) -> i64 {
    i64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}
