//! `describe`: the operation table with JSON Schemas (2020-12), for generators of bindings.

use std::fmt::Write as _;

use crate::contract::operation::{OPERATIONS, Operation, OperationKind};
use crate::contract::vendor_status;
use crate::error::{Outcome, Status};
use crate::json::write_str;
use crate::wire::Clock;
use crate::wire::shape::{Field, Kind, Rule, Shape};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The constants of the C ABI that are neither a status nor an outcome; tests/bindings.rs of ffi-c compares all of them.
/// The length that stands for a text up to its NUL is -1 here: the largest value of its type.
const OTHER_CONSTANTS: [(&str, i64); 3] =
    [("APB_ABI_VERSION", 1), ("APB_ZSTR", -1), ("APB_NO_VENDOR_STATUS", i32::MIN as i64)];

/// Writes `{"operations":[…],"constants":{…}}`.
pub(crate) fn write_all(out: &mut String) {
    write_operations(OPERATIONS.iter(), out);
    out.pop();
    let outcomes = [Outcome::Unknown, Outcome::Executed, Outcome::NotExecuted, Outcome::Pending];
    let names = outcomes.map(|o| (format!("APB_{}", o.name().to_ascii_uppercase()), i64::from(o.number())));
    let statuses = Status::all().iter().map(|s| (s.c_name().to_owned(), i64::from(s.number())));
    let others = OTHER_CONSTANTS.iter().map(|(name, value)| ((*name).to_owned(), *value));
    out.push_str(",\"constants\":{");
    for (i, (name, value)) in others.chain(names).chain(statuses).enumerate() {
        let _ = write!(out, "{}\"{name}\":{value}", if i > 0 { "," } else { "" });
    }
    out.push_str("}}");
}

/// Writes `{"operations":[…]}`.
pub(crate) fn write_operations<'o>(operations: impl Iterator<Item = &'o Operation>, out: &mut String) {
    out.push_str("{\"operations\":[");
    for (i, op) in operations.enumerate() {
        if i > 0 {
            out.push(',');
        }
        out.push_str("{\"name\":");
        write_str(op.name, out);
        let _ = write!(out, ",\"kind\":\"{}\",\"path\":", op.kind.name());
        match op.path {
            "" => out.push_str("null"),
            path => write_str(path, out),
        }
        let _ = write!(out, ",\"c\":\"{}\",\"python\":\"{}\",\"doc\":", op.c_name(), op.python_name());
        write_str(op.doc, out);
        out.push_str(",\"request\":");
        let request = Writer { request: true, open: op.kind == OperationKind::Local && !op.is_case() };
        request.schema(op.request, true, true, out);
        out.push_str(",\"reply\":");
        Writer { request: false, open: true }.schema(op.reply, true, true, out);
        out.push_str(",\"statuses\":[");
        write_statuses(op, out);
        out.push_str("]}");
    }
    out.push_str("]}");
}

fn write_statuses(op: &Operation, out: &mut String) {
    if op.path.is_empty() {
        return;
    }
    for (i, row) in vendor_status::rows(op.family).chain(vendor_status::GENERAL).enumerate() {
        let _ = write!(
            out,
            "{}{{\"code\":{},\"word\":\"{}\",\"advice\":\"{}\",\"help\":",
            if i > 0 { "," } else { "" },
            row.code,
            row.word,
            row.advice.name()
        );
        write_str(row.help, out);
        out.push('}');
    }
}

#[derive(Clone, Copy)]
struct Writer {
    request: bool,
    /// Unknown keys are allowed.
    open: bool,
}

impl Writer {
    fn schema(self, shape: &Shape, root: bool, described: bool, out: &mut String) {
        out.push('{');
        if root {
            let _ = write!(out, "\"$schema\":\"{DIALECT}\",");
        }
        out.push_str("\"title\":");
        write_str(shape.name, out);
        if described && !shape.doc.is_empty() {
            out.push_str(",\"description\":");
            write_str(shape.doc.trim(), out);
        }
        let _ = write!(out, ",\"type\":{}", if root || self.request { "\"object\"" } else { "[\"object\",\"null\"]" });
        out.push_str(",\"properties\":{");
        for (i, field) in shape.fields.iter().enumerate() {
            if i > 0 {
                out.push(',');
            }
            write_str(field.name, out);
            out.push(':');
            self.field(field, out);
        }
        out.push('}');
        let required = |f: &&Field| if self.request { f.required } else { true };
        names("required", shape.fields.iter().filter(required).map(|f| f.name), out);
        if self.request {
            rules(shape.rules, out);
        }
        let _ = write!(out, ",\"additionalProperties\":{}}}", self.open);
    }

    fn field(self, field: &Field, out: &mut String) {
        let start = out.len();
        // The field's own description stands for that of the object in it.
        match field.kind {
            Kind::Object(shape) => self.schema(shape, false, field.doc.is_empty(), out),
            ref kind => self.kind(kind, field.required && self.request, out),
        }
        // The description and the name in Rust and Python go into the same object.
        if out.ends_with('}') && out.len() > start {
            out.pop();
            if !out.ends_with('{') {
                out.push(',');
            }
            if self.request && field.never_null {
                out.push_str("\"minItems\":1,");
            }
            if let Some(default) = field.default {
                let _ = write!(out, "\"default\":{default},");
            }
            if !field.doc.is_empty() {
                out.push_str("\"description\":");
                write_str(field.doc.trim(), out);
                out.push(',');
            }
            let _ = write!(out, "\"x-attribute\":\"{}\"}}", field.ident.trim_start_matches("r#"));
        }
    }

    fn kind(self, kind: &Kind, required: bool, out: &mut String) {
        let simple = |types: &[&str], format: &str, out: &mut String| {
            let mut types: Vec<String> = types.iter().map(|t| format!("\"{t}\"")).collect();
            if !required {
                types.push("\"null\"".to_owned());
            }
            match types.as_slice() {
                [one] => {
                    let _ = write!(out, "{{\"type\":{one}");
                }
                many => {
                    let _ = write!(out, "{{\"type\":[{}]", many.join(","));
                }
            }
            if !format.is_empty() {
                let _ = write!(out, ",\"format\":\"{format}\"");
            }
            out.push('}');
        };
        match kind {
            Kind::Text | Kind::Joined | Kind::CurrencyOf(_) => simple(&["string"], "", out),
            Kind::Bool | Kind::Flag if self.request => simple(&["boolean", "integer", "string"], "", out),
            Kind::Bool | Kind::Flag => simple(&["boolean"], "", out),
            Kind::Code | Kind::CodeText => simple(&["integer", "string"], "code", out),
            Kind::Number if self.request => simple(&["integer", "string"], "", out),
            Kind::Number => simple(&["number"], "", out),
            Kind::Amount | Kind::AmountWithCurrency => simple(&["string"], "decimal", out),
            Kind::Time(Clock::Day) => simple(&["string"], "date", out),
            Kind::Time(Clock::Local | Clock::LocalSpaced) => simple(&["string"], "local-date-time", out),
            Kind::Time(_) => simple(&["string"], "date-time", out),
            Kind::Int => simple(&["integer"], "", out),
            Kind::Real => simple(&["number"], "", out),
            Kind::Any => out.push_str("{}"),
            Kind::Object(shape) => self.schema(shape, false, true, out),
            Kind::List(item) => {
                let types = if required { "\"array\"" } else { "[\"array\",\"null\"]" };
                let _ = write!(out, "{{\"type\":{types},\"items\":");
                self.kind(item, true, out);
                out.push('}');
            }
        }
    }
}

fn names<'n>(key: &str, names: impl Iterator<Item = &'n str>, out: &mut String) {
    let names: Vec<String> = names.map(|n| format!("\"{n}\"")).collect();
    if !names.is_empty() {
        let _ = write!(out, ",\"{key}\":[{}]", names.join(","));
    }
}

/// Several rules of one object hold together.
fn rules(rules: &[Rule], out: &mut String) {
    let required = |group: &[&str]| {
        let names: Vec<String> = group.iter().map(|n| format!("\"{n}\"")).collect();
        format!("{{\"required\":[{}]}}", names.join(","))
    };
    let parts: Vec<String> = rules
        .iter()
        .map(|rule| match rule {
            Rule::AnyOf(groups) => {
                format!("{{\"anyOf\":[{}]}}", groups.iter().map(|g| required(g)).collect::<Vec<_>>().join(","))
            }
            // A null beside the other is allowed, so "not both" is left to validate.
            Rule::ExactlyOne(a, b) => format!("{{\"anyOf\":[{},{}]}}", required(&[a]), required(&[b])),
        })
        .collect();
    if !parts.is_empty() {
        let _ = write!(out, ",\"allOf\":[{}]", parts.join(","));
    }
}
