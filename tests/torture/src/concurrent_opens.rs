//! E9: many processes open a case on the same order at the same time.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::{Value, json};

use crate::case_kinds::Kind;
use crate::harness::{Lane, Plan, Report, Result, list, text};
use crate::oracle::{LedgerSnapshot, Tally, case, contradicts};
use crate::worker::Worker;

const PROCESSES: usize = 64;

/// `E9 concurrent opens`
pub fn run(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    let rounds = plan.size(4, 10_000 / PROCESSES + 1);
    let mut lane = plan.lane(9, 0, "clock=real")?;
    let config = lane.config();
    let mut workers = (0..PROCESSES).map(|_| Worker::start(&config)).collect::<Result<Vec<_>>>()?;
    let mut tally = Tally::default();
    let mut losers = std::collections::BTreeMap::<String, usize>::new();
    for round in 0..rounds {
        let same_key = round % 2 == 1;
        let case_request = Kind::Void.case_request(&lane.atlas, &mut lane.rng, format!("crowd-{round}"))?;
        let request = |nth: usize| {
            let kind = if nth.is_multiple_of(2) || same_key { "void" } else { "refund" };
            let key = if same_key { case_request.key.clone() } else { format!("{}-{nth}", case_request.key) };
            json!({"kind": kind, "orderNo": case_request.owner, "key": key})
        };
        for (nth, worker) in workers.iter_mut().enumerate() {
            worker.send("case.open", &request(nth), &Value::Null);
        }
        let replies = workers.iter_mut().map(Worker::receive).collect::<Result<Vec<_>>>()?;
        let violations = if same_key { one_case(&replies) } else { one_winner(&replies, &mut losers) };
        let listed = workers
            .first_mut()
            .map(|one| one.call("case.list", &json!({"orderNo": case_request.owner})))
            .transpose()?;
        let before = tally.violations.len();
        tally.violations.extend(violations);
        one_effect(&lane, &case_request.owner, &listed.unwrap_or_default(), &mut tally);
        for message in tally.violations.iter_mut().skip(before) {
            *message = format!("round {round}, {}: {message}", case_request.owner);
        }
    }
    let loser_counts: Vec<String> = losers.iter().map(|(code, count)| format!("{code} {count}")).collect();
    let figures = format!(
        "{} opens by {PROCESSES} processes, {rounds} orders: {}, one winner each, the others got {}; \
         violations {}, in {:.0} s",
        rounds * PROCESSES,
        tally.invariants(),
        loser_counts.join(", "),
        tally.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(Report { figures, violations: tally.violations })
}

/// Different keys: one case is submitted. Every other open gets a conflict that names it, or an "already submitted"
/// error.
fn one_winner(replies: &[Value], losers: &mut std::collections::BTreeMap<String, usize>) -> Vec<String> {
    let mut violations = Vec::new();
    let is_winner = |reply: &&Value| reply.get("ok").and_then(Value::as_bool) == Some(true);
    let winners: Vec<&Value> = replies.iter().filter(is_winner).collect();
    if winners.len() != 1 {
        violations.push(format!(
            "{} winners: {}",
            winners.len(),
            winners.iter().map(|w| w.to_string()).collect::<Vec<_>>().join("\n    ")
        ));
    }
    let id = winners.first().and_then(|reply| case(reply)).map(|case| text(case, "id")).unwrap_or_default();
    for reply in replies.iter().filter(|reply| !is_winner(reply)) {
        let status = reply.pointer("/error/status").and_then(Value::as_i64).unwrap_or(0);
        let code = reply.pointer("/error/code").and_then(Value::as_str).unwrap_or("no error");
        *losers.entry(format!("{code} ({status})")).or_default() += 1;
        match status {
            -61 if !id.is_empty() && reply.to_string().contains(id) => {}
            -61 => violations.push(format!("a conflict error that does not name {id}: {reply}")),
            -48 | -49 => {}
            _ => violations.push(format!("neither a conflict nor already submitted: {reply}")),
        }
    }
    violations
}

/// The same key: every open gets the same case.
fn one_case(replies: &[Value]) -> Vec<String> {
    let ids: BTreeSet<&str> = replies.iter().map(|reply| case(reply).map_or("", |case| text(case, "id"))).collect();
    if ids.len() == 1 && !ids.contains("") {
        return Vec::new();
    }
    let example = replies.iter().find(|reply| case(reply).is_none()).or(replies.first());
    vec![format!("{} ids for one key: {ids:?}, such as {}", ids.len(), example.unwrap_or(&Value::Null))]
}

/// There must be one submit, one effect, and a case that agrees with the ledger.
fn one_effect(lane: &Lane, order: &str, listed: &Value, tally: &mut Tally) {
    let ledger = LedgerSnapshot::of(&lane.atlas);
    let (void, refund) = (ledger.counts(order, "void"), ledger.counts(order, "refund"));
    let executed = void.executed + refund.executed;
    let sent = void.complete + void.truncated + refund.complete + refund.truncated;
    tally.cases += 1;
    tally.max_per_step = tally.max_per_step.max(executed).max(sent);
    if executed != 1 || sent != 1 {
        tally.violations.push(format!("{sent} submits, {executed} executed"));
    }
    let cases = listed.pointer("/data/cases").and_then(Value::as_array).cloned().unwrap_or_default();
    let sent: Vec<&Value> = cases.iter().filter(|case| !list(case, "steps").is_empty()).collect();
    if sent.is_empty() {
        tally.lost += 1;
        tally.violations.push(format!("no case has the submit: {listed}"));
    }
    for case in sent.iter().filter(|case| contradicts(text(case, "outcome"), executed > 0)) {
        tally.contradictions += 1;
        tally.violations.push(format!("the case contradicts the ledger: {case}"));
    }
}
