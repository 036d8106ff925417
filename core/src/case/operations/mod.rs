//! The `case.*` operations, one file each, and submits that were not opened as cases.

mod adopt_account;
mod backup;
mod confirm_store;
mod direct_submit;
#[cfg(feature = "exploration")]
pub mod exploration;
#[cfg(feature = "exploration")]
pub mod exploration_store;
mod follow;
mod import;
mod lookup;
mod notify;
mod open;
mod plan;
mod purge;
mod query;
mod reconcile;
mod resolve;
mod select_passengers;
mod stats;
mod unpause;

use std::sync::Arc;

use super::reply::CaseReply;
use super::service::CaseService;
use super::store::{Name, Stored, store_error};
use crate::contract::operation::Operation;
use crate::error::{Error, ErrorCode};
use crate::exchange::context::CallContext;
use crate::json::Node;
use crate::reply::Reply;
pub(crate) use direct_submit::direct_submit;

/// Runs a case operation; `body` is the checked request.
pub(crate) async fn run(
    context: &mut CallContext,
    cases: Option<&Arc<CaseService>>,
    op: &'static Operation,
    body: &[u8],
) -> Reply {
    let result = match cases {
        None => {
            let message = format!("{} needs a store; configure `store`", op.name);
            Err(store_error(ErrorCode::StoreMissing, message))
        }
        Some(cases) => {
            // Connections to the store are open only during a call, so that a fork between calls is harmless.
            let _scope = cases.store().connection_scope();
            let refusal = cases.run_blocking(|store| Ok(store.refusal())).await.unwrap_or_else(Some);
            if !cases.is_real_time() && asks_vendor(op) {
                // By a test clock the pause of a Retry-After may be over.
                let _ = cases.pause_left().await;
            }
            match refusal.filter(|_| op.name != "case.adoptAccount") {
                Some(error) => Err(error),
                None => dispatch(context, cases, op, std::str::from_utf8(body).unwrap_or("{}")).await,
            }
        }
    };
    let meta = context.meta(context.requests);
    let result = result.map_err(|error| if is_about_one(op, body) { lookup::cannot_say(error) } else { error });
    let reply = result.unwrap_or_else(CaseReply::error).into_reply(op.name, &meta);
    match cases {
        Some(cases) => cases.with_warnings(reply, context),
        None => reply,
    }
}

/// The reply of a case operation that got no place in flight. Its outcome is the case's own, as ever.
pub(crate) async fn not_run(
    context: &CallContext,
    cases: Option<&Arc<CaseService>>,
    op: &'static Operation,
    body: &[u8],
    error: Error,
) -> Reply {
    let result = match (cases, named_case(body)) {
        (Some(cases), Some(name)) => {
            let _scope = cases.store().connection_scope();
            lookup::sent_nothing(cases, name, error).await
        }
        _ => Err(error),
    };
    result.unwrap_or_else(CaseReply::error).into_reply(op.name, &context.meta(0))
}

/// Whether an operation asks the vendor: then it takes a place in flight.
pub(crate) fn asks_vendor(op: &Operation) -> bool {
    matches!(op.name, "case.open" | "case.plan" | "case.reconcile" | "case.follow")
}

/// The case that a request names.
fn named_case(body: &[u8]) -> Option<Name> {
    let node = Node::parse(std::str::from_utf8(body).ok()?).ok()?;
    lookup::text(&node, "id").map(Name::Id).or_else(|| lookup::text(&node, "key").map(Name::Key))
}

/// Whether the call is about one case: its outcome is the case's own.
fn is_about_one(op: &Operation, body: &[u8]) -> bool {
    matches!(op.name, "case.get" | "case.reconcile" | "case.follow" | "case.resolve") && named_case(body).is_some()
}

async fn dispatch(
    context: &mut CallContext,
    cases: &CaseService,
    op: &'static Operation,
    body: &str,
) -> Stored<CaseReply> {
    let node = Node::parse(body).unwrap_or(Node::Null);
    match op.name {
        "case.open" => open::open(context, cases, body).await,
        "case.plan" => plan::plan(context, cases, &node).await,
        "case.get" => query::get(cases, &node).await,
        "case.list" => query::list(cases, &node).await,
        "case.export" => query::export(cases, &node).await,
        "case.reconcile" => reconcile::reconcile(context, cases, &node).await,
        "case.follow" => follow::follow(context, cases, &node).await,
        "case.notify" => notify::notify(cases, &node).await,
        "case.resolve" => resolve::resolve(context, cases, &node).await,
        "case.purge" => purge::purge(cases, &node).await,
        "case.stats" => stats::stats(cases).await,
        "case.backup" => backup::backup(cases, &node).await,
        "case.import" => import::import(cases, &node).await,
        "case.unpause" => unpause::unpause(cases).await,
        "case.adoptAccount" => adopt_account::adopt_account(cases, &node).await,
        "case.confirmStore" => confirm_store::confirm_store(cases, &node).await,
        _ => Err(Error::new(ErrorCode::UnknownOperation, format!("{} is not a case operation", op.name))),
    }
}
