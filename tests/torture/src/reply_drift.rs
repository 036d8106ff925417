//! E7: one field of the vendor's reply to a submit has a value of an unexpected type.

use std::time::Instant;

use serde_json::{Value, json};

use crate::case_kinds::{CaseRequest, Kind, put};
use crate::harness::{Lane, Plan, Report, Result, flag, text};
use crate::oracle::{LedgerSnapshot, Tally, case};
use crate::worker::{KillPlan, Worker};

/// `E7 reply drift`
pub fn run(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    let lanes = plan.lanes(2, |number, _: &[Tally]| number >= 2, |number| lane(plan, number))?;
    let mut tally = Tally::default();
    lanes.into_iter().for_each(|one| tally.add(one));
    let figures = format!(
        "{} changed replies of void and refund: {}; violations {}, in {:.0} s",
        tally.cases,
        tally.outcome_figures(),
        tally.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(Report { figures, violations: tally.violations })
}

fn unexpected_values() -> Vec<Value> {
    vec![
        Value::Null,
        json!(""),
        json!("odd"),
        json!(9),
        json!(-1),
        json!(12.75),
        json!(true),
        json!({}),
        json!({"a": [1]}),
        json!([]),
        json!([null, {"b": 2}]),
    ]
}

fn lane(plan: &Plan, number: usize) -> Result<Tally> {
    let (kind, step) = if number == 0 { (Kind::Void, "void") } else { (Kind::Refund, "refund") };
    let mut lane = plan.lane(7, number, "refundQueryWithoutCode=list")?;
    let mut worker = Worker::start(&lane.config())?;
    let mut tally = Tally::default();
    let other = kind.case_request(&lane.atlas, &mut lane.rng, format!("other-{number}"))?;
    let fields = fields(&mut worker, &other.owner, step)?;
    let mut nth = 0;
    for field in &fields {
        for value in unexpected_values() {
            nth += 1;
            let case_request = kind.case_request(&lane.atlas, &mut lane.rng, format!("drift-{number}-{nth}"))?;
            let change = json!({field: value});
            lane.atlas.fault(json!({"endpoint": step, "mode": "reply", "body": change}))?;
            let violations = open_and_check(&mut lane, &mut worker, &case_request, field)?;
            lane.atlas.clear_faults()?;
            let reply = worker.call("case.get", &json!({"key": case_request.key}))?;
            let before = tally.violations.len();
            tally.check(&LedgerSnapshot::of(&lane.atlas), &case_request, &reply);
            tally.violations.extend(violations);
            for message in tally.violations.iter_mut().skip(before) {
                message.push_str(&format!("\n    reply changed by {change}"));
            }
        }
    }
    if let Some(message) = worker.finish(&KillPlan::Never)?.failure {
        tally.violations.push(format!("the worker failed: {message}"));
    }
    Ok(tally)
}

/// The fields of a submit's reply, as a refusal lists them, and some that no reply has.
fn fields(worker: &mut Worker, order: &str, step: &str) -> Result<Vec<String>> {
    let mut request = json!({"orderNo": order});
    put(&mut request, &format!("{step}OfferId"), "q_none".into());
    let reply = worker.call(step, &request)?;
    let data =
        reply.get("data").and_then(Value::as_object).ok_or_else(|| format!("a reply without fields: {reply}"))?;
    Ok(data.keys().cloned().chain(["msg".to_owned(), "requestId".to_owned(), "unheardOf".to_owned()]).collect())
}

/// Opens a case whose submit gets the changed reply. It is executed, so no later reply may state otherwise.
fn open_and_check(
    lane: &mut Lane,
    worker: &mut Worker,
    case_request: &CaseRequest,
    field: &str,
) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    let reply = worker.call("case.open", &case_request.request)?;
    for round in 0..4 {
        let now = match round {
            0 => reply.clone(),
            _ => {
                lane.atlas.advance(1)?;
                worker.call("case.reconcile", &json!({"key": case_request.key}))?
            }
        };
        let seen = case(&now).cloned().unwrap_or_default();
        let outcome = text(&seen, "outcome");
        // A reply with another order number is not trusted until a query confirms it.
        let doubt = field == "orderNo" && round < 3;
        if outcome != "executed" && !(doubt && matches!(outcome, "unknown" | "pending")) {
            violations.push(format!("{}: {outcome:?} in round {round}\n    {now}", case_request.key));
            break;
        }
        if flag(&seen, "final") && outcome == "unknown" {
            violations.push(format!("{}: final while unknown", case_request.key));
        }
    }
    Ok(violations)
}
