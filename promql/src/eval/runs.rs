//! Runs: the samples of each series of a selection, gathered from the store's batches.
//!
//! Series that are scraped together have the same timestamps; so timestamps stand in **timelines**
//! that runs share, and what depends on timestamps alone (which samples a window holds) is
//! computed once for all of them. A run uses the first `len` timestamps of its timeline. Samples
//! that differ make a run take a timeline of its own:
//! 1. If the run's timeline goes on with exactly these timestamps, the values are added.
//! 2. If the run is as long as its timeline, the timeline is made longer first.
//! 3. Otherwise the timeline is copied up to the run's length and made longer.
//!
//! A run without samples first tries the timeline of the column before it.
//!
//! Neighbouring buckets of a histogram often have the same counts, at all times. A run that had
//! the samples of another one so far, and in a batch again, **repeats** it: no values are copied,
//! and what is computed of the one is the other's too. When the two part, the values are copied.

use std::ops::Range;
use std::sync::Arc;

use tsdb::model::histogram::CounterResetHint;
use tsdb::model::{Histogram, TimeRange};
use tsdb::select::{Batch, BatchColumn, RowBits, Values};
use tsdb::{Select, Selection};

use super::column::{Cell, histogram_weight};
use super::series::StepVector;
use crate::budget::Meter;
use crate::error::EvalError;
use crate::value::Steps;

/// Samples of one series, in order of time.
#[derive(Debug, Default)]
struct Run {
    timeline: Option<usize>,
    floats: Vec<f64>,
    /// It has no floats of its own, but the first ones of another run, which are all floats: that
    /// run, which repeats none, and how many.
    repeats: Option<(usize, usize)>,
    /// There if a histogram is.
    histograms: Option<Vec<Option<Arc<Histogram>>>>,
    /// Start timestamps, there if a sample has one.
    starts: Option<Vec<i64>>,
}

/// What is read of series.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Also staleness markers.
    pub(crate) stale: bool,
    /// Of native histograms, no more than count, sum and resets.
    pub(crate) counts_only: bool,
    /// What native histograms may count for in a budget.
    pub(crate) histograms_max: usize,
    /// Of each series, nobody looks at another sample than the last.
    pub(crate) newest_only: bool,
}

/// No start timestamp.
const NO_START: i64 = i64::MIN;

/// The samples of all series of a selection. The buffers are used again for the next one.
#[derive(Debug, Default)]
pub(crate) struct Runs {
    timelines: Vec<Vec<i64>>,
    runs: Vec<Run>,
    /// Timeline that the column before used.
    latest: Option<usize>,
    /// What the column before had (timeline and length) when it took a range of the batch's
    /// timestamps, which range, and the timeline it has since.
    taken: Option<(Option<usize>, usize, Range<usize>, usize)>,
    /// What the native histograms count for in a budget.
    histogram_weight: usize,
    /// The largest number of samples that a run had: the next one has about as many.
    longest: usize,
    scratch: Vec<i64>,
}

/// The run of a batch's column, as it was before.
#[derive(Clone, Copy)]
struct Before {
    run: usize,
    repeats: Option<(usize, usize)>,
    len: usize,
}

/// Samples of a series, borrowed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Samples<'a> {
    /// Milliseconds, strictly rising.
    pub(crate) timestamps: &'a [i64],
    /// As many values; what stands where a histogram is means nothing.
    pub(crate) floats: &'a [f64],
    histograms: Option<&'a [Option<Arc<Histogram>>]>,
    starts: Option<&'a [i64]>,
}

/// The float samples of a series that has histograms too.
pub(crate) struct FloatsOnly {
    timestamps: Vec<i64>,
    floats: Vec<f64>,
    starts: Option<Vec<i64>>,
}

impl FloatsOnly {
    /// The samples at `indexes`, which are floats.
    pub(crate) fn new(all: &Samples<'_>, indexes: &[usize]) -> Self {
        let starts = |starts: &[i64]| indexes.iter().map(|index| starts[*index]).collect();
        Self {
            timestamps: indexes.iter().map(|index| all.timestamps[*index]).collect(),
            floats: indexes.iter().map(|index| all.floats[*index]).collect(),
            starts: all.starts.map(starts),
        }
    }

    pub(crate) fn samples(&self) -> Samples<'_> {
        let Self { timestamps, floats, starts } = self;
        Samples { timestamps, floats, histograms: None, starts: starts.as_deref() }
    }
}

impl<'a> Samples<'a> {
    pub(crate) fn has_histograms(&self) -> bool {
        self.histograms.is_some()
    }

    pub(crate) fn histogram(&self, index: usize) -> Option<&'a Arc<Histogram>> {
        self.histograms?[index].as_ref()
    }

    pub(crate) fn cell(&self, index: usize) -> Cell<'a> {
        match self.histogram(index) {
            Some(histogram) => Cell::Histogram(histogram),
            None => Cell::Float(self.floats[index]),
        }
    }

    /// When the counter behind the sample started, in milliseconds, if that is known.
    pub(crate) fn start(&self, index: usize) -> Option<i64> {
        self.starts.map(|starts| starts[index]).filter(|start| *start != NO_START)
    }

    pub(crate) fn has_starts(&self) -> bool {
        self.starts.is_some()
    }

    /// The samples `from..to`.
    pub(crate) fn slice(&self, from: usize, to: usize) -> Self {
        Self {
            timestamps: &self.timestamps[from..to],
            floats: &self.floats[from..to],
            histograms: self.histograms.map(|histograms| &histograms[from..to]),
            starts: self.starts.map(|starts| &starts[from..to]),
        }
    }
}

impl Runs {
    /// Reads the samples of `selection` in `range` instead of what was here. `false`, with a part
    /// of them read, if native histograms count for more than `wanted` allows.
    pub(crate) fn read(
        &mut self,
        select: &dyn Select,
        selection: &Selection,
        range: TimeRange,
        wanted: Wanted,
        meter: &Meter<'_>,
    ) -> Result<bool, EvalError> {
        self.timelines.clear();
        self.histogram_weight = 0;
        self.runs.iter_mut().for_each(Run::clear);
        self.runs.resize_with(selection.series.len(), Run::default);
        let mut batches = match wanted.newest_only {
            true => select.read_newest(selection, range)?,
            false => select.read(selection, range)?,
        };
        while batches.next(&mut |batch| self.add_batch(&batch, wanted.stale))? {
            meter.check()?;
            if self.histogram_weight > wanted.histograms_max {
                return Ok(false);
            }
        }
        if wanted.counts_only {
            self.runs.iter_mut().for_each(Run::keep_counts);
        }
        Ok(true)
    }

    /// Number of samples.
    pub(crate) fn samples_count(&self) -> usize {
        self.runs.iter().map(Run::len).sum()
    }

    /// The values of a vector at each step, as samples. The same sample may come several times, or
    /// not at all, so that what histograms say about resets since the one before is void.
    pub(crate) fn from_steps(vector: &StepVector, steps: &Steps) -> Self {
        let mut runs = Self::default();
        let times: Vec<i64> = steps.times().map(|time| time.ms()).collect();
        for series in vector {
            let mut run = Run::default();
            let present = series.column.present();
            if present.is_full() {
                runs.adopt_timeline(&mut run, &times);
            } else {
                let own: Vec<i64> = present.iter().map(|step| times[step]).collect();
                runs.adopt_timeline(&mut run, &own);
            }
            for (at, (_, cell)) in series.column.cells().enumerate() {
                match cell {
                    Cell::Float(value) => run.push(value, None),
                    Cell::Histogram(histogram) => {
                        run.push(0.0, Some((at, without_reset_hint(histogram))));
                    }
                }
            }
            runs.runs.push(run);
        }
        runs
    }

    /// The samples of series `index`.
    pub(crate) fn samples(&self, index: usize) -> Samples<'_> {
        let run = &self.runs[index];
        let len = run.len();
        Samples {
            timestamps: run.timeline.map_or(&[], |timeline| &self.timelines[timeline][..len]),
            floats: run.repeats.map_or(&run.floats, |(other, _)| &self.runs[other].floats[..len]),
            histograms: run.histograms.as_deref(),
            starts: run.starts.as_deref(),
        }
    }

    /// What identifies the timestamps of series `index` within these runs: equal keys, equal
    /// timestamps.
    pub(crate) fn timeline_key(&self, index: usize) -> (Option<usize>, usize) {
        (self.runs[index].timeline, self.runs[index].len())
    }

    /// A series that has the very samples of series `index`, all of them floats.
    pub(crate) fn repeated(&self, index: usize) -> Option<usize> {
        let (other, len) = self.runs[index].repeats?;
        let run = &self.runs[other];
        let is_same = run.floats.len() == len && run.histograms.is_none() && run.starts.is_none();
        is_same.then_some(other)
    }

    fn add_batch(&mut self, batch: &Batch<'_>, with_stale: bool) {
        self.latest = None;
        self.taken = None;
        let mut before: Option<Before> = None;
        for column in batch.columns {
            let earlier = before.replace(self.before(column.series));
            if let Values::Mixed(_, histograms) = column.values {
                let weights = histograms.iter().flatten().map(|own| histogram_weight(own));
                self.histogram_weight += weights.sum::<usize>();
            }
            let mut run = std::mem::take(&mut self.runs[column.series]);
            match wanted_rows(batch, column, with_stale) {
                Rows::Range(rows) => {
                    let repeated = earlier.filter(|_| column.repeats);
                    let repeated = repeated.and_then(|own| self.repeated_by(&run, own));
                    self.take_rows(&mut run, batch.timestamps, rows.clone());
                    match repeated {
                        Some(other) => run.repeats = Some((other, run.len() + rows.len())),
                        None => {
                            self.copy_repeated(&mut run);
                            run.floats.reserve(self.longest.saturating_sub(run.floats.len()));
                            run.extend(column, &Rows::Range(rows));
                            self.longest = self.longest.max(run.floats.len());
                        }
                    }
                }
                rows @ Rows::List(_) => {
                    self.copy_repeated(&mut run);
                    self.add_some_rows(&mut run, batch, column, rows);
                }
            }
            self.runs[column.series] = run;
        }
    }

    fn before(&self, run: usize) -> Before {
        let own = &self.runs[run];
        Before { run, repeats: own.repeats, len: own.len() }
    }

    /// The run that `run` repeats from now on if the column before it in the batch, which is as it
    /// was `before` and has grown since, has the same cells: none if the two differed already.
    fn repeated_by(&self, run: &Run, before: Before) -> Option<usize> {
        let was_same = match run.repeats {
            None => run.len() == 0 && before.len == 0,
            own => own == before.repeats || own == Some((before.run, before.len)),
        };
        let other = self.runs[before.run].repeats.map_or(before.run, |(other, _)| other);
        was_same.then_some(other)
    }

    /// Gives a run that repeats another one values of its own.
    fn copy_repeated(&self, run: &mut Run) {
        if let Some((other, len)) = run.repeats.take() {
            run.floats.extend_from_slice(&self.runs[other].floats[..len]);
        }
    }

    fn add_some_rows(
        &mut self,
        run: &mut Run,
        batch: &Batch<'_>,
        column: &BatchColumn<'_>,
        rows: Rows,
    ) {
        let mut timestamps = std::mem::take(&mut self.scratch);
        timestamps.clear();
        rows.copy(batch.timestamps, &mut timestamps);
        self.adopt_timeline(run, &timestamps);
        run.extend(column, &rows);
        self.scratch = timestamps;
    }

    /// Makes the run's timeline go on with a range of a batch's timestamps; nearly always as that of
    /// the column before did.
    fn take_rows(&mut self, run: &mut Run, timestamps: &[i64], rows: Range<usize>) {
        let (before, len) = (run.timeline, run.len());
        match &self.taken {
            Some((own, its, range, timeline)) if (*own, *its, range) == (before, len, &rows) => {
                run.timeline = Some(*timeline);
            }
            _ => {
                self.adopt_timeline(run, &timestamps[rows.clone()]);
                self.taken = run.timeline.map(|timeline| (before, len, rows, timeline));
            }
        }
    }

    /// Makes the run's timeline go on with `timestamps`.
    fn adopt_timeline(&mut self, run: &mut Run, timestamps: &[i64]) {
        if timestamps.is_empty() {
            return;
        }
        let len = run.len();
        let own = if len == 0 { self.latest } else { run.timeline };
        let timeline = match own {
            Some(at) if self.timelines[at][len..].starts_with(timestamps) => at,
            Some(at) if self.timelines[at].len() == len => {
                self.timelines[at].extend_from_slice(timestamps);
                at
            }
            other => {
                let before = other.map_or(&[][..], |at| &self.timelines[at][..len]);
                self.timelines.push([before, timestamps].concat());
                self.timelines.len() - 1
            }
        };
        run.timeline = Some(timeline);
        self.latest = Some(timeline);
    }
}

fn without_reset_hint(histogram: &Arc<Histogram>) -> Arc<Histogram> {
    match histogram.counter_reset_hint {
        CounterResetHint::Gauge | CounterResetHint::Unknown => Arc::clone(histogram),
        CounterResetHint::Reset | CounterResetHint::NotReset => {
            let counter_reset_hint = CounterResetHint::Unknown;
            Arc::new(Histogram { counter_reset_hint, ..Histogram::clone(histogram) })
        }
    }
}

impl Run {
    fn clear(&mut self) {
        let Self { timeline, floats, repeats, histograms, starts } = self;
        (*timeline, *repeats, *histograms, *starts) = (None, None, None, None);
        floats.clear();
    }

    /// Number of samples.
    fn len(&self) -> usize {
        self.repeats.map_or(self.floats.len(), |(_, len)| len)
    }

    /// Leaves nothing of native histograms but count, sum, schema (whether two can be added) and a
    /// hint, which says about resets what the buckets would have said.
    fn keep_counts(&mut self) {
        let mut before: Option<Arc<Histogram>> = None;
        for own in self.histograms.iter_mut().flatten().flatten() {
            let hint = match (own.counter_reset_hint, &before) {
                (CounterResetHint::Unknown, Some(before)) => match own.detect_reset(before) {
                    true => CounterResetHint::Reset,
                    false => CounterResetHint::NotReset,
                },
                (hint, _) => hint,
            };
            let counts = Histogram {
                schema: own.schema,
                counter_reset_hint: hint,
                count: own.count,
                sum: own.sum,
                ..Histogram::default()
            };
            before = Some(std::mem::replace(own, Arc::new(counts)));
        }
    }

    fn push(&mut self, float: f64, histogram: Option<(usize, Arc<Histogram>)>) {
        self.floats.push(float);
        if histogram.is_none() && self.histograms.is_none() {
            return;
        }
        let len = self.floats.len();
        let histograms = self.histograms.get_or_insert_default();
        histograms.resize(len, None);
        if let Some((at, histogram)) = histogram {
            histograms[at] = Some(histogram);
        }
    }

    /// Adds the values of `rows`.
    fn extend(&mut self, column: &BatchColumn<'_>, rows: &Rows) {
        let before = self.floats.len();
        let (floats, histograms) = match column.values {
            Values::Floats(floats) => (floats, None),
            Values::Mixed(floats, histograms) => (floats, Some(histograms)),
        };
        rows.copy(floats, &mut self.floats);
        extend_rows(&mut self.histograms, before, self.floats.len(), histograms, rows, &None);
        extend_rows(&mut self.starts, before, self.floats.len(), column.starts, rows, &NO_START);
    }
}

/// Adds `rows` of `from` to a list that is there only if something is in it.
fn extend_rows<T: Clone>(
    list: &mut Option<Vec<T>>,
    before: usize,
    after: usize,
    from: Option<&[T]>,
    rows: &Rows,
    nothing: &T,
) {
    if from.is_none() && list.is_none() {
        return;
    }
    let list = list.get_or_insert_with(|| vec![nothing.clone(); before]);
    match from {
        None => list.resize(after, nothing.clone()),
        Some(from) => rows.copy(from, list),
    }
}

/// Rows of a batch.
enum Rows {
    /// All between two.
    Range(Range<usize>),
    /// Single ones, in order.
    List(Vec<usize>),
}

impl Rows {
    /// Adds what `from` holds in these rows.
    fn copy<T: Clone>(&self, from: &[T], out: &mut Vec<T>) {
        match self {
            Self::Range(rows) => out.extend_from_slice(&from[rows.clone()]),
            Self::List(rows) => out.extend(rows.iter().map(|row| from[*row].clone())),
        }
    }
}

/// The rows in which a column has something that is wanted.
fn wanted_rows(batch: &Batch<'_>, column: &BatchColumn<'_>, with_stale: bool) -> Rows {
    let stale = column.stale.filter(|_| !with_stale);
    if column.present.is_none() && stale.is_none() {
        return Rows::Range(0..batch.timestamps.len());
    }
    let rows = batch.timestamps.len();
    let word = |at: usize| {
        let end = rows.saturating_sub(64 * at);
        let all = if end >= 64 { u64::MAX } else { (1 << end) - 1 };
        let bits = |set: RowBits<'_>| set.0.get(at).copied().unwrap_or(0);
        column.present.map_or(all, bits) & !stale.map_or(0, bits)
    };
    let words = || (0..rows.div_ceil(64)).map(word);
    let count: usize = words().map(|word| word.count_ones() as usize).sum();
    let first = words().take_while(|word| *word == 0).count();
    let start = 64 * first + word(first).trailing_zeros() as usize;
    let contains = |row: usize| word(row / 64) >> (row % 64) & 1 == 1;
    // A series that begins late, or ended early.
    let is_range = count > 0 && (start..start + count).all(contains);
    match is_range || count == 0 {
        true => Rows::Range(if count == 0 { 0..0 } else { start..start + count }),
        false => Rows::List((start..rows).filter(|row| contains(*row)).collect()),
    }
}
