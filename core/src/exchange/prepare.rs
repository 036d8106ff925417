//! From the caller's texts to a checked request: nothing here needs the network.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::cancel::CallCancel;
use crate::config::options::Options;
use crate::config::{Config, MAX_MILLIS};
use crate::contract::operation::{DefaultTimeout, Operation};
use crate::error::{Error, ErrorCode};
use crate::json::Node;
use crate::reply::classify::RequestEcho;
use crate::wire;

/// One request to the vendor.
pub(crate) struct VendorRequest {
    pub op: &'static Operation,
    pub body: Bytes,
    pub echo: Arc<RequestEcho>,
}

impl VendorRequest {
    /// Checks a request that the library itself wrote. `deadline` is for messages.
    pub fn check(op: &'static Operation, text: &str, deadline: Duration) -> Result<VendorRequest, Error> {
        let (node, body) = check(op, text, false)?;
        Ok(VendorRequest::new(op, &node, body, deadline))
    }

    /// From a checked request and the body to send.
    pub fn new(op: &'static Operation, node: &Node<'_>, body: String, deadline: Duration) -> VendorRequest {
        let echo = RequestEcho::of(op, node, deadline.as_millis() as u64);
        VendorRequest { op, body: body.into(), echo: Arc::new(echo) }
    }
}

/// A call that has been checked.
pub(crate) struct PreparedCall {
    pub request: VendorRequest,
    pub options: Options,
    pub timeout: Duration,
    pub started: Instant,
    pub cancel: CallCancel,
}

/// Checks request and options of a call that began at `started`.
pub(crate) fn prepare(
    config: &Config,
    op: &'static Operation,
    request: &str,
    options: &str,
    cancel: CallCancel,
) -> Result<PreparedCall, Error> {
    let started = Instant::now();
    let options = Options::parse(options, config.retry)?;
    let (node, body) = check(op, request, options.allow_unknown)?;
    let timeout = options.timeout.or(config.timeout).unwrap_or_else(|| default_timeout(op, &node));
    let request = VendorRequest::new(op, &node, body, timeout);
    Ok(PreparedCall { request, options, timeout, started, cancel })
}

/// Parses and checks a request; gives its tree and the body to send.
pub(crate) fn check<'r>(op: &Operation, request: &'r str, allow_unknown: bool) -> Result<(Node<'r>, String), Error> {
    let text = if request.trim().is_empty() { "{}" } else { request };
    let node =
        Node::parse(text).map_err(|e| Error::new(ErrorCode::BadJson, format!("the request is not JSON: {e}")))?;
    let body = wire::encode(op.request, &node, allow_unknown)
        .map_err(|problems| Error::from_problems(ErrorCode::BadRequest, op.name, problems))?;
    Ok((node, body))
}

fn default_timeout(op: &Operation, request: &Node<'_>) -> Duration {
    Duration::from_millis(match op.timeout {
        DefaultTimeout::Fixed(millis) => millis,
        DefaultTimeout::FromRequest { field, otherwise, extra } => {
            let given = match request.get(field) {
                Some(Node::Num(text)) => wire::whole(text),
                Some(Node::Str(text)) => wire::whole(text),
                _ => None,
            };
            given.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(otherwise).min(MAX_MILLIS).saturating_add(extra)
        }
    })
}
