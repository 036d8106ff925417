//! `case.reconcile`: asks the vendor now about one case, or about all whose outcome is unknown. Submits nothing.

use super::lookup::{acquire_lease, load, release, selector, shown};
use crate::case::engine::driver::{PollBudget, poll};
use crate::case::engine::lease::{Owner, is_alive};
use crate::case::machine::doubt;
use crate::case::machine::event::Now;
use crate::case::model::Case;
use crate::case::reply::CaseReply;
use crate::case::service::CaseService;
use crate::case::store::{Filter, Name, Row, Stored};
use crate::case::vocabulary::{CaseOutcome, State};
use crate::exchange::context::CallContext;
use crate::json::Node;

/// How many cases are read from the store at once.
const BATCH: usize = 64;

pub(super) async fn reconcile(context: &mut CallContext, cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
    let Some(name) = selector("case.reconcile", node)? else { return reconcile_all(context, cases).await };
    let row = load(cases, name).await?;
    let owner = Owner::new();
    let row = match acquire_lease(context, cases, &owner, row).await? {
        Ok(row) => row,
        Err(reply) => return Ok(*reply),
    };
    let id = row.case.id.clone();
    let unread = row.case.last_step().is_some_and(|step| step.abandoned);
    if row.case.closed && !row.case.watched && !unread {
        let reply = CaseReply::case(&row.case);
        release(cases, row).await;
        return Ok(reply);
    }
    let case = match ask(context, cases, &owner, row, PollBudget::Requests).await? {
        Some(case) => case,
        None => shown(load(cases, Name::Id(id)).await?),
    };
    Ok(CaseReply::case(&case))
}

/// Asks the vendor about one case. In a rewound store a planned case with a step may have been sent again since.
async fn ask(
    context: &mut CallContext,
    cases: &CaseService,
    owner: &Owner,
    row: Row,
    budget: PollBudget,
) -> Stored<Option<Case>> {
    let mut row = row;
    let may_have_left = matches!(row.case.state, State::Planned | State::Quoting) && !row.case.steps.is_empty();
    if may_have_left && cases.run_blocking(|store| store.rewound()).await?.is_some() {
        doubt(&mut row.case, &Now { stamp: cases.now().await?, policy: cases.policy() });
    }
    poll(context, cases, owner, row, budget).await
}

async fn reconcile_all(context: &mut CallContext, cases: &CaseService) -> Stored<CaseReply> {
    let (mut asked, mut settled, mut unknown) = (0u64, 0u64, 0u64);
    // Before a rewound store is confirmed, these are asked about as well.
    let mut ids = cases.run_blocking(|store| store.to_be_asked()).await?;
    let mut after = None;
    loop {
        let filter = Filter { unknown: true, limit: BATCH, after: after.clone(), ..Filter::default() };
        let page = cases.run_blocking(move |store| store.list(&filter)).await?;
        let Some(last) = page.last() else { break };
        after = Some(last.id.clone());
        ids.extend(page.into_iter().map(|case| case.id));
    }
    ids.sort();
    ids.dedup();
    for id in ids {
        if context.time_left().is_zero() {
            unknown += 1;
            continue;
        }
        let owner = Owner::new();
        let lease = owner.lease(context.time_left());
        let Some(row) = cases.run_blocking(move |store| store.lease(&id, &lease, &is_alive)).await? else {
            unknown += 1;
            continue;
        };
        asked += 1;
        match ask(context, cases, &owner, row, PollBudget::Follow).await? {
            Some(case) if case.outcome != CaseOutcome::Unknown => settled += 1,
            _ => unknown += 1,
        }
    }
    Ok(CaseReply::data(format!("{{\"asked\":{asked},\"settled\":{settled},\"unknown\":{unknown}}}")))
}
