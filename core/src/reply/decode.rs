//! From an exchange to a reply: parse, classify, write `data` along the operation's shape.

use super::Reply;
use super::classify::{RequestEcho, classify};
use super::envelope::ENVELOPE_KEYS;
use super::writer::Draft;
use crate::contract::operation::{Operation, OperationKind, RootElement};
use crate::error::Outcome;
use crate::json::{Member, Node};
use crate::reading::Texts;
use crate::redact::redact_json;
use crate::transport::Exchange;
use crate::wire::{Path, Warnings, WriteLists, write_object};

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

/// Of replies from this size, the lists are written while they are read. The tree of 5 MB would take ten times that.
const LARGE: usize = 64 << 10;

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
    // None of a small one: its tree takes less time than a second text.
    let mut lists = WriteLists::new(if size >= LARGE { op.reply.fields } else { &[] });
    let read =
        texts.as_ref().and_then(|texts| texts.parse_with(&mut lists)).filter(|(node, _)| matches!(node, Node::Obj(_)));
    let (body, tolerated) = read.map_or((None, Vec::new()), |(node, tolerated)| (Some(node), tolerated));
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
    warnings.1 = lists.written;
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
        capacity: size * 5 / 4,
        ..Draft::new(op.name)
    };
    let mut reply = match &body {
        Some(Node::Obj(members)) => draft.finish_with(warnings, |out, warnings| {
            let reshaped = op.root_element.and_then(|root| root_as_list(root, members));
            let members = reshaped.as_deref().unwrap_or(members);
            let start = out.len();
            write_object(op.reply, members, ENVELOPE_KEYS, &Path::Root, out, warnings);
            redact_json(out, start, secret);
        }),
        _ => draft.finish_with(warnings, |out, _| out.push_str("null")),
    };
    reply.set_raw(exchange.body);
    reply
}

/// The older form of a reply, with the one element at the root, as a list of one; None if it is the present form.
fn root_as_list<'a>(root: RootElement, members: &[Member<'a>]) -> Option<Vec<Member<'a>>> {
    let has = |key: &str| members.iter().any(|(k, v)| k == key && !v.is_null());
    if has(root.list) || !root.markers.iter().any(|key| has(key)) {
        return None;
    }
    let element = members.iter().filter(|(k, _)| !ENVELOPE_KEYS.contains(&&**k) && k != root.list).cloned().collect();
    Some(vec![(root.list.into(), Node::Arr(vec![Node::Obj(element)]))])
}

#[cfg(test)]
mod tests {
    use crate::contract::operation::OPERATIONS;
    use crate::wire::shape::Kind;

    /// Otherwise a list of the element would be written as the root's while it is read.
    #[test]
    fn an_element_at_the_root_has_no_list_of_the_name_of_one_of_the_root() {
        for op in OPERATIONS {
            let Some(root) = op.root_element else { continue };
            let is_list = |kind: &Kind| matches!(kind, Kind::List(_));
            let element = op.reply.fields.iter().find_map(|field| match field.kind {
                Kind::List(Kind::Object(shape)) if field.name == root.list => Some(shape),
                _ => None,
            });
            for field in element.expect("the list of the elements").fields {
                let taken = op.reply.fields.iter().any(|f| f.name == field.name && is_list(&f.kind));
                assert!(!taken, "{}: {}", op.name, field.name);
            }
        }
    }
}
