//! Reading a page: lines become cells. Nothing here touches the store.
//!
//! 1. As long as the page goes on as the last one did (`layout`), nothing is parsed but numbers.
//! 2. From the first difference on each line is still compared with the one that should come next;
//!    one that differs is parsed, and looked for among the lines of the last page by its series. A
//!    series that was not there is resolved (`resolve`). The lines make a new layout.

use super::layout::{Fate, Layout, NewLayout, Place, Walk};
use super::reading::{Late, LateValue, Reading};
use super::{Ingest, IngestError};
use crate::job::Job;
use crate::parse::{Entry, Format, PageFormat, Parser, Sample, Values};

impl Ingest {
    pub(super) fn read(
        &mut self,
        body: &[u8],
        format: Format,
        reading: &mut Reading,
    ) -> Result<(), IngestError> {
        self.families.begin();
        if self.layout.format != Some(PageFormat::Lines(format)) {
            self.layout = Layout::default();
        }
        let mut parser = Parser::new(body, format);
        let reached = self.read_known(&mut parser, reading);
        let is_same = self.layout.format.is_some() && self.layout.line(reached).is_none();
        if is_same && body[parser.offset()..] == *self.layout.tail {
            self.families.pass();
            return Ok(());
        }
        let layout = std::mem::take(&mut self.layout);
        let read = self.read_on(&mut parser, body, (&layout, reached), format, reading);
        self.layout = layout;
        read
    }

    /// Reads as long as the page is what it was; returns the place of the line that differs.
    fn read_known(&mut self, parser: &mut Parser<'_>, reading: &mut Reading) -> Place {
        let mut number = 0;
        for (text, _) in self.layout.lines() {
            let from = parser.offset();
            let fate = self.layout.fates[number];
            let known = parser.skip(text)
                && match parser.plain_value() {
                    Some(value) => note_plain(fate, value, reading),
                    None => parser.values().is_ok_and(|values| {
                        let has_labels = |place| self.labels.contains_key(&place);
                        note(&self.job, (number, fate), values, has_labels, reading)
                    }),
                };
            if !known {
                parser.rewind(from);
                break;
            }
            reading.counts.scraped += 1;
            number += 1;
        }
        self.layout.place(number)
    }

    /// Reads the rest of a page that differs from `old` at place `reached`, or behind it.
    fn read_on<'p>(
        &mut self,
        parser: &mut Parser<'p>,
        body: &'p [u8],
        (old, reached): (&Layout, Place),
        format: Format,
        reading: &mut Reading,
    ) -> Result<(), IngestError> {
        let mut layout = NewLayout::new(PageFormat::Lines(format));
        for ((text, series), fate) in old.lines().zip(&old.fates).take(reached.number) {
            self.families.learn_all(&text[..series], format);
            layout.push(text, series, *fate);
        }
        let mut walk = Walk::new(old, reached);
        loop {
            let from = parser.offset();
            if let Some((text, series)) = walk.next()
                && parser.skip(text)
                && let Ok(values) = parser.values()
            {
                self.families.learn_all(&text[..series], format);
                let line = layout.push(text, series, walk.pass());
                self.sample(line, &text[series..], values, &mut layout, reading)?;
                continue;
            }
            parser.rewind(from);
            let Some(sample) = self.next_sample(parser, format)? else {
                layout.tail = body[from..].to_vec();
                break;
            };
            let Sample { series, begins, value, timestamp, exemplar, .. } = sample;
            let text = &body[from..begins + series.bytes().len()];
            let line = layout.push(text, begins - from, walk.find(series.bytes()));
            let values = Values { value, timestamp, exemplar };
            self.sample(line, series.bytes(), values, &mut layout, reading)?;
        }
        reading.layout = Some(layout);
        Ok(())
    }

    /// The next sample; the comments before it are learnt.
    fn next_sample<'p>(
        &mut self,
        parser: &mut Parser<'p>,
        format: Format,
    ) -> Result<Option<Sample<'p>>, IngestError> {
        loop {
            match parser.next(b"")? {
                Some(Entry::Sample(sample)) => return Ok(Some(sample)),
                Some(comment) => self.families.learn(&comment, format),
                None => return Ok(None),
            }
        }
    }

    /// Takes a sample whose series may be new.
    pub(super) fn sample(
        &mut self,
        line: usize,
        series: &[u8],
        values: Values<'_>,
        layout: &mut NewLayout,
        reading: &mut Reading,
    ) -> Result<(), IngestError> {
        let own_time = values.timestamp.is_some() && self.job.honor_timestamps;
        reading.counts.scraped += 1;
        let fate = self.decide(layout.fates[line], line, series, own_time, reading)?;
        layout.fates[line] = fate;
        if own_time || values.exemplar.is_some() {
            self.keep_labels((line, fate), series, reading)?;
        }
        note(&self.job, (line, fate), values, |_| true, reading);
        Ok(())
    }
}

/// Takes a number without anything else; `false` if more is to be done about it.
fn note_plain(fate: Fate, value: f64, reading: &mut Reading) -> bool {
    match fate {
        Fate::Column(place) => {
            reading.fill(place, value);
            reading.counts.after_relabel += 1;
        }
        Fate::Dropped => {}
        Fate::Loose(_) | Fate::Fresh => return false,
    }
    true
}

/// Takes a sample whose fate is known; `false` (and nothing done) if more is to be done about it.
fn note(
    job: &Job,
    (line, fate): (usize, Fate),
    values: Values<'_>,
    has_labels: impl Fn(u32) -> bool,
    reading: &mut Reading,
) -> bool {
    let Values { value, timestamp, exemplar } = values;
    let timestamp = timestamp.filter(|_| job.honor_timestamps);
    let is_plain = timestamp.is_none() && exemplar.is_none();
    let late = LateValue::Float(value);
    let late = Late { line, value: late, timestamp, is_new: fate == Fate::Fresh };
    match fate {
        Fate::Dropped => return true,
        Fate::Column(place) if !is_plain && !has_labels(place) => return false,
        Fate::Loose(_) if timestamp.is_none() => return false,
        // Behind a new series, which may turn out to be the same one, all keep their order.
        Fate::Column(place) if timestamp.is_none() && reading.fresh.is_empty() => {
            reading.fill(place, value);
        }
        Fate::Column(_) | Fate::Loose(_) | Fate::Fresh => reading.late.push(late),
    }
    reading.counts.after_relabel += 1;
    if let Some(exemplar) = exemplar {
        reading.add_exemplar(line, exemplar, timestamp);
    }
    true
}
