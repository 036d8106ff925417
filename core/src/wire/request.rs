//! Requests are checked strictly along their shape and written in the vendor's form.
//!
//! The same walk reads the configuration and the options of a call, so that a misspelt key is
//! refused everywhere with the same message.

use super::normalize::{Path, whole};
use super::shape::{Field, Kind, Rule, Shape};
use crate::json::{Node, write_str};

/// What is wrong with a request, and where.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Problem {
    /// JSON Pointer.
    pub path: String,
    pub message: String,
}

/// Writes `node` as the vendor reads it, or says everything that is wrong with it.
pub(crate) fn encode(shape: &Shape, node: &Node<'_>, allow_unknown: bool) -> Result<String, Vec<Problem>> {
    let mut walk = Walk { allow_unknown, problems: Vec::new(), out: String::with_capacity(256) };
    walk.object(shape, node, &Path::Root);
    if walk.problems.is_empty() { Ok(walk.out) } else { Err(walk.problems) }
}

struct Walk {
    allow_unknown: bool,
    problems: Vec<Problem>,
    out: String,
}

impl Walk {
    fn problem(&mut self, path: &Path<'_>, message: impl Into<String>) {
        if self.problems.len() < 20 {
            self.problems.push(Problem { path: path.pointer(), message: message.into() });
        }
    }

    fn object(&mut self, shape: &Shape, node: &Node<'_>, path: &Path<'_>) {
        let Node::Obj(members) = node else {
            return self.problem(path, format!("must be an object, not {}", node.type_name()));
        };
        self.check_keys(shape, members, path);
        self.check_rules(shape, node, path);
        self.out.push('{');
        let mut first = true;
        for field in shape.fields {
            let here = Path::Key(path, field.name);
            let given = node.get(field.name);
            if field.required {
                self.check_required(field, given, &here);
            }
            let null = &Node::Null;
            let value = match (given, field.default) {
                (None | Some(Node::Null), Some(default)) => {
                    self.key(field.name, &mut first);
                    self.out.push_str(default);
                    continue;
                }
                (given, None) if field.sent_null && given.is_none_or(is_empty) => null,
                (None, None) => continue,
                (Some(value), _) => value,
            };
            self.key(field.name, &mut first);
            self.value(&field.kind, value, &here);
        }
        if self.allow_unknown {
            for (key, value) in members.iter().filter(|(k, _)| !shape.fields.iter().any(|f| f.name == k)) {
                self.key(key, &mut first);
                value.write(&mut self.out);
            }
        }
        self.out.push('}');
    }

    fn key(&mut self, name: &str, first: &mut bool) {
        if !*first {
            self.out.push(',');
        }
        *first = false;
        write_str(name, &mut self.out);
        self.out.push(':');
    }

    fn check_keys(&mut self, shape: &Shape, members: &[crate::json::Member<'_>], path: &Path<'_>) {
        for (i, (key, _)) in members.iter().enumerate() {
            let here = Path::Key(path, key);
            if members.iter().take(i).any(|(k, _)| k == key) {
                self.problem(&here, "stands twice");
            }
            if self.allow_unknown || shape.fields.iter().any(|f| f.name == key) {
                continue;
            }
            let message = match nearest(key, shape.fields.iter().map(|f| f.name)) {
                Some(name) => format!("unknown key `{}`; did you mean `{name}`?", clip(key)),
                None => format!("unknown key `{}`", clip(key)),
            };
            self.problem(&here, message);
        }
    }

    fn check_required(&mut self, field: &Field, given: Option<&Node<'_>>, path: &Path<'_>) {
        match given {
            None | Some(Node::Null) => self.problem(path, "is required"),
            Some(Node::Str(s)) if s.trim().is_empty() => self.problem(path, "must not be empty"),
            Some(Node::Arr(items)) if items.is_empty() && field.never_null => self.problem(path, "must not be empty"),
            Some(_) => {}
        }
    }

    fn check_rules(&mut self, shape: &Shape, node: &Node<'_>, path: &Path<'_>) {
        let given = |name: &str| match node.get(name) {
            None | Some(Node::Null) => false,
            Some(Node::Str(s)) => !s.trim().is_empty(),
            Some(Node::Arr(items)) => !items.is_empty(),
            Some(_) => true,
        };
        for rule in shape.rules {
            match rule {
                Rule::AnyOf(groups) => {
                    if groups.iter().any(|group| group.iter().all(|name| given(name))) {
                        continue;
                    }
                    let ways: Vec<String> = groups.iter().map(|group| group.join(" with ")).collect();
                    // If a group is given in part, the problem is its missing field.
                    let missing = groups
                        .iter()
                        .filter(|group| group.iter().any(|name| given(name)))
                        .flat_map(|group| group.iter())
                        .find(|name| !given(name))
                        .or_else(|| groups.first().and_then(|group| group.first()));
                    let message = format!("one of these is required: {}", ways.join("; "));
                    match missing {
                        Some(name) => self.problem(&Path::Key(path, name), message),
                        None => self.problem(path, message),
                    }
                }
                Rule::ExactlyOne(a, b) => match (given(a), given(b)) {
                    (true, false) | (false, true) => {}
                    (true, true) => {
                        self.problem(&Path::Key(path, b), format!("give either `{a}` or `{b}`, not both"));
                    }
                    (false, false) => self.problem(&Path::Key(path, a), format!("`{a}` or `{b}` is required")),
                },
            }
        }
    }

    fn value(&mut self, kind: &Kind, node: &Node<'_>, path: &Path<'_>) {
        match (kind, node) {
            (_, Node::Null) => self.out.push_str("null"),
            (Kind::Any, node) => node.write(&mut self.out),
            (Kind::Object(shape), node) => self.object(shape, node, path),
            (Kind::List(item), Node::Arr(items)) => {
                self.out.push('[');
                for (i, node) in items.iter().enumerate() {
                    if i > 0 {
                        self.out.push(',');
                    }
                    let here = Path::Index(path, i);
                    if node.is_null() {
                        self.problem(&here, "must not be null");
                    }
                    self.value(item, node, &here);
                }
                self.out.push(']');
            }
            (Kind::List(_), node) => self.problem(path, format!("must be an array, not {}", node.type_name())),
            (kind, node) => self.scalar(kind, node, path),
        }
    }

    fn scalar(&mut self, kind: &Kind, node: &Node<'_>, path: &Path<'_>) {
        let text = match node {
            Node::Str(s) => &**s,
            Node::Num(token) => token,
            Node::Bool(true) => "true",
            Node::Bool(false) => "false",
            _ => "",
        };
        let is_text = matches!(node, Node::Str(_));
        let composite = matches!(node, Node::Arr(_) | Node::Obj(_));
        let expected = match kind {
            Kind::Bool | Kind::Flag => {
                let flag = match text {
                    "1" | "true" => Some(true),
                    "0" | "false" => Some(false),
                    _ => None,
                };
                match (flag, kind) {
                    (Some(flag), Kind::Bool) => return self.out.push_str(if flag { "true" } else { "false" }),
                    (Some(flag), _) => return self.out.push(if flag { '1' } else { '0' }),
                    (None, _) => "true or false",
                }
            }
            Kind::Code | Kind::Number | Kind::CodeText if !matches!(node, Node::Bool(_)) && !composite => {
                match whole(text) {
                    Some(number) if matches!(kind, Kind::CodeText) => {
                        return write_str(&number.to_string(), &mut self.out);
                    }
                    Some(number) => return self.out.push_str(&number.to_string()),
                    None => "a whole number",
                }
            }
            Kind::Code | Kind::Number | Kind::CodeText => "a whole number",
            Kind::Amount | Kind::AmountWithCurrency if matches!(node, Node::Num(_) | Node::Str(_)) => {
                match super::Amount::parse(text) {
                    Some(amount) => return self.out.push_str(amount.as_str()),
                    None => "a decimal number, best as text",
                }
            }
            Kind::Time(clock) if is_text || matches!(node, Node::Num(_)) => match clock.read_request(text) {
                Ok(moment) => {
                    self.out.push('"');
                    clock.write_wire(&moment, &mut self.out);
                    self.out.push('"');
                    return;
                }
                // The vendor's own samples send empty text for "no filter".
                Err(_) if text.is_empty() => return self.out.push_str("\"\""),
                Err(expected) => expected,
            },
            Kind::Time(clock) => clock.expected(),
            Kind::Int => match node {
                Node::Num(token) if token.parse::<u64>().is_ok() => return self.out.push_str(token),
                _ => "a whole number that is not negative",
            },
            Kind::Real => match node {
                Node::Num(token) if !token.starts_with('-') => return self.out.push_str(token),
                _ => "a number that is not negative",
            },
            _ if is_text => return write_str(text, &mut self.out),
            _ => "a string",
        };
        self.problem(path, format!("must be {expected}, not {}", found(kind, node)));
    }
}

/// What stands where another value belongs. Of a kind that is written as text, what is wrong with the text; the text
/// itself may be personal.
fn found(kind: &Kind, node: &Node<'_>) -> &'static str {
    match (kind, node) {
        (Kind::Amount | Kind::AmountWithCurrency, Node::Str(text)) if text.contains(',') => "a text with a comma",
        (Kind::Time(clock), Node::Str(text)) => clock.found(text),
        (Kind::Int | Kind::Real, _) => node.type_name(),
        (_, Node::Str(_)) => "this text",
        _ => node.type_name(),
    }
}

/// Given without content: `""` or `[]`.
fn is_empty(node: &Node<'_>) -> bool {
    match node {
        Node::Str(s) => s.trim().is_empty(),
        Node::Arr(items) => items.is_empty(),
        _ => false,
    }
}

fn clip(text: &str) -> String {
    text.chars().take(60).collect()
}

/// The known name that a misspelt one most likely means.
pub(crate) fn nearest<'n>(key: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let fold = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let wanted = fold(&clip(key));
    // Jaro-Winkler favours a common beginning (flightNo, flightNumber); a name that contains the
    // other (secret, clientSecret) counts as similar too.
    let similarity = |name: &str| {
        let name = fold(name);
        let contained = wanted.len() >= 4 && name.len() >= 4 && (name.contains(&wanted) || wanted.contains(&name));
        strsim::jaro_winkler(&wanted, &name).max(if contained { 0.9 } else { 0.0 })
    };
    names
        .map(|name| (similarity(name), name))
        .filter(|(s, _)| *s > 0.7)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
