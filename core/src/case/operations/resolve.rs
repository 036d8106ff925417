//! `case.resolve`: a human's verdict on a case that no query settles.

use super::lookup::{acquire_lease, bad_request, in_progress, load, release, text};
use crate::case::engine::driver::Driver;
use crate::case::engine::lease::{Owner, is_alive};
use crate::case::machine::event::{Event, Now};
use crate::case::machine::step;
use crate::case::model::Case;
use crate::case::reply::CaseReply;
use crate::case::service::CaseService;
use crate::case::store::{Name, Row, Stored, retention, store_error};
use crate::case::vendor::requests::CallData;
use crate::case::vocabulary::{CaseOutcome, State};
use crate::error::{Error, ErrorCode};
use crate::exchange::context::CallContext;
use crate::json::Node;
use crate::unix_time::{Millis, boot_clock};

const OP: &str = "case.resolve";

pub(super) async fn resolve(context: &mut CallContext, cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
    let given = |key: &str| text(node, key).filter(|t| !t.trim().is_empty());
    let executed = match given("as").as_deref() {
        Some("executed") => true,
        Some("not_executed") => false,
        _ => return Err(bad_request(OP, "/as", "must be executed or not_executed")),
    };
    let by = given("by").ok_or_else(|| bad_request(OP, "/by", "must say who"))?;
    let inside = |key: &str| node.get("evidence").and_then(|evidence| text(evidence, key));
    let evidence = given("evidence").or(inside("text")).or(inside("code"));
    let evidence =
        evidence.ok_or_else(|| bad_request(OP, "/evidence", "must say what it rests on: a text, or {text, code}"))?;
    let row = load(cases, Name::Id(text(node, "id").unwrap_or_default())).await?;
    // Nobody is waited for: what is true now is what the verdict is about.
    if let Some((_, until)) = row.owner.as_ref().filter(|(owner, until)| is_alive(owner, *until)) {
        let left = until - boot_clock::now();
        return Ok(in_progress(&row.case, "another process is driving this case", left));
    }
    // What is lost may have been sent.
    if let (false, Some(error)) = (executed, cases.run_blocking(|store| store.rewound()).await?) {
        let error = Error { outcome: row.case.outcome.outcome(), ..error };
        return Ok(CaseReply { error: Some(error), ..CaseReply::case(&row.case) });
    }
    let owner = Owner::new();
    let mut row = match acquire_lease(context, cases, &owner, row).await? {
        Ok(row) => row,
        Err(reply) => return Ok(*reply),
    };
    let now = Now { stamp: cases.now().await?, policy: cases.policy() };
    let found = row.case.clone();
    // Nobody sends any more, for this call has the lease: a stored reply outweighs a human's word.
    if let Some(event) = Driver::new(context, cases, &owner, CallData::default()).stored_answer(&row.case).await {
        row.case = step(row.case, event, &now).0;
    } else if row.case.state == State::Sending {
        row.case = step(row.case, Event::Drive, &now).0;
    }
    if !is_open_to_verdict(&row.case, executed, inside("code").is_some()) {
        let settled = row.case.last_step().map_or(row.case.outcome, |s| s.outcome).word();
        let error = Error::new(ErrorCode::Conflict, format!("the case is settled: {settled}"));
        let error = Error { outcome: row.case.outcome.outcome(), ..error };
        let reply = CaseReply { error: Some(error), ..CaseReply::case(&row.case) };
        keep(cases, &found, row).await?;
        return Ok(reply);
    }
    let settling = settle_time_left(&row.case, &now);
    if !executed && settling > 0 {
        let text = "the request may still be on its way until the settle time is over";
        let reply = in_progress(&row.case, text, settling);
        keep(cases, &found, row).await?;
        return Ok(reply);
    }
    let event = Event::Resolved { executed, by, text: evidence, code: inside("code") };
    let (case, _) = step(row.case, event, &now);
    row.case = case;
    let copy = row.clone();
    if cases.run_blocking(move |store| store.settle(&copy, &retention::strip)).await?.is_none() {
        return Err(store_error(ErrorCode::StoreBusy, "the case changed meanwhile; look at it and try again"));
    }
    Ok(CaseReply::case(&row.case))
}

/// Gives the lease back. What was seen stays: from when a sender was seen dead its settle time counts, and a stored
/// reply was read.
async fn keep(cases: &CaseService, found: &Case, row: Row) -> Stored<()> {
    if *found == row.case {
        release(cases, row).await;
        return Ok(());
    }
    cases.run_blocking(move |store| store.save(&row, None)).await.map(|_| ())
}

/// A proved outcome is not open to a verdict. But the code that a lost reply would have given may be added: without
/// it, the vendor may refuse the list.
fn is_open_to_verdict(case: &Case, executed: bool, has_code: bool) -> bool {
    let adds_code = executed && case.outcome == CaseOutcome::Executed && case.code.is_none() && has_code;
    match case.state {
        // Found absent, and still watched: a human may know better, or free the order.
        _ if case.watched => true,
        _ if case.closed => false,
        State::NeedsHuman => true,
        _ => matches!(case.outcome, CaseOutcome::Pending | CaseOutcome::Unknown) || adds_code,
    }
}

/// How long the last step, of which nothing is known, may still be on its way.
fn settle_time_left(case: &Case, now: &Now<'_>) -> Millis {
    let is_unknown = case.last_step().is_some_and(|step| step.outcome == CaseOutcome::Unknown);
    let passed = if is_unknown { case.settling_for(now.stamp) } else { None };
    passed.map_or(0, |passed| now.policy.settle - passed)
}
