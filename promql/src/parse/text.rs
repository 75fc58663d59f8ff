//! Quoted texts: `"…"` and `'…'` with Go's escapes, `` `…` `` without any.
//!
//! [`scan`] finds the end of a text and refuses bad escapes, so that [`unquote`] only has to
//! translate. A text of escapes that are not UTF-8 together (`"\xff"`) is refused: no label in
//! the store can hold it.

use super::error::{Failure, Parsed};
use super::token::Lexeme;

/// Length in bytes of the quoted text that `text` starts with; or why there is none.
pub(super) fn scan(text: &str) -> Result<usize, String> {
    let mut chars = text.char_indices();
    let quote = chars.next().map_or('"', |(_, quote)| quote);
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => return Ok(at + c.len_utf8()),
            '\u{fffd}' => return Err("invalid UTF-8 rune".to_owned()),
            '\n' if quote != '`' => break,
            '\\' if quote != '`' => {
                let length = escape(&text[at + 1..], quote)?.1;
                // Escapes are ASCII, so bytes are characters.
                for _ in 0..length {
                    chars.next();
                }
            }
            _ => {}
        }
    }
    let kind = if quote == '`' { "raw" } else { "quoted" };
    Err(format!("unterminated {kind} string"))
}

/// What an escape stands for.
enum Escaped {
    Char(char),
    Byte(u8),
}

/// Reads the escape after a backslash: what it stands for and its length.
fn escape(text: &str, quote: char) -> Result<(Escaped, usize), String> {
    let Some(c) = text.chars().next() else { return Err(not_terminated()) };
    let simple = match c {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' => '\\',
        _ if c == quote => quote,
        '0'..='7' => return coded(text, 0, 3, 8),
        'x' => return coded(text, 1, 2, 16),
        'u' => return coded(text, 1, 4, 16),
        'U' => return coded(text, 1, 8, 16),
        _ => return Err(format!("unknown escape sequence {}", rune(c))),
    };
    Ok((Escaped::Char(simple), 1))
}

/// `length` digits from `start` on: a code point, or a byte for octal and `\x`.
fn coded(text: &str, start: usize, length: usize, radix: u32) -> Result<(Escaped, usize), String> {
    let mut code = 0_u32;
    let mut chars = text[start..].chars();
    for _ in 0..length {
        let c = chars.next().ok_or_else(not_terminated)?;
        let digit = c.to_digit(radix);
        let digit =
            digit.ok_or_else(|| format!("illegal character {} in escape sequence", rune(c)))?;
        code = code.wrapping_mul(radix).wrapping_add(digit);
    }
    let escaped = if length < 4 {
        u8::try_from(code).ok().map(Escaped::Byte)
    } else {
        char::from_u32(code).map(Escaped::Char)
    };
    let escaped = escaped.ok_or("escape sequence is an invalid Unicode code point")?;
    Ok((escaped, start + length))
}

fn not_terminated() -> String {
    "escape sequence not terminated".to_owned()
}

/// A character as Go's `%#U` shows it.
fn rune(c: char) -> String {
    format!("U+{:04X} '{c}'", c as u32)
}

/// The text inside a quoted lexeme, escapes replaced.
pub(super) fn unquote(lexeme: Lexeme, all: &str) -> Parsed<String> {
    let quoted = lexeme.text(all);
    let inner = &quoted[1..quoted.len() - 1];
    if quoted.starts_with('`') || !inner.contains('\\') {
        return Ok(inner.to_owned());
    }
    let quote = if quoted.starts_with('\'') { '\'' } else { '"' };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let (escaped, length) =
            escape(&rest[at + 1..], quote).map_err(|e| Failure::new(lexeme.span(), e))?;
        match escaped {
            Escaped::Byte(byte) => bytes.push(byte),
            Escaped::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = &rest[at + 1 + length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).map_err(|_| {
        Failure::new(lexeme.span(), format!("error unquoting string {quoted}: invalid UTF-8"))
    })
}

/// A character as Go's `%q` shows it; the end of the text counts as U+FFFD.
pub(super) fn quote_char(c: Option<char>) -> String {
    match c.unwrap_or('\u{fffd}') {
        '\'' => "'\\''".to_owned(),
        '"' => "'\"'".to_owned(),
        c => {
            let quoted = tsdb::model::labels::Quoted(c.encode_utf8(&mut [0; 4])).to_string();
            format!("'{}'", &quoted[1..quoted.len() - 1])
        }
    }
}
