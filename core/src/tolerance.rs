//! Deviations of an answer that cost nothing but a warning: one table. What is not in it stays unreadable, and a submit
//! answered so stays unknown.

/// One way in which an answer differs from plain JSON in UTF-8 over plain HTTP, and is read all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tolerance {
    /// The header announces another coding than the body has: none, gzip, zlib or deflate.
    ContentCoding,
    /// Bytes after a whole compressed body whose checksum is right.
    BytesAfterBody,
    /// UTF-16 with a byte order mark.
    Utf16,
    /// Bytes that are no UTF-8, as GBK or Latin-1 leaves them in texts; they become U+FFFD.
    Characters,
    /// Control characters in strings, which JSON wants escaped.
    ControlCharacters,
    /// `NaN`, `Infinity`: null.
    NotANumber,
    /// White space, NULs or a comment after the first whole object.
    AfterObject,
}

impl Tolerance {
    /// The code of the warning.
    pub fn code(self) -> &'static str {
        match self {
            Tolerance::ContentCoding => "content_coding",
            Tolerance::BytesAfterBody | Tolerance::AfterObject => "trailing_bytes",
            Tolerance::Utf16 | Tolerance::Characters => "charset",
            Tolerance::ControlCharacters => "control_characters",
            Tolerance::NotANumber => "not_a_number",
        }
    }

    /// The message of the warning.
    pub fn message(self) -> &'static str {
        match self {
            Tolerance::ContentCoding => "the body is not coded as its Content-Encoding says; it was read as it is",
            Tolerance::BytesAfterBody => "bytes follow the compressed body; they were ignored",
            Tolerance::Utf16 => "the answer is UTF-16, not UTF-8",
            Tolerance::Characters => "the answer has bytes that are not UTF-8; they became U+FFFD",
            Tolerance::ControlCharacters => "a string has control characters that JSON does not allow",
            Tolerance::NotANumber => "a value that is not a number was read as null",
            Tolerance::AfterObject => "something that is no JSON follows the object; it was ignored",
        }
    }
}
