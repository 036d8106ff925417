//! A cursor over the core's own JSON, which is compact and well formed. None stands for what it does not read: escapes,
//! or a text that is not of that kind.

pub(crate) struct Scan<'s> {
    text: &'s str,
    at: usize,
}

impl<'s> Scan<'s> {
    pub(crate) fn new(text: &'s str) -> Scan<'s> {
        Scan { text, at: 0 }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    fn rest(&self) -> &'s [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// Takes the byte if it is next.
    pub(crate) fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// Takes the text if it is next.
    pub(crate) fn takes_text(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text.as_bytes());
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    pub(crate) fn expect(&mut self, byte: u8) -> Option<()> {
        self.takes(byte).then_some(())
    }

    /// After an element: whether its container ends.
    pub(crate) fn ends(&mut self, close: u8) -> Option<bool> {
        if self.takes(close) {
            return Some(true);
        }
        self.expect(b',').map(|()| false)
    }

    /// A string without escapes.
    pub(crate) fn text(&mut self) -> Option<&'s str> {
        self.expect(b'"')?;
        let start = self.at;
        let length = self.rest().iter().position(|b| *b == b'"' || *b == b'\\')?;
        self.at += length;
        self.expect(b'"')?;
        self.text.get(start..start + length)
    }

    /// A number, true, false or null.
    pub(crate) fn word(&mut self) -> Option<&'s str> {
        let start = self.at;
        let rest = self.rest();
        self.at += rest.iter().position(|b| matches!(b, b',' | b']' | b'}')).unwrap_or(rest.len());
        self.text.get(start..self.at)
    }

    fn skip_string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        loop {
            self.at += self.rest().iter().position(|b| *b == b'"' || *b == b'\\')?;
            if self.takes(b'"') {
                return Some(());
            }
            self.at += 2;
        }
    }

    /// Passes over a value.
    pub(crate) fn skip(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.peek()? {
                b'"' => self.skip_string()?,
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    self.at += 1;
                }
                b',' | b':' => self.at += 1,
                _ => {
                    self.word()?;
                }
            }
            if depth == 0 {
                return Some(());
            }
        }
    }

    /// Goes to the value of a key of the object that begins here; false without such a key. A key that is written with
    /// escapes is not found.
    pub(crate) fn find(&mut self, name: &str) -> Option<bool> {
        self.expect(b'{')?;
        if self.takes(b'}') {
            return Some(false);
        }
        loop {
            let start = self.at + 1;
            self.skip_string()?;
            let key = self.text.get(start..self.at - 1)?;
            self.expect(b':')?;
            if key == name {
                return Some(true);
            }
            self.skip()?;
            if self.ends(b'}')? {
                return Some(false);
            }
        }
    }
}
