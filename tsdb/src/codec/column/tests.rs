//! Whole windows, of any cells.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::cell::{NO_START, Stored, StoredCell};
use crate::model::Histogram;

/// The cells of one column, a window's rows of them.
fn any_column(rows: usize) -> impl Strategy<Value = Vec<StoredCell>> {
    let odd = vec![-0.0, 0.125, f64::NAN, f64::INFINITY, 9_007_199_254_740_994.0];
    let float = prop_oneof![
        8 => (0..4_u32).prop_map(f64::from),
        1 => prop::sample::select(odd),
        1 => any::<u64>().prop_map(f64::from_bits),
    ];
    let counter = (1..5_u32, 0..60_u32).prop_map(|(by, every)| (by, every));
    let starts = prop::sample::select(vec![NO_START, NO_START, 5, i64::MAX]);
    let gaps = prop::collection::vec((0..rows, 0..rows, 0..4_u8), 0..3);
    let histogram =
        float.clone().prop_map(|sum| Arc::new(Histogram { sum, ..Histogram::default() }));
    let odd = prop::collection::vec((0..rows, float), 0..3);
    (counter, starts, gaps, histogram, odd, 0..4_u8).prop_map(
        move |((by, every), start, gaps, histogram, odd, odds)| {
            let grown = |row: usize| f64::from(by) * (row / (every as usize + 1)) as f64;
            let mut values: Vec<_> = (0..rows).map(|row| Stored::Float(grown(row))).collect();
            if odds == 0 {
                odd.into_iter().for_each(|(row, value)| values[row] = Stored::Float(value));
            }
            for (first, length, kind) in gaps {
                let end = rows.min(first + length);
                values[first..end].fill(match kind {
                    0 => Stored::Absent,
                    1 => Stored::Stale,
                    2 => Stored::Histogram(histogram.clone()),
                    _ => Stored::Float(7.0),
                });
            }
            let cell = |value| match value {
                Stored::Absent => StoredCell::ABSENT,
                value => StoredCell { value, start },
            };
            values.into_iter().map(cell).collect()
        },
    )
}

/// Columns, some of which name another one as their lower neighbour.
fn any_window() -> impl Strategy<Value = Vec<(Vec<StoredCell>, Option<usize>)>> {
    (1..300_usize).prop_flat_map(|rows| {
        let column = (any_column(rows), prop::option::of(0..24_usize), any::<bool>());
        prop::collection::vec(column, 0..24).prop_map(|mut columns| {
            for at in 1..columns.len() {
                // Some are copies of their neighbour, as duplicates and totals are.
                if columns[at].2 && at % 3 == 0 {
                    columns[at].0 = columns[at - 1].0.clone();
                }
            }
            columns.into_iter().map(|(cells, lower, _)| (cells, lower)).collect()
        })
    })
}

#[derive(Default)]
struct Owned {
    floats: Vec<f64>,
    kinds: Vec<RowKind>,
    histograms: Vec<(u16, Arc<Histogram>)>,
    starts: Vec<(u16, i64)>,
}

impl Owned {
    fn of(cells: &[StoredCell]) -> Self {
        let mut own = Self::default();
        let mut before = NO_START;
        for (row, cell) in (0..).zip(cells) {
            let (kind, float) = match &cell.value {
                Stored::Absent => (RowKind::Absent, 3.5),
                Stored::Stale => (RowKind::Stale, 4.5),
                Stored::Float(value) => (RowKind::Float, *value),
                Stored::Histogram(histogram) => {
                    own.histograms.push((row, histogram.clone()));
                    (RowKind::Histogram, 5.5)
                }
            };
            own.kinds.push(kind);
            own.floats.push(float);
            if kind != RowKind::Absent && cell.start != before {
                own.starts.push((row, cell.start));
                before = cell.start;
            }
        }
        own
    }

    fn input(&self, lower: Option<usize>) -> ColumnInput<'_> {
        let Self { floats, kinds, histograms, starts } = self;
        ColumnInput { first: 0, floats, kinds, histograms, starts, lower }
    }
}

fn encode(timestamps: &[i64], columns: &[(Vec<StoredCell>, Option<usize>)]) -> Vec<u8> {
    let owned: Vec<_> = columns.iter().map(|(cells, lower)| (Owned::of(cells), *lower)).collect();
    let inputs: Vec<_> = owned.iter().map(|(own, lower)| own.input(*lower)).collect();
    encode_window(timestamps, &inputs)
}

fn timestamps(rows: usize) -> Vec<i64> {
    (0..rows as i64).map(|row| 1_795_474_800_000 + row * 5000).collect()
}

/// The cells of a decoded column.
fn cells(floats: &[f64], beside: &decode::Beside) -> Vec<StoredCell> {
    let mut histograms = beside.histograms.iter();
    let mut cell = |(row, float): (usize, &f64)| {
        let value = match beside.kinds().get(row).copied().unwrap_or_default() {
            RowKind::Absent => return StoredCell::ABSENT,
            RowKind::Stale => Stored::Stale,
            RowKind::Float => Stored::Float(*float),
            RowKind::Histogram => {
                let (own, histogram) = histograms.next().unwrap();
                assert_eq!(usize::from(*own), row);
                Stored::Histogram(histogram.clone())
            }
        };
        let later = beside.starts.partition_point(|(from, _)| usize::from(*from) <= row);
        let start = later.checked_sub(1).map_or(NO_START, |at| beside.starts[at].1);
        StoredCell { value, start }
    };
    floats.iter().enumerate().map(&mut cell).collect()
}

/// Decodes everything that can be decoded.
fn read_all(bytes: &[u8]) {
    let Ok(window) = EncodedWindow::open(bytes) else { return };
    let base = window.timestamps().ok().and_then(|own| own.first().copied()).unwrap_or_default();
    let mut scratch = Scratch::default();
    let mut decoder = Decoder::new(window, base, 0..window.rows(), &mut scratch);
    let mut floats = vec![0.0; window.rows()];
    for number in 0..window.columns().min(100) {
        let _ = decoder.read(number, &mut floats);
    }
}

proptest! {
    #[test]
    fn each_column_comes_back_alone(columns in any_window(), order in any::<u64>()) {
        let rows = columns.first().map_or(1, |(cells, _)| cells.len());
        let timestamps = timestamps(rows);
        let bytes = encode(&timestamps, &columns);
        let window = EncodedWindow::open(&bytes).unwrap();
        prop_assert_eq!(window.timestamps().unwrap(), timestamps.clone());
        prop_assert_eq!((window.rows(), window.columns()), (rows, columns.len()));
        let mut scratch = Scratch::default();
        let mut decoder = Decoder::new(window, timestamps[0], 0..window.rows(), &mut scratch);
        let mut floats = vec![9.0; rows];
        for at in 0..columns.len() * 2 {
            let number = (order.rotate_left(at as u32 * 7) as usize ^ at) % columns.len();
            let Some(beside) = decoder.read(number, &mut floats).unwrap() else {
                prop_assert!(columns[number].0.iter().all(StoredCell::is_absent));
                continue;
            };
            for (own, read) in columns[number].0.iter().zip(cells(&floats, &beside)) {
                prop_assert!(own.value.is_same(&read.value), "{own:?} {read:?}");
                prop_assert!(own.is_absent() || own.start == read.start);
            }
        }
        prop_assert!(decoder.read(columns.len(), &mut floats).unwrap().is_none());
    }

    #[test]
    fn damaged_bytes_are_read_or_refused(
        columns in any_window(), flips in prop::collection::vec((any::<usize>(), 0..8_u32), 1..9),
        cut in any::<usize>(),
    ) {
        let rows = columns.first().map_or(1, |(cells, _)| cells.len());
        let mut bytes = encode(&timestamps(rows), &columns);
        read_all(&bytes[..cut % (bytes.len() + 1)]);
        for (at, bit) in flips {
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            read_all(&bytes);
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        read_all(&bytes);
    }
}

#[test]
fn a_chain_ends() {
    // Three hundred buckets, and columns that name each other.
    let column = |every: usize| {
        let cell = move |row: usize| StoredCell {
            value: Stored::Float((row / (every + 2)) as f64),
            start: NO_START,
        };
        (0..100).map(cell).collect::<Vec<_>>()
    };
    let chain: Vec<_> = (0..300).map(|own| (column(own % 50), own.checked_sub(1))).collect();
    let circle: Vec<_> = (0..9).map(|own| (column(own), Some((own + 1) % 9))).collect();
    for columns in [chain, circle] {
        let timestamps = timestamps(100);
        let bytes = encode(&timestamps, &columns);
        let window = EncodedWindow::open(&bytes).unwrap();
        let mut scratch = Scratch::default();
        for (number, (own, _)) in columns.iter().enumerate() {
            let mut decoder = Decoder::new(window, timestamps[0], 0..window.rows(), &mut scratch);
            let mut floats = vec![0.0; 100];
            let beside = decoder.read(number, &mut floats).unwrap().unwrap();
            let read = cells(&floats, &beside);
            assert!(own.iter().zip(&read).all(|(a, b)| a.value.is_same(&b.value)));
        }
    }
}
