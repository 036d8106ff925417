//! `case.import`: moves all accounts of another store into this one.

use super::lookup::bad_request;
use crate::case::engine::lease::is_alive;
use crate::case::reply::CaseReply;
use crate::case::service::CaseService;
use crate::case::store::Stored;
use crate::config::store_of;
use crate::json::Node;
use crate::wire::{CaseImportReply, to_json};

pub(super) async fn import(cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
    const OP: &str = "case.import";
    let Some(from) = node.get("from") else { return Err(bad_request(OP, "/from", "is required")) };
    let from = store_of(from).map_err(|error| {
        let field = error.field.clone().unwrap_or_default();
        let said = error.message.split_once(&format!("{field} ")).map_or("is no store", |(_, said)| said);
        bad_request(OP, &field.replacen("/store", "/from", 1), said)
    })?;
    let dry_run = matches!(node.get("dryRun"), Some(Node::Bool(true)));
    let moved = cases.import(from, dry_run, is_alive).await?;
    Ok(CaseReply::data(to_json(&CaseImportReply {
        imported: Some(!dry_run && !moved.is_done),
        done: Some(!dry_run || moved.is_done),
        accounts: moved.accounts,
        cases: Some(moved.cases.into()),
        purged_keys: Some(moved.remnants.into()),
    })))
}
