//! Submits that were not opened as cases: with a store they take the same claim, and are kept as cases of one step.

use std::sync::Arc;

use super::ask::Memory;
use super::clock;
use super::desk::{conflict, new_id};
use super::driver::{Driven, Driver};
use super::event::{Event, Now};
use super::facts;
use super::model::{Case, State, Step, StepName, Verdict};
use super::owner::{Owner, is_alive};
use super::store::{Claim, Lease, Name, Row, Store, Stored};
use super::submitting::begin_step;
use super::{view, wish};
use crate::call::{Course, Request, check};
use crate::json::Node;
use crate::live::on;
use crate::operation::Operation;
use crate::outcome::{Error, Outcome, Status};
use crate::reply::Reply;
use crate::wire::{PnrClaimRequest, QueryOrderDetailsReply};

/// Sends a submit with its intent stored.
pub(crate) async fn submit(course: &mut Course, store: &Arc<dyn Store>, request: Request) -> Reply {
    let _visit = store.visit();
    let op = request.op;
    let Some((name, _)) = StepName::of_operation(op.name) else {
        return course.ask(&request, None).await;
    };
    let owner = Owner::new();
    let row = match claim(course, store, &owner, &request).await {
        Ok(Ok(row)) => row,
        Ok(Err(other)) => {
            let told = conflict(&other);
            let reply = match told.error {
                Some(error) => Reply::failed(op.name, error),
                None => Reply::failed(op.name, lost()),
            };
            return reply.with_case(&told.case.unwrap_or_default());
        }
        Err(error) => return Reply::failed(op.name, error),
    };
    let mut driver = Driver::new(course, store.clone(), &owner, Memory::default());
    let reply = driver.submit(&row.case, name, &request).await;
    let sent = facts::sent(name, &reply);
    match driver.settle(row.clone(), Event::Submitted(name, sent)).await {
        Ok(Driven::Row(row)) => reply.with_case(&view::json(&row.case)),
        // The reply stands; the case will be asked about, since the store has it as sent.
        Ok(Driven::Taken) => reply.with_case(&view::json(&row.case)),
        Err(error) => reply.with_case(&view::json(&row.case)).with_warning(error.code, &error.message),
    }
}

fn lost() -> Error {
    Error::local("internal", Status::INTERNAL, "a conflict without words")
}

/// The case of a direct submit, stored as "sending"; or the one that is in its way.
async fn claim(
    course: &mut Course,
    store: &Arc<dyn Store>,
    owner: &Owner,
    request: &Request,
) -> Stored<Result<Row, Box<Case>>> {
    let body = std::str::from_utf8(&request.body).unwrap_or("{}").to_owned();
    let node = Node::parse(&body).unwrap_or(Node::Null);
    let text = |key: &str| node.get(key).and_then(Node::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
    let stamp = course.live.now().await?;
    let rules = course.inner.config.rules;
    let now = Now { stamp, rules: &rules };
    let Some((name, kind)) = StepName::of_operation(request.op.name) else {
        return Err(lost());
    };
    let mut order = match name {
        StepName::Order => text("ticketOrderNo"),
        StepName::Regenerate => text("originalOrderNo"),
        _ => text("orderNo"),
    };
    let offer = text("voidOfferId").or(text("refundOfferId"));
    let locator = text("airlinePNR");
    if let (None, Some(locator)) = (&order, &locator) {
        order = Some(order_of(course, store, offer.clone(), locator, text("carrier")).await?);
    }
    let lease = owner.lease(course.left());
    if let (StepName::Pay, Some(order)) = (name, &order)
        && let Some(mut row) = waiting_for_payment(store, order, &lease).await?
    {
        row.case.run.paid_directly = true;
        begin_step(&mut row.case, name, &now);
        let (copy, lease) = (row.clone(), lease.clone());
        if let Some(version) = on(store, move |store| store.save(&copy, Some(&lease))).await? {
            row.version = version;
            return Ok(Ok(row));
        }
    }
    let id = new_id(clock::wall())?;
    let mut case = Case::new(id.clone(), format!("{}{id}", wish::DIRECT), kind, order, String::new(), stamp);
    case.direct = true;
    case.holds.extend(locator.as_deref().map(wish::hold_of_locator));
    if name == StepName::Claim {
        claimed_booking(&mut case, &body);
    }
    case.holds.extend(offer.as_deref().map(wish::hold_of_offer));
    case.offer_id = offer;
    begin_step(&mut case, name, &now);
    match on(store, move |store| store.claim(&case, &lease, None)).await? {
        Claim::New(row) => Ok(Ok(row)),
        Claim::Held(other) => Ok(Err(other)),
        Claim::Known(row) => Ok(Err(Box::new(row.case))),
        Claim::Purged => Err(lost()),
    }
}

/// What a direct claim keeps others away from, and what it is looked up by.
fn claimed_booking(case: &mut Case, body: &str) {
    let asked: PnrClaimRequest = serde_json::from_str(body).unwrap_or_default();
    let locator = asked.mmb.as_ref().and_then(|m| m.airline_pnr.as_deref()).filter(|l| !l.is_empty());
    case.holds.push(match locator {
        Some(locator) => wish::hold_of_locator(locator),
        // Who and where is all that tells two bookings apart.
        None => {
            let what = (&asked.passengers, &asked.from_segments, &asked.ret_segments);
            format!("claim:{}", wish::digest(&serde_json::to_vec(&what).unwrap_or_default()))
        }
    });
    let flights: Vec<_> = asked.from_segments.into_iter().chain(asked.ret_segments).collect();
    wish::claimed_flights(case, &flights);
}

/// The number of an order that a submit names by its locator: both names must meet the same claim. Without it nobody
/// knows what is claimed, and nothing is sent.
async fn order_of(
    course: &mut Course,
    store: &Arc<dyn Store>,
    offer: Option<String>,
    locator: &str,
    carrier: Option<String>,
) -> Stored<String> {
    if let Some(offer) = offer
        && let Some(known) = on(store, move |store| store.known_offer(&offer)).await?
    {
        return Ok(known.order_no);
    }
    let op = Operation::find("queryOrderDetails").ok_or_else(lost)?;
    let asked = serde_json::json!({ "airlinePNR": locator, "carrier": carrier }).to_string();
    let (node, body) = check(op, &asked, false)?;
    let request = Request::new(op, &node, body, course.left());
    let reply = course.ask(&request, None).await;
    let order: QueryOrderDetailsReply = serde_json::from_str(reply.data()).unwrap_or_default();
    if let (None, Some(number)) = (reply.error(), order.order_no) {
        return Ok(number);
    }
    let none = || Error::local("bad_response", Status::RESPONSE, "it has no number");
    let mut error = reply.error().cloned().unwrap_or_else(none);
    error.outcome = Outcome::NotExecuted;
    error.message = format!("the order of this locator could not be looked up: {}", error.message);
    error.help = "Nothing was sent: without its number nobody can tell whether another case is at work on this order. \
                  Name it by `orderNo`, or try again."
        .to_owned();
    Err(error)
}

/// Whether a case waits for the payment of the order that it made.
fn waits_for_payment(case: &Case, order: &str) -> bool {
    let unpaid = |step: &Step| step.name != StepName::Pay || step.outcome == Verdict::NotExecuted;
    case.state == State::AwaitingPayment && case.code.as_deref() == Some(order) && case.steps.iter().all(unpaid)
}

/// A payment of an order that a case made belongs to that case.
async fn waiting_for_payment(store: &Arc<dyn Store>, order: &str, lease: &Lease) -> Stored<Option<Row>> {
    let (order, lease) = (order.to_owned(), lease.clone());
    on(store, move |store| {
        for id in store.concerned(&order)? {
            let waits = store.load(&Name::Id(id.clone()))?.is_some_and(|row| waits_for_payment(&row.case, &order));
            if !waits {
                continue;
            }
            // Until it is ours, somebody else may pay.
            match store.lease(&id, &lease, &is_alive)? {
                Some(row) if waits_for_payment(&row.case, &order) => return Ok(Some(row)),
                Some(row) => store.save(&row, None).map(|_| ())?,
                None => {}
            }
        }
        Ok(None)
    })
    .await
}
