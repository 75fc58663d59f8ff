//! The text that names a series: `name{label="value",…}` or `{"name",label="value",…}`.
//!
//! One grammar serves twice: when a page is read it is checked, when somebody wants the labels it
//! is walked again and decoded. The text format allows blanks between all parts and commas to be
//! left out; OpenMetrics allows neither, and no line break in a value.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::error::quote;
use super::{Format, ParseError};

/// Name and labels of a series as they stand on a page; checked, not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Series<'p>(pub(super) &'p [u8]);

impl<'p> Series<'p> {
    /// The bytes as they are written.
    pub fn bytes(self) -> &'p [u8] {
        self.0
    }

    /// The metric's name (empty if it is written as `""`) and the labels in the page's order.
    pub fn decode(self) -> (Cow<'p, str>, Vec<Label<'p>>) {
        decode(self.0)
    }
}

/// A label of a page, decoded: name and value, which may be empty.
pub type Label<'p> = (Cow<'p, str>, Cow<'p, str>);

/// Decodes the text of a series that a parser returned earlier.
pub fn decode(text: &[u8]) -> (Cow<'_, str>, Vec<Label<'_>>) {
    let (mut name, mut labels) = (Cow::Borrowed(""), Vec::new());
    let visited = scan(&mut Cursor::new(text), Format::Text, &mut |part| match part {
        Part::Name(raw) => name = unescape(raw, true),
        Part::Label(name, value) => labels.push((unescape(name, true), unescape(value, true))),
    });
    debug_assert!(visited.is_ok(), "BUG: a checked series does not decode: {visited:?}");
    (name, labels)
}

/// Resolves `\\`, `\n` and, if `quotes`, `\"`; every other backslash is itself.
pub fn unescape(raw: &str, quotes: bool) -> Cow<'_, str> {
    if !raw.contains('\\') {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let (c, length) = match after.as_bytes().first() {
            Some(b'\\') => ('\\', 1),
            Some(b'n') => ('\n', 1),
            Some(b'"') if quotes => ('"', 1),
            _ => ('\\', 0),
        };
        out.push(c);
        rest = &after[length..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// A part of a series, escapes included.
pub(super) enum Part<'p> {
    Name(&'p str),
    Label(&'p str, &'p str),
}

/// Reads a series and shows its parts to `visit`.
pub(super) fn scan<'p>(
    cursor: &mut Cursor<'p>,
    format: Format,
    visit: &mut impl FnMut(Part<'p>),
) -> Result<(), ParseError> {
    let name = cursor.take_name(true);
    let mut named = !name.is_empty();
    if named {
        visit(Part::Name(utf8(cursor, name, "metric name")?));
    }
    let before_blanks = cursor.position();
    if format == Format::Text {
        cursor.skip_blanks();
    }
    if cursor.eat(b"{") {
        return braces(cursor, format, Some(&mut named), visit);
    }
    // The blanks belong to what follows.
    cursor.rewind(before_blanks);
    Ok(())
}

/// Reads what is in braces, the opening one being consumed. `named` says whether there is a
/// metric name already; `None`: there can be none (exemplars).
pub(super) fn braces<'p>(
    cursor: &mut Cursor<'p>,
    format: Format,
    mut named: Option<&mut bool>,
    visit: &mut impl FnMut(Part<'p>),
) -> Result<(), ParseError> {
    let blanks = |cursor: &mut Cursor<'_>| {
        if format == Format::Text {
            cursor.skip_blanks();
        }
    };
    loop {
        blanks(cursor);
        if cursor.eat(b"}") {
            break;
        }
        let from = cursor.position();
        let (name, quoted) = label_name(cursor, format)?;
        blanks(cursor);
        if quoted && matches!(cursor.peek(), Some(b',' | b'}')) {
            match named.as_deref_mut() {
                None => return Err(cursor.expected("equal")),
                Some(true) => return Err(cursor.invalid(from, "metric name already set")),
                Some(named) => *named = true,
            }
            visit(Part::Name(name));
            cursor.eat(b",");
            continue;
        }
        if !cursor.eat(b"=") {
            return Err(cursor.expected("equal"));
        }
        blanks(cursor);
        let Some(value) = cursor.take_quoted(format == Format::OpenMetrics) else {
            return Err(cursor.expected("label value"));
        };
        visit(Part::Label(name, utf8(cursor, value, "label value")?));
        blanks(cursor);
        let comma = cursor.eat(b",");
        if !comma && format == Format::OpenMetrics && cursor.peek() != Some(b'}') {
            return Err(cursor.expected("comma or brace close"));
        }
    }
    match named {
        Some(false) => Err(cursor.invalid(cursor.position(), "metric name not set")),
        _ => Ok(()),
    }
}

fn label_name<'p>(cursor: &mut Cursor<'p>, format: Format) -> Result<(&'p str, bool), ParseError> {
    if let Some(quoted) = cursor.take_quoted(format == Format::OpenMetrics) {
        return Ok((utf8(cursor, quoted, "label name")?, true));
    }
    match cursor.take_name(false) {
        [] => Err(cursor.expected("label name")),
        name => Ok((utf8(cursor, name, "label name")?, false)),
    }
}

pub(super) fn utf8<'p>(
    cursor: &Cursor<'p>,
    bytes: &'p [u8],
    what: &str,
) -> Result<&'p str, ParseError> {
    std::str::from_utf8(bytes)
        .map_err(|_| cursor.error(format!("invalid UTF-8 {what}: {}", quote(bytes))))
}
