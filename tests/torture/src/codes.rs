//! E2c: the vendor answers a submit with each of its codes, and executes nothing.

use std::collections::BTreeMap;
use std::time::Instant;

use serde_json::json;

use crate::harness::{Plan, Report, Res, text};
use crate::kinds::Kind;
use crate::oracle::{LedgerView, case};
use crate::worker::Worker;

/// What each submit is answered; those that say "it is there already" are left out, since here they would be lies.
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
/// After these a new offer or basket may be sent once.
const ONCE_MORE: [i64; 2] = [805, 502];

/// `E2c codes`
pub fn run(plan: &Plan) -> Res<Report> {
    let started = Instant::now();
    let mut lane = plan.lane(22, 0, "refundQueryWithoutCode=list")?;
    let mut worker = Worker::start(&lane.config())?;
    let (mut report, mut words, mut cases) = (Report::default(), BTreeMap::<String, usize>::new(), 0);
    for (kind, endpoint, codes) in CODES {
        for code in codes {
            cases += 1;
            let spec = kind.spec(&lane.atlas, &mut lane.dice, format!("code-{}-{code}", kind.word()))?;
            lane.atlas.control("POST", &format!("/_sim/orders/{}", spec.owner), json!({"codes": {endpoint: code}}))?;
            worker.call("case.open", &spec.request)?;
            for _ in 0..4 {
                lane.atlas.advance(1)?;
                worker.call("case.reconcile", &json!({"key": spec.key}))?;
            }
            let reply = worker.call("case.get", &json!({"key": spec.key}))?;
            let outcome = case(&reply).map_or("no case", |case| text(case, "outcome"));
            *words.entry(outcome.to_owned()).or_default() += 1;
            let ledger = LedgerView::of(&lane.atlas);
            let effect = ledger.effect(&spec.owner, endpoint);
            // A cancel whose void is refused may have gone the other way.
            let refunded = kind == Kind::Cancel && ledger.effect(&spec.owner, "refund").executed == 1;
            let most = if ONCE_MORE.contains(code) { 2 } else { 1 };
            let mut fault = |words: &str| {
                report.violations.push(format!("{} answered {code}: {words}, {effect:?}\n    {reply}", kind.word()))
            };
            if effect.whole + effect.broken > most {
                fault("sent again");
            }
            if (outcome == "executed") != refunded || outcome == "no case" {
                fault(&format!("the case is {outcome}"));
            }
        }
    }
    let reported: Vec<String> = words.iter().map(|(word, count)| format!("{word} {count}")).collect();
    report.figures = format!(
        "{cases} submits answered with a code: {}; none sent again but once after 805 and 502; violations {}, in {:.0} s",
        reported.join(", "),
        report.violations.len(),
        started.elapsed().as_secs_f64()
    );
    Ok(report)
}
