//! `case.notify`: takes a notification. It is unsigned, so it only makes a query due.

use super::lookup::text;
use crate::case::engine::lease::is_alive;
use crate::case::machine::event::{Event, Now};
use crate::case::machine::step;
use crate::case::reply::CaseReply;
use crate::case::service::CaseService;
use crate::case::store::{Name, Stored};
use crate::digest::sha256_hex;
use crate::json::Node;
use crate::unix_time::Millis;
use crate::webhook::parse_webhook;
use crate::wire::{CaseNotifyReply, to_json};

/// Notifications cause no queries about a case more often than this, in milliseconds.
const MIN_INTERVAL: Millis = 5_000;

pub(super) async fn notify(cases: &CaseService, node: &Node<'_>) -> Stored<CaseReply> {
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
    let order = text(&event, "orderNo");
    let stamp = cases.now().await?;
    let mut ids = match order.clone() {
        Some(order) => cases.run_blocking(move |store| store.cases_for_order(&order)).await?,
        None => Vec::new(),
    };
    // Only notifications about a known case are recorded: anybody can send anything.
    let mut duplicate = false;
    if let (false, Some(dedupe)) = (ids.is_empty(), text(&event, "dedupeKey")) {
        // The sender chooses its length and content.
        let dedupe = sha256_hex(dedupe.as_bytes());
        duplicate = !cases.run_blocking(move |store| store.record_notification(&dedupe, stamp.wall)).await?;
    }
    if duplicate {
        ids.clear();
    }
    let mut made_due = Vec::new();
    for id in ids {
        let name = Name::Id(id.clone());
        let Some(mut row) = cases.run_blocking(move |store| store.load(&name)).await? else { continue };
        // A live owner queries anyway.
        if row.owner.as_ref().is_some_and(|(owner, until)| is_alive(owner, *until)) {
            made_due.push(id);
            continue;
        }
        let now = Now { stamp, policy: cases.policy() };
        let (case, _) = step(row.case, Event::Notified { min_interval: MIN_INTERVAL }, &now);
        if case.due.is_none() {
            continue;
        }
        row.case = case;
        cases.run_blocking(move |store| store.save(&row, None)).await?;
        made_due.push(id);
    }
    Ok(CaseReply::data(to_json(&CaseNotifyReply {
        r#type: event.get("type").and_then(Node::as_str).map(str::to_owned),
        order_no: order,
        code: event.get("code").and_then(Node::as_str).map(str::to_owned),
        duplicate: Some(duplicate),
        cases: made_due,
    })))
}
