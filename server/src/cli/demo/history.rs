//! An hour of history, made by the simulator in a second.
//!
//! The fleet is stepped through the hour, and every five seconds each target's page goes through
//! [`Ingest`]: the same parser, the same rows, the same log as a live scrape. Only the network is
//! left out, so `scrape_duration_seconds` is 0.

use std::sync::Arc;

use anyhow::{Context, anyhow};
use scraper::ingest::{Ingest, Report};
use tsdb::Storage;
use tsdb::model::Timestamp;

use super::jobs::{self, INTERVAL_MS};
use crate::simulate::{Fleet, Target};

/// Length of the history in milliseconds.
const LENGTH_MS: i64 = 3_600_000;

/// Writes the hour before `end` into an empty store; returns the fleet as it is at the end.
pub(super) fn write(seed: u64, end: Timestamp, storage: &dyn Storage) -> anyhow::Result<Fleet> {
    let start_ms = end.ms() - LENGTH_MS;
    let mut fleet = Fleet::new(seed, start_ms);
    let targets = fleet.targets().to_vec();
    let mut ingests = targets.iter().map(ingest).collect::<anyhow::Result<Vec<_>>>()?;
    let mut page = String::new();
    for step in 1..=LENGTH_MS / INTERVAL_MS {
        let at = Timestamp::from_ms(start_ms + step * INTERVAL_MS);
        fleet.advance_to(at.ms());
        for (target, ingest) in targets.iter().zip(&mut ingests) {
            page.clear();
            fleet.page(target, &mut page);
            let content_type = Some(target.content_type);
            scrape(ingest, page.as_bytes(), content_type, at, storage)
                .with_context(|| format!("the simulated page of {} was refused", target.name))?;
        }
    }
    Ok(fleet)
}

/// The state of a target's scrapes, with the labels that its live scrapes will have.
fn ingest(target: &Target) -> anyhow::Result<Ingest> {
    let job = jobs::of(target);
    let found = scraper::target::find(&job).targets.into_iter().next();
    let found = found.ok_or_else(|| anyhow!("{} is no target", target.name))?;
    Ok(Ingest::new(found.labels, Arc::new(job)))
}

fn scrape(
    ingest: &mut Ingest,
    page: &[u8],
    content_type: Option<&str>,
    at: Timestamp,
    storage: &dyn Storage,
) -> anyhow::Result<()> {
    let mut appender = storage.appender();
    let counts = ingest.page(page, content_type, at, appender.as_mut())?;
    let report = Report { up: true, duration_seconds: 0.0, counts, ..Report::default() };
    ingest.report(&report, at, appender.as_mut())?;
    appender.commit()?;
    Ok(())
}
