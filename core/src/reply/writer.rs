//! Writes the JSON of a reply. `data` is written in place, everything else comes from a [`Draft`].

use std::fmt::Write as _;

use super::Reply;
use super::envelope::Envelope;
use crate::error::{Error, Outcome};
use crate::json::write_str;
use crate::wire::Warnings;

impl Reply {
    /// The reply to a call that ended in `error` before it reached the network.
    pub(crate) fn failed(operation: &str, error: Error) -> Reply {
        let draft = Draft { outcome: error.outcome, error: Some(Box::new(error)), ..Draft::new(operation) };
        draft.finish(|out| out.push_str("null"))
    }

    /// The reply of a local operation; `data` writes its JSON.
    pub(crate) fn local(operation: &str, warnings: Warnings, data: impl FnOnce(&mut String)) -> Reply {
        Draft { warnings, ..Draft::new(operation) }.finish(data)
    }
}

/// Room for what a reply has besides the data.
pub(super) const HEADROOM: usize = 600;

/// Everything but `data`, which is written in place.
pub(crate) struct Draft<'d> {
    pub operation: &'d str,
    pub outcome: Outcome,
    pub error: Option<Box<Error>>,
    pub envelope: Envelope,
    pub warnings: Warnings,
    pub http_status: Option<u16>,
    pub header_request_id: Option<&'d str>,
    pub client_request_id: Option<&'d str>,
    pub attempts: u32,
    pub elapsed_ms: u64,
    pub bytes: usize,
    /// Of the data, if they are written by [`Draft::finish`].
    pub capacity: usize,
}

impl<'d> Draft<'d> {
    pub fn new(operation: &'d str) -> Draft<'d> {
        Draft {
            operation,
            outcome: Outcome::Executed,
            error: None,
            envelope: Envelope::default(),
            warnings: Warnings::default(),
            http_status: None,
            header_request_id: None,
            client_request_id: None,
            attempts: 0,
            elapsed_ms: 0,
            bytes: 0,
            capacity: 0,
        }
    }

    /// `data` writes the data.
    pub fn finish(self, data: impl FnOnce(&mut String)) -> Reply {
        let mut out = String::with_capacity(self.capacity + HEADROOM);
        write_head(&mut out, self.operation, self.error.is_none(), self.outcome);
        let start = out.len();
        data(&mut out);
        self.end(out, start)
    }

    /// The data stand in `out` from byte `start`, behind the head of a success.
    pub fn finish_written(self, mut out: String, mut start: usize) -> Reply {
        if self.error.is_some() || self.outcome != Outcome::Executed {
            let mut head = String::new();
            write_head(&mut head, self.operation, self.error.is_none(), self.outcome);
            out.replace_range(..start, &head);
            start = head.len();
        }
        self.end(out, start)
    }

    fn end(self, mut out: String, start: usize) -> Reply {
        let end = out.len();
        if let Some(error) = &self.error {
            out.push_str(",\"error\":");
            write_error(error, &mut out);
        }
        out.push_str(",\"warnings\":[");
        for (i, w) in self.warnings.0.iter().enumerate() {
            let _ = write!(out, "{}{{\"code\":\"{}\",\"path\":", if i > 0 { "," } else { "" }, w.code);
            write_str(&w.path, &mut out);
            out.push_str(",\"message\":");
            write_str(&w.message, &mut out);
            out.push('}');
        }
        out.push_str("],\"meta\":{\"httpStatus\":");
        write_option(self.http_status, &mut out);
        out.push_str(",\"vendorStatus\":");
        write_option(self.envelope.status, &mut out);
        out.push_str(",\"vendorMessage\":");
        write_text(self.envelope.message.as_deref(), &mut out);
        out.push_str(",\"requestId\":");
        write_text(self.envelope.request_id.as_deref().or(self.header_request_id), &mut out);
        out.push_str(",\"clientRequestId\":");
        write_text(self.envelope.client_request_id.as_deref().or(self.client_request_id), &mut out);
        let _ = write!(
            out,
            ",\"attempts\":{},\"elapsedMs\":{},\"bytes\":{}}}}}",
            self.attempts, self.elapsed_ms, self.bytes
        );
        Reply {
            json: out,
            data: (start, end),
            raw: None,
            outcome: self.outcome,
            error: self.error,
            http_status: self.http_status,
            vendor_status: self.envelope.status,
            log: Vec::new(),
        }
    }
}

/// What stands before the data. Nearly all replies are of a success, so that data can be written behind its head before
/// the outcome is known.
pub(super) fn write_head(out: &mut String, operation: &str, is_ok: bool, outcome: Outcome) {
    out.push_str(if is_ok { "{\"ok\":true,\"operation\":" } else { "{\"ok\":false,\"operation\":" });
    write_str(operation, out);
    out.push_str(",\"outcome\":\"");
    out.push_str(outcome.name());
    out.push_str("\",\"data\":");
}

fn write_error(error: &Error, out: &mut String) {
    let _ = write!(out, "{{\"code\":\"{}\",\"status\":{},\"message\":", error.code.as_str(), error.status.number());
    write_str(&error.message, out);
    out.push_str(",\"help\":");
    write_str(&error.help, out);
    let _ = write!(out, ",\"advice\":\"{}\",\"next\":", error.advice.name());
    write_text(error.next, out);
    let _ = write!(out, ",\"retryable\":{},\"field\":", error.retryable);
    write_text(error.field.as_deref(), out);
    out.push_str(",\"vendorCode\":");
    write_text(error.vendor_code, out);
    out.push_str(",\"vendorStatus\":");
    write_option(error.vendor_status, out);
    out.push_str(",\"vendorMessage\":");
    write_text(error.vendor_message.as_deref(), out);
    out.push_str(",\"retryAfterMs\":");
    write_option(error.retry_after_ms, out);
    out.push_str(",\"details\":[");
    for (i, detail) in error.details.iter().enumerate() {
        out.push_str(if i > 0 { ",{\"field\":" } else { "{\"field\":" });
        write_str(&detail.field, out);
        out.push_str(",\"message\":");
        write_str(&detail.message, out);
        if let Some(highest) = detail.highest {
            out.push_str(",\"highest\":");
            write_option(Some(highest), out);
        }
        if let Some(connection) = &detail.connection {
            out.push_str(",\"host\":");
            write_str(&connection.host, out);
            let _ = write!(out, ",\"port\":{},\"cause\":", connection.port);
            write_str(&connection.cause, out);
            out.push_str(",\"errno\":");
            write_option(connection.errno, out);
        }
        out.push('}');
    }
    out.push_str("]}");
}

fn write_text(text: Option<&str>, out: &mut String) {
    match text {
        Some(text) => write_str(text, out),
        None => out.push_str("null"),
    }
}

fn write_option(value: Option<impl std::fmt::Display>, out: &mut String) {
    match value {
        Some(value) => {
            let _ = write!(out, "{value}");
        }
        None => out.push_str("null"),
    }
}
