//! Writers, readers and everything that changes the blocks, at once.
//!
//! Each writer appends rows whose two columns hold the same number, to a group of its own, and
//! says after each commit how far it is. Meanwhile another thread flushes, merges and deletes (only
//! series named `gone`). Readers check: (1) a row is seen whole; (2) what was visible stays so: a
//! reader sees each group from its first row to a last one without a gap, and that never before
//! what was said or what it saw; (3) each label set is there once.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use tsdb::Db;
use tsdb::disk::sim::SimDisk;
use tsdb::model::{Matcher, TimeRange, Timestamp};

use crate::store::{Content, commit_row, labels, open_with, options, read, select_all};

const WRITERS: usize = 3;
const READERS: usize = 2;
const OWN: [&str; 3] = ["__name__=a", "__name__=b", "__name__=gone"];

/// Rows that each writer has said to be there; the row at `i` ms holds `i`.
type Said = [AtomicI64; WRITERS];

fn write(db: &Db, writer: usize, rows: i64, said: &Said) {
    let target = format!("t={writer}");
    for at in 0..rows {
        commit_row(db, &target, &OWN, at, &[at as f64; 3]);
        said[writer].store(at + 1, Ordering::SeqCst);
    }
}

/// Changes the blocks until the writers are done, in an order that the seed says.
fn change(db: &Db, mut seed: u64, done: &AtomicUsize) {
    while done.load(Ordering::SeqCst) < WRITERS {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        match seed >> 60 {
            0..4 => drop(db.flush_all().unwrap()),
            4..8 => drop(db.flush_if_due().unwrap()),
            8..11 => drop(db.compact_if_due().unwrap()),
            11..13 => drop(db.clean_deleted().unwrap()),
            13 => db.sync().unwrap(),
            _ => {
                let gone = Matcher::equal("__name__", "gone");
                let end = Timestamp::from_ms((seed >> 33) as i64 % 50);
                db.delete(TimeRange::new(Timestamp::MIN, end), &[gone]).unwrap();
            }
        }
    }
}

/// Reads once; `seen` rows of each writer were there before.
fn look(db: &Db, said: &Said, seen: &mut [usize; WRITERS]) {
    let before: Vec<_> = said.iter().map(|own| own.load(Ordering::SeqCst) as usize).collect();
    let selection = select_all(db);
    let sets: BTreeSet<_> = selection.series.iter().map(|own| own.labels.to_string()).collect();
    assert_eq!(sets.len(), selection.series.len(), "a label set is there twice");
    let content = read(db, &selection, TimeRange::ALL);
    for (writer, seen) in seen.iter_mut().enumerate() {
        let rows = whole_rows(&content, writer);
        assert!(
            rows >= before[writer].max(*seen),
            "writer {writer}: {rows} after {before:?} {seen}"
        );
        *seen = rows;
    }
}

/// How many rows of a writer are there: all from the first one on, in both columns.
fn whole_rows(content: &Content, writer: usize) -> usize {
    let column = |name: &str| {
        let labels = labels(&format!("__name__={name},t={writer}")).to_string();
        content.get(&labels).map_or(&[][..], |points| points)
    };
    let (a, b) = (column("a"), column("b"));
    assert_eq!(a, b, "writer {writer}: a part of a row");
    for (at, point) in a.iter().enumerate() {
        let expected = (at as i64, format!("{:?}", at as f64), None);
        assert_eq!(*point, expected, "writer {writer}: a gap");
    }
    a.len()
}

fn run(seed: u64, rows: i64) {
    let options = tsdb::Options {
        flush_samples: 0,
        flush_rows: 0,
        kept_rows: 2,
        sparse_columns: 0,
        ..options()
    };
    let (disk, said, done) = (SimDisk::new(seed), Said::default(), AtomicUsize::new(0));
    let (db, _) = open_with(&disk, options.clone());
    let (db_ref, said_ref, done_ref) = (&db, &said, &done);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            scope.spawn(move || {
                let _end = Ends(done_ref);
                write(db_ref, writer, rows, said_ref);
            });
        }
        scope.spawn(move || change(db_ref, seed, done_ref));
        for _ in 0..READERS {
            scope.spawn(move || {
                let mut seen = [0; WRITERS];
                while done_ref.load(Ordering::SeqCst) < WRITERS {
                    look(db_ref, said_ref, &mut seen);
                }
            });
        }
    });
    look(&db, &said, &mut [rows as usize; WRITERS]);
    drop(db);
    look(&open_with(&disk, options).0, &said, &mut [rows as usize; WRITERS]);
}

/// Counts a writer that has ended, also if it panicked: the others wait for it.
struct Ends<'a>(&'a AtomicUsize);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn all_at_once() {
    for seed in 0..4 {
        println!("seed {seed}");
        run(seed, 60);
    }
}

#[test]
#[ignore = "the long form of all_at_once: 300 seeds, for `--release -- --ignored`"]
fn all_at_once_for_long() {
    for seed in 100..400 {
        println!("seed {seed}");
        run(seed, 400);
    }
}
