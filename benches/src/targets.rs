//! Targets like a vLLM server, without the pages: rows of 600 columns, 20 histograms of 22 buckets
//! among them, of which a few move from row to row.

use tsdb::model::{Labels, Metadata, Timestamp};
use tsdb::{Cell, ColumnRef, Db, FamilyColumns, GroupRef, Storage};

use crate::random::Random;

/// Columns of a target.
pub const COLUMNS: usize = 600;
/// Histograms of a target, each of so many buckets, a sum and a count.
const HISTOGRAMS: usize = 20;
const BUCKETS: usize = 22;
/// Milliseconds between two rows.
const INTERVAL_MS: i64 = 5_000;

/// Targets of a store, and what they said last.
pub struct Targets {
    places: Vec<(GroupRef, Vec<ColumnRef>)>,
    values: Vec<[f64; COLUMNS]>,
    random: Random,
    row: i64,
}

impl Targets {
    /// Registers so many targets.
    pub fn new(db: &Db, targets: usize) -> Self {
        let mut appender = db.appender();
        let mut place = |target| {
            let instance = format!("10.0.0.{target}:8000");
            let labels = Labels::from_pairs([("instance", instance.as_str()), ("job", "vllm")]);
            let group = appender.group(&labels).expect("BUG: no limit is near");
            let columns = appender.columns(group, &families()).expect("BUG: no limit is near");
            (group, columns)
        };
        let places = (0..targets).map(&mut place).collect();
        let values = vec![[0.0; COLUMNS]; targets];
        Self { places, values, random: Random::new(1), row: 0 }
    }

    /// Commits the next rows of each target; how many samples those were.
    pub fn append(&mut self, db: &Db, rows: usize) -> usize {
        (0..rows).map(|_| self.append_row(db)).sum()
    }

    fn append_row(&mut self, db: &Db) -> usize {
        let at = Timestamp::from_ms(1_700_000_000_000 + self.row * INTERVAL_MS);
        self.row += 1;
        let mut stored = 0;
        for ((group, columns), values) in self.places.iter().zip(&mut self.values) {
            step(values, &mut self.random);
            let cells = values.map(Cell::float);
            let mut appender = db.appender();
            appender.row(*group, at, columns, &cells).expect("BUG: no limit is near");
            stored += appender.commit().expect("BUG: a good disk");
        }
        stored
    }
}

/// Two observations and five gauges.
fn step(values: &mut [f64; COLUMNS], random: &mut Random) {
    const WIDTH: usize = BUCKETS + 2;
    for _ in 0..2 {
        let first = random.below(HISTOGRAMS as u64) as usize * WIDTH;
        let bucket = first + random.below(BUCKETS as u64) as usize;
        values[bucket..first + BUCKETS].iter_mut().for_each(|count| *count += 1.0);
        values[first + BUCKETS] += random.unit();
        values[first + BUCKETS + 1] += 1.0;
    }
    let gauges = HISTOGRAMS * WIDTH;
    for _ in 0..5 {
        let gauge = gauges + random.below((COLUMNS - gauges) as u64) as usize;
        values[gauge] = random.below(100) as f64;
    }
}

fn families() -> Vec<FamilyColumns> {
    let family = |name: String, columns: Vec<Vec<(&str, String)>>| {
        let owned = |own: Vec<(&str, String)>| -> Vec<(String, String)> {
            own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
        };
        let columns = columns.into_iter().map(owned).collect();
        FamilyColumns { name, metadata: Metadata::default(), columns }
    };
    let histogram = |number| {
        let name = format!("vllm:h{number}_seconds");
        let bucket = |le| vec![("__name__", format!("{name}_bucket")), ("le", format!("{le}.0"))];
        let mut columns: Vec<_> = (0..BUCKETS).map(bucket).collect();
        columns.extend(["sum", "count"].map(|part| vec![("__name__", format!("{name}_{part}"))]));
        family(name, columns)
    };
    let gauge = |number| {
        let name = format!("vllm:gauge{number}");
        family(name.clone(), vec![vec![("__name__", name)]])
    };
    let gauges = COLUMNS - HISTOGRAMS * (BUCKETS + 2);
    (0..HISTOGRAMS).map(histogram).chain((0..gauges).map(gauge)).collect()
}
