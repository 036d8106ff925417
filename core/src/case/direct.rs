//! Submits that were not opened as cases: with a store they take the same claim, and are kept as cases of one step.

use std::sync::Arc;

use super::ask::Memory;
use super::clock;
use super::desk::{conflict, new_id};
use super::driver::{Driven, Driver};
use super::event::{Event, Now};
use super::facts;
use super::model::{Case, State, StepName};
use super::owner::{Owner, is_alive};
use super::store::{Claim, Name, Row, Store, Stored};
use super::submitting::begin_step;
use super::{view, wish};
use crate::call::{Course, Request, check};
use crate::json::Node;
use crate::live::on;
use crate::operation::Operation;
use crate::outcome::Error;
use crate::reply::Reply;
use crate::wire::QueryOrderDetailsReply;

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
    Error::local("internal", crate::outcome::Status::INTERNAL, "a conflict without words")
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
        order = order_of(course, store, offer.clone(), locator, text("carrier")).await?;
    }
    let lease = owner.lease(course.left());
    if let (StepName::Pay, Some(order)) = (name, &order)
        && let Some(row) = waiting_for_payment(store, order, &lease).await?
    {
        let mut row = row;
        row.case.direct = true;
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
    let claimed = node.get("mmb").and_then(|m| m.get("airlinePnr")).and_then(Node::as_str);
    case.holds.extend(locator.as_deref().or(claimed).map(wish::hold_of_locator));
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

/// The number of an order that a submit names by its locator: both names must meet the same claim.
async fn order_of(
    course: &mut Course,
    store: &Arc<dyn Store>,
    offer: Option<String>,
    locator: &str,
    carrier: Option<String>,
) -> Stored<Option<String>> {
    if let Some(offer) = offer
        && let Some(known) = on(store, move |store| store.known_offer(&offer)).await?
    {
        return Ok(Some(known.order_no));
    }
    let Some(op) = Operation::find("queryOrderDetails") else { return Ok(None) };
    let asked = serde_json::json!({ "airlinePNR": locator, "carrier": carrier }).to_string();
    let Ok((node, body)) = check(op, &asked, false) else { return Ok(None) };
    let request = Request::new(op, &node, body, course.left());
    let reply = course.ask(&request, None).await;
    let order: QueryOrderDetailsReply = serde_json::from_str(reply.data()).unwrap_or_default();
    Ok(order.order_no.filter(|_| reply.error().is_none()))
}

/// A payment of an order that a case made belongs to that case.
async fn waiting_for_payment(store: &Arc<dyn Store>, order: &str, lease: &super::store::Lease) -> Stored<Option<Row>> {
    let (order, lease) = (order.to_owned(), lease.clone());
    on(store, move |store| {
        for id in store.concerned(&order)? {
            let Some(row) = store.load(&Name::Id(id.clone()))? else { continue };
            let waits = row.case.state == State::AwaitingPayment && row.case.code.as_deref() == Some(&order);
            let paid = row
                .case
                .steps
                .iter()
                .any(|s| s.name == StepName::Pay && s.outcome != super::model::Verdict::NotExecuted);
            if waits && !paid {
                return store.lease(&id, &lease, &is_alive);
            }
        }
        Ok(None)
    })
    .await
}
