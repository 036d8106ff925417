//! E9: many processes open a case on the same order at the same moment.

use std::collections::BTreeSet;
use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{Lane, Plan, Report, Res, list, text};
use crate::kinds::Kind;
use crate::oracle::{LedgerView, Tally, case, contradicts};
use crate::worker::Worker;

const CROWD: usize = 64;

/// `E9 crowds`
pub fn run(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let rounds = plan.size(4, 10_000 / CROWD + 1);
    let mut lane = plan.lane(9, 0, "clock=real")?;
    let config = lane.config();
    let mut crowd = (0..CROWD).map(|_| Worker::start(&config)).collect::<Res<Vec<_>>>()?;
    let mut tally = Tally::default();
    let mut losers = std::collections::BTreeMap::<String, usize>::new();
    for round in 0..rounds {
        let same_key = round % 2 == 1;
        let spec = Kind::Void.spec(&lane.atlas, &mut lane.dice, format!("crowd-{round}"))?;
        let request = |nth: usize| {
            let kind = if nth.is_multiple_of(2) || same_key { "void" } else { "refund" };
            let key = if same_key { spec.key.clone() } else { format!("{}-{nth}", spec.key) };
            json!({"kind": kind, "orderNo": spec.owner, "key": key})
        };
        for (nth, worker) in crowd.iter_mut().enumerate() {
            worker.ask("case.open", &request(nth), &Value::Null);
        }
        let replies = crowd.iter_mut().map(Worker::answer).collect::<Res<Vec<_>>>()?;
        let faults = if same_key { one_case(&replies) } else { one_winner(&replies, &mut losers) };
        let reported =
            crowd.first_mut().map(|one| one.call("case.list", &json!({"orderNo": spec.owner}))).transpose()?;
        let before = tally.violations.len();
        tally.violations.extend(faults);
        one_effect(&lane, &spec.owner, &reported.unwrap_or_default(), &mut tally);
        for words in tally.violations.iter_mut().skip(before) {
            *words = format!("round {round}, {}: {words}", spec.owner);
        }
    }
    let reported: Vec<String> = losers.iter().map(|(word, count)| format!("{word} {count}")).collect();
    let figures = format!(
        "{} opens by {CROWD} processes, {rounds} orders: {}, one winner each, the others reported {}; \
         violations {}, in {:.0} s",
        rounds * CROWD,
        tally.promise(),
        reported.join(", "),
        tally.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(Report { figures, violations: tally.violations })
}

/// Different keys: one case is carried out, everybody else is reported which, or that it had been done already.
fn one_winner(replies: &[Value], losers: &mut std::collections::BTreeMap<String, usize>) -> Vec<String> {
    let mut faults = Vec::new();
    let won = |reply: &&Value| reply.get("ok").and_then(Value::as_bool) == Some(true);
    let winners: Vec<&Value> = replies.iter().filter(won).collect();
    if winners.len() != 1 {
        faults.push(format!(
            "{} winners: {}",
            winners.len(),
            winners.iter().map(|w| w.to_string()).collect::<Vec<_>>().join("\n    ")
        ));
    }
    let id = winners.first().and_then(|reply| case(reply)).map(|case| text(case, "id")).unwrap_or_default();
    for reply in replies.iter().filter(|reply| !won(reply)) {
        let status = reply.pointer("/error/status").and_then(Value::as_i64).unwrap_or(0);
        let code = reply.pointer("/error/code").and_then(Value::as_str).unwrap_or("no error");
        *losers.entry(format!("{code} ({status})")).or_default() += 1;
        match status {
            -61 if !id.is_empty() && reply.to_string().contains(id) => {}
            -61 => faults.push(format!("a conflict that does not name {id}: {reply}")),
            -48 | -49 => {}
            _ => faults.push(format!("neither a conflict nor already done: {reply}")),
        }
    }
    faults
}

/// The same key: the same case for everyone.
fn one_case(replies: &[Value]) -> Vec<String> {
    let ids: BTreeSet<&str> = replies.iter().map(|reply| case(reply).map_or("", |case| text(case, "id"))).collect();
    if ids.len() == 1 && !ids.contains("") {
        return Vec::new();
    }
    let odd = replies.iter().find(|reply| case(reply).is_none()).or(replies.first());
    vec![format!("{} ids for one key: {ids:?}, such as {}", ids.len(), odd.unwrap_or(&Value::Null))]
}

/// One submit, one effect, and one case that says so.
fn one_effect(lane: &Lane, order: &str, listed: &Value, tally: &mut Tally) {
    let ledger = LedgerView::of(&lane.atlas);
    let (void, refund) = (ledger.effect(order, "void"), ledger.effect(order, "refund"));
    let executed = void.executed + refund.executed;
    let sent = void.whole + void.broken + refund.whole + refund.broken;
    tally.cases += 1;
    tally.most = tally.most.max(executed).max(sent);
    if executed != 1 || sent != 1 {
        tally.violations.push(format!("{sent} submits, {executed} executed"));
    }
    let cases = listed.pointer("/data/cases").and_then(Value::as_array).cloned().unwrap_or_default();
    let sent: Vec<&Value> = cases.iter().filter(|case| !list(case, "steps").is_empty()).collect();
    if sent.is_empty() {
        tally.lost += 1;
        tally.violations.push(format!("no case has it: {listed}"));
    }
    for case in sent.iter().filter(|case| contradicts(text(case, "outcome"), executed > 0)) {
        tally.contradictions += 1;
        tally.violations.push(format!("the case contradicts the ledger: {case}"));
    }
}
