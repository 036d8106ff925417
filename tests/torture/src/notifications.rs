//! E12: notifications that are forged, doubled, out of order, or no notifications at all.

use std::time::Instant;

use serde_json::{Value, json};

use crate::harness::{Lane, Plan, Report, Res, flag, text};
use crate::kinds::{CaseSpec, Kind};
use crate::oracle::{case, named};
use crate::worker::Worker;

/// `E12 notifications`
pub fn run(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let mut lane = plan.lane(12, 0, "refundQueryWithoutCode=list")?;
    let mut worker = Worker::start(&lane.config())?;
    let mut report = Report::default();
    let (mut reported, mut queries) = (0, 0);
    for nth in 0..plan.size(30, 500) {
        let kind = *lane.dice.choice(&[Kind::Void, Kind::Refund, Kind::Ancillary]).unwrap_or(&Kind::Void);
        let spec = kind.spec(&lane.atlas, &mut lane.dice, format!("hook-{nth}"))?;
        worker.call("case.open", &spec.request)?;
        // What the opening has left due is asked first, so that what follows is the forgeries' doing.
        lane.atlas.advance(60)?;
        while worker.call("case.follow", &json!({"all": true}))?.pointer("/data/due").and_then(Value::as_u64) > Some(0)
        {
        }
        let forged = forgeries(&mut lane, &mut worker, &spec)?;
        reported += forged.len();
        let faults = one(&mut lane, &mut worker, &spec, &forged, &mut queries)?;
        report.violations.extend(faults.into_iter().map(|words| format!("{}: {words}", spec.key)));
    }
    for body in garbage() {
        reported += 1;
        let before = lane.atlas.request_count();
        let reply = worker.call("case.notify", &json!({"body": body}))?;
        if lane.atlas.request_count() != before || text(&reply, "outcome") == "unknown" {
            report.violations.push(format!("garbage {body} did something: {reply}"));
        }
    }
    report.figures = format!(
        "{reported} forged, doubled or meaningless ones: ledger moved by none, {queries} queries (at most one per order); violations {}, in {:.0} s",
        report.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(report)
}

/// Tells all forgeries at once and looks at what they did.
fn one(
    lane: &mut Lane,
    worker: &mut Worker,
    spec: &CaseSpec,
    forged: &[Value],
    queries: &mut usize,
) -> Res<Vec<String>> {
    let mut faults = Vec::new();
    let key = json!({"key": spec.key});
    let ledger = |reply: &Value| {
        case(reply).map(|case| {
            ["outcome", "state", "vendorCode", "final", "code", "steps"]
                .map(|name| case.get(name).cloned().unwrap_or_default())
        })
    };
    let before = worker.call("case.get", &key)?;
    let seen = lane.atlas.request_count();
    for body in forged {
        let reply = worker.call("case.notify", &json!({"body": body}))?;
        if !flag(&reply, "ok") {
            faults.push(format!("a well-formed notification is refused\n    {body}\n    {reply}"));
        }
    }
    if lane.atlas.request_count() != seen {
        faults.push("a notification was answered with a request at once".to_owned());
    }
    let after = worker.call("case.get", &key)?;
    if ledger(&before) != ledger(&after) {
        faults.push(format!("a notification moved the ledger\n    {before}\n    {after}"));
    }
    for _ in 0..3 {
        worker.call("case.follow", &json!({"all": true, "until": "step"}))?;
    }
    let code = case(&before).map_or("", |case| text(case, "code"));
    let mine = |request: &&Value| [spec.owner.as_str(), code].contains(&named(request).as_str());
    let asked = lane.atlas.requests_since(seen).iter().filter(mine).count();
    *queries += asked;
    if asked > 1 {
        faults.push(format!("{} forged notifications caused {asked} queries", forged.len()));
    }
    // The vendor has not moved, so the case has not, whatever was said.
    let end = worker.call("case.get", &key)?;
    if ledger(&before) != ledger(&end) {
        faults.push(format!("the ledger moved and the vendor had not\n    {before}\n    {end}"));
    }
    Ok(faults)
}

/// Notifications of things that did not happen, some of them twice.
fn forgeries(lane: &mut Lane, worker: &mut Worker, spec: &CaseSpec) -> Res<Vec<Value>> {
    let reply = worker.call("case.get", &json!({"key": spec.key}))?;
    let code = case(&reply).map_or("", |case| text(case, "code")).to_owned();
    let order = if spec.kind == Kind::Ancillary { code.clone() } else { spec.owner.clone() };
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
    lane.dice.shuffle(&mut all);
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
