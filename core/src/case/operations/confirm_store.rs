//! `case.confirmStore`: a human's word that what a rewound store has lost was looked for.

use super::lookup::{bad_request, text};
use crate::case::reply::CaseReply;
use crate::case::service::CaseService;
use crate::case::store::Stored;
use crate::json::Node;
use crate::wire::{CaseConfirmStoreReply, to_json};

pub(super) async fn confirm_store(cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
    const OP: &str = "case.confirmStore";
    let given = |key: &str| text(node, key).filter(|value| !value.trim().is_empty());
    let by = given("by").ok_or_else(|| bad_request(OP, "/by", "must say who"))?;
    let evidence = given("evidence").ok_or_else(|| bad_request(OP, "/evidence", "must say what it rests on"))?;
    let now = cases.now().await?.wall;
    cases.run_blocking(move |store| store.confirm(&by, &evidence, now)).await?;
    // Another host's loss may still stand.
    let confirmed = cases.run_blocking(|store| store.rewound()).await?.is_none();
    Ok(CaseReply::data(to_json(&CaseConfirmStoreReply { confirmed: Some(confirmed) })))
}
