//! The request budgets that all processes of a store share.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::tables::Tx;
use crate::case::clock;
use crate::token_bucket::{Rate, TokenBucket};

/// The budget of all requests of an account.
pub(crate) const REQUESTS: &str = "requests";
/// The budget of the follow-up.
pub(crate) const FOLLOW: &str = "follow";

/// Reads a budget as another process may have left it; the second value is the time, the third the epoch, which every
/// end of a pause raises.
pub(super) fn read(
    connection: &Connection,
    account: &str,
    name: &str,
    rate: Rate,
) -> rusqlite::Result<(TokenBucket, f64, i64)> {
    let (boot, now) = clock::machine();
    let mut budget = TokenBucket::new(rate);
    let row = connection
        .query_row(
            "SELECT full_at, share, slow_until, not_before, boot, epoch FROM budgets WHERE account = ?1 AND name = ?2",
            params![account, name],
            |row| {
                Ok(([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?], row.get::<_, i64>(4)?, row.get::<_, i64>(5)?))
            },
        )
        .optional()?;
    let mut epoch = 0;
    if let Some((state, then, stored)) = row {
        epoch = stored;
        // The machine's clock begins anew with every start.
        if then == boot as i64 {
            budget.restore(state);
        }
    }
    Ok((budget, now as f64 / 1000.0, epoch))
}

pub(super) fn write(tx: &Tx<'_>, account: &str, name: &str, budget: &TokenBucket, epoch: i64) -> rusqlite::Result<()> {
    let (boot, _) = clock::machine();
    let [full_at, share, slow_until, not_before] = budget.state();
    tx.execute(
        "INSERT OR REPLACE INTO budgets (account, name, full_at, share, slow_until, not_before, boot, epoch)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![account, name, full_at, share, slow_until, not_before, boot as i64, epoch],
    )?;
    Ok(())
}

pub(super) fn epoch(connection: &Connection, account: &str, name: &str) -> rusqlite::Result<i64> {
    let sql = "SELECT epoch FROM budgets WHERE account = ?1 AND name = ?2";
    Ok(connection.prepare_cached(sql)?.query_row([account, name], |row| row.get(0)).optional()?.unwrap_or(0))
}

/// Changes every budget of the account, in ways that do not depend on the rate.
pub(super) fn change_all(
    tx: &Tx<'_>,
    account: &str,
    change: impl Fn(&mut TokenBucket, f64, &mut i64),
) -> rusqlite::Result<()> {
    for name in [REQUESTS, FOLLOW] {
        let (mut budget, now, mut epoch) = read(tx, account, name, Rate { per_second: 1.0, burst: 1 })?;
        change(&mut budget, now, &mut epoch);
        write(tx, account, name, &budget, epoch)?;
    }
    Ok(())
}

/// Ends the pauses of the account; the places that were given in them are lost.
pub(super) fn end_pauses(tx: &Tx<'_>, account: &str, rates: &[(&'static str, Rate)]) -> rusqlite::Result<()> {
    for (name, rate) in rates {
        let (mut budget, now, epoch) = read(tx, account, name, *rate)?;
        let is_paused = !budget.pause_left(now).is_zero();
        budget.end_pause(now);
        write(tx, account, name, &budget, epoch + i64::from(is_paused))?;
    }
    Ok(())
}

/// Milliseconds, rounded up: a request must not leave early.
pub(super) fn millis(wait: Duration) -> i64 {
    i64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(i64::MAX)
}
