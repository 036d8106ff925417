//! Takes the client's secret out of texts: a vendor or proxy may echo it, and replies are stored and logged.

use crate::json::{Node, write_str};

/// Secrets shorter than this are ordinary words; replacing them would damage replies.
const SHORTEST_SECRET: usize = 6;

/// What stands in place of the secret.
const MASK: &str = "***";

/// Takes the secret out of a text.
pub(crate) fn redact(text: &mut String, secret: &str) {
    if secret.len() >= SHORTEST_SECRET && text.contains(secret) {
        *text = text.replace(secret, MASK);
    }
}

/// Takes the secret out of the keys and strings of the JSON value that begins at byte `start`; numbers and grammar
/// stay.
pub(crate) fn redact_json(out: &mut String, start: usize, secret: &str) {
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
        Node::Str(text) if text.contains(secret) => *text = text.replace(secret, MASK).into(),
        Node::Arr(items) => items.iter_mut().for_each(|item| redact_node(item, secret)),
        Node::Obj(members) => members.iter_mut().for_each(|(key, value)| {
            if key.contains(secret) {
                *key = key.replace(secret, MASK).into();
            }
            redact_node(value, secret);
        }),
        _ => {}
    }
}
