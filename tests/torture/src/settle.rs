//! Follows a batch of cases until each is settled or stays unknown, then compares them with the ledger.

use serde_json::{Value, json};

use crate::harness::{Lane, Res, text};
use crate::kinds::CaseSpec;
use crate::oracle::{LedgerView, Tally, case};
use crate::worker::Worker;

/// Rounds of questions before an unknown outcome is taken for one that stays.
const ROUNDS: usize = 5;

/// Reconciles and resumes by turns, as a patient caller does, and judges what comes of it.
pub fn check(lane: &Lane, specs: &[CaseSpec], tally: &mut Tally) -> Res<()> {
    let mut worker = Worker::start(&lane.config())?;
    // A stop is looked at after eight minutes; bags wait sixteen for their payment.
    lane.atlas.advance("10m")?;
    let mut open: Vec<&CaseSpec> = specs.iter().collect();
    for round in 0..ROUNDS {
        if round % 2 == 0 {
            worker.call("case.reconcile", &json!({"all": true}))?;
        }
        let mut still = Vec::new();
        for spec in open {
            let key = json!({"key": spec.key});
            let now = match settled(&worker.call("case.get", &key)?) {
                true => true,
                false => {
                    worker.call("case.reconcile", &key)?;
                    settled(&worker.call("case.open", &spec.request)?)
                }
            };
            if !now {
                still.push(spec);
            }
        }
        open = still;
        lane.atlas.advance(1)?;
    }
    let ledger = LedgerView::of(&lane.atlas);
    for spec in specs {
        let reply = worker.call("case.get", &json!({"key": spec.key}))?;
        tally.check(&ledger, spec, &reply);
    }
    match worker.finish(&crate::worker::WorkerExit::Normal)?.complaint {
        None => Ok(()),
        Some(words) => Err(format!("the check's worker: {words}").into()),
    }
}

fn settled(reply: &Value) -> bool {
    case(reply).is_some_and(|case| matches!(text(case, "outcome"), "executed" | "not_executed"))
}
