//! Warnings and infos: what was noticed while a query was evaluated.
//!
//! Each text is kept once, with the place in the query of its first cause; places are rendered
//! as `(line:column)` at the end. The texts are those of Prometheus's `util/annotations`.

use std::collections::HashMap;

use tsdb::model::Timestamp;
use tsdb::model::labels::Quoted;
use tsdb::model::number::format_general;

use crate::ast::Span;
use crate::civil;
use crate::parse::position;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Severity {
    /// The result may be wrong.
    Warning,
    /// Probably not what was meant.
    Info,
}

#[derive(Clone, Debug, PartialEq)]
struct Note {
    severity: Severity,
    text: String,
    span: Span,
    forced: Option<Forced>,
}

/// How far buckets had to be raised so that they never go down.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Forced {
    /// Bound of the lowest bucket that was raised.
    pub(crate) bucket_min: f64,
    /// Bound of the highest one.
    pub(crate) bucket_max: f64,
    /// The most that a bucket was raised by.
    pub(crate) diff_max: f64,
    /// First step where it happened.
    pub(crate) start: Timestamp,
    /// Last step.
    pub(crate) end: Timestamp,
    /// How often.
    pub(crate) count: usize,
}

impl Forced {
    fn merge(&mut self, other: &Self) {
        self.bucket_min = self.bucket_min.min(other.bucket_min);
        self.bucket_max = self.bucket_max.max(other.bucket_max);
        self.diff_max = self.diff_max.max(other.diff_max);
        self.start = self.start.min(other.start);
        self.end = self.end.max(other.end);
        self.count += other.count;
    }
}

/// What was done with two or more histograms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Addition,
    Subtraction,
    Aggregation,
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Addition => "addition",
            Self::Subtraction => "subtraction",
            Self::Aggregation => "aggregation",
        }
    }
}

/// The notes of one evaluation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notes {
    notes: Vec<Note>,
    by_text: HashMap<String, usize>,
}

impl Notes {
    /// The note with that text, made if it is not there.
    fn add(&mut self, severity: Severity, span: Span, text: String) -> &mut Note {
        let at = *self.by_text.entry(text).or_insert_with_key(|text| {
            self.notes.push(Note { severity, text: text.clone(), span, forced: None });
            self.notes.len() - 1
        });
        &mut self.notes[at]
    }

    /// Adds the notes of another part of the same evaluation, which come later.
    pub(crate) fn absorb(&mut self, other: Self) {
        for Note { severity, text, span, forced } in other.notes {
            let own = self.add(severity, span, text);
            match (&mut own.forced, forced) {
                (Some(own), Some(forced)) => own.merge(&forced),
                (own @ None, forced) => *own = forced,
                (Some(_), None) => {}
            }
        }
    }

    /// Whether these are the same notes: texts, places and what was counted.
    pub(crate) fn are(&self, other: &Self) -> bool {
        let known = |note: &Note| other.by_text.get(&note.text).map(|at| &other.notes[*at]);
        self.notes.len() == other.notes.len()
            && self.notes.iter().all(|note| known(note) == Some(note))
    }

    /// Bytes in memory, about.
    pub(crate) fn bytes(&self) -> usize {
        self.notes.iter().map(|note| 2 * (size_of::<Note>() + note.text.len())).sum()
    }

    fn warn(&mut self, span: Span, text: impl Into<String>) {
        self.add(Severity::Warning, span, text.into());
    }

    fn info(&mut self, span: Span, text: impl Into<String>) {
        self.add(Severity::Info, span, text.into());
    }

    pub(crate) fn invalid_quantile(&mut self, span: Span, quantile: f64) {
        let got = format_general(quantile);
        self.warn(span, format!("quantile value should be between 0 and 1, got {got}"));
    }

    pub(crate) fn invalid_ratio(&mut self, span: Span, ratio: f64, used: f64) {
        let (got, used) = (format_general(ratio), format_general(used));
        self.warn(
            span,
            format!("ratio value should be between -1 and 1, got {got}, capping to {used}"),
        );
    }

    pub(crate) fn bad_bucket_label(&mut self, span: Span, name: &str, value: &str) {
        let text =
            format!("bucket label \"le\" is missing or has a malformed value of {}", Quoted(value));
        self.warn(span, with_name(text, name));
    }

    pub(crate) fn mixed_floats_histograms(&mut self, span: Span, name: &str) {
        let name = Quoted(name);
        self.warn(
            span,
            format!("encountered a mix of histograms and floats for metric name {name}"),
        );
    }

    pub(crate) fn mixed_aggregation(&mut self, span: Span) {
        self.warn(span, "encountered a mix of histograms and floats for aggregation");
    }

    pub(crate) fn mixed_classic_native(&mut self, span: Span, name: &str) {
        let text = "vector contains a mix of classic and native histograms";
        self.warn(span, with_name(text.to_owned(), name));
    }

    pub(crate) fn native_not_counter(&mut self, span: Span, name: &str) {
        let name = Quoted(name);
        self.warn(span, format!("this native histogram metric is not a counter: {name}"));
    }

    pub(crate) fn native_not_gauge(&mut self, span: Span, name: &str) {
        let name = Quoted(name);
        self.warn(span, format!("this native histogram metric is not a gauge: {name}"));
    }

    pub(crate) fn mixed_exponential_custom(&mut self, span: Span, name: &str) {
        let name = Quoted(name);
        self.warn(
            span,
            format!(
                "vector contains a mix of histograms with exponential and custom buckets schemas for metric name {name}"
            ),
        );
    }

    pub(crate) fn incompatible_bucket_layout(&mut self, span: Span, op: &str) {
        self.warn(span, format!("incompatible bucket layout encountered for binary operator {op}"));
    }

    pub(crate) fn reset_collision(&mut self, span: Span, operation: Operation) {
        let during = operation.as_str();
        self.warn(span, format!("conflicting counter resets during histogram {during}"));
    }

    pub(crate) fn custom_bounds_reconciled(&mut self, span: Span, operation: Operation) {
        let during = operation.as_str();
        self.info(span, format!("mismatched custom buckets were reconciled during {during}"));
    }

    pub(crate) fn quantile_nan_result(&mut self, span: Span, name: &str) {
        let text = "input to histogram_quantile has NaN observations, result is NaN";
        self.info(span, with_name(text.to_owned(), name));
    }

    pub(crate) fn quantile_nan_skew(&mut self, span: Span, name: &str) {
        let text = "input to histogram_quantile has NaN observations, result is skewed higher";
        self.info(span, with_name(text.to_owned(), name));
    }

    pub(crate) fn fraction_nans(&mut self, span: Span, name: &str) {
        let text = "input to histogram_fraction has NaN observations, which are excluded from all \
                    fractions";
        self.info(span, with_name(text.to_owned(), name));
    }

    pub(crate) fn sort_in_range_query(&mut self, span: Span) {
        self.warn(
            span,
            "sort is ineffective for range queries since results are always ordered by labels",
        );
    }

    pub(crate) fn start_overlap(&mut self, span: Span, name: &str) {
        let name = Quoted(name);
        self.warn(
            span,
            format!(
                "sample has start time that overlaps with previous sample timestamp for metric {name}"
            ),
        );
    }

    pub(crate) fn possible_non_counter(&mut self, span: Span, name: &str) {
        let name = Quoted(name);
        self.info(
            span,
            format!(
                "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {name}"
            ),
        );
    }

    pub(crate) fn incompatible_types(&mut self, span: Span, left: &str, op: &str, right: &str) {
        self.info(
            span,
            format!(
                "incompatible sample types encountered for binary operator \"{op}\": {left} {op} {right}"
            ),
        );
    }

    pub(crate) fn histogram_ignored_in_aggregation(&mut self, span: Span, aggregation: &str) {
        self.info(span, format!("ignored histogram in {aggregation} aggregation"));
    }

    pub(crate) fn histogram_ignored_in_range(&mut self, span: Span, name: &str) {
        let name = Quoted(name);
        self.info(
            span,
            format!(
                "ignored histograms in a range containing both floats and histograms for metric name {name}"
            ),
        );
    }

    /// Occurrences with the same name are merged into one note.
    pub(crate) fn forced_monotonicity(&mut self, span: Span, name: &str, forced: Forced) {
        let text = with_name(
            "input to histogram_quantile needed to be fixed for monotonicity (see \
             https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
                .to_owned(),
            name,
        );
        let note = self.add(Severity::Info, span, text);
        match &mut note.forced {
            Some(known) => known.merge(&forced),
            none => *none = Some(forced),
        }
    }

    /// Warnings and infos as the API gives them out, by their places; `query` is the text that spans
    /// point into.
    pub(crate) fn render(&self, query: &str) -> (Vec<String>, Vec<String>) {
        let mut notes: Vec<&Note> = self.notes.iter().collect();
        notes.sort_by_key(|note| (note.span.start, &note.text));
        let texts = |severity, kind| {
            let chosen = notes.iter().filter(move |note| note.severity == severity);
            chosen.map(|note| format!("PromQL {kind}: {}", note.render(query))).collect()
        };
        (texts(Severity::Warning, "warning"), texts(Severity::Info, "info"))
    }
}

impl Note {
    fn render(&self, query: &str) -> String {
        let (line, column) = position(query, self.span.start).unwrap_or((1, 1));
        let detail = self.forced.as_ref().map(Forced::render).unwrap_or_default();
        format!("{}{detail} ({line}:{column})", self.text)
    }
}

impl Forced {
    fn render(&self) -> String {
        format!(
            ", from buckets {} to {}, with a max diff of {}, over {} samples from {} to {}",
            format_general(self.bucket_min),
            format_general(self.bucket_max),
            two_digits(self.diff_max),
            self.count,
            civil::rfc3339(self.start),
            civil::rfc3339(self.end),
        )
    }
}

/// Go's `%.2g`: two significant digits, without trailing zeros.
fn two_digits(value: f64) -> String {
    let rounded: f64 = format!("{value:.1e}").parse().unwrap_or(value);
    format_general(rounded)
}

fn with_name(text: String, name: &str) -> String {
    if name.is_empty() { text } else { format!("{text} for metric name {}", Quoted(name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_once_with_its_first_position() {
        let mut notes = Notes::default();
        notes.possible_non_counter(Span { start: 9, end: 10 }, "x");
        notes.possible_non_counter(Span { start: 0, end: 1 }, "x");
        notes.invalid_quantile(Span { start: 1, end: 2 }, 1.5);
        let (warnings, infos) = notes.render("a +\nrate(x[5m])");
        assert_eq!(
            warnings,
            ["PromQL warning: quantile value should be between 0 and 1, got 1.5 (1:2)"]
        );
        assert_eq!(
            infos,
            ["PromQL info: metric might not be a counter, name does not end in \
              _total/_sum/_count/_bucket: \"x\" (2:6)"]
        );
    }

    #[test]
    fn forced_monotonicity_is_summed_up() {
        let mut notes = Notes::default();
        for (bucket, seconds, diff) in [(5.0, 1_735_084_800, 5.5), (2.5, 1_703_462_400, 10.0)] {
            let time = Timestamp::from_ms(seconds * 1000);
            let forced = Forced {
                bucket_min: bucket,
                bucket_max: bucket * 20.0,
                diff_max: diff,
                start: time,
                end: time,
                count: 1,
            };
            notes.forced_monotonicity(Span::default(), "series_1", forced);
        }
        let (_, infos) = notes.render("x");
        assert_eq!(
            infos,
            ["PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see \
              https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile) \
              for metric name \"series_1\", from buckets 2.5 to 100, with a max diff of 10, over 2 \
              samples from 2023-12-25T00:00:00Z to 2024-12-25T00:00:00Z (1:1)"]
        );
    }
}
