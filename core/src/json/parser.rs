//! Reads a JSON text value by value. Whoever reads decides what becomes of a value: a tree, or a text written at once.

use std::borrow::Cow;

use super::text::{escape_controls, mend_surrogates, plain_run, write_text};
use super::{JsonError, Node};

/// Deeper nesting than this is refused: the vendor's deepest reply has nine levels.
const MAX_DEPTH: usize = 128;

/// More values than this are refused: a tree takes many times the memory of a text like `[{},{},…]`.
/// The largest page of orders has a few thousand.
pub(super) const MAX_NODES: usize = 4_000_000;

/// What a tolerant reading has found that JSON does not allow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tolerant {
    /// Control characters in strings.
    pub control_characters: bool,
    /// `NaN` or `Infinity`, which are read as null.
    pub not_a_number: bool,
    /// NULs or a comment after the value.
    pub after: bool,
}

/// A place in a text, to which a parser can return.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    at: usize,
    nodes: usize,
}

pub(crate) struct Parser<'a> {
    pub(super) text: &'a str,
    bytes: &'a [u8],
    pub(super) at: usize,
    nodes: usize,
    /// How many members the last object had: in a list, the next one has as many.
    members: usize,
    /// None: strict.
    pub(super) tolerant: Option<Tolerant>,
}

impl<'a> Parser<'a> {
    /// Of plain JSON.
    pub fn strict(text: &'a str) -> Parser<'a> {
        Parser { text, bytes: text.as_bytes(), at: 0, nodes: 0, members: 0, tolerant: None }
    }

    /// With what [`Tolerant`] lists.
    pub fn tolerant(text: &'a str) -> Parser<'a> {
        Parser { tolerant: Some(Tolerant::default()), ..Parser::strict(text) }
    }

    pub fn is_tolerant(&self) -> bool {
        self.tolerant.is_some()
    }

    pub fn place(&self) -> Place {
        Place { at: self.at, nodes: self.nodes }
    }

    /// Reads again from a place.
    pub fn return_to(&mut self, place: Place) {
        (self.at, self.nodes) = (place.at, place.nodes);
    }

    /// How far it has read, in bytes.
    pub fn at(&self) -> usize {
        self.at
    }

    /// The string that begins at a byte, if one does.
    pub fn string_at(&self, at: usize) -> Option<Cow<'a, str>> {
        let mut there = Parser { at, tolerant: self.tolerant, ..Parser::strict(self.text) };
        (there.peek() == Some(b'"')).then(|| there.string().ok()).flatten()
    }

    /// After the value: anything but white space is an error, or what is tolerated. Gives what was.
    pub fn end(&mut self) -> Result<Tolerant, JsonError> {
        self.white();
        if self.nodes > MAX_NODES {
            return Err(self.error("too many values"));
        }
        let Some(mut found) = self.tolerant else {
            return match self.peek() {
                None => Ok(Tolerant::default()),
                Some(_) => Err(self.error("something follows the value")),
            };
        };
        found.after = self.skip_comments()?;
        Ok(found)
    }

    pub(super) fn error(&self, what: &'static str) -> JsonError {
        JsonError { what, at: self.at }
    }

    #[inline]
    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub fn white(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Takes the text if it is next.
    #[inline]
    pub fn takes(&mut self, text: &str) -> bool {
        let is_next = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(text.as_bytes()));
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    /// Begins an object or an array, whose first byte is next; false if it is empty, and has ended.
    pub fn enter(&mut self, depth: usize, close: u8) -> Result<bool, JsonError> {
        if depth >= MAX_DEPTH {
            return Err(self.error("nested too deeply"));
        }
        self.at += 1;
        self.white();
        let is_empty = self.peek() == Some(close);
        self.at += usize::from(is_empty);
        Ok(!is_empty)
    }

    /// After an element: whether another one follows; otherwise the container has ended.
    #[inline]
    pub fn goes_on(&mut self, close: u8) -> Result<bool, JsonError> {
        self.white();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ if close == b'}' => Err(self.error("',' or '}' was expected")),
            _ => Err(self.error("',' or ']' was expected")),
        }
    }

    /// A key with its colon.
    pub fn key(&mut self) -> Result<Cow<'a, str>, JsonError> {
        self.white();
        if self.peek() != Some(b'"') {
            return Err(self.error("a key was expected"));
        }
        let key = self.string()?;
        self.white();
        if self.peek() != Some(b':') {
            return Err(self.error("':' was expected"));
        }
        self.at += 1;
        Ok(key)
    }

    /// Counts a value that is read by its parts.
    #[inline]
    pub fn count(&mut self) -> Result<(), JsonError> {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err(self.error("too many values"));
        }
        Ok(())
    }

    /// A string without escapes, with its quotes. None, and nothing is taken, if the value is none.
    #[inline]
    pub fn plain_string(&mut self) -> Option<&'a str> {
        let rest = self.bytes.get(self.at..)?;
        let (b'"', inside) = rest.split_first()? else { return None };
        let length = plain_run(inside);
        if inside.get(length) != Some(&b'"') {
            return None;
        }
        let from = self.at;
        self.at += length + 2;
        // Too many values are noticed at the next one, or at the end.
        self.nodes += 1;
        self.text.get(from..self.at)
    }

    /// A value as a tree.
    pub fn value(&mut self, depth: usize) -> Result<Node<'a>, JsonError> {
        self.white();
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            _ => self.scalar(),
        }
    }

    /// A value that is no object and no array.
    pub fn scalar(&mut self) -> Result<Node<'a>, JsonError> {
        self.count()?;
        match self.peek() {
            Some(b'"') => return self.string().map(Node::Str),
            Some(b'-' | b'0'..=b'9') => self.number().map(Node::Num),
            Some(b't') => self.word("true", Node::Bool(true)),
            Some(b'f') => self.word("false", Node::Bool(false)),
            Some(b'n') => self.word("null", Node::Null),
            Some(_) => Err(self.error("a value was expected")),
            None => Err(self.error("the text ends too early")),
        }
        .or_else(|error| if self.is_not_a_number() { Ok(Node::Null) } else { Err(error) })
    }

    /// Writes a value compactly, as its tree would be written.
    pub fn copy(&mut self, depth: usize, out: &mut String) -> Result<(), JsonError> {
        self.white();
        let close = match self.peek() {
            Some(b'{') => b'}',
            Some(b'[') => b']',
            _ => {
                self.scalar()?.write(out);
                return Ok(());
            }
        };
        self.count()?;
        out.push(if close == b'}' { '{' } else { '[' });
        let mut is_first = true;
        let mut goes_on = self.enter(depth, close)?;
        while goes_on {
            if !is_first {
                out.push(',');
            }
            is_first = false;
            if close == b'}' {
                write_text(&self.key()?, out);
                out.push(':');
            }
            self.copy(depth + 1, out)?;
            goes_on = self.goes_on(close)?;
        }
        out.push(if close == b'}' { '}' } else { ']' });
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<Node<'a>, JsonError> {
        self.count()?;
        let mut goes_on = self.enter(depth, b'}')?;
        let mut members = Vec::with_capacity(if goes_on { self.members.min(64) } else { 0 });
        while goes_on {
            members.push((self.key()?, self.value(depth + 1)?));
            goes_on = self.goes_on(b'}')?;
        }
        self.members = members.len();
        Ok(Node::Obj(members))
    }

    fn array(&mut self, depth: usize) -> Result<Node<'a>, JsonError> {
        self.count()?;
        let mut items = Vec::new();
        let mut goes_on = self.enter(depth, b']')?;
        while goes_on {
            items.push(self.value(depth + 1)?);
            goes_on = self.goes_on(b']')?;
        }
        Ok(Node::Arr(items))
    }

    fn word(&mut self, word: &'static str, node: Node<'a>) -> Result<Node<'a>, JsonError> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) == Some(word.as_bytes()) {
            self.at = end;
            Ok(node)
        } else {
            Err(self.error("a value was expected"))
        }
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let from = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == from { Err(self.error("a digit was expected")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<&'a str, JsonError> {
        let from = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.text.get(from..self.at).unwrap_or_default())
    }

    fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        let quote = self.at;
        self.at += 1;
        let from = self.at;
        let (mut escaped, mut control) = (false, false);
        loop {
            self.at += plain_run(self.bytes.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    self.at += 2;
                }
                Some(_) => {
                    let Some(tolerant) = &mut self.tolerant else {
                        return Err(self.error("a control character stands in a string"));
                    };
                    (tolerant.control_characters, control) = (true, true);
                    self.at += 1;
                }
                None => return Err(self.error("a string has no end")),
            }
        }
        let inside = self.text.get(from..self.at).unwrap_or_default();
        self.at += 1;
        if !escaped {
            return Ok(if control { Cow::Owned(inside.to_owned()) } else { Cow::Borrowed(inside) });
        }
        let mut quoted = Cow::Borrowed(self.text.get(quote..self.at).unwrap_or_default());
        if control {
            quoted = Cow::Owned(escape_controls(&quoted));
        }
        serde_json::from_str::<String>(&quoted)
            .or_else(|_| serde_json::from_str::<String>(&mend_surrogates(&quoted)))
            .map(Cow::Owned)
            .map_err(|_| JsonError { what: "a string has a wrong escape", at: quote })
    }
}
