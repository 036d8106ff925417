//! Whether the server keeps what it has confirmed: its settings and its standbys, as far as the user may see them.

use super::link::{Failure, Link, column, values_of};
use crate::exchange::context::Warning;

/// Whoever copies changes for other purposes is no standby: nobody fails over to it.
const SETTINGS: &str = "SELECT coalesce(current_setting('fsync', true), ''),
        count(*) FILTER (WHERE state IS NULL),
        count(*) FILTER (WHERE sync_state IN ('sync', 'quorum')),
        coalesce(string_agg(application_name, ', ' ORDER BY application_name)
            FILTER (WHERE sync_state IN ('async', 'potential') AND state IN ('streaming', 'catchup')), '')
    FROM pg_stat_replication standby
    WHERE coalesce(application_name, '') NOT IN ('pg_basebackup', 'pg_receivewal')
        AND NOT EXISTS (SELECT 1 FROM pg_replication_slots WHERE active_pid = standby.pid AND slot_type = 'logical')";

/// What there is to warn about.
pub(super) fn warnings(link: &Link) -> Result<Vec<Warning>, Failure> {
    let rows = match link.query(SETTINGS, values_of![]) {
        Err(failure) if failure.is_lost => return Err(failure),
        rows => rows.unwrap_or_default(),
    };
    let Some(row) = rows.first() else {
        return Ok(vec![unknown(
            "the store's server does not say whether fsync is on and its standbys are synchronous",
        )]);
    };
    let (fsync, hidden, synchronous): (String, i64, i64) = (column(row, 0)?, column(row, 1)?, column(row, 2)?);
    let asynchronous: String = column(row, 3)?;
    let mut found = Vec::new();
    match &*fsync {
        "on" => {}
        "off" => found.push(Warning {
            code: "store_fsync_off",
            text: "the store's server runs with fsync = off: what was sent may be lost when its machine stops"
                .to_owned(),
        }),
        _ => found.push(unknown("the store's server does not say whether fsync is on")),
    }
    if hidden > 0 {
        found.push(unknown(
            "whether the standbys of the store's server are synchronous cannot be told: its user needs pg_monitor",
        ));
    } else if synchronous == 0 && !asynchronous.is_empty() {
        found.push(Warning {
            code: "store_standby_async",
            text: format!(
                "no standby of the store's server is synchronous ({asynchronous}): a fail-over may lose what was sent"
            ),
        });
    }
    Ok(found)
}

fn unknown(text: &str) -> Warning {
    Warning { code: "store_durability_unknown", text: text.to_owned() }
}
