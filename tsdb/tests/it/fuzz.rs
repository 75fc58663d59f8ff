//! Every entrance of `tsdb::fuzz` over valid input and seeded changes of it, on stable Rust.
//!
//! A case is a seed: a failure prints it and the bytes, and `run` of that seed does the same again.
//! An entrance that failed is not tried further, the others are.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tsdb::fuzz::{self, Random, mutate};
use tsdb::model::{Labels, Timestamp};
use tsdb::{Cell, Storage};

use crate::store::{columns, open, select_all};

/// Cases of each entrance in an ordinary run.
const SHORT: u64 = 150;
/// Cases of each entrance in a long run.
const LONG: u64 = 120_000;

/// A file of a store that has both a log and a block of the same samples.
fn file(end: &str) -> Vec<u8> {
    let disk = tsdb::disk::sim::SimDisk::new(1);
    let (db, _) = open(&disk);
    if end == ".wal" {
        // One segment of several frames, so that it can be the first of its store.
        let many = tsdb::Options { segment_bytes_max: 1 << 20, ..crate::store::options() };
        drop(db);
        fill(&crate::store::open_with(&disk, many).0);
    } else {
        fill(&db);
        db.flush_all().unwrap();
    }
    let files = disk.files().into_iter();
    let mut files = files.filter(|(path, _)| path.to_string_lossy().ends_with(end));
    files.next().unwrap().1
}

fn fill(db: &tsdb::Db) {
    for at in 0..8 {
        let mut appender = db.appender();
        let (group, refs) = columns(&mut *appender, "t=1", &["__name__=n0", "__name__=n1,le=0.5"]);
        let cells = [Cell::float(at as f64 / 3.0), Cell::float(at as f64)];
        let cells = if at == 4 { [Cell::STALE, Cell::ABSENT] } else { cells };
        appender.row(group, Timestamp::from_ms(at), &refs, &cells).unwrap();
        let loose = Labels::from_pairs([("__name__", "loose")]);
        appender.sample(&loose, Timestamp::from_ms(at), cells[0]).unwrap();
        appender.commit().unwrap();
    }
    assert_eq!(select_all(db).series.len(), 3);
}

fn scripts(length: usize) -> Vec<Vec<u8>> {
    (1..20).map(|seed| Random::new(seed).bytes(length)).collect()
}

/// An entrance, and valid input of it.
type Entrance = (&'static str, fn(&[u8]), Vec<Vec<u8>>);

fn entrances() -> Vec<Entrance> {
    let windows = scripts(1500).iter().map(|own| fuzz::encoded_window(own)).collect();
    let patterns = ["a.*b|c", "(?i:x{2,5})[^a-z]\\d+", "^(?P<n>\\pL|[[:alpha:]])$", "\\Qa.b\\E?"];
    let patterns = patterns.iter().map(|own| own.as_bytes().to_vec()).collect();
    // Groups, columns and both ends of intervals.
    let lists = vec![vec![0, 0, 0, 4, 0, 1, 2, 6], vec![0, 1, 1, 0xff, 0xff, 0x7f]];
    vec![
        ("window", fuzz::window, windows),
        ("cells", fuzz::cells, scripts(60)),
        ("log", fuzz::log, vec![file(".wal")]),
        ("block", fuzz::block, vec![file(".block")]),
        ("deleted", fuzz::deleted, lists),
        ("regex", fuzz::regex, patterns),
        ("rows", fuzz::rows, scripts(1500)),
        ("store", fuzz::store, scripts(120)),
    ]
}

fn run(seeds: std::ops::Range<u64>) {
    let (mut entrances, mut failed) = (entrances(), Vec::new());
    for (_, entrance, corpus) in &entrances {
        corpus.iter().for_each(|bytes| entrance(bytes));
    }
    for seed in seeds {
        entrances.retain(|(name, entrance, corpus)| {
            let bytes = mutate(&mut Random::new(seed), corpus);
            let is_good = catch_unwind(AssertUnwindSafe(|| entrance(&bytes))).is_ok();
            if !is_good {
                failed.push(format!("{name}: seed {seed}: {bytes:02x?}"));
            }
            is_good
        });
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn changed_bytes_are_read_or_refused() {
    run(0..SHORT);
}

#[test]
#[ignore = "the long form of the test above: more seeds, for `--release -- --ignored`"]
fn changed_bytes_are_read_or_refused_for_long() {
    run(SHORT..LONG);
}

#[test]
#[ignore = "writes files: the corpus of `cargo fuzz`, to the folder INFEROMETER_CORPUS"]
fn seeds_are_written() {
    let root = std::env::var_os("INFEROMETER_CORPUS").expect("INFEROMETER_CORPUS names a folder");
    for (name, _, corpus) in entrances() {
        let folder = std::path::Path::new(&root).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, bytes) in corpus.iter().enumerate() {
            std::fs::write(folder.join(format!("seed-{number}")), bytes).unwrap();
        }
    }
}
