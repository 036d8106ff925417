//! Operations without client or network: parseWebhook, validate, decode, describe.

use std::fmt::Write as _;

use super::describe;
use crate::contract::operation::{Operation, OperationKind, nearest_operation};
use crate::error::{Error, ErrorCode};
use crate::exchange::prepare::check;
use crate::json::Node;
use crate::reply::Reply;
use crate::reply::classify::RequestEcho;
use crate::reply::decode::{CallMeta, decode as decode_exchange};
use crate::transport::{Exchange, Head};
use crate::webhook::parse_webhook;
use crate::wire::Warnings;

/// The row of an operation, or the reply for a name that is none.
pub(crate) fn find_operation(name: &str) -> Result<&'static Operation, Box<Reply>> {
    Operation::find(name).ok_or_else(|| Box::new(unknown_operation(name)))
}

fn unknown_operation(operation: &str) -> Reply {
    let shown: String = operation.chars().take(100).collect();
    let mut message = format!("there is no operation `{shown}`");
    if let Some(near) = nearest_operation(operation) {
        message.push_str(&format!("; did you mean `{near}`?"));
    }
    Reply::failed(&shown, Error::new(ErrorCode::UnknownOperation, message))
}

/// Whether an operation needs neither client nor network.
fn is_offline(op: &Operation) -> bool {
    op.kind == OperationKind::Local && !op.is_case()
}

/// The reply of an operation that needs no client; None if this one needs one.
pub(crate) fn call(op: &'static Operation, request: &str) -> Option<Reply> {
    is_offline(op).then(|| parse_webhook(request))
}

/// A call without a client: only operations that need none succeed.
pub(crate) fn call_without_client(operation: &str, request: &str) -> Reply {
    match find_operation(operation) {
        Err(reply) => *reply,
        Ok(op) => call(op, request).unwrap_or_else(|| {
            Reply::failed(op.name, Error::new(ErrorCode::NullArgument, format!("{} needs a client", op.name)))
        }),
    }
}

/// Classifies and normalises an answer that was recorded elsewhere.
pub(crate) fn decode(operation: &str, request: &str, http_status: u16, body: &[u8]) -> Reply {
    let Some(op) = Operation::find(operation).filter(|op| !op.path.is_empty()) else {
        return unknown_operation(operation);
    };
    let echo = Node::parse(request).map(|request| RequestEcho::of(op, &request, 0)).unwrap_or_default();
    let head = Head { status: http_status, ..Head::default() };
    let exchange = Exchange { head: Some(head), body: Some(body.to_vec()), sent: true, ..Exchange::default() };
    decode_exchange(op, &echo, exchange, &CallMeta::default(), "")
}

/// Checks a request as a call would, and answers the body that would be sent.
pub(crate) fn validate(operation: &str, request: &str) -> Reply {
    let op = match find_operation(operation) {
        Ok(op) => op,
        Err(reply) => return *reply,
    };
    if is_offline(op) {
        return parse_webhook(request);
    }
    match check(op, request, false) {
        Ok((_, body)) => Reply::local(op.name, Warnings::default(), |out| {
            let _ = write!(out, "{{\"valid\":true,\"body\":{body}}}");
        }),
        Err(error) => Reply::failed(op.name, error),
    }
}

/// Describes one operation, or all of them.
pub(crate) fn describe_operation(operation: Option<&str>) -> Reply {
    let Some(name) = operation.filter(|o| !o.is_empty()) else {
        return Reply::local("describe", Warnings::default(), describe::write_all);
    };
    match find_operation(name) {
        Ok(op) => Reply::local("describe", Warnings::default(), |out| {
            describe::write_operations(std::iter::once(op), out);
        }),
        Err(reply) => *reply,
    }
}

/// Text that a binding gives as bytes.
pub(super) fn text<'t>(bytes: &'t [u8], what: &str) -> Result<&'t str, Error> {
    std::str::from_utf8(bytes)
        .map_err(|e| Error::new(ErrorCode::BadUtf8, format!("{what} is not UTF-8 from byte {}", e.valid_up_to())))
}
