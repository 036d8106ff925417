//! The `case.*` operations.

use std::sync::Arc;
use std::time::Duration;

use super::ask::Memory;
use super::clock;
use super::driver::{Driven, Driver, error_of};
use super::event::{Event, Now};
use super::facts;
use super::machine::step;
use super::model::{Case, Kind, Millis, State, Verdict};
use super::owner::{Owner, is_alive};
use super::store::{Claim, Filter, KnownOffer, Name, Row, Store, Stored, store_error};
use super::{follow, plan, view, wish};
use crate::call::Course;
use crate::json::{Node, write_str};
use crate::live::on;
use crate::operation::Operation;
use crate::outcome::{Advice, Error, Outcome, Status};
use crate::reply::{Reply, Told};
use crate::wire::{Problem, Warnings};

/// Runs a case operation.
pub(crate) async fn run(course: &mut Course, op: &'static Operation, body: &str) -> Reply {
    let told = match course.live.store.clone() {
        None => Err(store_error("store_missing", format!("{} needs a store; configure `store`", op.name))),
        Some(store) => {
            // A connection per call: between calls nothing is open, so that a fork is harmless.
            let _visit = store.visit();
            tell(course, &store, op, body).await
        }
    };
    let call = course.call(course.requests);
    Reply::of_case(op.name, told.unwrap_or_else(Told::error), &call)
}

async fn tell(course: &mut Course, store: &Arc<dyn Store>, op: &'static Operation, body: &str) -> Stored<Told> {
    let node = Node::parse(body).unwrap_or(Node::Null);
    let text = |key: &str| node.get(key).and_then(Node::as_str).map(str::to_owned);
    match op.name {
        "case.open" => open(course, store, body).await,
        "case.plan" => plan::plan(course, store, &text("orderNo").unwrap_or_default()).await,
        "case.get" => get(store, &node).await,
        "case.list" => list(store, &node).await,
        "case.export" => export(store, &node).await,
        "case.reconcile" => follow::reconcile(course, store, &node).await,
        "case.follow" => follow::follow(course, store, &node).await,
        "case.notify" => follow::notify(course, store, &node).await,
        "case.resolve" => resolve(course, store, &node).await,
        "case.purge" => purge(course, store, &text("olderThan").unwrap_or_default()).await,
        _ => Err(Error::local("unknown_operation", Status::OPERATION, format!("{} is not built", op.name))),
    }
}

pub(crate) fn bad(op: &str, path: &str, message: &str) -> Error {
    Error::problems(
        "bad_request",
        Status::REQUEST,
        op,
        vec![Problem { path: path.to_owned(), message: message.to_owned() }],
    )
}

/// Ids that sort by time: 48 bits of it, 80 of chance, in Crockford's base 32.
pub(crate) fn new_id(now: Millis) -> Stored<String> {
    use ring::rand::{SecureRandom, SystemRandom};
    const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut chance = [0u8; 10];
    // A generator of its own would repeat itself in a forked child; the system's does not.
    SystemRandom::new().fill(&mut chance).map_err(|_| store_error("store_io", "the system gives no random numbers"))?;
    let mut value = u128::try_from(now.max(0)).unwrap_or(0) << 80;
    value |= chance.iter().fold(0u128, |v, b| (v << 8) | u128::from(*b));
    Ok((0..26)
        .rev()
        .map(|i| char::from(DIGITS.get((value >> (5 * i)) as usize & 31).copied().unwrap_or(b'0')))
        .collect())
}

async fn open(course: &mut Course, store: &Arc<dyn Store>, body: &str) -> Stored<Told> {
    let key = Node::parse(body).ok().and_then(|n| n.get("key").and_then(Node::as_str).map(str::to_owned));
    let error = match start(course, store, body).await {
        Err(error) if error.outcome == Outcome::NotExecuted && error.status != Status::REQUEST => error,
        told => return told,
    };
    // This call sent nothing. What earlier ones did under this key is what its caller wants to know.
    let name = Name::Key(key.unwrap_or_default());
    match on(store, move |store| store.load(&name)).await {
        Ok(None) => Err(error),
        Ok(Some(row)) if row.case.steps.is_empty() => Err(error),
        Ok(Some(row)) => {
            let mut error = error;
            error.outcome = row.case.outcome.outcome().unwrap_or(Outcome::Unknown);
            error.help = format!("This call sent nothing: {}. The case stands as `case` says.", error.message);
            Ok(Told { case: Some(view::json(&row.case)), ..Told::error(error) })
        }
        Err(_) => {
            let mut error = error;
            error.outcome = Outcome::Unknown;
            error.help = format!(
                "This call sent nothing: {}. What earlier ones with this key did cannot be read.",
                error.message
            );
            Err(error)
        }
    }
}

async fn start(course: &mut Course, store: &Arc<dyn Store>, body: &str) -> Stored<Told> {
    let stamp = course.live.now().await?;
    let (wish, mut case) = wish::read(body, new_id(clock::wall())?, stamp)?;
    let payment = wish.asked.payment.as_ref();
    let method = payment.and_then(|p| p.payment_method.as_ref()).and_then(|m| m.number());
    let has_card = payment.is_some_and(|p| p.credit_card.is_some());
    case.run.may_send = true;
    case.run.can_pay = method.is_some_and(|m| has_card || !matches!(m, 3 | 5));
    let (run, content, after) = (case.run, case.content.clone(), wish.asked.after.clone());
    let owner = Owner::new();
    let lease = owner.lease(course.left());
    let claim = {
        let (case, lease) = (case.clone(), lease.clone());
        on(store, move |store| store.claim(&case, &lease, after.as_deref())).await?
    };
    let row = match claim {
        Claim::New(row) => row,
        Claim::Known(row) if row.case.content != content => return Ok(key_reused(&row.case)),
        Claim::Known(row) => match take(course, store, &owner, row).await? {
            Ok(row) => row,
            Err(told) => return Ok(*told),
        },
        Claim::Held(other) => return Ok(conflict(&other)),
        Claim::Purged => {
            let mut error = Error::local("key_reused", Status::CONFLICT, "the key belonged to a case that was purged");
            error.help = "Keys mean one case for ever. Use another key for another case.".to_owned();
            return Err(error);
        }
    };
    if row.case.closed && !row.case.watched {
        release(store, row.clone()).await;
        return Ok(opened(&row.case, None));
    }
    let mut row = row;
    row.case.run = run;
    let memory = Memory { wish, ..Memory::default() };
    let id = row.case.id.clone();
    let mut driver = Driver::new(course, store.clone(), &owner, memory);
    let driven = driver.drive(row, Event::Drive).await;
    let (last, submitted) = (driver.last.take(), driver.submitted);
    match driven {
        Ok(Driven::Row(row)) => Ok(opened(&row.case, last)),
        // Whoever took it goes on with it; this call can only say how it stands.
        Ok(Driven::Taken) => match on(store, move |store| store.load(&Name::Id(id))).await? {
            Some(row) => Ok(opened(&row.case, None)),
            None => Err(store_error("store_io", "the case is gone from the store")),
        },
        Err(error) => {
            // Before the intent was stored nothing was sent; after that the answer counts, if there was one.
            let mut error = error;
            if let Some(outcome) = submitted.filter(|o| *o != Outcome::NotExecuted) {
                error.outcome = outcome;
                error.advice = Advice::Reconcile;
                error.next = Some("case.reconcile");
                error.retryable = false;
                let may = if outcome == Outcome::Executed { "It happened" } else { "It may have happened" };
                error.help = format!("{may}, but {}. Open the case again with the same key.", error.message);
            }
            Err(error)
        }
    }
}

/// The reply of an opened case.
fn opened(case: &Case, last: Option<Reply>) -> Told {
    let error = error_of(case, last.as_ref());
    let mut warnings = Warnings::default();
    if case.adopted && error.is_none() {
        warnings.add(
            "adopted",
            "/adopted".to_owned(),
            "it had been submitted before, not by this case, which follows it",
        );
    }
    let settled = case.outcome.outcome();
    // While nothing is settled, the last submit speaks: an order that waits for its payment does exist.
    let outcome = settled.or(case.step().and_then(|s| s.outcome.outcome())).unwrap_or(Outcome::NotExecuted);
    let outcome = error.as_ref().map_or(outcome, |e| e.outcome);
    Told { outcome, error, last, warnings, ..Told::case(view::json(case)) }
}

fn key_reused(case: &Case) -> Told {
    let mut error =
        Error::local("key_reused", Status::CONFLICT, format!("the key belongs to case {} with other content", case.id));
    error.help = "A key means one case for ever. Open this case with its own content, or use another key.".to_owned();
    Told { case: Some(view::json(case)), ..Told::error(error) }
}

/// Another case holds the order.
pub(crate) fn conflict(other: &Case) -> Told {
    let (id, key, state) = (&other.id, &other.key, other.state.word());
    let mut error =
        Error::local("conflict", Status::CONFLICT, format!("case {id} (key {key}, {state}) holds this order"));
    error.advice = Advice::Wait;
    error.next = Some("case.get");
    error.help = if other.closed && !other.watched {
        format!("Nothing was sent. Case {id} has paid this order, and an order is paid once.")
    } else if other.closed {
        format!(
            "Nothing was sent. Case {id} was given up, but its effect may still show up; to go on all the same, open a case that names it in `after`, or settle it with case.resolve."
        )
    } else {
        format!("Nothing was sent. Follow case {id} to its end first.")
    };
    Told { case: Some(view::json(other)), ..Told::error(error) }
}

/// Gets the lease of a case that is known, waiting for whoever has it; or what there is to say if that takes too long.
pub(crate) async fn take(
    course: &mut Course,
    store: &Arc<dyn Store>,
    owner: &Owner,
    row: Row,
) -> Stored<Result<Row, Box<Told>>> {
    let id = row.case.id.clone();
    let mut pause = Duration::from_millis(5);
    loop {
        let lease = owner.lease(course.left());
        let (case_id, taken) = (id.clone(), lease.clone());
        if let Some(row) = on(store, move |store| store.lease(&case_id, &taken, &is_alive)).await? {
            return Ok(Ok(row));
        }
        if course.limits().run(tokio::time::sleep(pause)).await.is_err() {
            let mut error = Error::local("in_progress", Status::IN_PROGRESS, "another process is driving this case");
            error.outcome = Outcome::Unknown;
            error.advice = Advice::Wait;
            error.next = Some("case.get");
            error.retryable = true;
            error.help = "Another process is at work on this case. Look at it again in a moment.".to_owned();
            let name = Name::Id(id.clone());
            let case = on(store, move |store| store.load(&name)).await?.map_or(row.case, |r| r.case);
            let told = Told { outcome: Outcome::Unknown, error: Some(error), ..Told::case(view::json(&case)) };
            return Ok(Err(Box::new(told)));
        }
        pause = (pause * 2).min(Duration::from_millis(200));
    }
}

/// Gives a lease back without changing the case.
pub(crate) async fn release(store: &Arc<dyn Store>, row: Row) {
    let _ = on(store, move |store| store.save(&row, None)).await;
}

pub(crate) fn name(op: &str, node: &Node<'_>) -> Stored<Option<Name>> {
    let text = |key: &str| node.get(key).and_then(Node::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
    let all = matches!(node.get("all"), Some(Node::Bool(true)));
    match (text("id"), text("key"), all) {
        (Some(id), None, false) => Ok(Some(Name::Id(id))),
        (None, Some(key), false) => Ok(Some(Name::Key(key))),
        (None, None, true) => Ok(None),
        _ => Err(bad(op, "", "must name one case by `id` or `key`, or `all`")),
    }
}

/// The named case.
pub(crate) async fn load(store: &Arc<dyn Store>, name: Name) -> Stored<Row> {
    on(store, move |store| store.load(&name)).await?.ok_or_else(|| {
        let mut error =
            Error::local("not_found", Status::NOT_FOUND, "there is no such case in this store for this account");
        error.advice = Advice::FixRequest;
        error
    })
}

async fn get(store: &Arc<dyn Store>, node: &Node<'_>) -> Stored<Told> {
    match name("case.get", node)? {
        Some(name) => Ok(Told::case(view::json(&load(store, name).await?.case))),
        None => Err(bad("case.get", "", "must name one case by `id` or `key`")),
    }
}

fn filter(op: &str, node: &Node<'_>, most: usize, usual: usize) -> Stored<Filter> {
    let text = |key: &str| node.get(key).and_then(Node::as_str).filter(|t| !t.is_empty()).map(str::to_owned);
    let limit = match node.get("limit") {
        Some(Node::Num(n)) => n.parse().ok().filter(|n| (1..=most).contains(n)),
        _ => Some(usual),
    };
    let kind = match text("kind") {
        None => None,
        Some(word) => Some(Kind::of(&word).ok_or_else(|| bad(op, "/kind", "is not a kind of case"))?),
    };
    Ok(Filter {
        open: node.get("open").and_then(|open| if let Node::Bool(open) = open { Some(*open) } else { None }),
        order_no: text("orderNo"),
        kind,
        after: text("after"),
        limit: limit.ok_or_else(|| bad(op, "/limit", &format!("must be from 1 to {most}")))?,
        unknown: false,
    })
}

/// The cases of a page, and where the next one begins.
async fn page(store: &Arc<dyn Store>, filter: Filter) -> Stored<(Vec<Case>, Option<String>)> {
    let limit = filter.limit;
    let mut cases = on(store, move |store| store.list(&Filter { limit: limit + 1, ..filter })).await?;
    let more = cases.len() > limit;
    cases.truncate(limit);
    let next = if more { cases.last().map(|c| c.id.clone()) } else { None };
    Ok((cases, next))
}

fn quoted(text: Option<&str>) -> String {
    let mut out = String::new();
    match text {
        Some(text) => write_str(text, &mut out),
        None => out.push_str("null"),
    }
    out
}

async fn list(store: &Arc<dyn Store>, node: &Node<'_>) -> Stored<Told> {
    let (cases, next) = page(store, filter("case.list", node, 500, 100)?).await?;
    let cases: Vec<String> = cases.iter().map(view::json).collect();
    Ok(Told::data(format!("{{\"cases\":[{}],\"next\":{}}}", cases.join(","), quoted(next.as_deref()))))
}

async fn export(store: &Arc<dyn Store>, node: &Node<'_>) -> Stored<Told> {
    let (cases, next) = page(store, filter("case.export", node, 500, 500)?).await?;
    let rows: String = cases.iter().map(|case| view::json(case) + "\n").collect();
    let (rows, count, next) = (quoted(Some(&rows)), cases.len(), quoted(next.as_deref()));
    Ok(Told::data(format!("{{\"ndjson\":{rows},\"count\":{count},\"next\":{next}}}")))
}

async fn resolve(course: &mut Course, store: &Arc<dyn Store>, node: &Node<'_>) -> Stored<Told> {
    const OP: &str = "case.resolve";
    let text = |key: &str| node.get(key).and_then(Node::as_str).filter(|t| !t.trim().is_empty()).map(str::to_owned);
    let executed = match text("as").as_deref() {
        Some("executed") => true,
        Some("not_executed") => false,
        _ => return Err(bad(OP, "/as", "must be executed or not_executed")),
    };
    let by = text("by").ok_or_else(|| bad(OP, "/by", "must say who"))?;
    let inside = |key: &str| {
        node.get("evidence")
            .and_then(|e| e.get(key))
            .and_then(Node::as_str)
            .filter(|t| !t.is_empty())
            .map(str::to_owned)
    };
    let words = text("evidence").or(inside("text")).or(inside("code"));
    let words = words.ok_or_else(|| bad(OP, "/evidence", "must say what it rests on: a text, or {text, code}"))?;
    let row = load(store, Name::Id(text("id").unwrap_or_default())).await?;
    let owner = Owner::new();
    let mut row = match take(course, store, &owner, row).await? {
        Ok(row) => row,
        Err(told) => return Ok(*told),
    };
    // What is proved is no matter of opinion. But the number that a lost reply took with it may still be told: the
    // vendor may list nothing without it.
    let is_number =
        executed && row.case.outcome == Verdict::Executed && row.case.code.is_none() && inside("code").is_some();
    let open = match row.case.state {
        // Given up, and still looked at: a human may know better, or free the order.
        _ if row.case.watched => true,
        _ if row.case.closed => false,
        State::Planned | State::Quoting => true,
        State::NeedsHuman => executed || row.case.outcome == Verdict::Unknown,
        _ => row.case.outcome == Verdict::Unknown || is_number,
    };
    if !open {
        let settled = row.case.step().map_or(row.case.outcome, |s| s.outcome).word();
        let case = view::json(&row.case);
        release(store, row).await;
        let error = Error::local("conflict", Status::CONFLICT, format!("the case is settled: {settled}"));
        return Ok(Told { case: Some(case), ..Told::error(error) });
    }
    let stamp = course.live.now().await?;
    let now = Now { stamp, rules: &course.inner.config.rules };
    let event = Event::Resolved { executed, by, text: words, code: inside("code") };
    let (case, _) = step(row.case, event, &now);
    row.case = case;
    let copy = row.clone();
    if on(store, move |store| store.settle(&copy, &super::redact::thin)).await?.is_none() {
        return Err(store_error("store_busy", "the case changed meanwhile; look at it and try again"));
    }
    Ok(Told::case(view::json(&row.case)))
}

async fn purge(course: &mut Course, store: &Arc<dyn Store>, older: &str) -> Stored<Told> {
    let age = |text: &str| -> Option<Millis> {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let unit = match unit {
            "d" => super::rules::DAY,
            "h" => super::rules::HOUR,
            _ => return None,
        };
        number.parse::<u32>().ok().map(|n| Millis::from(n) * unit)
    };
    let now = course.live.now().await?.wall;
    let before = clock::parse(older).or(age(older).map(|age| now - age));
    let before = before.ok_or_else(|| {
        bad("case.purge", "/olderThan", "must be a moment with its offset, or an age such as 90d or 12h")
    })?;
    let purged = on(store, move |store| store.purge(before)).await?;
    Ok(Told::data(format!("{{\"purged\":{purged}}}")))
}

/// Remembers an offer that a quotation gave, so that its age is known when a case is to use it.
pub(crate) async fn remember(course: &Course, store: &Arc<dyn Store>, op: &'static Operation, reply: &Reply) {
    let Some((way, Some(order_no), quote)) = facts::offer(op.name, reply) else { return };
    let Some(offer_id) = quote.offer_id.clone() else { return };
    let Ok(stamp) = course.live.now().await else { return };
    let offer = KnownOffer { way, order_no, quote };
    let _ = on(store, move |store| {
        let _visit = store.visit();
        store.remember_offer(&offer_id, &offer, stamp)
    })
    .await;
}
