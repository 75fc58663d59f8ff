//! A disk that fails and comes back: fsync, short writes, no space. Nothing of a failed commit
//! is ever seen, nothing else is lost, and it resumes by itself.

use tsdb::disk::sim::{Ending, Fault, SimDisk};
use tsdb::model::Timestamp;
use tsdb::{Cell, Db, Options, Storage};

use crate::store::{Content, columns, content, labels, open, open_with, options};

/// Commits a row; if that fails, nothing may have changed.
fn try_commit(db: &Db, at: i64) -> bool {
    let before = content(db);
    let mut appender = db.appender();
    let (group, refs) = columns(&mut *appender, "t=1", &["__name__=a", "__name__=b"]);
    let cells = [Cell::float(at as f64 / 3.0); 2];
    appender.row(group, Timestamp::from_ms(at), &refs, &cells).unwrap();
    let is_stored = appender.commit().is_ok();
    let after = content(db);
    let rows = |content: &Content| content.values().map(Vec::len).sum::<usize>();
    assert_eq!(rows(&after), rows(&before) + if is_stored { 2 } else { 0 }, "at {at}");
    is_stored
}

fn check_reopened(disk: &SimDisk, db: Db, ending: Ending, what: &str) {
    let expected = content(&db);
    drop(db);
    disk.restart(ending);
    let (db, recovery) = open(disk);
    assert_eq!(content(&db), expected, "{what}");
    assert!(!recovery.is_damaged(), "{what}: {recovery:?}");
}

/// Rows with a sync after every third one: 80 of them, so several segments.
fn rows_and_syncs(db: &Db) -> (usize, usize) {
    let (mut failed_commits, mut failed_syncs) = (0, 0);
    for at in 0..80 {
        failed_commits += usize::from(!try_commit(db, at));
        if at % 3 == 2 {
            failed_syncs += usize::from(db.sync().is_err());
        }
    }
    (failed_commits, failed_syncs)
}

#[test]
fn every_operation_fails_once() {
    let whole = SimDisk::new(0);
    let (db, _) = open(&whole);
    let opened = whole.operations();
    assert_eq!(rows_and_syncs(&db), (0, 0));
    assert!(db.stats().log_segments > 2);
    for fault in [Fault::Error, Fault::ShortWrite] {
        for operation in opened..whole.operations() {
            let what = format!("{fault:?} at {operation}");
            for ending in [Ending::Kill, Ending::PowerCut] {
                let disk = SimDisk::new(operation);
                let (db, _) = open(&disk);
                disk.fail_at(operation, fault);
                let (failed_commits, failed_syncs) = rows_and_syncs(&db);
                assert!(failed_commits + failed_syncs <= 1, "{what}: it goes on by itself");
                db.sync().unwrap();
                check_reopened(&disk, db, ending, &what);
            }
        }
    }
}

#[test]
fn a_failed_fsync_is_made_good_in_a_new_file() {
    let disk = SimDisk::new(3);
    let (db, _) = open(&disk);
    (0..3).for_each(|at| assert!(try_commit(&db, at)));
    db.sync().unwrap();
    (3..6).for_each(|at| assert!(try_commit(&db, at)));
    disk.fail_at(disk.operations(), Fault::Error);
    db.sync().unwrap();
    assert_eq!(db.stats().sync_failures, 1);
    (6..9).for_each(|at| assert!(try_commit(&db, at)));
    db.sync().unwrap();
    check_reopened(&disk, db, Ending::PowerCut, "once");

    // And if the new file fails too, at each of the steps, the next sync is a new attempt.
    for failures in 2..8 {
        let disk = SimDisk::new(failures);
        let (db, _) = open(&disk);
        (0..3).for_each(|at| assert!(try_commit(&db, at)));
        let now = disk.operations();
        disk.fail_at(now, Fault::Error);
        disk.fail_at(now + failures - 1, Fault::Error);
        let first = db.sync();
        (3..6).for_each(|at| assert!(try_commit(&db, at)));
        assert!(db.sync().is_ok(), "{failures}: {first:?}");
        check_reopened(&disk, db, Ending::PowerCut, &format!("{failures} failures"));
    }
}

#[test]
fn a_full_disk_and_space_again() {
    let disk = SimDisk::new(5);
    let (db, _) = open(&disk);
    let mut stored = 0;
    for at in 0..90 {
        disk.set_full((20..25).contains(&(at % 30)));
        stored += usize::from(try_commit(&db, at));
    }
    assert_eq!(stored, 75);
    disk.set_full(false);
    db.sync().unwrap();
    let segments = db.stats().log_segments;
    assert!(segments < 40, "{segments} segments: no litter");
    check_reopened(&disk, db, Ending::PowerCut, "full");
}

/// While there is no space, rows go to memory only, up to a bound; what is there when there is space
/// again survives everything after the next flush.
#[test]
fn a_full_disk_suspends_the_log() {
    let disk = SimDisk::new(5);
    let options = Options { unlogged_samples_max: 60, ..options() };
    let (db, _) = open_with(&disk, options.clone());
    for round in 0..3 {
        let start = round * 100;
        (start..start + 5).for_each(|at| assert!(try_commit(&db, at)));
        assert!(!db.is_log_suspended());
        disk.set_full(true);
        let before = db.stats().head_samples;
        let room = (60 - before as i64) / 2;
        (start + 5..start + 5 + room).for_each(|at| assert!(try_commit(&db, at)));
        assert!(db.is_log_suspended() && !try_commit(&db, start + 90));
        assert!(db.flush_all().is_err() && db.is_log_suspended());
        disk.set_full(false);
        // Nobody writes a log with a hole, even though there is space.
        assert!(!try_commit(&db, start + 91));
        assert!(db.flush_all().unwrap() && !db.is_log_suspended());
        assert!(try_commit(&db, start + 92));
        let expected = content(&db);
        let copy = disk.fork(1);
        assert_eq!(content(&open_with(&copy, options.clone()).0), expected, "killed");
    }
    db.sync().unwrap();
    check_reopened(&disk, db, Ending::PowerCut, "suspended");
}

#[test]
fn a_store_without_space_still_opens_and_reads() {
    let disk = SimDisk::new(6);
    let (db, _) = open(&disk);
    (0..30).for_each(|at| assert!(try_commit(&db, at)));
    let expected = content(&db);
    drop(db);
    disk.set_full(true);
    let (db, _) = open(&disk);
    assert_eq!(content(&db), expected);
    assert!(!try_commit(&db, 30));
    disk.set_full(false);
    assert!(try_commit(&db, 31));
    assert_eq!(content(&db)[&labels("__name__=a,t=1").to_string()].len(), 31);
}
