//! `case.open`: starts a case or resumes the one with the same key.

use super::lookup::{acquire_lease, conflict, release, remnant_reply, sent_nothing, shown, text};
use super::select_passengers;
use crate::case::engine::driver::{DriveResult, Driver};
use crate::case::engine::lease::Owner;
use crate::case::error::StoredError;
use crate::case::id::new_id;
use crate::case::machine::event::Event;
use crate::case::model::{Case, Evidence, Run};
use crate::case::open_request::{self, OpenRequest};
use crate::case::reply::{CaseReply, error_of};
use crate::case::schedule::MINUTE;
use crate::case::service::CaseService;
use crate::case::store::{Claim, Name, Row, Stored, store_error};
use crate::case::vendor::requests::CallData;
use crate::case::view;
use crate::case::vocabulary::{CaseOutcome, State, Strength};
use crate::error::{Advice, Detail, Error, ErrorCode, Outcome, Status};
use crate::exchange::context::CallContext;
use crate::json::Node;
use crate::reply::Reply;
use crate::unix_time::{self, Millis};
use crate::wire::Warnings;

pub(super) async fn open(context: &mut CallContext, cases: &CaseService, body: &str) -> Stored<CaseReply> {
    let error = match start(context, cases, body).await {
        Err(error) if error.outcome == Outcome::NotExecuted && error.status != Status::REQUEST => error,
        result => return result,
    };
    let node = Node::parse(body).unwrap_or(Node::Null);
    let name = Name::Key(text(&node, "key").unwrap_or_default());
    let is_rewound = matches!(error.code, ErrorCode::StoreRewound | ErrorCode::StoreMoved);
    match sent_nothing(cases, name, error).await {
        Err(mut error) if is_rewound => {
            error.outcome = Outcome::Unknown;
            error.help = format!("{} What was sent with this key before is not known.", error.help);
            Err(error)
        }
        reply => reply,
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
    case.run.payment_method = method;
    case.run.can_pay = method.is_some_and(|m| has_card || !matches!(m, 3 | 5));
    case.after = request.body.after.clone();
    let owner = Owner::new();
    let lease = owner.lease(context.time_left());
    let new = case.clone();
    let claim = cases.run_blocking(move |store| store.claim(&new, &lease)).await?;
    let mut warnings = Warnings::default();
    let row = match claim {
        Claim::New(row) => row,
        Claim::Known(row) => match resume(context, cases, &owner, row, &case, &request, &mut warnings).await? {
            Ok(row) => row,
            Err(mut reply) => {
                reply.warnings.0.extend(warnings.0);
                return Ok(*reply);
            }
        },
        Claim::Held(other) => {
            let (error, case) = conflict(&other);
            return Ok(CaseReply { case: Some(case), ..CaseReply::error(error) });
        }
        Claim::Purged(remnant) if request.is_content_of(&remnant.case(), &case.content) => {
            return Ok(remnant_reply(&remnant));
        }
        Claim::Purged(_) => {
            let mut error = Error::new(ErrorCode::KeyReused, "the key belongs to a case that was purged");
            error.help = "Keys mean one case for ever. Use another key for another case.".to_owned();
            return Err(error);
        }
    };
    let reply = go_on(context, cases, &owner, row, case.run, request).await?;
    warnings.0.extend(reply.warnings.0);
    Ok(CaseReply { warnings, ..reply })
}

/// Drives the case as far as it goes now.
async fn go_on(
    context: &mut CallContext,
    cases: &CaseService,
    owner: &Owner,
    mut row: Row,
    run: Run,
    request: OpenRequest,
) -> Stored<CaseReply> {
    row.case.run = run;
    row.case.requoted = false;
    // Only what may send is kept back: a case that was sent is asked about.
    let waits = !row.case.closed && row.case.may_send_more();
    if let Some(left) = cases.pause_left().await?.filter(|_| waits) {
        release(cases, row.clone()).await;
        return Ok(paused(&row.case, left));
    }
    let id = row.case.id.clone();
    let mut driver = Driver::new(context, cases, owner, CallData { request, ..CallData::default() });
    let driven = driver.drive(row, Event::Drive).await;
    let (last, submitted) = (driver.last.take(), driver.submitted);
    match driven {
        Ok(DriveResult::Stored(row)) => opened(cases, &row.case, last).await,
        Ok(DriveResult::LeaseLost) => overtaken(&mut driver, cases, &id).await,
        Err(error) => Err(store_failed(error, submitted)),
    }
}

/// The reply of a call whose lease another process took. What the vendor answered to this call's own submit is the
/// case's; a request without an answer is unknown, whatever the new owner found out so far.
async fn overtaken(driver: &mut Driver<'_>, cases: &CaseService, id: &str) -> Stored<CaseReply> {
    let has_sent = driver.submitted.is_some();
    if let Some(row) = driver.report_own_reply(id).await? {
        return opened(cases, &row.case, None).await;
    }
    let name = Name::Id(id.to_owned());
    let Some(row) = cases.run_blocking(move |store| store.load(&name)).await? else {
        // The store was replaced meanwhile: what this call sent is known to it alone.
        let error = store_error(ErrorCode::StoreIo, "the case is gone from the store");
        return Err(store_failed(error, driver.submitted));
    };
    let mut case = shown(row);
    if has_sent && case.outcome != CaseOutcome::Executed {
        case = case.without_sender();
        case.error.get_or_insert_with(|| {
            StoredError::new(ErrorCode::Io, "another process took the case over while this one was sending")
        });
    }
    opened(cases, &case, None).await
}

/// Goes on with the case of a known key, whose lease this call gets; else the reply.
async fn resume(
    context: &mut CallContext,
    cases: &CaseService,
    owner: &Owner,
    row: Row,
    fresh: &Case,
    request: &OpenRequest,
    warnings: &mut Warnings,
) -> Stored<Result<Row, Box<CaseReply>>> {
    if !request.is_content_of(&row.case, &fresh.content) && row.case.is_bound() {
        return Ok(Err(Box::new(key_reused(&shown(row)))));
    }
    // A live opener is waited for: until it is done, nobody knows whether the key is bound.
    let mut row = match acquire_lease(context, cases, owner, row).await? {
        Ok(row) => row,
        Err(reply) => return Ok(Err(reply)),
    };
    let is_same = request.is_content_of(&row.case, &fresh.content);
    if !is_same && !row.case.starts_over() {
        release(cases, row.clone()).await;
        return Ok(Err(Box::new(key_reused(&row.case))));
    }
    let now = cases.now().await?;
    if let Some(left) = pause_left(&row.case, now.wall, cases.policy().retry_after_max) {
        release(cases, row.clone()).await;
        return Ok(Err(Box::new(paused(&row.case, left))));
    }
    let given = request.body.expect.as_ref().map(|_| &fresh.expect);
    if let Some(expect) = given.filter(|expect| **expect != row.case.expect) {
        if row.case.may_send_more() {
            row.case.expect = expect.clone();
        } else {
            let message = "the last step may have been sent: `expect` of this call has no effect any more";
            warnings.add("expect_unused", "/expect".to_owned(), message);
        }
    }
    if row.case.may_send_more() && request.body.after.is_some() {
        row.case.after.clone_from(&request.body.after);
    }
    let again = match () {
        () if row.case.starts_over() => start_over(&row.case, fresh, is_same, now.wall),
        () if row.case.may_try_again() => next_attempt(&row.case, fresh),
        () => {
            let unread = row.case.last_step().is_some_and(|step| step.abandoned);
            if row.case.closed && !row.case.watched && !unread {
                release(cases, row.clone()).await;
                return Ok(Err(Box::new(opened(cases, &row.case, None).await?)));
            }
            return Ok(Ok(row));
        }
    };
    if !is_same {
        warnings.add("amended", "/key".to_owned(), "the key was not bound: its case starts over with this content");
    }
    let (again, lease) = (Row { case: again, ..row.clone() }, owner.lease(context.time_left()));
    match cases.run_blocking(move |store| store.reclaim(&again, &lease)).await? {
        Some(Claim::Known(row)) => Ok(Ok(row)),
        Some(Claim::Held(other)) => {
            // The old content stands.
            warnings.0.clear();
            release(cases, row.clone()).await;
            Ok(Err(Box::new(held(&row.case, &other))))
        }
        _ => Err(store_error(ErrorCode::StoreBusy, "the case changed meanwhile; look at it and try again")),
    }
}

/// A case whose key is not bound, from the start: with the content of this call.
pub(super) fn start_over(old: &Case, fresh: &Case, is_same: bool, now: Millis) -> Case {
    let mut evidence = old.evidence.clone();
    if !is_same {
        let order = old.order_no.as_deref().unwrap_or("no order");
        let what = format!("amended: it was a {} of {order} before", old.kind.word());
        evidence.push(Evidence { at: now, what, strength: Strength::Weak });
    }
    Case { id: old.id.clone(), created: old.created, evidence, ..fresh.clone() }
}

/// A case that ended by a refusal before its next attempt, which takes its holds anew.
pub(super) fn next_attempt(old: &Case, fresh: &Case) -> Case {
    let mut case = Case {
        holds: fresh.holds.clone(),
        after: fresh.after.clone().or(old.after.clone()),
        positions: fresh.positions.clone(),
        partial: fresh.partial,
        error: None,
        closed: false,
        ..old.clone()
    };
    (case.state, case.outcome) = (State::Planned, CaseOutcome::Pending);
    case
}

/// What is left of the pause that the vendor wants. No pause is longer than the longest: a wrong clock wrote it.
pub(super) fn pause_left(case: &Case, now: Millis, longest: Millis) -> Option<Millis> {
    let waits = !case.closed && matches!(case.state, State::Planned | State::AwaitingPayment);
    let left = case.paced_until.filter(|_| waits)? - now;
    (left > 0 && left <= longest.max(MINUTE)).then_some(left)
}

/// The reply before the end of a pause: nothing was asked, and nothing sent.
fn paused(case: &Case, left: Millis) -> CaseReply {
    let mut error = Error::new(ErrorCode::RateLimited, "the vendor wants a pause before the next attempt");
    error.outcome = case.outcome.outcome();
    error.advice = Advice::Wait;
    error.retryable = true;
    error.retry_after_ms = u64::try_from(left).ok();
    error.help = "Nothing was sent. Open the case again after retryAfterMs.".to_owned();
    CaseReply { error: Some(error), ..CaseReply::case(case) }
}

/// The reply when a case of this key exists, and another one has a hold that it needs.
fn held(case: &Case, other: &Case) -> CaseReply {
    let (mut error, _) = conflict(other);
    error.outcome = case.outcome.outcome();
    let message = format!("case {} (key {}, {})", other.id, other.key, other.state.word());
    error.details = vec![Detail::of("/orderNo", message)];
    CaseReply { error: Some(error), ..CaseReply::case(case) }
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
async fn opened(cases: &CaseService, case: &Case, last: Option<Reply>) -> Stored<CaseReply> {
    let mut error = error_of(case, last.as_ref());
    let mut warnings = Warnings::default();
    if case.adopted && error.is_none() {
        let message = "it had been submitted before, not by this case, which follows it";
        warnings.add("adopted", "/adopted".to_owned(), message);
    }
    if case.run.foreign_unchecked && case.is_bound() {
        let message = "the vendor does not list the booking's orders: whether somebody else has bought is not known";
        warnings.add("foreign_unchecked", "/orderNo".to_owned(), message);
    }
    if case.pays_directly() {
        let message = "its payment was not executed, and only a direct `pay` of the order that it made pays it";
        warnings.add("pay_directly", "/case/code".to_owned(), message);
    }
    if let (Some(error), Some(_)) = (&mut error, case.paced_until) {
        let left = pause_left(case, cases.now().await?.wall, cases.policy().retry_after_max);
        error.retry_after_ms = left.and_then(|left| u64::try_from(left).ok());
    }
    Ok(CaseReply { error, last, warnings, ..CaseReply::case(case) })
}

fn key_reused(case: &Case) -> CaseReply {
    let mut error = Error::new(ErrorCode::KeyReused, format!("the key belongs to case {} with other content", case.id));
    error.help = "A key means one case for ever. Open this case with its own content, or use another key.".to_owned();
    CaseReply { case: Some(view::json(case)), ..CaseReply::error(error) }
}
