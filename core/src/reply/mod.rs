//! The one reply of every call, in every language: JSON text with the same bytes everywhere.
//!
//! [`classify`] says what an exchange means, [`envelope`] reads what all answers share, [`decode`] makes a reply of an
//! exchange, [`writer`] writes its JSON.

pub(crate) mod classify;
pub(crate) mod decode;
pub(crate) mod envelope;
pub(crate) mod fields;
pub(crate) mod writer;

use crate::error::{Error, Outcome, Status};
use crate::json::{Node, write_str};
use crate::log::LogLine;

/// The result of a call.
#[derive(Clone)]
pub struct Reply {
    json: String,
    /// Byte range of `data` in `json`.
    data: (usize, usize),
    raw: Option<Vec<u8>>,
    outcome: Outcome,
    error: Option<Box<Error>>,
    http_status: Option<u16>,
    vendor_status: Option<i64>,
    log: Vec<LogLine>,
}

impl Reply {
    /// The log lines of the call, up to the client's log level.
    pub fn log(&self) -> &[LogLine] {
        &self.log
    }

    pub(crate) fn set_log(&mut self, lines: Vec<LogLine>) {
        self.log = lines;
    }

    /// The reply as JSON: `ok`, `operation`, `outcome`, `data`, `error`, `warnings`, `meta`.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// The `data` part of the JSON: the vendor's fields, one type each; `null` without a JSON body.
    pub fn data(&self) -> &str {
        self.json.get(self.data.0..self.data.1).unwrap_or("null")
    }

    /// The vendor's bytes, decompressed; partial if the answer was cut; None if none began.
    pub fn raw(&self) -> Option<&[u8]> {
        self.raw.as_deref()
    }

    pub(crate) fn set_raw(&mut self, raw: Option<Vec<u8>>) {
        self.raw = raw;
    }

    /// Whether the effect asked for exists at the vendor.
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// [`Status::OK`], or the error's status.
    pub fn status(&self) -> Status {
        self.error.as_ref().map_or(Status::OK, |e| e.status)
    }

    /// The error, if the call did not succeed.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_deref()
    }

    /// HTTP status of the answer, if one came.
    pub fn http_status(&self) -> Option<u16> {
        self.http_status
    }

    /// The vendor's `status`, if one was read.
    pub fn vendor_status(&self) -> Option<i64> {
        self.vendor_status
    }

    /// The error's message, or an empty text.
    pub fn message(&self) -> &str {
        self.error.as_ref().map_or("", |e| &e.message)
    }

    /// The JSON text and the raw bytes, without a copy.
    pub fn into_parts(self) -> (String, Option<Vec<u8>>) {
        (self.json, self.raw)
    }

    /// A text of `meta`.
    pub(crate) fn meta(&self, key: &str) -> Option<String> {
        let node = Node::parse(&self.json).ok()?;
        node.get("meta")?.get(key)?.as_str().map(str::to_owned)
    }

    /// Adds the case that the call belongs to.
    pub(crate) fn with_case(mut self, case: &str) -> Reply {
        let at = self.data.1;
        if self.json.is_char_boundary(at) {
            self.json.insert_str(at, case);
            self.json.insert_str(at, ",\"case\":");
        }
        self
    }

    /// Adds a warning to a finished reply.
    pub(crate) fn with_warning(mut self, code: &str, message: &str) -> Reply {
        // Everything behind `data` was written by this library, so the last occurrence is the key.
        const KEY: &str = ",\"warnings\":[";
        if let Some(at) = self.json.rfind(KEY).map(|at| at + KEY.len()) {
            let mut text = format!("{{\"code\":\"{code}\",\"path\":\"\",\"message\":");
            write_str(message, &mut text);
            text.push('}');
            if self.json.get(at..).is_some_and(|rest| !rest.starts_with(']')) {
                text.push(',');
            }
            self.json.insert_str(at, &text);
        }
        self
    }
}

/// Shows what a log may show: no passenger, no body.
impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reply")
            .field("outcome", &self.outcome)
            .field("status", &self.status())
            .field("http_status", &self.http_status)
            .field("vendor_status", &self.vendor_status)
            .field("bytes", &self.raw.as_ref().map(Vec::len))
            .finish_non_exhaustive()
    }
}
