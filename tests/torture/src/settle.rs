//! Follows a batch of cases until each is settled or stays unknown, then has them judged.

use serde_json::{Value, json};

use crate::kinds::Wish;
use crate::oracle::{Tally, Truth, case};
use crate::rig::{Lane, Res, text};
use crate::worker::Worker;

/// Rounds of questions before an unknown outcome is taken for one that stays.
const ROUNDS: usize = 5;

/// Reconciles and resumes by turns, as a patient caller does, and judges what comes of it.
pub fn judge(lane: &Lane, wishes: &[Wish], tally: &mut Tally) -> Res<()> {
    let mut worker = Worker::start(&lane.config())?;
    // A stop is looked at after eight minutes; bags wait sixteen for their payment.
    lane.atlas.advance("10m")?;
    let mut open: Vec<&Wish> = wishes.iter().collect();
    for round in 0..ROUNDS {
        if round % 2 == 0 {
            worker.call("case.reconcile", &json!({"all": true}))?;
        }
        let mut still = Vec::new();
        for wish in open {
            let key = json!({"key": wish.key});
            let now = match settled(&worker.call("case.get", &key)?) {
                true => true,
                false => {
                    worker.call("case.reconcile", &key)?;
                    settled(&worker.call("case.open", &wish.request)?)
                }
            };
            if !now {
                still.push(wish);
            }
        }
        open = still;
        lane.atlas.advance(1)?;
    }
    let truth = Truth::of(&lane.atlas);
    for wish in wishes {
        let reply = worker.call("case.get", &json!({"key": wish.key}))?;
        tally.judge(&truth, wish, &reply);
    }
    match worker.finish(&crate::worker::Fate::Live)?.complaint {
        None => Ok(()),
        Some(words) => Err(format!("the judge's worker: {words}").into()),
    }
}

fn settled(reply: &Value) -> bool {
    case(reply).is_some_and(|case| matches!(text(case, "outcome"), "executed" | "not_executed"))
}
