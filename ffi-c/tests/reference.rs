//! Generates docs/reference.md, every field of every request and reply, from the operation table, and fails if the
//! checked-in file differs. `BLESS=1 cargo test -p atlas-postbooking-c` writes it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod support;

use support::{Field, Fields, Operation, assert_current, operations};

const REFERENCE: &str = "../docs/reference.md";

const HEAD: &str = "# Requests and replies

Every operation with the fields of its request and of its reply's `data`. Generated from the tables of the library by
ffi-c/tests/reference.rs: do not edit. `apb_describe()` gives the same as JSON Schemas.

`a.b` is the field `b` of the object `a`, and `a[].b` that of each element of the list `a`. Of a reply every field is there,
null if the vendor sent none. *decimal* is an amount as text (`\"84.70\"`), *date* and *date-time* are ISO 8601, a
*local-date-time* has no offset. The rest of a reply (`outcome`, `error`, `case`, `meta`) is in
[atlas_postbooking.h](../include/atlas_postbooking.h).
";

fn generate(operations: &[Operation]) -> String {
    let mut out = HEAD.to_owned();
    for op in operations {
        let path = op.path.as_ref().map_or_else(|| "no request of its own".to_owned(), |path| format!("`{path}`"));
        out.push_str(&format!("\n## {}\n\n{}\n\n", op.name, op.doc));
        out.push_str(&format!("{}, {path}. C: `{}`. Python: `{}`.\n", op.kind, op.c, op.python));
        out.push_str("\nRequest:\n\n");
        let rules: Vec<String> = op
            .request
            .rules
            .iter()
            .map(|rule| {
                let groups: Vec<String> =
                    rule.any_of.iter().map(|g| format!("`{}`", g.required.join("` with `"))).collect();
                format!("Required: {}.\n\n", groups.join(" or "))
            })
            .collect();
        out.push_str(&rules.concat());
        out.push_str(&table(&op.request.properties, &op.request.required, true));
        out.push_str("\nReply:\n\n");
        out.push_str(&table(&op.reply.properties, &[], false));
    }
    out
}

fn table(fields: &Fields, required: &[String], is_request: bool) -> String {
    let mut rows = Vec::new();
    collect("", fields, required, is_request, &mut rows);
    if rows.is_empty() {
        return "No fields.\n".to_owned();
    }
    format!("| field | type | meaning |\n|---|---|---|\n{}", rows.concat())
}

fn collect(prefix: &str, fields: &Fields, required: &[String], is_request: bool, rows: &mut Vec<String>) {
    for (name, field) in &fields.0 {
        let place = format!("{prefix}{name}");
        let mut meaning = field.description.replace('|', "\\|");
        if is_request && required.contains(name) {
            meaning = format!("**Required.** {meaning}");
        }
        if let Some(default) = &field.default {
            meaning = format!("{meaning} Default `{default}`.");
        }
        rows.push(format!("| `{place}` | {} | {} |\n", type_of(field), meaning.trim()));
        let (inner, place) = match &field.items {
            Some(item) => (item.as_ref(), format!("{place}[].")),
            None => (field, format!("{place}.")),
        };
        if let Some(more) = &inner.properties {
            collect(&place, more, &inner.required, is_request, rows);
        }
    }
}

fn type_of(field: &Field) -> String {
    if let Some(item) = &field.items {
        return format!("list of {}", type_of(item));
    }
    if field.properties.is_some() {
        return "object".to_owned();
    }
    let names: Vec<&str> = match &field.types {
        serde_json::Value::String(one) => vec![one.as_str()],
        serde_json::Value::Array(many) => {
            many.iter().filter_map(|one| one.as_str()).filter(|one| *one != "null").collect()
        }
        _ => Vec::new(),
    };
    match (field.format.as_str(), names.as_slice()) {
        ("", []) => "any".to_owned(),
        ("" | "code", names) => names.join(" or "),
        (format, _) => format.to_owned(),
    }
}

#[test]
fn the_checked_in_reference_is_current() {
    assert_current(REFERENCE, &generate(&operations()));
}

/// Oracle: the schemas themselves, counted without the generator.
#[test]
fn every_field_has_its_row() {
    fn count(schema: &serde_json::Value) -> usize {
        let below = |one: &serde_json::Value| 1 + count(one);
        let own = schema["properties"].as_object().map_or(0, |all| all.values().map(below).sum());
        own + schema.get("items").map_or(0, count)
    }
    let all: serde_json::Value = serde_json::from_str(atlas_postbooking::dispatch::describe(None).json()).unwrap();
    let fields: usize = all["data"]["operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|op| count(&op["request"]) + count(&op["reply"]))
        .sum();
    let rows = generate(&operations()).lines().filter(|line| line.starts_with("| `")).count();
    assert!(fields > 300);
    assert_eq!(rows, fields);
}
