//! What an exchange means: a pure function from (operation, request, exchange) to a classification.
//!
//! The order of the checks: did a whole answer come? Is it the vendor's envelope (a JSON object
//! with an integer `status`)? Then the status decides, whatever the HTTP status says, and `msg`
//! never does. Without the envelope the HTTP status decides. For a submit, everything that is not
//! provably one way or the other is unknown.

use super::envelope::{Envelope, integer};
use crate::contract::operation::{Operation, OperationKind};
use crate::contract::vendor_status::{self, Class, Family, Row};
use crate::error::{Advice, Detail, Error, ErrorCode, FailedConnection, Outcome, Status};
use crate::json::Node;
use crate::transport::{Exchange, Fault};
use crate::wire::Warnings;

/// What classification must know of the request.
#[derive(Debug, Default, Clone)]
pub(crate) struct RequestEcho {
    /// The values of [`Operation::echoes`] request fields, in that order.
    pub echoes: Vec<Option<String>>,
    /// The call's deadline, for messages.
    pub deadline_ms: u64,
}

impl RequestEcho {
    pub fn of(op: &Operation, request: &Node<'_>, deadline_ms: u64) -> RequestEcho {
        let value = |key: &str| request.get(key).and_then(Node::as_str).filter(|v| !v.is_empty()).map(str::to_owned);
        RequestEcho { echoes: op.echoes.iter().map(|(key, _)| value(key)).collect(), deadline_ms }
    }
}

/// What one attempt came to.
#[derive(Debug)]
pub(crate) struct Classification {
    pub outcome: Outcome,
    pub error: Option<Box<Error>>,
    pub envelope: Envelope,
}

impl Classification {
    /// Replaces "not executed" by "unknown": an earlier attempt of the same call may have been carried out.
    pub fn mark_unknown(&mut self, op: &Operation) {
        self.outcome = Outcome::Unknown;
        if let Some(error) = &mut self.error {
            let unknown = with_outcome(op, error.code, error.message.clone(), Outcome::Unknown);
            error.outcome = unknown.outcome;
            error.advice = unknown.advice;
            error.next = unknown.next;
            error.retryable = unknown.retryable;
            error.help = unknown.help;
        }
    }
}

/// Classifies an attempt. `body` is the parsed body if it is a JSON object.
pub(crate) fn classify(
    op: &Operation,
    echo: &RequestEcho,
    exchange: &Exchange,
    body: Option<&Node<'_>>,
    warnings: &mut Warnings,
) -> Classification {
    let http = exchange.head.as_ref().map_or(0, |h| h.status);
    let envelope = body.map(|body| Envelope::read(body, http)).unwrap_or_default();
    let error = classify_error(op, echo, exchange, body, &envelope, warnings);
    let outcome = match &error {
        None => Outcome::Executed,
        Some(e) => e.outcome,
    };
    Classification { outcome, error: error.map(Box::new), envelope }
}

fn classify_error(
    op: &Operation,
    echo: &RequestEcho,
    exchange: &Exchange,
    body: Option<&Node<'_>>,
    envelope: &Envelope,
    warnings: &mut Warnings,
) -> Option<Error> {
    if let Some(fault) = exchange.fault {
        return Some(transport_error(op, echo, fault, exchange));
    }
    let http = exchange.head.as_ref().map_or(0, |h| h.status);
    let mut error = match (body, envelope.status) {
        (Some(_), _) if envelope.contradictory => {
            with_outcome(op, ErrorCode::BadResponse, "the answer contradicts itself", unknown_if_submit(op))
        }
        (Some(_), _) if envelope.limited => limited(op),
        (Some(body), Some(status)) if is_wrong_order(op, echo, body) => match refused(op, status) {
            // A refusal that contradicts itself; see below.
            refusal if status != 0 && op.kind.has_effect() && refusal.outcome == Outcome::NotExecuted => refusal,
            _ => wrong_order(op),
        },
        (Some(body), Some(0)) => return success(op, echo, body, warnings),
        (Some(_), Some(code)) => refused(op, code),
        // The server's own page, whose number as a vendor code would mean "done already": the two readings
        // disagree about money, so neither is taken.
        (Some(body), None) if reads_as_already_done(op, body) => {
            with_outcome(op, ErrorCode::HttpError, format!("the server answered HTTP {http}"), unknown_if_submit(op))
        }
        _ => http_error(op, http),
    };
    if error.status == Status::RATE_LIMITED {
        error.retry_after_ms = envelope.retry_after_ms.or(exchange.head.as_ref().and_then(|h| h.retry_after_ms));
    } else if error.retryable {
        error.retry_after_ms = exchange.head.as_ref().and_then(|h| h.retry_after_ms);
    }
    if let Some(path) = body.filter(|_| error.outcome == Outcome::NotExecuted).and_then(|b| contradiction(op, echo, b))
    {
        let message = format!("{}, and the same answer has a {path}", error.message);
        warnings.add("contradiction", format!("/{path}"), "the answer refuses, and has the number of an effect");
        let (code, retry_after_ms) = (error.vendor_code, error.retry_after_ms);
        error = with_outcome(op, ErrorCode::VendorUncertain, message, Outcome::Unknown);
        (error.vendor_code, error.retry_after_ms) = (code, retry_after_ms);
    }
    error.vendor_status = envelope.status;
    error.vendor_message.clone_from(&envelope.message);
    Some(error)
}

/// The field by which the refusal of a submit says that there is an effect: a refundCode or voidCode, or the number of
/// an order that the request did not name.
fn contradiction(op: &Operation, echo: &RequestEcho, body: &Node<'_>) -> Option<&'static str> {
    if !matches!(op.kind, OperationKind::Submit) {
        return None;
    }
    if let Some(code) = ["refundCode", "voidCode"].into_iter().find(|code| text(body, code).is_some()) {
        return Some(code);
    }
    let got = text(body, "orderNo")?;
    // A request by an offer alone names no order to compare with.
    let names_order = op.echoes.first().is_some_and(|(field, _)| !field.is_empty());
    let asked: Vec<&str> = echo.echoes.iter().flatten().map(String::as_str).collect();
    let is_known = asked.iter().any(|asked| is_echo(asked, &got));
    let compares = !(names_order && asked.is_empty());
    (compares && !is_known).then_some("orderNo")
}

/// Unknown for an operation with an effect; a read simply did not succeed.
fn unknown_if_submit(op: &Operation) -> Outcome {
    if op.kind.has_effect() { Outcome::Unknown } else { Outcome::NotExecuted }
}

/// An error of a call: advice and help follow from the outcome.
fn with_outcome(op: &Operation, code: ErrorCode, message: impl Into<String>, outcome: Outcome) -> Error {
    let mut error = Error::new(code, message);
    error.outcome = outcome;
    match outcome {
        Outcome::Unknown => {
            let repeatable = op.kind == OperationKind::RepeatableSubmit;
            error.advice = if repeatable { Advice::Retry } else { Advice::Reconcile };
            error.next = op.resolved_by;
            error.help = match (op.kind, op.resolved_by) {
                (OperationKind::RepeatableSubmit, _) => {
                    "It may have been accepted; calling it again is harmless.".to_owned()
                }
                (_, Some(query)) => {
                    format!(
                        "The {} may have been accepted. Ask {query} before anything else; do not send it again.",
                        op.name
                    )
                }
                (_, None) => format!("The {} may have been accepted; do not send it again.", op.name),
            };
            error.retryable = repeatable;
        }
        _ => {
            error.advice = Advice::Retry;
            error.retryable = true;
            error.help = if op.kind.has_effect() {
                format!("The {} was not carried out: {}. It can be tried again.", op.name, error.message)
            } else {
                format!("Nothing was changed: {}. It can be tried again.", error.message)
            };
        }
    }
    error
}

fn transport_error(op: &Operation, echo: &RequestEcho, fault: Fault, exchange: &Exchange) -> Error {
    let (code, message) = match fault {
        Fault::Dns => (ErrorCode::Dns, "the host name could not be resolved".to_owned()),
        Fault::NoDescriptor => {
            let words = exchange.connection.as_ref().map_or("too many open files", |connection| &connection.cause);
            (ErrorCode::Io, format!("no descriptor is left for a connection: {words}"))
        }
        Fault::NoMemory if exchange.head.is_some() => {
            (ErrorCode::Memory, "no memory is left for the answer".to_owned())
        }
        Fault::NoMemory => {
            let words = exchange.connection.as_ref().map_or("out of memory", |connection| &connection.cause);
            (ErrorCode::Memory, format!("no connection could be made: {words}"))
        }
        Fault::Connect => (ErrorCode::Connect, "no connection could be made".to_owned()),
        Fault::ConnectTimeout => (ErrorCode::ConnectTimeout, "no connection could be made in time".to_owned()),
        Fault::Tls => (ErrorCode::Tls, "the TLS handshake failed".to_owned()),
        Fault::Proxy => (ErrorCode::Proxy, "the proxy refused or could not be reached".to_owned()),
        Fault::Timeout => (ErrorCode::Timeout, format!("no answer within {} ms", echo.deadline_ms)),
        Fault::RateWaitTimeout => {
            (ErrorCode::RateWaitTimeout, format!("no place in the request budget within {} ms", echo.deadline_ms))
        }
        Fault::Cancelled => (ErrorCode::Cancelled, "the caller cancelled the call".to_owned()),
        Fault::Io => (ErrorCode::Io, "the connection broke before the answer was complete".to_owned()),
        Fault::TooLarge => (ErrorCode::TooLarge, "the answer is larger than maxResponseBytes".to_owned()),
        Fault::Encoding => (ErrorCode::BadResponse, "the answer cannot be decompressed".to_owned()),
    };
    let outcome = if exchange.sent { unknown_if_submit(op) } else { Outcome::NotExecuted };
    let mut error = with_outcome(op, code, message, outcome);
    if outcome == Outcome::NotExecuted {
        error.advice = match fault {
            Fault::Tls | Fault::Proxy => Advice::FixConfig,
            Fault::TooLarge | Fault::Encoding => Advice::ContactSupport,
            Fault::RateWaitTimeout => Advice::Wait,
            _ => Advice::Retry,
        };
        error.retryable = !matches!(fault, Fault::Tls | Fault::TooLarge | Fault::Encoding);
    }
    if let Some(connection) = &exchange.connection {
        let field = if fault == Fault::Proxy { "/proxy" } else { "/baseUrl" };
        let FailedConnection { host, port, cause, .. } = connection;
        let mut detail = Detail::of(field, format!("{host} port {port}: {cause}"));
        detail.connection = Some(connection.clone());
        error.details.push(detail);
    }
    error
}

fn limited(op: &Operation) -> Error {
    let mut error =
        with_outcome(op, ErrorCode::RateLimited, "the vendor's request limit is reached", Outcome::NotExecuted);
    error.advice = Advice::Wait;
    error.vendor_code = Some("request_limit");
    error.help = format!("The {} was not carried out; wait before calling again.", op.name);
    error
}

/// The error of a body status other than 0.
pub(crate) fn refused(op: &Operation, code: i64) -> Error {
    let row = vendor_status::find(op.family, code);
    let submit = op.kind.has_effect();
    let (code_of_error, outcome) = match (row.map(|r| r.class), submit) {
        (Some(Class::Refused), _) => (ErrorCode::Refused, Outcome::NotExecuted),
        (Some(Class::Auth), _) => (ErrorCode::Unauthorized, Outcome::NotExecuted),
        (Some(Class::RateLimited), _) => return limited(op),
        (Some(Class::NotFound), _) => (ErrorCode::NotFound, Outcome::NotExecuted),
        (Some(Class::Already), true) => (ErrorCode::AlreadySubmitted, Outcome::Executed),
        (Some(Class::Exists), true) => (ErrorCode::AlreadySubmitted, Outcome::Unknown),
        (Some(Class::InProgress), true) => (ErrorCode::InProgress, Outcome::Unknown),
        (Some(Class::Uncertain) | None, true) => (ErrorCode::VendorUncertain, Outcome::Unknown),
        (Some(Class::InProgress), false) if op.kind == OperationKind::Quote => {
            (ErrorCode::InProgress, Outcome::NotExecuted)
        }
        // A quote or read that meets an existing submit is simply refused.
        (Some(Class::Already | Class::Exists | Class::InProgress), false) => (ErrorCode::Refused, Outcome::NotExecuted),
        (Some(Class::Uncertain) | None, false) => (ErrorCode::VendorUncertain, Outcome::NotExecuted),
    };
    let message = match row {
        Some(row) => format!("the vendor answered {code} ({})", row.word.replace('_', " ")),
        None => format!("the vendor answered {code}, which is not documented for {}", op.name),
    };
    let mut error = with_outcome(op, code_of_error, message, outcome);
    error.vendor_code = row.map(|r| r.word);
    match row {
        Some(row) if outcome != Outcome::Unknown => apply(op, row, &mut error),
        Some(row) => error.help = format!("{} {}", row.help, error.help),
        None if outcome == Outcome::NotExecuted => {
            error.advice = Advice::ContactSupport;
            error.retryable = false;
            error.help =
                format!("The vendor answered {code}, which is not documented for {}; nothing was changed.", op.name);
        }
        None => {}
    }
    error
}

/// Advice, help and next step of a code whose outcome is settled.
fn apply(op: &Operation, row: &Row, error: &mut Error) {
    error.advice = row.advice;
    error.help = row.help.to_owned();
    error.retryable = matches!(row.advice, Advice::Retry | Advice::Wait) && row.class != Class::Already;
    error.next = match row.advice {
        Advice::Requote => op.requote.or((op.kind == OperationKind::Quote).then_some(op.name)),
        Advice::AlreadyDone | Advice::Reconcile => op.resolved_by.or(query_of(op.family)),
        // 905: query the state before sending again. "Not ticketed": query the order.
        Advice::Wait if row.code == 905 || row.class == Class::Already => op.resolved_by,
        Advice::Wait if row.word == "not_ticketed" => Some("queryOrderDetails"),
        _ => None,
    };
}

fn query_of(family: Family) -> Option<&'static str> {
    match family {
        Family::Refund => Some("queryRefundOrders"),
        Family::Void => Some("queryVoidOrders"),
        _ => Some("queryOrderDetails"),
    }
}

/// An answer without the vendor's envelope.
fn http_error(op: &Operation, http: u16) -> Error {
    let refused = matches!(http, 401 | 403 | 404 | 405 | 413 | 415 | 429);
    let outcome = if refused { Outcome::NotExecuted } else { unknown_if_submit(op) };
    if http == 429 {
        return limited(op);
    }
    let (code, message) = match http {
        401 | 403 => (ErrorCode::Unauthorized, format!("the server answered HTTP {http}")),
        200..=299 => (ErrorCode::BadResponse, "the answer is not the vendor's JSON".to_owned()),
        300..=399 => (ErrorCode::Redirect, format!("the server answered HTTP {http}; redirects are not followed")),
        _ => (ErrorCode::HttpError, format!("the server answered HTTP {http}")),
    };
    let mut error = with_outcome(op, code, message, outcome);
    if outcome == Outcome::NotExecuted {
        (error.advice, error.retryable) = match http {
            401 | 403 => (Advice::ContactSupport, false),
            408 | 500..=599 => (Advice::Retry, true),
            200..=299 => (Advice::ContactSupport, false),
            _ => (Advice::FixConfig, false),
        };
        error.help = match http {
            401 | 403 => {
                "The server refused the credentials, the address or the account; ask Atlas before changing keys."
                    .to_owned()
            }
            408 | 500..=599 => error.help,
            _ => format!("Nothing was changed: {}. Check baseUrl and what stands between.", error.message),
        };
    }
    error
}

/// Body status 0: does anything contradict it?
fn success(op: &Operation, echo: &RequestEcho, body: &Node<'_>, warnings: &mut Warnings) -> Option<Error> {
    if let Some(key) = op.not_found_key.filter(|key| text(body, key).is_none()) {
        let mut error = with_outcome(
            op,
            ErrorCode::NotFound,
            format!("the vendor knows nothing of it: {key} is empty"),
            Outcome::NotExecuted,
        );
        error.advice = Advice::FixRequest;
        error.retryable = false;
        error.help = "There is no such order or booking; check what was asked for.".to_owned();
        return Some(error);
    }
    let documented = |field: &str| op.reply.fields.iter().any(|f| f.name == field);
    for (i, (_, field)) in op.echoes.iter().enumerate().filter(|(_, (_, field))| !field.is_empty()) {
        let asked = echo.echoes.get(i).and_then(Option::as_deref);
        match (asked, text(body, field)) {
            (Some(asked), Some(got)) if !is_echo(asked, &got) => {
                warnings.add("echo_differs", format!("/{field}"), "not the number that was asked for");
            }
            (_, None) if i == 0 && op.kind.has_effect() && documented(field) => {
                warnings.add("no_echo", format!("/{field}"), "accepted, but the order number is missing in the answer");
            }
            _ => {}
        }
    }
    if let Some(code) = op.case_code.filter(|code| text(body, code).is_none()) {
        warnings.add("no_case_code", format!("/{code}"), "accepted, but its number is missing in the answer");
    }
    let denied = |key: &str| {
        matches!(body.get(key), Some(Node::Bool(false)))
            || body.get(key).is_some_and(|v| integer(v) == Some(0) || v.as_str() == Some("false"))
    };
    if let Some((key, warning)) = op.denial.filter(|(key, _)| denied(key)) {
        warnings.add(warning, format!("/{key}"), "the offer must not be used");
    }
    None
}

fn text(body: &Node<'_>, key: &str) -> Option<String> {
    match body.get(key) {
        Some(Node::Str(s)) if !s.trim().is_empty() => Some(s.to_string()),
        Some(Node::Num(token)) => Some((*token).to_owned()),
        _ => None,
    }
}

/// Whether the answer names another order than the one asked for, whatever its status says.
fn is_wrong_order(op: &Operation, echo: &RequestEcho, body: &Node<'_>) -> bool {
    let (Some((_, field)), Some(Some(asked))) = (op.echoes.first(), echo.echoes.first()) else { return false };
    text(body, field).is_some_and(|got| !is_echo(asked, &got))
}

fn wrong_order(op: &Operation) -> Error {
    let outcome = unknown_if_submit(op);
    let mut error = with_outcome(op, ErrorCode::WrongOrder, "the answer is about another order", outcome);
    if outcome == Outcome::NotExecuted {
        error.advice = Advice::ContactSupport;
        error.retryable = false;
        error.help = "The answer is about another order and was not used; report it to Atlas.".to_owned();
    }
    error
}

/// The same number, or one of several that the vendor joined.
fn is_echo(asked: &str, got: &str) -> bool {
    asked.trim() == got.trim() || got.split(['|', ',']).any(|part| part.trim() == asked.trim())
}

/// Whether the body's `status`, read as a vendor code, would mean that a submit was done before.
fn reads_as_already_done(op: &Operation, body: &Node<'_>) -> bool {
    let code = body.get("status").and_then(integer);
    op.kind.has_effect()
        && code
            .and_then(|c| vendor_status::find(op.family, c))
            .is_some_and(|row| matches!(row.class, Class::Already | Class::Exists))
}
