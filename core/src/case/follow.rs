//! Following cases to their end: reconcile, follow, notify. Nothing here submits.

use std::sync::Arc;
use std::time::Duration;

use super::ask::Memory;
use super::desk::{bad, load, name, release, take};
use super::driver::{Driven, Driver, FOLLOW};
use super::event::{Event, Now};
use super::machine::step;
use super::model::{Case, Millis, Verdict};
use super::owner::{Owner, is_alive};
use super::rules::is_due;
use super::store::{Counts, Filter, Name, Row, Store, Stored};
use super::{clock, view, wish};
use crate::call::Course;
use crate::config::RetryConfig;
use crate::json::{Node, write_str};
use crate::live::{Live, on};
use crate::local::parse_webhook;
use crate::reply::Told;

/// How many due cases are looked up at once.
const BATCH: usize = 64;
/// Notifications are unsigned: they make no case be asked about more often than this.
const NUDGE: Millis = 5_000;

/// How a look stands to the follow-up's budget.
#[derive(Clone, Copy, PartialEq)]
enum Pace {
    /// Its caller asked for it: only the budget of all requests counts.
    Free,
    Paced,
    /// The place of the first question is taken already.
    Prepaid,
}

/// Drives a case without sending.
async fn look(
    course: &mut Course,
    store: &Arc<dyn Store>,
    owner: &Owner,
    row: Row,
    pace: Pace,
) -> Stored<Option<Case>> {
    let rate = course.inner.config.follow;
    if pace != Pace::Free {
        // One place in the budget is one request; what fails is asked again when it is due again.
        course.options.retry = Some(RetryConfig { max_attempts: 1, ..course.inner.config.retry });
    }
    let mut driver = Driver::new(course, store.clone(), owner, Memory::default());
    driver.budget = (pace != Pace::Free).then_some(rate);
    driver.prepaid = pace == Pace::Prepaid;
    match driver.drive(row, Event::Drive).await? {
        Driven::Row(row) => Ok(Some(row.case)),
        Driven::Taken => Ok(None),
    }
}

/// `case.reconcile`
pub(crate) async fn reconcile(course: &mut Course, store: &Arc<dyn Store>, node: &Node<'_>) -> Stored<Told> {
    let Some(name) = name("case.reconcile", node)? else { return reconcile_all(course, store).await };
    let row = load(store, name).await?;
    let owner = Owner::new();
    let row = match take(course, store, &owner, row).await? {
        Ok(row) => row,
        Err(told) => return Ok(*told),
    };
    let id = row.case.id.clone();
    if row.case.closed && !row.case.watched {
        let told = Told::case(view::json(&row.case));
        release(store, row).await;
        return Ok(told);
    }
    match look(course, store, &owner, row, Pace::Free).await? {
        Some(case) => Ok(Told::case(view::json(&case))),
        None => Ok(Told::case(view::json(&load(store, Name::Id(id)).await?.case))),
    }
}

async fn reconcile_all(course: &mut Course, store: &Arc<dyn Store>) -> Stored<Told> {
    let (mut asked, mut settled, mut unknown) = (0u64, 0u64, 0u64);
    let mut after = None;
    loop {
        let filter = Filter { unknown: true, limit: BATCH, after: after.clone(), ..Filter::default() };
        let cases = on(store, move |store| store.list(&filter)).await?;
        let Some(last) = cases.last() else { break };
        after = Some(last.id.clone());
        for case in cases {
            if course.left().is_zero() {
                unknown += 1;
                continue;
            }
            let owner = Owner::new();
            let lease = owner.lease(course.left());
            let id = case.id.clone();
            let Some(row) = on(store, move |store| store.lease(&id, &lease, &is_alive)).await? else {
                unknown += 1;
                continue;
            };
            asked += 1;
            match look(course, store, &owner, row, Pace::Paced).await? {
                Some(case) if case.outcome != Verdict::Unknown => settled += 1,
                _ => unknown += 1,
            }
        }
    }
    Ok(Told::data(format!("{{\"asked\":{asked},\"settled\":{settled},\"unknown\":{unknown}}}")))
}

/// `case.follow`
pub(crate) async fn follow(course: &mut Course, store: &Arc<dyn Store>, node: &Node<'_>) -> Stored<Told> {
    const OP: &str = "case.follow";
    let to_the_end = match node.get("until").and_then(Node::as_str) {
        None | Some("step") => false,
        Some("final") => true,
        Some(_) => return Err(bad(OP, "/until", "must be step or final")),
    };
    let patience = match node.get("timeoutMs") {
        Some(Node::Num(ms)) => Duration::from_millis(ms.parse().map_err(|_| bad(OP, "/timeoutMs", "must be from 0"))?),
        _ if to_the_end => Duration::from_secs(30),
        _ => Duration::ZERO,
    };
    let which = match name(OP, node)? {
        Some(name) => Some(load(store, name).await?.case.id),
        None => None,
    };
    // Time for the answer itself, before the call's own deadline.
    let until = tokio::time::Instant::now() + patience.min(course.left().saturating_sub(Duration::from_millis(200)));
    let mut done = 0u64;
    loop {
        let now = course.live.now().await?.wall;
        let (looked, exhausted) = pass(course, store, which.clone(), now, until, to_the_end).await?;
        done += looked;
        let counts = counts(course, store, which.clone()).await?;
        let nothing_left = counts.open == 0 || (counts.next.is_none() && looked == 0);
        let enough = if to_the_end { nothing_left } else { looked > 0 || nothing_left };
        if enough || exhausted && !to_the_end || tokio::time::Instant::now() >= until || is_cancelled(course) {
            return progress(course, store, which, done, counts).await;
        }
        let wait = match counts.next {
            Some(next) if course.live.is_real_time() => next - course.live.now().await?.wall,
            // A test clock moves when it likes.
            _ => 20,
        };
        let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0))
            .clamp(Duration::from_millis(5), Duration::from_secs(1));
        tokio::time::sleep_until((tokio::time::Instant::now() + wait).min(until)).await;
    }
}

fn is_cancelled(course: &Course) -> bool {
    course.cancel.as_ref().is_some_and(crate::cancel::Cancel::is_set)
}

/// Looks at what is due. Says how many cases were looked at, and whether the budget allowed no more in time.
async fn pass(
    course: &mut Course,
    store: &Arc<dyn Store>,
    which: Option<String>,
    now: Millis,
    until: tokio::time::Instant,
    to_the_end: bool,
) -> Stored<(u64, bool)> {
    let rate = course.inner.config.follow;
    let ids = match &which {
        Some(id) => {
            let case = load(store, Name::Id(id.clone())).await?.case;
            if case.due.is_some_and(|due| is_due(due, now)) { vec![id.clone()] } else { Vec::new() }
        }
        None => on(store, move |store| store.due(now, BATCH, &is_alive)).await?,
    };
    let (mut looked, mut failed) = (0, None);
    for id in ids {
        let patience = until.saturating_duration_since(tokio::time::Instant::now());
        // A step takes what the budget gives without waiting, however long that takes to ask.
        let is_over = if to_the_end { looked > 0 && patience.is_zero() } else { course.left().is_zero() };
        if is_cancelled(course) || is_over {
            return Ok((looked, true));
        }
        let owner = Owner::new();
        let lease = owner.lease(course.left());
        // Nobody waits for a case that somebody else is at work on.
        let case_id = id.clone();
        let Some(row) = on(store, move |store| store.lease(&case_id, &lease, &is_alive)).await? else { continue };
        let millis = i64::try_from(patience.as_millis()).unwrap_or(i64::MAX);
        let place = on(store, move |store| store.place(FOLLOW, rate, millis)).await?;
        let Some(wait) = place else {
            release(store, row).await;
            return Ok((looked, true));
        };
        let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0));
        if Live::wait(Some(wait), &course.limits()).await.is_err() {
            release(store, row).await;
            return Ok((looked, true));
        }
        // What is wrong with one case must not keep the others waiting.
        match look(course, store, &owner, row, Pace::Prepaid).await {
            Ok(_) => looked += 1,
            Err(error) => failed = Some(error),
        }
    }
    match failed {
        Some(error) if looked == 0 => Err(error),
        _ => Ok((looked, false)),
    }
}

async fn counts(course: &mut Course, store: &Arc<dyn Store>, which: Option<String>) -> Stored<Counts> {
    let now = course.live.now().await?.wall;
    match which {
        None => on(store, move |store| store.counts(now)).await,
        Some(id) => {
            let case = load(store, Name::Id(id)).await?.case;
            let due = case.due.is_some_and(|due| due <= now);
            Ok(Counts { due: u64::from(due), open: u64::from(!case.closed), next: case.due })
        }
    }
}

async fn progress(
    course: &mut Course,
    store: &Arc<dyn Store>,
    which: Option<String>,
    done: u64,
    counts: Counts,
) -> Stored<Told> {
    let rate = course.inner.config.follow;
    let (per_second, wait) = on(store, move |store| store.pace(FOLLOW, rate)).await?;
    let next = counts.next.map_or("null".to_owned(), |at| format!("\"{}\"", clock::text(at)));
    let data = format!(
        "{{\"done\":{done},\"due\":{},\"open\":{},\"nextDueAt\":{next},\"budget\":{{\"perSecond\":{per_second},\"burst\":{},\"waitMs\":{wait}}}}}",
        counts.due, counts.open, rate.burst,
    );
    let case = match which {
        Some(id) => Some(view::json(&load(store, Name::Id(id)).await?.case)),
        None => None,
    };
    Ok(Told { case, ..Told::data(data) })
}

/// `case.notify`
pub(crate) async fn notify(course: &mut Course, store: &Arc<dyn Store>, node: &Node<'_>) -> Stored<Told> {
    let body = match node.get("body") {
        Some(Node::Str(text)) => text.to_string(),
        Some(other) => {
            let mut text = String::new();
            other.write(&mut text);
            text
        }
        None => String::new(),
    };
    let parsed = parse_webhook(&body);
    if let Some(error) = parsed.error() {
        return Err(error.clone());
    }
    let event = Node::parse(parsed.data()).unwrap_or(Node::Null);
    let text = |key: &str| event.get(key).and_then(Node::as_str).map(str::to_owned);
    let (kind, order, code) = (text("type"), text("orderNo"), text("code"));
    let stamp = course.live.now().await?;
    let mut ids = match order.clone() {
        Some(order) => on(store, move |store| store.concerned(&order)).await?,
        None => Vec::new(),
    };
    // Only what concerns a case is remembered: anybody can send anything.
    let mut duplicate = false;
    if let (false, Some(dedupe)) = (ids.is_empty(), text("dedupeKey")) {
        let at = stamp.wall;
        // It is as long as the sender likes, and says what the sender likes.
        let dedupe = wish::digest(dedupe.as_bytes());
        duplicate = !on(store, move |store| store.first_notice(&dedupe, at)).await?;
    }
    if duplicate {
        ids.clear();
    }
    let mut nudged = Vec::new();
    for id in ids {
        let Some(mut row) = on(store, {
            let id = id.clone();
            move |store| store.load(&Name::Id(id))
        })
        .await?
        else {
            continue;
        };
        // Who drives it asks anyway.
        if row.owner.as_ref().is_some_and(|(owner, until)| is_alive(owner, *until)) {
            nudged.push(id);
            continue;
        }
        let now = Now { stamp, rules: &course.inner.config.rules };
        let (case, _) = step(row.case, Event::Notified { not_before: NUDGE }, &now);
        if case.due.is_none() {
            continue;
        }
        row.case = case;
        on(store, move |store| store.save(&row, None)).await?;
        nudged.push(id);
    }
    let quoted = |text: Option<&str>| {
        let mut out = String::new();
        match text {
            Some(text) => write_str(text, &mut out),
            None => out.push_str("null"),
        }
        out
    };
    let ids: Vec<String> = nudged.iter().map(|id| quoted(Some(id))).collect();
    Ok(Told::data(format!(
        "{{\"type\":{},\"orderNo\":{},\"code\":{},\"duplicate\":{duplicate},\"cases\":[{}]}}",
        quoted(kind.as_deref()),
        quoted(order.as_deref()),
        quoted(code.as_deref()),
        ids.join(",")
    )))
}
