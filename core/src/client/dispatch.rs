//! (operation name, JSON bytes) → reply: what the C and Python bindings call, so that all languages get equal bytes.

use std::time::Duration;

use super::offline::text;
use super::{blocking, execute, offline};
use crate::cancel::Cancel;
use crate::error::{Error, ErrorCode};
use crate::reply::Reply;

pub use super::queue::{Call, start};

/// The client that the bindings hold.
pub type Client = blocking::Client;

/// Makes a client from configuration bytes.
pub fn open(config: &[u8]) -> Result<Client, Reply> {
    text(config, "the configuration").and_then(blocking::Client::new).map_err(|e| Reply::failed("clientNew", e))
}

/// Calls an operation, blocking. Local operations need no client.
pub fn call(
    client: Option<&Client>,
    operation: &[u8],
    request: &[u8],
    options: &[u8],
    cancel: Option<&Cancel>,
) -> Reply {
    let name = match text(operation, "the operation name") {
        Ok(name) => name,
        Err(error) => return Reply::failed("", error),
    };
    match (text(request, "the request"), text(options, "the options")) {
        (Ok(request), Ok(options)) => match client {
            Some(client) => client.call_with(name, request, options, cancel),
            None => offline::call_without_client(name, request),
        },
        (Err(error), _) | (_, Err(error)) => Reply::failed(name, error),
    }
}

/// As [`call`], asking `keep_waiting` every `slice`. When it says no, the call is left to run on
/// unobserved and there is no reply: of a submit, the outcome is unknown then.
///
/// For a binding whose threads must return to their runtime now and then, as Python's main thread for signals.
pub fn call_watched(
    client: &Client,
    operation: &[u8],
    request: &[u8],
    options: &[u8],
    slice: Duration,
    keep_waiting: &mut dyn FnMut() -> bool,
) -> Option<Reply> {
    match (std::str::from_utf8(operation), std::str::from_utf8(request), std::str::from_utf8(options)) {
        (Ok(name), Ok(request), Ok(options)) => client.call_watched(name, request, options, slice, keep_waiting),
        // It fails at once, with the error of `call`.
        _ => Some(call(Some(client), operation, request, options, None)),
    }
}

/// Reads a vendor's answer that was recorded elsewhere (an audit, a support case), as a call would.
///
/// `request` is the request it answered, for the echo check; it may be `{}`.
pub fn decode(operation: &[u8], request: &[u8], http_status: u16, body: &[u8]) -> Reply {
    match (text(operation, "the operation name"), text(request, "the request")) {
        (Ok(operation), Ok(request)) => offline::decode(operation, request, http_status, body),
        (Err(error), _) => Reply::failed("", error),
        (Ok(operation), Err(error)) => Reply::failed(operation, error),
    }
}

/// Checks a request without sending it; `data` is `{valid, body}`, the body as it would be sent.
pub fn validate(operation: &[u8], request: &[u8]) -> Reply {
    match (text(operation, "the operation name"), text(request, "the request")) {
        (Ok(operation), Ok(request)) => offline::validate(operation, request),
        (Err(error), _) => Reply::failed("", error),
        (Ok(operation), Err(error)) => Reply::failed(operation, error),
    }
}

/// Describes one operation, or all: names, documentation, schemas, vendor codes.
pub fn describe(operation: Option<&[u8]>) -> Reply {
    match operation.map(|o| text(o, "the operation name")).transpose() {
        Ok(operation) => offline::describe_operation(operation),
        Err(error) => Reply::failed("describe", error),
    }
}

/// The reply for an error of a binding itself (a null pointer, a stale handle).
pub fn failure(operation: &str, code: ErrorCode, message: &str) -> Reply {
    Reply::failed(operation, Error::new(code, message))
}

/// The reply for a panic that a binding caught: of a submit, nobody knows whether it was executed.
pub fn panicked(operation: &str, text: &str) -> Reply {
    execute::caller_panicked(operation, text)
}
