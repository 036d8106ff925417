//! Replies written while they are read: one pass over the text along the shape, without a tree.
//!
//! The result is that of [`write_object`] for the tree of the same text, byte by byte, warnings included. Members mostly
//! come in the order of the shape; what comes in another order is put together once its object ends. An object that has
//! a key twice is read again, as a tree: what counts of it depends on all of its members.

#[cfg(any(test, fuzzing))]
pub(crate) mod both_ways;
mod order;

use std::borrow::Cow;
use std::mem;
use std::ops::Range;

use super::normalize::{MAX_WARNINGS, Path, Warning, Warnings, write_object, write_value};
use super::shape::{Field, Kind, Shape};
use crate::json::{JsonError, Member, Node, Parser, write_text};

/// A body that was read.
pub(crate) struct Body<'a> {
    /// If it was written: its members, arrays and objects without their elements. Otherwise the whole tree.
    pub node: Node<'a>,
    /// Of what was written; None: a tree is needed to write it, or it is no object.
    pub warnings: Option<Warnings>,
}

/// Reads a body and appends it to `out`, without the members whose keys are in `skip`.
pub(crate) fn read_body<'a>(
    parser: &mut Parser<'a>,
    shape: &'static Shape,
    skip: &'static [&'static str],
    out: &mut String,
) -> Result<Body<'a>, JsonError> {
    parser.white();
    if parser.peek() != Some(b'{') {
        return Ok(Body { node: parser.value(0)?, warnings: None });
    }
    let mut pass = OnePass { parser, out, unknown: String::new(), pieces: Vec::new(), warnings: Warnings::default() };
    let mut root = Root { skip, members: Vec::with_capacity(shape.fields.len() + skip.len()) };
    if pass.object(shape, 0, &Path::Root, Some(&mut root))? {
        return Ok(Body { node: Node::Obj(root.members), warnings: Some(pass.warnings) });
    }
    Ok(Body { node: parser.value(0)?, warnings: None })
}

/// What is kept of the root besides its text.
struct Root<'a> {
    skip: &'static [&'static str],
    members: Vec<Member<'a>>,
}

/// A member of an object that is being read.
struct Piece {
    /// The index of its field; None: its key is not documented.
    field: Option<usize>,
    /// Its key and value in `out`. Of an undocumented one, its key in `unknown`.
    range: Range<usize>,
    /// Where its value is in the text that is read.
    source: usize,
}

struct OnePass<'a, 'p> {
    parser: &'p mut Parser<'a>,
    out: &'p mut String,
    /// The undocumented members of the objects that are being read, each with a comma before it. They stand behind the
    /// documented ones.
    unknown: String,
    /// The members of the objects that are being read.
    pieces: Vec<Piece>,
    /// Of the object that is being read, or of the value of its member.
    warnings: Warnings,
}

/// An object that is being read.
struct Open {
    shape: &'static Shape,
    /// Where it begins in `out`, `pieces` and `unknown`.
    out: usize,
    pieces: usize,
    unknown: usize,
    /// The fields that have come, a bit each.
    seen: u64,
    /// The fields before this one are written, or null.
    next: usize,
    /// No member came behind one of a later field.
    is_ordered: bool,
}

impl<'a> OnePass<'a, '_> {
    /// Reads and writes an object; false if it has to be read as a tree: nothing is written of it, and it is next.
    fn object(
        &mut self,
        shape: &'static Shape,
        depth: usize,
        path: &Path<'_>,
        root: Option<&mut Root<'a>>,
    ) -> Result<bool, JsonError> {
        let place = self.parser.place();
        let before = mem::take(&mut self.warnings);
        let mut open = Open {
            shape,
            out: self.out.len(),
            pieces: self.pieces.len(),
            unknown: self.unknown.len(),
            seen: 0,
            next: 0,
            is_ordered: true,
        };
        let mut found = Vec::new();
        let is_written = self.members(&mut open, depth, path, root, &mut found)?;
        self.warnings = before;
        if is_written {
            if !found.is_empty() {
                // In the order of the shape, as everything else.
                found.sort_by_key(|(field, _)| *field);
                self.warnings.0.extend(found.into_iter().flat_map(|(_, warnings)| warnings));
                self.warnings.0.truncate(MAX_WARNINGS);
            }
        } else {
            self.parser.return_to(place);
            self.out.truncate(open.out);
        }
        self.unknown.truncate(open.unknown);
        self.pieces.truncate(open.pieces);
        Ok(is_written)
    }

    /// As above, for the members and the end of the object.
    fn members(
        &mut self,
        open: &mut Open,
        depth: usize,
        path: &Path<'_>,
        mut root: Option<&mut Root<'a>>,
        found: &mut Vec<(usize, Vec<Warning>)>,
    ) -> Result<bool, JsonError> {
        let fields = open.shape.fields;
        self.parser.count()?;
        self.out.push('{');
        let mut goes_on = self.parser.enter(depth, b'}')?;
        while goes_on {
            self.parser.white();
            let (field, key) = match fields.get(open.next) {
                // The next field, written as the table has it.
                Some(field) if !field.key.is_empty() && self.parser.takes(field.key) => {
                    (Some(open.next), Cow::Borrowed(field.name))
                }
                _ => {
                    let key = self.parser.key()?;
                    (position(fields, &key, open.next), key)
                }
            };
            self.parser.white();
            let field = match (field, root.as_deref_mut()) {
                (Some(at), _) => Some(at),
                (None, Some(root)) if root.skip.contains(&&*key) => {
                    if root.members.iter().any(|(k, _)| *k == key) {
                        return Ok(false);
                    }
                    let value = self.parser.value(depth + 1)?;
                    root.members.push((key, value));
                    goes_on = self.parser.goes_on(b'}')?;
                    continue;
                }
                (None, _) => match fields.iter().position(|field| field.aliases.contains(&&*key)) {
                    // What is read as null is only known afterwards.
                    Some(_) if self.parser.is_tolerant() => return Ok(false),
                    // Null under an older name is no value.
                    Some(_) if self.parser.peek() == Some(b'n') => None,
                    older => older,
                },
            };
            let value = match field {
                Some(at) => {
                    let bit = bit(at);
                    if open.seen & bit != 0 || bit == 0 {
                        return Ok(false);
                    }
                    open.seen |= bit;
                    let Some(value) = self.member(open, at, depth, path)? else { return Ok(false) };
                    if !self.warnings.0.is_empty() {
                        found.push((at, mem::take(&mut self.warnings.0)));
                    }
                    value
                }
                None => self.undocumented(&key, depth)?,
            };
            if let Some(root) = root.as_deref_mut() {
                root.members.push((key, value));
            }
            goes_on = self.parser.goes_on(b'}')?;
        }
        if self.has_unknown_twice(open) {
            return Ok(false);
        }
        self.end(open);
        Ok(true)
    }

    /// Reads and writes the member of a field. None if a tree is needed.
    fn member(
        &mut self,
        open: &mut Open,
        at: usize,
        depth: usize,
        path: &Path<'_>,
    ) -> Result<Option<Node<'a>>, JsonError> {
        let Some(field) = open.shape.fields.get(at) else { return Ok(None) };
        if open.is_ordered && at >= open.next {
            self.pass_over(open, at);
            open.next = at + 1;
            if at > 0 {
                self.out.push(',');
            }
        } else {
            open.is_ordered = false;
        }
        let (start, source) = (self.out.len(), self.parser.at());
        self.out.push_str(field.key);
        let path = Path::Key(path, field.name);
        let value = match self.parser.peek() {
            Some(b'{' | b'[') => self.container(&field.kind, depth + 1, &path)?,
            // Most values, except those of the root, which are needed as well.
            Some(b'"') if depth > 0 && matches!(field.kind, Kind::Text) && self.plain_text() => Node::Bool(true),
            _ => {
                let value = self.parser.scalar()?;
                match (&field.kind, &value) {
                    (Kind::CurrencyOf(amount), Node::Null) => self.currency(open, amount),
                    (_, Node::Null) => self.out.push_str(null_of(field)),
                    (kind, value) => write_value(kind, value, &path, self.out, &mut self.warnings),
                }
                value
            }
        };
        // A currency that was null may follow from an amount that comes later.
        if !(value.is_null() && matches!(field.kind, Kind::CurrencyOf(_))) {
            self.pieces.push(Piece { field: Some(at), range: start..self.out.len(), source });
        }
        Ok(Some(value))
    }

    /// Reads and writes the object or array that is next; of what it is, no more than that is given.
    fn container(&mut self, kind: &Kind, depth: usize, path: &Path<'_>) -> Result<Node<'a>, JsonError> {
        let is_object = self.parser.peek() == Some(b'{');
        match kind {
            Kind::Any => self.parser.copy(depth, self.out)?,
            Kind::Object(shape) if is_object => self.nested(shape, depth, path)?,
            Kind::List(Kind::Object(shape)) if is_object => {
                self.out.push('[');
                self.nested(shape, depth, &Path::Index(path, 0))?;
                self.out.push(']');
            }
            Kind::List(item) if !is_object => self.list(item, depth, path)?,
            kind => write_value(kind, &self.parser.value(depth)?, path, self.out, &mut self.warnings),
        }
        Ok(if is_object { Node::Obj(Vec::new()) } else { Node::Arr(Vec::new()) })
    }

    fn nested(&mut self, shape: &'static Shape, depth: usize, path: &Path<'_>) -> Result<(), JsonError> {
        if !self.object(shape, depth, path, None)? {
            let node = self.parser.value(depth)?;
            let members = if let Node::Obj(members) = &node { members.as_slice() } else { &[] };
            write_object(shape, members, &[], path, self.out, &mut self.warnings);
        }
        Ok(())
    }

    fn list(&mut self, item: &'static Kind, depth: usize, path: &Path<'_>) -> Result<(), JsonError> {
        self.parser.count()?;
        self.out.push('[');
        let mut goes_on = self.parser.enter(depth, b']')?;
        let mut index = 0;
        while goes_on {
            if index > 0 {
                self.out.push(',');
            }
            self.parser.white();
            let path = Path::Index(path, index);
            match self.parser.peek() {
                Some(b'{' | b'[') => drop(self.container(item, depth + 1, &path)?),
                Some(b'"') if matches!(item, Kind::Text) && self.plain_text() => {}
                _ => write_value(item, &self.parser.scalar()?, &path, self.out, &mut self.warnings),
            }
            index += 1;
            goes_on = self.parser.goes_on(b']')?;
        }
        self.out.push(']');
        Ok(())
    }

    /// Writes a text as it stands, if it has no escapes.
    #[inline]
    fn plain_text(&mut self) -> bool {
        self.parser.plain_string().is_some_and(|quoted| {
            self.out.push_str(quoted);
            true
        })
    }

    fn undocumented(&mut self, key: &Cow<'a, str>, depth: usize) -> Result<Node<'a>, JsonError> {
        self.unknown.push(',');
        let start = self.unknown.len();
        write_text(key, &mut self.unknown);
        self.pieces.push(Piece { field: None, range: start..self.unknown.len(), source: self.parser.at() });
        self.unknown.push(':');
        Ok(match self.parser.peek() {
            Some(byte @ (b'{' | b'[')) => {
                self.parser.copy(depth + 1, &mut self.unknown)?;
                if byte == b'{' { Node::Obj(Vec::new()) } else { Node::Arr(Vec::new()) }
            }
            _ => {
                let value = self.parser.scalar()?;
                value.write(&mut self.unknown);
                value
            }
        })
    }
}

fn null_of(field: &Field) -> &'static str {
    if field.never_null { "[]" } else { "null" }
}

/// 0 for a field that has none.
fn bit(at: usize) -> u64 {
    u32::try_from(at).ok().and_then(|at| 1u64.checked_shl(at)).unwrap_or(0)
}

/// Members mostly come in the order of the shape, with some left out.
fn position(fields: &[Field], key: &str, next: usize) -> Option<usize> {
    let later = fields.iter().enumerate().skip(next);
    later.chain(fields.iter().enumerate().take(next)).find(|(_, field)| field.name == key).map(|(at, _)| at)
}

#[cfg(test)]
mod tests;
