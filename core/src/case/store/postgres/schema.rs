//! The tables on the server: made by whoever comes first, refused where a newer release has changed them.

use super::super::{Stored, store_error};
use super::link::{Failure, Link, column, values_of};
use crate::error::{Error, ErrorCode};

/// The newest layout that this version reads.
pub(super) const LAYOUT: i32 = 1;
/// In its place: the store was moved into another one.
pub(super) const MOVED: i32 = 1_000_000 + LAYOUT;

const SCHEMA: &str = include_str!("schema.sql");

/// The least server: `gen_random_uuid` and what else the tables use.
const OLDEST: i64 = 130_000;

/// Makes the tables where there are none, and refuses those of another release.
pub(super) fn prepare(link: &Link) -> Result<Stored<()>, Failure> {
    let server = "SELECT current_setting('server_version_num')::bigint";
    let version: i64 = link.query(server, values_of![])?.first().map_or(Ok(0), |row| column(row, 0))?;
    if version < OLDEST {
        let message = "the store's server is older than PostgreSQL 13";
        return Ok(Err(store_error(ErrorCode::StoreUnavailable, message)));
    }
    match layout(link)? {
        Some(layout) => return Ok(of(layout)),
        None => {
            // One process makes them; the others wait for it, and look again.
            link.batch("BEGIN; SELECT pg_advisory_xact_lock(1095778883, 1)")?;
            let made = match layout(link)? {
                Some(_) => Ok(()),
                None => link.batch(SCHEMA),
            };
            match made {
                Ok(()) => link.commit()?,
                Err(failure) => {
                    let _ = link.roll_back();
                    return Err(failure);
                }
            }
        }
    }
    Ok(layout(link)?.map_or_else(|| Err(foreign()), of))
}

/// Whether somebody has made the tables.
pub(super) fn is_there(link: &Link) -> Result<bool, Failure> {
    Ok(layout(link)?.is_some())
}

/// The layout of the tables; None if there are none of ours.
fn layout(link: &Link) -> Result<Option<i64>, Failure> {
    let is_there = link.query("SELECT to_regclass('apb.store') IS NOT NULL", values_of![])?;
    if !is_there.first().map_or(Ok(false), |row| column(row, 0))? {
        return Ok(None);
    }
    let rows = link.query("SELECT layout::bigint FROM apb.store", values_of![])?;
    Ok(Some(rows.first().map_or(Ok(0), |row| column(row, 0))?))
}

fn of(layout: i64) -> Stored<()> {
    if [LAYOUT, MOVED].map(i64::from).contains(&layout) { Ok(()) } else { Err(other_layout(layout)) }
}

pub(super) fn other_layout(layout: i64) -> Error {
    if layout <= 0 {
        return foreign();
    }
    let message = format!("the store has layout {layout}, this version of the library reads layout {LAYOUT}");
    store_error(ErrorCode::StoreVersion, message)
}

fn foreign() -> Error {
    store_error(ErrorCode::StoreCorrupt, "the schema apb of the database is none of a case store; it was left as it is")
}
