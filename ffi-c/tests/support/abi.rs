//! The ABI as data, read from the declarations of the generated C header.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{c_header, operations};

/// What the header declares; `include/abi.json` is this.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Abi {
    /// What the members of this file mean.
    pub about: String,
    /// APB_ABI_VERSION, and the number in the name of the shared library.
    pub abi: i64,
    pub library: String,
    pub constants: Vec<Constant>,
    pub types: Vec<Type>,
    pub functions: Vec<Function>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constant {
    pub name: String,
    #[serde(rename = "type")]
    pub c_type: String,
    pub value: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Type {
    pub name: String,
    /// opaque, integer or callback.
    pub kind: String,
    /// Of an integer: the type that it stands for.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub is: Option<String>,
    /// Of an opaque type: the function that frees one.
    #[serde(rename = "freedBy", skip_serializing_if = "Option::is_none", default)]
    pub freed_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub returns: Option<Value>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub parameters: Vec<Value>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Function {
    pub name: String,
    /// The operation that it calls, if it is the function of one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub operation: Option<String>,
    pub returns: Value,
    pub parameters: Vec<Value>,
}

/// A parameter or a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Value {
    /// "" of a result.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub name: String,
    #[serde(rename = "type")]
    pub c_type: String,
    /// in, out, or length: the length of the text that `of` names.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub role: String,
    /// Of a length: the parameter whose length it is, or "result".
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub of: Option<String>,
    /// Of a text: the parameter that has its length, or "NUL" if it only ends with one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub length: Option<String>,
    /// Of what the caller receives: the function that ends its life, or "static".
    #[serde(rename = "livesUntil", skip_serializing_if = "Option::is_none", default)]
    pub lives_until: Option<String>,
}

const ABOUT: &str = "Functions, types and constants of libatlas_postbooking, for generators of bindings; generated from \
    the C header. role: in, out, or length (in bytes, of the parameter `of`; `result` is what the function returns). \
    length of a text: the parameter that has it, or NUL if it only ends with one; the length -1 of an input means the \
    same, and every text that is received has a NUL behind its length. livesUntil: the function whose call for that \
    object ends the life of what was received; static: for ever. A pointer that is not required may be NULL.";

/// The ABI of the sources.
pub fn read() -> Abi {
    of_header(&c_header::generate())
}

/// The ABI that the text of a header declares.
pub fn of_header(header: &str) -> Abi {
    let text = without_comments(header);
    let constants = constants(&text);
    let operations: BTreeMap<String, String> = operations().into_iter().map(|op| (op.c, op.name)).collect();
    let (mut types, mut functions) = (Vec::new(), Vec::new());
    for declaration in declarations(&text) {
        match declaration.strip_prefix("typedef ") {
            Some(rest) => types.push(type_of(rest)),
            None => functions.push(function_of(&declaration, &operations)),
        }
    }
    for one in &mut types {
        let free = format!("{}_free", one.name);
        if one.kind == "opaque" {
            assert!(functions.iter().any(|f| f.name == free), "{free} is missing");
            one.freed_by = Some(free);
        }
    }
    let abi = constants.iter().find(|c| c.name == "APB_ABI_VERSION").map(|c| c.value).unwrap();
    let library = format!("libatlas_postbooking.so.{abi}");
    Abi { about: ABOUT.to_owned(), abi, library, constants, types, functions }
}

/// The declarations of a header, each on one line, without preprocessor lines and `extern "C"`.
pub fn declarations(text: &str) -> Vec<String> {
    let lines: Vec<&str> =
        text.lines().map(str::trim).filter(|l| !l.starts_with('#') && *l != "extern \"C\" {" && *l != "}").collect();
    let words = |d: &str| d.split_whitespace().collect::<Vec<_>>().join(" ");
    lines.join(" ").split(';').map(words).filter(|d| !d.is_empty()).collect()
}

/// A header without its comments.
pub fn without_comments(header: &str) -> String {
    let mut out = String::new();
    let mut rest = header;
    while let Some((before, comment)) = rest.split_once("/*") {
        out.push_str(before);
        rest = comment.split_once("*/").unwrap().1;
    }
    out + rest
}

/// The constants with the types that the header's documentation gives them.
fn constants(text: &str) -> Vec<Constant> {
    let defines = text.lines().filter_map(|l| l.strip_prefix("#define ")?.split_once(' '));
    defines
        .map(|(name, value)| {
            let (c_type, value) = match value {
                "((size_t)-1)" => ("size_t", -1),
                "(-2147483647 - 1)" => ("int32_t", i64::from(i32::MIN)),
                number => {
                    let number = number.trim_matches(['(', ')']).parse().unwrap();
                    (type_of_constant(name), number)
                }
            };
            Constant { name: name.to_owned(), c_type: c_type.to_owned(), value }
        })
        .collect()
}

fn type_of_constant(name: &str) -> &'static str {
    match name {
        "APB_ABI_VERSION" => "uint32_t",
        "APB_UNKNOWN" | "APB_EXECUTED" | "APB_NOT_EXECUTED" | "APB_PENDING" => "apb_outcome",
        _ => "apb_status",
    }
}

/// `struct X X`, `int32_t X`, or `void (*X)(...)`.
fn type_of(text: &str) -> Type {
    let plain = |name: &str, kind: &str| Type {
        name: name.to_owned(),
        kind: kind.to_owned(),
        is: None,
        freed_by: None,
        returns: None,
        parameters: Vec::new(),
    };
    if let Some((result, rest)) = text.split_once("(*") {
        let (name, parameters) = rest.split_once(")(").unwrap();
        let mut of = function_of(&format!("{result}{name}({parameters}"), &BTreeMap::new());
        // The texts of a log line live during the call of the receiver.
        of.parameters.iter_mut().for_each(|p| {
            if p.length.is_some() {
                p.lives_until = Some("return".to_owned());
            }
        });
        return Type { returns: Some(of.returns), parameters: of.parameters, ..plain(name, "callback") };
    }
    let (what, name) = text.rsplit_once(' ').unwrap();
    match what.strip_prefix("struct ") {
        Some(_) => plain(name, "opaque"),
        None => Type { is: Some(what.to_owned()), ..plain(name, "integer") },
    }
}

fn function_of(declaration: &str, operations: &BTreeMap<String, String>) -> Function {
    let (head, list) = declaration.trim_end_matches(')').split_once('(').unwrap();
    let (c_type, name) = split_type(head);
    let mut parameters: Vec<Value> = list.split(", ").filter(|p| *p != "void").map(parameter).collect();
    let mut returns = value("", &c_type, "");
    if c_type == "const char *" {
        let length = parameters.iter_mut().find(|p| p.name == "out_len");
        returns.length = Some(length.as_ref().map_or("NUL", |_| "out_len").to_owned());
        if let Some(length) = length {
            (length.role, length.of) = ("length".to_owned(), Some("result".to_owned()));
        }
        let of_reply = parameters.first().is_some_and(|p| p.c_type == "const apb_reply *");
        returns.lives_until = Some(if of_reply { "apb_reply_free" } else { "static" }.to_owned());
    } else if let Some(object) = c_type.strip_suffix(" *") {
        returns.lives_until = Some(format!("{object}_free"));
    }
    lengths(&mut parameters);
    Function { operation: operations.get(&name).cloned(), name, returns, parameters }
}

/// A text is followed by its length, or ends with a NUL.
fn lengths(parameters: &mut [Value]) {
    for i in 0..parameters.len() {
        if parameters[i].c_type != "const char *" {
            continue;
        }
        let text = parameters[i].name.clone();
        let length = parameters.get_mut(i + 1).filter(|p| p.c_type == "size_t" && p.name.ends_with("len"));
        let name = length.map(|length| {
            (length.role, length.of) = ("length".to_owned(), Some(text));
            length.name.clone()
        });
        parameters[i].length = Some(name.unwrap_or_else(|| "NUL".to_owned()));
    }
}

fn parameter(text: &str) -> Value {
    let (c_type, name) = split_type(text);
    if !name.starts_with("out_") {
        return value(&name, &c_type, "in");
    }
    let mut out = value(&name, &c_type, "out");
    if let Some(object) = c_type.strip_suffix(" **") {
        out.lives_until = Some(format!("{object}_free"));
    }
    out
}

fn value(name: &str, c_type: &str, role: &str) -> Value {
    let (name, c_type, role) = (name.to_owned(), c_type.to_owned(), role.to_owned());
    Value { name, c_type, role, of: None, length: None, lives_until: None }
}

/// "const char *pointer" is ("const char *", "pointer").
fn split_type(text: &str) -> (String, String) {
    let text = text.trim();
    let at = text.rfind([' ', '*']).unwrap() + 1;
    (text[..at].trim().to_owned(), text[at..].to_owned())
}
