//! E2d: the submit is executed, its reply is lost, and the queries that could find it fail for some time.

use std::time::Instant;

use serde_json::{Value, json};

use crate::case_kinds::{Kind, put};
use crate::harness::{Plan, Report, Result, text};
use crate::oracle::{LedgerSnapshot, case};
use crate::worker::Worker;

/// Query replies that prove nothing. A null list is not among them: the vendor sends it for an empty result.
fn inconclusive_replies() -> Vec<Value> {
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

/// `E2d failing queries`
pub fn run(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    let mut lane = plan.lane(23, 0, "refundQueryWithoutCode=list")?;
    let mut worker = Worker::start(&lane.config())?;
    let (mut report, mut cases) = (Report::default(), 0);
    for (kind, submit, query) in
        [(Kind::Void, "void", "queryVoidOrders"), (Kind::Refund, "refund", "queryRefundOrders")]
    {
        for (nth, failing_queries) in inconclusive_replies().into_iter().enumerate() {
            cases += 1;
            let case_request = kind.case_request(&lane.atlas, &mut lane.rng, format!("blind-{submit}-{nth}"))?;
            let mut fault = failing_queries.clone();
            put(&mut fault, "endpoint", query.into());
            put(&mut fault, "times", 0.into());
            lane.atlas.fault(json!([{"endpoint": submit, "mode": "drop_after"}, fault]))?;
            worker.call("case.open", &case_request.request)?;
            let key = json!({"key": case_request.key});
            for _ in 0..6 {
                lane.atlas.advance(1)?;
                let reply = worker.call("case.reconcile", &key)?;
                let outcome = case(&reply).map_or("no case", |case| text(case, "outcome"));
                if outcome == "not_executed" {
                    report.violations.push(format!("{submit}: absence stated after {failing_queries}\n    {reply}"));
                    break;
                }
            }
            lane.atlas.clear_faults()?;
            lane.atlas.advance("6m")?;
            let mut reply = worker.call("case.reconcile", &key)?;
            if case(&reply).is_some_and(|case| text(case, "outcome") != "executed") {
                worker.call("case.follow", &json!({"all": true}))?;
                reply = worker.call("case.open", &case_request.request)?;
            }
            let counts = LedgerSnapshot::of(&lane.atlas).counts(&case_request.owner, submit);
            if case(&reply).is_none_or(|case| text(case, "outcome") != "executed") || counts.complete != 1 {
                report
                    .violations
                    .push(format!("{submit}: after {failing_queries} and a working query: {counts:?}\n    {reply}"));
            }
        }
    }
    report.figures = format!(
        "{cases} executed submits without a reply, queries failing in {} ways: no absence stated, \
         all found later; violations {}, in {:.0} s",
        cases / 2,
        report.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(report)
}
