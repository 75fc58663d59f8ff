//! Reading a page of text on which lines belong together: classic histograms that become native
//! ones, and counters whose start is told in a line of its own.
//!
//! Every line is parsed and decoded each time: which lines belong together depends on their
//! labels. Only jobs that ask for one of the two pay for that.

use super::histogram::{ClassicPart, Gathered, series_of};
use super::layout::Layout;
use super::lines::Lines;
use super::reading::Reading;
use super::started::Started;
use super::{Ingest, IngestError};
use crate::parse::{Entry, Format, Label, PageFormat, Parser, Sample, Values};

impl Ingest {
    pub(super) fn read_together(
        &mut self,
        body: &[u8],
        format: Format,
        reading: &mut Reading,
    ) -> Result<(), IngestError> {
        self.families.begin();
        if self.layout.format != Some(PageFormat::Lines(format)) {
            self.layout = Layout::default();
        }
        let old = std::mem::take(&mut self.layout);
        let mut lines = Lines::new(&old, PageFormat::Lines(format));
        let read = self.read_entries(body, format, &mut lines, reading);
        reading.layout = Some(lines.finish());
        self.layout = old;
        read
    }

    fn read_entries(
        &mut self,
        body: &[u8],
        format: Format,
        lines: &mut Lines<'_>,
        reading: &mut Reading,
    ) -> Result<(), IngestError> {
        let mut gathered: Option<Gathered<'_>> = None;
        let mut started = Started::default();
        let has_starts = self.job.reads_starts() && format == Format::OpenMetrics;
        let mut before: &[u8] = b"";
        for entry in Parser::new(body, format) {
            let sample = match entry? {
                Entry::Sample(sample) => sample,
                comment => {
                    self.gathered(gathered.take(), lines, reading)?;
                    started.end(reading);
                    self.families.learn(&comment, format);
                    before = b"#\n";
                    continue;
                }
            };
            let Sample { series, value, timestamp, exemplar, .. } = sample;
            let values = Values { value, timestamp, exemplar };
            let (name, labels) = crate::parse::series::decode(series.bytes());
            if has_starts {
                let family = self.families.current();
                if started.begin((&name, &labels), family, values.value, reading) {
                    reading.counts.scraped += 1;
                    continue;
                }
            }
            if self.job.histograms.to_custom
                && self.gather((&name, labels), &values, &mut gathered, lines, reading)?
                && !self.job.histograms.classic_too
            {
                continue;
            }
            lines.begin(std::mem::take(&mut before));
            lines.write(series.bytes());
            let line = lines.put();
            let (series, layout) = lines.parts();
            self.sample(line, series, values, layout, reading)?;
            started.add(line);
        }
        started.end(reading);
        self.gathered(gathered, lines, reading)
    }

    /// Adds a sample to the classic histogram that it is a part of, after that before it has ended;
    /// `false` if it is no such part.
    fn gather<'p>(
        &mut self,
        (name, labels): (&str, Vec<Label<'_>>),
        values: &Values<'p>,
        gathered: &mut Option<Gathered<'p>>,
        lines: &mut Lines<'_>,
        reading: &mut Reading,
    ) -> Result<bool, IngestError> {
        let family = self.families.current();
        let part = ClassicPart::of(name, &labels, family);
        let Some(part) = part else {
            self.gathered(gathered.take(), lines, reading)?;
            return Ok(false);
        };
        let key = series_of(family.0, labels);
        if gathered.as_ref().is_some_and(|own| own.series != key) {
            self.gathered(gathered.take(), lines, reading)?;
        }
        gathered.get_or_insert_with(|| Gathered::new(key)).add(part, values);
        Ok(true)
    }
}
