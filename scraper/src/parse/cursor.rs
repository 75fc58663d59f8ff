//! A place on a page, and the small steps that both formats are read with.

use super::ParseError;
use super::error::quote;

/// A place on a page.
pub(super) struct Cursor<'p> {
    page: &'p [u8],
    /// The next byte to read.
    at: usize,
    /// Where the current entry begins.
    start: usize,
}

impl<'p> Cursor<'p> {
    pub(super) fn new(page: &'p [u8]) -> Self {
        Self { page, at: 0, start: 0 }
    }

    /// Says that an entry begins here.
    pub(super) fn begin(&mut self) {
        self.start = self.at;
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn rest(&self) -> &'p [u8] {
        &self.page[self.at..]
    }

    /// What lies between `from` and here.
    pub(super) fn since(&self, from: usize) -> &'p [u8] {
        &self.page[from..self.at]
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.page.get(self.at).copied()
    }

    /// Goes `count` bytes on; there must be that many.
    pub(super) fn advance(&mut self, count: usize) {
        self.at += count;
    }

    /// Goes back to a place where it was before.
    pub(super) fn rewind(&mut self, position: usize) {
        self.at = position;
    }

    /// Consumes `text` if it comes next.
    pub(super) fn eat(&mut self, text: &[u8]) -> bool {
        let found = self.rest().starts_with(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    /// Consumes bytes as long as `wanted` holds.
    pub(super) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'p [u8] {
        let rest = self.rest();
        let length = rest.iter().position(|b| !wanted(*b)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Consumes spaces and tabs.
    pub(super) fn skip_blanks(&mut self) {
        while let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Consumes up to the end of the line, which stays.
    pub(super) fn take_line(&mut self) -> &'p [u8] {
        let rest = self.rest();
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Consumes a name: a letter, `_` (or `:` in metric names), then digits too. Empty if none.
    pub(super) fn take_name(&mut self, colons: bool) -> &'p [u8] {
        if self.peek().is_some_and(|b| b.is_ascii_digit()) {
            return &[];
        }
        self.take_while(|b| b.is_ascii_alphanumeric() || b == b'_' || (colons && b == b':'))
    }

    /// Consumes a text in double quotes and returns what is between them, escapes included.
    /// `None` (and nothing consumed) if the closing quote is missing, or a line ends before it
    /// although `one_line` is wanted.
    pub(super) fn take_quoted(&mut self, one_line: bool) -> Option<&'p [u8]> {
        let inside = self.rest().strip_prefix(b"\"")?;
        let mut end = 0;
        loop {
            end += memchr::memchr2(b'"', b'\\', &inside[end..])?;
            if inside[end] == b'"' {
                break;
            }
            // A backslash takes the next character with it, but no line break.
            if inside.get(end + 1).is_none_or(|b| *b == b'\n') {
                return None;
            }
            end += 2;
        }
        if one_line && memchr::memchr(b'\n', &inside[..end]).is_some() {
            return None;
        }
        self.at += end + 2;
        Some(&inside[..end])
    }

    /// `expected …, got … while parsing: …`, at this place.
    pub(super) fn expected(&self, what: &str) -> ParseError {
        let got = match self.peek() {
            None => "the end of the page".to_owned(),
            Some(_) => quote(first_char(self.rest())),
        };
        let end = (self.at + first_char(self.rest()).len()).min(self.page.len());
        let text = &self.page[self.start..end];
        self.error(format!("expected {what}, got {got} while parsing: {}", quote(text)))
    }

    /// `message while parsing: …`, at byte `at` of the page.
    pub(super) fn invalid(&self, at: usize, message: &str) -> ParseError {
        let text = &self.page[self.start..self.at];
        ParseError::at(self.page, at, format!("{message} while parsing: {}", quote(text)))
    }

    /// An error at this place.
    pub(super) fn error(&self, message: String) -> ParseError {
        ParseError::at(self.page, self.at, message)
    }
}

/// The first character, or the first byte if that is no UTF-8.
fn first_char(bytes: &[u8]) -> &[u8] {
    let length = match bytes.first() {
        None => 0,
        Some(0xc0..0xe0) => 2,
        Some(0xe0..0xf0) => 3,
        Some(0xf0..0xf8) => 4,
        Some(_) => 1,
    };
    match bytes.get(..length) {
        Some(text) if std::str::from_utf8(text).is_ok() => text,
        _ => &bytes[..bytes.len().min(1)],
    }
}
