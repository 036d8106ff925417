//! The passengers of a request, before a hold is taken: without the vendor where the key is bound, else from the order
//! as it is now.

use super::lookup::bad_request;
use crate::case::engine::driver::Driver;
use crate::case::engine::lease::Owner;
use crate::case::hold::Hold;
use crate::case::machine::event::Answer;
use crate::case::model::Case;
use crate::case::open_request::{OpenRequest, content_for};
use crate::case::passengers::{Asked, OrderPassengers, Passenger, check_company, ticket_marks};
use crate::case::service::CaseService;
use crate::case::store::{Filter, KnownOffer, Name, Stored};
use crate::case::vendor::requests::{self, CallData};
use crate::case::vocabulary::{CaseOutcome, Kind, Query, State, Way};
use crate::error::Error;
use crate::exchange::context::CallContext;

/// Sets positions, content and holds of a case that is about to be claimed: for the passengers of the request, or of the
/// offer that it names. Passengers that cannot be asked for make it a refused case, which holds nothing. Where the order
/// cannot be read now, the case holds everybody.
pub(super) async fn select(
    context: &mut CallContext,
    cases: &CaseService,
    body: &str,
    request: &OpenRequest,
    case: &mut Case,
) -> Stored<()> {
    let Some(order) = case.order_no.clone() else { return Ok(()) };
    let tickets = offer_tickets(cases, case).await?;
    if request.asked.is_empty() && tickets.is_empty() {
        return Ok(());
    }
    let (key, order_no) = (Name::Key(case.key.clone()), order.clone());
    let (row, known) =
        cases.run_blocking(move |store| Ok((store.load(&key)?, store.order_passengers(&order_no)?))).await?;
    let mut positions = known.and_then(|known| known.positions(&request.asked));
    if tickets.is_empty() {
        case.content = content_for(body, case.kind, &request.asked, positions.as_deref());
    }
    if let Some(bound) = row.map(|row| row.case).filter(Case::is_bound) {
        if !tickets.is_empty() {
            positions = Some(bound.positions).filter(|positions| !bound.partial || !positions.is_empty());
        }
        hold(case, positions);
        return Ok(());
    }
    // In a pause nothing is asked.
    if cases.pause_left().await?.is_some() {
        return Ok(());
    }
    let owner = Owner::new();
    let mut driver = Driver::new(context, cases, &owner, CallData::default());
    let Answer::Order(_) = driver.query(case, Query::Order).await else { return Ok(()) };
    let (today, known) = (requests::today(driver.call_data()), driver.call_data().known.clone());
    let Some(known) = known.filter(|_| !today.is_empty()) else { return Ok(()) };
    let asked = match tickets.as_slice() {
        [] => request.asked.clone(),
        tickets => ticket_holders(case, tickets, &today),
    };
    let positions = known.positions(&asked);
    if tickets.is_empty() {
        case.content = content_for(body, case.kind, &asked, positions.as_deref());
    }
    let selection = known.select(&asked, &today, case.kind == Kind::Refund);
    let checked = match selection {
        Ok(selection) if case.kind == Kind::Refund && !selection.positions.is_empty() => {
            let gone = gone(cases, case, &order, &known, &today).await?;
            check_company(&selection.today, &gone, &today).map(|()| selection)
        }
        selection => selection,
    };
    match checked {
        Ok(selection) => hold(case, Some(selection.positions)),
        Err(error) => {
            hold(case, positions);
            (case.error, case.outcome, case.state) = (Some(error), CaseOutcome::NotExecuted, State::Refused);
            case.closed = true;
            case.holds.clear();
        }
    }
    Ok(())
}

/// The marks of the tickets of the offer that a refund names; none without an offer, or where it listed no tickets.
async fn offer_tickets(cases: &CaseService, case: &Case) -> Stored<Vec<String>> {
    let Some(offer) = case.offer_id.clone().filter(|_| case.kind == Kind::Refund) else { return Ok(Vec::new()) };
    let known = cases.run_blocking(move |store| store.known_offer(&offer)).await?;
    let is_of_order = |known: &KnownOffer| known.way == Way::Refund && Some(&known.order_no) == case.order_no.as_ref();
    Ok(known.filter(is_of_order).map(|known| known.tickets).unwrap_or_default())
}

/// The passengers of the order as it is now whose names are on these tickets. That they are all of them is checked
/// with the offer.
fn ticket_holders(case: &Case, tickets: &[String], today: &[Passenger]) -> Vec<Asked> {
    let offer = case.offer_id.as_deref().unwrap_or_default();
    let is_holder = |name: &str| ticket_marks(offer, std::iter::once(name)).iter().all(|mark| tickets.contains(mark));
    today.iter().filter(|p| is_holder(&p.name)).map(|p| Asked::Name(p.name.clone())).collect()
}

/// `positions`: empty for everybody, None where they are not known.
fn hold(case: &mut Case, positions: Option<Vec<usize>>) {
    case.partial = positions.as_ref().is_none_or(|positions| !positions.is_empty());
    case.positions = positions.unwrap_or_default();
    case.holds.retain(|hold| !matches!(hold, Hold::Order(_)));
    case.holds.extend(case.order_hold());
}

/// Indexes of passengers whose refund by another case exists, or may come to exist.
async fn gone(
    cases: &CaseService,
    case: &Case,
    order: &str,
    known: &OrderPassengers,
    today: &[Passenger],
) -> Stored<Vec<usize>> {
    let filter =
        Filter { order_no: Some(order.to_owned()), kind: Some(Kind::Refund), limit: 1000, ..Filter::default() };
    let others = cases.run_blocking(move |store| store.list(&filter)).await?;
    let goes = |other: &&Case| {
        other.key != case.key
            && other.outcome != CaseOutcome::NotExecuted
            && !matches!(other.state, State::Rejected | State::Withdrawn)
    };
    Ok(others.iter().filter(goes).flat_map(|other| known.indexes(&other.positions, today)).collect())
}

/// Reads the order for `case.plan`, and checks that its passengers can be asked for.
pub(super) async fn check_plan(driver: &mut Driver<'_>, case: &mut Case, request: &OpenRequest) -> Stored<()> {
    if request.asked.is_empty() {
        return Ok(());
    }
    let (today, known) = (requests::today(driver.call_data()), driver.call_data().known.clone());
    let known = known.ok_or_else(|| bad_request("case.plan", "/passengers", "cannot be compared with the order"))?;
    let refused = |error: crate::case::error::StoredError| Error::new(error.code, error.message);
    let selection = known.select(&request.asked, &today, true).map_err(refused)?;
    if !selection.positions.is_empty() {
        check_company(&selection.today, &[], &today).map_err(refused)?;
    }
    case.partial = !selection.positions.is_empty();
    case.positions = selection.positions;
    Ok(())
}
