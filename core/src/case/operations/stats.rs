//! `case.stats`: how much there is to do, and what waits for a human.

use super::lookup::shown;
use crate::case::model::Case;
use crate::case::reply::CaseReply;
use crate::case::schedule::DAY;
use crate::case::service::CaseService;
use crate::case::store::{Filter, Stored};
use crate::case::view::instant;
use crate::case::vocabulary::{CaseOutcome, State};
use crate::unix_time::Millis;
use crate::wire::{CaseBudget, CaseStatsReply, Number, to_json};

pub(super) async fn stats(cases: &CaseService) -> Stored<CaseReply> {
    let now = cases.now().await?.wall;
    let filter = Filter { open: Some(true), limit: usize::MAX >> 1, ..Filter::default() };
    let open = cases.run_blocking(move |store| store.page(&filter)).await?.rows;
    let due = cases.run_blocking(move |store| store.counts(now)).await?.due;
    let open: Vec<Case> = open.into_iter().map(shown).collect();
    let unknown = open.iter().filter(|case| case.outcome == CaseOutcome::Unknown).count();
    let stuck = open.iter().filter(|case| is_stuck(case, now)).count();
    let number = |n: usize| i64::try_from(n).ok().map(Into::into);
    let (per_second, wait) = cases.follow_budget().await?;
    let held = cases.run_blocking(|store| store.held_log()).await?;
    let mut reply = CaseReply::data(to_json(&CaseStatsReply {
        open: number(open.len()),
        unknown: number(unknown),
        stuck: number(stuck),
        oldest: open.iter().map(|case| case.created).min().map(instant),
        due: i64::try_from(due).ok().map(Into::into),
        budget: Some(CaseBudget {
            per_second: Number::from_f64(per_second),
            burst: Some(i64::from(cases.follow_rate().burst).into()),
            wait_ms: Some(wait.into()),
        }),
        paused_until: cases.paused_until().await?.map(instant),
    }));
    if let Some(bytes) = held {
        let message = format!(
            "the store's log has {} MB and cannot be emptied: a program keeps a transaction on the store open",
            bytes >> 20
        );
        reply.warnings.add("store_log_held", String::new(), message);
    }
    Ok(reply)
}

/// Whether only case.open or a human moves the case on, and neither did for a day.
fn is_stuck(case: &Case, now: Millis) -> bool {
    match case.state {
        State::NeedsHuman => true,
        // A paced one counts from the moment at which it could go on.
        State::Planned | State::Quoting => case.next_due().unwrap_or(case.updated) + DAY <= now,
        State::AwaitingPayment => case.paced_until.is_some_and(|until| until + DAY <= now),
        _ => false,
    }
}
