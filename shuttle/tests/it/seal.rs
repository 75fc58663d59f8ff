//! Seal: full windows are compressed while somebody reads what he resolved earlier.

use std::sync::Arc;

use shuttle::thread;
use tsdb::disk::sim::SimDisk;
use tsdb::model::TimeRange;
use tsdb::{Batch, Options, Select};

use crate::explore;
use crate::rows::{Said, Seen, look, look_and_remember, still_the_same, write};
use crate::store::{open_with, options, read, select_all};

/// Windows of two rows: the third row behind a window seals it.
fn small_windows() -> Options {
    Options { window_rows: 2, ..options() }
}

#[test]
fn a_window_is_sealed_under_a_reader() {
    explore::random(1500, || {
        let db = Arc::new(open_with(&SimDisk::new(1), small_windows()).0);
        let said = Arc::new(Said::default());
        write(&db, 0, 3, &said);
        let (writing, saying) = (db.clone(), said.clone());
        let writer = thread::spawn(move || write(&writing, 0, 7, &saying));
        let looks = look_and_remember(&db, &said, 4);
        writer.join().unwrap();
        still_the_same(&db, &looks);
        look(&db, &said, &mut [10, 0]);
    });
}

/// A reader that is in the middle holds nothing up, and goes on as if nothing had been.
#[test]
fn no_lock_is_held_across_a_query() {
    explore::random(100, || {
        let options = Options { flush_samples: 0, flush_rows: 0, kept_rows: 0, ..small_windows() };
        let db = Arc::new(open_with(&SimDisk::new(1), options).0);
        let said = Arc::new(Said::default());
        write(&db, 0, 9, &said);
        db.flush_all().unwrap();
        write(&db, 0, 9, &said);
        let selection = select_all(&db);
        let all = read(&db, &selection, TimeRange::ALL);
        let (mut samples, mut batches) = (0, db.read(&selection, TimeRange::ALL).unwrap());
        // All is there from the third commit on: no cell is absent.
        let mut count = |batch: Batch<'_>| samples += batch.columns.len() * batch.timestamps.len();
        let mut rest = 6;
        while batches.next(&mut count).unwrap() {
            let (db, said) = (db.clone(), said.clone());
            let others = thread::spawn(move || {
                write(&db, 0, 3, &said);
                if rest % 2 == 0 { db.flush_all().map(drop) } else { db.sync() }.unwrap();
                look(&db, &said, &mut Seen::default());
            });
            others.join().unwrap();
            rest -= 1;
        }
        assert_eq!(samples, all.values().map(Vec::len).sum::<usize>());
    });
}
