//! `case.open`: starts a case or resumes the one with the same key.

use super::lookup::{acquire_lease, conflict, release};
use super::select_passengers;
use crate::case::engine::driver::{DriveResult, Driver};
use crate::case::engine::lease::Owner;
use crate::case::id::new_id;
use crate::case::machine::event::Event;
use crate::case::model::Case;
use crate::case::open_request;
use crate::case::reply::{CaseReply, error_of};
use crate::case::service::CaseService;
use crate::case::store::{Claim, Name, Stored, store_error};
use crate::case::vendor::requests::CallData;
use crate::case::view;
use crate::error::{Advice, Error, ErrorCode, Outcome, Status};
use crate::exchange::context::CallContext;
use crate::json::Node;
use crate::reply::Reply;
use crate::unix_time;
use crate::wire::Warnings;

pub(super) async fn open(context: &mut CallContext, cases: &CaseService, body: &str) -> Stored<CaseReply> {
    let key = Node::parse(body).ok().and_then(|n| n.get("key").and_then(Node::as_str).map(str::to_owned));
    let mut error = match start(context, cases, body).await {
        Err(error) if error.outcome == Outcome::NotExecuted && error.status != Status::REQUEST => error,
        result => return result,
    };
    // This call sent nothing. Earlier calls with this key may have: the reply says how their case stands.
    let name = Name::Key(key.unwrap_or_default());
    match cases.run_blocking(move |store| store.load(&name)).await {
        Ok(None) => Err(error),
        Ok(Some(row)) if row.case.steps.is_empty() => Err(error),
        Ok(Some(row)) => {
            error.outcome = row.case.outcome.outcome().unwrap_or(Outcome::Unknown);
            error.help = format!("This call sent nothing: {}. The case stands as `case` says.", error.message);
            Ok(CaseReply { case: Some(view::json(&row.case)), ..CaseReply::error(error) })
        }
        Err(_) => {
            error.outcome = Outcome::Unknown;
            error.help = format!(
                "This call sent nothing: {}. What earlier ones with this key did cannot be read.",
                error.message
            );
            Err(error)
        }
    }
}

async fn start(context: &mut CallContext, cases: &CaseService, body: &str) -> Stored<CaseReply> {
    let stamp = cases.now().await?;
    let (request, mut case) = open_request::read(body, new_id(unix_time::now())?, stamp)?;
    select_passengers::select(context, cases, body, &request, &mut case).await?;
    let payment = request.body.payment.as_ref();
    let method = payment.and_then(|p| p.payment_method.as_ref()).and_then(|m| m.number());
    let has_card = payment.is_some_and(|p| p.credit_card.is_some());
    case.run.may_send = true;
    case.run.can_pay = method.is_some_and(|m| has_card || !matches!(m, 3 | 5));
    let (run, content, after) = (case.run, case.content.clone(), request.body.after.clone());
    let owner = Owner::new();
    let lease = owner.lease(context.time_left());
    let claim = cases.run_blocking(move |store| store.claim(&case, &lease, after.as_deref())).await?;
    let mut row = match claim {
        Claim::New(row) => row,
        Claim::Known(row) if row.case.content != content => return Ok(key_reused(&row.case)),
        Claim::Known(row) => match acquire_lease(context, cases, &owner, row).await? {
            Ok(row) => row,
            Err(reply) => return Ok(*reply),
        },
        Claim::Held(other) => {
            let (error, case) = conflict(&other);
            return Ok(CaseReply { case: Some(case), ..CaseReply::error(error) });
        }
        Claim::Purged => {
            let mut error = Error::new(ErrorCode::KeyReused, "the key belonged to a case that was purged");
            error.help = "Keys mean one case for ever. Use another key for another case.".to_owned();
            return Err(error);
        }
    };
    if row.case.closed && !row.case.watched {
        release(cases, row.clone()).await;
        return Ok(opened(&row.case, None));
    }
    row.case.run = run;
    let id = row.case.id.clone();
    let mut driver = Driver::new(context, cases, &owner, CallData { request, ..CallData::default() });
    let driven = driver.drive(row, Event::Drive).await;
    let (last, submitted) = (driver.last.take(), driver.submitted);
    match driven {
        Ok(DriveResult::Stored(row)) => Ok(opened(&row.case, last)),
        // The new owner of the lease goes on with the case; this call can only report its state.
        Ok(DriveResult::LeaseLost) => match cases.run_blocking(move |store| store.load(&Name::Id(id))).await? {
            Some(row) => Ok(opened(&row.case, None)),
            None => Err(store_error(ErrorCode::StoreIo, "the case is gone from the store")),
        },
        Err(error) => Err(store_failed(error, submitted)),
    }
}

/// The store failed. Before the intent was stored nothing was sent; after that the vendor's answer counts, if there
/// was one.
fn store_failed(mut error: Error, submitted: Option<Outcome>) -> Error {
    if let Some(outcome) = submitted.filter(|o| *o != Outcome::NotExecuted) {
        error.outcome = outcome;
        error.advice = Advice::Reconcile;
        error.next = Some("case.reconcile");
        error.retryable = false;
        let effect = if outcome == Outcome::Executed { "It happened" } else { "It may have happened" };
        error.help = format!("{effect}, but {}. Open the case again with the same key.", error.message);
    }
    error
}

/// The reply of an opened case.
fn opened(case: &Case, last: Option<Reply>) -> CaseReply {
    let error = error_of(case, last.as_ref());
    let mut warnings = Warnings::default();
    if case.adopted && error.is_none() {
        let message = "it had been submitted before, not by this case, which follows it";
        warnings.add("adopted", "/adopted".to_owned(), message);
    }
    let settled = case.outcome.outcome();
    // While the case is pending, the last submit decides: an order that waits for its payment does exist.
    let outcome = settled.or(case.last_step().and_then(|s| s.outcome.outcome())).unwrap_or(Outcome::NotExecuted);
    let outcome = error.as_ref().map_or(outcome, |e| e.outcome);
    CaseReply { outcome, error, last, warnings, ..CaseReply::case(view::json(case)) }
}

fn key_reused(case: &Case) -> CaseReply {
    let mut error = Error::new(ErrorCode::KeyReused, format!("the key belongs to case {} with other content", case.id));
    error.help = "A key means one case for ever. Open this case with its own content, or use another key.".to_owned();
    CaseReply { case: Some(view::json(case)), ..CaseReply::error(error) }
}
