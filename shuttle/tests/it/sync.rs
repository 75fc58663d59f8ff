//! Sync: what was said before a sync that succeeded survives a power cut, and all that was said
//! survives the end of the process, at any step.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;
use tsdb::Db;
use tsdb::disk::sim::{Ending, Fault, SimDisk};

use crate::explore;
use crate::rows::{Said, Seen, commit, look, said, whole_commits};
use crate::store::{content, open};

/// Opens what is left when the machine ends now, and finds at least so many commits of each writer.
/// After a power cut there may be others with gaps between them: the files that were not synced
/// reach the disk in any order, and may look damaged.
fn survives(disk: &SimDisk, ending: Ending, expected: Seen) {
    let left = disk.fork(thread_rng().r#gen());
    left.restart(ending);
    let (db, recovery) = open(&left);
    match ending {
        Ending::Kill => {
            assert!(!recovery.is_damaged(), "{recovery:?}");
            look(&db, &Said::default(), &mut expected.clone());
        }
        Ending::PowerCut => {
            for (writer, expected) in expected.into_iter().enumerate() {
                let commits = whole_commits(&content(&db), writer);
                assert!(commits.into_iter().take(expected).eq(0..expected), "writer {writer}");
            }
        }
    }
}

/// Syncs until it succeeds; what was said before has to be there after a power cut.
fn sync(db: &Db, disk: &SimDisk, saying: &Said) {
    let before = said(saying);
    while db.sync().is_err() {}
    survives(disk, Ending::PowerCut, before);
}

/// Commits until it succeeds.
fn write(db: &Db, writer: usize, commits: usize, saying: &Said) {
    for at in 0..commits {
        while commit(db, writer, at).is_err() {}
        saying[writer].store(at + 1, Ordering::SeqCst);
    }
}

/// Two writers, two who sync, one who flushes, and one who pulls the plug. One operation may fail.
fn at_once(may_fail: bool) {
    let disk = SimDisk::new(1);
    let (db, said_all) = (Arc::new(open(&disk).0), Arc::new(Said::default()));
    if may_fail {
        disk.fail_at(disk.operations() + thread_rng().gen_range(0..40), Fault::Error);
    }
    let spawn = |work: fn(&Db, &SimDisk, &Said)| {
        let (db, disk, said) = (db.clone(), disk.clone(), said_all.clone());
        thread::spawn(move || work(&db, &disk, &said))
    };
    let threads = [
        spawn(|db, _, said| write(db, 0, 3, said)),
        spawn(|db, _, said| write(db, 1, 3, said)),
        spawn(sync),
        spawn(|db, _, _| drop(db.flush_all())),
        spawn(|_, disk, all| survives(disk, Ending::Kill, said(all))),
    ];
    sync(&db, &disk, &said_all);
    for thread in threads {
        thread.join().unwrap();
    }
    sync(&db, &disk, &said_all);
    assert_eq!(said(&said_all), [3, 3]);
}

#[test]
fn what_was_synced_survives() {
    explore::random(1500, || at_once(false));
}

#[test]
fn what_was_synced_survives_when_an_operation_fails() {
    explore::random(1500, || at_once(true));
}
