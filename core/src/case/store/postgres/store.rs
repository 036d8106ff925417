//! What a store must do, on a server.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use super::super::identity::Identity;
use super::super::remnant::Remnant;
use super::super::rewound::store_rewound;
use super::super::side::Side;
use super::super::{
    Claim, ConnectionScope, Counts, Filter, KnownOffer, Lease, Listing, Name, Page, Row, Store, Stored, store_error,
};
use super::cases::duration;
use super::database::Postgres;
use super::link::{Failure, column, unreadable, values_of};
use super::session::Tx;
use super::{budget, holds, losses, remnants};
use crate::case::clock::{self, Stamp};
use crate::case::model::Case;
use crate::case::passengers::OrderPassengers;
use crate::error::{Error, ErrorCode};
use crate::exchange::context::Warning;
use crate::exchange::rate_limiter::Place;
use crate::token_bucket::Rate;
use crate::unix_time::{Millis, boot_clock};

impl Store for Postgres {
    fn connection_scope(&self) -> ConnectionScope<'_> {
        ConnectionScope(self)
    }

    fn quick_now(&self) -> Option<Stamp> {
        self.clock.now().map(|wall| Stamp { wall, machine: Some(clock::machine()) })
    }

    fn now(&self) -> Stored<Stamp> {
        if let Some(stamp) = self.quick_now() {
            return Ok(stamp);
        }
        let before = boot_clock::now();
        let now = self.read(|tx| tx.value::<i64>("SELECT apb.now_ms()", values_of![]))?.unwrap_or(0);
        let after = boot_clock::now();
        self.clock.set(now, before + (after - before) / 2);
        Ok(Stamp { wall: now, machine: Some(clock::machine()) })
    }

    fn lease_end(&self, id: &str, version: i64) -> Option<Arc<AtomicI64>> {
        Some(self.workers.end(id, version))
    }

    fn claim(&self, case: &Case, lease: &Lease) -> Stored<Claim> {
        self.write(|tx| {
            tx.query("SELECT apb.lock_holds($1, $2)", values_of![&tx.account, &*holds::names(case)])?;
            if let Some(known) = self.by_key(tx, &case.key)? {
                if !(tx.again && known.case.id == case.id) {
                    return Ok(Ok(Claim::Known(known)));
                }
                // It was written after all. Written once more, it is certain.
                let row = Row { case: Case { change: known.case.change, ..case.clone() }, ..known };
                let Some(version) = self.put(tx, &row, Some(lease))? else { return Err(unreadable()) };
                let case = Case { change: version, ..case.clone() };
                let owner = Some((lease.owner.clone(), lease.until));
                return Ok(Ok(Claim::New(Row { case, version, owner })));
            }
            if let Some(remnant) = remnants::find(tx, &Name::Key(case.key.clone()))? {
                return Ok(Ok(Claim::Purged(Box::new(remnant))));
            }
            if let Some(error) = losses::error(tx)? {
                return Ok(Err(error));
            }
            if let Some(other) = self.take_holds(tx, case)? {
                return Ok(Ok(Claim::Held(Box::new(other))));
            }
            Ok(Ok(Claim::New(self.insert(tx, case, lease)?)))
        })?
    }

    fn reclaim(&self, row: &Row, lease: &Lease) -> Stored<Option<Claim>> {
        self.write(|tx| {
            tx.query("SELECT apb.lock_holds($1, $2)", values_of![&tx.account, &*holds::names(&row.case)])?;
            if let Some(other) = self.take_holds(tx, &row.case)? {
                return Ok(Some(Claim::Held(Box::new(other))));
            }
            let version = self.put(tx, row, Some(lease))?;
            Ok(version.map(|version| Claim::Known(Row { version, ..row.clone() })))
        })
    }

    fn load(&self, name: &Name) -> Stored<Option<Row>> {
        self.read(|tx| match name {
            Name::Id(id) => self.by_id(tx, id),
            Name::Key(key) => self.by_key(tx, key),
        })
    }

    fn lease(&self, id: &str, lease: &Lease, is_alive: &dyn Fn(&str, Millis) -> bool) -> Stored<Option<Row>> {
        self.write_one(|tx| {
            let Some(mut row) = self.by_id(tx, id)? else { return Ok(None) };
            if let Some((owner, until)) = &row.owner
                && *owner != lease.owner
                && is_alive(owner, *until)
            {
                return Ok(None);
            }
            let worker = self.workers.current(duration(lease))?;
            // A fencing token, and no change that a reader sees.
            let sql = "WITH n AS MATERIALIZED (SELECT apb.next_change() AS number)
                UPDATE apb.cases SET token = n.number, owner = $3, worker = $4, lease_ms = $5,
                    lease_end = apb.now_ms() + $5 FROM n WHERE id = $1 AND token = $2 RETURNING token";
            let values = values_of![id, row.version, &lease.owner, &worker.id, duration(lease)];
            let Some(version) = tx.value::<i64>(sql, values)? else { return Ok(None) };
            self.workers.take(id, version, &worker);
            row.version = version;
            row.owner = Some((lease.owner.clone(), lease.until));
            Ok(Some(row))
        })
    }

    fn save(&self, row: &Row, lease: Option<&Lease>) -> Stored<Option<i64>> {
        let saved = self.write_one(|tx| match self.put(tx, row, lease) {
            // An intent, and somebody has noticed a loss.
            Err(failure) if failure.is_of_rewound() => Ok(None),
            done => done.map(Some),
        })?;
        match saved {
            Some(version) => Ok(version),
            None => Err(self.rewound()?.unwrap_or_else(|| store_rewound("it was not confirmed".to_owned()))),
        }
    }

    fn settle(&self, row: &Row, strip: &dyn Fn(&str, &[u8]) -> Option<String>) -> Stored<Option<i64>> {
        self.write(|tx| {
            let version = self.put(tx, row, None)?;
            if version.is_some() {
                strip_replies(tx, &row.case.id, strip)?;
            }
            Ok(version)
        })
    }

    fn store_reply(&self, id: &str, step: &str, attempt: u32, reply: &[u8]) -> Stored<()> {
        let sql = "INSERT INTO apb.replies (case_id, step, attempt, at, thin, body)
            SELECT $1, $2, $3, apb.now_ms(), 0, $4 WHERE apb.sync()
            ON CONFLICT (case_id, step, attempt) DO UPDATE SET at = apb.now_ms(), thin = 0, body = $4";
        self.write_one(|tx| tx.query(sql, values_of![id, step, i64::from(attempt), reply]).map(|_| ()))
    }

    fn stored_reply(&self, id: &str, step: &str, attempt: u32) -> Stored<Option<Vec<u8>>> {
        // A stripped reply still says how the submit ended.
        let sql = "SELECT body FROM apb.replies WHERE case_id = $1 AND step = $2 AND attempt = $3";
        self.read(|tx| tx.value(sql, values_of![id, step, i64::from(attempt)]))
    }

    fn release(&self, row: &Row) -> Stored<()> {
        self.workers.leave(&row.case.id);
        let sql = "UPDATE apb.cases SET owner = NULL, worker = NULL, lease_end = NULL WHERE id = $1 AND token = $2";
        self.write_one(|tx| tx.query(sql, values_of![&row.case.id, row.version]).map(|_| ()))
    }

    fn write_witness(&self, id: &str, number: i64) -> Stored<Option<String>> {
        Ok(self.remember_intent(id, number))
    }

    fn take_warnings(&self) -> Vec<Warning> {
        self.memory.warnings.take()
    }

    fn rewound(&self) -> Stored<Option<Error>> {
        self.read(losses::error)
    }

    fn to_be_asked(&self) -> Stored<Vec<String>> {
        self.read(losses::to_be_asked)
    }

    fn confirm(&self, by: &str, evidence: &str, now: Millis) -> Stored<()> {
        self.confirm_losses(by, evidence, now)
    }

    fn refusal(&self) -> Option<Error> {
        self.refused()
    }

    fn adopt_account(&self, who: &Identity) -> Stored<()> {
        self.adopt(who)
    }

    fn backup(&self, _: &Path) -> Stored<()> {
        Err(not_for_servers("case.backup"))
    }

    fn side(&self) -> Stored<Box<dyn Side + '_>> {
        self.side()
    }

    fn purged(&self, name: &Name) -> Stored<Option<Remnant>> {
        self.read(|tx| remnants::find(tx, name))
    }

    fn made_by_purged(&self) -> Stored<Vec<String>> {
        let sql = "SELECT made FROM apb.remnants WHERE account = $1 AND made IS NOT NULL";
        self.read(|tx| tx.list(sql, values_of![&tx.account]))
    }

    fn has_made(&self, order: &str) -> Stored<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM apb.cases WHERE account = $1 AND code = $2)";
        self.read(|tx| Ok(tx.value(sql, values_of![&tx.account, order])?.unwrap_or(false)))
    }

    fn list(&self, filter: &Filter) -> Stored<Vec<Case>> {
        Ok(self.page(filter)?.rows.into_iter().map(|row| row.case).collect())
    }

    fn page(&self, filter: &Filter) -> Stored<Page> {
        self.find_page(filter)
    }

    fn due(&self, now: Millis, limit: usize, is_alive: &dyn Fn(&str, Millis) -> bool) -> Stored<Vec<String>> {
        self.find_due(now, limit, is_alive)
    }

    fn counts(&self, now: Millis) -> Stored<Counts> {
        self.count(now)
    }

    fn cases_for_order(&self, order_no: &str) -> Stored<Vec<String>> {
        self.concerned(order_no)
    }

    fn record_notification(&self, dedupe: &str, now: Millis) -> Stored<bool> {
        self.write(|tx| {
            tx.query("SELECT apb.unsynced()", values_of![])?;
            tx.query("DELETE FROM apb.notices WHERE at < $1", values_of![now - 30 * 86_400_000])?;
            let sql =
                "INSERT INTO apb.notices (account, dedupe, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING at";
            let is_new = tx.row(sql, values_of![&tx.account, dedupe, now])?.is_some();
            // What may be this very call's is new.
            Ok(is_new || tx.again)
        })
    }

    fn remember_offer(&self, offer_id: &str, offer: &KnownOffer, at: Stamp) -> Stored<()> {
        let text = serde_json::to_string(&(offer, at))
            .map_err(|e| store_error(ErrorCode::StoreIo, format!("an offer cannot be written: {e}")))?;
        let sql = "WITH old AS (DELETE FROM apb.offers WHERE at < apb.now_ms() - 86400000
                    AND NOT (account = $1 AND offer_id = $2)), off AS MATERIALIZED (SELECT apb.unsynced())
            INSERT INTO apb.offers (account, offer_id, at, body) SELECT $1, $2, apb.now_ms(), $3 FROM off
            ON CONFLICT (account, offer_id) DO UPDATE SET at = apb.now_ms(), body = $3";
        self.write_one(|tx| tx.query(sql, values_of![&tx.account, offer_id, &text]).map(|_| ()))
    }

    fn known_offer(&self, offer_id: &str) -> Stored<Option<KnownOffer>> {
        let sql = "SELECT body FROM apb.offers WHERE account = $1 AND offer_id = $2";
        let text: Option<String> = self.read(|tx| tx.value(sql, values_of![&tx.account, offer_id]))?;
        Ok(text.and_then(|text| serde_json::from_str::<(KnownOffer, Stamp)>(&text).ok()).map(|(mut offer, at)| {
            offer.quote.at = Some(at);
            offer
        }))
    }

    fn remember_listing(&self) -> Stored<()> {
        if self.listing()?.is_listed {
            return Ok(());
        }
        let sql = "UPDATE apb.accounts SET lists_orders = true WHERE id = $1";
        self.write_one(|tx| tx.query(sql, values_of![&tx.account]).map(|_| ()))
    }

    fn listing(&self) -> Stored<Listing> {
        let sql = "SELECT coalesce((SELECT lists_orders FROM apb.accounts WHERE id = $1), false),
                          (SELECT max(confirmed_at) FROM apb.losses)";
        self.read(|tx| {
            let row = tx.row(sql, values_of![&tx.account])?.ok_or_else(unreadable)?;
            Ok(Listing { is_listed: column(&row, 0)?, confirmed_at: column(&row, 1)? })
        })
    }

    fn gave_back_by_purged(&self, order_no: &str) -> Stored<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM apb.remnants WHERE account = $1 AND order_no = $2
                   AND kind IN ('refund', 'void', 'cancel') AND coalesce(outcome, 'unknown') <> 'not_executed')";
        self.read(|tx| Ok(tx.value(sql, values_of![&tx.account, order_no])?.unwrap_or(false)))
    }

    fn rival(&self, case: &Case) -> Stored<Option<Case>> {
        self.read(|tx| self.other_holder(tx, case))
    }

    fn order_passengers(&self, order_no: &str) -> Stored<Option<OrderPassengers>> {
        self.read(|tx| passengers_of(tx, order_no))
    }

    fn remember_order_passengers(&self, order_no: &str, passengers: &OrderPassengers) -> Stored<OrderPassengers> {
        let text = serde_json::to_string(passengers)
            .map_err(|e| store_error(ErrorCode::StoreIo, format!("passengers cannot be written: {e}")))?;
        let sql = "INSERT INTO apb.order_passengers (account, order_no, at, body)
            SELECT $1, $2, apb.now_ms(), $3 WHERE apb.sync() ON CONFLICT DO NOTHING";
        let stored = self.write_one(|tx| {
            tx.query(sql, values_of![&tx.account, order_no, &text])?;
            passengers_of(tx, order_no)
        })?;
        stored.ok_or_else(|| store_error(ErrorCode::StoreIo, "the passengers were not stored"))
    }

    fn acquire(&self, name: &str, rate: Rate, limit: Millis) -> Stored<Option<Place>> {
        self.take_place(name, rate, limit)
    }

    fn epoch(&self, name: &str) -> Stored<i64> {
        self.read(|tx| budget::epoch(tx, name))
    }

    fn on_rate_limited(&self, wait: Option<Millis>, test_end: Option<Millis>) -> Stored<()> {
        self.slow_down(wait, test_end)
    }

    fn current_rate(&self, name: &str, rate: Rate) -> Stored<(f64, Millis)> {
        self.rate_now(name, rate)
    }

    fn pause_left(&self, test_now: Option<Millis>, rates: &[(&'static str, Rate)]) -> Stored<Millis> {
        self.pause_now(test_now, rates)
    }

    fn unpause(&self, now: Millis, rates: &[(&'static str, Rate)]) -> Stored<u64> {
        self.end_pause(now, rates)
    }

    fn purge(&self, before: Millis) -> Stored<u64> {
        self.write(|tx| {
            tx.query("SELECT apb.share(), apb.sync()", values_of![])?;
            match losses::error(tx)? {
                Some(error) => Ok(Err(error)),
                None => remnants::purge(tx, before).map(Ok),
            }
        })?
    }
}

/// An operation on the file of a store.
fn not_for_servers(operation: &str) -> Error {
    Error::at(ErrorCode::BadRequest, operation, "", "is for a store in a file; a server is copied by its own tools")
}

/// Replaces the raw replies of a case by what `strip` retains.
fn strip_replies(tx: &Tx<'_>, id: &str, strip: &dyn Fn(&str, &[u8]) -> Option<String>) -> Result<(), Failure> {
    let sql = "SELECT step, attempt, body FROM apb.replies WHERE case_id = $1 AND thin = 0";
    for row in tx.query(sql, values_of![id])? {
        let (step, attempt, reply): (String, i64, Vec<u8>) = (column(&row, 0)?, column(&row, 1)?, column(&row, 2)?);
        // 2: it cannot be parsed, so what may go is not known. It stays, and is marked.
        let (mark, text) = match strip(&step, &reply) {
            Some(text) => (1, text.into_bytes()),
            None => (2, reply),
        };
        let sql =
            "UPDATE apb.replies SET thin = $4::bigint, body = $5 WHERE case_id = $1 AND step = $2 AND attempt = $3";
        tx.query(sql, values_of![id, &step, attempt, i64::from(mark), &*text])?;
    }
    Ok(())
}

fn passengers_of(tx: &Tx<'_>, order_no: &str) -> Result<Option<OrderPassengers>, Failure> {
    let sql = "SELECT body FROM apb.order_passengers WHERE account = $1 AND order_no = $2";
    let text: Option<String> = tx.value(sql, values_of![&tx.account, order_no])?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| unreadable())).transpose()
}
