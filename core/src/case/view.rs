//! A case as the message [`crate::wire::Case`], which is its JSON in replies and exports.

use super::error::StoredError;
use super::model::{Case, Evidence, Money, Step};
use super::schedule::WATCH;
use crate::unix_time::{Millis, format_rfc3339};
use crate::wire::{self, Amount, Instant, to_json};

/// The case's JSON; every key is there.
pub(crate) fn json(case: &Case) -> String {
    to_json(&message(case))
}

/// The case as a message.
pub(crate) fn message(case: &Case) -> wire::Case {
    wire::Case {
        id: Some(case.id.clone()),
        key: Some(case.key.clone()),
        kind: Some(case.kind.word().to_owned()),
        via: case.via.map(|via| via.word().to_owned()),
        order_no: case.order_no.clone(),
        passengers: case.positions.iter().filter_map(|at| i64::try_from(*at).ok()).map(Into::into).collect(),
        offer_id: case.offer_id.clone(),
        code: case.code.clone(),
        outcome: Some(case.outcome.word().to_owned()),
        state: Some(case.state.word().to_owned()),
        vendor_code: case.vendor_code.map(Into::into),
        r#final: Some(case.closed),
        adopted: Some(case.adopted),
        reopened: Some(case.reopened),
        purged: Some(false),
        watched_until: case.watched.then(|| instant(case.since + WATCH)),
        change: Some(case.change.into()),
        money: case.money.as_ref().map(money),
        deadline: case.deadline.as_ref().map(|deadline| instant(deadline.at)),
        deadline_source: case.deadline.as_ref().map(|deadline| deadline.source.clone()),
        next_due_at: case.next_due().map(instant),
        created_at: Some(instant(case.created)),
        updated_at: Some(instant(case.updated)),
        steps: case.steps.iter().map(step).collect(),
        evidence: case.evidence.iter().map(evidence).collect(),
        error: case.error.as_ref().map(error),
    }
}

pub(crate) fn instant(at: Millis) -> Instant {
    format_rfc3339(at).as_str().into()
}

pub(crate) fn money(money: &Money) -> wire::CaseMoney {
    let amount = |text: &Option<String>| text.as_deref().and_then(Amount::parse);
    wire::CaseMoney {
        currency: money.currency.clone(),
        paid: amount(&money.paid),
        estimated_refund: amount(&money.estimated_refund),
        fee: amount(&money.fee),
        actual_refund: amount(&money.actual_refund),
    }
}

pub(crate) fn error(error: &StoredError) -> wire::CaseError {
    wire::CaseError {
        code: Some(error.code.as_str().to_owned()),
        status: Some(i64::from(error.status).into()),
        message: Some(error.message.clone()),
        vendor_status: error.vendor_status.map(Into::into),
        vendor_code: error.vendor_code.clone(),
    }
}

fn step(step: &Step) -> wire::CaseStep {
    wire::CaseStep {
        name: Some(step.name.word().to_owned()),
        outcome: Some(step.outcome.word().to_owned()),
        attempts: Some(i64::from(step.attempts).into()),
        sent_at: step.sent_at.map(instant),
        at: Some(instant(step.at)),
        request_id: step.request_id.clone(),
    }
}

fn evidence(evidence: &Evidence) -> wire::CaseEvidence {
    wire::CaseEvidence {
        at: Some(instant(evidence.at)),
        what: Some(evidence.what.clone()),
        strength: Some(evidence.strength.word().to_owned()),
    }
}
