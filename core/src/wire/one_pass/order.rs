//! What an object has besides the members that came: nulls, the order of the shape, and the undocumented members.

use std::collections::HashSet;

use super::{OnePass, Open, null_of};
use crate::json::Node;
use crate::wire::normalize::{MAX_FIELDS, write_currency};
use crate::wire::shape::{Field, Kind};

impl OnePass<'_, '_> {
    /// Writes the null of the fields up to one that has come.
    pub(super) fn pass_over(&mut self, open: &Open, to: usize) {
        for (at, field) in open.shape.fields.iter().enumerate().take(to).skip(open.next) {
            if at > 0 {
                self.out.push(',');
            }
            self.absent(open, field);
        }
    }

    fn absent(&mut self, open: &Open, field: &Field) {
        self.out.push_str(field.key);
        match field.kind {
            Kind::CurrencyOf(amount) => self.currency(open, amount),
            _ => self.out.push_str(null_of(field)),
        }
    }

    pub(super) fn currency(&mut self, open: &Open, amount: &str) {
        let at = open.shape.fields.iter().position(|field| field.name == amount);
        let mut pieces = self.pieces.iter().skip(open.pieces);
        let amount = pieces.find(|piece| piece.field.is_some() && piece.field == at);
        let text = amount.and_then(|piece| self.parser.string_at(piece.source));
        write_currency(text.map(Node::Str).as_ref(), self.out);
    }

    pub(super) fn has_unknown_twice(&self, open: &Open) -> bool {
        let pieces = || self.pieces.iter().skip(open.pieces).filter(|piece| piece.field.is_none());
        if pieces().nth(1).is_none() {
            return false;
        }
        // Equal keys are written equally.
        let mut keys = HashSet::new();
        pieces().any(|piece| !keys.insert(self.unknown.get(piece.range.clone())))
    }

    /// Writes what is left of an object whose members have all come.
    pub(super) fn end(&mut self, open: &Open) {
        if open.is_ordered {
            self.pass_over(open, open.shape.fields.len());
        } else {
            self.put_in_order(open);
        }
        let unknown = self.unknown.get(open.unknown..).unwrap_or_default();
        let is_first = open.shape.fields.is_empty();
        self.out.push_str(if is_first { unknown.strip_prefix(',').unwrap_or(unknown) } else { unknown });
        self.out.push('}');
    }

    fn put_in_order(&mut self, open: &Open) {
        let written = self.out.split_off(open.out);
        let mut places = [None; MAX_FIELDS];
        for piece in self.pieces.iter().skip(open.pieces) {
            if let Some(place) = piece.field.and_then(|at| places.get_mut(at)) {
                *place = Some(piece.range.start - open.out..piece.range.end - open.out).map(|r| (r.start, r.end));
            }
        }
        self.out.reserve(written.len() + 64);
        self.out.push('{');
        for (at, field) in open.shape.fields.iter().enumerate() {
            if at > 0 {
                self.out.push(',');
            }
            match places.get(at).copied().flatten() {
                Some((start, end)) => self.out.push_str(written.get(start..end).unwrap_or_default()),
                None => self.absent(open, field),
            }
        }
    }
}
