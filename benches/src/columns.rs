//! For each codec of the store a window of columns that get it: 256 rows of 64 columns.

use tsdb::bench::Columns;
use tsdb::model::histogram::Span;
use tsdb::model::{Histogram, Timestamp};
use tsdb::{Cell, CellValue};

use crate::random::Random;

/// Rows of a window.
const ROWS: usize = 256;
/// Columns of a window.
const COLUMNS: usize = 64;
/// Buckets of a native histogram.
const BUCKETS: usize = 20;
/// Milliseconds between two rows.
const INTERVAL_MS: i64 = 5_000;

/// A window and what it is for.
pub struct Workload {
    /// Its name.
    pub name: &'static str,
    /// The codec that its last column gets.
    pub codec: &'static str,
    /// The window.
    pub window: Columns,
}

/// Makes the floats of a column.
type Floats = fn(&mut Random) -> Vec<f64>;

/// Windows whose columns are independent of each other: name, codec, floats.
const SINGLE: [(&str, &str, Floats); 11] = [
    ("zero", "Zero", |_| vec![0.0; ROWS]),
    ("constant", "Constant", |_| vec![0.25; ROWS]),
    ("integers, constant delta", "Integers line", |random| sums(7.0, || 0, random)),
    ("integers, bit-packed", "Integers packed", |random| {
        let mut own = random.clone();
        sums(0.0, || own.below(1000), random)
    }),
    ("integers, rice", "Integers rice", |random| {
        let mut own = random.clone();
        // Falls off geometrically.
        sums(0.0, || u64::from(own.bits().trailing_zeros() * 9) + own.below(9), random)
    }),
    ("integers, sparse", "Integers sparse", |random| {
        let mut own = random.clone();
        sums(0.0, || u64::from(own.below(20) == 0), random)
    }),
    ("decimals", "Decimals", |random| each(|| random.below(100_000) as f64 / 100.0)),
    ("steps", "Steps", |random| {
        let mut seconds = 1.0;
        each(|| {
            seconds += random.unit();
            seconds
        })
    }),
    ("xor", "Xor", |random| each(|| random.below(97) as f64 * 0.015_625)),
    ("raw", "Raw", |random| each(|| f64::from_bits(random.bits()))),
    ("random, below one", "Steps", |random| each(|| random.unit())),
];

/// All windows.
pub fn all() -> Vec<Workload> {
    let mut random = Random::new(1);
    let mut all: Vec<_> = SINGLE
        .iter()
        .map(|(name, codec, floats)| {
            let columns = (0..COLUMNS).map(|_| cells(floats(&mut random))).collect();
            Workload { name, codec, window: window(columns, Vec::new()) }
        })
        .collect();
    all.extend([alias(&mut random), buckets(&mut random), starts(&mut random)]);
    all.push(histograms(&mut random));
    all
}

fn window(columns: Vec<Vec<Cell<'_>>>, lower: Vec<Option<u32>>) -> Columns {
    let timestamps = (0..ROWS as i64).map(|row| 1_700_000_000_000 + row * INTERVAL_MS);
    Columns::new(timestamps.collect(), &columns, lower)
}

fn each(float: impl FnMut() -> f64) -> Vec<f64> {
    std::iter::repeat_with(float).take(ROWS).collect()
}

/// A counter from a random number on, `step` and what is drawn more in each row.
fn sums(step: f64, mut draw: impl FnMut() -> u64, random: &mut Random) -> Vec<f64> {
    let mut sum = random.below(1_000_000) as f64;
    each(|| {
        sum += step + draw() as f64;
        sum
    })
}

fn cells(floats: Vec<f64>) -> Vec<Cell<'static>> {
    floats.into_iter().map(Cell::float).collect()
}

/// Columns with the floats of the first one: `_count` and `le="+Inf"`.
fn alias(random: &mut Random) -> Workload {
    let first = cells(each(|| random.below(100_000) as f64 / 100.0));
    let window = window(vec![first; COLUMNS], Vec::new());
    Workload { name: "alias", codec: "Alias", window }
}

/// The cumulative buckets of one histogram, which sees up to three observations in a row.
fn buckets(random: &mut Random) -> Workload {
    let mut counts = [0.0; COLUMNS];
    let mut columns = vec![Vec::new(); COLUMNS];
    for _ in 0..ROWS {
        for _ in 0..random.below(4) {
            let first = random.below(COLUMNS as u64) as usize;
            counts[first..].iter_mut().for_each(|count| *count += 1.0);
        }
        let both = columns.iter_mut().zip(counts);
        both.for_each(|(column, count): (&mut Vec<_>, f64)| column.push(Cell::float(count)));
    }
    let lower = (0..COLUMNS as u32).map(|own| own.checked_sub(1)).collect();
    Workload { name: "buckets", codec: "Bucket", window: window(columns, lower) }
}

/// Counters that say when they began, and begin again every hundred rows.
fn starts(random: &mut Random) -> Workload {
    let column = |_| {
        let (mut sum, mut start) = (0.0, None);
        let cell = |row: usize| {
            if row.is_multiple_of(100) {
                sum = 0.0;
                start = Some(Timestamp::from_ms(1_700_000_000_000 + row as i64 * INTERVAL_MS));
            }
            sum += random.below(1000) as f64;
            Cell { value: CellValue::Float(sum), start }
        };
        (0..ROWS).map(cell).collect()
    };
    let columns = (0..COLUMNS).map(column).collect();
    Workload { name: "start timestamps", codec: "Integers packed", window: window(columns, vec![]) }
}

/// Native histograms, each with one observation more than the one before.
fn histograms(random: &mut Random) -> Workload {
    let mut own = Histogram {
        schema: 3,
        is_integer: true,
        positive_spans: vec![Span { offset: -4, length: BUCKETS as u32 }],
        positive_buckets: vec![0.0; BUCKETS],
        ..Histogram::default()
    };
    let mut next = || {
        own.positive_buckets[random.below(BUCKETS as u64) as usize] += 1.0;
        own.count += 1.0;
        own.sum += random.unit();
        own.clone()
    };
    let lists: Vec<Vec<_>> = (0..COLUMNS).map(|_| (0..ROWS).map(|_| next()).collect()).collect();
    let cell = |own| Cell { value: CellValue::Histogram(own), start: None };
    let columns = lists.iter().map(|list| list.iter().map(cell).collect()).collect();
    Workload { name: "native histograms", codec: "Zero", window: window(columns, Vec::new()) }
}
