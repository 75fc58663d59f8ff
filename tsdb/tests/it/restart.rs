//! Opening what is there: the real disk, the lock, segments, nothing at all.

use std::sync::Arc;

use tsdb::disk::os::OsDisk;
use tsdb::disk::sim::{Ending, SimDisk};
use tsdb::{Db, Error, Options, Recovery, Storage};

use crate::store::{commit_row, content, dir, open, options};

#[test]
fn the_real_disk_keeps_everything_without_a_close() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("data");
    let open = || Db::open(Arc::new(OsDisk), &dir, options()).unwrap();
    let mut expected = Default::default();
    for round in 0..4 {
        let (db, recovery) = open();
        assert_eq!((content(&db), recovery.dropped.len()), (expected, 0));
        for at in 0..50 {
            let own = ["__name__=a", "__name__=b"];
            commit_row(&db, "t=1", &own, round * 100 + at, &[at as f64 / 7.0, 1.0]);
        }
        if round % 2 == 0 {
            db.sync().unwrap();
        }
        expected = content(&db);
    }
    let (db, recovery) = open();
    assert_eq!(content(&db), expected);
    assert_eq!((recovery.commits, recovery.samples), (200, 400));
    let on_disk = std::fs::read_dir(dir.join("wal")).unwrap();
    let bytes: u64 = on_disk.map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert_eq!((db.stats().log_bytes, db.stats().log_segments), (bytes, recovery.segments));
    db.close().unwrap();
}

#[test]
fn one_process_at_a_time() {
    let root = tempfile::tempdir().unwrap();
    let open = || Db::open(Arc::new(OsDisk), root.path(), options());
    let (db, _) = open().unwrap();
    assert!(matches!(open(), Err(Error::Locked { path }) if path == root.path().join("lock")));
    drop(db);
    assert!(open().is_ok());
}

#[test]
fn an_empty_store_opens_and_writes_no_segment() {
    let disk = SimDisk::new(1);
    for _ in 0..3 {
        let (db, recovery) = open(&disk);
        assert_eq!(recovery, Recovery::default());
        assert_eq!(db.appender().commit().unwrap(), 0);
        db.close().unwrap();
    }
    assert!(disk.files().is_empty());
}

#[test]
fn limits_of_today_do_not_lose_what_was_stored() {
    let disk = SimDisk::new(1);
    let (db, _) = open(&disk);
    commit_row(&db, "t=1", &["__name__=a", "__name__=b", "__name__=c"], 1, &[1.0; 3]);
    let expected = content(&db);
    drop(db);
    let fewer = Options { series_max: 1, ..options() };
    let (db, recovery) = Db::open(Arc::new(disk), dir(), fewer).unwrap();
    assert_eq!((content(&db), recovery.rejected), (expected, 0));
}

#[test]
fn a_power_cut_after_a_sync_loses_nothing() {
    for seed in 0..50 {
        let disk = SimDisk::new(seed);
        let (db, _) = open(&disk);
        for at in 0..40 {
            commit_row(&db, "t=1", &["__name__=a"], at, &[at as f64 / 3.0]);
        }
        db.sync().unwrap();
        let expected = content(&db);
        drop(db);
        disk.restart(Ending::PowerCut);
        let (db, recovery) = open(&disk);
        assert_eq!(content(&db), expected, "seed {seed}");
        assert!(recovery.dropped.is_empty(), "seed {seed}: {recovery:?}");
    }
}
