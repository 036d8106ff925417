//! Normalisation of replies: one walk along the shape writes the reply again, with one type per field.
//!
//! Documented keys come first, in the shape's order and null when absent; unknown keys follow in
//! wire order with their exact tokens. Nothing here can fail: a value that does not fit is passed on unchanged
//! (an amount becomes null) with a warning, because a decode problem must never hide a success.

use std::fmt::Write as _;

use super::shape::{Field, Kind, Shape};
use super::{Clock, write_amount};
use crate::json::{Member, Node, write_str, write_text};

/// Further warnings of one reply are dropped: a hostile reply must not use memory without bound.
pub(super) const MAX_WARNINGS: usize = 50;

/// A deviation from the contract in a reply that is otherwise usable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Warning {
    pub code: &'static str,
    /// JSON Pointer into `data`.
    pub path: String,
    pub message: String,
}

/// The warnings of one reply.
#[derive(Debug, Default)]
pub(crate) struct Warnings(pub Vec<Warning>);

impl Warnings {
    pub fn add(&mut self, code: &'static str, path: String, message: impl Into<String>) {
        if self.0.len() < MAX_WARNINGS {
            self.0.push(Warning { code, path, message: message.into() });
        }
    }
}

/// Where a value stands. Rendered only for a warning or a problem, so that a clean walk allocates nothing.
#[derive(Clone, Copy)]
pub(crate) enum Path<'p> {
    Root,
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl Path<'_> {
    /// As a JSON Pointer.
    pub fn pointer(&self) -> String {
        let mut out = String::new();
        self.render(&mut out);
        out
    }

    fn render(&self, out: &mut String) {
        match self {
            Path::Root => {}
            Path::Key(parent, key) => {
                parent.render(out);
                out.push('/');
                out.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Path::Index(parent, index) => {
                parent.render(out);
                let _ = write!(out, "/{index}");
            }
        }
    }
}

/// No shape has more fields (tested), so that matching needs no allocation.
pub(super) const MAX_FIELDS: usize = 64;

/// Writes an object along its shape, leaving out the keys in `skip`.
pub(crate) fn write_object(
    shape: &Shape,
    members: &[Member<'_>],
    skip: &[&str],
    path: &Path<'_>,
    out: &mut String,
    warnings: &mut Warnings,
) {
    let mut found: [Option<&Node<'_>>; MAX_FIELDS] = [None; MAX_FIELDS];
    let mut unknown: Vec<&Member<'_>> = Vec::new();
    let mut next = 0;
    for member in members {
        match position(shape.fields, &member.0, next) {
            Some(at) => {
                if let Some(slot) = found.get_mut(at) {
                    *slot = Some(&member.1);
                }
                next = at + 1;
            }
            None if skip.contains(&&*member.0) => {}
            None => unknown.push(member),
        }
    }
    for (at, field) in shape.fields.iter().enumerate().filter(|(_, f)| !f.aliases.is_empty()) {
        let Some(slot) = found.get_mut(at).filter(|slot| slot.is_none_or(Node::is_null)) else { continue };
        if let Some(i) = unknown.iter().rposition(|(key, value)| field.aliases.contains(&&**key) && !value.is_null()) {
            *slot = Some(&unknown.remove(i).1);
        }
    }
    out.push('{');
    for (at, field) in shape.fields.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(field.key);
        let node = found.get(at).copied().flatten();
        let path = Path::Key(path, field.name);
        match (&field.kind, node) {
            (Kind::CurrencyOf(amount), None | Some(Node::Null)) => {
                let of =
                    shape.fields.iter().position(|f| f.name == *amount).and_then(|i| found.get(i).copied().flatten());
                write_currency(of, out);
            }
            (_, None | Some(Node::Null)) => out.push_str(if field.never_null { "[]" } else { "null" }),
            (kind, Some(node)) => write_value(kind, node, &path, out, warnings),
        }
    }
    write_unknown(&unknown, shape.fields.is_empty(), out);
    out.push('}');
}

/// Keys usually come in the shape's order, so the search starts where the last one ended.
fn position(fields: &[Field], key: &str, next: usize) -> Option<usize> {
    if fields.get(next).is_some_and(|f| f.name == key) {
        return Some(next);
    }
    fields.iter().position(|f| f.name == key)
}

fn write_unknown(unknown: &[&Member<'_>], first: bool, out: &mut String) {
    // Of duplicate keys the last one counts, as most JSON readers have it.
    let mut last = std::collections::HashMap::new();
    if unknown.len() > 1 {
        for (i, member) in unknown.iter().enumerate() {
            last.insert(&*member.0, i);
        }
    }
    let mut first = first;
    for (i, (key, value)) in unknown.iter().enumerate() {
        if last.get(&**key).is_some_and(|&l| l != i) {
            continue;
        }
        if !first {
            out.push(',');
        }
        first = false;
        write_text(key, out);
        out.push(':');
        value.write(out);
    }
}

/// Writes a value by its kind; null stays null.
pub(super) fn write_value(kind: &Kind, node: &Node<'_>, path: &Path<'_>, out: &mut String, warnings: &mut Warnings) {
    match (kind, node) {
        (_, Node::Null) => out.push_str("null"),
        (Kind::Any, node) => node.write(out),
        (Kind::Object(shape), Node::Obj(members)) => write_object(shape, members, &[], path, out, warnings),
        (Kind::List(item), Node::Arr(items)) => {
            out.push('[');
            for (i, node) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(item, node, &Path::Index(path, i), out, warnings);
            }
            out.push(']');
        }
        // One object where a list is documented is a list of one.
        (Kind::List(item @ Kind::Object(_)), node @ Node::Obj(_)) => {
            out.push('[');
            write_value(item, node, &Path::Index(path, 0), out, warnings);
            out.push(']');
        }
        (Kind::Object(_) | Kind::List(_), other) => write_unchanged(other, path, out, warnings),
        (scalar, node) => write_scalar(scalar, node, path, out, warnings),
    }
}

fn write_scalar(kind: &Kind, node: &Node<'_>, path: &Path<'_>, out: &mut String, warnings: &mut Warnings) {
    let text = match node {
        Node::Str(s) => &**s,
        Node::Num(token) => token,
        Node::Bool(true) => "true",
        Node::Bool(false) => "false",
        _ if matches!(kind, Kind::Amount | Kind::AmountWithCurrency) => {
            warnings.add("bad_amount", path.pointer(), format!("{} where an amount belongs", node.type_name()));
            return out.push_str("null");
        }
        _ => return write_unchanged(node, path, out, warnings),
    };
    match kind {
        Kind::Text | Kind::CurrencyOf(_) => match node {
            Node::Str(s) => write_text(s, out),
            _ => write_str(text, out),
        },
        Kind::Joined => {
            if text.contains(['|', ',']) {
                warnings.add("joined_value", path.pointer(), "several values joined in one");
            }
            write_str(text, out);
        }
        // Some replies send empty text for a missing value of any type; only for text it is a value.
        _ if text.is_empty() => out.push_str("null"),
        Kind::Bool | Kind::Flag => match text {
            "1" | "true" | "TRUE" | "True" => out.push_str("true"),
            "0" | "false" | "FALSE" | "False" => out.push_str("false"),
            _ => write_unchanged(node, path, out, warnings),
        },
        Kind::Code if matches!(node, Node::Num(_)) && text.bytes().all(|b| b.is_ascii_digit()) => out.push_str(text),
        Kind::Code | Kind::CodeText => match (whole(text), node) {
            (Some(number), _) => {
                let _ = write!(out, "{number}");
            }
            (None, Node::Bool(_)) => write_unchanged(node, path, out, warnings),
            (None, _) => write_code_text(text, path, out, warnings),
        },
        Kind::Number => match node {
            Node::Num(token) => out.push_str(token),
            Node::Str(_) if matches!(Node::parse(text), Ok(Node::Num(_))) => out.push_str(text.trim()),
            Node::Str(_) => match whole(text) {
                Some(number) => {
                    let _ = write!(out, "{number}");
                }
                None => write_unchanged(node, path, out, warnings),
            },
            _ => write_unchanged(node, path, out, warnings),
        },
        // Without sign and exponent, the wire's token is the amount.
        Kind::Amount if matches!(node, Node::Num(_)) && text.bytes().all(|b| b.is_ascii_digit() || b == b'.') => {
            out.push('"');
            out.push_str(text);
            out.push('"');
        }
        Kind::Amount | Kind::AmountWithCurrency => {
            let number = match kind {
                Kind::AmountWithCurrency => split_currency(text).0,
                _ => text,
            };
            out.push('"');
            let written = !matches!(node, Node::Bool(_)) && write_amount(number, out);
            if written {
                out.push('"');
            } else {
                out.pop();
                out.push_str("null");
                warnings.add("bad_amount", path.pointer(), "not a decimal number");
            }
        }
        Kind::Time(clock) => write_time(*clock, text, node, path, out, warnings),
        Kind::Int | Kind::Real | Kind::Object(_) | Kind::List(_) | Kind::Any => {
            write_unchanged(node, path, out, warnings)
        }
    }
}

fn write_time(clock: Clock, text: &str, node: &Node<'_>, path: &Path<'_>, out: &mut String, warnings: &mut Warnings) {
    match clock.read(text) {
        Some(moment) => {
            out.push('"');
            moment.write_iso(out);
            out.push('"');
        }
        None => {
            warnings.add("bad_time", path.pointer(), "not a date or time that the contract knows; kept as it came");
            node.write(out);
        }
    }
}

/// Writes a value of an unexpected type unchanged.
fn write_unchanged(node: &Node<'_>, path: &Path<'_>, out: &mut String, warnings: &mut Warnings) {
    warnings.add("unexpected_type", path.pointer(), format!("{} here; kept as it came", node.type_name()));
    node.write(out);
}

fn write_code_text(text: &str, path: &Path<'_>, out: &mut String, warnings: &mut Warnings) {
    warnings.add("not_a_number", path.pointer(), "a code that is no whole number; kept as text");
    write_str(text, out);
}

/// A whole number, also written as `2.0` or `"02"`.
pub(crate) fn whole(text: &str) -> Option<i64> {
    let text = text.trim();
    let (integer, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|b| b == b'0') {
        return None;
    }
    integer.parse().ok()
}

/// `"480.00 CNY"` → (`"480.00"`, `"CNY"`).
fn split_currency(text: &str) -> (&str, Option<&str>) {
    match text.trim().rsplit_once(char::is_whitespace) {
        Some((amount, currency)) if !currency.is_empty() && currency.bytes().all(|b| b.is_ascii_alphabetic()) => {
            (amount.trim_end(), Some(currency))
        }
        _ => (text, None),
    }
}

pub(super) fn write_currency(amount: Option<&Node<'_>>, out: &mut String) {
    match amount.and_then(Node::as_str).and_then(|text| split_currency(text).1) {
        Some(currency) => write_str(currency, out),
        None => out.push_str("null"),
    }
}
