//! A body read in one pass, and as a tree: for tests and for `fuzz/`, which compare the two.

use super::*;
use crate::reading::Texts;
use crate::tolerance::Tolerance;

/// Keys that are not written.
pub(crate) const SKIP: &[&str] = &["status", "msg", "requestId"];

/// What a reading gave: the text, the warnings, what was tolerated, and the root's members without what is in them.
pub(crate) type Written = (String, Vec<Warning>, Vec<Tolerance>, Vec<(String, String)>);

fn outline(node: &Node<'_>) -> Vec<(String, String)> {
    let Node::Obj(members) = node else { return Vec::new() };
    let brief = |value: &Node<'_>| match value {
        Node::Arr(_) => "[]".to_owned(),
        Node::Obj(_) => "{}".to_owned(),
        value => format!("{value:?}"),
    };
    members.iter().map(|(key, value)| (key.to_string(), brief(value))).collect()
}

pub(crate) fn through_a_tree(shape: &'static Shape, body: &[u8]) -> Option<Written> {
    let texts = Texts::of(body);
    let (node, tolerated) = texts.parse()?;
    let (mut out, mut warnings) = (String::new(), Warnings::default());
    if let Node::Obj(members) = &node {
        write_object(shape, members, SKIP, &Path::Root, &mut out, &mut warnings);
    }
    Some((out, warnings.0, tolerated, outline(&node)))
}

/// Also whether the root was written at once.
pub(crate) fn at_once(shape: &'static Shape, body: &[u8]) -> Option<(Written, bool)> {
    let texts = Texts::of(body);
    let mut out = String::new();
    let (read, tolerated) = texts.read(|parser| {
        out.clear();
        read_body(parser, shape, SKIP, &mut out)
    })?;
    let outline = outline(&read.node);
    let is_at_once = read.warnings.is_some();
    let mut warnings = read.warnings.unwrap_or_default();
    if let (Node::Obj(members), false) = (&read.node, is_at_once) {
        assert_eq!(out, "");
        write_object(shape, members, SKIP, &Path::Root, &mut out, &mut warnings);
    }
    Some(((out, warnings.0, tolerated, outline), is_at_once))
}

/// Asserts that both give the same for a body of an operation.
#[cfg(fuzzing)]
pub fn compare_readings(operation: &str, body: &[u8]) {
    let Some(op) = crate::contract::operation::Operation::find(operation) else { return };
    assert_eq!(at_once(op.reply, body).map(|(written, _)| written), through_a_tree(op.reply, body));
}
