//! The objects of all requests and replies, each once, with types that a generator of another language can write.

use std::collections::BTreeMap;

use super::{Field, Fields, Operation};

/// An object of a request or a reply.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    pub members: Vec<Member>,
    /// Part of a request: what is not required may be left out.
    pub is_sent: bool,
}

/// A field of an object.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    pub name: String,
    pub about: String,
    pub kind: Kind,
    pub is_required: bool,
    pub is_nullable: bool,
}

/// The type of a field. Amounts, dates and times are texts.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    Text,
    Number,
    Flag,
    /// A number that may also be written as a text.
    Code,
    Object(String),
    List(Box<Kind>),
    Any,
}

/// All objects by their names.
pub fn shapes(operations: &[Operation]) -> BTreeMap<String, Shape> {
    let mut out = BTreeMap::new();
    for op in operations {
        collect(&op.request.title, &op.request.properties, &op.request.required, true, &mut out);
        collect(&op.reply.title, &op.reply.properties, &op.reply.required, false, &mut out);
    }
    out
}

fn collect(title: &str, fields: &Fields, required: &[String], is_sent: bool, out: &mut BTreeMap<String, Shape>) {
    let members: Vec<Member> = fields
        .0
        .iter()
        .map(|(name, field)| Member {
            name: name.clone(),
            about: field.description.clone(),
            kind: kind(field),
            is_required: required.contains(name),
            is_nullable: types(field).iter().any(|t| t == "null") || types(field).is_empty(),
        })
        .collect();
    let was_sent = out.get(title).is_some_and(|shape| shape.is_sent);
    if let Some(before) = out.insert(title.to_owned(), Shape { members: members.clone(), is_sent: is_sent || was_sent })
    {
        assert_eq!(before.members, members, "two objects are called {title}");
    }
    for (_, field) in &fields.0 {
        let mut field = field;
        while let Some(items) = &field.items {
            field = items;
        }
        if let Some(inner) = &field.properties {
            collect(&field.title, inner, &field.required, is_sent, out);
        }
    }
}

fn types(field: &Field) -> Vec<String> {
    match &field.types {
        serde_json::Value::String(one) => vec![one.clone()],
        serde_json::Value::Array(all) => all.iter().filter_map(|t| t.as_str().map(str::to_owned)).collect(),
        _ => Vec::new(),
    }
}

fn kind(field: &Field) -> Kind {
    if let Some(items) = &field.items {
        return Kind::List(Box::new(kind(items)));
    }
    if field.properties.is_some() {
        return Kind::Object(field.title.clone());
    }
    let types: Vec<String> = types(field).into_iter().filter(|t| t != "null").collect();
    match types.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["string"] => Kind::Text,
        ["number" | "integer"] => Kind::Number,
        ["boolean"] => Kind::Flag,
        ["integer", "string"] | ["boolean", "integer", "string"] => Kind::Code,
        _ => Kind::Any,
    }
}
