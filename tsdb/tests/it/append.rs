//! What is stored, and what becomes of the rest.

use tsdb::disk::sim::SimDisk;
use tsdb::model::{Histogram, Labels, Metadata, MetricType, STALE_NAN, TimeRange, Timestamp};
use tsdb::{
    Cell, CellValue, ColumnRef, Db, GroupRef, Options, Rejected, RowReport, Select, Storage,
};

use crate::store::{columns, commit_row, content, dir, exemplar, family, labels, open};

/// One call: a row of group `t=<target>` (columns `__name__=a`, `__name__=b`; NaN is absent), or
/// a loose sample.
enum Call {
    Row(&'static str, i64, [f64; 2]),
    Loose(&'static str, i64, f64),
    Commit,
}
use Call::{Commit, Loose, Row};

/// A name, the calls, what they say, and what is there then: by metric of target `t=1`.
type Case<'a> = (&'a str, &'a [Call], &'a [&'a str], &'a [(&'a str, &'a [(i64, f64)])]);

const ABSENT: f64 = f64::NAN;

/// What the calls said (`stored/out of order/duplicate/too old`, or the rejection), in order.
fn outcomes(db: &Db, calls: &[Call]) -> Vec<String> {
    let mut appender = db.appender();
    let mut said = Vec::new();
    for call in calls {
        match call {
            Row(target, at, values) => {
                let (group, columns) =
                    columns(&mut *appender, target, &["__name__=a", "__name__=b"]);
                let cell =
                    |value: f64| if value.is_nan() { Cell::ABSENT } else { Cell::float(value) };
                let cells = values.map(cell);
                let at = Timestamp::from_ms(*at);
                let RowReport { stored, out_of_order, duplicate, too_old } =
                    appender.row(group, at, &columns, &cells).unwrap();
                said.push(format!("{stored}/{out_of_order}/{duplicate}/{too_old}"));
            }
            Loose(series, at, value) => {
                let at = Timestamp::from_ms(*at);
                let result = appender.sample(&labels(series), at, Cell::float(*value));
                said.push(result.map_or_else(|error| error.to_string(), |()| "ok".into()));
            }
            Commit => {
                said.push(appender.commit().unwrap().to_string());
                appender = db.appender();
            }
        }
    }
    said.push(appender.commit().unwrap().to_string());
    said
}

#[test]
fn order_and_duplicates() {
    const OUT_OF_ORDER: &str = "out of order sample";
    const DUPLICATE: &str = "duplicate sample for timestamp";
    let rows: &[Case<'_>] = &[
        (
            "rows in order",
            &[Row("t=1", 10, [1.0, 2.0]), Row("t=1", 20, [3.0, 4.0])],
            &["2/0/0/0", "2/0/0/0", "4"],
            &[("a", &[(10, 1.0), (20, 3.0)]), ("b", &[(10, 2.0), (20, 4.0)])],
        ),
        (
            "a row fills empty cells of its time",
            &[Row("t=1", 10, [1.0, ABSENT]), Commit, Row("t=1", 10, [ABSENT, 2.0])],
            &["1/0/0/0", "1", "1/0/0/0", "1"],
            &[("a", &[(10, 1.0)]), ("b", &[(10, 2.0)])],
        ),
        (
            "an older row is refused",
            &[Row("t=1", 20, [1.0, 2.0]), Commit, Row("t=1", 10, [1.0, 2.0])],
            &["2/0/0/0", "2", "0/2/0/0", "0"],
            &[("a", &[(20, 1.0)]), ("b", &[(20, 2.0)])],
        ),
        (
            "an older row is refused within a commit too",
            &[Row("t=1", 20, [1.0, 2.0]), Row("t=1", 10, [1.0, 2.0])],
            &["2/0/0/0", "0/2/0/0", "2"],
            &[("a", &[(20, 1.0)]), ("b", &[(20, 2.0)])],
        ),
        (
            "the same once more is fine, another value is not",
            &[Row("t=1", 10, [1.0, 2.0]), Row("t=1", 10, [1.0, 3.0])],
            &["2/0/0/0", "1/0/1/0", "2"],
            &[("a", &[(10, 1.0)]), ("b", &[(10, 2.0)])],
        ),
        (
            "-0 is another value than 0",
            &[Row("t=1", 10, [0.0, 0.0]), Commit, Row("t=1", 10, [-0.0, 0.0])],
            &["2/0/0/0", "2", "1/0/1/0", "0"],
            &[("a", &[(10, 0.0)]), ("b", &[(10, 0.0)])],
        ),
        (
            "an older row whose cells are in order for their series goes in",
            &[
                Row("t=1", 10, [1.0, 1.0]),
                Row("t=1", 20, [2.0, ABSENT]),
                Row("t=1", 40, [4.0, ABSENT]),
                Commit,
                Row("t=1", 20, [ABSENT, 2.0]),
                Row("t=1", 30, [ABSENT, 3.0]),
                Row("t=1", 50, [5.0, 5.0]),
            ],
            &["2/0/0/0", "1/0/0/0", "1/0/0/0", "4", "1/0/0/0", "1/0/0/0", "2/0/0/0", "4"],
            &[
                ("a", &[(10, 1.0), (20, 2.0), (40, 4.0), (50, 5.0)]),
                ("b", &[(10, 1.0), (20, 2.0), (30, 3.0), (50, 5.0)]),
            ],
        ),
        (
            "a loose sample and a row are the same series",
            &[
                Row("t=1", 10, [1.0, 1.0]),
                Loose("__name__=a,t=1", 15, 1.5),
                Loose("__name__=a,t=1", 12, 1.2),
                Commit,
                Row("t=1", 15, [1.6, 2.0]),
                Row("t=1", 20, [2.0, ABSENT]),
                Loose("__name__=a,t=1", 20, 2.0),
                Loose("__name__=a,t=1", 20, 2.1),
            ],
            &["2/0/0/0", "ok", OUT_OF_ORDER, "3", "1/0/1/0", "1/0/0/0", "ok", DUPLICATE, "2"],
            &[("a", &[(10, 1.0), (15, 1.5), (20, 2.0)]), ("b", &[(10, 1.0), (15, 2.0)])],
        ),
        (
            "loose before there is a column",
            &[
                Loose("__name__=a,t=1", 5, 0.5),
                Row("t=1", 5, [0.6, 1.0]),
                Row("t=1", 6, [1.0, 1.0]),
            ],
            &["ok", "1/0/1/0", "2/0/0/0", "4"],
            &[("a", &[(5, 0.5), (6, 1.0)]), ("b", &[(5, 1.0), (6, 1.0)])],
        ),
        (
            "two groups with the same label set: the first to write a time wins",
            &[
                Row("t=1", 10, [1.0, 1.0]),
                Row("t=1,__name__=x", 10, [2.0, 1.0]),
                Row("t=1,__name__=x", 20, [3.0, 3.0]),
                Commit,
                Row("t=1", 15, [4.0, 4.0]),
                Row("t=1", 20, [3.0, 4.0]),
                Row("t=1", 30, [5.0, 5.0]),
            ],
            &["2/0/0/0", "1/0/1/0", "2/0/0/0", "4", "0/2/0/0", "1/0/1/0", "2/0/0/0", "2"],
            &[("a", &[(10, 1.0), (20, 3.0), (30, 5.0)]), ("b", &[(10, 1.0), (20, 3.0), (30, 5.0)])],
        ),
    ];
    for (name, calls, said, stored) in rows {
        let disk = SimDisk::new(1);
        let (db, _) = open(&disk);
        assert_eq!(outcomes(&db, calls), *said, "{name}");
        let series = |(series, points): &(&str, &[(i64, f64)])| {
            let points = points.iter().map(|(at, value)| (*at, format!("{value:?}"), None));
            (labels(&format!("__name__={series},t=1")).to_string(), points.collect())
        };
        let expected = stored.iter().map(series).collect();
        assert_eq!(content(&db), expected, "{name}");
        drop(db);
        let (db, recovery) = open(&disk);
        assert_eq!(content(&db), expected, "{name}, opened again");
        assert!(!recovery.is_damaged() && recovery.dropped.is_empty(), "{name}: {recovery:?}");
    }
}

#[test]
fn labels_of_a_column_overlay_the_targets() {
    let rows = [
        ("job=j,instance=i", "__name__=m", "__name__=m,instance=i,job=j"),
        ("job=j,instance=i", "__name__=m,job=own", "__name__=m,instance=i,job=own"),
        ("job=j,instance=i", "__name__=m,job=", "__name__=m,instance=i"),
        ("job=j", "__name__=m,le=0.5", "__name__=m,job=j,le=0.5"),
    ];
    for (target, own, whole) in rows {
        let disk = SimDisk::new(1);
        for _ in 0..2 {
            let (db, _) = open(&disk);
            commit_row(&db, target, &[own], 10, &[1.0]);
            let selection = db.resolve(TimeRange::ALL, &[]).unwrap();
            let found: Vec<_> = selection.series.iter().map(|series| &series.labels).collect();
            assert_eq!(found, [&labels(whole)], "{target} {own}");
            let le = labels(whole).get("le").map(|le| le.parse().unwrap());
            assert_eq!(selection.series[0].le, le);
        }
    }
}

#[test]
fn columns_are_numbered_once_for_each_label_set() {
    let (db, _) = open(&SimDisk::new(1));
    let mut appender = db.appender();
    let own = ["__name__=a", "__name__=b", "__name__=a,job=j", "__name__=a"];
    let (group, first) = columns(&mut *appender, "job=j", &own);
    assert_eq!(first, [0, 1, 0, 0].map(ColumnRef));
    drop(appender);
    let mut appender = db.appender();
    assert_eq!(columns(&mut *appender, "job=j", &["__name__=b"]), (group, vec![ColumnRef(1)]));
    // The same column twice in a row: the first cell counts.
    let cells = [Cell::float(1.0), Cell::float(2.0), Cell::float(1.0)];
    let at = Timestamp::from_ms(1);
    let report = appender.row(group, at, &[first[0]; 3], &cells).unwrap();
    assert_eq!((report.stored, report.duplicate), (2, 1));
    assert_eq!(appender.commit().unwrap(), 1);
}

#[test]
fn refused_calls() {
    let options = Options { series_max: 2, ..Options::default() };
    let disk = std::sync::Arc::new(SimDisk::new(1));
    let (db, _) = Db::open(disk, dir(), options).unwrap();
    let mut appender = db.appender();
    let (group, known) = columns(&mut *appender, "job=j", &["__name__=a", "__name__=b"]);
    let at = Timestamp::from_ms(1);
    let cell = [Cell::float(1.0)];
    assert_eq!(appender.row(GroupRef(9), at, &known[..1], &cell), Err(Rejected::UnknownRef));
    assert_eq!(appender.row(group, at, &[ColumnRef(9)], &cell), Err(Rejected::UnknownRef));
    assert_eq!(appender.row(group, at, &known, &cell), Err(Rejected::UnknownRef));
    assert_eq!(appender.columns(GroupRef(9), &[]), Err(Rejected::UnknownRef));
    let refused = appender.columns(group, &[family(&["__name__=c"])]);
    assert_eq!(refused, Err(Rejected::SeriesLimit));
    let refused = appender.sample(&labels("__name__=d"), at, cell[0]);
    assert_eq!(refused, Err(Rejected::SeriesLimit));
    assert_eq!(appender.columns(group, &[family(&["x=y"])]), Err(Rejected::NoMetricName));
    let refused = appender.sample(&labels("x=y"), at, cell[0]);
    assert_eq!(refused, Err(Rejected::NoMetricName));
    assert_eq!(appender.exemplar(&Labels::empty(), exemplar(1.0, 1)), Err(Rejected::NoMetricName));
    let long = labels(&format!("__name__={}", "x".repeat(1 << 20)));
    assert_eq!(appender.group(&long), Err(Rejected::LabelsTooLong));
    assert_eq!(appender.sample(&long, at, cell[0]), Err(Rejected::LabelsTooLong));
    assert_eq!(appender.commit().unwrap(), 0);
    assert!(content(&db).is_empty());
}

#[test]
fn every_kind_of_cell_comes_back() {
    let histogram = Histogram { count: 7.0, ..Histogram::default() };
    let stale_histogram = Histogram { sum: STALE_NAN, ..Histogram::default() };
    let start = Some(Timestamp::from_ms(-5));
    let payload = f64::from_bits(0x7ff8_0000_dead_beef);
    let rows = [
        (Cell::float(0.1), "0.1", None),
        (Cell::float(-0.0), "-0.0", None),
        (Cell::float(payload), "7ff80000deadbeef", None),
        (Cell::float(f64::INFINITY), "inf", None),
        (Cell::STALE, "stale", None),
        (Cell::float(STALE_NAN), "stale", None),
        (Cell { value: CellValue::Histogram(&histogram), start }, "h7", Some(-5)),
        (Cell { value: CellValue::Histogram(&stale_histogram), start: None }, "stale", None),
        (Cell { value: CellValue::Float(3.0), start }, "3.0", Some(-5)),
        (Cell::float(3.0), "3.0", None),
    ];
    let disk = SimDisk::new(1);
    let (db, _) = open(&disk);
    for (at, (cell, ..)) in rows.iter().enumerate() {
        let mut appender = db.appender();
        let (group, columns) = columns(&mut *appender, "t=1", &["__name__=a"]);
        let at = Timestamp::from_ms(at as i64);
        appender.row(group, at, &columns, &[*cell]).unwrap();
        appender.sample(&labels("__name__=loose"), at, *cell).unwrap();
        appender.commit().unwrap();
    }
    let expected: Vec<_> = rows.iter().enumerate().collect();
    let expected: Vec<_> = expected
        .into_iter()
        .map(|(at, (_, text, start))| (at as i64, (*text).to_owned(), *start))
        .collect();
    for db in [db, open(&disk.fork(1)).0] {
        let content = content(&db);
        assert_eq!(content.len(), 2);
        for points in content.values() {
            assert_eq!(*points, expected);
        }
    }
}

#[test]
fn metadata_and_exemplars_survive() {
    let disk = SimDisk::new(1);
    let (db, _) = open(&disk);
    let counter = Metadata { kind: MetricType::Counter, unit: "s".into(), help: "Help.".into() };
    let mut appender = db.appender();
    let group = appender.group(&labels("job=j")).unwrap();
    let mut own = family(&["__name__=a_total"]);
    (own.name, own.metadata) = ("a".into(), counter.clone());
    appender.columns(group, &[own]).unwrap();
    appender.metadata("b", &Metadata { kind: MetricType::Gauge, ..counter.clone() }).unwrap();
    appender.exemplar(&labels("__name__=a_total,job=j"), exemplar(0.5, 10)).unwrap();
    assert_eq!(appender.commit().unwrap(), 0);
    // Enough rows for several segments; each restates the metadata.
    for at in 0..100 {
        commit_row(&db, "job=j", &["__name__=a_total"], at, &[at as f64 / 7.0]);
    }
    assert!(db.stats().log_segments > 2);
    db.sync().unwrap();
    db.drop_before(Timestamp::from_ms(90)).unwrap();
    let metadata = db.metadata();
    assert_eq!(metadata[0], ("a".into(), counter));
    assert_eq!(metadata[1].1.kind, MetricType::Gauge);
    drop(db);
    let (db, _) = open(&disk);
    assert_eq!(db.metadata(), metadata);
}

#[test]
fn exemplars_are_found_by_range_and_matchers() {
    let disk = SimDisk::new(1);
    let (db, _) = open(&disk);
    let mut appender = db.appender();
    for at in 0..5 {
        appender.exemplar(&labels("__name__=a,job=j"), exemplar(0.5, at)).unwrap();
        appender.exemplar(&labels("__name__=b,job=j"), exemplar(0.5, at)).unwrap();
    }
    appender.commit().unwrap();
    let range = TimeRange::new(Timestamp::from_ms(1), Timestamp::from_ms(3));
    let matcher = tsdb::model::Matcher::equal("__name__", "b");
    for db in [db, open(&disk.fork(1)).0] {
        let found = db.exemplars(range, std::slice::from_ref(&matcher));
        let times: Vec<_> = found.iter().map(|(_, own)| own.timestamp.ms()).collect();
        assert_eq!(times, [1, 2, 3]);
    }
}

#[test]
fn a_dropped_appender_leaves_nothing_behind() {
    let disk = SimDisk::new(1);
    let (db, _) = open(&disk);
    let mut appender = db.appender();
    let (group, columns) = columns(&mut *appender, "t=1", &["__name__=a"]);
    appender.row(group, Timestamp::from_ms(1), &columns, &[Cell::float(1.0)]).unwrap();
    appender.sample(&labels("__name__=b"), Timestamp::from_ms(1), Cell::float(1.0)).unwrap();
    appender.metadata("b", &Metadata { unit: "s".into(), ..Metadata::default() }).unwrap();
    drop(appender);
    let generation = db.generation();
    assert!(content(&db).is_empty() && db.metadata().is_empty());
    assert_eq!(db.series(TimeRange::ALL, &[], 9).unwrap(), []);
    assert_eq!(db.label_names(TimeRange::ALL, &[], 9).unwrap(), [""; 0]);
    assert_eq!((db.stats().log_bytes, db.generation()), (0, generation));
}

#[test]
fn a_commit_in_between_is_respected() {
    let disk = SimDisk::new(1);
    let (db, _) = open(&disk);
    let own = ["__name__=a", "__name__=b"];
    let mut first = db.appender();
    let (group, refs) = columns(&mut *first, "t=1", &own);
    let cells = [Cell::float(1.0), Cell::float(2.0)];
    assert_eq!(first.row(group, Timestamp::from_ms(10), &refs, &cells).unwrap().stored, 2);
    assert_eq!(commit_row(&db, "t=1", &own[..1], 10, &[5.0]), 1);
    assert_eq!(first.commit().unwrap(), 1);
    let expected = content(&db);
    assert_eq!(expected[&labels("__name__=a,t=1").to_string()], [(10, "5.0".into(), None)]);
    assert_eq!(expected[&labels("__name__=b,t=1").to_string()], [(10, "2.0".into(), None)]);
    drop(db);
    let (db, recovery) = open(&disk);
    assert_eq!((content(&db), recovery.rejected), (expected, 0));
}
