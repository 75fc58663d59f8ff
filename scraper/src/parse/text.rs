//! Prometheus's text format, 0.0.4 and 1.0.0 (quoted names).
//!
//! An entry is a line; blanks may stand between all its parts, empty lines are skipped, the last
//! line needs no line break. Source of the grammar: Prometheus 3.14, `model/textparse`.

use tsdb::model::number::parse_float;
use tsdb::model::{MetricType, Timestamp};

use super::cursor::Cursor;
use super::error::quote;
use super::series::{Series, scan};
use super::{Entry, Format, ParseError, Sample};

pub(super) fn next<'p>(
    cursor: &mut Cursor<'p>,
    expected: &[u8],
) -> Result<Option<Entry<'p>>, ParseError> {
    loop {
        cursor.skip_blanks();
        cursor.begin();
        match cursor.peek() {
            None => return Ok(None),
            Some(b'\n') => cursor.advance(1),
            Some(b'#') => return comment(cursor).map(Some),
            Some(_) => return sample(cursor, expected).map(|sample| Some(Entry::Sample(sample))),
        }
    }
}

fn comment<'p>(cursor: &mut Cursor<'p>) -> Result<Entry<'p>, ParseError> {
    cursor.advance(1);
    let blank = matches!(cursor.peek(), Some(b' ' | b'\t'));
    cursor.skip_blanks();
    let keyword = cursor.rest();
    let is = |word: &[u8]| {
        let after = keyword.get(word.len());
        blank && keyword.starts_with(word) && matches!(after, Some(b' ' | b'\t'))
    };
    let entry = match (is(b"HELP"), is(b"TYPE")) {
        (true, _) => {
            let (family, text) = metadata(cursor, "HELP")?;
            let text = std::str::from_utf8(text).map_err(|_| {
                cursor.error(format!("help text {} is not a valid utf8 string", quote(text)))
            })?;
            Entry::Help { family, text }
        }
        (_, true) => {
            let (family, text) = metadata(cursor, "TYPE")?;
            Entry::Type { family, kind: kind(cursor, text, Format::Text)? }
        }
        _ => {
            cursor.take_line();
            Entry::Comment
        }
    };
    cursor.eat(b"\n");
    Ok(entry)
}

/// A family's name and the text behind it (and behind one blank).
fn metadata<'p>(cursor: &mut Cursor<'p>, keyword: &str) -> Result<(&'p str, &'p [u8]), ParseError> {
    cursor.advance(keyword.len());
    cursor.skip_blanks();
    let name = family_name(cursor, Format::Text, keyword)?;
    Ok((name, cursor.take_line().get(1..).unwrap_or_default()))
}

/// The name behind `# HELP`, `# TYPE` or `# UNIT`.
pub(super) fn family_name<'p>(
    cursor: &mut Cursor<'p>,
    format: Format,
    keyword: &str,
) -> Result<&'p str, ParseError> {
    let name = match cursor.take_quoted(format == Format::OpenMetrics) {
        Some(name) => name,
        None => cursor.take_name(true),
    };
    if name.is_empty() {
        return Err(cursor.expected(&format!("metric name after {keyword}")));
    }
    super::series::utf8(cursor, name, "metric name")
}

/// The type that `text` names; the text format knows five of them.
pub(super) fn kind(
    cursor: &Cursor<'_>,
    text: &[u8],
    format: Format,
) -> Result<MetricType, ParseError> {
    let name = std::str::from_utf8(text).unwrap_or_default();
    let known = MetricType::from_name(name).filter(|_| match format {
        Format::Text => ["counter", "gauge", "histogram", "summary", "untyped"].contains(&name),
        Format::OpenMetrics => name != "untyped",
    });
    known.ok_or_else(|| cursor.error(format!("invalid metric type {}", quote(text))))
}

fn sample<'p>(cursor: &mut Cursor<'p>, expected: &[u8]) -> Result<Sample<'p>, ParseError> {
    let from = cursor.position();
    let as_expected = is_next(cursor.rest(), expected);
    if as_expected {
        cursor.advance(expected.len());
    } else {
        start(cursor)?;
        scan(cursor, Format::Text, &mut |_| {})?;
    }
    let series = Series(cursor.since(from));
    cursor.skip_blanks();
    let value =
        number(cursor, |b| !matches!(b, b' ' | b'\t' | b'\n' | b'{'), "value after metric")?;
    cursor.skip_blanks();
    let mut timestamp = None;
    if cursor.peek().is_some_and(|b| b.is_ascii_digit()) {
        timestamp = Some(milliseconds(cursor)?);
        cursor.skip_blanks();
        if !matches!(cursor.peek(), None | Some(b'\n')) {
            return Err(cursor.expected("next entry after timestamp"));
        }
    }
    match cursor.peek() {
        None => {}
        Some(b'\n') => cursor.advance(1),
        Some(_) => return Err(cursor.expected("timestamp or new record")),
    }
    Ok(Sample { series, as_expected, value, timestamp, exemplar: None })
}

/// Whether `expected` comes next and ends where a series ends: a space, and no brace behind it.
fn is_next(rest: &[u8], expected: &[u8]) -> bool {
    let behind = rest.get(expected.len()..).unwrap_or_default();
    !expected.is_empty()
        && matches!(behind, [b' ', after, ..] if !matches!(after, b' ' | b'\t' | b'{'))
        && rest.starts_with(expected)
}

/// Checks that a series can begin here.
fn start(cursor: &Cursor<'_>) -> Result<(), ParseError> {
    match cursor.peek() {
        Some(b) if b.is_ascii_alphabetic() || matches!(b, b'_' | b':' | b'{') => Ok(()),
        Some(b'<') => {
            Err(cursor.expected("a valid start token (this looks like HTML, not like metrics)"))
        }
        _ => Err(cursor.expected("a valid start token")),
    }
}

/// A float of the bytes for which `belongs` holds.
pub(super) fn number(
    cursor: &mut Cursor<'_>,
    belongs: impl Fn(u8) -> bool,
    what: &str,
) -> Result<f64, ParseError> {
    let from = cursor.position();
    let text = cursor.take_while(belongs);
    if text.is_empty() {
        return Err(cursor.expected(what));
    }
    let slowly = || std::str::from_utf8(text).ok().and_then(parse_float);
    let number = plain_decimal(text).or_else(slowly);
    number.ok_or_else(|| cursor.invalid(from, &format!("invalid number {}", quote(text))))
}

/// A number of at most 15 digits without sign and exponent, which nearly all are. Such a number
/// is a whole one below 2^53 divided by a power of ten below 10^23: both are exact, hence so is
/// the rounding of the quotient (Clinger's fast path).
fn plain_decimal(text: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let (mut whole, mut digits, mut point) = (0_u64, 0, None);
    for b in text {
        match b {
            b'0'..=b'9' => {
                whole = whole.wrapping_mul(10).wrapping_add(u64::from(b - b'0'));
                digits += 1;
            }
            b'.' if point.is_none() => point = Some(digits),
            _ => return None,
        }
    }
    let fraction = digits - point.unwrap_or(digits);
    (1..=15).contains(&digits).then(|| whole as f64 / POWERS[fraction])
}

fn milliseconds(cursor: &mut Cursor<'_>) -> Result<Timestamp, ParseError> {
    let from = cursor.position();
    let digits = cursor.take_while(|b| b.is_ascii_digit());
    let ms = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    let ms = ms.ok_or_else(|| cursor.invalid(from, "timestamp out of range"))?;
    Ok(Timestamp::from_ms(ms))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The fast path gives the bits of the slow one, or nothing.
        #[test]
        fn plain_decimals_are_exact(text in "[0-9]{0,17}[.]?[0-9]{0,17}[e-]?") {
            if let Some(fast) = plain_decimal(text.as_bytes()) {
                prop_assert_eq!(parse_float(&text).map(f64::to_bits), Some(fast.to_bits()));
            }
        }
    }

    #[test]
    fn which_are_plain() {
        let rows = [
            ("0", Some(0.0)),
            ("8.0", Some(8.0)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("123456789012345", Some(123456789012345.0)),
            ("1234567890123456", None),
            ("0.123456789012345", None),
            ("", None),
            (".", None),
            ("-1", None),
            ("1e5", None),
            ("1.2.3", None),
        ];
        for (text, value) in rows {
            assert_eq!(plain_decimal(text.as_bytes()), value, "{text}");
        }
    }
}
