//! `case.unpause`: ends a pause that a Retry-After began. The lowered rate stays.

use crate::case::reply::CaseReply;
use crate::case::service::CaseService;
use crate::case::store::Stored;

pub(super) async fn unpause(cases: &CaseService) -> Stored<CaseReply> {
    let now = cases.now().await?.wall;
    let was_paused = cases.paused_until().await?.is_some();
    let rates = cases.rates();
    let made_due = cases.run_blocking(move |store| store.unpause(now, &rates)).await?;
    Ok(CaseReply::data(format!("{{\"wasPaused\":{was_paused},\"cases\":{made_due}}}")))
}
