//! No lock that a query needs is held across an operation on the disk, and none that a commit needs
//! while a block is written, merged, changed or removed.

use std::path::Path;
use std::sync::Arc;

use tsdb::disk::sim::SimDisk;
use tsdb::model::{Matcher, TimeRange, Timestamp};
use tsdb::{Db, Options, Storage};

use crate::explore;
use crate::gate::Gate;
use crate::rows::{Said, Seen, look, write};
use crate::store::{commit_row, dir, labels, options};

type Work = fn(&Db, &Said);

/// What works on the disk, and at how many operations at least.
const WORKS: [(&str, usize, Work); 6] = [
    ("commit", 10, |db, said| write(db, 1, 8, said)),
    ("sync", 2, |db, _| db.sync().unwrap()),
    ("flush", 10, |db, _| assert!(db.flush_all().unwrap())),
    ("merge", 10, |db, _| assert!(db.compact_if_due().unwrap())),
    ("delete", 3, |db, _| assert!(db.delete(TimeRange::ALL, &[gone()]).unwrap() > 0)),
    ("drop", 2, |db, _| db.drop_before(Timestamp::from_ms(-1)).unwrap()),
];

fn gone() -> Matcher {
    Matcher::equal("__name__", "gone")
}

/// A store with blocks of either kind, and some rows in the head.
fn store(gate: &Gate) -> (Arc<Db>, Arc<Said>) {
    let options = Options { segment_bytes_max: 200, ..options() };
    let (db, _) = Db::open(Arc::new(gate.clone()), dir(), options).unwrap();
    let said = Said::default();
    for at in -8..-4 {
        commit_row(&db, "t=9", &["__name__=gone"], at, &[1.0]);
        db.flush_all().unwrap();
        write(&db, 0, 2, &said);
        db.flush_all().unwrap();
    }
    write(&db, 0, 2, &said);
    (Arc::new(db), Arc::new(said))
}

fn check(what: &str, operations_min: usize, work: Work) {
    let gate = Gate::new(SimDisk::new(1));
    let (db, said) = store(&gate);
    let (visited, saying) = (db.clone(), said.clone());
    let visit = move |path: &Path| {
        look(&visited, &saying, &mut Seen::default());
        if path.starts_with(dir().join("blocks")) {
            write(&visited, 0, 1, &saying);
        }
        // Takes the head's lock alone; a query that came now would wait behind it.
        visited.appender().group(&labels(&format!("new={}", path.display()))).unwrap();
    };
    let operations = gate.watch(Arc::new(visit), || work(&db, &said));
    assert!(operations >= operations_min, "{what}: {operations} operations");
    look(&db, &said, &mut Seen::default());
}

#[test]
fn no_lock_is_held_across_an_operation_on_the_disk() {
    for (what, operations_min, work) in WORKS {
        println!("{what}");
        explore::random(20, move || check(what, operations_min, work));
    }
}
