//! E7: the vendor's answer to a submit has odd values in any of its fields.

use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{Lane, Plan, Report, Res, flag, text};
use crate::kinds::{CaseSpec, Kind, put};
use crate::oracle::{LedgerView, Tally, case};
use crate::worker::{Worker, WorkerExit};

/// `E7 drift`
pub fn run(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let lanes = plan.lanes(2, |number, _: &[Tally]| number >= 2, |number| lane(plan, number))?;
    let mut tally = Tally::default();
    lanes.into_iter().for_each(|one| tally.add(one));
    let figures = format!(
        "{} changed replies of void and refund: {}; violations {}, in {:.0} s",
        tally.cases,
        tally.reported(),
        tally.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(Report { figures, violations: tally.violations })
}

fn odd() -> Vec<Value> {
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

fn lane(plan: &Plan, number: usize) -> Res<Tally> {
    let (kind, step) = if number == 0 { (Kind::Void, "void") } else { (Kind::Refund, "refund") };
    let mut lane = plan.lane(7, number, "refundQueryWithoutCode=list")?;
    let mut worker = Worker::start(&lane.config())?;
    let mut tally = Tally::default();
    let other = kind.spec(&lane.atlas, &mut lane.dice, format!("other-{number}"))?;
    let fields = fields(&mut worker, &other.owner, step)?;
    let mut nth = 0;
    for field in &fields {
        for value in odd() {
            nth += 1;
            let spec = kind.spec(&lane.atlas, &mut lane.dice, format!("drift-{number}-{nth}"))?;
            let change = json!({field: value});
            lane.atlas.fault(json!({"endpoint": step, "mode": "reply", "body": change}))?;
            let faults = one(&mut lane, &mut worker, &spec, field)?;
            lane.atlas.clear_faults()?;
            let reply = worker.call("case.get", &json!({"key": spec.key}))?;
            let before = tally.violations.len();
            tally.check(&LedgerView::of(&lane.atlas), &spec, &reply);
            tally.violations.extend(faults);
            for words in tally.violations.iter_mut().skip(before) {
                words.push_str(&format!("\n    reply changed by {change}"));
            }
        }
    }
    if let Some(words) = worker.finish(&WorkerExit::Normal)?.complaint {
        tally.violations.push(format!("the worker broke: {words}"));
    }
    Ok(tally)
}

/// The members of a submit's reply, which even a refusal shows, and some that belong to none.
fn fields(worker: &mut Worker, order: &str, step: &str) -> Res<Vec<String>> {
    let mut request = json!({"orderNo": order});
    put(&mut request, &format!("{step}OfferId"), "q_none".into());
    let reply = worker.call(step, &request)?;
    let data =
        reply.get("data").and_then(Value::as_object).ok_or_else(|| format!("a reply without fields: {reply}"))?;
    Ok(data.keys().cloned().chain(["msg".to_owned(), "requestId".to_owned(), "unheardOf".to_owned()]).collect())
}

/// Opens under the changed reply. It was carried out, so nobody may say otherwise, now or later.
fn one(lane: &mut Lane, worker: &mut Worker, spec: &CaseSpec, field: &str) -> Res<Vec<String>> {
    let mut faults = Vec::new();
    let reply = worker.call("case.open", &spec.request)?;
    for round in 0..4 {
        let now = match round {
            0 => reply.clone(),
            _ => {
                lane.atlas.advance(1)?;
                worker.call("case.reconcile", &json!({"key": spec.key}))?
            }
        };
        let seen = case(&now).cloned().unwrap_or_default();
        let outcome = text(&seen, "outcome");
        // A wrong echo is a reason to doubt, until a query has reported.
        let doubt = field == "orderNo" && round < 3;
        if outcome != "executed" && !(doubt && matches!(outcome, "unknown" | "pending")) {
            faults.push(format!("{}: {outcome:?} in round {round}\n    {now}", spec.key));
            break;
        }
        if flag(&seen, "final") && outcome == "unknown" {
            faults.push(format!("{}: final while unknown", spec.key));
        }
    }
    Ok(faults)
}
