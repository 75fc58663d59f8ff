//! A store in memory: the plainest one that queries can be run on.
//!
//! Series lie in label order. Neighbours with the same timestamps come in one batch, as from a
//! store that keeps scrapes whole.

use std::collections::BTreeMap;
use std::sync::Arc;

use tsdb::model::{
    Histogram, Labels, Matcher, STALE_NAN, Sample, TimeRange, Timestamp, Value, is_stale,
};
use tsdb::select::{
    BATCH_BYTES_MAX, Batch, BatchColumn, Batches, FamilyId, Generation, Hints, RowBits,
    SelectedSeries, Values,
};
use tsdb::{Error, Select, Selection};

use super::{LoadedSeries, TestStore};

/// Series and samples in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    series: Vec<Series>,
    generation: u64,
}

#[derive(Clone, Debug)]
struct Series {
    labels: Labels,
    timestamps: Vec<i64>,
    floats: Vec<f64>,
    /// There if a sample is a histogram.
    histograms: Option<Vec<Option<Arc<Histogram>>>>,
    /// There if a sample has a start timestamp.
    starts: Option<Vec<i64>>,
}

impl MemoryStore {
    /// A store without series.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds samples; one at the time of an existing sample replaces it.
    pub fn insert(&mut self, series: &[LoadedSeries]) {
        let mut all: BTreeMap<Labels, BTreeMap<i64, Sample>> = BTreeMap::new();
        for known in std::mem::take(&mut self.series) {
            all.insert(known.labels.clone(), known.samples());
        }
        for new in series {
            let known = all.entry(new.labels.clone()).or_default();
            known.extend(new.samples.iter().map(|sample| (sample.timestamp.ms(), sample.clone())));
        }
        self.series = all.into_iter().map(|(labels, own)| Series::new(labels, own)).collect();
        self.generation += 1;
    }

    fn matching<'a>(
        &'a self,
        range: TimeRange,
        matchers: &'a [Matcher],
    ) -> impl Iterator<Item = (usize, &'a Series)> + 'a {
        self.series.iter().enumerate().filter(move |(_, series)| {
            !series.rows(range).is_empty()
                && matchers.iter().all(|matcher| matcher.matches_labels(&series.labels))
        })
    }

    fn labels_of<'a>(
        &'a self,
        range: TimeRange,
        matchers: &'a [Vec<Matcher>],
    ) -> impl Iterator<Item = &'a Labels> + 'a {
        self.matching(range, &[]).map(|(_, series)| &series.labels).filter(|labels| {
            let all = |set: &Vec<Matcher>| set.iter().all(|one| one.matches_labels(labels));
            matchers.is_empty() || matchers.iter().any(all)
        })
    }
}

impl Series {
    fn new(labels: Labels, samples: BTreeMap<i64, Sample>) -> Self {
        let histogram = |sample: &Sample| match &sample.value {
            Value::Histogram(histogram) if !sample.value.is_stale() => Some(histogram.clone()),
            _ => None,
        };
        let float = |sample: &Sample| match &sample.value {
            Value::Float(value) => *value,
            Value::Histogram(_) if sample.value.is_stale() => STALE_NAN,
            Value::Histogram(_) => 0.0,
        };
        let start = |sample: &Sample| sample.start.map_or(i64::MIN, Timestamp::ms);
        let histograms: Vec<_> = samples.values().map(histogram).collect();
        let starts: Vec<_> = samples.values().map(start).collect();
        Self {
            labels,
            timestamps: samples.keys().copied().collect(),
            floats: samples.values().map(float).collect(),
            histograms: histograms.iter().any(Option::is_some).then_some(histograms),
            starts: starts.iter().any(|start| *start != i64::MIN).then_some(starts),
        }
    }

    fn samples(self) -> BTreeMap<i64, Sample> {
        let sample = |row: usize| {
            let histogram = self.histograms.as_ref().and_then(|all| all[row].clone());
            let start = self.starts.as_ref().map(|all| all[row]).filter(|start| *start != i64::MIN);
            Sample {
                timestamp: Timestamp::from_ms(self.timestamps[row]),
                value: histogram.map_or(Value::Float(self.floats[row]), Value::Histogram),
                start: start.map(Timestamp::from_ms),
            }
        };
        (0..self.timestamps.len()).map(|row| (self.timestamps[row], sample(row))).collect()
    }

    /// The rows in the range.
    fn rows(&self, range: TimeRange) -> std::ops::Range<usize> {
        let from = self.timestamps.partition_point(|time| *time < range.start.ms());
        let to = self.timestamps.partition_point(|time| *time <= range.end.ms());
        from..to.max(from)
    }

    /// The rows that are stale, as bits; nothing if none is.
    fn stale(&self, rows: std::ops::Range<usize>) -> Option<Vec<u64>> {
        let floats = &self.floats[rows.clone()];
        if !floats.iter().any(|value| is_stale(*value)) {
            return None;
        }
        let mut bits = vec![0; rows.len().div_ceil(64)];
        for (row, _) in floats.iter().enumerate().filter(|(_, value)| is_stale(**value)) {
            bits[row / 64] |= 1 << (row % 64);
        }
        Some(bits)
    }
}

impl TestStore for MemoryStore {
    fn load(&mut self, series: &[LoadedSeries]) -> Result<(), String> {
        self.insert(series);
        Ok(())
    }

    fn select(&self) -> &dyn Select {
        self
    }
}

impl Select for MemoryStore {
    fn resolve(&self, range: TimeRange, matchers: &[Matcher]) -> Result<Selection, Error> {
        let found = self.matching(range, matchers).map(|(place, series)| {
            let hints = Hints { samples_max: Some(series.rows(range).len()), ..Hints::default() };
            let (labels, family) = (series.labels.clone(), FamilyId(0));
            (SelectedSeries { labels, family, le: None, hints }, place as u32)
        });
        let (series, places) = found.unzip();
        Ok(Selection::new(series, places, self.generation()))
    }

    fn read<'a>(
        &'a self,
        selection: &'a Selection,
        range: TimeRange,
    ) -> Result<Box<dyn Batches + 'a>, Error> {
        let place = |index| selection.place(index).and_then(|at| self.series.get(at as usize));
        let series = (0..selection.series.len()).map(place).collect();
        Ok(Box::new(Reader { series, range, next: 0 }))
    }

    fn label_names(
        &self,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let labels = self.labels_of(range, matchers);
        let names = labels.flat_map(|labels| labels.iter().map(|(name, _)| name.to_owned()));
        Ok(sorted(names, limit))
    }

    fn label_values(
        &self,
        name: &str,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<String>, Error> {
        let labels = self.labels_of(range, matchers);
        Ok(sorted(labels.filter_map(|labels| labels.get(name).map(str::to_owned)), limit))
    }

    fn series(
        &self,
        range: TimeRange,
        matchers: &[Vec<Matcher>],
        limit: usize,
    ) -> Result<Vec<Labels>, Error> {
        Ok(self.labels_of(range, matchers).take(limit).cloned().collect())
    }

    fn generation(&self) -> Generation {
        Generation(self.generation)
    }
}

fn sorted(texts: impl Iterator<Item = String>, limit: usize) -> Vec<String> {
    let mut texts: Vec<_> = texts.collect();
    texts.sort();
    texts.dedup();
    texts.truncate(limit);
    texts
}

struct Reader<'a> {
    series: Vec<Option<&'a Series>>,
    range: TimeRange,
    next: usize,
}

impl Batches for Reader<'_> {
    fn next(&mut self, sink: &mut dyn FnMut(Batch<'_>)) -> Result<bool, Error> {
        let Some(first) = self.series.get(self.next) else { return Ok(false) };
        let Some(first) = first else {
            self.next += 1;
            return Ok(true);
        };
        let timestamps = &first.timestamps[first.rows(self.range)];
        let room = BATCH_BYTES_MAX / size_of_val(timestamps).max(1);
        let rest = self.series[self.next..].iter().take(room.max(1)).map_while(|series| *series);
        let together = rest.map(|series| (series, series.rows(self.range)));
        let together: Vec<_> = together
            .take_while(|(series, rows)| series.timestamps[rows.clone()] == *timestamps)
            .map(|(series, rows)| (series, series.stale(rows.clone()), rows))
            .collect();
        let columns: Vec<_> = together
            .iter()
            .enumerate()
            .map(|(at, (series, stale, rows))| BatchColumn {
                series: self.next + at,
                values: match &series.histograms {
                    None => Values::Floats(&series.floats[rows.clone()]),
                    Some(histograms) => {
                        Values::Mixed(&series.floats[rows.clone()], &histograms[rows.clone()])
                    }
                },
                present: None,
                stale: stale.as_deref().map(RowBits),
                starts: series.starts.as_ref().map(|starts| &starts[rows.clone()]),
                repeats: false,
            })
            .collect();
        self.next += together.len();
        sink(Batch { timestamps, columns: &columns });
        Ok(true)
    }
}
