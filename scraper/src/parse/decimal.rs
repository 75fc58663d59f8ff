//! Floats as pages write them, as fast as exactness allows.
//!
//! Nearly all have at most 15 digits and a small exponent. Such a number is a whole one below 2^53
//! times or by a power of ten below 10^23: both are exact, hence so is the one rounding of the
//! product or quotient (Clinger's fast path). All others are left to the standard library.

use tsdb::model::number::parse_float;

/// Most digits, leading zeros included, of a whole number that is surely below 2^53.
const DIGITS_MAX: usize = 15;

/// The powers of ten that a float holds exactly.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The float that `text` is.
pub(super) fn parse(text: &[u8]) -> Option<f64> {
    match plain(text) {
        Some((value, length)) if length == text.len() => Some(value),
        _ => parse_float(std::str::from_utf8(text).ok()?),
    }
}

/// The float that stands between one blank and a line break at the start of `text`, and the number
/// of bytes up to behind the break. `None` if anything else stands there.
pub(super) fn line(text: &[u8]) -> Option<(f64, usize)> {
    let (b' ', number) = text.split_first()? else { return None };
    let (value, length) = match plain(number) {
        Some((value, length)) if number.get(length) == Some(&b'\n') => (value, length),
        _ => {
            let length = memchr::memchr3(b'\n', b' ', b'\t', number)?;
            let text = number.get(..length).filter(|_| number.get(length) == Some(&b'\n'))?;
            (parse_float(std::str::from_utf8(text).ok()?)?, length)
        }
    };
    Some((value, length + 2))
}

/// The number at the start of `text` and its length, if it is one of the simple kind.
fn plain(text: &[u8]) -> Option<(f64, usize)> {
    let negative = text.first() == Some(&b'-');
    let mut at = usize::from(negative);
    let mut whole = 0_u64;
    let mut digits = |at: &mut usize| {
        let from = *at;
        while let Some(digit) = text.get(*at).map(|b| b.wrapping_sub(b'0')).filter(|d| *d < 10) {
            whole = whole.wrapping_mul(10).wrapping_add(u64::from(digit));
            *at += 1;
        }
        *at - from
    };
    let mut count = digits(&mut at);
    let mut exponent = 0;
    if text.get(at) == Some(&b'.') {
        at += 1;
        let fraction = digits(&mut at);
        count += fraction;
        exponent -= fraction as i32;
    }
    if !(1..=DIGITS_MAX).contains(&count) {
        return None;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let (power, length) = small_exponent(text.get(at + 1..)?)?;
        exponent += power;
        at += 1 + length;
    }
    let power = *POWERS.get(exponent.unsigned_abs() as usize)?;
    let magnitude = if exponent < 0 { whole as f64 / power } else { whole as f64 * power };
    Some((if negative { -magnitude } else { magnitude }, at))
}

/// An exponent of one or two digits, with or without a sign.
fn small_exponent(text: &[u8]) -> Option<(i32, usize)> {
    let sign = match text.first()? {
        b'-' => -1,
        _ => 1,
    };
    let from = usize::from(matches!(text.first()?, b'-' | b'+'));
    let digits = text.get(from..)?.iter().take_while(|b| b.is_ascii_digit()).count();
    let text = text.get(from..from + digits).filter(|_| (1..=2).contains(&digits))?;
    let value = text.iter().fold(0, |value, b| value * 10 + i32::from(b - b'0'));
    Some((sign * value, from + digits))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The fast path gives the bits of the slow one, or nothing.
        #[test]
        fn plain_numbers_are_exact(
            text in "-?[0-9]{0,17}[.]?[0-9]{0,17}([eE][+-]?[0-9]{0,3})?",
            behind in "[ \n.e5-]?",
        ) {
            if let Some((fast, length)) = plain(text.as_bytes()) {
                let slow = parse_float(&text[..length]).map(f64::to_bits);
                prop_assert_eq!(slow, Some(fast.to_bits()));
            }
            let slow = parse_float(&text).map(f64::to_bits);
            prop_assert_eq!(parse(text.as_bytes()).map(f64::to_bits), slow);
            let whole = format!(" {text}{behind}\n");
            let expected = parse_float(whole[1..].trim_end_matches('\n')).map(f64::to_bits);
            let read = line(whole.as_bytes());
            prop_assert_eq!(read.map(|(value, _)| value.to_bits()), expected);
        }
    }

    #[test]
    fn which_are_plain() {
        let rows = [
            ("0", Some(0.0)),
            ("8.0", Some(8.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("-1", Some(-1.0)),
            ("1.7954941e+09", Some(1_795_494_100.0)),
            ("4.0636e-05", Some(4.0636e-05)),
            ("123456789012345", Some(123456789012345.0)),
            ("1234567890123456", None),
            ("0.123456789012345", None),
            ("1e23", None),
            ("1e", None),
            ("", None),
            ("-", None),
            (".", None),
            ("+1", None),
        ];
        for (text, value) in rows {
            let plain = plain(text.as_bytes()).filter(|(_, length)| *length == text.len());
            assert_eq!(plain.map(|(value, _)| value), value, "{text}");
        }
    }

    #[test]
    fn lines() {
        let rows = [
            (" 1\n", Some((1.0, 3))),
            (" 1\nb 2\n", Some((1.0, 3))),
            (" +Inf\n", Some((f64::INFINITY, 6))),
            (" 1", None),
            (" 1 \n", None),
            ("  1\n", None),
            ("\t1\n", None),
            (" 1 2\n", None),
            (" \n", None),
            (" {\n", None),
        ];
        for (text, expected) in rows {
            assert_eq!(line(text.as_bytes()), expected, "{text:?}");
        }
    }
}
