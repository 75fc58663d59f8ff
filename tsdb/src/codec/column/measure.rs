//! Figures: bytes for each kind of column, and the time to write and read them.
//!
//! `cargo test --release -p inferometer-tsdb measure_columns -- --ignored --nocapture`, with the
//! environment variable `INFEROMETER_COLUMNS` naming a file of groups: number of columns and of
//! rows (u32 each), for each column its class (u8) and lower neighbour (i32, −1 for none), the
//! timestamps (i64), then column by column the floats, where the bits 0x7ff00000000000a5 stand
//! for an absent cell. All little endian.

#[cfg(test)]
use std::collections::BTreeMap;
#[cfg(test)]
use std::time::{Duration, Instant};

use super::*;
use crate::codec::Input;
use crate::model::is_stale;

const CLASSES: [&str; 7] =
    ["bucket", "sum", "count", "constant", "counter", "gauge", "scraper's own"];
const ABSENT: u64 = 0x7ff0_0000_0000_00a5;

struct Group {
    classes: Vec<(u8, Option<usize>)>,
    timestamps: Vec<i64>,
    columns: Vec<Vec<f64>>,
}

fn read_groups(bytes: &[u8]) -> Vec<Group> {
    fn number<const N: usize>(input: &mut Input<'_>) -> [u8; N] {
        *input.take(N).unwrap().first_chunk().unwrap()
    }
    let (mut input, mut groups) = (Input(bytes), Vec::new());
    let input = &mut input;
    while !input.is_empty() {
        let columns = u32::from_le_bytes(number(input)) as usize;
        let rows = u32::from_le_bytes(number(input)) as usize;
        let class = |_| {
            let class = input.byte().unwrap();
            (class, usize::try_from(i32::from_le_bytes(number(input))).ok())
        };
        let classes = (0..columns).map(class).collect();
        let timestamps = (0..rows).map(|_| i64::from_le_bytes(number(input))).collect();
        let mut column = |_| (0..rows).map(|_| f64::from_le_bytes(number(input))).collect();
        let columns = (0..columns).map(&mut column).collect();
        groups.push(Group { classes, timestamps, columns });
    }
    groups
}

fn kind(value: &f64) -> RowKind {
    match value {
        value if is_stale(*value) => RowKind::Stale,
        value if value.to_bits() == ABSENT => RowKind::Absent,
        _ => RowKind::Float,
    }
}

#[derive(Default)]
struct Figures {
    samples: usize,
    bytes: usize,
    overhead: usize,
    classes: BTreeMap<(u8, String), (usize, usize)>,
    encoding: Duration,
    decoding: Duration,
}

impl Figures {
    fn add(&mut self, group: &Group, rows: std::ops::Range<usize>, scratch: &mut Scratch) {
        let timestamps = &group.timestamps[rows.clone()];
        let floats = || group.columns.iter().map(|column| &column[rows.clone()]);
        let kinds: Vec<Vec<RowKind>> = floats().map(|own| own.iter().map(kind).collect()).collect();
        let plain = |kinds: &[RowKind]| kinds.iter().all(|own| *own == RowKind::Float);
        let input = |((floats, kinds), (_, lower)): ((_, _), &(u8, Option<usize>))| {
            let kinds: &Vec<RowKind> = kinds;
            let kinds: &[RowKind] = if plain(kinds) { &[] } else { kinds };
            ColumnInput { floats, kinds, lower: *lower, ..ColumnInput::default() }
        };
        let columns: Vec<_> = floats().zip(&kinds).zip(&group.classes).map(input).collect();
        let begin = Instant::now();
        let bytes = encode_window(timestamps, &columns);
        self.encoding += begin.elapsed();
        self.bytes += bytes.len();
        let window = EncodedWindow::open(&bytes).unwrap();
        let mut read = vec![0.0; rows.len()];
        let begin = Instant::now();
        let mut decoder = Decoder::new(window, timestamps[0], 0..window.rows(), scratch);
        for number in 0..columns.len() {
            std::hint::black_box(decoder.read(number, &mut read).unwrap());
        }
        self.decoding += begin.elapsed();
        let mut own_bytes = 0;
        for (number, column) in columns.iter().enumerate() {
            let is_float =
                |row: &usize| column.kinds.get(*row).is_none_or(|k| *k == RowKind::Float);
            if decoder.read(number, &mut read).unwrap().is_some() {
                let is_same = |row: usize| read[row].to_bits() == column.floats[row].to_bits();
                assert!((0..rows.len()).filter(is_float).all(is_same));
            }
            let samples = kinds[number].iter().filter(|own| **own != RowKind::Absent).count();
            let (length, codec) = window.column_bytes(number);
            let class = self.classes.entry((group.classes[number].0, codec)).or_default();
            *class = (class.0 + samples, class.1 + length);
            self.samples += samples;
            own_bytes += length;
        }
        self.overhead += bytes.len() - own_bytes;
    }

    fn print(&self, rows: usize) {
        let per = |bytes: usize| bytes as f64 / self.samples as f64;
        let nanos = |time: Duration| time.as_nanos() as f64 / self.samples as f64;
        println!(
            "windows of {rows}: {} samples, {:.4} bytes/sample, encode {:.2} ns, decode {:.2} ns",
            self.samples,
            per(self.bytes),
            nanos(self.encoding),
            nanos(self.decoding),
        );
        for (class, name) in (0..).zip(CLASSES) {
            let own = self.classes.iter().filter(|((own, _), _)| *own == class);
            let sums = own.clone().fold((0, 0), |sums, (_, own)| (sums.0 + own.0, sums.1 + own.1));
            println!("  {name:<14} {:>10} samples  {:.4} of the total", sums.0, per(sums.1));
            for ((_, codec), (samples, bytes)) in own {
                let each = *bytes as f64 / (*samples).max(1) as f64;
                println!(
                    "    {codec:<12} {samples:>10} samples  {:.4}  ({each:.3} each)",
                    per(*bytes)
                );
            }
        }
        println!("  head and offsets: {:.4}", per(self.overhead));
    }
}

#[test]
#[ignore = "measures; needs INFEROMETER_COLUMNS"]
fn measure_columns() {
    let path = std::env::var("INFEROMETER_COLUMNS").expect("INFEROMETER_COLUMNS names a file");
    let groups = read_groups(&std::fs::read(path).unwrap());
    for rows in [128, 256, 720, 2048] {
        let (mut figures, mut scratch) = (Figures::default(), Scratch::default());
        for group in &groups {
            for first in (0..group.timestamps.len()).step_by(rows) {
                let end = (first + rows).min(group.timestamps.len());
                figures.add(group, first..end, &mut scratch);
            }
        }
        figures.print(rows);
    }
}
