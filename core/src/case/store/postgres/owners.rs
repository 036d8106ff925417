//! Whether the owner of a case may still be at work.

use super::super::ELSEWHERE;
use super::database::Postgres;
use super::workers::{LEASE, still};
use crate::case::clock;
use crate::unix_time::Millis;

/// What a row says about its owner.
pub(super) struct Holder<'h> {
    pub id: &'h str,
    pub token: i64,
    pub owner: Option<String>,
    pub worker: Option<String>,
    pub renewals: i64,
    /// Of the case's lease and of its worker's, by the database's clock.
    pub left: Millis,
    pub worker_left: Millis,
    /// How long the case's lease was made for.
    pub lease_ms: Millis,
}

impl Postgres {
    /// The owner of a case that may still be at work, and until when by this machine's clock.
    pub(super) fn live_owner(&self, holder: Holder<'_>) -> Option<(String, Millis)> {
        let (owner, worker) = (holder.owner?, holder.worker?);
        let (boot, now) = clock::machine();
        let is_here = owner.split(' ').count() == 5 && owner.starts_with(&format!("{boot:x} "));
        // A process of this machine that is gone sends nothing more.
        if is_here && !(self.is_alive)(&owner, i64::MAX) {
            return None;
        }
        let name = if is_here { owner } else { ELSEWHERE.to_owned() };
        let left = holder.left.min(holder.worker_left);
        // Both are looked at from the first sight on: one of them is what the other waits for.
        let still_worker = self.workers.rest(still(&worker, holder.renewals), LEASE);
        let still_case = self.workers.rest(still(holder.id, holder.token), holder.lease_ms);
        let rest = match holder.worker_left > 0 {
            _ if left > 0 => left,
            true => still_case,
            false => still_worker,
        };
        (rest > 0).then(|| (name, now + rest))
    }
}
