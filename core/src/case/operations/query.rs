//! `case.get`, `case.list`, `case.export`: what the store has. Nothing is asked of the vendor.

use super::lookup::{bad_request, load, remnant_reply, selector, shown, text};
use crate::case::model::Case;
use crate::case::reply::CaseReply;
use crate::case::service::CaseService;
use crate::case::store::{Filter, Stored, store_error};
use crate::case::view;
use crate::case::vocabulary::{CaseOutcome, Kind, State};
use crate::error::{Advice, Detail, Error, ErrorCode};
use crate::json::Node;
use crate::wire::{CaseExportReply, CaseListReply, Code, to_json};

/// Most cases of a page.
const LARGEST_PAGE: usize = 500;
/// The largest change number: what a double holds exactly.
const LARGEST_NUMBER: i64 = 1 << 53;

pub(super) async fn get(cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
    let Some(name) = selector("case.get", node)? else {
        return Err(bad_request("case.get", "", "must name one case by `id` or `key`"));
    };
    match load(cases, name.clone()).await {
        Ok(row) => Ok(CaseReply::case(&shown(row))),
        Err(error) if error.code == ErrorCode::NotFound => {
            match cases.run_blocking(move |store| store.purged(&name)).await? {
                Some(remnant) if remnant.id.is_some() => Ok(remnant_reply(&remnant)),
                _ => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

pub(super) async fn list(cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
    let filter = filter("case.list", node, 100)?;
    let wanted = wanted("case.list", node)?;
    if filter.changed_since.is_some() {
        return changes(cases, filter, wanted).await;
    }
    let (page, next) = page(cases, filter, wanted).await?;
    let cases = page.iter().map(view::message).collect();
    Ok(CaseReply::data(to_json(&CaseListReply { cases, next: next.map(Code::Other) })))
}

/// The cases that changed since a number, in the order of their last change. None is skipped, whoever writes meanwhile.
async fn changes(cases: &CaseService, filter: Filter, wanted: Wanted) -> Stored<CaseReply> {
    let limit = filter.limit;
    let given = filter.changed_since.unwrap_or(0);
    let (mut since, mut found) = (given, Vec::new());
    let (next, purged) = loop {
        let read = Filter { changed_since: Some(since), ..filter.clone() };
        let page = cases.run_blocking(move |store| store.page(&read)).await?;
        if given > page.highest {
            return Err(ahead(given, page.highest));
        }
        let is_last = page.rows.len() < limit;
        for row in page.rows {
            since = row.case.change;
            let case = shown(row);
            if found.len() < limit && wanted.has(&case) {
                found.push(case);
            }
            if found.len() == limit {
                break;
            }
        }
        if found.len() == limit {
            break (since, page.purged);
        }
        if is_last {
            break (page.highest, page.purged);
        }
    };
    let cases = found.iter().map(view::message).collect();
    let mut reply = CaseReply::data(to_json(&CaseListReply { cases, next: Some(next.into()) }));
    if given < purged {
        let message = format!("cases were purged whose last change has a number up to {purged}; they are not listed");
        reply.warnings.add("changes_purged", "/changedSince".to_owned(), message);
    }
    Ok(reply)
}

/// The reader has seen numbers that this store never gave.
fn ahead(given: i64, highest: i64) -> Error {
    let message = format!("change {given} is above the highest number of this store, {highest}");
    let mut error = store_error(ErrorCode::StoreRewound, message);
    error.advice = Advice::ContactSupport;
    error.help = "The store is older than what its reader has seen. Begin again from 0, and see whether it was put back from a copy.".to_owned();
    error.details =
        vec![Detail { highest: Some(highest), ..Detail::of("/changedSince", "is above the highest number") }];
    error
}

pub(super) async fn export(cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
    let wanted = wanted("case.export", node)?;
    let (page, next) = page(cases, filter("case.export", node, LARGEST_PAGE)?, wanted).await?;
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
    let changed_since = match node.get("changedSince") {
        Some(Node::Num(n)) => {
            let number = n.parse().ok().filter(|n| (0..=LARGEST_NUMBER).contains(n));
            Some(number.ok_or_else(|| bad_request(op, "/changedSince", "must be a change number, or 0"))?)
        }
        _ => None,
    };
    if changed_since.is_some() && text(node, "after").is_some() {
        return Err(bad_request(op, "/after", "cannot be given with changedSince, which is the cursor then"));
    }
    Ok(Filter {
        changed_since,
        open: node.get("open").and_then(|open| if let Node::Bool(open) = open { Some(*open) } else { None }),
        order_no: text(node, "orderNo"),
        kind,
        after: text(node, "after"),
        limit: limit.ok_or_else(|| bad_request(op, "/limit", &format!("must be from 1 to {LARGEST_PAGE}")))?,
        unknown: false,
    })
}

/// What is filtered by how a case is shown, which the store's columns do not know.
#[derive(Clone, Copy)]
struct Wanted {
    outcome: Option<CaseOutcome>,
    state: Option<State>,
}

impl Wanted {
    fn has(self, case: &Case) -> bool {
        self.outcome.is_none_or(|outcome| outcome == case.outcome) && self.state.is_none_or(|state| state == case.state)
    }
}

fn wanted(op: &str, node: &Node<'_>) -> Stored<Wanted> {
    let outcome = text(node, "outcome").map(|word| CaseOutcome::of(&word).ok_or("/outcome")).transpose();
    let state = text(node, "state").map(|word| State::of(&word).ok_or("/state")).transpose();
    match (outcome, state) {
        (Ok(outcome), Ok(state)) => Ok(Wanted { outcome, state }),
        (Err(path), _) | (_, Err(path)) => Err(bad_request(op, path, "is not one that a case can have")),
    }
}

/// The cases of a page, and the id after which the next one begins.
async fn page(cases: &CaseService, filter: Filter, wanted: Wanted) -> Stored<(Vec<Case>, Option<String>)> {
    let limit = filter.limit;
    let (mut after, mut found) = (filter.after.clone(), Vec::<Case>::new());
    loop {
        let read = Filter { after: after.clone(), limit: limit + 1, ..filter.clone() };
        let rows = cases.run_blocking(move |store| store.page(&read)).await?.rows;
        let is_last = rows.len() <= limit;
        for row in rows {
            after = Some(row.case.id.clone());
            let case = shown(row);
            if !wanted.has(&case) {
                continue;
            }
            if found.len() == limit {
                let next = found.last().map(|c| c.id.clone());
                return Ok((found, next));
            }
            found.push(case);
        }
        if is_last {
            return Ok((found, None));
        }
    }
}
