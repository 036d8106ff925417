//! From the bytes of an answer to its JSON: strict first, then with what [`Tolerance`] lists.

use std::borrow::Cow;

use crate::json::{JsonError, Node, Parser, Tolerant};
use crate::tolerance::Tolerance;

/// The text of an answer in every reading that is tried, the likeliest first.
pub(crate) struct Texts<'a> {
    readings: Vec<Cow<'a, str>>,
    tolerated: Option<Tolerance>,
}

impl<'a> Texts<'a> {
    pub fn of(bytes: &'a [u8]) -> Texts<'a> {
        let (bytes, utf16) = match bytes {
            [0xef, 0xbb, 0xbf, rest @ ..] => (rest, None),
            [0xff, 0xfe, rest @ ..] => (rest, Some(u16::from_le_bytes as fn([u8; 2]) -> u16)),
            [0xfe, 0xff, rest @ ..] => (rest, Some(u16::from_be_bytes as fn([u8; 2]) -> u16)),
            _ => (bytes, None),
        };
        if let Some(unit) = utf16 {
            let (pairs, odd) = bytes.as_chunks::<2>();
            let mut text = String::from_utf16_lossy(&pairs.iter().map(|pair| unit(*pair)).collect::<Vec<_>>());
            text.extend((!odd.is_empty()).then_some('\u{fffd}'));
            return Texts { readings: vec![text.into()], tolerated: Some(Tolerance::Utf16) };
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Texts { readings: vec![text.into()], tolerated: None },
            Err(_) => Texts {
                readings: vec![String::from_utf8_lossy(bytes), double_bytes(bytes).into()],
                tolerated: Some(Tolerance::Characters),
            },
        }
    }

    /// The first reading that is JSON, and what was tolerated for it. What follows an object is ignored only if it is
    /// white space, NULs or a comment: never a second value.
    pub fn parse(&'a self) -> Option<(Node<'a>, Vec<Tolerance>)> {
        self.read(|parser| parser.value(0))
    }

    /// The same; `value` reads the value, possibly several times.
    pub fn read<T>(
        &'a self,
        mut value: impl FnMut(&mut Parser<'a>) -> Result<T, JsonError>,
    ) -> Option<(T, Vec<Tolerance>)> {
        let mut attempt = |mut parser: Parser<'a>| Ok::<_, JsonError>((value(&mut parser)?, parser.end()?));
        self.readings.iter().find_map(|text| {
            let mut tolerated: Vec<Tolerance> = self.tolerated.into_iter().collect();
            if let Ok((value, _)) = attempt(Parser::strict(text)) {
                return Some((value, tolerated));
            }
            let (value, found) = attempt(Parser::tolerant(text)).ok()?;
            let Tolerant { control_characters, not_a_number, after } = found;
            let all = [
                (control_characters, Tolerance::ControlCharacters),
                (not_a_number, Tolerance::NotANumber),
                (after, Tolerance::AfterObject),
            ];
            tolerated.extend(all.into_iter().filter(|(is_found, _)| *is_found).map(|(_, tolerance)| tolerance));
            Some((value, tolerated))
        })
    }
}

/// As GBK, Big5 and Shift JIS write characters: a first byte from 0x81, and a second one that may be a letter or a
/// backslash. Each pair becomes U+FFFD.
fn double_bytes(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 2);
    let mut rest = bytes;
    loop {
        rest = match rest {
            [0x81..=0xfe, 0x40..=0x7e | 0x80..=0xfe, rest @ ..] => {
                out.extend_from_slice("\u{fffd}".as_bytes());
                rest
            }
            [byte, rest @ ..] => {
                out.push(*byte);
                rest
            }
            [] => break,
        };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Option<(String, Vec<Tolerance>)> {
        let texts = Texts::of(bytes);
        let (node, tolerated) = texts.parse()?;
        let mut text = String::new();
        node.write(&mut text);
        Some((text, tolerated))
    }

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(bytes).collect()
    }

    #[test]
    fn each_tolerance_is_read_and_named() {
        let plain = r#"{"status":0,"msg":"é"}"#;
        for (bytes, text, tolerated) in [
            (plain.as_bytes().to_vec(), plain, vec![]),
            ([b"\xef\xbb\xbf", plain.as_bytes()].concat(), plain, vec![]),
            (utf16(plain, u16::to_le_bytes), plain, vec![Tolerance::Utf16]),
            (utf16(plain, u16::to_be_bytes), plain, vec![Tolerance::Utf16]),
            (b"{\"msg\":\"caf\xe9\"}".to_vec(), "{\"msg\":\"caf\u{fffd}\"}", vec![Tolerance::Characters]),
            // GBK, where the second byte of a character is a backslash before the quote.
            (
                b"{\"msg\":\"\xd5\x5c\",\"status\":0}".to_vec(),
                "{\"msg\":\"\u{fffd}\",\"status\":0}",
                vec![Tolerance::Characters],
            ),
            (b"{\"msg\":\"a\x01\tb\\n\"}".to_vec(), r#"{"msg":"a\u0001\tb\n"}"#, vec![Tolerance::ControlCharacters]),
            (
                b"{\"a\":NaN,\"b\":[-Infinity,inf]}".to_vec(),
                r#"{"a":null,"b":[null,null]}"#,
                vec![Tolerance::NotANumber],
            ),
            (b"{\"a\":1}\0\0".to_vec(), r#"{"a":1}"#, vec![Tolerance::AfterObject]),
            (b"{\"a\":1}\n<!-- cached -->\n".to_vec(), r#"{"a":1}"#, vec![Tolerance::AfterObject]),
            (b"{\"a\":1} /* by node 7 */ // end".to_vec(), r#"{"a":1}"#, vec![Tolerance::AfterObject]),
            (b"{\"a\":\"\\ud83d\"}".to_vec(), "{\"a\":\"\u{fffd}\"}", vec![]),
        ] {
            assert_eq!(read(&bytes), Some((text.to_owned(), tolerated)), "{:?}", String::from_utf8_lossy(&bytes));
        }
    }

    #[test]
    fn a_second_value_or_what_stands_before_makes_it_unreadable() {
        for text in [
            r#"{"status":0}{"status":1}"#,
            r#"{"status":0} {"#,
            r#"{"status":0}, null"#,
            r#"{"status":0} 1"#,
            r#"{"status":0}<html></html>"#,
            r#"{"status":0} /* no end"#,
            r#"{"status":0} <!-- no end"#,
            r#"<html></html>{"status":0}"#,
            r#"callback({"status":0})"#,
            r#"{"status":0"#,
            r#"{"status":0,}"#,
            r#"{status:0}"#,
            r#"{'status':0}"#,
            "",
        ] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_json_is_read_as_json_and_no_bytes_panic(bytes in any::<Vec<u8>>(), text in r#"[\[\]{}",:0-9NaN \\/*<!>-]{0,20}"#) {
            read(&bytes);
            if let Ok(node) = Node::parse(&text) {
                let mut strict = String::new();
                node.write(&mut strict);
                prop_assert_eq!(read(text.as_bytes()), Some((strict, vec![])));
            }
        }
    }
}
