//! Pages whose series are not compared as they stand but written anew, in the text format's way:
//! protobuf pages, and those whose histograms are converted. So all that is remembered from page to
//! page is the same for every format.

use tsdb::model::labels::is_legacy_metric_name;

use super::layout::{Layout, NewLayout, Place, Walk};
use crate::parse::PageFormat;

/// The lines of the page at hand, beside those of the one before.
pub(super) struct Lines<'l> {
    walk: Walk<'l>,
    layout: NewLayout,
    /// The line at hand, and where in it the series begins.
    text: Vec<u8>,
    series: usize,
}

impl<'l> Lines<'l> {
    pub(super) fn new(old: &'l Layout, format: PageFormat) -> Self {
        let walk = Walk::new(old, Place::default());
        Self { walk, layout: NewLayout::new(format), text: Vec::new(), series: 0 }
    }

    /// Begins a line; if `before` stands before the series, a part of the page may begin here.
    pub(super) fn begin(&mut self, before: &[u8]) {
        self.text.clear();
        self.text.extend_from_slice(before);
        self.series = before.len();
    }

    /// Adds text to the line.
    pub(super) fn write(&mut self, text: &[u8]) {
        self.text.extend_from_slice(text);
    }

    /// Adds a series.
    pub(super) fn write_series<'t>(
        &mut self,
        name: (&str, &str),
        labels: impl Iterator<Item = (&'t str, &'t str)>,
    ) {
        write_series(&mut self.text, name, labels);
    }

    /// Ends the line; returns its number.
    pub(super) fn put(&mut self) -> usize {
        let series = &self.text[self.series..];
        let is_next = self.walk.next().is_some_and(|(known, at)| known[at..] == *series);
        let fate = if is_next { self.walk.pass() } else { self.walk.find(series) };
        self.layout.push(&self.text, self.series, fate)
    }

    /// The series at hand, and the layout.
    pub(super) fn parts(&mut self) -> (&[u8], &mut NewLayout) {
        (&self.text[self.series..], &mut self.layout)
    }

    pub(super) fn finish(self) -> NewLayout {
        self.layout
    }
}

/// Writes the text of a series whose name has two parts.
pub(super) fn write_series<'t>(
    text: &mut Vec<u8>,
    (name, suffix): (&str, &str),
    labels: impl Iterator<Item = (&'t str, &'t str)>,
) {
    let is_legacy = is_legacy_metric_name(name);
    text.extend_from_slice(if is_legacy { b"" } else { &b"{\""[..] });
    escape(text, name);
    text.extend_from_slice(suffix.as_bytes());
    text.extend_from_slice(if is_legacy { b"{" } else { &b"\","[..] });
    for (name, value) in labels {
        text.push(b'"');
        escape(text, name);
        text.extend_from_slice(b"\"=\"");
        escape(text, value);
        text.extend_from_slice(b"\",");
    }
    text.push(b'}');
}

fn escape(text: &mut Vec<u8>, raw: &str) {
    for byte in raw.bytes() {
        match byte {
            b'\\' => text.extend_from_slice(b"\\\\"),
            b'"' => text.extend_from_slice(b"\\\""),
            b'\n' => text.extend_from_slice(b"\\n"),
            other => text.push(other),
        }
    }
}
