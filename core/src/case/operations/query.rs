//! `case.get`, `case.list`, `case.export`: what the store has. Nothing is asked of the vendor.

use super::lookup::{bad_request, load, selector, shown, shown_cases, text};
use crate::case::model::Case;
use crate::case::reply::CaseReply;
use crate::case::service::CaseService;
use crate::case::store::{Filter, Stored};
use crate::case::view;
use crate::case::vocabulary::Kind;
use crate::json::Node;
use crate::wire::{CaseExportReply, CaseListReply, to_json};

/// Most cases of a page.
const LARGEST_PAGE: usize = 500;

pub(super) async fn get(cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
    match selector("case.get", node)? {
        Some(name) => Ok(CaseReply::case(&shown(load(cases, name).await?))),
        None => Err(bad_request("case.get", "", "must name one case by `id` or `key`")),
    }
}

pub(super) async fn list(cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
    let (page, next) = page(cases, filter("case.list", node, 100)?).await?;
    let cases = page.iter().map(view::message).collect();
    Ok(CaseReply::data(to_json(&CaseListReply { cases, next })))
}

pub(super) async fn export(cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
    let (page, next) = page(cases, filter("case.export", node, LARGEST_PAGE)?).await?;
    let rows: String = page.iter().map(|case| view::json(case) + "\n").collect();
    let count = Some((page.len() as i64).into());
    Ok(CaseReply::data(to_json(&CaseExportReply { ndjson: Some(rows), count, next })))
}

fn filter(op: &str, node: &Node<'_>, default_limit: usize) -> Stored<Filter> {
    let limit = match node.get("limit") {
        Some(Node::Num(n)) => n.parse().ok().filter(|n| (1..=LARGEST_PAGE).contains(n)),
        _ => Some(default_limit),
    };
    let kind = match text(node, "kind") {
        None => None,
        Some(word) => Some(Kind::of(&word).ok_or_else(|| bad_request(op, "/kind", "is not a kind of case"))?),
    };
    Ok(Filter {
        open: node.get("open").and_then(|open| if let Node::Bool(open) = open { Some(*open) } else { None }),
        order_no: text(node, "orderNo"),
        kind,
        after: text(node, "after"),
        limit: limit.ok_or_else(|| bad_request(op, "/limit", &format!("must be from 1 to {LARGEST_PAGE}")))?,
        unknown: false,
    })
}

/// The cases of a page, and the id after which the next one begins.
async fn page(cases: &CaseService, filter: Filter) -> Stored<(Vec<Case>, Option<String>)> {
    let limit = filter.limit;
    let mut page = cases.run_blocking(move |store| store.list(&Filter { limit: limit + 1, ..filter })).await?;
    let more = page.len() > limit;
    page.truncate(limit);
    let page = shown_cases(cases, page).await?;
    let next = if more { page.last().map(|c| c.id.clone()) } else { None };
    Ok((page, next))
}
