//! What the tests share: opening a store on a simulated disk, writing rows, reading everything.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tsdb::disk::sim::SimDisk;
use tsdb::model::{Exemplar, Labels, Metadata, TimeRange, Timestamp};
use tsdb::select::Values;
use tsdb::{
    Append, Cell, ColumnRef, Db, FamilyColumns, GroupRef, Options, Recovery, Select, Selection,
    Storage,
};

/// A sample as tests compare it: time, value as text (bits for floats), start.
pub(crate) type Point = (i64, String, Option<i64>);
/// All samples by label set.
pub(crate) type Content = BTreeMap<String, Vec<Point>>;

pub(crate) fn dir() -> &'static Path {
    Path::new("/data")
}

/// Small segments and windows, so that short tests have many of both.
pub(crate) fn options() -> Options {
    Options { segment_bytes_max: 600, window_rows: 3, ..Options::default() }
}

pub(crate) fn open(disk: &SimDisk) -> (Db, Recovery) {
    open_with(disk, options())
}

pub(crate) fn open_with(disk: &SimDisk, options: Options) -> (Db, Recovery) {
    Db::open(Arc::new(disk.clone()), dir(), options).expect("the store opens")
}

/// `a=1,b=2` as labels.
pub(crate) fn labels(text: &str) -> Labels {
    Labels::from_pairs(pairs(text))
}

pub(crate) fn pairs(text: &str) -> Vec<(String, String)> {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Columns named by their own labels, all in one family.
pub(crate) fn family(columns: &[&str]) -> FamilyColumns {
    let columns = columns.iter().map(|own| pairs(own)).collect();
    FamilyColumns { name: "f".into(), metadata: Metadata::default(), columns }
}

pub(crate) fn columns(
    appender: &mut dyn Append,
    target: &str,
    own: &[&str],
) -> (GroupRef, Vec<ColumnRef>) {
    let group = appender.group(&labels(target)).unwrap();
    let columns = appender.columns(group, &[family(own)]).unwrap();
    (group, columns)
}

/// Commits one row of floats; how many samples were stored.
pub(crate) fn commit_row(db: &Db, target: &str, own: &[&str], at: i64, values: &[f64]) -> usize {
    let mut appender = db.appender();
    let (group, columns) = columns(&mut *appender, target, own);
    let cells: Vec<_> = values.iter().map(|value| Cell::float(*value)).collect();
    appender.row(group, Timestamp::from_ms(at), &columns, &cells).unwrap();
    appender.commit().unwrap()
}

pub(crate) fn select_all(db: &Db) -> Selection {
    db.resolve(TimeRange::ALL, &[]).unwrap()
}

/// Everything a query can see.
pub(crate) fn content(db: &Db) -> Content {
    read(db, &select_all(db), TimeRange::ALL)
}

/// Reads a selection, checking the promises of the port on the way.
pub(crate) fn read(db: &Db, selection: &Selection, range: TimeRange) -> Content {
    let mut content = Content::new();
    let mut batches = db.read(selection, range).unwrap();
    let mut sink = |batch: tsdb::Batch<'_>| {
        assert!(batch.timestamps.is_sorted_by(|a, b| a < b), "timestamps rise");
        assert!(
            !batch.columns.is_empty() && !batch.timestamps.is_empty(),
            "a batch says something"
        );
        let bytes = batch.columns.len() * batch.timestamps.len() * 8;
        assert!(bytes <= tsdb::select::BATCH_BYTES_MAX, "a batch is bounded");
        check_repeats(&batch);
        for column in batch.columns {
            let points = content.entry(selection.series[column.series].labels.to_string());
            let points = points.or_default();
            for (row, at) in batch.timestamps.iter().enumerate() {
                assert!(range.contains(Timestamp::from_ms(*at)), "{at} outside of the range");
                points.extend(point(column, row, *at));
            }
            assert!(points.is_sorted_by(|a, b| a.0 < b.0), "a series' samples rise");
        }
    };
    while batches.next(&mut sink).unwrap() {}
    content.retain(|_, points| !points.is_empty());
    let last = |(labels, points): (&String, &Vec<Point>)| (labels.clone(), points.last().cloned());
    let last: BTreeMap<_, _> = content.iter().map(last).collect();
    assert_eq!(read_newest(db, selection, range), last, "the newest ones");
    content
}

/// A column that is said to repeat the one before it does.
fn check_repeats(batch: &tsdb::Batch<'_>) {
    assert!(batch.columns.first().is_none_or(|first| !first.repeats), "something to repeat");
    let rows = || batch.timestamps.iter().enumerate();
    for pair in batch.columns.windows(2).filter(|pair| pair[1].repeats) {
        let points = |column| rows().map(|(row, at)| point(column, row, *at)).collect::<Vec<_>>();
        assert_eq!(points(&pair[0]), points(&pair[1]), "equal columns");
        assert!(points(&pair[0]).iter().all(Option::is_some), "floats in all rows");
    }
}

/// The newest sample of each series.
fn read_newest(
    db: &Db,
    selection: &Selection,
    range: TimeRange,
) -> BTreeMap<String, Option<Point>> {
    let mut newest = BTreeMap::new();
    let mut batches = db.read_newest(selection, range).unwrap();
    let mut sink = |batch: tsdb::Batch<'_>| {
        for column in batch.columns {
            let labels = selection.series[column.series].labels.to_string();
            let points = batch.timestamps.iter().enumerate();
            let last = points.filter_map(|(row, at)| point(column, row, *at)).next_back();
            newest.insert(labels, Some(last.expect("a column says something")));
        }
    };
    while batches.next(&mut sink).unwrap() {}
    newest
}

fn point(column: &tsdb::BatchColumn<'_>, row: usize, at: i64) -> Option<Point> {
    if column.present.is_some_and(|present| !present.contains(row)) {
        return None;
    }
    let (floats, histograms) = match column.values {
        Values::Floats(floats) => (floats, None),
        Values::Mixed(floats, histograms) => (floats, Some(histograms)),
    };
    let is_stale = column.stale.is_some_and(|stale| stale.contains(row));
    assert_eq!(is_stale, is_stale && tsdb::model::is_stale(floats[row]), "a mark and its bits");
    let text = match histograms.and_then(|histograms| histograms[row].as_ref()) {
        _ if is_stale => "stale".to_owned(),
        Some(histogram) => format!("h{}", histogram.count),
        None => float_text(floats[row]),
    };
    let start = column.starts.map(|starts| starts[row]).filter(|start| *start != i64::MIN);
    Some((at, text, start))
}

/// A float so that different bits are different texts.
pub(crate) fn float_text(value: f64) -> String {
    if value.is_nan() { format!("{:x}", value.to_bits()) } else { format!("{value:?}") }
}

pub(crate) fn exemplar(value: f64, at: i64) -> Exemplar {
    Exemplar { labels: labels("trace_id=x"), value, timestamp: Timestamp::from_ms(at) }
}
