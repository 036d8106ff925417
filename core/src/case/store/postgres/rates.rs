//! Places in the request budgets that all processes of an account share, and its pauses.

use std::time::Duration;

use super::super::Stored;
use super::budget;
use super::cases::{CASES, body};
use super::database::Postgres;
use super::link::{Failure, values_of};
use super::session::Tx;
use crate::case::clock;
use crate::case::model::Case;
use crate::case::store::budget::{REQUESTS, millis};
use crate::exchange::rate_limiter::Place;
use crate::token_bucket::Rate;
use crate::unix_time::Millis;

impl Postgres {
    /// See [`Store::acquire`](super::super::Store::acquire).
    pub(super) fn take_place(&self, name: &str, rate: Rate, limit: Millis) -> Stored<Option<Place>> {
        let limit = Duration::from_millis(u64::try_from(limit).unwrap_or(0));
        let take = |tx: &Tx<'_>| -> Result<Option<(budget::Budget, Place)>, Failure> {
            let mut found = budget::read(tx, name, rate)?;
            let Some(wait) = found.bucket.take_within(found.now, limit) else { return Ok(None) };
            let wait = millis(wait);
            let at = clock::machine().1.saturating_add(wait);
            let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0));
            let place = Place { wait, at, epoch: found.epoch };
            Ok(Some((found, place)))
        };
        if rate == Rate::UNLIMITED {
            // Only a pause stops such a request, and it takes nothing from the others.
            return self.read(|tx| Ok(take(tx)?.map(|(_, place)| place)));
        }
        self.write(|tx| {
            budget::lock(tx)?;
            let Some((taken, place)) = take(tx)? else { return Ok(None) };
            budget::write(tx, name, &taken)?;
            Ok(Some(place))
        })
    }

    /// See [`Store::on_rate_limited`](super::super::Store::on_rate_limited).
    pub(super) fn slow_down(&self, wait: Option<Millis>, test_end: Option<Millis>) -> Stored<()> {
        let wait = Duration::from_millis(wait.and_then(|w| u64::try_from(w).ok()).unwrap_or(0));
        self.write(|tx| {
            budget::lock(tx)?;
            if let Some(end) = test_end {
                let sql = "UPDATE apb.accounts SET pause_ends = greatest(coalesce(pause_ends, 0), $2) WHERE id = $1";
                tx.query(sql, values_of![&tx.account, end])?;
            }
            budget::slow_down(tx, wait)
        })
    }

    /// See [`Store::current_rate`](super::super::Store::current_rate).
    pub(super) fn rate_now(&self, name: &str, rate: Rate) -> Stored<(f64, Millis)> {
        self.read(|tx| {
            let mut found = budget::read(tx, name, rate)?;
            let wait = found.bucket.wait(found.now);
            Ok((found.bucket.per_second(), millis(wait)))
        })
    }

    /// See [`Store::pause_left`](super::super::Store::pause_left).
    pub(super) fn pause_now(&self, test_now: Option<Millis>, rates: &[(&'static str, Rate)]) -> Stored<Millis> {
        let (left, is_over) = self.read(|tx| {
            let found = budget::read(tx, REQUESTS, Rate::UNLIMITED)?;
            let sql = "SELECT pause_ends <= $2 FROM apb.accounts WHERE id = $1";
            let is_over = tx.value::<Option<bool>>(sql, values_of![&tx.account, test_now])?.flatten();
            Ok((millis(found.bucket.pause_left(found.now)), is_over == Some(true)))
        })?;
        if left > 0 && is_over {
            self.write(|tx| {
                budget::lock(tx)?;
                budget::end_pauses(tx, rates)
            })?;
            return Ok(0);
        }
        Ok(left)
    }

    /// See [`Store::unpause`](super::super::Store::unpause).
    pub(super) fn end_pause(&self, now: Millis, rates: &[(&'static str, Rate)]) -> Stored<u64> {
        self.write(|tx| {
            tx.query("SELECT pg_advisory_xact_lock(1095778885, hashtext($1)), apb.sync()", values_of![&tx.account])?;
            budget::end_pauses(tx, rates)?;
            let sql = format!(
                "{CASES} WHERE c.account = $1 AND c.open AND (c.body::json ->> 'retry_after')::boolean
                 AND (c.body::json ->> 'paced_until')::bigint > $2 ORDER BY c.id"
            );
            let mut ended = 0;
            for found in tx.query(&sql, values_of![&tx.account, now])? {
                let row = self.row(&found)?;
                // The version, and so a lease, stays: a live owner writes its own.
                let case = Case { paced_until: None, retry_after: false, ..row.case };
                let sql = "UPDATE apb.cases SET body = $3, change = apb.next_change() WHERE id = $1 AND token = $2 RETURNING id";
                let changed = tx.row(sql, values_of![&case.id, row.version, &body(&case)?])?;
                ended += u64::from(changed.is_some());
            }
            Ok(ended)
        })
    }
}
