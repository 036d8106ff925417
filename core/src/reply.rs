//! The one reply of every call, in every language: JSON text with the same bytes everywhere.

use std::fmt::Write as _;

use crate::envelope::{ENVELOPE_KEYS, Envelope};
use crate::json::{Node, write_str};
use crate::judge::{Asked, judge};
use crate::log::LogLine;
use crate::operation::Operation;
use crate::outcome::{Error, Outcome, Status};
use crate::transport::Exchange;
use crate::wire::{Path, Warnings, write_object};

/// What came of a call.
#[derive(Clone)]
pub struct Reply {
    json: String,
    /// Where `data` stands in `json`.
    data: (usize, usize),
    raw: Option<Vec<u8>>,
    outcome: Outcome,
    error: Option<Box<Error>>,
    http_status: Option<u16>,
    vendor_status: Option<i64>,
    log: Vec<LogLine>,
}

impl Reply {
    /// What the call had to say, if the client's log level asks for it.
    pub fn log(&self) -> &[LogLine] {
        &self.log
    }

    pub(crate) fn set_log(&mut self, lines: Vec<LogLine>) {
        self.log = lines;
    }

    /// The reply as JSON: `ok`, `operation`, `outcome`, `data` or `error`, `warnings`, `meta`.
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

    /// Did it happen?
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// [`Status::OK`], or what went wrong.
    pub fn status(&self) -> Status {
        self.error.as_ref().map_or(Status::OK, |e| e.status)
    }

    /// What went wrong, if anything did.
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

    /// The reply to something that never reached the network.
    pub(crate) fn failed(operation: &str, error: Error) -> Reply {
        Draft { operation, outcome: error.outcome, error: Some(Box::new(error)), ..Draft::new(operation) }.finish(
            |out| {
                out.push_str("null");
            },
        )
    }

    /// The reply of a local operation; `data` writes its JSON.
    pub(crate) fn local(operation: &str, warnings: Warnings, data: impl FnOnce(&mut String)) -> Reply {
        Draft { warnings, ..Draft::new(operation) }.finish(data)
    }

    /// The reply of a case operation. `told.last` is the vendor's answer that decided, whose numbers it shows.
    pub(crate) fn of_case(operation: &str, told: Told, call: &Call) -> Reply {
        let Told { outcome, error, data, case, last, warnings } = told;
        let text = |key: &str| last.as_ref().and_then(|l| l.meta(key));
        let (message, request_id) = (text("vendorMessage"), text("requestId"));
        let envelope = Envelope {
            status: last.as_ref().and_then(|l| l.vendor_status),
            message,
            request_id,
            ..Envelope::default()
        };
        let draft = Draft {
            outcome,
            error: error.map(Box::new),
            envelope,
            warnings,
            http_status: last.as_ref().and_then(|l| l.http_status),
            client_request_id: call.client_request_id.as_deref(),
            attempts: call.attempts,
            elapsed_ms: call.elapsed_ms,
            bytes: last.as_ref().and_then(|l| l.raw.as_ref()).map_or(0, Vec::len),
            capacity: data.len() * 2,
            ..Draft::new(operation)
        };
        let mut reply = draft.finish(|out| out.push_str(&data));
        reply.raw = last.and_then(|l| l.raw);
        match case {
            Some(case) => reply.with_case(&case),
            None => reply,
        }
    }

    /// A text of `meta`.
    fn meta(&self, key: &str) -> Option<String> {
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
        // Everything behind `data` is ours, so the key is where it is looked for.
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

    /// Judges an exchange and writes the reply.
    pub(crate) fn of_exchange(
        op: &'static Operation,
        asked: &Asked,
        exchange: Exchange,
        call: &Call,
        secret: &str,
    ) -> Reply {
        let mut warnings = Warnings::default();
        let text =
            exchange.body.as_deref().filter(|_| exchange.fault.is_none()).and_then(|b| std::str::from_utf8(b).ok());
        // A byte order mark is no reason to lose an answer.
        let text = text.map(|t| t.strip_prefix('\u{feff}').unwrap_or(t));
        let body = text.and_then(|t| Node::parse(t).ok()).filter(|n| matches!(n, Node::Obj(_)));
        let mut judgement = judge(op, asked, &exchange, body.as_ref(), &mut warnings);
        if call.in_doubt && judgement.outcome == Outcome::NotExecuted {
            judgement.doubt(op);
        }
        if op.kind == crate::operation::OperationKind::Submit && !call.journaled {
            warnings.add("not_journaled", String::new(), "no store is configured: after a crash only the vendor knows");
        }
        if call.retry_ignored {
            warnings.add("option_ignored", String::new(), "a submit is never repeated: the option retry had no effect");
        }
        // A vendor that echoes the secret must not make it travel on through whoever stores replies.
        judgement.envelope.redact(secret);
        if let Some(error) = &mut judgement.error {
            error.vendor_message.clone_from(&judgement.envelope.message);
        }
        let draft = Draft {
            outcome: judgement.outcome,
            error: judgement.error,
            envelope: judgement.envelope,
            http_status: exchange.head.as_ref().map(|h| h.status),
            header_request_id: exchange.head.as_ref().and_then(|h| h.request_id.as_deref()),
            client_request_id: call.client_request_id.as_deref(),
            attempts: call.attempts,
            elapsed_ms: call.elapsed_ms,
            bytes: exchange.body.as_ref().map_or(0, Vec::len),
            capacity: exchange.body.as_ref().map_or(0, Vec::len) * 5 / 4,
            ..Draft::new(op.name)
        };
        let mut reply = match &body {
            Some(Node::Obj(members)) => draft.finish_with(warnings, |out, warnings| {
                let reshaped = reshape(op, members);
                let members = reshaped.as_deref().unwrap_or(members);
                let start = out.len();
                write_object(op.reply, members, ENVELOPE_KEYS, &Path::Root, out, warnings);
                redact_json(out, start, secret);
            }),
            _ => draft.finish_with(warnings, |out, _| out.push_str("null")),
        };
        reply.raw = exchange.body;
        reply
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

/// What a case operation answers.
pub(crate) struct Told {
    pub outcome: Outcome,
    pub error: Option<Error>,
    /// JSON.
    pub data: String,
    /// The case that the call belongs to, as JSON.
    pub case: Option<String>,
    pub last: Option<Reply>,
    pub warnings: Warnings,
}

impl Told {
    /// Data of a call that went well.
    pub fn data(data: String) -> Told {
        let warnings = Warnings::default();
        Told { outcome: Outcome::Executed, error: None, data, case: None, last: None, warnings }
    }

    /// What went wrong, without data.
    pub fn error(error: Error) -> Told {
        Told { outcome: error.outcome, error: Some(error), ..Told::data("null".to_owned()) }
    }

    /// A case, as data and as the case that the call belongs to.
    pub fn case(json: String) -> Told {
        Told { case: Some(json.clone()), ..Told::data(json) }
    }
}

/// What a reply says about the call itself.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub attempts: u32,
    pub elapsed_ms: u64,
    pub client_request_id: Option<String>,
    /// The options asked for a repetition that a submit never gets.
    pub retry_ignored: bool,
    /// An earlier attempt of a repeatable submit may have been executed.
    pub in_doubt: bool,
    /// A store has the intent.
    pub journaled: bool,
}

/// Secrets shorter than this are ordinary words; replacing them would spoil replies.
const SHORTEST_SECRET: usize = 6;

/// Takes the secret out of a text.
pub(crate) fn redact(text: &mut String, secret: &str) {
    if secret.len() >= SHORTEST_SECRET && text.contains(secret) {
        *text = text.replace(secret, "***");
    }
}

/// Takes the secret out of the strings of the JSON that begins at `start`; numbers and keys' grammar stay.
fn redact_json(out: &mut String, start: usize, secret: &str) {
    let mut escaped = String::new();
    write_str(secret, &mut escaped);
    let needle = escaped.trim_matches('"').as_bytes();
    let written = out.get(start..).unwrap_or_default();
    if secret.len() < SHORTEST_SECRET || memchr::memmem::find(written.as_bytes(), needle).is_none() {
        return;
    }
    let written = written.to_owned();
    if let Ok(mut node) = Node::parse(&written) {
        redact_node(&mut node, secret);
        out.truncate(start);
        node.write(out);
    }
}

fn redact_node(node: &mut Node<'_>, secret: &str) {
    match node {
        Node::Str(text) if text.contains(secret) => *text = text.replace(secret, "***").into(),
        Node::Arr(items) => items.iter_mut().for_each(|item| redact_node(item, secret)),
        Node::Obj(members) => members.iter_mut().for_each(|(key, value)| {
            if key.contains(secret) {
                *key = key.replace(secret, "***").into();
            }
            redact_node(value, secret);
        }),
        _ => {}
    }
}

/// Older refund queries put the one refund at the root: it becomes a list of one.
fn reshape<'a>(op: &Operation, members: &[crate::json::Member<'a>]) -> Option<Vec<crate::json::Member<'a>>> {
    let has = |key: &str| members.iter().any(|(k, v)| k == key && !v.is_null());
    if op.name != "queryRefundOrders" || has("refundOrders") || !(has("refundStatus") || has("refundCode")) {
        return None;
    }
    let order =
        members.iter().filter(|(k, _)| !ENVELOPE_KEYS.contains(&&**k) && k != "refundOrders").cloned().collect();
    Some(vec![("refundOrders".into(), Node::Arr(vec![Node::Obj(order)]))])
}

/// Everything but `data`, which is written in place.
struct Draft<'d> {
    operation: &'d str,
    outcome: Outcome,
    error: Option<Box<Error>>,
    envelope: Envelope,
    warnings: Warnings,
    http_status: Option<u16>,
    header_request_id: Option<&'d str>,
    client_request_id: Option<&'d str>,
    attempts: u32,
    elapsed_ms: u64,
    bytes: usize,
    capacity: usize,
}

impl<'d> Draft<'d> {
    fn new(operation: &'d str) -> Draft<'d> {
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

    fn finish(mut self, data: impl FnOnce(&mut String)) -> Reply {
        let warnings = std::mem::take(&mut self.warnings);
        self.finish_with(warnings, |out, _| data(out))
    }

    fn finish_with(self, mut warnings: Warnings, data: impl FnOnce(&mut String, &mut Warnings)) -> Reply {
        let mut out = String::with_capacity(self.capacity + 600);
        let _ = write!(out, "{{\"ok\":{},\"operation\":", self.error.is_none());
        write_str(self.operation, &mut out);
        let _ = write!(out, ",\"outcome\":\"{}\",\"data\":", self.outcome.name());
        let start = out.len();
        data(&mut out, &mut warnings);
        let end = out.len();
        if let Some(error) = &self.error {
            out.push_str(",\"error\":");
            write_error(error, &mut out);
        }
        out.push_str(",\"warnings\":[");
        for (i, w) in warnings.0.iter().enumerate() {
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

fn write_error(error: &Error, out: &mut String) {
    let _ = write!(out, "{{\"code\":\"{}\",\"status\":{},\"message\":", error.code, error.status.number());
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
