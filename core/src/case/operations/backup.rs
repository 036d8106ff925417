//! `case.backup`: a copy of a file store, which opens as rewound.

use std::path::Path;

use super::lookup::{bad_request, text};
use crate::case::reply::CaseReply;
use crate::case::service::CaseService;
use crate::case::store::Stored;
use crate::json::Node;
use crate::wire::{CaseBackupReply, to_json};

pub(super) async fn backup(cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
    let path = text(node, "path").unwrap_or_default();
    let to = std::path::absolute(Path::new(&path))
        .map_err(|_| bad_request("case.backup", "/path", "must be the path of a file that is not there yet"))?;
    let bytes = cases
        .run_blocking(move |store| {
            store.backup(&to)?;
            Ok(std::fs::metadata(&to).map_or(0, |found| found.len()))
        })
        .await?;
    let bytes = i64::try_from(bytes).ok().map(Into::into);
    Ok(CaseReply::data(to_json(&CaseBackupReply { path: Some(path), bytes })))
}
