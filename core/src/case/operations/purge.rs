//! `case.purge`: removes final cases.

use super::lookup::{bad_request, text};
use crate::case::reply::CaseReply;
use crate::case::schedule::{DAY, HOUR};
use crate::case::service::CaseService;
use crate::case::store::Stored;
use crate::json::Node;
use crate::unix_time::{Millis, parse_rfc3339};
use crate::wire::{CasePurgeReply, to_json};

pub(super) async fn purge(cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
    let older = text(node, "olderThan").unwrap_or_default();
    let now = cases.now().await?.wall;
    let before = parse_rfc3339(&older).or(age(&older).map(|age| now - age));
    let before = before.ok_or_else(|| {
        bad_request("case.purge", "/olderThan", "must be a moment with its offset, or an age such as 90d or 12h")
    })?;
    let purged = cases.run_blocking(move |store| store.purge(before)).await?;
    Ok(CaseReply::data(to_json(&CasePurgeReply { purged: i64::try_from(purged).ok().map(Into::into) })))
}

/// `90d`, `12h`.
fn age(text: &str) -> Option<Millis> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "d" => DAY,
        "h" => HOUR,
        _ => return None,
    };
    number.parse::<u32>().ok().map(|n| Millis::from(n) * unit)
}
