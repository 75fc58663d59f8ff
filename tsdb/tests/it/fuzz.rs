//! Every entrance of `tsdb::fuzz` over valid input and seeded changes of it, on stable Rust.
//!
//! A case is a seed: a failure prints it and the bytes, and `run` of that seed does the same again.
//! An entrance that failed is not tried further, the others are.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tsdb::fuzz;
use tsdb::model::{Labels, Timestamp};
use tsdb::{Cell, Storage};

use crate::store::{columns, open, select_all};

/// Cases of each entrance in an ordinary run.
const SHORT: u64 = 150;
/// Cases of each entrance in a long run.
const LONG: u64 = 120_000;

/// xorshift64*: the same everywhere.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, count: usize) -> usize {
        (self.bits() >> 33) as usize % count.max(1)
    }

    /// Bytes of which many are small, as lengths and kinds are.
    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut byte = || if self.below(2) == 0 { self.below(8) } else { self.below(256) };
        (0..length).map(|_| byte() as u8).collect()
    }
}

/// Flips, overwrites, cuts, doubles or splices; up to four times.
fn mutate(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..random.below(5) {
        let (at, length) = (random.below(bytes.len()), 1 + random.below(9));
        let end = bytes.len().min(at + length);
        match random.below(7) {
            0 => bytes.truncate(at),
            1 => bytes[at..end].fill(0xff),
            2 => bytes[at..end].fill(0),
            3 => drop(bytes.drain(at..end)),
            4 => bytes.extend_from_within(at..end),
            5 => {
                let other = &corpus[random.below(corpus.len())];
                bytes.truncate(at);
                bytes.extend_from_slice(&other[random.below(other.len())..]);
            }
            _ if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            _ => {}
        }
    }
    bytes
}

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
