//! `case.unpause`: ends a pause that a Retry-After began. The lowered rate stays.

use crate::case::reply::CaseReply;
use crate::case::service::CaseService;
use crate::case::store::Stored;
use crate::wire::{CaseUnpauseReply, to_json};

pub(super) async fn unpause(cases: &CaseService) -> Stored<CaseReply> {
    let now = cases.now().await?.wall;
    let was_paused = cases.paused_until().await?.is_some();
    let rates = cases.rates();
    let made_due = cases.run_blocking(move |store| store.unpause(now, &rates)).await?;
    let cases = i64::try_from(made_due).ok().map(Into::into);
    Ok(CaseReply::data(to_json(&CaseUnpauseReply { was_paused: Some(was_paused), cases })))
}
