//! Publish: a commit becomes visible whole.

use std::sync::Arc;

use shuttle::thread;
use tsdb::disk::sim::SimDisk;

use crate::explore;
use crate::rows::{Said, look_and_remember, still_the_same, write};
use crate::store::open;

/// Two writers and a reader.
fn at_once() {
    let db = Arc::new(open(&SimDisk::new(1)).0);
    let said = Arc::new(Said::default());
    let writers = [0, 1].map(|writer| {
        let (db, said) = (db.clone(), said.clone());
        thread::spawn(move || write(&db, writer, 4, &said))
    });
    let looks = look_and_remember(&db, &said, 5);
    for writer in writers {
        writer.join().unwrap();
    }
    still_the_same(&db, &looks);
    look_and_remember(&db, &said, 1);
}

#[test]
fn a_commit_is_seen_whole() {
    explore::random(2000, at_once);
}

#[test]
fn a_commit_is_seen_whole_when_threads_change_seldom() {
    explore::seldom(2000, 3, at_once);
}
