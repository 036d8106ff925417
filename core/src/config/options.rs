//! The options of one call, read from JSON. Every problem is reported with its JSON Pointer.

use std::time::Duration;

use super::{RETRY, Reader, RetryConfig, field, retry};
use crate::error::{Advice, Error, ErrorCode, Status};
use crate::json::Node;
use crate::wire::encode;
use crate::wire::shape::{Kind, Shape};

/// The keys of a call's options.
pub(crate) const OPTIONS: Shape = Shape {
    name: "Options",
    doc: "Options of one call.",
    fields: &[
        field("timeoutMs", Kind::Int, "Deadline of this call."),
        field("retry", Kind::Object(&RETRY), "Repetition; reads and quotes only."),
        field(
            "headers",
            Kind::Any,
            "Further headers: an object of strings. Not credentials, host, content-* or accept-encoding.",
        ),
        field("clientRequestId", Kind::Text, "The caller's name for this call; comes back in meta."),
        field("allowUnknown", Kind::Bool, "Send request keys that the contract does not know."),
    ],
    rules: &[],
};

/// Checked options of a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub timeout: Option<Duration>,
    pub retry: Option<RetryConfig>,
    pub headers: Vec<(String, String)>,
    pub client_request_id: Option<String>,
    pub allow_unknown: bool,
}

/// Headers that a call's options may not set: credentials, and what the transport decides.
fn is_reserved(name: &str) -> bool {
    name.starts_with("content-")
        || name.starts_with("x-atlas-client-")
        || matches!(
            name,
            "host"
                | "accept-encoding"
                | "authorization"
                | "proxy-authorization"
                | "cookie"
                | "token"
                | "connection"
                | "transfer-encoding"
                | "te"
                | "trailer"
                | "upgrade"
                | "expect"
                | "keep-alive"
                | "proxy-connection"
        )
}

impl Options {
    /// Reads options; empty text means none.
    pub fn parse(text: &str, base: RetryConfig) -> Result<Options, Error> {
        if text.trim().is_empty() {
            return Ok(Options::default());
        }
        let bad = |problems| Error::from_problems(ErrorCode::BadRequest, "options", problems);
        let one = |path: &str, message: &str| Error::at(ErrorCode::BadRequest, "options", path, message);
        let node =
            Node::parse(text).map_err(|e| Error::new(ErrorCode::BadJson, format!("the options are not JSON: {e}")))?;
        if node.is_null() {
            return Ok(Options::default());
        }
        // Read from what the check wrote, where flags are true or false whatever the caller wrote.
        let checked = encode(&OPTIONS, &node, false).map_err(bad)?;
        let node = Node::parse(&checked).unwrap_or(Node::Null);
        let as_request = |mut e: Error| {
            e.code = ErrorCode::BadRequest;
            e.status = Status::REQUEST;
            e.advice = Advice::FixRequest;
            e.message = e.message.replacen("configuration", "options", 1);
            e.help = e.help.replacen("configuration", "options", 1);
            e
        };
        let r = Reader { node: &node };
        let mut headers = Vec::new();
        match node.get("headers") {
            None | Some(Node::Null) => {}
            Some(Node::Obj(members)) => {
                for (name, value) in members {
                    let path = format!("/headers/{name}");
                    let valid_name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).is_ok();
                    let Some(value) = value.as_str().filter(|v| reqwest::header::HeaderValue::from_str(v).is_ok())
                    else {
                        return Err(one(&path, "must be text that a header can carry"));
                    };
                    if !valid_name || is_reserved(&name.to_ascii_lowercase()) {
                        return Err(one(&path, "this header cannot be set"));
                    }
                    headers.push((name.to_string(), value.to_owned()));
                }
            }
            Some(other) => {
                return Err(one("/headers", &format!("must be an object of strings, not {}", other.type_name())));
            }
        }
        Ok(Options {
            timeout: r.millis("timeoutMs", 1).map_err(as_request)?,
            retry: match node.get("retry").filter(|n| !n.is_null()) {
                Some(retry_node) => Some(retry(Some(retry_node), "/retry", Some(base)).map_err(as_request)?),
                None => None,
            },
            headers,
            client_request_id: r.text("clientRequestId"),
            allow_unknown: matches!(node.get("allowUnknown"), Some(Node::Bool(true))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn parse(extra: &str) -> Result<Config, Error> {
        Config::parse(&format!(r#"{{"baseUrl":"http://127.0.0.1:1/x","clientId":"i","clientSecret":"s"{extra}}}"#))
    }

    #[test]
    fn options_refuse_credentials() {
        let base = parse("").unwrap().retry;
        let error = Options::parse(r#"{"headers":{"X-Atlas-Client-Secret":"x"}}"#, base).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("/headers/X-Atlas-Client-Secret"));
        assert!(Options::parse(r#"{"headers":{"X-Trace":"1"},"allowUnknown":true}"#, base).unwrap().allow_unknown);
        assert_eq!(Options::parse(r#"{"timeoutms":1}"#, base).unwrap_err().field.as_deref(), Some("/timeoutms"));
        assert_eq!(Options::parse(r#"{"timeoutMs":0}"#, base).unwrap_err().code, "bad_request");
    }
}
