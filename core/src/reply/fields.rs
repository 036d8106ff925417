//! A reply's fields by JSON Pointer (RFC 6901), for hosts without a JSON library.

use crate::json::Node;

/// The fields of a reply.
#[derive(Debug)]
pub struct Fields {
    root: Value,
}

#[derive(Debug)]
enum Value {
    Null,
    Bool(bool),
    /// A number with the characters of the wire.
    Number(Box<str>),
    Text(Box<str>),
    Array(Vec<Value>),
    Object(Vec<(Box<str>, Value)>),
}

/// A scalar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scalar<'f> {
    /// True or false.
    Bool(bool),
    /// A number, with the characters of the wire.
    Number(&'f str),
    /// A string, unescaped.
    Text(&'f str),
}

impl Fields {
    /// Of the JSON of a reply.
    pub fn of(json: &str) -> Fields {
        Fields { root: Node::parse(json).map_or(Value::Null, own) }
    }

    fn find(&self, pointer: &str) -> Option<&Value> {
        let mut at = &self.root;
        if pointer.is_empty() {
            return Some(at);
        }
        for part in pointer.strip_prefix('/')?.split('/') {
            let name = part.replace("~1", "/").replace("~0", "~");
            at = match at {
                // Of a key that occurs twice the last counts, as everywhere.
                Value::Object(members) => &members.iter().rev().find(|(key, _)| **key == *name)?.1,
                Value::Array(items) => {
                    let is_index = name == "0" || (!name.starts_with('0') && name.bytes().all(|b| b.is_ascii_digit()));
                    items.get(name.parse::<usize>().ok().filter(|_| is_index)?)?
                }
                _ => return None,
            };
        }
        Some(at)
    }

    /// A scalar; None for what is absent, null, an object or an array.
    pub fn get(&self, pointer: &str) -> Option<Scalar<'_>> {
        match self.find(pointer)? {
            Value::Bool(value) => Some(Scalar::Bool(*value)),
            Value::Number(text) => Some(Scalar::Number(text)),
            Value::Text(text) => Some(Scalar::Text(text)),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The number of elements of an array, or of members of an object; 0 for anything else.
    pub fn count(&self, pointer: &str) -> usize {
        match self.find(pointer) {
            Some(Value::Array(items)) => items.len(),
            Some(Value::Object(members)) => members.len(),
            _ => 0,
        }
    }
}

fn own(node: Node<'_>) -> Value {
    match node {
        Node::Null => Value::Null,
        Node::Bool(value) => Value::Bool(value),
        Node::Num(text) => Value::Number(text.into()),
        Node::Str(text) => Value::Text(text.into_owned().into()),
        Node::Arr(items) => Value::Array(items.into_iter().map(own).collect()),
        Node::Obj(members) => {
            Value::Object(members.into_iter().map(|(key, value)| (key.into_owned().into(), own(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_find_what_they_name() {
        let fields = Fields::of(r#"{"data":{"a":[{"b":"x\"y"},null,1.50,true],"":1,"c/d":"s","m~n":"t","0":"u"}}"#);
        for (pointer, scalar) in [
            ("/data/a/0/b", Some(Scalar::Text("x\"y"))),
            ("/data/a/2", Some(Scalar::Number("1.50"))),
            ("/data/a/3", Some(Scalar::Bool(true))),
            ("/data/", Some(Scalar::Number("1"))),
            ("/data/c~1d", Some(Scalar::Text("s"))),
            ("/data/m~0n", Some(Scalar::Text("t"))),
            ("/data/0", Some(Scalar::Text("u"))),
            ("/data/a/1", None),
            ("/data/a/4", None),
            ("/data/a/00", None),
            ("/data/a/-", None),
            ("/data/a/+1", None),
            ("/data/a", None),
            ("/nothing", None),
            ("data", None),
            ("", None),
        ] {
            assert_eq!(fields.get(pointer), scalar, "{pointer}");
        }
        assert_eq!(
            [fields.count("/data/a"), fields.count("/data"), fields.count("/data/a/3"), fields.count("/x")],
            [4, 5, 0, 0]
        );
    }
}
