//! Evict: rows go from the head to a block, and from blocks to a block, under readers.

use std::sync::Arc;

use shuttle::thread::{self, JoinHandle};
use tsdb::disk::sim::SimDisk;
use tsdb::model::{Matcher, TimeRange};
use tsdb::{Db, Options};

use crate::explore;
use crate::rows::{Said, commit, look_and_remember, still_the_same, write};
use crate::store::{open, open_with, options};

/// A store that is always due to be flushed, with some rows in a block and some in the head.
fn store(disk: &SimDisk) -> (Arc<Db>, Arc<Said>) {
    let options =
        Options { flush_samples: 0, flush_rows: 0, kept_rows: 1, sparse_columns: 0, ..options() };
    let (db, said) = (open_with(disk, options).0, Said::default());
    write(&db, 0, 3, &said);
    db.flush_all().unwrap();
    write(&db, 0, 2, &said);
    (Arc::new(db), Arc::new(said))
}

/// Runs the changes, a writer and a reader at once; looks again when all are done, and when the
/// store was opened again.
fn beside(disk: &SimDisk, (db, said): (Arc<Db>, Arc<Said>), changes: &[fn(&Db)]) {
    let spawn = |change: Box<dyn FnOnce(&Db) + Send>| -> JoinHandle<()> {
        let db = db.clone();
        thread::spawn(move || change(&db))
    };
    let saying = said.clone();
    let mut threads = vec![spawn(Box::new(move |db| write(db, 0, 3, &saying)))];
    threads.extend(changes.iter().map(|change| spawn(Box::new(*change))));
    let looks = look_and_remember(&db, &said, 3);
    for thread in threads {
        thread.join().unwrap();
    }
    still_the_same(&db, &looks);
    drop(looks);
    db.flush_all().unwrap();
    look_and_remember(&db, &said, 1);
    assert_eq!(db.verify().len(), 0);
    drop(Arc::into_inner(db));
    look_and_remember(&open(disk).0, &said, 1);
}

fn flush_twice(db: &Db) {
    db.flush_all().unwrap();
    db.flush_if_due().unwrap();
}

/// Flushes, and puts a list of blocks in place in which nothing is deleted.
fn delete_nothing(db: &Db) {
    db.delete(TimeRange::ALL, &[Matcher::equal("__name__", "nothing")]).unwrap();
}

fn flush_under_readers() {
    let disk = SimDisk::new(1);
    beside(&disk, store(&disk), &[flush_twice]);
}

#[test]
fn a_flush_moves_rows_and_nobody_misses_one() {
    explore::random(2000, flush_under_readers);
}

#[test]
fn a_flush_moves_rows_and_nobody_misses_one_when_threads_change_seldom() {
    explore::seldom(2000, 3, flush_under_readers);
}

fn two_flush() {
    let disk = SimDisk::new(1);
    beside(&disk, store(&disk), &[flush_twice, delete_nothing]);
}

#[test]
fn two_who_flush_take_nothing_from_a_reader() {
    explore::random(2000, two_flush);
}

#[test]
fn two_who_flush_take_nothing_from_a_reader_when_threads_change_seldom() {
    explore::seldom(20_000, 2, two_flush);
}

#[test]
fn a_merge_changes_nothing() {
    explore::random(1500, || {
        let disk = SimDisk::new(1);
        let (db, said) = store(&disk);
        for _ in 0..3 {
            db.flush_all().unwrap();
            write(&db, 0, 1, &said);
        }
        let merge = |db: &Db| assert!(db.compact_if_due().unwrap());
        beside(&disk, (db, said), &[merge, flush_twice]);
    });
}

/// Row after row of another writer goes to a block, so that the first one's groups are forgotten,
/// and made anew when he goes on.
fn age(db: &Db) {
    for at in 0..4 {
        commit(db, 1, at).unwrap();
        db.flush_all().unwrap();
    }
}

fn forgotten_groups() {
    let disk = SimDisk::new(1);
    beside(&disk, store(&disk), &[age]);
}

#[test]
fn what_is_forgotten_is_missed_by_nobody() {
    explore::random(1000, forgotten_groups);
}

#[test]
fn what_is_forgotten_is_missed_by_nobody_when_threads_change_seldom() {
    explore::seldom(2000, 3, forgotten_groups);
}
