//! Reconciles a batch of cases until each outcome is known or stays unknown, then checks them against the ledger.

use serde_json::{Value, json};

use crate::case_kinds::CaseRequest;
use crate::harness::{Lane, Result, text};
use crate::oracle::{LedgerSnapshot, Tally, case};
use crate::worker::Worker;

/// Rounds of reconciliation after which an unknown outcome is accepted as final.
const ROUNDS: usize = 5;

/// Calls case.reconcile and case.open in turns, then checks each case.
pub fn check(lane: &Lane, case_requests: &[CaseRequest], tally: &mut Tally) -> Result<()> {
    let mut worker = Worker::start(&lane.config())?;
    // A stop is decided after eight minutes; an ancillary order expires after sixteen.
    lane.atlas.advance("10m")?;
    let mut open: Vec<&CaseRequest> = case_requests.iter().collect();
    for round in 0..ROUNDS {
        if round % 2 == 0 {
            worker.call("case.reconcile", &json!({"all": true}))?;
        }
        let mut still = Vec::new();
        for case_request in open {
            let key = json!({"key": case_request.key});
            let now = match settled(&worker.call("case.get", &key)?) {
                true => true,
                false => {
                    worker.call("case.reconcile", &key)?;
                    settled(&worker.call("case.open", &case_request.request)?)
                }
            };
            if !now {
                still.push(case_request);
            }
        }
        open = still;
        lane.atlas.advance(1)?;
    }
    let ledger = LedgerSnapshot::of(&lane.atlas);
    for case_request in case_requests {
        let reply = worker.call("case.get", &json!({"key": case_request.key}))?;
        tally.check(&ledger, case_request, &reply);
    }
    match worker.finish(&crate::worker::KillPlan::Never)?.failure {
        None => Ok(()),
        Some(message) => Err(format!("the worker that reconciles: {message}").into()),
    }
}

fn settled(reply: &Value) -> bool {
    case(reply).is_some_and(|case| matches!(text(case, "outcome"), "executed" | "not_executed"))
}
