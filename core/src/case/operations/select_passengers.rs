//! The passengers of a request, before a hold is taken: without the vendor where the key is bound, else from the order
//! as it is now.

use crate::case::engine::driver::Driver;
use crate::case::engine::lease::Owner;
use crate::case::error::StoredError;
use crate::case::machine::event::{Answer, Refusal};
use crate::case::model::Case;
use crate::case::open_request::OpenRequest;
use crate::case::service::CaseService;
use crate::case::store::{Name, Stored, store_error};
use crate::case::vendor::requests::{self, CallData};
use crate::case::vocabulary::{CaseOutcome, Kind, Query, State};
use crate::error::{Error, ErrorCode};
use crate::exchange::context::CallContext;

/// Sets positions, content and holds of a case that is about to be claimed; gives whether it may go on. Passengers that
/// cannot be asked for make it a refused case, which holds nothing. Where the order cannot be read now, the case waits;
/// if it never was read, it holds everybody.
pub(super) async fn select(
    context: &mut CallContext,
    cases: &CaseService,
    body: &str,
    request: &OpenRequest,
    case: &mut Case,
) -> Stored<bool> {
    if let (Some(offer), Some(order), Kind::Refund) = (case.offer_id.clone(), case.order_no.clone(), case.kind) {
        // The content stays the offer: for how long it is remembered must not matter.
        let known = cases.run_blocking(move |store| store.known_offer(&offer)).await?;
        case.set_passengers(known.filter(|known| known.order_no == order).and_then(|known| known.positions));
        return Ok(true);
    }
    let Some(order) = case.order_no.clone().filter(|_| !request.asked.is_empty()) else { return Ok(true) };
    let key = Name::Key(case.key.clone());
    let (is_bound, known) = cases
        .run_blocking(move |store| {
            let row = store.load(&key)?;
            let is_bound = row.is_some_and(|row| row.case.is_bound()) || store.purged(&key)?.is_some();
            Ok((is_bound, store.order_passengers(&order)?))
        })
        .await?;
    let by_store = known.as_ref().and_then(|known| known.positions(&request.asked));
    if is_bound {
        apply(case, body, request, by_store);
        return Ok(true);
    }
    let owner = Owner::new();
    let mut driver = Driver::new(context, cases, &owner, CallData::default());
    let refusal = match driver.query(case, Query::Order).await {
        Answer::Order(_) => None,
        Answer::Refused(refusal) => Some(refusal),
        _ => Some(later(StoredError::new(ErrorCode::BadResponse, "the order could not be read"))),
    };
    if let Some(refusal) = refusal {
        apply(case, body, request, by_store);
        case.error = Some(refusal.error.clone());
        if !refusal.passing {
            refused(case, refusal.error);
        }
        return Ok(false);
    }
    let today = requests::today(driver.call_data());
    let Some(known) = driver.call_data().known.clone() else {
        return Err(store_error(ErrorCode::StoreIo, "the order's passengers could not be stored"));
    };
    match known.select(&request.asked, &today, case.kind == Kind::Refund) {
        Ok(selection) => apply(case, body, request, Some(selection.positions)),
        Err(error) => {
            apply(case, body, request, known.positions(&request.asked));
            refused(case, error);
        }
    }
    Ok(true)
}

fn later(error: StoredError) -> Refusal {
    Refusal { passing: true, ..Refusal::lasting(error) }
}

/// Before anything was sent or held.
fn refused(case: &mut Case, error: StoredError) {
    (case.error, case.outcome, case.state) = (Some(error), CaseOutcome::NotExecuted, State::Refused);
    case.closed = true;
    case.holds.clear();
}

/// `positions`: empty for everybody, None where they are not known.
fn apply(case: &mut Case, body: &str, request: &OpenRequest, positions: Option<Vec<usize>>) {
    case.content = request.content_of(body, positions.as_deref());
    case.set_passengers(positions);
}

/// Checks that the passengers of a `case.plan`, which has read the order, can be asked for.
pub(super) async fn check_plan(driver: &mut Driver<'_>, case: &mut Case) -> Stored<()> {
    let asked = driver.call_data().request.asked.clone();
    if asked.is_empty() {
        return Ok(());
    }
    let today = requests::today(driver.call_data());
    let Some(known) = driver.call_data().known.clone() else {
        return Err(store_error(ErrorCode::StoreIo, "the order's passengers could not be stored"));
    };
    let reported = |error: StoredError| -> Error { error.report() };
    let selection = known.select(&asked, &today, true).map_err(reported)?;
    case.set_passengers(Some(selection.positions));
    driver.check_company(case).await.map_err(reported)
}
