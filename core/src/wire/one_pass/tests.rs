//! The tree is the oracle: random objects along every shape, written both ways.

use proptest::prelude::*;

use super::both_ways::{SKIP, at_once, through_a_tree};
use super::*;
use crate::contract::operation::OPERATIONS;
use crate::wire::all_messages;
use crate::wire::normalize::MAX_FIELDS;

/// Writes random JSON along a shape. `odd` of a thousand decisions are for something unusual.
struct Author {
    state: u64,
    odd: u64,
    out: String,
}

impl Author {
    fn below(&mut self, limit: u64) -> u64 {
        self.state = self.state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.state >> 33) % limit
    }

    fn is_odd(&mut self) -> bool {
        self.below(1000) < self.odd
    }

    fn one<'t>(&mut self, texts: &[&'t str]) -> &'t str {
        texts[self.below(texts.len() as u64) as usize]
    }

    fn white(&mut self) {
        if self.is_odd() {
            let white = self.one(&[" ", "\n", "\t ", "\r\n"]);
            self.out.push_str(white);
        }
    }

    fn key(&mut self, key: &str) {
        self.white();
        match key.split_at_checked(1) {
            Some((first, rest)) if self.is_odd() && first.is_ascii() => {
                let code = first.as_bytes()[0];
                self.out.push_str(&format!("\"\\u{code:04x}{rest}\""));
            }
            _ => self.out.push_str(&format!("\"{key}\"")),
        }
        self.white();
        self.out.push(':');
        self.white();
    }

    fn object(&mut self, shape: &Shape, depth: usize) {
        let mut order: Vec<(&str, Option<&Kind>)> = Vec::new();
        for field in shape.fields {
            if self.below(8) > 0 {
                order.push((field.name, Some(&field.kind)));
            }
            for alias in field.aliases {
                if self.below(3) == 0 {
                    order.push((alias, Some(&field.kind)));
                }
            }
        }
        if self.is_odd() {
            order.push((self.one(SKIP), Some(&Kind::Any)));
        }
        for _ in 0..self.below(3) {
            order.push((self.one(&["other", "a", "b", "é", "x/y~z"]), None));
        }
        // Mostly in the order of the shape.
        for _ in 0..order.len() {
            if self.is_odd() {
                let (from, to) = (self.below(order.len() as u64) as usize, self.below(order.len() as u64) as usize);
                let moved = order.remove(from);
                order.insert(to, moved);
            }
            if self.is_odd() && self.below(4) == 0 {
                order.push(order[self.below(order.len() as u64) as usize]);
            }
        }
        self.out.push('{');
        for (i, (key, kind)) in order.into_iter().enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            self.key(key);
            self.value(kind.unwrap_or(&Kind::Any), depth + 1);
            self.white();
        }
        self.out.push('}');
    }

    fn value(&mut self, kind: &Kind, depth: usize) {
        if self.is_odd() {
            return self.anything(depth);
        }
        match kind {
            Kind::Object(shape) => self.object(shape, depth),
            Kind::List(item) => {
                self.out.push('[');
                for i in 0..self.below(if depth > 3 { 2 } else { 4 }) {
                    if i > 0 {
                        self.out.push(',');
                    }
                    self.value(item, depth + 1);
                }
                self.out.push(']');
            }
            Kind::Any => self.anything(depth),
            _ => {
                let text = self.one(&[
                    "null",
                    "\"\"",
                    "true",
                    "0",
                    "17",
                    "-3.50",
                    "\"48.00 USD\"",
                    "\"480 CNY\"",
                    "\"A|B\"",
                    "\"20260401\"",
                    "\"2026-03-02T08:00:00Z\"",
                    "\"caf\\u00e9\"",
                    "\"Doe\"",
                ]);
                self.out.push_str(text);
            }
        }
    }

    fn anything(&mut self, depth: usize) {
        match self.below(if depth > 5 { 6 } else { 10 }) {
            0 => self.out.push_str("NaN"),
            1 => self.out.push_str("\"a\tb\""),
            2 => self.out.push_str("-1e5"),
            3 => self.out.push_str("\"\\ud83d \\n\""),
            4 => self.out.push_str("[]"),
            5 => self.out.push_str("null"),
            6 | 7 => {
                self.out.push('[');
                self.anything(depth + 1);
                self.out.push_str(" ,");
                self.anything(depth + 1);
                self.out.push(']');
            }
            _ => {
                self.out.push('{');
                self.key("orderNo");
                self.anything(depth + 1);
                self.out.push(',');
                self.key("z");
                self.anything(depth + 1);
                self.out.push('}');
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_written_at_once_is_what_a_tree_gives(seed in any::<u64>(), odd in 0u64..80, cut in 0usize..40) {
        let shapes: Vec<&'static Shape> = all_messages().chain(OPERATIONS.iter().map(|op| op.reply)).collect();
        let mut author = Author { state: seed, odd, out: String::new() };
        let shape = shapes[author.below(shapes.len() as u64) as usize];
        author.object(shape, 0);
        let mut text = author.out;
        // Some texts end too early, or go on.
        if cut == 0 {
            text.truncate(text.floor_char_boundary(text.len() * (seed % 100) as usize / 100));
        } else if cut == 1 {
            text.push_str(" /* end */");
        } else if cut == 2 {
            text.push('}');
        }
        let tree = through_a_tree(shape, text.as_bytes());
        let written = at_once(shape, text.as_bytes()).map(|(written, _)| written);
        prop_assert_eq!(written, tree, "{} {}", shape.name, text);
    }
}

fn shape_of(operation: &str) -> &'static Shape {
    OPERATIONS.iter().find(|op| op.name == operation).unwrap().reply
}

/// Whether the root of a body is written at once; the result is that of the tree.
#[track_caller]
fn is_at_once(operation: &str, body: &str) -> bool {
    let shape = shape_of(operation);
    let (written, is_at_once) = at_once(shape, body.as_bytes()).unwrap();
    assert_eq!(Some(written), through_a_tree(shape, body.as_bytes()), "{body}");
    is_at_once
}

#[test]
fn only_a_key_that_comes_twice_needs_a_tree() {
    for (body, expected) in [
        (r#"{"status":0,"orders":[],"page":1}"#, true),
        (r#"{"other":{"a":1,"a":2},"status":"0","orders":{"depDate":"20260401"},"page":1}"#, true),
        (r#"{"orders":[{"travelStartDate":"20260401","orderNo":"A"}],"x":1,"y":2}"#, true),
        (r#"{"orders":[{"travelStartDate":"20260401","depDate":"20260402","pnrCode":"A","pnrCode":"B"}]}"#, true),
        (r#"{"page":1,"orders":[],"page":2}"#, false),
        (r#"{"status":0,"orders":[],"status":0}"#, false),
        (r#"{"x":1,"y":2,"x":3}"#, false),
        (r#"{"x":1,"\u0078":3}"#, false),
    ] {
        assert_eq!(is_at_once("orderList", body), expected, "{body}");
    }
}

#[test]
fn a_currency_follows_its_amount_in_any_order() {
    for rule in [
        r#"{"penaltyAmount":"48.00 USD","airlineFee":"1 EUR"}"#,
        r#"{"penaltyCurrency":null,"airlineFee":"1 EUR","penaltyAmount":"48.00 USD"}"#,
        r#"{"penaltyCurrency":"CNY","penaltyAmount":"48.00 USD","airline":"ZZ"}"#,
        r#"{"refundMethod":"Voucher","penaltyAmount":"48.00\u0020USD"}"#,
    ] {
        assert!(is_at_once("queryRefundOrders", &format!(r#"{{"refundOrders":[{{"refundRules":[{rule}]}}]}}"#)));
    }
}

/// A warning for every element, and the members in the reverse order: the first ones of the shape's order stay.
#[test]
fn the_first_warnings_stay() {
    let shape = shape_of("orderList");
    let many = |value: &str| vec![format!(r#"{{"pnrCode":{value}}}"#); 60].join(",");
    let body = format!(r#"{{"orders":[{}],"totalRecords":[1],"pageSize":{{}},"page":[]}}"#, many("[]"));
    let (written, is_at_once) = at_once(shape, body.as_bytes()).unwrap();
    assert!(is_at_once);
    assert_eq!(written.1.len(), MAX_WARNINGS);
    assert_eq!(
        written.1.iter().take(4).map(|w| w.path.as_str()).collect::<Vec<_>>(),
        ["/page", "/pageSize", "/totalRecords", "/orders/0/pnrCode"]
    );
    assert_eq!(Some(written), through_a_tree(shape, body.as_bytes()));
}

#[test]
fn every_shape_fits() {
    for shape in all_messages() {
        assert!(shape.fields.len() <= MAX_FIELDS, "{}", shape.name);
        for (at, field) in shape.fields.iter().enumerate() {
            // A currency is written when a later field has come: its amount has to stand before it.
            let Kind::CurrencyOf(amount) = field.kind else { continue };
            assert!(shape.fields.iter().take(at).any(|f| f.name == amount), "{}.{}", shape.name, field.name);
        }
    }
}
