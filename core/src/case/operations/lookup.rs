//! Finding the case that a request names, and getting its lease.

use std::time::Duration;

use crate::case::engine::lease::{Owner, is_alive};
use crate::case::model::Case;
use crate::case::reply::CaseReply;
use crate::case::service::CaseService;
use crate::case::store::remnant::Remnant;
use crate::case::store::{Name, Row, Stored};
use crate::case::view;
use crate::error::{Advice, Error, ErrorCode, Outcome};
use crate::exchange::context::CallContext;
use crate::json::{Node, write_str};

/// An error of a request field.
pub(super) fn bad_request(op: &str, path: &str, message: &str) -> Error {
    Error::at(ErrorCode::BadRequest, op, path, message)
}

/// A text that is there and not empty.
pub(super) fn text(node: &Node<'_>, key: &str) -> Option<String> {
    node.get(key).and_then(Node::as_str).filter(|t| !t.is_empty()).map(str::to_owned)
}

/// A text as JSON, or null.
pub(super) fn json_text(text: Option<&str>) -> String {
    let mut out = String::new();
    match text {
        Some(text) => write_str(text, &mut out),
        None => out.push_str("null"),
    }
    out
}

/// The case that a request names by `id` or `key`; None for `all`.
pub(super) fn selector(op: &str, node: &Node<'_>) -> Stored<Option<Name>> {
    let all = matches!(node.get("all"), Some(Node::Bool(true)));
    match (text(node, "id"), text(node, "key"), all) {
        (Some(id), None, false) => Ok(Some(Name::Id(id))),
        (None, Some(key), false) => Ok(Some(Name::Key(key))),
        (None, None, true) => Ok(None),
        _ => Err(bad_request(op, "", "must name one case by `id` or `key`, or `all`")),
    }
}

/// The named case.
pub(super) async fn load(cases: &CaseService, name: Name) -> Stored<Row> {
    cases
        .run_blocking(move |store| store.load(&name))
        .await?
        .ok_or_else(|| Error::new(ErrorCode::NotFound, "there is no such case in this store for this account"))
}

/// The reply about a case that was purged.
pub(super) fn remnant_reply(remnant: &Remnant) -> CaseReply {
    let text = |value: Option<&str>| json_text(value);
    let json = format!(
        "{{\"id\":{},\"key\":{},\"kind\":{},\"orderNo\":{},\"outcome\":{},\"final\":true,\"purged\":true}}",
        text(remnant.id.as_deref()),
        text(Some(&remnant.key)),
        text(remnant.kind.map(|kind| kind.word())),
        text(remnant.order_no.as_deref()),
        text(remnant.outcome.map(|outcome| outcome.word())),
    );
    let outcome = remnant.outcome.and_then(|outcome| outcome.outcome()).unwrap_or(Outcome::Unknown);
    CaseReply { outcome, ..CaseReply::case(json) }
}

/// Gets the lease of a case, waiting for a live owner until the deadline; else the reply that says so.
pub(super) async fn acquire_lease(
    context: &mut CallContext,
    cases: &CaseService,
    owner: &Owner,
    row: Row,
) -> Stored<Result<Row, Box<CaseReply>>> {
    let id = row.case.id.clone();
    let mut pause = Duration::from_millis(5);
    loop {
        let lease = owner.lease(context.time_left());
        let case_id = id.clone();
        if let Some(row) = cases.run_blocking(move |store| store.lease(&case_id, &lease, &is_alive)).await? {
            return Ok(Ok(row));
        }
        if context.limits().run(tokio::time::sleep(pause)).await.is_err() {
            let name = Name::Id(id.clone());
            let case = cases.run_blocking(move |store| store.load(&name)).await?.map_or(row.case, |r| r.case);
            return Ok(Err(Box::new(in_progress(&case))));
        }
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

fn in_progress(case: &Case) -> CaseReply {
    let mut error = Error::new(ErrorCode::InProgress, "another process is driving this case");
    error.outcome = Outcome::Unknown;
    error.advice = Advice::Wait;
    error.next = Some("case.get");
    error.retryable = true;
    error.help = "Another process is at work on this case. Look at it again in a moment.".to_owned();
    CaseReply { outcome: Outcome::Unknown, error: Some(error), ..CaseReply::case(view::json(case)) }
}

/// Gives a lease back without changing the case.
pub(super) async fn release(cases: &CaseService, row: Row) {
    let _ = cases.run_blocking(move |store| store.release(&row)).await;
}

/// The reply to a call that found a hold taken by `other`.
pub(super) fn conflict(other: &Case) -> (Error, String) {
    let (id, key, state) = (&other.id, &other.key, other.state.word());
    let mut error = Error::new(ErrorCode::Conflict, format!("case {id} (key {key}, {state}) holds this order"));
    error.advice = Advice::Wait;
    error.next = Some("case.get");
    error.help = if other.closed && !other.watched {
        format!("Nothing was sent. Case {id} has paid this order, and an order is paid once.")
    } else if other.closed {
        format!(
            "Nothing was sent. Case {id} was given up, but its effect may still show up; to go on all the same, open a case that names it in `after`, or settle it with case.resolve."
        )
    } else {
        format!("Nothing was sent. Follow case {id} to its end first.")
    };
    (error, view::json(other))
}
