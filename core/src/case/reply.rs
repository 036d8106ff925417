//! The reply of a case operation.

use crate::error::{Error, Outcome};
use crate::reply::Reply;
use crate::reply::decode::CallMeta;
use crate::reply::envelope::Envelope;
use crate::reply::writer::Draft;
use crate::wire::Warnings;

/// The result of a case operation.
pub(crate) struct CaseReply {
    pub outcome: Outcome,
    pub error: Option<Error>,
    /// JSON.
    pub data: String,
    /// The case that the call belongs to, as JSON.
    pub case: Option<String>,
    /// The vendor's answer that decided; the reply shows its numbers and has its raw bytes.
    pub last: Option<Reply>,
    pub warnings: Warnings,
}

impl CaseReply {
    /// The data of a call that succeeded.
    pub fn data(data: String) -> CaseReply {
        let warnings = Warnings::default();
        CaseReply { outcome: Outcome::Executed, error: None, data, case: None, last: None, warnings }
    }

    /// An error, without data.
    pub fn error(error: Error) -> CaseReply {
        CaseReply { outcome: error.outcome, error: Some(error), ..CaseReply::data("null".to_owned()) }
    }

    /// A case, as data and as the case that the call belongs to.
    pub fn case(json: String) -> CaseReply {
        CaseReply { case: Some(json.clone()), ..CaseReply::data(json) }
    }

    pub fn into_reply(self, operation: &str, meta: &CallMeta) -> Reply {
        let CaseReply { outcome, error, data, case, last, warnings } = self;
        let text = |key: &str| last.as_ref().and_then(|l| l.meta(key));
        let (message, request_id) = (text("vendorMessage"), text("requestId"));
        let envelope = Envelope {
            status: last.as_ref().and_then(Reply::vendor_status),
            message,
            request_id,
            ..Envelope::default()
        };
        let draft = Draft {
            outcome,
            error: error.map(Box::new),
            envelope,
            warnings,
            http_status: last.as_ref().and_then(Reply::http_status),
            client_request_id: meta.client_request_id.as_deref(),
            attempts: meta.attempts,
            elapsed_ms: meta.elapsed_ms,
            bytes: last.as_ref().and_then(Reply::raw).map_or(0, <[u8]>::len),
            capacity: data.len() * 2,
            ..Draft::new(operation)
        };
        let mut reply = draft.finish(|out| out.push_str(&data));
        reply.set_raw(last.and_then(|l| l.into_parts().1));
        match case {
            Some(case) => reply.with_case(&case),
            None => reply,
        }
    }
}
