//! The `case.*` operations, one file each, and submits that were not opened as cases.

mod direct_submit;
mod follow;
mod lookup;
mod notify;
mod open;
mod plan;
mod purge;
mod query;
mod reconcile;
mod resolve;
mod select_passengers;

use std::sync::Arc;

use super::reply::CaseReply;
use super::service::CaseService;
use super::store::{Stored, store_error};
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
            dispatch(context, cases, op, std::str::from_utf8(body).unwrap_or("{}")).await
        }
    };
    let meta = context.meta(context.requests);
    result.unwrap_or_else(CaseReply::error).into_reply(op.name, &meta)
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
        _ => Err(Error::new(ErrorCode::UnknownOperation, format!("{} is not a case operation", op.name))),
    }
}
