//! One pass over a JSON text into a tree that borrows from it.
//!
//! `serde_json::Value` loses digits (`84.70` becomes `84.7`) and its `arbitrary_precision` feature
//! would be switched on for every crate of the host, so replies are read by this small tree instead:
//! numbers stay the wire's own characters, keys keep their order, nothing is copied unless a string
//! holds an escape. It accepts exactly what `serde_json` accepts (tested against it).

mod parser;
mod text;
mod tolerant;

use std::borrow::Cow;
use std::fmt;

pub(crate) use parser::{Parser, Tolerant};
pub(crate) use text::{write_str, write_text};

/// A key and its value, in the order of the text.
pub(crate) type Member<'a> = (Cow<'a, str>, Node<'a>);

/// One JSON value, borrowed from the text it was read from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node<'a> {
    Null,
    Bool(bool),
    /// The number's own characters, valid by JSON's grammar.
    Num(&'a str),
    /// Borrowed only by the parser, from a string without escapes: it can be written as it is.
    Str(Cow<'a, str>),
    Arr(Vec<Node<'a>>),
    /// Duplicate keys are all kept; readers take the last one, as most JSON libraries do.
    Obj(Vec<Member<'a>>),
}

/// Why a text is not JSON, and at which byte.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JsonError {
    pub what: &'static str,
    pub at: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.what, self.at)
    }
}

impl<'a> Node<'a> {
    /// Reads a whole text; anything but white space after the value is an error.
    pub fn parse(text: &'a str) -> Result<Node<'a>, JsonError> {
        let mut parser = Parser::strict(text);
        let node = parser.value(0)?;
        parser.end()?;
        Ok(node)
    }

    /// The last member of that name, if this is an object.
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        match self {
            Node::Obj(members) => members.iter().rev().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Node::Null)
    }

    pub fn as_str(&self) -> Option<&str> {
        match self {
            Node::Str(s) => Some(s),
            _ => None,
        }
    }

    /// What a message calls this value's type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Node::Null => "null",
            Node::Bool(_) => "a boolean",
            Node::Num(_) => "a number",
            Node::Str(_) => "a string",
            Node::Arr(_) => "an array",
            Node::Obj(_) => "an object",
        }
    }

    /// Writes the value compactly, numbers with their own characters.
    pub fn write(&self, out: &mut String) {
        match self {
            Node::Null => out.push_str("null"),
            Node::Bool(true) => out.push_str("true"),
            Node::Bool(false) => out.push_str("false"),
            Node::Num(token) => out.push_str(token),
            Node::Str(s) => write_text(s, out),
            Node::Arr(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    item.write(out);
                }
                out.push(']');
            }
            Node::Obj(members) => {
                out.push('{');
                for (i, (key, value)) in members.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    write_text(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::parser::MAX_NODES;
    use super::*;
    use proptest::prelude::*;

    fn round_trip(text: &str) -> String {
        let mut out = String::new();
        Node::parse(text).unwrap().write(&mut out);
        out
    }

    #[test]
    fn keeps_digits_order_and_duplicates() {
        let text = r#"{"z":84.70,"a":[1e5,-0.0,12345678901234567890.10],"z":"é\u00e9\n"}"#;
        assert_eq!(round_trip(text), r#"{"z":84.70,"a":[1e5,-0.0,12345678901234567890.10],"z":"éé\n"}"#);
        assert_eq!(Node::parse(text).unwrap().get("z").unwrap().as_str(), Some("éé\n"));
    }

    #[test]
    fn refuses_a_text_of_too_many_values() {
        let many = format!("[{}0]", "0,".repeat(MAX_NODES));
        assert_eq!(Node::parse(&many).unwrap_err().what, "too many values");
    }

    #[test]
    fn mends_half_a_surrogate_pair() {
        for (text, want) in [
            (r#""ok \ud83d""#, "ok \u{fffd}"),
            (r#""\ud83d\ude00 \ude00x""#, "\u{1f600} \u{fffd}x"),
            (r#""\\ud83d""#, "\\ud83d"),
        ] {
            assert_eq!(Node::parse(text).unwrap().as_str(), Some(want), "{text}");
        }
    }

    #[test]
    fn refuses_what_json_refuses() {
        for bad in
            ["", "01", "1.", "[1,]", "{\"a\"}", "nul", "\"\u{1}\"", "1 2", "{\"a\":1,}", "\"\\x\"", "-", ".5", "1e"]
        {
            assert!(Node::parse(bad).is_err(), "{bad:?} was accepted");
        }
        let deep = "[".repeat(10_000);
        assert_eq!(Node::parse(&deep).unwrap_err().what, "nested too deeply");
    }

    proptest! {
        /// Whatever serde_json accepts we accept and write back to an equal value, and the reverse.
        #[test]
        fn agrees_with_serde_json(text in r#"[\[\]{}",:0-9eE.+\-a-z \\"u]{0,24}"#) {
            let theirs = serde_json::from_str::<&serde_json::value::RawValue>(&text);
            let ours = Node::parse(&text);
            prop_assert_eq!(theirs.is_ok(), ours.is_ok(), "{:?} {:?}", theirs, ours);
            // (Half surrogates are the one exception; the alphabet here has no way to write them.)
        }

        #[test]
        fn writes_what_serde_json_reads(s in any::<String>()) {
            let mut out = String::new();
            write_str(&s, &mut out);
            prop_assert_eq!(serde_json::from_str::<String>(&out).unwrap(), s);
        }
    }
}
