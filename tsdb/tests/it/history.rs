//! Random histories of appends, flushes, merges, deletions, retention and restarts, in order of
//! time or not, against a naive model: a map of label sets to maps of times to values. Writers keep
//! the store's numbers of groups and columns, as scrapes do, until they mean nothing any more.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tsdb::disk::sim::{Ending, SimDisk};
use tsdb::model::{Histogram, Labels, MatchOp, Matcher, STALE_NAN, TimeRange, Timestamp};
use tsdb::{Append, Cell, CellValue, ColumnRef, Db, GroupRef, Options, Rejected, Storage};

use crate::store::{Content, columns, commit_row, content, float_text, labels, open_with, options};

/// Two of the groups make the same label sets.
const TARGETS: [&str; 3] = ["t=1", "t=1,__name__=x", "t=2"];
/// One that lives on.
const LIVES: &str = "t=lives";
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
    /// Flush all but the newest rows, or everything.
    Flush(bool),
    /// So many times: a row of a target that lives on, and a flush. The others are forgotten.
    Age(usize),
    Merge,
    /// The matcher `__name__=x` and times.
    Delete(&'static str, i64, i64),
    Clean,
    DropBefore(i64),
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
        2 => any::<bool>().prop_map(Step::Flush),
        1 => (1..7_usize).prop_map(Step::Age),
        1 => Just(Step::Merge),
        1 => (prop::sample::select(vec!["a", "b", "c"]), -4..4_i64, 0..6_i64)
            .prop_map(|(name, at, long)| Step::Delete(name, at, long)),
        1 => Just(Step::Clean),
        1 => (-8..0_i64).prop_map(Step::DropBefore),
    ];
    prop::collection::vec(step, 0..90).prop_map(|mut steps| {
        for (now, step) in steps.iter_mut().enumerate() {
            if let Step::Row(_, at, _)
            | Step::Sample(_, _, at, _)
            | Step::Delete(_, at, _)
            | Step::DropBefore(at) = step
            {
                *at += now as i64 / 2;
            }
        }
        steps
    })
}

/// The samples, and of each series the newest one there ever was.
#[derive(Clone, Default)]
struct Model {
    series: BTreeMap<Labels, BTreeMap<i64, (String, Option<i64>)>>,
    newest: BTreeMap<Labels, i64>,
    out_of_order: i64,
    floor: i64,
    /// Whether samples were taken away: how new they were may be forgotten when the store is opened
    /// again, so that older ones than those may be taken or not.
    is_cut: bool,
}

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
        let latest = self.newest.values().copied().max().unwrap_or(i64::MIN);
        let points = self.series.entry(labels.clone()).or_default();
        let newest = self.newest.entry(labels.clone()).or_insert(i64::MIN);
        let is_recent = self.out_of_order > 0 && at >= latest.saturating_sub(self.out_of_order);
        if at < self.floor || (at < *newest && !is_recent) {
            return false;
        }
        *newest = at.max(*newest);
        match points.get(&at) {
            Some((own, _)) => *own == text,
            None => points.insert(at, (text, *start)).is_none(),
        }
    }

    /// A time that surely is in order, if that matters.
    fn allowed(&self, at: i64) -> i64 {
        let latest = self.newest.values().copied().max().unwrap_or(i64::MIN);
        if self.is_cut { at.max(latest.saturating_add(1)) } else { at }
    }

    fn delete(&mut self, name: &str, start: i64, end: i64) {
        self.is_cut = true;
        for (_, points) in self.series.iter_mut().filter(|(own, _)| own.metric_name() == Some(name))
        {
            points.retain(|at, _| !(start..=end).contains(at));
        }
    }

    fn drop_before(&mut self, at: i64) {
        self.is_cut = true;
        self.floor = self.floor.max(at);
        for points in self.series.values_mut() {
            points.retain(|own, _| *own >= self.floor);
        }
    }

    fn content(&self) -> Content {
        let point =
            |(at, (text, start)): (&i64, &(String, Option<i64>))| (*at, text.clone(), *start);
        let series = self.series.iter().filter(|(_, points)| !points.is_empty());
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

/// What the store gave out, of each target.
type Refs = [Option<(GroupRef, Vec<ColumnRef>)>; 3];

fn row(
    (appender, held): (&mut dyn Append, &mut Refs),
    model: &mut Model,
    target: usize,
    at: i64,
    cells: &[TestCell],
) {
    let histograms: Vec<_> = cells.iter().map(histogram).collect();
    let given: Vec<_> =
        cells.iter().zip(&histograms).map(|(cell, own)| as_cell(cell, own)).collect();
    let time = Timestamp::from_ms(at);
    let known = held[target].take().filter(|(_, refs)| refs.len() >= cells.len());
    let (group, refs) =
        known.unwrap_or_else(|| columns(appender, TARGETS[target], &OWN[..cells.len()]));
    let mut report = appender.row(group, time, &refs[..cells.len()], &given);
    held[target] = Some((group, refs));
    if report == Err(Rejected::UnknownRef) {
        let (anew, refs) = columns(appender, TARGETS[target], &OWN[..cells.len()]);
        assert_ne!(group, anew, "a group's number is its own");
        report = appender.row(anew, time, &refs, &given);
        held[target] = Some((anew, refs));
    }
    let report = report.unwrap();
    let stored =
        cells.iter().enumerate().filter(|(own, cell)| model.add(&series(target, *own), at, cell));
    let stored = stored.count();
    // Of two late samples of one time the second is left out, and nobody is told.
    let is_told = model.out_of_order == 0;
    assert!(
        report.stored == stored || (!is_told && report.stored > stored),
        "row of {target} at {at}: {cells:?}"
    );
}

fn run(steps: &[Step], seed: u64, out_of_order: i64) {
    let disk = SimDisk::new(seed);
    let mut db = open(&disk, out_of_order);
    let mut committed = Model { out_of_order, floor: i64::MIN, ..Model::default() };
    let (mut at, mut held) = (0, Refs::default());
    while at < steps.len() {
        let (used, done) = run_commit(&db, &steps[at..], &mut committed, &mut held);
        at += used;
        assert_eq!(content(&db), committed.content());
        match done {
            Some(Step::Sync) => db.sync().unwrap(),
            Some(Step::Kill) => {
                held = Refs::default();
                db = reopen(&disk, db, Ending::Kill, &committed);
            }
            Some(Step::PowerCutAfterSync) => {
                held = Refs::default();
                db.sync().unwrap();
                db = reopen(&disk, db, Ending::PowerCut, &committed);
            }
            Some(other) => change(&db, &mut committed, &other),
            None => {}
        }
        assert_eq!(content(&db), committed.content(), "after {:?}", &steps[..at]);
    }
    let db = reopen(&disk, db, Ending::Kill, &committed);
    assert_eq!(content(&db), committed.content());
    assert!(db.verify().is_empty());
}

/// Changes what is stored without appending.
fn change(db: &Db, model: &mut Model, step: &Step) {
    match step {
        Step::Flush(true) => drop(db.flush_all().unwrap()),
        Step::Flush(false) => drop(db.flush_if_due().unwrap()),
        Step::Age(times) => (0..*times).for_each(|_| age(db, model)),
        Step::Merge => drop(db.compact_if_due().unwrap()),
        Step::Clean => drop(db.clean_deleted().unwrap()),
        Step::Delete(name, at, long) => {
            let matcher = Matcher::new(MatchOp::Equal, "__name__", *name).unwrap();
            let range = TimeRange::new(Timestamp::from_ms(*at), Timestamp::from_ms(at + long));
            db.delete(range, &[matcher]).unwrap();
            model.delete(name, *at, at + long);
        }
        Step::DropBefore(at) => {
            db.drop_before(Timestamp::from_ms(*at)).unwrap();
            model.drop_before(*at);
        }
        _ => {}
    }
}

fn age(db: &Db, model: &mut Model) {
    let own = labels(&format!("{LIVES},{}", OWN[0]));
    let latest = model.newest.values().copied().max().unwrap_or(0);
    // In order, and no further ahead than others come, so that late samples are taken still.
    let at = latest.max(model.floor);
    let at = at + i64::from(model.is_cut || model.newest.get(&own) == Some(&at));
    let stored = commit_row(db, LIVES, &OWN[..1], at, &[0.0]);
    assert_eq!(stored == 1, model.add(&own, at, &(Value::Float(0.0), None)));
    db.flush_all().unwrap();
}

fn open(disk: &SimDisk, out_of_order_ms: i64) -> Db {
    let always =
        Options { flush_samples: 0, flush_rows: 0, kept_rows: 2, sparse_columns: 0, ..options() };
    let (db, recovery) = open_with(disk, Options { out_of_order_ms, ..always });
    assert!(recovery.dropped.is_empty() && recovery.rejected == 0, "{recovery:?}");
    assert_eq!(recovery.samples, db.stats().samples);
    db
}

fn reopen(disk: &SimDisk, db: Db, ending: Ending, model: &Model) -> Db {
    drop(db);
    disk.restart(ending);
    let db = open(disk, model.out_of_order);
    // Nobody but its owner knows how long a store keeps samples.
    db.drop_before(Timestamp::from_ms(model.floor)).unwrap();
    db
}

/// Runs steps up to the end of a commit; how many, and what to do then.
fn run_commit(
    db: &Db,
    steps: &[Step],
    committed: &mut Model,
    held: &mut Refs,
) -> (usize, Option<Step>) {
    let mut appender = db.appender();
    let mut model = committed.clone();
    for (used, step) in steps.iter().enumerate() {
        match step {
            Step::Row(target, at, cells) => {
                let at = model.allowed(*at);
                row((&mut *appender, held), &mut model, *target, at, cells);
            }
            Step::Sample(target, own, at, cell) => {
                let at = &model.allowed(*at);
                let labels = series(*target, *own);
                let (time, histogram) = (Timestamp::from_ms(*at), histogram(cell));
                let stored = appender.sample(&labels, time, as_cell(cell, &histogram));
                let expected = model.add(&labels, *at, cell) || matches!(cell.0, Value::Absent);
                let is_told = model.out_of_order == 0;
                assert!(stored.is_ok() == expected || (!is_told && stored.is_ok()));
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
    fn a_store_is_a_map_of_maps(steps in any_steps(), seed: u64, late in 0..2_i64) {
        run(&steps, seed, late * 6);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60_000, ..ProptestConfig::default() })]

    #[test]
    #[ignore = "the long form of the test above: 60 000 histories, for `--release -- --ignored`"]
    fn a_store_is_a_map_of_maps_for_long(steps in any_steps(), seed: u64, late in 0..2_i64) {
        run(&steps, seed, late * 6);
    }
}
