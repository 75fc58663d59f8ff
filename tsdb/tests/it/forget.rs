//! Definitions of what ended leave memory, and come back as if they had never been there.

use std::sync::atomic::{AtomicBool, Ordering};

use tsdb::disk::sim::{Ending, SimDisk};
use tsdb::model::{TimeRange, Timestamp};
use tsdb::{Cell, Db, Options, Rejected, Storage};

use crate::store::{
    columns, commit_row, content, labels, open, open_with, options, read, select_all,
};

const OWN: [&str; 2] = ["__name__=a", "__name__=b"];

/// A row of a target that lives on, and a flush.
fn flush(db: &Db, at: i64) {
    commit_row(db, "t=lives", &["__name__=a"], at, &[0.0]);
    assert!(db.flush_all().unwrap());
}

fn sample(db: &Db, at: i64, value: f64) -> Result<usize, Rejected> {
    let mut appender = db.appender();
    appender.sample(&labels("__name__=loose"), Timestamp::from_ms(at), Cell::float(value))?;
    Ok(appender.commit().unwrap())
}

/// Series and groups that are known.
fn known(db: &Db) -> (usize, usize) {
    let stats = db.stats();
    (stats.definitions, stats.groups)
}

#[test]
fn what_ended_is_forgotten_and_comes_back() {
    let disk = SimDisk::new(1);
    let db = open(&disk).0;
    commit_row(&db, "t=1", &OWN, 10, &[1.0, 2.0]);
    // Shares `t=1`'s series, and never gets a row.
    commit_row(&db, "t=1,__name__=b", &["__name__=a"], 5, &[0.0]);
    sample(&db, 10, 3.0).unwrap();
    let (group, refs) = columns(&mut *db.appender(), "t=1", &OWN);
    flush(&db, 11);
    assert_eq!(known(&db), (4, 3));
    (12..15).for_each(|at| flush(&db, at));
    assert_eq!(known(&db), (1, 1));
    let before = content(&db);
    // Old numbers mean nothing.
    let cells = [Cell::float(5.0); 2];
    let row = |at| db.appender().row(group, Timestamp::from_ms(at), &refs, &cells);
    assert_eq!(row(20), Err(Rejected::UnknownRef));
    assert!(db.appender().columns(group, &[]).is_err());
    // What the blocks have is known again: older, equal, another value, newer.
    let mut appender = db.appender();
    let (again, refs) = columns(&mut *appender, "t=1", &OWN);
    assert_ne!(group, again);
    let mut reports = Vec::new();
    for (at, values) in [(9, [1.0, 2.0]), (10, [1.0, 7.0]), (10, [1.0, 2.0]), (11, [8.0, 9.0])] {
        let report = appender.row(again, Timestamp::from_ms(at), &refs, &values.map(Cell::float));
        let report = report.unwrap();
        reports.push((report.stored, report.out_of_order, report.duplicate));
    }
    assert_eq!(reports, [(0, 2, 0), (1, 0, 1), (2, 0, 0), (2, 0, 0)]);
    drop(appender);
    assert_eq!(content(&db), before);
    assert_eq!(sample(&db, 9, 3.0), Err(Rejected::OutOfOrder));
    assert_eq!(sample(&db, 10, 4.0), Err(Rejected::Duplicate));
    assert_eq!((sample(&db, 10, 3.0), sample(&db, 11, 4.0)), (Ok(0), Ok(1)));
    commit_row(&db, "t=1", &OWN, 11, &[8.0, 9.0]);
    let mut expected = before;
    for (own, at, value) in [("a,t=1", 11, 8.0), ("b,t=1", 11, 9.0), ("loose", 11, 4.0)] {
        let name = labels(&format!("__name__={own}")).to_string();
        expected.get_mut(&name).unwrap().push((at, format!("{value:?}"), None));
    }
    assert_eq!(content(&db), expected);
    drop(db);
    disk.restart(Ending::Kill);
    assert_eq!(content(&open(&disk).0), expected);
}

#[test]
fn nothing_is_forgotten_under_a_reader_or_an_appender() {
    let db = open(&SimDisk::new(1)).0;
    commit_row(&db, "t=1", &OWN, 10, &[1.0, 2.0]);
    let (before, selection) = (content(&db), select_all(&db));
    let mut appender = db.appender();
    let (group, refs) = columns(&mut *appender, "t=1", &OWN);
    appender.row(group, Timestamp::from_ms(20), &refs, &[Cell::float(3.0); 2]).unwrap();
    let late = labels("__name__=late");
    appender.sample(&late, Timestamp::from_ms(20), Cell::float(3.0)).unwrap();
    (30..35).for_each(|at| flush(&db, at));
    assert_eq!(read(&db, &selection, TimeRange::ALL), before);
    drop(selection);
    (35..40).for_each(|at| flush(&db, at));
    assert_eq!(known(&db), (4, 2));
    assert_eq!(appender.commit().unwrap(), 3);
    assert_eq!(content(&db)[&late.to_string()], [(20, "3.0".to_owned(), None)]);
    (40..43).for_each(|at| flush(&db, at));
    assert_eq!(known(&db), (1, 1));
}

/// Writes generations of 50 series, half of them loose, one flush each; the most definitions
/// there were.
fn churn(db: &Db, generations: i64) -> usize {
    let mut most = 0;
    for at in 0..generations {
        let names: Vec<_> = (0..25).map(|own| format!("__name__=n{own}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        commit_row(db, &format!("t={at}"), &names, at, &[at as f64; 25]);
        let mut appender = db.appender();
        for own in 0..25 {
            let labels = labels(&format!("__name__=l{own},g={at}"));
            appender.sample(&labels, Timestamp::from_ms(at), Cell::float(at as f64)).unwrap();
        }
        appender.commit().unwrap();
        db.flush_if_due().unwrap();
        most = most.max(db.stats().definitions);
    }
    most
}

#[test]
fn churn_is_bounded() {
    let disk = SimDisk::new(1);
    // More series than may be there at once.
    let always =
        Options { flush_samples: 0, flush_rows: 0, kept_rows: 2, window_rows: 256, ..options() };
    let options = Options { series_max: 400, segment_bytes_max: 1 << 20, ..always };
    let db = open_with(&disk, options.clone()).0;
    let most = churn(&db, 200);
    assert!(most <= 300, "{most}");
    assert!(db.stats().groups <= 6);
    while db.compact_if_due().unwrap() {}
    let before = content(&db);
    assert_eq!(before.len(), 10_000);
    assert!(before.values().all(|points| points.len() == 1));
    drop(db);
    disk.restart(Ending::Kill);
    assert!(content(&open_with(&disk, options).0) == before);
}

#[test]
fn readers_see_all_generations() {
    let always = Options { flush_samples: 0, flush_rows: 0, kept_rows: 2, ..options() };
    let db = open_with(&SimDisk::new(3), always).0;
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut seen = 0;
                while !is_done.load(Ordering::SeqCst) {
                    let content = content(&db);
                    assert!(content.len() >= seen);
                    seen = content.len();
                    for (name, points) in &content {
                        // Each holds the number that its labels say.
                        let value = format!("{:?}", points[0].0 as f64);
                        let own = format!("=\"{}\"", points[0].0);
                        assert!(points.len() == 1 && points[0].1 == value && name.contains(&own));
                    }
                }
            });
        }
        churn(&db, 60);
        is_done.store(true, Ordering::SeqCst);
    });
    assert_eq!(content(&db).len(), 60 * 50);
}

#[test]
fn a_target_whose_series_change_gets_a_new_group() {
    let disk = SimDisk::new(1);
    let options =
        Options { kept_rows: 2, window_rows: 16, segment_bytes_max: 1 << 20, ..options() };
    let db = open_with(&disk, options.clone()).0;
    let name = |generation: i64, own: usize| format!("__name__=pod,p={generation}-{own}");
    let own = |generation| {
        let mut own: Vec<_> = (0..300).map(|own| name(generation, own)).collect();
        own.extend((0..20).map(|own| format!("__name__=lives{own}")));
        own
    };
    let (mut most, mut groups) = (0, std::collections::BTreeSet::new());
    for generation in 0..30 {
        let own = own(generation);
        let own: Vec<_> = own.iter().map(String::as_str).collect();
        let values = [generation as f64; 320];
        for row in 0..4 {
            let mut appender = db.appender();
            let (group, refs) = columns(&mut *appender, "t=1", &own);
            groups.insert(group);
            // Samples are let go while the commit is gathered.
            db.flush_all().unwrap();
            let at = Timestamp::from_ms(generation * 10 + row);
            let report = appender.row(group, at, &refs, &values.map(Cell::float)).unwrap();
            assert_eq!((report.stored, appender.commit().unwrap()), (320, 320));
        }
        most = most.max(db.stats().definitions);
    }
    assert!(groups.len() > 3, "the old groups are replaced: {groups:?}");
    assert!(most < 2000, "of 9020 series no more are known at once: {most}");
    let before = content(&db);
    assert_eq!(before.len(), 30 * 300 + 20);
    assert_eq!(before[&labels("__name__=lives7,t=1").to_string()].len(), 120);
    assert!(before.values().all(|points| points.len() == 4 || points.len() == 120));
    drop(db);
    disk.restart(Ending::Kill);
    assert!(content(&open_with(&disk, options).0) == before);
}

#[test]
fn a_target_all_of_whose_rows_are_in_blocks_keeps_its_group() {
    let db = open(&SimDisk::new(1)).0;
    let own: Vec<_> = (0..300).map(|own| format!("__name__=n{own}")).collect();
    let own: Vec<_> = own.iter().map(String::as_str).collect();
    let (group, refs) = columns(&mut *db.appender(), "t=1", &own);
    for at in 0..10 {
        let mut appender = db.appender();
        let row = [Cell::float(at as f64); 300];
        let report = appender.row(group, Timestamp::from_ms(at), &refs, &row).unwrap();
        assert_eq!((report.stored, appender.commit().unwrap()), (300, 300));
        assert!(db.flush_all().unwrap());
    }
}
