//! OpenMetrics 1.0.0 and 0.0.1, as Prometheus reads them.
//!
//! Stricter than the text format: one space between parts, no empty lines, no free comments, a
//! line break after every line, `# EOF` at the end. Timestamps are in seconds. `_created` series
//! are ordinary ones. Source: Prometheus 3.14, `model/textparse`.

use tsdb::model::Timestamp;

use super::cursor::Cursor;
use super::error::quote;
use super::series::{Part, Series, braces, scan, unescape};
use super::text::{family_name, kind, number};
use super::{Entry, ExemplarText, Format, ParseError, Sample, Values};

const NO_EOF: &str = "data does not end with # EOF";

pub(super) fn next<'p>(
    cursor: &mut Cursor<'p>,
    expected: &[u8],
) -> Result<Option<Entry<'p>>, ParseError> {
    cursor.begin();
    match cursor.peek() {
        None => Err(cursor.error(NO_EOF.into())),
        Some(b'#') => comment(cursor),
        Some(_) => sample(cursor, expected).map(|sample| Some(Entry::Sample(sample))),
    }
}

fn comment<'p>(cursor: &mut Cursor<'p>) -> Result<Option<Entry<'p>>, ParseError> {
    if cursor.eat(b"# EOF") {
        cursor.eat(b"\n");
        return match cursor.peek() {
            None => Ok(None),
            Some(_) => Err(cursor.error("unexpected data after # EOF".into())),
        };
    }
    let entry = if cursor.eat(b"# HELP ") {
        let (family, text) = metadata(cursor, "HELP")?;
        let text = std::str::from_utf8(text).map_err(|_| {
            cursor.error(format!("help text {} is not a valid utf8 string", quote(text)))
        })?;
        Entry::Help { family, text }
    } else if cursor.eat(b"# TYPE ") {
        let (family, text) = metadata(cursor, "TYPE")?;
        Entry::Type { family, kind: kind(cursor, text, Format::OpenMetrics)? }
    } else if cursor.eat(b"# UNIT ") {
        let (family, text) = metadata(cursor, "UNIT")?;
        unit(cursor, family, text)?
    } else {
        return Err(cursor.expected("# HELP, # TYPE, # UNIT or # EOF"));
    };
    cursor.eat(b"\n");
    Ok(Some(entry))
}

/// A family's name and the text behind it; the line break stays.
fn metadata<'p>(cursor: &mut Cursor<'p>, keyword: &str) -> Result<(&'p str, &'p [u8]), ParseError> {
    let name = family_name(cursor, Format::OpenMetrics, keyword)?;
    if !cursor.eat(b" ") {
        return Err(cursor.expected(&format!("text in {keyword}")));
    }
    let text = cursor.take_line();
    match cursor.peek() {
        Some(_) => Ok((name, text)),
        None => Err(cursor.error(NO_EOF.into())),
    }
}

fn unit<'p>(cursor: &Cursor<'p>, family: &'p str, text: &'p [u8]) -> Result<Entry<'p>, ParseError> {
    let unit = super::series::utf8(cursor, text, "unit")?;
    let stem = family.strip_suffix(unit).unwrap_or_default();
    if !unit.is_empty() && !stem.ends_with('_') {
        let (unit, family) = (quote(text), quote(family.as_bytes()));
        return Err(cursor.error(format!("unit {unit} not a suffix of metric {family}")));
    }
    Ok(Entry::Unit { family, unit })
}

fn sample<'p>(cursor: &mut Cursor<'p>, expected: &[u8]) -> Result<Sample<'p>, ParseError> {
    let from = cursor.position();
    let rest = cursor.rest();
    let as_expected = !expected.is_empty()
        && rest.starts_with(expected)
        && rest.get(expected.len()) == Some(&b' ');
    if as_expected {
        cursor.advance(expected.len());
    } else {
        scan(cursor, Format::OpenMetrics, &mut |_| {})?;
        if cursor.position() == from {
            return Err(cursor.expected("a valid start token"));
        }
    }
    let series = Series(cursor.since(from));
    let Values { value, timestamp, exemplar } = values(cursor)?;
    Ok(Sample { series, begins: from, as_expected, value, timestamp, exemplar })
}

/// What stands behind a series, to the end of the line.
pub(super) fn values<'p>(cursor: &mut Cursor<'p>) -> Result<Values<'p>, ParseError> {
    let value = spaced(cursor, "value after metric")?;
    let mut timestamp = None;
    if !cursor.rest().starts_with(b" # {") && cursor.peek() == Some(b' ') {
        timestamp = Some(seconds(cursor, "timestamp")?);
    }
    let exemplar = match cursor.eat(b" # {") {
        true => Some(exemplar(cursor)?),
        false => None,
    };
    end_of_line(cursor, "timestamp or new record")?;
    Ok(Values { value, timestamp, exemplar })
}

/// `{labels} value [timestamp]`, the opening brace being consumed.
fn exemplar<'p>(cursor: &mut Cursor<'p>) -> Result<ExemplarText<'p>, ParseError> {
    let mut labels = Vec::new();
    braces(cursor, Format::OpenMetrics, None, &mut |part| {
        if let Part::Label(name, value) = part {
            labels.push((unescape(name, true), unescape(value, true)));
        }
    })?;
    let value = spaced(cursor, "value after exemplar labels")?;
    let timestamp = match cursor.peek() {
        Some(b' ') => Some(seconds(cursor, "exemplar timestamp")?),
        _ => None,
    };
    Ok(ExemplarText { labels, value, timestamp })
}

/// One space and a float.
fn spaced(cursor: &mut Cursor<'_>, what: &str) -> Result<f64, ParseError> {
    if !cursor.eat(b" ") {
        return Err(match cursor.peek() {
            None => cursor.error(NO_EOF.into()),
            Some(_) => cursor.expected(what),
        });
    }
    number(cursor, |b| b != b' ' && b != b'\n', what)
}

/// One space and a time in seconds, cut to milliseconds.
fn seconds(cursor: &mut Cursor<'_>, what: &str) -> Result<Timestamp, ParseError> {
    let from = cursor.position() + 1;
    let seconds = spaced(cursor, what)?;
    if !seconds.is_finite() {
        return Err(cursor.invalid(from, &format!("invalid {what}")));
    }
    // Times beyond what a timestamp can hold become the last (or first) one that it can.
    Ok(Timestamp::from_ms((seconds * 1000.0) as i64))
}

fn end_of_line(cursor: &mut Cursor<'_>, what: &str) -> Result<(), ParseError> {
    match cursor.peek() {
        Some(b'\n') => {}
        None => return Err(cursor.error(NO_EOF.into())),
        Some(_) => return Err(cursor.expected(what)),
    }
    cursor.advance(1);
    Ok(())
}
