//! `case.stats`: how much there is to do, and what waits for a human.

use super::query::shown;
use crate::case::model::Case;
use crate::case::reply::CaseReply;
use crate::case::schedule::DAY;
use crate::case::service::CaseService;
use crate::case::store::{Filter, Stored};
use crate::case::vocabulary::{CaseOutcome, State};
use crate::unix_time::{Millis, format_rfc3339};

pub(super) async fn stats(cases: &CaseService) -> Stored<CaseReply> {
    let now = cases.now().await?.wall;
    let filter = Filter { open: Some(true), limit: usize::MAX >> 1, ..Filter::default() };
    let open = cases.run_blocking(move |store| store.page(&filter)).await?.rows;
    let due = cases.run_blocking(move |store| store.counts(now)).await?.due;
    let open: Vec<Case> = open.into_iter().map(shown).collect();
    let unknown = open.iter().filter(|case| case.outcome == CaseOutcome::Unknown).count();
    let stuck = open.iter().filter(|case| is_stuck(case, now)).count();
    let oldest = moment(open.iter().map(|case| case.created).min());
    let paused = moment(cases.paused_until().await?);
    let (per_second, wait) = cases.follow_budget().await?;
    let (burst, open) = (cases.follow_rate().burst, open.len());
    Ok(CaseReply::data(format!(
        "{{\"open\":{open},\"unknown\":{unknown},\"stuck\":{stuck},\"oldest\":{oldest},\"due\":{due},\
         \"budget\":{{\"perSecond\":{per_second},\"burst\":{burst},\"waitMs\":{wait}}},\"pausedUntil\":{paused}}}"
    )))
}

/// Cases that only somebody outside moves, and that nobody has moved for a day.
fn is_stuck(case: &Case, now: Millis) -> bool {
    match case.state {
        State::NeedsHuman => true,
        // A paced one counts from the moment at which it could go on.
        State::Planned | State::Quoting => case.due.unwrap_or(case.updated) + DAY <= now,
        _ => false,
    }
}

fn moment(at: Option<Millis>) -> String {
    at.map_or("null".to_owned(), |at| format!("\"{}\"", format_rfc3339(at)))
}
