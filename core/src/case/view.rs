//! A case as JSON, for replies and exports.

use serde::Serialize;

use super::error::StoredError;
use super::model::{Case, Money};
use crate::unix_time::{Millis, format_rfc3339};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct View<'c> {
    id: &'c str,
    key: &'c str,
    kind: &'static str,
    via: Option<&'static str>,
    order_no: Option<&'c str>,
    offer_id: Option<&'c str>,
    code: Option<&'c str>,
    outcome: &'static str,
    state: &'static str,
    vendor_code: Option<i64>,
    r#final: bool,
    adopted: bool,
    reopened: bool,
    purged: bool,
    money: Option<MoneyView<'c>>,
    deadline: Option<String>,
    deadline_source: Option<&'c str>,
    next_due_at: Option<String>,
    change: i64,
    created_at: String,
    updated_at: String,
    steps: Vec<StepView>,
    evidence: Vec<EvidenceView<'c>>,
    error: Option<ErrorView<'c>>,
}

/// See [`crate::wire::CaseMoney`].
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MoneyView<'c> {
    currency: Option<&'c str>,
    paid: Option<&'c str>,
    estimated_refund: Option<&'c str>,
    fee: Option<&'c str>,
    actual_refund: Option<&'c str>,
}

impl<'c> MoneyView<'c> {
    pub fn of(money: &'c Money) -> MoneyView<'c> {
        MoneyView {
            currency: money.currency.as_deref(),
            paid: money.paid.as_deref(),
            estimated_refund: money.estimated_refund.as_deref(),
            fee: money.fee.as_deref(),
            actual_refund: money.actual_refund.as_deref(),
        }
    }
}

#[derive(Serialize)]
struct StepView {
    name: &'static str,
    outcome: &'static str,
    attempts: u32,
    at: String,
}

#[derive(Serialize)]
struct EvidenceView<'c> {
    at: String,
    what: &'c str,
    strength: &'static str,
}

/// See [`crate::wire::CaseError`].
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ErrorView<'c> {
    code: &'c str,
    status: i32,
    message: &'c str,
    vendor_status: Option<i64>,
    vendor_code: Option<&'c str>,
}

impl<'c> ErrorView<'c> {
    pub fn of(error: &'c StoredError) -> ErrorView<'c> {
        ErrorView {
            code: error.code.as_str(),
            status: error.status,
            message: &error.message,
            vendor_status: error.vendor_status,
            vendor_code: error.vendor_code.as_deref(),
        }
    }
}

fn text(at: Option<Millis>) -> Option<String> {
    at.map(format_rfc3339)
}

/// The case in the order of [`crate::wire::Case`]; every key is there.
pub(crate) fn json(case: &Case) -> String {
    let view = View {
        id: &case.id,
        key: &case.key,
        kind: case.kind.word(),
        via: case.via.map(|v| v.word()),
        order_no: case.order_no.as_deref(),
        offer_id: case.offer_id.as_deref(),
        code: case.code.as_deref(),
        outcome: case.outcome.word(),
        state: case.state.word(),
        vendor_code: case.vendor_code,
        r#final: case.closed,
        adopted: case.adopted,
        reopened: case.reopened,
        purged: false,
        money: case.money.as_ref().map(MoneyView::of),
        deadline: text(case.deadline.as_ref().map(|d| d.at)),
        deadline_source: case.deadline.as_ref().map(|d| d.source.as_str()),
        next_due_at: text(case.due),
        change: case.change,
        created_at: format_rfc3339(case.created),
        updated_at: format_rfc3339(case.updated),
        steps: case
            .steps
            .iter()
            .map(|s| StepView {
                name: s.name.word(),
                outcome: s.outcome.word(),
                attempts: s.attempts,
                at: format_rfc3339(s.at),
            })
            .collect(),
        evidence: case
            .evidence
            .iter()
            .map(|e| EvidenceView { at: format_rfc3339(e.at), what: &e.what, strength: e.strength.word() })
            .collect(),
        error: case.error.as_ref().map(ErrorView::of),
    };
    serde_json::to_string(&view).unwrap_or_else(|_| "null".to_owned())
}
