//! Prometheus's text format, 0.0.4 and 1.0.0 (quoted names).
//!
//! An entry is a line; blanks may stand between all its parts, empty lines are skipped, the last
//! line needs no line break. Source of the grammar: Prometheus 3.14, `model/textparse`.

use tsdb::model::{MetricType, Timestamp};

use super::cursor::Cursor;
use super::error::quote;
use super::series::{Series, scan};
use super::{Entry, Format, ParseError, Sample, Values, decimal};

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
    let Values { value, timestamp, exemplar } = values(cursor)?;
    Ok(Sample { series, begins: from, as_expected, value, timestamp, exemplar })
}

/// What stands behind a series, to the end of the line.
pub(super) fn values<'p>(cursor: &mut Cursor<'p>) -> Result<Values<'p>, ParseError> {
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
    Ok(Values { value, timestamp, exemplar: None })
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
    decimal::parse(text)
        .ok_or_else(|| cursor.invalid(from, &format!("invalid number {}", quote(text))))
}

fn milliseconds(cursor: &mut Cursor<'_>) -> Result<Timestamp, ParseError> {
    let from = cursor.position();
    let digits = cursor.take_while(|b| b.is_ascii_digit());
    let ms = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    let ms = ms.ok_or_else(|| cursor.invalid(from, "timestamp out of range"))?;
    Ok(Timestamp::from_ms(ms))
}
