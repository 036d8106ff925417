//! `case.backup`: a copy of a file store, which opens as rewound.

use std::path::Path;

use super::lookup::{bad_request, json_text, text};
use crate::case::reply::CaseReply;
use crate::case::service::CaseService;
use crate::case::store::Stored;
use crate::json::Node;

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
    Ok(CaseReply::data(format!("{{\"path\":{},\"bytes\":{bytes}}}", json_text(Some(&path)))))
}
