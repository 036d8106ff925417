//! The names in the tokens of one module: what it declares, what it imports, what it mentions.

use proc_macro2::{Delimiter, TokenTree};

use crate::sources::Module;

/// A path, as it is written in a module.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub path: Vec<String>,
    pub line: usize,
    /// It stands in a `use`.
    pub is_use: bool,
    /// The name that a `use` binds to it.
    pub alias: Option<String>,
    /// `use path::*`
    pub is_glob: bool,
    /// `pub use`, `pub(crate) use`: others may reach it by this module's name.
    pub is_public: bool,
}

/// `mod name;`, or `mod name { body }`.
pub struct Declared {
    pub name: String,
    pub body: Option<Vec<TokenTree>>,
}

/// Reads the tokens of a module into it; modules that it declares are appended to `declared`.
pub fn read(tokens: &[TokenTree], module: &mut Module, declared: &mut Vec<Declared>) {
    Reader { module, declared }.walk(tokens, true);
}

struct Reader<'m> {
    module: &'m mut Module,
    declared: &'m mut Vec<Declared>,
}

/// Keywords that a name of an item follows.
const DEFINES: [&str; 9] = ["fn", "struct", "enum", "union", "trait", "type", "const", "static", "macro_rules"];

impl Reader<'_> {
    /// `is_top`: these are the items of the module, and not what is inside one of them.
    fn walk(&mut self, tokens: &[TokenTree], is_top: bool) {
        let mut at = 0;
        while at < tokens.len() {
            at = match &tokens[at] {
                TokenTree::Punct(punct) if punct.as_char() == '#' => match self.attribute(tokens, at) {
                    Some(next) => next,
                    None => return,
                },
                TokenTree::Ident(ident) => self.word(tokens, at, &ident.to_string(), is_top),
                // `pub(in crate::case)` imports nothing.
                TokenTree::Group(_) if at > 0 && ident(tokens.get(at - 1)).as_deref() == Some("pub") => at + 1,
                TokenTree::Group(group) => {
                    self.walk(&group.stream().into_iter().collect::<Vec<_>>(), false);
                    at + 1
                }
                _ => at + 1,
            };
        }
    }

    /// Gives where to go on: behind the attribute, or behind the item if only tests have it; None if that is all of
    /// these tokens.
    fn attribute(&mut self, tokens: &[TokenTree], at: usize) -> Option<usize> {
        let is_inner = is_punct(tokens.get(at + 1), '!');
        let body = at + 1 + usize::from(is_inner);
        let Some(inside) = group(tokens.get(body), Delimiter::Bracket) else { return Some(at + 1) };
        if is_test_only(&inside) {
            return if is_inner { None } else { Some(behind_item(tokens, body + 1)) };
        }
        self.texts(&inside);
        Some(body + 1)
    }

    /// Paths in texts, as serde's attributes have them.
    fn texts(&mut self, tokens: &[TokenTree]) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.texts(&group.stream().into_iter().collect::<Vec<_>>()),
                TokenTree::Literal(literal) => {
                    let text = literal.to_string();
                    let text = text.trim_matches('"');
                    if ["crate::", "super::", "self::"].iter().any(|start| text.starts_with(start)) {
                        let path: Vec<String> = text.split("::").map(|part| part.trim().to_owned()).collect();
                        self.add(path, literal.span().start().line);
                    }
                }
                _ => {}
            }
        }
    }

    fn word(&mut self, tokens: &[TokenTree], at: usize, word: &str, is_top: bool) -> usize {
        let next = tokens.get(at + 1);
        match word {
            // `use<'a>` is a bound of a type.
            "use" if !is_punct(next, '<') => {
                let end = (at..tokens.len()).find(|i| is_punct(tokens.get(*i), ';')).unwrap_or(tokens.len());
                self.use_tree(Vec::new(), &tokens[at + 1..end], is_public(tokens, at));
                return end;
            }
            "mod" => {
                if let Some(name) = ident(next) {
                    let body = group(tokens.get(at + 2), Delimiter::Brace);
                    self.declared.push(Declared { name, body });
                    return at + 3;
                }
            }
            _ if is_top && DEFINES.contains(&word) => {
                let name = if is_punct(next, '!') { tokens.get(at + 2) } else { next };
                self.module.items.extend(ident(name).filter(|name| name != "fn"));
            }
            _ => {}
        }
        let line = tokens[at].span().start().line;
        let is_member = at > 0 && (is_punct(tokens.get(at - 1), '.') || is_path_end(tokens, at));
        let is_variable = word != "crate" && at > 0 && is_punct(tokens.get(at - 1), '$');
        if is_member || is_variable {
            return at + 1;
        }
        let (path, end) = path_from(tokens, at);
        if is_top && is_punct(tokens.get(end), '!') {
            self.defined_by_macro(tokens.get(end + 1));
        }
        if path.len() > 1 {
            self.module.mentioned.push((word.to_owned(), line));
            self.add(path, line);
        } else if word.starts_with(char::is_uppercase) || is_punct(next, '!') || is_call(next) {
            self.module.mentioned.push((word.to_owned(), line));
        }
        end
    }

    fn add(&mut self, path: Vec<String>, line: usize) {
        self.module.found.push(Found { path, line, is_use: false, alias: None, is_glob: false, is_public: false });
    }

    /// Names that a macro defines by its arguments: those before a block, as in `message! { Name { … } }`.
    fn defined_by_macro(&mut self, body: Option<&TokenTree>) {
        let Some(inside) = group(body, Delimiter::Brace) else { return };
        for (i, token) in inside.iter().enumerate() {
            let is_before_block = group(inside.get(i + 1), Delimiter::Brace).is_some()
                || (ident(inside.get(i + 1)).is_some() && group(inside.get(i + 3), Delimiter::Brace).is_some());
            self.module.items.extend(ident(Some(token)).filter(|_| is_before_block));
        }
    }

    fn use_tree(&mut self, prefix: Vec<String>, tokens: &[TokenTree], is_public: bool) {
        let used = |path: &[String], line: usize, alias: Option<String>| {
            Some(Found { path: path.to_vec(), line, is_use: true, alias, is_glob: false, is_public })
        };
        for branch in tokens.split(|token| is_punct(Some(token), ',')) {
            let mut path = prefix.clone();
            let mut found = None;
            let mut at = 0;
            while let Some(token) = branch.get(at) {
                let line = token.span().start().line;
                match token {
                    TokenTree::Ident(name) if name == "as" => {
                        found = used(&path, line, ident(branch.get(at + 1)));
                        break;
                    }
                    // `use path::{self}` binds the last name of the path.
                    TokenTree::Ident(name) if name == "self" && !path.is_empty() => {
                        found = used(&path, line, path.last().cloned());
                    }
                    TokenTree::Ident(name) => {
                        path.push(name.to_string());
                        found = used(&path, line, path.last().cloned());
                    }
                    TokenTree::Group(group) => {
                        self.use_tree(path.clone(), &group.stream().into_iter().collect::<Vec<_>>(), is_public);
                        found = None;
                    }
                    _ if is_punct(Some(token), '*') => {
                        found = used(&path, line, None).map(|found| Found { is_glob: true, ..found });
                    }
                    _ => {}
                }
                at += 1;
            }
            self.module.found.extend(found);
        }
    }
}

/// The path that begins at `at`, and where it ends.
fn path_from(tokens: &[TokenTree], at: usize) -> (Vec<String>, usize) {
    let mut path = vec![ident(tokens.get(at)).unwrap()];
    let mut end = at + 1;
    while is_punct(tokens.get(end), ':') && is_punct(tokens.get(end + 1), ':') {
        let Some(name) = ident(tokens.get(end + 2)) else { break };
        path.push(name);
        end += 3;
    }
    // `path::<T>()` and `path::$name` name what stands before.
    let goes_on = is_punct(tokens.get(end), ':') && is_punct(tokens.get(end + 1), ':');
    if goes_on && path.len() == 1 {
        path.push(String::new());
    }
    (path, end)
}

/// Whether the token at `at` continues a path, as in `<T as Trait>::name`, or begins one of another crate.
fn is_path_end(tokens: &[TokenTree], at: usize) -> bool {
    at > 1 && is_punct(tokens.get(at - 1), ':') && is_punct(tokens.get(at - 2), ':')
}

fn is_public(tokens: &[TokenTree], at: usize) -> bool {
    let is_pub = |i: Option<usize>| i.is_some_and(|i| ident(tokens.get(i)).as_deref() == Some("pub"));
    is_pub(at.checked_sub(1))
        || at > 1 && group(tokens.get(at - 1), Delimiter::Parenthesis).is_some() && is_pub(at.checked_sub(2))
}

/// `#[test]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`, `#[cfg(fuzzing)]`; not `#[cfg(not(test))]`.
fn is_test_only(attribute: &[TokenTree]) -> bool {
    fn names_test(tokens: &[TokenTree]) -> bool {
        tokens.iter().enumerate().any(|(i, token)| match token {
            TokenTree::Ident(name) => name == "test" || name == "fuzzing",
            TokenTree::Group(group) => {
                let is_not = i > 0 && ident(tokens.get(i - 1)).as_deref() == Some("not");
                !is_not && names_test(&group.stream().into_iter().collect::<Vec<_>>())
            }
            _ => false,
        })
    }
    match ident(attribute.first()).as_deref() {
        Some("test") => true,
        Some("cfg") => names_test(&attribute[1..]),
        _ => false,
    }
}

/// Behind the item, statement or field that begins at `at`.
fn behind_item(tokens: &[TokenTree], at: usize) -> usize {
    const ITEMS: [&str; 14] = [
        "pub",
        "fn",
        "struct",
        "enum",
        "impl",
        "trait",
        "mod",
        "use",
        "const",
        "static",
        "type",
        "unsafe",
        "async",
        "macro_rules",
    ];
    let mut at = at;
    while is_punct(tokens.get(at), '#') {
        at += 2;
    }
    let is_item = ident(tokens.get(at)).is_some_and(|word| ITEMS.contains(&word.as_str()));
    let is_end = |i: &usize| {
        is_punct(tokens.get(*i), ';')
            || group(tokens.get(*i), Delimiter::Brace).is_some()
            || (!is_item && is_punct(tokens.get(*i), ','))
    };
    (at..tokens.len()).find(is_end).map_or(tokens.len(), |end| end + 1)
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn is_call(token: Option<&TokenTree>) -> bool {
    group(token, Delimiter::Parenthesis).is_some()
}

fn ident(token: Option<&TokenTree>) -> Option<String> {
    if let Some(TokenTree::Ident(name)) = token { Some(name.to_string()) } else { None }
}

fn group(token: Option<&TokenTree>, delimiter: Delimiter) -> Option<Vec<TokenTree>> {
    match token {
        Some(TokenTree::Group(group)) if group.delimiter() == delimiter => Some(group.stream().into_iter().collect()),
        _ => None,
    }
}
