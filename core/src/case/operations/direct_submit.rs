//! Submits that were not opened as cases: with a store they take the same claim, and are kept as cases of one step.

use super::lookup::{conflict, shown, text};
use crate::case::claimed_booking::ClaimedBooking;
use crate::case::engine::driver::{DriveResult, Driver};
use crate::case::engine::lease::{Owner, is_alive};
use crate::case::hold::Hold;
use crate::case::id::new_id;
use crate::case::machine::event::{Event, Now};
use crate::case::machine::transition::record_intent;
use crate::case::model::{Case, Step};
use crate::case::open_request::{DIRECT, claimed_flights};
use crate::case::service::CaseService;
use crate::case::store::{Claim, KnownOffer, Lease, Name, Row, Stored};
use crate::case::vendor::adoption;
use crate::case::vendor::answers;
use crate::case::vendor::requests::CallData;
use crate::case::view;
use crate::case::vocabulary::{CaseOutcome, Kind, State, StepName, Way};
use crate::contract::operation::Operation;
use crate::error::{Advice, Error, ErrorCode, Outcome};
use crate::exchange::context::CallContext;
use crate::exchange::prepare::VendorRequest;
use crate::json::Node;
use crate::reply::Reply;
use crate::reply::envelope::integer;
use crate::unix_time;
use crate::wire::{PnrClaimRequest, QueryOrderDetailsReply};

/// Sends a submit with its intent stored.
pub(crate) async fn direct_submit(context: &mut CallContext, cases: &CaseService, request: VendorRequest) -> Reply {
    let reply = submit(context, cases, request).await;
    cases.with_warnings(reply, context)
}

async fn submit(context: &mut CallContext, cases: &CaseService, request: VendorRequest) -> Reply {
    let _scope = cases.store().connection_scope();
    let op = request.op;
    let Some((name, kind)) = StepName::of_operation(op.name) else {
        return context.call_vendor(&request).await;
    };
    let owner = Owner::new();
    let row = match claim(context, cases, &owner, &request, name, kind).await {
        Ok(Ok(row)) => row,
        Ok(Err(other)) => {
            let (error, case) = conflict(&other);
            return Reply::failed(op.name, error).with_case(&case);
        }
        Err(error) => return Reply::failed(op.name, error),
    };
    let mut driver = Driver::new(context, cases, &owner, CallData::default());
    let reply = driver.submit(&row.case, name, &request).await;
    let result = answers::submit_result(&row.case, name, &reply);
    match driver.store_result(row.clone(), Event::Submitted(name, result)).await {
        Ok(DriveResult::Stored(row)) => reply.with_case(&view::json(&row.case)),
        Ok(DriveResult::LeaseLost) => overtaken(op, &mut driver, cases, reply, row).await,
        Err(error) => reply.with_case(&view::json(&row.case)).with_warning(error.code.as_str(), &error.message),
    }
}

/// The reply of a sender whose lease another process took: what the vendor answered, which the case learns now; else
/// unknown, since the case counts as sent.
async fn overtaken(op: &Operation, driver: &mut Driver<'_>, cases: &CaseService, reply: Reply, row: Row) -> Reply {
    let id = row.case.id.clone();
    let known = driver.report_own_reply(&id).await.ok().flatten();
    let case = match known {
        Some(row) => row.case,
        None => match cases.run_blocking(move |store| store.load(&Name::Id(id))).await {
            Ok(Some(row)) => shown(row),
            _ => row.case.without_sender(),
        },
    };
    if reply.raw().is_some() {
        return reply.with_case(&view::json(&case));
    }
    let mut error = reply.error().cloned().unwrap_or_else(|| Error::new(ErrorCode::Io, "there is no answer"));
    error.outcome = Outcome::Unknown;
    error.advice = Advice::Reconcile;
    error.next = Some("case.reconcile");
    error.retryable = false;
    error.help = format!(
        "Another process took this case over while it was being sent: {}. It may have happened.",
        error.message
    );
    Reply::failed(op.name, error).with_case(&view::json(&case))
}

/// The case of a direct submit, stored as "sending"; or the one that is in its way.
async fn claim(
    context: &mut CallContext,
    cases: &CaseService,
    owner: &Owner,
    request: &VendorRequest,
    name: StepName,
    kind: Kind,
) -> Stored<Result<Row, Box<Case>>> {
    let body = std::str::from_utf8(&request.body).unwrap_or("{}").to_owned();
    let node = Node::parse(&body).unwrap_or(Node::Null);
    let field = |key: &str| text(&node, key);
    let stamp = cases.now().await?;
    let now = Now { stamp, policy: cases.policy() };
    let mut order = match name {
        StepName::Order => field("ticketOrderNo"),
        StepName::Regenerate => field("originalOrderNo"),
        _ => field("orderNo"),
    };
    let offer = field("voidOfferId").or(field("refundOfferId"));
    let locator = field("airlinePNR");
    if let (None, Some(locator)) = (&order, &locator) {
        order = Some(order_of(context, cases, offer.clone(), locator, field("carrier")).await?);
    }
    if order.is_none() && matches!(name, StepName::Refund | StepName::Void) {
        order = Some(order_of_offer(cases, offer.clone()).await?);
    }
    let as_void = name == StepName::Refund && is_void_by_reason(&node);
    let kind = if as_void { Kind::Void } else { kind };
    let lease = owner.lease(context.time_left());
    if let (StepName::Pay, Some(order)) = (name, &order)
        && let Some(mut row) = waiting_for_payment(cases, order, &lease).await?
    {
        row.case.run.paid_directly = true;
        record_intent(&mut row.case, name, &now);
        let (copy, lease) = (row.clone(), lease.clone());
        if let Some(version) = cases.run_blocking(move |store| store.save(&copy, Some(&lease))).await? {
            row.saved(version);
            return Ok(Ok(row));
        }
    }
    let id = new_id(unix_time::now())?;
    let mut case = Case::new(id.clone(), format!("{DIRECT}{id}"), kind, order, String::new(), stamp);
    case.direct = true;
    case.via = as_void.then_some(Way::Refund);
    if name == StepName::Refund && !as_void {
        for_some(cases, &mut case, offer.clone()).await?;
    }
    case.holds.extend(locator.as_deref().map(Hold::locator));
    if name == StepName::Claim {
        claimed_booking(&mut case, &body);
    }
    if name == StepName::Order {
        let body: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        let passengers = body.get("passengers").and_then(serde_json::Value::as_array);
        case.basket = adoption::basket_marks(&case.key, passengers.map_or(&[], Vec::as_slice));
    }
    case.holds.extend(offer.clone().map(Hold::Offer));
    case.offer_id = offer;
    record_intent(&mut case, name, &now);
    match cases.run_blocking(move |store| store.claim(&case, &lease)).await? {
        Claim::New(row) => Ok(Ok(row)),
        Claim::Held(other) => Ok(Err(other)),
        Claim::Known(row) => Ok(Err(Box::new(row.case))),
        // The key is new, so it cannot have been purged.
        Claim::Purged(_) => Err(Error::new(ErrorCode::Internal, "a new key was used before")),
    }
}

/// The hold of a direct claim, and what it is found by.
fn claimed_booking(case: &mut Case, body: &str) {
    let request: PnrClaimRequest = serde_json::from_str(body).unwrap_or_default();
    let locator = request.mmb.as_ref().and_then(|m| m.airline_pnr.as_deref()).filter(|l| !l.is_empty());
    case.holds.push(match locator {
        Some(locator) => Hold::locator(locator),
        // Without a locator, passengers and flights are all that tells two bookings apart.
        None => {
            let content = (&request.passengers, &request.from_segments, &request.ret_segments);
            Hold::claim(&serde_json::to_vec(&content).unwrap_or_default())
        }
    });
    let flights: Vec<_> = request.from_segments.into_iter().chain(request.ret_segments).collect();
    claimed_flights(case, &flights);
    let passengers = serde_json::from_str::<serde_json::Value>(body).unwrap_or_default();
    let passengers = passengers.get("passengers").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    case.claimed = Some(ClaimedBooking::of(&case.key, &passengers, &flights));
}

/// The order of a remembered offer.
async fn order_of_offer(cases: &CaseService, offer: Option<String>) -> Stored<String> {
    let Some(offer) = offer else { return Err(no_order("the order is not named")) };
    let known = cases.run_blocking(move |store| store.known_offer(&offer)).await?;
    known.map(|known| known.order_no).ok_or_else(|| no_order("the order is not named, and the offer is not known"))
}

/// A direct refund whose offer is remembered, and is for some passengers, holds these; any other one holds everybody.
async fn for_some(cases: &CaseService, case: &mut Case, offer: Option<String>) -> Stored<()> {
    let Some(offer) = offer else { return Ok(()) };
    let known = cases.run_blocking(move |store| store.known_offer(&offer)).await?;
    let known = known.filter(|known| known.way == Way::Refund && Some(&known.order_no) == case.order_no.as_ref());
    if let Some(KnownOffer { order_no, positions, .. }) = known.filter(|known| !known.positions.is_empty()) {
        case.holds = vec![Hold::Passengers { order: order_no, positions: positions.clone() }];
        (case.partial, case.positions) = (true, positions);
    }
    Ok(())
}

/// A refund whose reason is 4 is a void.
fn is_void_by_reason(request: &Node<'_>) -> bool {
    let Some(Node::Arr(items)) = request.get("refundRequestList") else { return false };
    items.iter().any(|item| item.get("refundReason").and_then(integer) == Some(4))
}

/// The number of an order that a submit names by its locator: both names must meet the same hold. Without the number
/// nothing is sent.
async fn order_of(
    context: &mut CallContext,
    cases: &CaseService,
    offer: Option<String>,
    locator: &str,
    carrier: Option<String>,
) -> Stored<String> {
    if let Some(offer) = offer
        && let Some(known) = cases.run_blocking(move |store| store.known_offer(&offer)).await?
    {
        return Ok(known.order_no);
    }
    let op =
        Operation::find("queryOrderDetails").ok_or_else(|| Error::new(ErrorCode::Internal, "no such operation"))?;
    let text = serde_json::json!({ "airlinePNR": locator, "carrier": carrier }).to_string();
    let request = VendorRequest::check(op, &text, context.timeout)?;
    let reply = context.call_vendor(&request).await;
    let order: QueryOrderDetailsReply = serde_json::from_str(reply.data()).unwrap_or_default();
    if let (None, Some(number)) = (reply.error(), order.order_no) {
        return Ok(number);
    }
    let cause = reply.error().map_or("it has no number", |error| &error.message);
    Err(no_order(&format!("the order of this locator could not be looked up: {cause}")))
}

/// The order of a refund or void that names none cannot be told.
fn no_order(message: &str) -> Error {
    let mut error = Error::at(ErrorCode::BadRequest, "", "/orderNo", message);
    error.message = message.to_owned();
    error.help = "Nothing was sent: without its number nobody can tell whether another case is at work on this order. \
                  Name it by `orderNo`, or try again."
        .to_owned();
    error
}

/// Whether a case waits for the payment of the order that it made.
fn waits_for_payment(case: &Case, order: &str) -> bool {
    let unpaid = |step: &Step| step.name != StepName::Pay || step.outcome == CaseOutcome::NotExecuted;
    case.state == State::AwaitingPayment && case.code.as_deref() == Some(order) && case.steps.iter().all(unpaid)
}

/// A payment of an order that a case made belongs to that case.
async fn waiting_for_payment(cases: &CaseService, order: &str, lease: &Lease) -> Stored<Option<Row>> {
    let (order, lease) = (order.to_owned(), lease.clone());
    cases
        .run_blocking(move |store| {
            for id in store.cases_for_order(&order)? {
                let waits = store.load(&Name::Id(id.clone()))?.is_some_and(|row| waits_for_payment(&row.case, &order));
                if !waits {
                    continue;
                }
                // Until this call has the lease, another one may pay.
                match store.lease(&id, &lease, &is_alive)? {
                    Some(row) if waits_for_payment(&row.case, &order) => return Ok(Some(row)),
                    Some(row) => store.release(&row)?,
                    None => {}
                }
            }
            Ok(None)
        })
        .await
}
