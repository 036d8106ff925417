//! The request budgets that all machines of a store share, on the database's clock.

use std::time::Duration;

use super::link::{Failure, column, values_of};
use super::session::Tx;
use crate::case::store::budget::{FOLLOW, REQUESTS};
use crate::token_bucket::{Rate, TokenBucket};

/// A budget as another process may have left it.
pub(super) struct Budget {
    pub bucket: TokenBucket,
    /// Seconds, by the database's clock.
    pub now: f64,
    /// Raised by every end of a pause.
    pub epoch: i64,
}

/// One writer of the account's budgets at a time, until the transaction ends; what is written may be lost in a crash.
pub(super) fn lock(tx: &Tx<'_>) -> Result<(), Failure> {
    let sql = "SELECT apb.unsynced(), pg_advisory_xact_lock(1095778885, hashtext($1))";
    tx.query(sql, values_of![&tx.account]).map(|_| ())
}

pub(super) fn read(tx: &Tx<'_>, name: &str, rate: Rate) -> Result<Budget, Failure> {
    let sql = "SELECT apb.now_ms(), b.full_at, b.share, b.slow_until, b.not_before, b.epoch
               FROM (SELECT) one LEFT JOIN apb.budgets b ON b.account = $1 AND b.name = $2";
    let mut budget = Budget { bucket: TokenBucket::new(rate), now: 0.0, epoch: 0 };
    if let Some(row) = tx.row(sql, values_of![&tx.account, name])? {
        budget.now = column::<i64>(&row, 0)? as f64 / 1000.0;
        if let Some(full_at) = column::<Option<f64>>(&row, 1)? {
            budget.bucket.restore([full_at, column(&row, 2)?, column(&row, 3)?, column(&row, 4)?]);
            budget.epoch = column(&row, 5)?;
        }
    }
    Ok(budget)
}

pub(super) fn write(tx: &Tx<'_>, name: &str, budget: &Budget) -> Result<(), Failure> {
    let [full_at, share, slow_until, not_before] = budget.bucket.state();
    let sql = "INSERT INTO apb.budgets (account, name, full_at, share, slow_until, not_before, epoch)
               VALUES ($1, $2, $3, $4, $5, $6, $7)
               ON CONFLICT (account, name) DO UPDATE SET full_at = $3, share = $4, slow_until = $5, not_before = $6, epoch = $7";
    tx.query(sql, values_of![&tx.account, name, full_at, share, slow_until, not_before, budget.epoch]).map(|_| ())
}

pub(super) fn epoch(tx: &Tx<'_>, name: &str) -> Result<i64, Failure> {
    let sql = "SELECT epoch FROM apb.budgets WHERE account = $1 AND name = $2";
    Ok(tx.value(sql, values_of![&tx.account, name])?.unwrap_or(0))
}

/// The vendor wants every budget of the account slower, and a pause.
pub(super) fn slow_down(tx: &Tx<'_>, wait: Duration) -> Result<(), Failure> {
    for name in [REQUESTS, FOLLOW] {
        let mut budget = read(tx, name, Rate { per_second: 1.0, burst: 1 })?;
        budget.bucket.slow_down(budget.now, wait);
        write(tx, name, &budget)?;
    }
    Ok(())
}

/// Ends the pauses of the account; the places that were given in them are lost.
pub(super) fn end_pauses(tx: &Tx<'_>, rates: &[(&'static str, Rate)]) -> Result<(), Failure> {
    for (name, rate) in rates {
        let mut budget = read(tx, name, *rate)?;
        let is_paused = !budget.bucket.pause_left(budget.now).is_zero();
        budget.bucket.end_pause(budget.now);
        budget.epoch += i64::from(is_paused);
        write(tx, name, &budget)?;
    }
    Ok(())
}
