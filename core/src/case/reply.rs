//! The reply of a case operation.

use super::error::StoredError;
use super::model::Case;
use super::view;
use super::vocabulary::CaseOutcome;
use crate::error::{Advice, Error, ErrorCode, Outcome, Status};
use crate::reply::Reply;
use crate::reply::decode::CallMeta;
use crate::reply::envelope::Envelope;
use crate::reply::writer::Draft;
use crate::wire::Warnings;

/// The result of a case operation.
pub(crate) struct CaseReply {
    pub outcome: Outcome,
    pub error: Option<Error>,
    /// JSON.
    pub data: String,
    /// The case that the call belongs to, as JSON.
    pub case: Option<String>,
    /// The vendor's answer that decided; the reply shows its numbers and has its raw bytes.
    pub last: Option<Reply>,
    pub warnings: Warnings,
}

impl CaseReply {
    /// The data of a call that succeeded.
    pub fn data(data: String) -> CaseReply {
        let warnings = Warnings::default();
        CaseReply { outcome: Outcome::Executed, error: None, data, case: None, last: None, warnings }
    }

    /// An error, without data.
    pub fn error(error: Error) -> CaseReply {
        CaseReply { outcome: error.outcome, error: Some(error), ..CaseReply::data("null".to_owned()) }
    }

    /// A case, as data and as the case that the call belongs to.
    /// The outcome is the case's own.
    pub fn case(case: &Case) -> CaseReply {
        let json = view::json(case);
        CaseReply { outcome: case.outcome.outcome(), case: Some(json.clone()), ..CaseReply::data(json) }
    }

    pub fn into_reply(self, operation: &str, meta: &CallMeta) -> Reply {
        let CaseReply { outcome, error, data, case, last, warnings } = self;
        let mut draft = Draft {
            outcome,
            error: error.map(Box::new),
            warnings,
            client_request_id: meta.client_request_id.as_deref(),
            attempts: meta.attempts,
            elapsed_ms: meta.elapsed_ms,
            capacity: data.len() * 2,
            ..Draft::new(operation)
        };
        let mut raw = None;
        if let Some(last) = last {
            draft.envelope = Envelope {
                status: last.vendor_status(),
                message: last.meta("vendorMessage"),
                request_id: last.meta("requestId"),
                ..Envelope::default()
            };
            draft.http_status = last.http_status();
            raw = last.into_parts().1;
            draft.bytes = raw.as_ref().map_or(0, Vec::len);
        }
        let mut reply = draft.finish(|out| out.push_str(&data));
        reply.set_raw(raw);
        match case {
            Some(case) => reply.with_case(&case),
            None => reply,
        }
    }
}

/// What the caller of a case is told when the case did not (yet) succeed. `last` is the vendor's last answer, if this
/// call asked for one.
pub(crate) fn error_of(case: &Case, last: Option<&Reply>) -> Option<Error> {
    if case.outcome == CaseOutcome::Executed {
        return None;
    }
    let outcome = case.outcome.outcome();
    let stored = match (&case.error, case.outcome) {
        (Some(stored), _) => stored.clone(),
        (None, CaseOutcome::Unknown) => {
            StoredError::new(ErrorCode::VendorUncertain, "whether it was executed is not known")
        }
        (None, CaseOutcome::Pending) => return None,
        (None, _) => StoredError::new(ErrorCode::Refused, "it was not executed"),
    };
    // The answer of this call knows more than the store keeps: the vendor's message.
    let answer =
        last.and_then(Reply::error).filter(|e| e.code == stored.code && e.vendor_status == stored.vendor_status);
    let mut error = answer.cloned().unwrap_or_else(|| stored.report());
    error.outcome = outcome;
    match outcome {
        Outcome::Unknown => {
            error.advice = Advice::Reconcile;
            error.next = Some("case.reconcile");
            error.retryable = false;
            error.help =
                "It may have happened. case.reconcile and case.follow find out; do not start another one before."
                    .to_owned();
        }
        _ if case.watched && !case.holds.is_empty() => {
            error.advice = Advice::GiveUp;
            error.retryable = false;
            error.help = format!(
                "It did not happen, as far as the vendor's answers show: {}. A new case on this order must name this one in `after`.",
                error.message
            );
        }
        // The same case.open goes on where this one stopped.
        _ if !case.closed => {
            error.retryable = true;
            error.help = format!(
                "Nothing that was sent was executed: {}. Open the case again with the same key.",
                error.message
            );
        }
        _ if error.status != Status::GUARD && error.help.starts_with("Nothing was sent") => {
            error.help = format!("It was not executed: {}.", error.message);
        }
        _ => {}
    }
    Some(error)
}
