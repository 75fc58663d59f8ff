//! A crash after every single operation of a short workload, and every k-th of a long one.
//!
//! The workload writes rows of two columns that always hold the same number, loose samples,
//! syncs, makes blocks of them and merges those, drops and opens again. Whatever happens, after a
//! restart: (1) a killed process has
//! everything that was visible; (2) after a power cut everything is there that was visible at
//! the last good sync, and nothing that never was (what came after that sync may have holes, since
//! two unsynced segments reach the disk in any order); (3) no row is there in part.

use tsdb::disk::sim::{Ending, Fault, SimDisk};
use tsdb::model::Timestamp;
use tsdb::{Cell, Db, Error, Options, Storage};

use crate::store::{Content, columns, content, dir, labels, options};

/// What is known about a store while the workload runs.
#[derive(Default)]
struct Known {
    /// Visible now (or, if the process ended during a commit, before it).
    visible: Content,
    /// Visible after the commit that is being made.
    next: Option<Content>,
    /// Visible at the last good sync.
    synced: Content,
}

fn open(disk: &SimDisk) -> Result<Db, Error> {
    let always =
        Options { flush_samples: 0, flush_rows: 0, kept_rows: 2, sparse_columns: 0, ..options() };
    Ok(Db::open(std::sync::Arc::new(disk.clone()), dir(), always)?.0)
}

fn commit(db: &Db, known: &mut Known, step: i64) -> Result<(), Error> {
    let mut appender = db.appender();
    let mut next = known.visible.clone();
    let mut expect = |name: &str, at: i64, value: f64| {
        let point = (at, format!("{value:?}"), None);
        next.entry(labels(name).to_string()).or_default().push(point);
    };
    let (at, value) = (Timestamp::from_ms(step), step as f64 / 3.0);
    let (group, refs) = columns(&mut *appender, "t=1", &["__name__=a", "__name__=b"]);
    appender.row(group, at, &refs, &[Cell::float(value); 2]).unwrap();
    expect("__name__=a,t=1", step, value);
    expect("__name__=b,t=1", step, value);
    if step % 3 == 0 {
        appender.sample(&labels("__name__=loose"), at, Cell::float(value)).unwrap();
        expect("__name__=loose", step, value);
    }
    known.next = Some(next);
    appender.commit()?;
    known.visible = known.next.take().unwrap();
    Ok(())
}

/// Ends with the first error, as a crash makes one.
fn workload(disk: &SimDisk, known: &mut Known, rounds: i64) -> Result<(), Error> {
    for round in 0..rounds {
        let db = open(disk)?;
        assert_eq!(content(&db), known.visible);
        for step in 0..12 {
            commit(&db, known, round * 12 + step)?;
            if step % 4 == 3 {
                // A block is only made of what the log has for certain.
                let visible = known.visible.clone();
                if if step == 7 { db.flush_all()? } else { db.flush_if_due()? } {
                    known.synced = visible;
                }
                db.compact_if_due()?;
            }
            if step % 5 == 4 {
                db.sync()?;
                known.synced = known.visible.clone();
            }
        }
        if round % 3 == 1 {
            db.close()?;
            known.synced = known.visible.clone();
        }
    }
    Ok(())
}

/// Whether `more` has every sample of `less`.
fn is_part(less: &Content, more: &Content) -> bool {
    less.iter().all(|(series, points)| {
        more.get(series).is_some_and(|all| points.iter().all(|point| all.contains(point)))
    })
}

fn check(disk: &SimDisk, known: &Known, ending: Ending, what: &str) {
    let db = open(disk).unwrap_or_else(|error| panic!("{what}: {error}"));
    let found = content(&db);
    let next = known.next.as_ref().unwrap_or(&known.visible);
    match ending {
        Ending::Kill => assert!(found == known.visible || found == *next, "{what}"),
        Ending::PowerCut => {
            assert!(is_part(&known.synced, &found), "{what}: synced samples are lost");
            assert!(is_part(&found, next), "{what}: samples that never were");
        }
    }
    let column = |name: &str| found.get(&labels(name).to_string()).map_or(&[][..], |own| own);
    assert_eq!(column("__name__=a,t=1"), column("__name__=b,t=1"), "{what}: a part of a row");
    // It goes on as if nothing had been.
    let mut after = Known { visible: found, ..Known::default() };
    commit(&db, &mut after, 1000).unwrap();
    db.sync().unwrap();
    drop(db);
    disk.restart(Ending::PowerCut);
    assert_eq!(content(&open(disk).unwrap()), after.visible, "{what}: afterwards");
}

/// Crashes after every `step`-th operation of a workload of so many rounds, with each seed.
fn crash_after_each(rounds: i64, step: usize, seeds: std::ops::Range<u64>) {
    let whole = SimDisk::new(0);
    workload(&whole, &mut Known::default(), rounds).unwrap();
    let operations = whole.operations();
    assert!(operations > 20 * rounds as u64, "{operations} operations");
    for ending in [Ending::Kill, Ending::PowerCut] {
        for operation in (0..operations).step_by(step) {
            for seed in seeds.clone() {
                let disk = SimDisk::new(seed);
                disk.fail_at(operation, Fault::Crash);
                let mut known = Known::default();
                let crashed = workload(&disk, &mut known, rounds);
                assert!(crashed.is_err() && disk.is_crashed());
                disk.restart(ending);
                check(&disk, &known, ending, &format!("{ending:?} at {operation}, seed {seed}"));
            }
        }
    }
}

#[test]
fn a_crash_after_every_operation() {
    crash_after_each(3, 1, 0..8);
}

#[test]
fn a_crash_after_some_operations_of_a_long_workload() {
    crash_after_each(20, 37, 0..1);
}

#[test]
#[ignore = "the long form of the two above: for `--release -- --ignored`"]
fn a_crash_after_every_operation_for_long() {
    crash_after_each(3, 1, 8..150);
    crash_after_each(40, 7, 0..8);
}
