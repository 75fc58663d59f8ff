//! What blocks change for those who read and write: a flush, a merge, a deletion, a snapshot in
//! the middle; a disk that refuses; a file that is damaged.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tsdb::disk::sim::{Ending, SimDisk};
use tsdb::model::{Matcher, TimeRange, Timestamp};
use tsdb::{Db, Options, Storage};

use crate::store::{
    Content, commit_row, content, exemplar, labels, open, open_with, options, read, select_all,
};

const OWN: [&str; 3] = ["__name__=a", "__name__=b,le=0.5", "__name__=b,le=+Inf"];

/// Writes `rows` rows of two targets from time `from` on.
fn write(db: &Db, from: i64, rows: i64) {
    for at in from..from + rows {
        for target in ["t=1", "t=2"] {
            commit_row(db, target, &OWN, at, &[at as f64 / 3.0, at as f64, 2.0 * at as f64]);
        }
    }
}

/// A store with as many blocks of five rows, and nothing in the head.
fn with_blocks(disk: &SimDisk, blocks: i64) -> Db {
    let db = open(disk).0;
    for block in 0..blocks {
        write(&db, block * 5, 5);
        assert!(db.flush_all().unwrap());
    }
    assert_eq!((db.stats().blocks as i64, db.stats().head_samples), (blocks, 0));
    db
}

fn delete_a(db: &Db, start: i64, end: i64) -> usize {
    let range = TimeRange::new(Timestamp::from_ms(start), Timestamp::from_ms(end));
    db.delete(range, &[Matcher::equal("__name__", "a")]).unwrap()
}

/// What is left of a loose series whose samples are all deleted does not stop later merges.
#[test]
fn deleted_series_vanish_from_blocks() {
    let db = open(&SimDisk::new(1)).0;
    write(&db, 0, 5);
    let mut appender = db.appender();
    let series = labels("__name__=a,loose=yes");
    appender.sample(&series, Timestamp::from_ms(7), tsdb::Cell::float(2.0)).unwrap();
    appender.commit().unwrap();
    for time in [7, 0, 1, 2] {
        assert!(delete_a(&db, time, time) > 0);
        assert_eq!(db.clean_deleted().unwrap(), 1, "time {time}");
    }
    let left = content(&db);
    assert!(!left.contains_key(&series.to_string()), "{left:?}");
    assert_eq!(left[&labels("__name__=a,t=1").to_string()].len(), 2);
    assert!(db.verify().is_empty());
}

#[test]
fn a_reader_keeps_what_it_began_with() {
    type Change = fn(&Db);
    let changes: [(&str, Change); 5] = [
        ("flush", |db| assert!(db.flush_all().unwrap())),
        ("flush twice", |db| {
            db.flush_all().unwrap();
            write(db, 500, 5);
            db.flush_all().unwrap();
        }),
        ("merge", |db| {
            db.flush_all().unwrap();
            assert!(db.compact_if_due().unwrap());
        }),
        ("delete", |db| assert_eq!(delete_a(db, 0, 100), 8)),
        ("clean", |db| {
            delete_a(db, 0, 100);
            assert!(db.clean_deleted().unwrap() > 0);
        }),
    ];
    for (what, change) in changes {
        let db = with_blocks(&SimDisk::new(1), 3);
        write(&db, 15, 7);
        let before = content(&db);
        let selection = select_all(&db);
        change(&db);
        write(&db, 1000, 3);
        assert_eq!(read(&db, &selection, TimeRange::ALL), before, "{what}");
        // When it is gone the memory is free.
        let held = db.sample_bytes();
        drop(selection);
        db.flush_all().unwrap();
        assert!(db.sample_bytes() < held / 2, "{what}: {held}");
    }
}

#[test]
fn a_merge_changes_nothing_but_the_number_of_blocks() {
    let disk = SimDisk::new(1);
    let db = with_blocks(&disk, 16);
    let before = content(&db);
    let mut merges = 0;
    while db.compact_if_due().unwrap() {
        merges += 1;
        assert_eq!(content(&db), before);
    }
    assert_eq!((merges, db.stats().blocks, db.verify().len()), (5, 1, 0));
    drop(db);
    disk.restart(Ending::PowerCut);
    assert_eq!(content(&open(&disk).0), before);
}

#[test]
fn exemplars_outlive_the_log() {
    let disk = SimDisk::new(1);
    let db = open(&disk).0;
    let mut appender = db.appender();
    appender.exemplar(&labels("__name__=a"), exemplar(1.5, 7)).unwrap();
    appender.commit().unwrap();
    write(&db, 0, 5);
    assert!(db.flush_all().unwrap());
    let before = db.exemplars(TimeRange::ALL, &[]);
    assert_eq!(before.len(), 1);
    drop(db);
    disk.restart(Ending::PowerCut);
    assert_eq!(open(&disk).0.exemplars(TimeRange::ALL, &[]), before);
}

#[test]
fn a_full_disk_loses_no_sample_and_a_flush_succeeds_later() {
    let disk = SimDisk::new(1);
    let db = open(&disk).0;
    write(&db, 0, 20);
    let before = content(&db);
    for _ in 0..3 {
        disk.set_full(true);
        assert!(db.flush_all().is_err());
        assert_eq!(content(&db), before);
        disk.set_full(false);
        write(&db, 100, 0);
    }
    assert!(db.flush_all().unwrap());
    assert_eq!((content(&db), db.stats().head_samples), (before.clone(), 0));
    drop(db);
    disk.restart(Ending::PowerCut);
    let (db, recovery) = open(&disk);
    assert_eq!((content(&db), recovery.is_damaged()), (before, false));
    assert!(disk.files().keys().all(|path| path.extension() != Some("new".as_ref())));
}

/// The content without that of rows `5 * block .. 5 * block + 5`.
fn without(all: &Content, block: i64) -> Content {
    let mut rest = all.clone();
    let rows = block * 5..block * 5 + 5;
    rest.values_mut().for_each(|points| points.retain(|point| !rows.contains(&point.0)));
    rest
}

#[test]
fn a_damaged_block_is_set_aside_and_the_rest_serves() {
    let disk = SimDisk::new(1);
    let all = content(&with_blocks(&disk, 3));
    disk.restart(Ending::Kill);
    let blocks = disk.files().into_iter().filter(|(path, _)| path.starts_with("/data/blocks"));
    for (block, (path, bytes)) in (0..).zip(blocks) {
        // In the footer, which is read when the block is opened.
        let disk = disk.fork(block as u64);
        let mut changed = bytes.clone();
        let last = changed.len() - 1;
        changed[last] ^= 1;
        disk.overwrite(&path, changed);
        let (db, recovery) = open(&disk);
        assert!(recovery.is_damaged());
        assert_eq!(content(&db), without(&all, block));
        write(&db, 100, 1);
        assert!(db.flush_all().unwrap());
        let aside = PathBuf::from(format!("{}.damaged", path.display()));
        assert!(disk.files().contains_key(&aside), "{aside:?}");
        assert_eq!(recovery.dropped[0].path, aside);
    }
}

#[test]
fn a_snapshot_is_a_store_and_writing_goes_on() {
    let disk = SimDisk::new(1);
    let db = with_blocks(&disk, 2);
    delete_a(&db, 0, 3);
    write(&db, 10, 5);
    let before = content(&db);
    let copy = Path::new("/copy");
    assert_eq!(db.snapshot(copy, false).unwrap(), 3);
    delete_a(&db, 0, 100);
    write(&db, 20, 5);
    db.drop_before(Timestamp::from_ms(1000)).unwrap();
    disk.restart(Ending::PowerCut);
    let (copied, recovery) = Db::open(Arc::new(disk.clone()), copy, options()).unwrap();
    assert!(!recovery.is_damaged());
    assert_eq!(content(&copied), before);
}

#[test]
fn the_oldest_blocks_make_room() {
    let disk = SimDisk::new(1);
    let db = with_blocks(&disk, 4);
    let all = content(&db);
    let budget = db.stats().log_bytes + db.stats().block_bytes;
    assert_eq!(db.drop_beyond(budget).unwrap(), 0);
    assert_eq!(db.drop_beyond(budget - 1).unwrap(), 1);
    assert!(db.stats().log_bytes + db.stats().block_bytes < budget);
    let mut rest = without(&all, 0);
    rest.retain(|_, points| !points.is_empty());
    assert_eq!(content(&db), rest);
    assert_eq!(db.drop_beyond(0).unwrap(), 3);
    assert!(content(&db).is_empty());
    assert!(disk.files().keys().all(|path| !path.starts_with("/data/blocks")));
}

#[test]
fn an_ended_target_leaves_memory() {
    let always = Options { flush_samples: 0, flush_rows: 0, kept_rows: 2, ..options() };
    let db = open_with(&SimDisk::new(1), always).0;
    write(&db, 0, 5);
    let all = |db: &Db| content(db);
    for at in 5..12 {
        commit_row(&db, "t=1", &OWN, at, &[1.0; 3]);
        let before = all(&db);
        db.flush_if_due().unwrap();
        assert_eq!(all(&db), before);
    }
    // Two rows of the target that is there, none of the one that is not.
    assert_eq!((db.stats().head_samples, db.stats().series), (6, 3));
}
