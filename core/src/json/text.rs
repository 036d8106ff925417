//! Strings as JSON writes them.

use std::borrow::Cow;
use std::fmt;

/// Writes a string or key of a tree: borrowed, it stood like this in a JSON text already.
#[allow(clippy::ptr_arg)] // Borrowed or owned is what this is about.
pub(crate) fn write_text(s: &Cow<'_, str>, out: &mut String) {
    match s {
        Cow::Borrowed(s) => {
            out.reserve(s.len() + 2);
            out.push('"');
            out.push_str(s);
            out.push('"');
        }
        Cow::Owned(s) => write_str(s, out),
    }
}

/// Writes a JSON string: only what JSON demands is escaped, everything else stays UTF-8.
pub(crate) fn write_str(s: &str, out: &mut String) {
    out.push('"');
    let mut rest = s;
    loop {
        let (plain, special) = rest.split_at(plain_run(rest.as_bytes()));
        out.push_str(plain);
        if special.is_empty() {
            break;
        }
        match special.as_bytes().first() {
            Some(b'"') => out.push_str("\\\""),
            Some(b'\\') => out.push_str("\\\\"),
            Some(b'\n') => out.push_str("\\n"),
            Some(b'\r') => out.push_str("\\r"),
            Some(b'\t') => out.push_str("\\t"),
            Some(0x08) => out.push_str("\\b"),
            Some(0x0c) => out.push_str("\\f"),
            Some(b) => {
                use fmt::Write;
                let _ = write!(out, "\\u{b:04x}");
            }
            None => {}
        }
        rest = special.get(1..).unwrap_or_default();
    }
    out.push('"');
}

/// Bytes that end a run of plain characters in a string.
#[inline]
const fn is_special(b: u8) -> bool {
    b < 0x20 || b == b'"' || b == b'\\'
}

/// How many bytes stand before the first special one (or the end), eight at a time: strings are most
/// of a reply.
#[inline]
pub(super) fn plain_run(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // The lowest flagged byte is always a true one; borrows only spoil the bytes above it.
    let has_zero = |v: u64| v.wrapping_sub(ONES) & !v & HIGH;
    let mut at = 0;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let v = u64::from_le_bytes(<[u8; 8]>::try_from(chunk).unwrap_or_default());
        let control = v.wrapping_sub(ONES * 0x20) & !v & HIGH;
        let special = control | has_zero(v ^ (ONES * b'"' as u64)) | has_zero(v ^ (ONES * b'\\' as u64));
        if special != 0 {
            return at + special.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    let rest = chunks.remainder();
    at + rest.iter().position(|b| is_special(*b)).unwrap_or(rest.len())
}

/// A quoted string whose control characters are escaped.
pub(super) fn escape_controls(quoted: &str) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(quoted.len() + 16);
    for c in quoted.chars() {
        if c < ' ' {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

/// Half a surrogate pair, as a cut emoji leaves it, is legal by JSON's grammar but no character; a
/// reply must not become unreadable by it. It becomes U+FFFD.
pub(super) fn mend_surrogates(quoted: &str) -> String {
    let unit = |text: &str| text.strip_prefix("\\u").and_then(|t| u16::from_str_radix(t.get(..4)?, 16).ok());
    let mut out = String::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some(at) = rest.find('\\') {
        let (plain, escape) = rest.split_at(at);
        out.push_str(plain);
        let following = escape.get(6..).and_then(unit);
        let (taken, text) = match unit(escape) {
            Some(0xd800..=0xdbff) if matches!(following, Some(0xdc00..=0xdfff)) => (12, None),
            Some(0xd800..=0xdfff) => (6, Some("\\ufffd")),
            Some(_) => (6, None),
            None => (2, None),
        };
        let taken = escape.char_indices().map(|(i, _)| i).find(|i| *i >= taken).unwrap_or(escape.len());
        let (escape, after) = escape.split_at(taken);
        out.push_str(text.unwrap_or(escape));
        rest = after;
    }
    out.push_str(rest);
    out
}
