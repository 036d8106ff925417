//! What a tolerant reading passes over although JSON does not allow it.

use super::{JsonError, Parser};

impl Parser<'_> {
    /// Skips `NaN` or an infinity, in any case and with a sign, in a tolerant reading.
    pub(super) fn is_not_a_number(&mut self) -> bool {
        let Some(tolerant) = &mut self.tolerant else { return false };
        let rest = self.text.get(self.at..).unwrap_or_default();
        let unsigned = rest.strip_prefix(['-', '+']).unwrap_or(rest);
        let length = unsigned.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let word = unsigned.get(..length).unwrap_or_default();
        if !["nan", "inf", "infinity"].iter().any(|name| word.eq_ignore_ascii_case(name)) {
            return false;
        }
        tolerant.not_a_number = true;
        self.at += rest.len() - unsigned.len() + length;
        true
    }

    /// Skips white space, NULs and whole comments up to the end; gives whether there was more than JSON allows.
    pub(super) fn skip_comments(&mut self) -> Result<bool, JsonError> {
        self.white();
        let after = self.peek().is_some();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let rest_after =
                rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '\0' | '\u{feff}' | '\u{1a}'));
            self.at += rest.len() - rest_after.len();
            let comment = [("/*", "*/"), ("<!--", "-->"), ("//", "\n")];
            let Some((begin, end)) = comment.into_iter().find(|(begin, _)| rest_after.starts_with(begin)) else {
                break;
            };
            let inside = rest_after.get(begin.len()..).unwrap_or_default();
            match inside.find(end) {
                Some(at) => self.at += begin.len() + at + end.len(),
                None if end == "\n" => self.at += rest_after.len(),
                None => return Err(self.error("a comment has no end")),
            }
        }
        match self.peek() {
            None => Ok(after),
            Some(_) => Err(self.error("something follows the value")),
        }
    }
}
