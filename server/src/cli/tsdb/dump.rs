//! `inferometer tsdb dump`: the samples as text, one series after the other, in label order.
//!
//! OpenMetrics text that [`import`](super::import) and promtool load again, or the lines of
//! `promtool tsdb dump`. OpenMetrics has no words for a native histogram (left out) or for the
//! staleness marker (an ordinary NaN); the end says how many of them there were.
//!
//! Several series are read together, for neighbours lie in the same windows. What is held is
//! bounded: where their text grows too long they are read anew, one by one, each batch written
//! as it comes.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::ops::Range;
use std::process::ExitCode;

use indicatif::ProgressBar;
use tsdb::model::labels::{METRIC_NAME, is_legacy_metric_name, is_legacy_name};
use tsdb::model::number::format_general;
use tsdb::model::{Histogram, Labels, Matcher, TimeRange, Timestamp};
use tsdb::select::Values;
use tsdb::{BatchColumn, Db, Select, Selection};

use crate::flags::{DumpFlags, DumpFormat};

/// Series that are read together.
const TOGETHER: usize = 64;
/// Bytes of text that are held before series are read one by one.
const HELD_BYTES_MAX: usize = 64 << 20;

/// Writes the samples to stdout; exit code 1 if some are left out.
pub(super) fn run(flags: &DumpFlags) -> anyhow::Result<ExitCode> {
    let sets = super::matchers(&flags.matchers)?;
    let (db, recovery) = super::open_read_only(&flags.dir)?;
    let is_whole = super::is_whole(&recovery);
    let start = Timestamp::from_ms(flags.min_time);
    let range = TimeRange::new(start, Timestamp::from_ms(flags.max_time));
    let out = BufWriter::new(io::stdout().lock());
    let mut dump = Dump { db: &db, range, format: flags.format, out, lost: Lost::default() };
    match dump.all(&sets) {
        Err(error) if is_closed_pipe(&error) => return Ok(ExitCode::SUCCESS),
        done => done?,
    }
    Ok(super::exit_code(dump.lost.is_told() && is_whole))
}

/// Whether the reader of stdout has seen enough.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

/// What OpenMetrics has no words for.
#[derive(Clone, Copy, Default)]
struct Lost {
    histograms: u64,
    stale: u64,
    times: u64,
}

impl Lost {
    /// Says so on stderr; whether nothing was left out.
    fn is_told(self) -> bool {
        let rows = [
            (self.histograms, "native histograms were left out: the format has none"),
            (self.times, "samples were left out: the format cannot tell their times"),
            (self.stale, "staleness markers were written as NaN"),
        ];
        for (count, what) in rows.iter().filter(|(count, _)| *count > 0) {
            eprintln!("inferometer: {count} {what}");
        }
        self.histograms + self.times == 0
    }

    fn add(&mut self, other: Self) {
        self.histograms += other.histograms;
        self.stale += other.stale;
        self.times += other.times;
    }
}

struct Dump<'a, W: Write> {
    db: &'a Db,
    range: TimeRange,
    format: DumpFormat,
    out: W,
    lost: Lost,
}

impl<W: Write> Dump<'_, W> {
    fn all(&mut self, sets: &[Vec<Matcher>]) -> anyhow::Result<()> {
        let one = if let [set] = sets { set.as_slice() } else { &[] };
        let selection = self.db.resolve(self.range, one)?;
        let bar = super::progress(selection.series.len() as u64, "series");
        if io::stdout().is_terminal() {
            bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
        }
        self.runs(&selection, sets, &bar)?;
        bar.finish_and_clear();
        if self.format == DumpFormat::Openmetrics {
            self.out.write_all(b"# EOF\n")?;
        }
        Ok(self.out.flush()?)
    }

    /// Neighbours of which all are wanted are read together.
    fn runs(
        &mut self,
        selection: &Selection,
        sets: &[Vec<Matcher>],
        bar: &ProgressBar,
    ) -> anyhow::Result<()> {
        let is_wanted = |at: usize| {
            let labels = &selection.series[at].labels;
            let has_all = |set: &Vec<Matcher>| set.iter().all(|own| own.matches_labels(labels));
            sets.len() < 2 || sets.iter().any(has_all)
        };
        let count = selection.series.len();
        let mut at = 0;
        while at < count {
            let run = (at..count).take(TOGETHER).take_while(|own| is_wanted(*own)).count();
            self.run(selection, at..at + run)?;
            at += run.max(1);
            bar.set_position(at as u64);
        }
        Ok(())
    }

    fn run(&mut self, selection: &Selection, run: Range<usize>) -> anyhow::Result<()> {
        let run: Vec<usize> = run.collect();
        if run.len() > 1 && self.together(&selection.pick(&run))? {
            return Ok(());
        }
        run.iter().try_for_each(|at| self.alone(&selection.pick(&[*at])))
    }

    /// `false`, with nothing written, if it is too much.
    fn together(&mut self, part: &Selection) -> anyhow::Result<bool> {
        let mut texts: Vec<_> = part.series.iter().map(|own| self.text(&own.labels)).collect();
        let mut batches = self.db.read(part, self.range)?;
        let mut is_more = true;
        while is_more {
            is_more = batches.next(&mut |batch| {
                for column in batch.columns {
                    if let Some(text) = texts.get_mut(column.series) {
                        text.add(batch.timestamps, column);
                    }
                }
            })?;
            if texts.iter().map(|text| text.lines.len()).sum::<usize>() > HELD_BYTES_MAX {
                return Ok(false);
            }
        }
        for text in texts {
            self.lost.add(text.lost);
            self.out.write_all(text.lines.as_bytes())?;
        }
        Ok(true)
    }

    fn alone(&mut self, part: &Selection) -> anyhow::Result<()> {
        let Some(series) = part.series.first() else { return Ok(()) };
        let mut text = self.text(&series.labels);
        let mut batches = self.db.read(part, self.range)?;
        let mut is_more = true;
        while is_more {
            is_more = batches.next(&mut |batch| {
                for column in batch.columns {
                    text.add(batch.timestamps, column);
                }
            })?;
            self.out.write_all(text.lines.as_bytes())?;
            text.lines.clear();
        }
        self.lost.add(text.lost);
        Ok(())
    }

    fn text(&self, labels: &Labels) -> SeriesText {
        let (format, lost) = (self.format, Lost::default());
        let head = match format {
            DumpFormat::Openmetrics => open_metrics(labels),
            DumpFormat::Promtool => labels.to_string(),
        };
        SeriesText { format, head, lines: String::new(), lost }
    }
}

/// The lines of one series.
struct SeriesText {
    format: DumpFormat,
    /// Name and labels.
    head: String,
    lines: String,
    lost: Lost,
}

impl SeriesText {
    fn add(&mut self, timestamps: &[i64], column: &BatchColumn<'_>) {
        let (floats, histograms) = match column.values {
            Values::Floats(floats) => (floats, None),
            Values::Mixed(floats, histograms) => (floats, Some(histograms)),
        };
        for (row, (timestamp, value)) in timestamps.iter().zip(floats).enumerate() {
            if column.present.is_some_and(|present| !present.contains(row)) {
                continue;
            }
            let is_stale = column.stale.is_some_and(|stale| stale.contains(row));
            let histogram = histograms.and_then(|own| own.get(row)?.as_deref());
            match histogram.filter(|_| !is_stale) {
                Some(histogram) => self.add_histogram(*timestamp, histogram),
                None => self.add_float(*timestamp, *value, is_stale),
            }
        }
    }

    fn add_histogram(&mut self, timestamp: i64, histogram: &Histogram) {
        match self.format {
            DumpFormat::Openmetrics => self.lost.histograms += 1,
            DumpFormat::Promtool => self.line(&histogram.to_string(), &timestamp.to_string()),
        }
    }

    fn add_float(&mut self, timestamp: i64, value: f64, is_stale: bool) {
        let time = match self.format {
            DumpFormat::Promtool => Some(timestamp.to_string()),
            DumpFormat::Openmetrics => seconds(timestamp),
        };
        let Some(time) = time else {
            self.lost.times += 1;
            return;
        };
        self.lost.stale += u64::from(is_stale && self.format == DumpFormat::Openmetrics);
        self.line(&format_general(value), &time);
    }

    fn line(&mut self, value: &str, time: &str) {
        for part in [&self.head, " ", value, " ", time, "\n"] {
            self.lines.push_str(part);
        }
    }
}

/// Name and labels as OpenMetrics writes them.
fn open_metrics(labels: &Labels) -> String {
    let name = labels.metric_name().unwrap_or("");
    let is_plain = is_legacy_metric_name(name);
    let quoted = (!is_plain).then(|| format!("\"{}\"", escaped(name)));
    let pairs = labels.iter().filter(|(own, _)| *own != METRIC_NAME).map(|(own, value)| {
        let value = escaped(value);
        if is_legacy_name(own) {
            format!("{own}=\"{value}\"")
        } else {
            format!("\"{}\"=\"{value}\"", escaped(own))
        }
    });
    let inside: Vec<_> = quoted.into_iter().chain(pairs).collect();
    let before = if is_plain { name } else { "" };
    if inside.is_empty() { before.to_owned() } else { format!("{before}{{{}}}", inside.join(",")) }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"")
}

/// The time in seconds, so that a reader who multiplies by 1000 and cuts gets it back: with more
/// than three decimals where these would give a millisecond less. `None` where no float does.
fn seconds(ms: i64) -> Option<String> {
    let text = Timestamp::from_ms(ms).to_string();
    let is_read_back = |seconds: f64| (seconds * 1000.0) as i64 == ms;
    let near: f64 = text.parse().ok()?;
    if is_read_back(near) {
        return Some(text);
    }
    let others = [near.next_up(), near.next_down()];
    others.into_iter().find(|other| is_read_back(*other)).map(|other| other.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_back() {
        for ms in (0..100_000).chain(1_700_000_000_000..1_700_000_100_000) {
            for ms in [ms, -ms] {
                let text = seconds(ms).unwrap_or_else(|| panic!("{ms}"));
                let read: f64 = text.parse().unwrap_or(f64::NAN);
                assert_eq!((read * 1000.0) as i64, ms, "{text}");
            }
        }
        let rows = [(0, "0.000"), (1_500, "1.500"), (-1, "-0.001"), (1_001, "1.0010000000000001")];
        for (ms, text) in rows {
            assert_eq!(seconds(ms).as_deref(), Some(text), "{ms}");
        }
    }

    #[test]
    fn names_and_labels() {
        let rows: [(&[(&str, &str)], &str); 5] = [
            (&[("__name__", "a:b")], "a:b"),
            (&[("__name__", "a"), ("b", "x\\y\"z\n")], r#"a{b="x\\y\"z\n"}"#),
            (&[("__name__", "a.b")], r#"{"a.b"}"#),
            (&[("__name__", "a.b"), ("c", "d")], r#"{"a.b",c="d"}"#),
            (&[("__name__", "a"), ("c.d", "e"), ("f", "g")], r#"a{"c.d"="e",f="g"}"#),
        ];
        for (pairs, text) in rows {
            assert_eq!(open_metrics(&Labels::from_pairs(pairs.iter().copied())), text);
        }
    }
}
