//! From an exchange to a reply: parse, classify, write `data` along the operation's shape.

use super::Reply;
use super::classify::{RequestEcho, classify};
use super::envelope::ENVELOPE_KEYS;
use super::writer::{Draft, HEADROOM, write_head};
use crate::contract::operation::{Operation, OperationKind};
use crate::error::Outcome;
use crate::json::{Member, Node};
use crate::reading::Texts;
use crate::redact::redact_json;
use crate::transport::Exchange;
use crate::wire::{Body, Path, Warnings, read_body, write_object};

/// What a reply reports about the call itself.
#[derive(Debug, Default)]
pub(crate) struct CallMeta {
    pub attempts: u32,
    pub elapsed_ms: u64,
    pub client_request_id: Option<String>,
    /// The options asked for a repetition, which a submit never gets.
    pub retry_ignored: bool,
    /// An earlier attempt of a repeatable submit may have been executed.
    pub earlier_unknown: bool,
    /// A store has the intent.
    pub journaled: bool,
}

/// Classifies an exchange and writes the reply. `secret` is taken out of all that the vendor wrote.
pub(crate) fn decode(
    op: &'static Operation,
    echo: &RequestEcho,
    exchange: Exchange,
    meta: &CallMeta,
    secret: &str,
) -> Reply {
    let mut warnings = Warnings::default();
    let texts = exchange.body.as_deref().filter(|_| exchange.fault.is_none()).map(Texts::of);
    let size = exchange.body.as_ref().map_or(0, Vec::len);
    let mut out = String::with_capacity(size * 5 / 4 + HEADROOM);
    write_head(&mut out, op.name, true, Outcome::Executed);
    let start = out.len();
    let read = texts.as_ref().and_then(|texts| {
        texts.read(|parser| {
            out.truncate(start);
            read_body(parser, op.reply, ENVELOPE_KEYS, &mut out)
        })
    });
    let (body, written, tolerated) = match read {
        Some((Body { node: node @ Node::Obj(_), warnings }, tolerated)) => (Some(node), warnings, tolerated),
        _ => (None, None, Vec::new()),
    };
    if exchange.fault.is_none() {
        for tolerance in exchange.tolerated.iter().copied().chain(tolerated) {
            warnings.add(tolerance.code(), String::new(), tolerance.message());
        }
    }
    let mut classification = classify(op, echo, &exchange, body.as_ref(), &mut warnings);
    if meta.earlier_unknown && classification.outcome == Outcome::NotExecuted {
        classification.mark_unknown(op);
    }
    if op.kind == OperationKind::Submit && !meta.journaled {
        warnings.add("not_journaled", String::new(), "no store is configured: after a crash only the vendor knows");
    }
    if meta.retry_ignored {
        warnings.add("option_ignored", String::new(), "a submit is never repeated: the option retry had no effect");
    }
    classification.envelope.redact(secret);
    if let Some(error) = &mut classification.error {
        error.vendor_message.clone_from(&classification.envelope.message);
    }
    match (body, written) {
        (None, _) => out.replace_range(start.., "null"),
        (Some(Node::Obj(members)), Some(found)) if !is_of_root_element(op, &members) => {
            found.0.into_iter().for_each(|w| warnings.add(w.code, w.path, w.message));
        }
        (Some(body), written) => {
            out.truncate(start);
            let whole = if written.is_none() {
                Some(body)
            } else {
                texts.as_ref().and_then(Texts::parse).map(|(node, _)| node)
            };
            write_tree(op, whole, &mut out, &mut warnings);
        }
    }
    redact_json(&mut out, start, secret);
    let draft = Draft {
        outcome: classification.outcome,
        error: classification.error,
        envelope: classification.envelope,
        http_status: exchange.head.as_ref().map(|h| h.status),
        header_request_id: exchange.head.as_ref().and_then(|h| h.request_id.as_deref()),
        client_request_id: meta.client_request_id.as_deref(),
        attempts: meta.attempts,
        elapsed_ms: meta.elapsed_ms,
        bytes: size,
        warnings,
        ..Draft::new(op.name)
    };
    let mut reply = draft.finish_written(out, start);
    reply.set_raw(exchange.body);
    reply
}

/// Whether this is the older form of a reply, with the one element of a list at the root.
fn is_of_root_element(op: &Operation, members: &[Member<'_>]) -> bool {
    let has = |key: &str| members.iter().any(|(k, v)| k == key && !v.is_null());
    op.root_element.is_some_and(|root| !has(root.list) && root.markers.iter().any(|key| has(key)))
}

/// Writes a body along the operation's shape; one of the older form as a list of one.
fn write_tree(op: &Operation, body: Option<Node<'_>>, out: &mut String, warnings: &mut Warnings) {
    let Some(Node::Obj(mut members)) = body else { return out.push_str("null") };
    if let Some(root) = op.root_element.filter(|_| is_of_root_element(op, &members)) {
        members.retain(|(key, _)| !ENVELOPE_KEYS.contains(&&**key) && key != root.list);
        members = vec![(root.list.into(), Node::Arr(vec![Node::Obj(members)]))];
    }
    write_object(op.reply, &members, ENVELOPE_KEYS, &Path::Root, out, warnings);
}
