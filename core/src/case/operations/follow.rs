//! `case.follow`: queries the cases that are due, within the follow-up's budget. Submits nothing.

use std::time::Duration;

use super::lookup::{bad_request, load, release, selector, shown};
use crate::case::engine::driver::{PollBudget, poll};
use crate::case::engine::lease::{Owner, is_alive};
use crate::case::reply::CaseReply;
use crate::case::schedule::is_due;
use crate::case::service::CaseService;
use crate::case::store::{Counts, Name, Stored};
use crate::case::view;
use crate::exchange::context::CallContext;
use crate::json::Node;
use crate::unix_time::Millis;
use crate::wire::{CaseBudget, CaseFollowReply, Number, to_json};

/// How many due cases are read from the store at once.
const BATCH: usize = 64;
/// What is kept of the call's deadline for the reply itself.
const REPLY_TIME: Duration = Duration::from_millis(200);

pub(super) async fn follow(context: &mut CallContext, cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
    const OP: &str = "case.follow";
    let until_final = match node.get("until").and_then(Node::as_str) {
        None | Some("step") => false,
        Some("final") => true,
        Some(_) => return Err(bad_request(OP, "/until", "must be step or final")),
    };
    let limit = match node.get("timeoutMs") {
        Some(Node::Num(ms)) => {
            Duration::from_millis(ms.parse().map_err(|_| bad_request(OP, "/timeoutMs", "must be from 0"))?)
        }
        _ if until_final => Duration::from_secs(30),
        _ => Duration::ZERO,
    };
    let which = match selector(OP, node)? {
        Some(name) => Some(load(cases, name).await?.case.id),
        None => None,
    };
    let until = tokio::time::Instant::now() + limit.min(context.time_left().saturating_sub(REPLY_TIME));
    let mut done = 0u64;
    loop {
        let now = cases.now().await?.wall;
        let (polled, exhausted) = pass(context, cases, which.clone(), now, until, until_final).await?;
        done += polled;
        let counts = counts(cases, which.clone()).await?;
        let nothing_left = counts.open == 0 || (counts.next.is_none() && polled == 0);
        let enough = if until_final { nothing_left } else { polled > 0 || nothing_left };
        if enough || exhausted && !until_final || tokio::time::Instant::now() >= until || context.is_cancelled() {
            return progress(cases, which, done, counts).await;
        }
        let wait = match counts.next {
            Some(next) if cases.is_real_time() => next - cases.now().await?.wall,
            // A test clock may move at any moment.
            _ => 20,
        };
        let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0))
            .clamp(Duration::from_millis(5), Duration::from_secs(1));
        tokio::time::sleep_until((tokio::time::Instant::now() + wait).min(until)).await;
    }
}

/// Polls what is due. Gives how many cases were polled, and whether budget or time ended the pass.
async fn pass(
    context: &mut CallContext,
    cases: &CaseService,
    which: Option<String>,
    now: Millis,
    until: tokio::time::Instant,
    until_final: bool,
) -> Stored<(u64, bool)> {
    let ids = match &which {
        Some(id) => {
            let case = load(cases, Name::Id(id.clone())).await?.case;
            if case.due.is_some_and(|due| is_due(due, now)) { vec![id.clone()] } else { Vec::new() }
        }
        None => cases.run_blocking(move |store| store.due(now, BATCH, &is_alive)).await?,
    };
    let (mut polled, mut failed) = (0, None);
    for id in ids {
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        // A single pass takes what the budget gives without waiting, however long the queries take.
        let is_over = if until_final { polled > 0 && left.is_zero() } else { context.time_left().is_zero() };
        if context.is_cancelled() || is_over {
            return Ok((polled, true));
        }
        let owner = Owner::new();
        let lease = owner.lease(context.time_left());
        // A case with a live owner is skipped.
        let case_id = id.clone();
        let Some(row) = cases.run_blocking(move |store| store.lease(&case_id, &lease, &is_alive)).await? else {
            continue;
        };
        let wait = cases.try_acquire_follow(left).await?;
        if context.limits().sleep_for_budget(wait).await.is_err() {
            release(cases, row).await;
            return Ok((polled, true));
        }
        // An error of one case must not keep the others waiting.
        match poll(context, cases, &owner, row, PollBudget::FollowPaid).await {
            Ok(_) => polled += 1,
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) if polled == 0 => Err(error),
        _ => Ok((polled, false)),
    }
}

async fn counts(cases: &CaseService, which: Option<String>) -> Stored<Counts> {
    let now = cases.now().await?.wall;
    match which {
        None => cases.run_blocking(move |store| store.counts(now)).await,
        Some(id) => {
            let case = load(cases, Name::Id(id)).await?.case;
            let due = case.due.is_some_and(|due| is_due(due, now));
            Ok(Counts { due: u64::from(due), open: u64::from(!case.closed), next: case.due })
        }
    }
}

async fn progress(cases: &CaseService, which: Option<String>, done: u64, counts: Counts) -> Stored<CaseReply> {
    let (per_second, wait) = cases.follow_budget().await?;
    let number = |n: u64| i64::try_from(n).ok().map(Into::into);
    let data = to_json(&CaseFollowReply {
        done: number(done),
        due: number(counts.due),
        open: number(counts.open),
        next_due_at: counts.next.map(view::instant),
        budget: Some(CaseBudget {
            per_second: Number::from_f64(per_second),
            burst: Some(i64::from(cases.follow_rate().burst).into()),
            wait_ms: Some(wait.into()),
        }),
    });
    let case = match which {
        Some(id) => shown(load(cases, Name::Id(id)).await?),
        None => return Ok(CaseReply::data(data)),
    };
    Ok(CaseReply { data, ..CaseReply::case(&case) })
}
