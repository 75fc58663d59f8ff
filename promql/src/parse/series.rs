//! The series notation of PromQL tests: a metric, then its values at equal distances.
//!
//! ```text
//! series = metric { space item }
//! item   = _ [xN] | value [(+ | -) step] [xN] | histogram [(+ | -) histogram] [xN]
//! value  = [sign] number | stale
//! ```
//!
//! `_xN` are N gaps; anything else with `xN` is itself and N more, each a step further than the
//! one before, added up one by one.

use std::sync::Arc;

use nom::bytes::complete::{take_while, take_while1};
use nom::{IResult, Parser as _};
use tsdb::model::number::parse_float;
use tsdb::model::{Histogram, Labels, STALE_NAN};

use super::error::{Failure, ParseError, Parsed, span};
use super::grammar::Parser;
use super::lex::{Lexer, is_space};
use super::series_histogram::{HistogramLiteral, histogram};
use super::text::quote_char;
use super::{Features, check_length};

/// Most values that one line may expand to.
pub const SERIES_VALUES_MAX: usize = 1_000_000;

/// Most buckets that a line with steps between histograms may expand to.
const SERIES_BUCKETS_MAX: usize = 1 << 24;

/// A series of a test.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesDescription {
    /// Which one.
    pub labels: Labels,
    /// Its values, repetitions expanded.
    pub values: Vec<SeriesValue>,
}

/// One value of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum SeriesValue {
    /// `_`: no sample.
    Omitted,
    /// A float; of `stale`, [`STALE_NAN`].
    Float(f64),
    /// A native histogram.
    Histogram {
        /// The histogram.
        histogram: Arc<Histogram>,
        /// Whether the text names a counter reset hint, which an expectation then insists on.
        names_hint: bool,
    },
}

/// Parses `metric{labels} value value …`.
pub fn parse_series(text: &str) -> Result<SeriesDescription, ParseError> {
    check_length(text)?;
    let parsed = metric(text).and_then(|(labels, at)| {
        let values = Items { text, at }.all()?;
        Ok(SeriesDescription { labels, values })
    });
    parsed.map_err(|failure| failure.at(text))
}

/// The labels at the start of `text`, and where they end.
fn metric(text: &str) -> Parsed<(Labels, usize)> {
    let mut lexer = Lexer::new(text);
    if !lexer.rest.trim_start_matches(is_space).starts_with('{') {
        lexer.step()?;
    }
    if lexer.rest.starts_with('{') || lexer.offset() == 0 {
        lexer.step()?;
        while lexer.in_braces {
            lexer.step()?;
        }
    }
    let end = lexer.offset();
    let mut parser = Parser::new(text, lexer.finish(None), Features::default());
    let labels = parser.metric()?;
    parser.end().map_err(|failure| failure.within("series values", ""))?;
    Ok((labels, end))
}

/// Reads items one after another.
pub(super) struct Items<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
}

impl<'a> Items<'a> {
    fn all(mut self) -> Parsed<Vec<SeriesValue>> {
        let mut values = Vec::new();
        loop {
            let spaces = self.take(|input| take_while1(is_space).parse(input));
            if self.rest().is_empty() {
                return Ok(values);
            }
            if spaces.is_none() {
                return Err(self.unexpected());
            }
            self.item(&mut values)?;
        }
    }

    /// What has not been read yet.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Reads what `piece` matches.
    pub(super) fn take<T>(
        &mut self,
        piece: impl FnOnce(&'a str) -> IResult<&'a str, T>,
    ) -> Option<T> {
        let (rest, value) = piece(self.rest()).ok()?;
        self.at = self.text.len() - rest.len();
        Some(value)
    }

    /// Reads one character if it is `c`.
    pub(super) fn accept(&mut self, c: char) -> bool {
        let accepted = self.rest().starts_with(c);
        if accepted {
            self.at += c.len_utf8();
        }
        accepted
    }

    /// An error at the next character.
    pub(super) fn fail(&self, message: impl Into<String>) -> Box<Failure> {
        Failure::new(span(self.at, self.text.len()), message)
    }

    fn unexpected(&self) -> Box<Failure> {
        match self.rest().chars().next() {
            None => self.fail("unexpected end of input in series values"),
            c => self.fail(format!("unexpected character in series sequence: {}", quote_char(c))),
        }
    }

    fn item(&mut self, values: &mut Vec<SeriesValue>) -> Parsed<()> {
        if self.rest().starts_with("{{") {
            return self.histogram_item(values);
        }
        if self.accept('_') {
            let count = self.repetition()?.unwrap_or(1);
            return self.extend(values, count, |_| SeriesValue::Omitted);
        }
        let first = self.value()?;
        let step = if self.rest().starts_with(['+', '-']) { Some(self.value()?) } else { None };
        let more = self.repetition()?;
        if step.is_some() && more.is_none() {
            return Err(self.unexpected());
        }
        // Added up one by one, as the reference does, so that the last digits are the same.
        let mut next = first;
        self.extend(values, more.unwrap_or(0) + 1, |_| {
            let value = next;
            next += step.unwrap_or(0.0);
            SeriesValue::Float(if step.is_some() { value } else { first })
        })
    }

    fn histogram_item(&mut self, values: &mut Vec<SeriesValue>) -> Parsed<()> {
        let first = histogram(self)?;
        let subtract = self.rest().starts_with('-');
        let step = if self.accept('+') || self.accept('-') { Some(histogram(self)?) } else { None };
        let more = self.repetition()?;
        let count = more.unwrap_or(0) + 1;
        let Some(HistogramLiteral { histogram: step, names_hint }) = step else {
            let HistogramLiteral { histogram, names_hint } = first;
            let histogram = Arc::new(histogram);
            return self.extend(values, count, |_| SeriesValue::Histogram {
                histogram: Arc::clone(&histogram),
                names_hint,
            });
        };
        if more.is_none() {
            return Err(self.unexpected());
        }
        let buckets = |own: &Histogram| own.positive_buckets.len() + own.negative_buckets.len();
        let total = (buckets(&first.histogram) + buckets(&step)).saturating_mul(count);
        if total > SERIES_BUCKETS_MAX {
            return Err(self.fail(format!("more than {SERIES_BUCKETS_MAX} buckets in a series")));
        }
        let (mut next, mut failure) = (first.histogram, None);
        self.extend(values, count, |_| {
            let histogram = Arc::new(next.clone());
            failure = failure.take().or(advance(&mut next, &step, subtract).err());
            SeriesValue::Histogram { histogram, names_hint }
        })?;
        // The step after the last one does not count, but fails as all of them do.
        failure.filter(|_| count > 1).map_or(Ok(()), |text| Err(self.fail(text)))
    }

    /// `xN`.
    fn repetition(&mut self) -> Parsed<Option<usize>> {
        if !self.accept('x') {
            return Ok(None);
        }
        let digits = self.take(|input| take_while1(|c: char| c.is_ascii_digit()).parse(input));
        let digits = digits.ok_or_else(|| self.unexpected())?;
        let count = digits.parse().ok().filter(|count| *count < SERIES_VALUES_MAX);
        count.map(Some).ok_or_else(|| self.too_many())
    }

    fn too_many(&self) -> Box<Failure> {
        self.fail(format!("more than {SERIES_VALUES_MAX} series values"))
    }

    fn extend(
        &self,
        values: &mut Vec<SeriesValue>,
        count: usize,
        value: impl FnMut(usize) -> SeriesValue,
    ) -> Parsed<()> {
        if values.len() + count > SERIES_VALUES_MAX {
            return Err(self.too_many());
        }
        values.extend((0..count).map(value));
        Ok(())
    }

    /// A float with or without a sign, or `stale`.
    fn value(&mut self) -> Parsed<f64> {
        let before = self.at;
        let word = self
            .take(|input| take_while1(|c: char| c.is_ascii_alphabetic() && c != 'x').parse(input));
        if word == Some("stale") {
            return Ok(STALE_NAN);
        }
        self.at = before;
        self.float().ok_or_else(|| match word {
            Some(word) => self.fail(format!(
                "unexpected identifier \"{word}\" in series values, expected number or \"stale\""
            )),
            None => self.unexpected(),
        })
    }

    /// A float with or without a sign: digits, `Inf` or `NaN`; nothing is read if there is none.
    pub(super) fn float(&mut self) -> Option<f64> {
        let before = self.at;
        let is_negative = self.accept('-');
        if !is_negative {
            self.accept('+');
        }
        let value = self.take(|input| float_text(input)).and_then(parse_float);
        if value.is_none() {
            self.at = before;
        }
        value.map(|value| if is_negative { -value } else { value })
    }
}

/// One step from histogram to histogram; the step may not be coarser.
fn advance(histogram: &mut Histogram, step: &Histogram, subtract: bool) -> Result<(), String> {
    let failed = |why: String| format!("error combining histograms: {why}");
    if histogram.schema > step.schema {
        let (from, to) = (step.schema, histogram.schema);
        return Err(failed(format!("cannot merge from schema {from} to {to}")));
    }
    let outcome = if subtract { histogram.sub(step) } else { histogram.add(step) };
    outcome.map(|_| ()).map_err(|error| failed(error.to_string()))
}

/// The text of a number without sign: `1.5`, `.5`, `5.`, `1e-3`, `Inf`, `NaN`.
fn float_text(input: &str) -> IResult<&str, &str> {
    let is_letter = |c: char| c.is_ascii_alphabetic() && c != 'x';
    if input.starts_with(is_letter) {
        return take_while(is_letter).parse(input);
    }
    let digits = |at: usize| input[at..].bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(0);
    if input[end..].starts_with('.') {
        end += 1 + digits(end + 1);
    }
    if input[end..].starts_with(['e', 'E']) {
        let sign = usize::from(input[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + sign);
        end += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    Ok((&input[end..], &input[..end]))
}
