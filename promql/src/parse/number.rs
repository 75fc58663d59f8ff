//! Numbers and durations in the text: how far they reach, and what they are worth.
//!
//! [`scan`] follows Prometheus's scanner step by step, since its errors quote exactly what it had
//! read when it gave up: `.`, digits, `_` and an exponent in any sensible order, or hexadecimal
//! digits after `0x`; what it accepts may still be no number ([`value`] decides). A number that is
//! followed by a unit is a duration.

use tsdb::model::labels::Quoted;
use tsdb::model::number::parse_float;

use super::token::Token;

const DECIMAL: &[u8] = b"0123456789";
const HEXADECIMAL: &[u8] = b"0123456789abcdefABCDEF";

/// Reads over bytes, one set of allowed bytes at a time.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn sees(&self, set: &[u8]) -> bool {
        self.bytes.get(self.at).is_some_and(|byte| set.contains(byte))
    }

    fn accept(&mut self, set: &[u8]) -> bool {
        let accepted = self.sees(set);
        self.at += usize::from(accepted);
        accepted
    }

    fn accept_all(&mut self, set: &[u8]) {
        while self.accept(set) {}
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn sees_word(&self) -> bool {
        self.bytes.get(self.at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    }
}

/// The number or duration at the start of `text`, and its length in bytes; or the length of what
/// is neither.
pub(super) fn scan(text: &str) -> Result<(Token, usize), usize> {
    let mut cursor = Cursor { bytes: text.as_bytes(), at: 0 };
    let digits = if cursor.accept(b"0") && cursor.accept(b"xX") {
        cursor.accept(b"_");
        HEXADECIMAL
    } else {
        DECIMAL
    };
    if scan_digits(&mut cursor, digits) && !cursor.sees_word() {
        return Ok((Token::Number, cursor.at));
    }
    if scan_units(&mut cursor) {
        return Ok((Token::Duration, cursor.at));
    }
    Err(cursor.at)
}

/// Digits, a dot, underscores, an exponent: false as soon as they cannot be a number any more.
fn scan_digits(cursor: &mut Cursor<'_>, digits: &[u8]) -> bool {
    let (mut had_dot, mut had_exponent) = (false, false);
    cursor.accept(b".");
    cursor.accept(digits);
    loop {
        if cursor.accept(b".") {
            if had_dot || cursor.accept(b"_.") || digits == HEXADECIMAL {
                return false;
            }
            had_dot = true;
        } else if cursor.accept(b"eE") {
            if had_exponent {
                return false;
            }
            had_exponent = true;
            cursor.accept(b"+-");
            if cursor.accept(b"._eE") || cursor.is_at_end() {
                return false;
            }
        } else if cursor.accept(b"_") {
            if cursor.accept(b"._eE") || cursor.is_at_end() {
                return false;
            }
        } else if cursor.sees(digits) {
            cursor.accept_all(digits);
        } else {
            return true;
        }
    }
}

/// The unit of the digits before it, then more digits with units.
fn scan_units(cursor: &mut Cursor<'_>) -> bool {
    if !cursor.accept(b"smhdwy") {
        return false;
    }
    cursor.accept(b"s");
    while cursor.accept(DECIMAL) {
        cursor.accept_all(DECIMAL);
        if !cursor.accept(b"smhdw") {
            return false;
        }
        cursor.accept(b"s");
    }
    if cursor.sees_word() {
        cursor.at += 1;
        return false;
    }
    true
}

/// The value of a number's text as Go reads it: an integer with `0x`, `0o`, `0b` or a leading
/// zero (octal) if it is one and fits 64 bits, else a float; underscores may separate digits.
pub(super) fn value(text: &str) -> Result<f64, String> {
    let invalid = || failure(text, "invalid syntax");
    if text.contains('_') && !underscores_separate_digits(text) {
        return Err(invalid());
    }
    let digits: String;
    let digits = if text.contains('_') {
        digits = text.replace('_', "");
        &digits
    } else {
        text
    };
    if let Some(value) = integer(digits) {
        return Ok(value as f64);
    }
    if let Some(value) = parse_float(digits) {
        return Ok(value);
    }
    let too_large = digits.parse::<f64>().is_ok_and(f64::is_infinite);
    Err(if too_large { failure(text, "value out of range") } else { invalid() })
}

fn failure(text: &str, reason: &str) -> String {
    format!("error parsing number: strconv.ParseFloat: parsing {}: {reason}", Quoted(text))
}

fn integer(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let (radix, digits) = match bytes {
        [b'0', b'x' | b'X', ..] => (16, &text[2..]),
        [b'0', b'o' | b'O', ..] => (8, &text[2..]),
        [b'0', b'b' | b'B', ..] => (2, &text[2..]),
        [b'0', _, ..] => (8, &text[1..]),
        _ => (10, text),
    };
    if digits.starts_with(['+', '-']) { None } else { i64::from_str_radix(digits, radix).ok() }
}

/// Whether each underscore stands between digits or right after a base's prefix.
fn underscores_separate_digits(text: &str) -> bool {
    let hexadecimal = text.starts_with("0x") || text.starts_with("0X");
    let is_digit = |byte: u8| {
        if hexadecimal { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() }
    };
    let bytes = text.as_bytes();
    let is_digit_at =
        |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(|b| is_digit(*b));
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_').all(|(at, _)| {
        let after_prefix = hexadecimal && at == 2;
        (after_prefix || is_digit_at(at.checked_sub(1))) && is_digit_at(Some(at + 1))
    })
}
