//! `inferometer tsdb analyze`: what takes the room, and which labels make the series many.
//!
//! First the files, then the cardinalities in the words of `promtool tsdb analyze`.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use tsdb::model::{Labels, Matcher, TimeRange, Timestamp};
use tsdb::{BlockFacts, Db, Select};

use crate::flags::AnalyzeFlags;

/// Prints both parts.
pub(super) fn run(flags: &AnalyzeFlags) -> anyhow::Result<ExitCode> {
    let sets = super::matchers(&flags.matchers)?;
    let (db, recovery) = super::open_read_only(&flags.dir)?;
    let is_good = super::is_whole(&recovery);
    print_files(&db);
    let mut counts = Counts::default();
    for labels in series(&db, &sets)? {
        counts.add(&labels);
    }
    counts.print(flags.limit);
    Ok(super::exit_code(is_good))
}

fn series(db: &Db, sets: &[Vec<Matcher>]) -> Result<Vec<Labels>, tsdb::Error> {
    db.series(TimeRange::ALL, sets, usize::MAX)
}

fn print_files(db: &Db) {
    let stats = db.stats();
    super::say(format_args!("Blocks: {}", stats.blocks));
    for block in db.blocks() {
        print_block(&block);
    }
    let (segments, bytes) = (stats.log_segments, stats.log_bytes);
    super::say(format_args!(
        "Log: {segments} segments, {bytes} bytes, {} samples",
        stats.head_samples
    ));
    let bytes = stats.block_bytes + stats.log_bytes;
    let each = per_sample(bytes, stats.samples);
    super::say(format_args!(
        "Total: {bytes} bytes, {} samples, {each} bytes per sample",
        stats.samples
    ));
}

fn print_block(block: &BlockFacts) {
    let BlockFacts { number, level, samples, series, bytes, .. } = block;
    let (oldest, newest) = (rfc3339(block.oldest), rfc3339(block.newest));
    let each = per_sample(*bytes, *samples);
    super::say(format_args!(
        "{number:>6}  level {level}  {oldest} to {newest}  {samples} samples  {series} series  \
         {bytes} bytes  {each} bytes per sample"
    ));
}

fn per_sample(bytes: u64, samples: u64) -> String {
    if samples == 0 { "-".to_owned() } else { format!("{:.3}", bytes as f64 / samples as f64) }
}

/// Milliseconds where the calendar has no name for the time.
fn rfc3339(time: Timestamp) -> String {
    let named = jiff::Timestamp::from_millisecond(time.ms());
    named.map_or_else(|_| time.to_string(), |named| format!("{named:.3}"))
}

/// How often what stands in the label sets.
#[derive(Default)]
struct Counts {
    series: usize,
    entries: usize,
    pairs: BTreeMap<(String, String), usize>,
    metrics: BTreeMap<String, usize>,
}

impl Counts {
    fn add(&mut self, labels: &Labels) {
        self.series += 1;
        self.entries += labels.len();
        for (name, value) in labels.iter() {
            *self.pairs.entry((name.to_owned(), value.to_owned())).or_default() += 1;
        }
        *self.metrics.entry(labels.metric_name().unwrap_or("").to_owned()).or_default() += 1;
    }

    fn print(&self, limit: usize) {
        let names: BTreeSet<_> = self.pairs.keys().map(|(name, _)| name).collect();
        super::say(format_args!("\nTotal Series: {}", self.series));
        super::say(format_args!("Label names: {}", names.len()));
        super::say(format_args!("Postings (unique label pairs): {}", self.pairs.len()));
        super::say(format_args!("Postings entries (total label pairs): {}", self.entries));
        let pairs =
            self.pairs.iter().map(|((name, value), count)| (format!("{name}={value}"), *count));
        print_top("Most common label pairs", pairs, limit);
        let mut lengths = BTreeMap::<String, usize>::new();
        let mut values = BTreeMap::<String, usize>::new();
        for (name, value) in self.pairs.keys() {
            *lengths.entry(name.clone()).or_default() += value.len();
            *values.entry(name.clone()).or_default() += 1;
        }
        print_top("Label names with highest cumulative label value length", lengths, limit);
        print_top("Highest cardinality labels", values, limit);
        let metrics = self.metrics.iter().map(|(name, count)| (name.clone(), *count));
        print_top("Highest cardinality metric names", metrics, limit);
    }
}

fn print_top(title: &str, counts: impl IntoIterator<Item = (String, usize)>, limit: usize) {
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by_key(|(_, count)| Reverse(*count));
    super::say(format_args!("\n{title}:"));
    for (name, count) in rows.iter().take(limit) {
        super::say(format_args!("{count} {name}"));
    }
}
