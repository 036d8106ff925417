//! The error of a case: as the store keeps it, and as callers are told it, now or years later.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::model::Case;
use super::vocabulary::CaseOutcome;
use crate::contract::operation::Operation;
use crate::error::{Advice, Error, ErrorCode, Outcome, Status};
use crate::reply::Reply;
use crate::reply::classify;

/// An error as the store keeps it. Advice and help are derived again from the tables when it is reported; the
/// vendor's message is not stored, since it may name people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StoredError {
    #[serde(serialize_with = "write_code", deserialize_with = "read_code")]
    pub code: ErrorCode,
    /// The number of the code's status, for readers of exports.
    pub status: i32,
    pub message: String,
    pub vendor_status: Option<i64>,
    pub vendor_code: Option<String>,
    /// The operation that was answered so. None where no answer was read, and in rows of earlier releases.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
}

fn write_code<S: Serializer>(code: &ErrorCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.as_str())
}

/// A word that this release does not know is an internal error of that message.
fn read_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ErrorCode, D::Error> {
    String::deserialize(deserializer).map(|word| ErrorCode::from_word(&word).unwrap_or(ErrorCode::Internal))
}

impl StoredError {
    /// An error that no answer of the vendor gave.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> StoredError {
        StoredError {
            code,
            status: code.status().number(),
            message: message.into(),
            vendor_status: None,
            vendor_code: None,
            operation: None,
        }
    }

    /// The error of an operation's reply; an empty name for an error of the store.
    pub fn of(error: &Error, operation: &str) -> StoredError {
        StoredError {
            code: error.code,
            status: error.status.number(),
            message: error.message.clone(),
            vendor_status: error.vendor_status,
            vendor_code: error.vendor_code.map(str::to_owned),
            operation: (!operation.is_empty()).then(|| operation.to_owned()),
        }
    }

    /// The error that a caller is told; its outcome is that of the answer, not of the case.
    fn report(&self) -> Error {
        let answered = self.operation.as_deref().and_then(Operation::find).zip(self.vendor_status);
        match answered.map(|(op, code)| classify::refused(op, code)).filter(|error| error.code == self.code) {
            Some(error) => Error { message: self.message.clone(), vendor_status: self.vendor_status, ..error },
            None => {
                let mut error = Error::new(self.code, self.message.clone());
                error.vendor_status = self.vendor_status;
                error
            }
        }
    }
}

/// What the caller of a case is told when the case did not (yet) succeed. `last` is the vendor's last answer, if this
/// call asked for one.
pub(crate) fn error_of(case: &Case, last: Option<&Reply>) -> Option<Error> {
    if case.outcome == CaseOutcome::Executed {
        return None;
    }
    let outcome = case.outcome.outcome().unwrap_or(Outcome::NotExecuted);
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
                "It may have been executed. case.reconcile and case.follow find out; do not start another one before."
                    .to_owned();
        }
        _ if case.watched && !case.holds.is_empty() => {
            error.advice = Advice::GiveUp;
            error.retryable = false;
            error.help = format!(
                "It was not executed, as far as the vendor's answers show: {}. A new case on this order must name this one in `after`.",
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
