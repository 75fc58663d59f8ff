//! Workloads for the benches: the pages of the simulated fleet, and a store filled with them.
//!
//! - `random`: the dice · `columns`: a window for each codec · `targets`: rows of a server's
//!   columns · `many_series`: a large index · `adversarial`: the load that rows are not made for
//!
//! The same seed makes the same data, so two runs measure the same work. Comparisons with other
//! servers are no part of the build; `.ci/peers` makes one.

pub mod adversarial;
pub mod columns;
pub mod many_series;
pub mod random;
pub mod targets;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use scraper::ingest::{Ingest, Report};
use scraper::job::Job;
use server::simulate::{Fleet, Target};
use tsdb::disk::sim::SimDisk;
use tsdb::model::{Labels, Timestamp};
use tsdb::{Db, Options, Storage};

/// Milliseconds between two pages of a target.
pub const INTERVAL_MS: i64 = 5_000;
/// When the first page is taken.
pub const START: Timestamp = Timestamp::from_ms(1_700_000_000_000);
/// Makes the fleet.
const SEED: u64 = 1;

/// One page as it was scraped.
pub struct Page {
    /// Which target.
    pub target: Target,
    /// When.
    pub at: Timestamp,
    /// The text.
    pub body: String,
}

/// The pages of all targets, `rounds` of each, in order of time.
pub fn pages(rounds: i64) -> Vec<Page> {
    let mut fleet = Fleet::new(SEED, START.ms());
    let targets = fleet.targets().to_vec();
    let mut pages = Vec::new();
    for round in 1..=rounds {
        let at = START.plus_ms(round * INTERVAL_MS);
        fleet.advance_to(at.ms());
        for target in &targets {
            let mut body = String::new();
            fleet.page(target, &mut body);
            pages.push(Page { target: target.clone(), at, body });
        }
    }
    pages
}

/// A store without a disk.
pub fn store() -> Db {
    let disk = Arc::new(SimDisk::new(SEED));
    Db::open(disk, Path::new("data"), Options::default()).expect("BUG: a new store opens").0
}

/// The state of the scrapes of every target.
#[derive(Default)]
pub struct Ingests(BTreeMap<String, Ingest>);

impl Ingests {
    /// Passes a page through parser and store; returns the number of its samples.
    pub fn scrape(&mut self, page: &Page, storage: &dyn Storage) -> usize {
        let ingest = self.0.entry(page.target.name.clone()).or_insert_with(|| {
            let labels = page.target.labels.iter().map(|(name, value)| (*name, value.as_str()));
            Ingest::new(Labels::from_pairs(labels), Arc::new(job()))
        });
        let mut appender = storage.appender();
        let content_type = Some(page.target.content_type);
        let counts = ingest
            .page(page.body.as_bytes(), content_type, page.at, appender.as_mut())
            .expect("BUG: a simulated page is refused");
        let report = Report { up: true, duration_seconds: 0.0, counts, ..Report::default() };
        ingest.report(&report, page.at, appender.as_mut()).expect("BUG: a report is refused");
        appender.commit().expect("BUG: the simulated disk fails")
    }
}

fn job() -> Job {
    Job { interval_ms: INTERVAL_MS, timeout_ms: INTERVAL_MS, ..Job::new("bench") }
}
