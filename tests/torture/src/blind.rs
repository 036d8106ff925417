//! E2d: the submit was executed, its reply was lost, and the queries that would show it fail for a while.

use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{Plan, Report, Res, text};
use crate::kinds::{Kind, put};
use crate::oracle::{LedgerView, case};
use crate::worker::Worker;

/// Answers that hold nothing and prove nothing. A list that is null is none of them: so the vendor says "none".
fn blindness() -> Vec<Value> {
    let reply = |body: Value| json!({"mode": "reply", "body": body});
    let mut all: Vec<Value> = [
        json!({"status": 9999}),
        json!({"status": -1}),
        json!({"status": 2}),
        json!({"status": 905}),
        json!({"status": null}),
    ]
    .into_iter()
    .map(reply)
    .collect();
    for list in ["voidOrders", "refundOrders"] {
        for value in
            [json!({}), json!("x"), json!(7), json!([null]), json!([{}]), json!([[]]), json!([{"orderNo": "OTHER"}])]
        {
            all.push(reply(json!({list: value})));
        }
    }
    all.extend([
        json!({"mode": "http", "status": 500}),
        json!({"mode": "http", "status": 404}),
        json!({"mode": "rate_limit", "delayMs": 0}),
        json!({"mode": "rate_limit", "status": 200, "delayMs": 0}),
        json!({"mode": "garbage"}),
        json!({"mode": "garbage", "variant": "json"}),
        json!({"mode": "garbage", "variant": "nostatus"}),
        json!({"mode": "garbage", "variant": "empty"}),
        json!({"mode": "garbage", "variant": "array"}),
        json!({"mode": "cut"}),
        json!({"mode": "drop_before"}),
    ]);
    all
}

/// `E2d blind queries`
pub fn run(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let mut lane = plan.lane(23, 0, "refundQueryWithoutCode=list")?;
    let mut worker = Worker::start(&lane.config())?;
    let (mut report, mut cases) = (Report::default(), 0);
    for (kind, submit, query) in
        [(Kind::Void, "void", "queryVoidOrders"), (Kind::Refund, "refund", "queryRefundOrders")]
    {
        for (nth, blind) in blindness().into_iter().enumerate() {
            cases += 1;
            let spec = kind.spec(&lane.atlas, &mut lane.dice, format!("blind-{submit}-{nth}"))?;
            let mut fault = blind.clone();
            put(&mut fault, "endpoint", query.into());
            put(&mut fault, "times", 0.into());
            lane.atlas.fault(json!([{"endpoint": submit, "mode": "drop_after"}, fault]))?;
            worker.call("case.open", &spec.request)?;
            let key = json!({"key": spec.key});
            for _ in 0..6 {
                lane.atlas.advance(1)?;
                let reply = worker.call("case.reconcile", &key)?;
                let outcome = case(&reply).map_or("no case", |case| text(case, "outcome"));
                if outcome == "not_executed" {
                    report.violations.push(format!("{submit}: absence proved by {blind}\n    {reply}"));
                    break;
                }
            }
            lane.atlas.clear_faults()?;
            lane.atlas.advance("6m")?;
            let mut reply = worker.call("case.reconcile", &key)?;
            if case(&reply).is_some_and(|case| text(case, "outcome") != "executed") {
                worker.call("case.follow", &json!({"all": true}))?;
                reply = worker.call("case.open", &spec.request)?;
            }
            let effect = LedgerView::of(&lane.atlas).effect(&spec.owner, submit);
            if case(&reply).is_none_or(|case| text(case, "outcome") != "executed") || effect.whole != 1 {
                report.violations.push(format!("{submit}: after {blind}, with sight again: {effect:?}\n    {reply}"));
            }
        }
    }
    report.figures = format!(
        "{cases} executed submits without a reply, queries blind in {} ways: no absence proved, all found in the end; violations {}, in {:.0} s",
        cases / 2,
        report.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(report)
}
