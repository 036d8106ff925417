//! E2c: the vendor answers submits with every code it has. Nothing is executed.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::json;

use crate::case_kinds::Kind;
use crate::harness::{Plan, Report, Result, text};
use crate::oracle::{LedgerSnapshot, case};
use crate::worker::Worker;

/// The codes for each submit. Codes that mean "already submitted" are left out: nothing has been submitted here.
const CODES: [(Kind, &str, &[i64]); 6] = [
    (
        Kind::Void,
        "void",
        &[801, 805, 808, 809, 810, 814, 815, 820, 822, 823, 824, 841, 843, 905, 100, 901, 900, 902, 2, -1, 9999, 777],
    ),
    (
        Kind::Refund,
        "refund",
        &[
            801, 802, 805, 807, 809, 810, 811, 812, 814, 815, 820, 821, 822, 823, 824, 8041, 905, 100, 901, 900, 902,
            2, -1, 9999, 777,
        ],
    ),
    (Kind::Cancel, "void", &[805, 808, 822, 823, 841, 843, 801, 905, 9999]),
    (
        Kind::Ancillary,
        "postBookingAncillaryOrder",
        &[6, 301, 307, 312, 316, 317, 324, 330, 407, 501, 502, 503, 504, 506, 509, 777],
    ),
    (Kind::Regenerate, "regenerateOrder", &[300, 301, 307, 314, 316, 318, 324, 325, 330, 407, 6051, 777]),
    (Kind::Stop, "stopTicket", &[2, 100, 805, 777]),
];
/// After these codes a submit with a new offer or a new search may be sent once.
const RESENT_ONCE: [i64; 3] = [6, 502, 805];

/// `E2c vendor codes`
pub fn run(plan: &Plan) -> Result<Report> {
    let started = Instant::now();
    let mut lane = plan.lane(22, 0, "refundQueryWithoutCode=list")?;
    let mut worker = Worker::start(&lane.config())?;
    let (mut report, mut outcomes, mut cases) = (Report::default(), BTreeMap::<String, usize>::new(), 0);
    for (kind, endpoint, vendor_codes) in CODES {
        for code in vendor_codes {
            cases += 1;
            let case_request =
                kind.case_request(&lane.atlas, &mut lane.rng, format!("code-{}-{code}", kind.wire_name()))?;
            lane.atlas.control(
                "POST",
                &format!("/_sim/orders/{}", case_request.owner),
                json!({"codes": {endpoint: code}}),
            )?;
            worker.call("case.open", &case_request.request)?;
            for _ in 0..4 {
                lane.atlas.advance(1)?;
                worker.call("case.reconcile", &json!({"key": case_request.key}))?;
            }
            let reply = worker.call("case.get", &json!({"key": case_request.key}))?;
            let outcome = case(&reply).map_or("no case", |case| text(case, "outcome"));
            *outcomes.entry(outcome.to_owned()).or_default() += 1;
            let ledger = LedgerSnapshot::of(&lane.atlas);
            let counts = ledger.counts(&case_request.owner, endpoint);
            // A cancel whose void is refused may continue as a refund.
            let refunded = kind == Kind::Cancel && ledger.counts(&case_request.owner, "refund").executed == 1;
            let allowed = if RESENT_ONCE.contains(code) { 2 } else { 1 };
            let mut violation = |message: &str| {
                report
                    .violations
                    .push(format!("{} answered {code}: {message}, {counts:?}\n    {reply}", kind.wire_name()))
            };
            if counts.complete + counts.truncated > allowed {
                violation("sent again");
            }
            if (outcome == "executed") != refunded || outcome == "no case" {
                violation(&format!("the case is {outcome}"));
            }
        }
    }
    let outcome_counts: Vec<String> = outcomes.iter().map(|(outcome, count)| format!("{outcome} {count}")).collect();
    report.figures = format!(
        "{cases} submits answered with a code: {}; none sent again except once after 6, 502 and 805; \
         violations {}, in {:.0} s",
        outcome_counts.join(", "),
        report.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(report)
}
