//! Random histories of appends and restarts, against a naive model: a map of label sets to maps
//! of times to values.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tsdb::disk::sim::{Ending, SimDisk};
use tsdb::model::{Histogram, Labels, STALE_NAN, Timestamp};
use tsdb::{Append, Cell, CellValue, Db, Storage};

use crate::store::{Content, columns, content, float_text, labels, open};

/// Two of the groups make the same label sets.
const TARGETS: [&str; 3] = ["t=1", "t=1,__name__=x", "t=2"];
const OWN: [&str; 4] = ["__name__=a", "__name__=b", "__name__=b,le=1", "__name__=c,t="];

#[derive(Clone, Debug)]
enum Value {
    Absent,
    Float(f64),
    Stale,
    Histogram(u8),
}

type TestCell = (Value, Option<i64>);

#[derive(Clone, Debug)]
enum Step {
    /// Target, time, cells of the first so many columns.
    Row(usize, i64, Vec<TestCell>),
    Sample(usize, usize, i64, TestCell),
    Commit,
    Abandon,
    Sync,
    Kill,
    PowerCutAfterSync,
}

fn any_cell() -> impl Strategy<Value = TestCell> {
    let floats =
        vec![0.0, -0.0, 1.0, 2.0, 0.1, f64::NAN, f64::from_bits(0xfff8_dead_beef_0001), STALE_NAN];
    let value = prop_oneof![
        2 => Just(Value::Absent),
        1 => Just(Value::Stale),
        6 => prop::sample::select(floats).prop_map(Value::Float),
        1 => (0..3_u8).prop_map(Value::Histogram),
    ];
    (value, prop_oneof![3 => Just(None), 1 => (0..3_i64).prop_map(Some)])
}

/// Times move forward for the most part.
fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..3_usize, -2..4_i64, prop::collection::vec(any_cell(), 1..5))
            .prop_map(|(target, at, cells)| Step::Row(target, at, cells)),
        3 => (0..3_usize, 0..4_usize, -2..4_i64, any_cell())
            .prop_map(|(target, own, at, cell)| Step::Sample(target, own, at, cell)),
        4 => Just(Step::Commit),
        1 => Just(Step::Abandon),
        1 => Just(Step::Sync),
        1 => Just(Step::Kill),
        1 => Just(Step::PowerCutAfterSync),
    ];
    prop::collection::vec(step, 0..60).prop_map(|mut steps| {
        for (now, step) in steps.iter_mut().enumerate() {
            if let Step::Row(_, at, _) | Step::Sample(_, _, at, _) = step {
                *at += now as i64 / 2;
            }
        }
        steps
    })
}

#[derive(Clone, Default)]
struct Model(BTreeMap<Labels, BTreeMap<i64, (String, Option<i64>)>>);

impl Model {
    /// Whether the sample counts as stored.
    fn add(&mut self, labels: &Labels, at: i64, (value, start): &TestCell) -> bool {
        let text = match value {
            Value::Absent => return false,
            Value::Float(value) if tsdb::model::is_stale(*value) => "stale".to_owned(),
            Value::Float(value) => float_text(*value),
            Value::Stale => "stale".to_owned(),
            Value::Histogram(count) => format!("h{}", f64::from(*count)),
        };
        let points = self.0.entry(labels.clone()).or_default();
        match points.last_key_value() {
            Some((newest, _)) if *newest > at => false,
            Some((newest, (own, _))) if *newest == at => *own == text,
            _ => points.insert(at, (text, *start)).is_none(),
        }
    }

    fn content(&self) -> Content {
        let point =
            |(at, (text, start)): (&i64, &(String, Option<i64>))| (*at, text.clone(), *start);
        let series = self.0.iter().filter(|(_, points)| !points.is_empty());
        series
            .map(|(labels, points)| (labels.to_string(), points.iter().map(point).collect()))
            .collect()
    }
}

fn series(target: usize, own: usize) -> Labels {
    let mut builder = labels(TARGETS[target]).to_builder();
    for (name, value) in crate::store::pairs(OWN[own]) {
        builder.set(name, value);
    }
    builder.build()
}

/// The histogram that a cell may lend.
fn histogram((value, _): &TestCell) -> Histogram {
    let count = if let Value::Histogram(count) = value { f64::from(*count) } else { 0.0 };
    Histogram { count, ..Histogram::default() }
}

fn as_cell<'a>((value, start): &TestCell, histogram: &'a Histogram) -> Cell<'a> {
    let value = match value {
        Value::Absent => CellValue::Absent,
        Value::Float(value) => CellValue::Float(*value),
        Value::Stale => CellValue::Stale,
        Value::Histogram(_) => CellValue::Histogram(histogram),
    };
    Cell { value, start: start.map(Timestamp::from_ms) }
}

fn row(appender: &mut dyn Append, model: &mut Model, target: usize, at: i64, cells: &[TestCell]) {
    let (group, refs) = columns(appender, TARGETS[target], &OWN[..cells.len()]);
    let histograms: Vec<_> = cells.iter().map(histogram).collect();
    let given: Vec<_> =
        cells.iter().zip(&histograms).map(|(cell, own)| as_cell(cell, own)).collect();
    let report = appender.row(group, Timestamp::from_ms(at), &refs, &given).unwrap();
    let stored =
        cells.iter().enumerate().filter(|(own, cell)| model.add(&series(target, *own), at, cell));
    assert_eq!(report.stored, stored.count(), "row of {target} at {at}: {cells:?}");
}

fn run(steps: &[Step], seed: u64) {
    let disk = SimDisk::new(seed);
    let mut db = open(&disk).0;
    let mut committed = Model::default();
    let mut at = 0;
    while at < steps.len() {
        let (used, done) = run_commit(&db, &steps[at..], &mut committed);
        at += used;
        assert_eq!(content(&db), committed.content());
        match done {
            Some(Step::Sync) => db.sync().unwrap(),
            Some(Step::Kill) => db = reopen(&disk, db, Ending::Kill),
            Some(Step::PowerCutAfterSync) => {
                db.sync().unwrap();
                db = reopen(&disk, db, Ending::PowerCut);
            }
            _ => {}
        }
        assert_eq!(content(&db), committed.content());
    }
    assert_eq!(content(&reopen(&disk, db, Ending::Kill)), committed.content());
}

fn reopen(disk: &SimDisk, db: Db, ending: Ending) -> Db {
    drop(db);
    disk.restart(ending);
    let (db, recovery) = open(disk);
    assert!(recovery.dropped.is_empty() && recovery.rejected == 0, "{recovery:?}");
    assert_eq!(recovery.samples, db.stats().samples);
    db
}

/// Runs steps up to the end of a commit; how many, and what to do then.
fn run_commit(db: &Db, steps: &[Step], committed: &mut Model) -> (usize, Option<Step>) {
    let mut appender = db.appender();
    let mut model = committed.clone();
    for (used, step) in steps.iter().enumerate() {
        match step {
            Step::Row(target, at, cells) => row(&mut *appender, &mut model, *target, *at, cells),
            Step::Sample(target, own, at, cell) => {
                let labels = series(*target, *own);
                let (time, histogram) = (Timestamp::from_ms(*at), histogram(cell));
                let stored = appender.sample(&labels, time, as_cell(cell, &histogram));
                let expected = model.add(&labels, *at, cell) || matches!(cell.0, Value::Absent);
                assert_eq!(stored.is_ok(), expected);
            }
            Step::Commit => {
                appender.commit().unwrap();
                *committed = model;
                return (used + 1, None);
            }
            other => return (used + 1, Some(other.clone())),
        }
    }
    (steps.len(), None)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_store_is_a_map_of_maps(steps in any_steps(), seed: u64) {
        run(&steps, seed);
    }
}
