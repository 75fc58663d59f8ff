//! Resolving and reading: snapshots, ranges, bounds, labels, retention.

use std::sync::Arc;

use tsdb::disk::sim::SimDisk;
use tsdb::model::{Matcher, TimeRange, Timestamp};
use tsdb::{Cell, Db, Options, Rejected, Select, Selection, Storage};

use crate::store::{
    columns, commit_row, content, dir, labels, open, open_with, options, read, select_all,
};

fn range(start: i64, end: i64) -> TimeRange {
    TimeRange::new(Timestamp::from_ms(start), Timestamp::from_ms(end))
}

#[test]
fn a_selection_is_read_as_it_was_resolved() {
    let (db, _) = open(&SimDisk::new(1));
    let own = ["__name__=a", "__name__=b"];
    commit_row(&db, "t=1", &own, 10, &[1.0, 1.0]);
    commit_row(&db, "t=1", &own[..1], 20, &[2.0]);
    let selection = select_all(&db);
    let before = content(&db);
    let mut batches = db.read(&selection, TimeRange::ALL).unwrap();
    // A fill of a visible row, new rows, a loose sample: none belongs to the selection.
    commit_row(&db, "t=1", &own[1..], 20, &[3.0]);
    commit_row(&db, "t=1", &own, 30, &[4.0, 4.0]);
    let mut appender = db.appender();
    let series = labels("__name__=a,t=1");
    appender.sample(&series, Timestamp::from_ms(35), Cell::float(5.0)).unwrap();
    appender.commit().unwrap();
    assert_eq!(read(&db, &selection, TimeRange::ALL), before);
    let mut rows = Vec::new();
    while batches.next(&mut |batch| rows.extend_from_slice(batch.timestamps)).unwrap() {}
    assert_eq!(rows, [10, 20]);
    assert_ne!(selection.generation, db.generation());
    assert_eq!(content(&db)[&series.to_string()].len(), 4);
}

#[test]
fn ranges_are_closed() {
    let (db, _) = open(&SimDisk::new(1));
    for at in 0..1000 {
        commit_row(&db, "t=1", &["__name__=a"], at * 10, &[at as f64]);
        let mut appender = db.appender();
        let at = Timestamp::from_ms(at * 10 + 5);
        appender.sample(&labels("__name__=loose"), at, Cell::float(0.5)).unwrap();
        appender.commit().unwrap();
    }
    let rows = [
        (0, 9999, 1000, 1000),
        (20, 40, 3, 2),
        (25, 45, 2, 3),
        (2555, 2565, 1, 2),
        (9990, 20_000, 1, 1),
        (-100, -1, 0, 0),
        (50, 40, 0, 0),
        (i64::MIN, i64::MAX, 1000, 1000),
    ];
    for (start, end, in_rows, loose) in rows {
        for selection in [select_all(&db), db.resolve(range(start, end), &[]).unwrap()] {
            let found = read(&db, &selection, range(start, end));
            let count = |name: &str| found.get(&labels(name).to_string()).map_or(0, Vec::len);
            let counts = (count("__name__=a,t=1"), count("__name__=loose"));
            assert_eq!(counts, (in_rows, loose), "{start}..={end}");
        }
    }
}

#[test]
fn many_columns_come_in_bounded_batches() {
    let (db, _) = open_with(&SimDisk::new(1), Options { window_rows: 256, ..options() });
    let own: Vec<_> = (0..1300).map(|column| format!("__name__=m,c={column:04}")).collect();
    let own: Vec<_> = own.iter().map(String::as_str).collect();
    let mut appender = db.appender();
    let (group, refs) = columns(&mut *appender, "t=1", &own);
    for at in 0..300 {
        let cells: Vec<_> = (0..1300).map(|column| Cell::float(f64::from(column * at))).collect();
        appender.row(group, Timestamp::from_ms(i64::from(at)), &refs, &cells).unwrap();
    }
    assert_eq!(appender.commit().unwrap(), 1300 * 300);
    let selection = select_all(&db);
    assert!(selection.series.is_sorted_by(|a, b| a.labels < b.labels));
    let found = read(&db, &selection, TimeRange::ALL);
    assert_eq!(found.len(), 1300);
    let points = &found[&labels("__name__=m,c=1299,t=1").to_string()];
    assert_eq!(points.len(), 300);
    assert_eq!(points[299].1, format!("{:?}", 1299.0 * 299.0));
    let mut batches = 0;
    let mut reader = db.read(&selection, TimeRange::ALL).unwrap();
    while reader.next(&mut |_| batches += 1).unwrap() {}
    // 170 columns of the longest window a block may have fill a batch.
    assert_eq!(batches, 8 * 2);
}

#[test]
fn columns_that_repeat_the_one_before_them_say_so() {
    let disk = SimDisk::new(1);
    let (db, _) = open_with(&disk, Options { window_rows: 16, ..options() });
    let own = ["__name__=h,le=1", "__name__=h,le=2", "__name__=h,le=4", "__name__=h,le=8"];
    let said = |db: &Db| {
        let (selection, mut said) = (select_all(db), Vec::new());
        let mut batches = db.read(&selection, TimeRange::ALL).unwrap();
        let mut sink = |batch: tsdb::Batch<'_>| {
            said.push(batch.columns.iter().map(|column| column.repeats).collect::<Vec<_>>());
        };
        while batches.next(&mut sink).unwrap() {}
        read(db, &selection, TimeRange::ALL);
        said
    };
    // A full window, and rows in an open one. The last bucket gets one more in the middle of it.
    for at in 0..20 {
        let count = (at / 3) as f64;
        let last = if at < 18 { count } else { count + 1.0 };
        commit_row(&db, "t=1", &own, at, &[0.0, count, count, last]);
    }
    let expected = [[false, false, true, true], [false, false, true, false]];
    assert_eq!(said(&db), expected, "in memory");
    assert!(db.flush_all().unwrap());
    assert_eq!(said(&db), expected, "in a block");
}

#[test]
fn labels_and_series_with_matchers() {
    let (db, _) = open(&SimDisk::new(1));
    commit_row(&db, "job=x", &["__name__=a,l=1", "__name__=b"], 10, &[1.0, 1.0]);
    commit_row(&db, "job=y", &["__name__=a,l=2", "__name__=c,only=z"], 100, &[1.0, 1.0]);
    let is = |name: &str, value: &str| Matcher::equal(name, value);
    type Case = (TimeRange, Vec<Vec<Matcher>>, &'static str, &'static str, usize);
    let rows: [Case; 6] = [
        (TimeRange::ALL, vec![], "__name__ job l only", "x y", 4),
        (TimeRange::ALL, vec![vec![is("__name__", "b")]], "__name__ job", "x", 1),
        (
            TimeRange::ALL,
            vec![vec![is("l", "1")], vec![is("only", "z")]],
            "__name__ job l only",
            "x y",
            2,
        ),
        (TimeRange::ALL, vec![vec![is("l", "1"), is("job", "y")]], "", "", 0),
        (range(50, 200), vec![], "__name__ job l only", "y", 2),
        (range(0, 50), vec![], "__name__ job l", "x", 2),
    ];
    for (range, sets, names, jobs, count) in rows {
        assert_eq!(db.label_names(range, &sets, 9).unwrap().join(" "), names, "{sets:?}");
        assert_eq!(db.label_values("job", range, &sets, 9).unwrap().join(" "), jobs, "{sets:?}");
        assert_eq!(db.series(range, &sets, 9).unwrap().len(), count, "{sets:?}");
        let limited = db.series(range, &sets, 1).unwrap();
        assert_eq!(limited.len(), count.min(1));
        assert!(db.label_names(range, &sets, 1).unwrap().len() <= 1);
    }
}

#[test]
fn what_is_old_leaves_memory_and_log() {
    let disk = SimDisk::new(1);
    let (db, _) = open_with(&disk, Options { window_rows: 256, ..options() });
    for at in 0..1000 {
        commit_row(&db, "t=1", &["__name__=a"], at, &[at as f64 / 3.0]);
    }
    for at in 0..10 {
        let mut appender = db.appender();
        let series = labels("__name__=loose");
        appender.sample(&series, Timestamp::from_ms(at), Cell::float(0.5)).unwrap();
        appender.commit().unwrap();
    }
    db.sync().unwrap();
    let (before, bytes) = (db.stats(), db.sample_bytes());
    db.drop_before(Timestamp::from_ms(700)).unwrap();
    let after = db.stats();
    assert_eq!((before.series, after.series), (2, 1));
    assert_eq!((before.samples, after.samples), (1010, 1000 - 512));
    assert!(db.sample_bytes() < bytes && after.log_bytes < before.log_bytes / 2);
    assert_eq!(after.oldest.map(Timestamp::ms), Some(700));
    let selection = select_all(&db);
    assert_eq!(selection.series.len(), 1);
    assert_eq!(read(&db, &selection, TimeRange::ALL).values().next().unwrap().len(), 300);
    let mut appender = db.appender();
    let late = appender.sample(&labels("__name__=late"), Timestamp::from_ms(699), Cell::float(1.0));
    assert_eq!(late, Err(Rejected::TooOld));
    let loose = labels("__name__=loose");
    appender.sample(&loose, Timestamp::from_ms(2000), Cell::float(1.0)).unwrap();
    appender.commit().unwrap();
    assert_eq!(content(&db)[&loose.to_string()].len(), 1);
    let expected = content(&db);
    drop(db);
    let (db, recovery) = open(&disk);
    assert!(!recovery.is_damaged());
    db.drop_before(Timestamp::from_ms(700)).unwrap();
    assert_eq!(content(&db), expected);
}

#[test]
fn a_selection_of_another_store_is_no_danger() {
    let (db, _) = open(&SimDisk::new(1));
    commit_row(&db, "t=1", &["__name__=a"], 10, &[1.0]);
    let series = select_all(&db).series;
    let foreign = Selection::new(series, vec![4_000_000], db.generation());
    assert!(read(&db, &foreign, TimeRange::ALL).is_empty());
}

#[test]
fn readers_and_writers_at_once_see_whole_rows() {
    let disk = SimDisk::new(1);
    // All commits fit into so few segments that a slow sync cannot stop the writers.
    let options = Options { segment_bytes_max: 16 << 10, ..Options::default() };
    let (db, _) = Db::open(Arc::new(disk.clone()), dir(), options).unwrap();
    let own = ["__name__=a", "__name__=b", "__name__=c"];
    std::thread::scope(|scope| {
        let writers: Vec<_> = ["t=1", "t=2"]
            .map(|target| {
                scope.spawn(|| {
                    for at in 0..300 {
                        commit_row(&db, target, &own, at, &[at as f64; 3]);
                    }
                })
            })
            .into();
        while !writers.iter().all(|writer| writer.is_finished()) {
            db.sync().unwrap();
            let found = content(&db);
            for target in ["1", "2"] {
                let rows =
                    |name| found.get(&labels(&format!("__name__={name},t={target}")).to_string());
                assert_eq!(rows("a"), rows("b"));
                assert_eq!(rows("a"), rows("c"));
            }
        }
    });
    assert_eq!(db.stats().samples, 2 * 3 * 300);
    assert_eq!(content(&open(&disk.fork(1)).0), content(&db));
}
