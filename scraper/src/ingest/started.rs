//! When counters started (`_created` lines of OpenMetrics), as a property of their samples instead
//! of series of their own.
//!
//! A metric's lines stand together, its `_created` among them in any place. They are gathered until
//! another metric (or a comment) comes; then each is given the time.

use tsdb::model::{BUCKET_LABEL, MetricType, Timestamp};

use super::lines::write_series;
use super::reading::Reading;
use crate::parse::Label;

/// The label that holds a summary's quantile.
const QUANTILE_LABEL: &str = "quantile";

/// The lines of one metric so far.
#[derive(Default)]
pub(super) struct Started {
    /// Its family and labels as text; empty if lines do not belong together.
    metric: Vec<u8>,
    lines: Vec<usize>,
    start: Option<Timestamp>,
}

impl Started {
    /// A sample comes; `true` if it is the time at which the others started.
    pub(super) fn begin(
        &mut self,
        (name, labels): (&str, &[Label<'_>]),
        (family, kind): (&str, MetricType),
        value: f64,
        reading: &mut Reading,
    ) -> bool {
        let has_start =
            matches!(kind, MetricType::Counter | MetricType::Histogram | MetricType::Summary);
        let suffix = name.strip_prefix(family).filter(|_| has_start);
        let mut metric = Vec::new();
        if suffix.is_some() {
            let mut own: Vec<_> = labels.iter().map(|(name, value)| (&**name, &**value)).collect();
            own.retain(|(name, _)| ![BUCKET_LABEL, QUANTILE_LABEL].contains(name));
            own.sort_unstable();
            write_series(&mut metric, (family, ""), own.into_iter());
        }
        if metric != self.metric {
            self.end(reading);
            self.metric = metric;
        }
        let is_start = suffix == Some("_created");
        if is_start {
            let ms = (value * 1000.0).round();
            self.start = ms.is_finite().then(|| Timestamp::from_ms(ms as i64));
        }
        is_start
    }

    /// The sample stands in that line.
    pub(super) fn add(&mut self, line: usize) {
        if !self.metric.is_empty() {
            self.lines.push(line);
        }
    }

    /// The metric ends.
    pub(super) fn end(&mut self, reading: &mut Reading) {
        let Self { lines, start, .. } = std::mem::take(self);
        if let Some(start) = start {
            reading.starts.extend(lines.into_iter().map(|line| (line, start)));
        }
    }
}
