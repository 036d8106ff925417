//! Shapes: what the contract says about each message, as data.
//!
//! One declaration per message ([`message!`](crate::wire::message)) gives the Rust struct and the table.
//! Request checks, reply normalisation, retention, `Debug`, JSON Schema, C documentation and Python attributes are
//! derived from the table, so a field is written down once.

use std::fmt::Write as _;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::moment::Clock;
use crate::json::write_str;

/// How a value is read, checked and written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// Text; a number on the wire becomes its digits.
    Text,
    /// Text in which the vendor may join several values by `|` or `,` (passed on as one text, with a warning).
    Joined,
    /// true/false, also as 0/1 or text.
    Bool,
    /// A boolean that the vendor wants as 0 or 1 in requests.
    Flag,
    /// An open enumeration of whole numbers, also as text.
    Code,
    /// A code that the vendor wants as text in requests (`"1"`).
    CodeText,
    /// A number that is neither money nor a code: minutes, weights, percent.
    Number,
    /// Money: decimal text.
    Amount,
    /// Money that the vendor writes with its currency (`"480.00 CNY"`).
    AmountWithCurrency,
    /// The currency split off from the named [`Kind::AmountWithCurrency`] field.
    CurrencyOf(&'static str),
    Time(Clock),
    /// A JSON number without a fraction (configuration and options).
    Int,
    /// Any JSON number (configuration).
    Real,
    Object(&'static Shape),
    List(&'static Kind),
    /// Any JSON, passed on unchanged: the contract does not say what it is.
    Any,
}

impl Kind {
    pub const JOINED_LIST: Kind = Kind::List(&Kind::Joined);
}

/// One field of a message.
#[derive(Debug)]
pub(crate) struct Field {
    /// The vendor's name.
    pub name: &'static str,
    /// The name as a JSON key with its colon, ready to write; empty where nothing is written.
    pub key: &'static str,
    /// The name in Rust and Python.
    pub ident: &'static str,
    pub doc: &'static str,
    pub kind: Kind,
    /// Older names of the same field; they fill it when it is missing or null.
    pub aliases: &'static [&'static str],
    /// A request without it is refused.
    pub required: bool,
    /// In replies, a list that is `[]` rather than null. In requests, with `required`, a list that must not be empty.
    pub never_null: bool,
    /// JSON that a request sends when the caller gives no value.
    pub default: Option<&'static str>,
    /// A request sends an explicit null when the caller gives no value.
    pub sent_null: bool,
    /// `Debug` shows the value. Without it the value is private, because debug texts end in logs: set it only
    /// where the value cannot identify a person, a document, a contact or a card, and is no text that a person
    /// wrote. Without effect on nested messages, whose own fields decide.
    pub loggable: bool,
    /// In the reply of a submit: the field stays in the stored copy of the raw reply once the outcome is settled
    /// (see [`super::retention`]). A nested message stays with those of its fields that have the flag too.
    pub retained: bool,
}

impl Field {
    pub const fn new(name: &'static str, ident: &'static str, doc: &'static str, kind: Kind) -> Field {
        Field {
            name,
            key: "",
            ident,
            doc,
            kind,
            aliases: &[],
            required: false,
            never_null: false,
            default: None,
            sent_null: false,
            loggable: false,
            retained: false,
        }
    }
    pub const fn key(mut self, key: &'static str) -> Field {
        self.key = key;
        self
    }
    pub const fn aliases(mut self, aliases: &'static [&'static str]) -> Field {
        self.aliases = aliases;
        self
    }
    pub const fn required(mut self) -> Field {
        self.required = true;
        self
    }
    pub const fn never_null(mut self) -> Field {
        self.never_null = true;
        self
    }
    pub const fn defaults_to_voluntary(mut self) -> Field {
        self.default = Some("\"1\"");
        self
    }
    pub const fn sent_null(mut self) -> Field {
        self.sent_null = true;
        self
    }
    pub const fn loggable(mut self) -> Field {
        self.loggable = true;
        self
    }
    pub const fn retained(mut self) -> Field {
        self.retained = true;
        self
    }
}

/// A condition over several fields of one object.
#[derive(Debug)]
pub(crate) enum Rule {
    /// At least one of the groups is given completely.
    AnyOf(&'static [&'static [&'static str]]),
    /// One of the two is given, and not both.
    ExactlyOne(&'static str, &'static str),
}

/// A message or a part of one.
#[derive(Debug)]
pub(crate) struct Shape {
    pub name: &'static str,
    pub doc: &'static str,
    pub fields: &'static [Field],
    pub rules: &'static [Rule],
}

/// A type that can stand in a message.
pub(crate) trait Value {
    const KIND: Kind;
    /// Writes the value as replies have it, a message with every documented key: see [`super::complete`].
    fn write_complete(&self, out: &mut String);
}

/// A struct made by [`message!`](crate::wire::message).
pub(crate) trait Message: Value {
    const SHAPE: &'static Shape;
}

/// What a struct field holds: an optional value or a list.
pub(crate) trait Slot: Default {
    const KIND: Kind;
    fn is_absent(&self) -> bool;
    /// As [`Value::write_complete`], where the value is there.
    fn write_complete(&self, out: &mut String);
    /// Reads a field of a reply. A value of an unexpected type leaves it empty, and an odd element is left
    /// out of its list: one odd value must not hide the others, and the reply's text still has it.
    fn read(raw: &RawValue) -> Self;
}

impl<T: Value + DeserializeOwned> Slot for Option<T> {
    const KIND: Kind = T::KIND;
    fn is_absent(&self) -> bool {
        self.is_none()
    }
    fn write_complete(&self, out: &mut String) {
        match self {
            Some(value) => value.write_complete(out),
            None => out.push_str("null"),
        }
    }
    fn read(raw: &RawValue) -> Self {
        serde_json::from_str(raw.get()).unwrap_or_default()
    }
}

impl<T: Value + DeserializeOwned> Slot for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
    fn write_complete(&self, out: &mut String) {
        out.push('[');
        for (i, item) in self.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            item.write_complete(out);
        }
        out.push(']');
    }
    fn read(raw: &RawValue) -> Self {
        let items: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
        items.into_iter().filter_map(|item| serde_json::from_str(item.get()).ok()).collect()
    }
}

impl Value for String {
    const KIND: Kind = Kind::Text;
    fn write_complete(&self, out: &mut String) {
        write_str(self, out);
    }
}
impl Value for bool {
    const KIND: Kind = Kind::Bool;
    fn write_complete(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}
impl Value for serde_json::Value {
    const KIND: Kind = Kind::Any;
    fn write_complete(&self, out: &mut String) {
        let _ = write!(out, "{self}");
    }
}

/// See [`Slot::read`].
pub(crate) fn lenient<'de, D: serde::Deserializer<'de>, T: Slot>(d: D) -> Result<T, D::Error> {
    Box::<RawValue>::deserialize(d).map(|raw| T::read(&raw))
}

#[cfg(test)]
mod tests {
    use crate::wire::QueryVoidOrdersReply;

    #[test]
    fn one_odd_element_does_not_hide_the_others() {
        let text = r#"{"voidOrders":[null,7,{"voidCode":"202603-0001","voidStatus":{"odd":1}}]}"#;
        let reply: QueryVoidOrdersReply = serde_json::from_str(text).unwrap();
        assert_eq!(reply.void_orders.len(), 1);
        assert_eq!(reply.void_orders[0].void_code.as_deref(), Some("202603-0001"));
    }
}
