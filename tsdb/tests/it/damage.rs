//! Bytes that are not what was written: every bit, every length. It is told, the rest serves.

use std::path::Path;

use tsdb::disk::sim::SimDisk;
use tsdb::model::{Histogram, Metadata, Timestamp};
use tsdb::{Cell, CellValue, Recovery, Storage};

use crate::store::{Content, columns, commit_row, content, exemplar, labels, open};

/// A store with all kinds of records in several segments.
fn written() -> (SimDisk, Content) {
    let disk = SimDisk::new(1);
    let (db, _) = open(&disk);
    let histogram = Histogram { count: 3.0, sum: 0.5, ..Histogram::default() };
    for at in 0..16 {
        let mut appender = db.appender();
        let own = ["__name__=a", "__name__=b,le=0.5", "__name__=b,le=+Inf"];
        let (group, refs) = columns(&mut *appender, "t=1,job=j", &own[..2 + at as usize % 2]);
        let time = Timestamp::from_ms(at);
        let start = Some(Timestamp::from_ms(at / 5));
        let cells = [
            Cell { value: CellValue::Float(at as f64 / 3.0), start },
            Cell { value: CellValue::Histogram(&histogram), start: None },
            Cell::STALE,
        ];
        appender.row(group, time, &refs, &cells[..refs.len()]).unwrap();
        appender.sample(&labels("__name__=loose"), time, Cell::float(at as f64)).unwrap();
        appender.exemplar(&labels("__name__=a"), exemplar(1.5, at)).unwrap();
        let unit = at.to_string();
        appender.metadata("a", &Metadata { unit, ..Metadata::default() }).unwrap();
        appender.commit().unwrap();
    }
    assert!(db.stats().log_segments >= 3);
    (disk, content(&db))
}

/// Opens the store with one file changed. What is found must be a part of what was written, in
/// whole rows, and everything of the other files.
fn open_changed(disk: &SimDisk, path: &Path, bytes: Vec<u8>, all: &Content) -> Recovery {
    let disk = disk.fork(1);
    disk.overwrite(path, bytes);
    let (db, recovery) = open(&disk);
    let found = content(&db);
    let mut missing = std::collections::BTreeSet::new();
    for (series, points) in &found {
        assert!(points.iter().all(|point| all[series].contains(point)), "{series}: {points:?}");
    }
    for (series, points) in all {
        let kept = found.get(series);
        let is_lost = |at: &i64| !kept.is_some_and(|kept| kept.iter().any(|own| own.0 == *at));
        missing.extend(points.iter().map(|point| point.0).filter(is_lost));
    }
    let lost: Vec<_> = missing.iter().copied().collect();
    assert!(lost.windows(2).all(|pair| pair[1] == pair[0] + 1), "one run of commits: {lost:?}");
    for at in lost {
        let is_seen =
            |points: &Vec<_>| points.iter().any(|point: &crate::store::Point| point.0 == at);
        assert!(!found.values().any(is_seen), "a part of the commit at {at}");
    }
    commit_row(&db, "t=9", &["__name__=new"], 1000, &[1.0]);
    recovery
}

#[test]
fn every_flipped_bit_is_detected() {
    let (disk, all) = written();
    for (path, bytes) in disk.files() {
        for byte in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[byte] ^= 1 << (byte % 8);
            let recovery = open_changed(&disk, &path, changed, &all);
            assert!(recovery.is_damaged(), "{} byte {byte}: {recovery:?}", path.display());
            let dropped = &recovery.dropped[0];
            assert_eq!((recovery.dropped.len(), dropped.path.as_path()), (1, path.as_path()));
            assert!(dropped.offset <= byte as u64 && byte as u64 <= dropped.offset + dropped.bytes);
        }
    }
}

#[test]
fn every_truncation_is_a_clean_end() {
    let (disk, all) = written();
    for (path, bytes) in disk.files() {
        for len in 0..bytes.len() {
            let recovery = open_changed(&disk, &path, bytes[..len].to_vec(), &all);
            assert!(!recovery.is_damaged(), "{} cut at {len}: {recovery:?}", path.display());
            // And if the length reached the disk before the bytes.
            if len % 5 == 0 {
                let mut zeroed = bytes[..len].to_vec();
                zeroed.resize(bytes.len(), 0);
                open_changed(&disk, &path, zeroed, &all);
            }
        }
    }
}

#[test]
fn files_of_others_are_left_alone() {
    let (disk, all) = written();
    let (path, bytes) = disk.files().into_iter().next_back().unwrap();
    let cases: [(&str, Vec<u8>); 3] = [
        ("no log segment", b"something else entirely, and long enough".to_vec()),
        ("a later version", {
            let mut later = bytes.clone();
            later[8] = 2;
            later
        }),
        ("another segment's bytes", disk.files().into_values().next().unwrap()),
    ];
    for (what, bytes) in cases {
        let recovery = open_changed(&disk, &path, bytes.clone(), &all);
        assert!(recovery.is_damaged(), "{what}: {recovery:?}");
        assert_eq!(
            (recovery.dropped[0].offset, recovery.dropped[0].bytes),
            (0, bytes.len() as u64)
        );
    }
    assert_eq!(disk.files()[&path], bytes);
}
