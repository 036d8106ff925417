//! The error of a case as the store keeps it, and how it is reported, now or years later.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::contract::operation::Operation;
use crate::error::{Detail, Error, ErrorCode};
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
    /// The order's passengers by position and type, where they are not those asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passengers: Vec<String>,
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
            passengers: Vec::new(),
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
            passengers: Vec::new(),
        }
    }

    /// The error that a caller is told; its outcome is that of the answer, not of the case.
    pub fn report(&self) -> Error {
        let answered = self.operation.as_deref().and_then(Operation::find).zip(self.vendor_status);
        match answered.map(|(op, code)| classify::refused(op, code)).filter(|error| error.code == self.code) {
            Some(error) => Error { message: self.message.clone(), vendor_status: self.vendor_status, ..error },
            None => {
                let mut error = Error::new(self.code, self.message.clone());
                error.vendor_status = self.vendor_status;
                error.details = self.passengers.iter().map(|who| Detail::of("/passengers", who)).collect();
                error
            }
        }
    }
}
