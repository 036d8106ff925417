//! Each new connection's server is compared with what is remembered: where the tables are, its timeline, the last intent
//! of this process and host. Transactions on that connection see whether it still is the same one.

use std::sync::atomic::Ordering;

use super::super::witness::{self, ServerWitness};
use super::durability;
use super::link::{Failure, Link, column, unreadable, values_of};
use super::memory::Memory;

/// When the server started, in microseconds. Behind a pooler another one may come to stand.
pub(super) const SERVER: &str = "(extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint";
pub(super) const TABLE: &str = "'apb.cases'::regclass::oid::bigint";

/// Where the tables are: their cluster, database and table, and the timeline of the cluster.
struct Place {
    system: String,
    database: i64,
    /// A dump that is restored gets another one.
    table: i64,
    /// Each fail-over begins another one. 0: it cannot be told.
    timeline: i64,
    server: i64,
}

impl Place {
    fn read(link: &Link) -> Result<Place, Failure> {
        let database = "(SELECT oid FROM pg_database WHERE datname = current_database())::bigint";
        // The name of the log's present file: the control data have the number only from the next checkpoint on.
        let whole = format!(
            "SELECT (SELECT system_identifier FROM pg_control_system())::text, {database}, {TABLE}, {SERVER},
             CASE WHEN pg_is_in_recovery() THEN 0
                  ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint END"
        );
        // Where the user may not ask for the cluster, or it is none of PostgreSQL's own.
        let within = format!("SELECT '?', {database}, {TABLE}, {SERVER}, 0::bigint");
        let rows = match link.query(&whole, values_of![]) {
            Err(failure) if !failure.is_lost => link.query(&within, values_of![])?,
            rows => rows?,
        };
        let row = rows.first().ok_or_else(unreadable)?;
        Ok(Place {
            system: column(row, 0)?,
            database: column(row, 1)?,
            table: column(row, 2)?,
            server: column(row, 3)?,
            timeline: column(row, 4)?,
        })
    }

    fn text(&self) -> String {
        format!("{} {} {}", self.system, self.database, self.table)
    }

    /// Whether it is the place that was written down as `was`.
    fn is(&self, was: &str) -> bool {
        let now = self.text();
        let (a, b): (Vec<&str>, Vec<&str>) = (now.split(' ').collect(), was.split(' ').collect());
        a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| a == b || *a == "?" || *b == "?")
    }
}

/// What the store says of itself, and whether it has the last intent.
struct Own {
    serial: String,
    place: String,
    timeline: i64,
    has_last: bool,
}

impl Own {
    fn read(link: &Link, known: &ServerWitness) -> Result<Own, Failure> {
        let sql =
            "SELECT serial, place, timeline, $1 = '' OR EXISTS (SELECT 1 FROM apb.cases WHERE id = $1 AND token >= $2)
                OR EXISTS (SELECT 1 FROM apb.remnants WHERE id = $1 AND token >= $2) FROM apb.store";
        let rows = link.query(sql, values_of![&known.case, known.number])?;
        let row = rows.first().ok_or_else(unreadable)?;
        Ok(Own {
            serial: column(row, 0)?,
            place: column(row, 1)?,
            timeline: column(row, 2)?,
            has_last: column(row, 3)?,
        })
    }
}

/// Compares a new connection's server with what is remembered. A loss is written into the store.
pub(super) fn look(link: &mut Link, memory: &Memory) -> Result<(), Failure> {
    if !memory.is_ready.load(Ordering::SeqCst) {
        return Ok(());
    }
    let known = memory.get();
    let place = Place::read(link)?;
    let own = Own::read(link, &known)?;
    let mut losses = Vec::new();
    if !own.place.is_empty() && !place.is(&own.place) {
        let what = format!("its tables are not where they were ({}, was {})", place.text(), own.place);
        losses.push((what, "", 0));
    }
    let is_same_cluster = known.system == place.system && known.timeline > 0 && place.timeline > 0;
    if is_same_cluster && place.timeline < known.timeline {
        let what = format!("its timeline is {}, and it was {} before", place.timeline, known.timeline);
        losses.push((what, "", known.number));
    }
    if !own.has_last {
        losses.push(("it does not have the last intent".to_owned(), &*known.case, known.number));
    }
    let mut is_sound = true;
    for (what, case, number) in &losses {
        is_sound &= record(link, what, case, *number)?;
    }
    if is_sound {
        if !losses.is_empty() {
            memory.forget(&own.serial, false);
        } else if (is_same_cluster && known.timeline < place.timeline)
            || (place.is(&own.place) && (1..place.timeline).contains(&own.timeline))
        {
            let was = known.timeline.max(own.timeline);
            let text = format!(
                "the store's server was failed over (timeline {}, was {was}); the last intent of this host is there",
                place.timeline
            );
            memory.warnings.add("store_failed_over", text);
        }
        if own.place.is_empty() || own.timeline < place.timeline {
            let sql = format!(
                "UPDATE apb.store SET place = $1, timeline = $2
                 WHERE place = $3 AND timeline = $4 AND {HERE}"
            );
            link.query(&sql, values_of![&place.text(), place.timeline, &own.place, own.timeline])?;
        }
        memory.remember_server(&own.serial, &place.system, place.timeline);
    }
    memory.warnings.set_present(durability::warnings(link)?);
    memory.server.store(place.server, Ordering::SeqCst);
    link.seen = Some((place.server, place.table));
    Ok(())
}

/// On this server's disk, without waiting for a standby that may be gone for good.
const HERE: &str = "set_config('synchronous_commit', 'local', true) <> ''";

/// Writes a loss into the store. Gives whether it was confirmed before.
pub(super) fn record(link: &Link, what: &str, case: &str, number: i64) -> Result<bool, Failure> {
    let host = witness::host();
    let sql = format!(
        "INSERT INTO apb.losses (host, what, case_id, number, change)
         SELECT $1, $2, $3, $4, apb.highest() WHERE {HERE} ON CONFLICT DO NOTHING"
    );
    link.query(&sql, values_of![&host, what, case, number])?;
    let sql =
        "SELECT confirmed IS NOT NULL FROM apb.losses WHERE host = $1 AND what = $2 AND case_id = $3 AND number = $4";
    let rows = link.query(sql, values_of![&host, what, case, number])?;
    rows.first().map_or(Ok(false), |row| column(row, 0))
}

/// Whether a connection still is to the server and the tables that were looked at, and they have the last intent: what a
/// transaction finds at its begin. Tables can be made anew, emptied and filled beneath a connection.
pub(super) fn is_same(link: &Link, memory: &Memory, server: i64, table: i64, has_last: bool) -> bool {
    let current = memory.server.load(Ordering::SeqCst);
    link.seen.is_none_or(|seen| has_last && seen == (server, table) && server == current)
}

/// Whether a connection is to the server that one was last made to.
pub(super) fn is_current(link: &Link, memory: &Memory) -> bool {
    link.seen.is_none_or(|seen| seen.0 == memory.server.load(Ordering::SeqCst))
}
