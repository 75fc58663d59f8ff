//! Differential fuzzing: random queries over random data, answered by the engine and by the naive
//! `reference`, have equal answers.
//!
//! A case is a seed. `grammar` and `functions` write the query, `data` the series, `case` asks both,
//! `compare` compares, `shrink` makes a failing case small. The store is one of several, by the seed: in memory, or the
//! real one filled in various ways.

mod case;
mod compare;
mod data;
mod functions;
pub(crate) mod grammar;
mod shrink;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use promql::promqltest::{MemoryStore, TestStore};

use crate::database::{Database, Way};
use case::Case;

/// Cases that once failed: a range function over several names whose samples never meet at a step
/// (the scripts of `testdata` drop names at the end of a query, where this is no failure); series
/// of both sides of an operator that are one series of its result.
const KNOWN: [u64; 6] = [185_551, 305_950, 10_252_072, 10_265_033, 10_281_358, 10_293_436];
/// Cases of an ordinary run.
const SHORT: u64 = 300;
/// How long a long run takes.
const LONG: Duration = Duration::from_secs(600);

/// How the engine's answer differs from the reference's on the store of that seed; also if one of
/// them panics.
fn difference(case: &Case, seed: u64) -> Option<String> {
    let asked = catch_unwind(AssertUnwindSafe(|| {
        let mut store: Box<dyn TestStore> = match seed % 8 {
            0 => Box::new(Database::open(Way::Rows).expect("a store")),
            1 => Box::new(Database::open(Way::SealedRows).expect("a store")),
            2 => Box::new(Database::open(Way::MergedBlocks).expect("a store")),
            _ => Box::new(MemoryStore::new()),
        };
        store.load(&case.loaded()).expect("loaded");
        case.difference(store.select())
    }));
    asked.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Some(format!("panicked: {}", text.unwrap_or_default()))
    })
}

fn run(seeds: impl Iterator<Item = u64>) {
    let mut failed = Vec::new();
    for seed in seeds {
        let case = Case::random(seed);
        if difference(&case, seed).is_some() {
            let small = shrink::shrunk(case, |case| difference(case, seed).is_some());
            let difference = difference(&small, seed).unwrap_or_default();
            failed.push(format!("seed {seed}: {difference}\n{}", shrink::script(&small)));
            if failed.len() == 20 {
                break;
            }
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

#[test]
fn engine_and_reference_agree() {
    run(KNOWN.into_iter().chain(0..SHORT));
}

#[test]
#[ignore = "the long form of the test above: ten minutes of seeds, for `--release -- --ignored`"]
fn engine_and_reference_agree_for_long() {
    let text = std::env::var("INFEROMETER_SEED").unwrap_or_default();
    let first = text.parse().unwrap_or(SHORT);
    let began = Instant::now();
    let mut last = first;
    run((first..).take_while(|seed| {
        last = *seed;
        began.elapsed() < LONG
    }));
    println!("seeds {first}..{last}");
}
