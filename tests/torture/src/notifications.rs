//! E12: notifications that are forged, duplicated, out of order, or malformed.

use std::time::Instant;

use serde_json::{Value, json};

use crate::case_kinds::{CaseRequest, Kind};
use crate::harness::{Lane, Plan, Report, Result, flag, text};
use crate::oracle::{case, named};
use crate::worker::Worker;

/// `E12 notifications`
pub fn run(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    let mut lane = plan.lane(12, 0, "refundQueryWithoutCode=list")?;
    let mut worker = Worker::start(&lane.config())?;
    let mut report = Report::default();
    let (mut sent, mut queries) = (0, 0);
    for nth in 0..plan.size(30, 500) {
        let kind = *lane.rng.choice(&[Kind::Void, Kind::Refund, Kind::Ancillary]).unwrap_or(&Kind::Void);
        let case_request = kind.case_request(&lane.atlas, &mut lane.rng, format!("hook-{nth}"))?;
        worker.call("case.open", &case_request.request)?;
        // Queries that are due after the opening are made first, so that later ones are caused by the notifications.
        lane.atlas.advance(60)?;
        while worker.call("case.follow", &json!({"all": true}))?.pointer("/data/due").and_then(Value::as_u64) > Some(0)
        {
        }
        let forged = forgeries(&mut lane, &mut worker, &case_request)?;
        sent += forged.len();
        let violations = send_and_check(&mut lane, &mut worker, &case_request, &forged, &mut queries)?;
        report.violations.extend(violations.into_iter().map(|message| format!("{}: {message}", case_request.key)));
    }
    for body in garbage() {
        sent += 1;
        let before = lane.atlas.request_count();
        let reply = worker.call("case.notify", &json!({"body": body}))?;
        if lane.atlas.request_count() != before || text(&reply, "outcome") == "unknown" {
            report.violations.push(format!("garbage {body} had an effect: {reply}"));
        }
    }
    report.figures = format!(
        "{sent} forged, duplicated or malformed ones: no case changed, {queries} queries \
         (at most one per order); violations {}, in {:.0} s",
        report.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(report)
}

/// Sends all forged notifications and checks their effect.
fn send_and_check(
    lane: &mut Lane,
    worker: &mut Worker,
    case_request: &CaseRequest,
    forged: &[Value],
    queries: &mut usize,
) -> Result<Vec<String>> {
    let mut violations = Vec::new();
    let key = json!({"key": case_request.key});
    let ledger = |reply: &Value| {
        case(reply).map(|case| {
            ["outcome", "state", "vendorCode", "final", "code", "steps"]
                .map(|name| case.get(name).cloned().unwrap_or_default())
        })
    };
    let before = worker.call("case.get", &key)?;
    let requests_before = lane.atlas.request_count();
    for body in forged {
        let reply = worker.call("case.notify", &json!({"body": body}))?;
        if !flag(&reply, "ok") {
            violations.push(format!("a well-formed notification is refused\n    {body}\n    {reply}"));
        }
    }
    if lane.atlas.request_count() != requests_before {
        violations.push("a notification caused a request at once".to_owned());
    }
    let after = worker.call("case.get", &key)?;
    if ledger(&before) != ledger(&after) {
        violations.push(format!("a notification changed the case\n    {before}\n    {after}"));
    }
    for _ in 0..3 {
        worker.call("case.follow", &json!({"all": true, "until": "step"}))?;
    }
    let code = case(&before).map_or("", |case| text(case, "code"));
    let matching = |request: &&Value| [case_request.owner.as_str(), code].contains(&named(request).as_str());
    let query_count = lane.atlas.requests_since(requests_before).iter().filter(matching).count();
    *queries += query_count;
    if query_count > 1 {
        violations.push(format!("{} forged notifications caused {query_count} queries", forged.len()));
    }
    // The vendor's state is unchanged, so the case must be unchanged.
    let end = worker.call("case.get", &key)?;
    if ledger(&before) != ledger(&end) {
        violations.push(format!("the case changed and the vendor's state did not\n    {before}\n    {end}"));
    }
    Ok(violations)
}

/// Notifications of events that did not happen, one of them twice.
fn forgeries(lane: &mut Lane, worker: &mut Worker, case_request: &CaseRequest) -> Result<Vec<Value>> {
    let reply = worker.call("case.get", &json!({"key": case_request.key}))?;
    let code = case(&reply).map_or("", |case| text(case, "code")).to_owned();
    let order = if case_request.kind == Kind::Ancillary { code.clone() } else { case_request.owner.clone() };
    let void = |status: i64| {
        json!({"cid": "X", "type": "order.void", "status": -1,
        "data": {"orderNo": order, "voidCode": code, "voidStatus": status, "message": ""}})
    };
    let mut all = vec![
        void(2),
        void(2),
        void(1),
        void(4),
        void(9),
        json!({"cid": "X", "type": "order.ticketed", "status": -1, "data": {"orderNo": order, "orderStatus": 2, "paxTicketInfos": []}}),
        json!({"cid": "X", "type": "order.cancelled", "data": {"orderNo": order, "errorCode": "603", "errorMessage": "no"}}),
        json!({"cid": "X", "type": "order.void", "status": 0, "data": {"orderNo": order, "voidCode": "209912-9999", "voidStatus": 2}}),
    ];
    lane.rng.shuffle(&mut all);
    Ok(all)
}

fn garbage() -> Vec<Value> {
    vec![
        json!(""),
        json!("{"),
        json!("null"),
        json!("[]"),
        json!("\u{0}\u{1}"),
        json!({"type": 9, "data": []}),
        json!({"type": "order.void", "data": {"orderNo": {"a": 1}}}),
        json!({"type": "order.void", "data": {"orderNo": "TESTA20200101000000000", "voidStatus": 2}}),
        json!({"type": "x".repeat(10_000), "data": null}),
        json!("[".repeat(10_000)),
    ]
}
