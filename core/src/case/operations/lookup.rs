//! Finding the case that a request names, and getting its lease.

use std::time::Duration;

use crate::case::engine::lease::{Owner, is_alive};
use crate::case::model::Case;
use crate::case::reply::CaseReply;
use crate::case::service::CaseService;
use crate::case::store::remnant::Remnant;
use crate::case::store::{Name, Row, Stored};
use crate::case::view;
use crate::case::vocabulary::{Kind, State};
use crate::error::{Advice, Error, ErrorCode, Outcome, Status};
use crate::exchange::context::CallContext;
use crate::json::Node;
use crate::unix_time::{Millis, boot_clock};

/// An error of a request field.
pub(super) fn bad_request(op: &str, path: &str, message: &str) -> Error {
    Error::at(ErrorCode::BadRequest, op, path, message)
}

/// A text that is there and not empty.
pub(super) fn text(node: &Node<'_>, key: &str) -> Option<String> {
    node.get(key).and_then(Node::as_str).filter(|t| !t.is_empty()).map(str::to_owned)
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

/// The reply of a call that failed and sent nothing. Earlier calls about this case may have: the outcome is the case's.
pub(super) async fn sent_nothing(cases: &CaseService, name: Name, error: Error) -> Stored<CaseReply> {
    let mut error = error;
    match cases.run_blocking(move |store| store.load(&name)).await {
        Ok(None) => Err(error),
        Ok(Some(row)) => {
            let case = shown(row);
            error.outcome = case.outcome.outcome();
            error.help = format!("This call sent nothing: {}. The case stands as `case` says.", error.message);
            Ok(CaseReply { error: Some(error), ..CaseReply::case(&case) })
        }
        Err(_) => {
            error.outcome = Outcome::Unknown;
            error.help = format!("This call sent nothing: {}. What earlier ones did cannot be read.", error.message);
            Err(error)
        }
    }
}

/// The error of an operation about one case that was not found or cannot be read: this store cannot say how it stands.
pub(super) fn cannot_say(mut error: Error) -> Error {
    if matches!(error.status, Status::NOT_FOUND | Status::STORE | Status::IO | Status::MEMORY) {
        error.outcome = Outcome::Unknown;
    }
    error
}

/// The JSON of a purged case.
#[derive(serde::Serialize)]
#[serde(rename_all = "camelCase")]
struct Remains<'r> {
    id: Option<&'r str>,
    key: &'r str,
    kind: Option<&'static str>,
    order_no: Option<&'r str>,
    outcome: Option<&'static str>,
    r#final: bool,
    purged: bool,
}

/// The reply about a case that was purged.
pub(super) fn remnant_reply(remnant: &Remnant) -> CaseReply {
    // Only what is left of it: the other keys of a case would say null where a value was.
    let json = serde_json::to_string(&Remains {
        id: remnant.id.as_deref(),
        key: &remnant.key,
        kind: remnant.kind.map(|kind| kind.word()),
        order_no: remnant.order_no.as_deref(),
        outcome: remnant.outcome.map(|outcome| outcome.word()),
        r#final: true,
        purged: true,
    })
    .unwrap_or_else(|_| "null".to_owned());
    let outcome = remnant.outcome.map_or(Outcome::Unknown, |outcome| outcome.outcome());
    CaseReply { outcome, case: Some(json.clone()), ..CaseReply::data(json) }
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
            let row = cases.run_blocking(move |store| store.load(&name)).await?.unwrap_or(row);
            let left = row.owner.as_ref().map_or(0, |(_, until)| until - boot_clock::now());
            return Ok(Err(Box::new(in_progress(&shown(row), "another process is driving this case", left))));
        }
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

/// The reply while another owner has the case: nothing is changed.
pub(super) fn in_progress(case: &Case, message: &str, retry_after: Millis) -> CaseReply {
    let mut error = Error::new(ErrorCode::InProgress, message);
    error.outcome = case.outcome.outcome();
    error.advice = Advice::Wait;
    error.next = Some("case.get");
    error.retryable = true;
    error.retry_after_ms = u64::try_from(retry_after).ok().filter(|ms| *ms > 0);
    error.help = format!("Nothing was changed: {message}. Look at it again in a moment.");
    CaseReply { error: Some(error), ..CaseReply::case(case) }
}

/// The case as it is shown: one whose sender is gone, or whose sender's lease is over, is unknown, also before anybody
/// reconciled it.
pub(super) fn shown(row: Row) -> Case {
    let is_driven = row.owner.as_ref().is_some_and(|(owner, until)| is_alive(owner, *until));
    if row.case.state == State::Sending && !is_driven { row.case.without_sender() } else { row.case }
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
    error.help = if other.closed && !other.watched && other.kind == Kind::Claim {
        format!("Nothing was sent. Case {id} has claimed this booking; to claim it again, name it in `after`.")
    } else if other.closed && !other.watched {
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
