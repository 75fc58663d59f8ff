//! Reading a protobuf page: its samples become series and cells as those of text do.
//!
//! There is no short way for a page that is as before: this format is asked for only where native
//! histograms are wanted.

use super::histogram::{ClassicPart, Gathered, HistogramSample, series_of};
use super::layout::Layout;
use super::lines::Lines;
use super::reading::Reading;
use super::{Ingest, IngestError};
use crate::parse::protobuf::{Family, Metric, NativeOptions, Point, PointValue, families};
use crate::parse::{Label, PageFormat, ProtobufError, Values};

/// What stands before the first series of a family, so that a part begins there.
const BEGIN: &[u8] = b"#\n";

impl Ingest {
    pub(super) fn read_protobuf(
        &mut self,
        body: &[u8],
        reading: &mut Reading,
    ) -> Result<(), IngestError> {
        self.families.begin();
        if self.layout.format != Some(PageFormat::Protobuf) {
            self.layout = Layout::default();
        }
        let old = std::mem::take(&mut self.layout);
        let mut lines = Lines::new(&old, PageFormat::Protobuf);
        let read = self.read_families(body, &mut lines, reading);
        reading.layout = Some(lines.finish());
        self.layout = old;
        read
    }

    fn read_families(
        &mut self,
        body: &[u8],
        lines: &mut Lines<'_>,
        reading: &mut Reading,
    ) -> Result<(), IngestError> {
        let options = NativeOptions {
            native: self.job.histograms.native,
            classic_too: self.job.histograms.classic_too,
        };
        for family in families(body) {
            let family = family?;
            self.families.declare(family.name, family.kind, family.unit, family.help);
            let mut begin = BEGIN;
            for metric in family.metrics() {
                let metric = metric?;
                let labels: Vec<_> = metric.labels().collect::<Result<_, ProtobufError>>()?;
                let (mut gathered, mut is_native) = (None, false);
                metric.points(options, &mut |point| {
                    is_native |= matches!(point.value, PointValue::Histogram(_));
                    let converts = self.job.histograms.to_custom && !is_native;
                    let is_part =
                        converts && gather(&family, &labels, &metric, &point, &mut gathered);
                    if is_part && !self.job.histograms.classic_too {
                        return Ok(());
                    }
                    lines.begin(std::mem::take(&mut begin));
                    let own = point.label.as_ref().map(|(name, value)| (*name, value.as_str()));
                    let all = labels.iter().copied().chain(own);
                    lines.write_series((family.name, point.suffix), all);
                    self.point(&metric, point, lines, reading)
                })?;
                self.gathered(gathered, lines, reading)?;
            }
        }
        Ok(())
    }

    fn point(
        &mut self,
        metric: &Metric<'_>,
        mut point: Point<'_>,
        lines: &mut Lines<'_>,
        reading: &mut Reading,
    ) -> Result<(), IngestError> {
        let (timestamp, start) = (metric.timestamp, point.start);
        let taken = match point.value {
            PointValue::Float(value) => {
                let values = Values { value, timestamp, exemplar: point.exemplars.pop() };
                let line = lines.put();
                let (series, layout) = lines.parts();
                self.sample(line, series, values, layout, reading)
            }
            PointValue::Histogram(histogram) => {
                let exemplars = point.exemplars;
                let sample = HistogramSample { histogram: *histogram, timestamp, exemplars };
                self.histogram(sample, lines, reading)
            }
        };
        if let Some(start) = start.filter(|_| self.job.reads_starts()) {
            let (_, layout) = lines.parts();
            reading.starts.extend(layout.fates.len().checked_sub(1).map(|line| (line, start)));
        }
        taken
    }
}

/// Adds a sample to the classic histogram that it is a part of; `false` if it is no such part.
fn gather<'p>(
    family: &Family<'p>,
    labels: &[(&'p str, &'p str)],
    metric: &Metric<'p>,
    point: &Point<'p>,
    gathered: &mut Option<Gathered<'p>>,
) -> bool {
    let PointValue::Float(value) = point.value else { return false };
    let name = format!("{}{}", family.name, point.suffix);
    let own = point.label.iter().map(|(name, value)| (*name, value.as_str()));
    let all: Vec<Label<'_>> = labels
        .iter()
        .copied()
        .chain(own)
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let part = ClassicPart::of(&name, &all, (family.name, family.kind));
    if let Some(part) = part {
        let gathered = gathered.get_or_insert_with(|| Gathered::new(series_of(family.name, all)));
        let exemplar = point.exemplars.first().cloned();
        gathered.add(part, &Values { value, timestamp: metric.timestamp, exemplar });
    }
    part.is_some()
}
