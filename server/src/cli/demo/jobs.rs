//! The scrape jobs of the demo: what a configuration for this fleet would say.
//!
//! The targets' `instance` is written down (`<pod>:<port>` as in a cluster), so that a store
//! which is used again continues the same series although the ports of the simulation change.

use std::collections::BTreeMap;

use scraper::discover::Mechanism;
use scraper::job::{Authorization, ClientOptions, FixedTargets, Job, Secret};

use crate::simulate::{Target, TargetKind};

/// Milliseconds from one scrape to the next.
pub(super) const INTERVAL_MS: i64 = 5_000;
/// Milliseconds after which a scrape has failed.
const TIMEOUT_MS: i64 = 4_000;

/// One job for each `job` label of the targets, with their addresses.
pub(super) fn live<'a>(targets: impl IntoIterator<Item = (&'a Target, String)>) -> Vec<Job> {
    let mut jobs: BTreeMap<String, Job> = BTreeMap::new();
    for (target, address) in targets {
        let name = job_name(target);
        let job = jobs.entry(name.clone()).or_insert_with(|| job(name, target.kind));
        let fixed = FixedTargets { addresses: vec![address], labels: labels(target) };
        job.discover.push(Mechanism::Fixed(vec![fixed]));
    }
    jobs.into_values().collect()
}

/// The job of one target alone, at an address that is never asked (its history is made up).
pub(super) fn of(target: &Target) -> Job {
    let mut job = job(job_name(target), target.kind);
    let addresses = vec![format!("{}:0", target.name)];
    let fixed = FixedTargets { addresses, labels: labels(target) };
    job.discover.push(Mechanism::Fixed(vec![fixed]));
    job
}

fn job_name(target: &Target) -> String {
    let name = target.labels.iter().find(|(name, _)| *name == "job");
    name.map_or_else(|| target.name.clone(), |(_, job)| job.clone())
}

fn labels(target: &Target) -> BTreeMap<String, String> {
    let port = match target.kind {
        TargetKind::Vllm => 8000,
        TargetKind::Picker => 9090,
        TargetKind::Gpu => 9400,
    };
    let own = target.labels.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    own.chain([("instance".to_owned(), format!("{}:{port}", target.name))]).collect()
}

fn job(name: String, kind: TargetKind) -> Job {
    let credentials = Secret::Inline(super::TOKEN.to_owned());
    let authorization = (kind == TargetKind::Picker)
        .then(|| Authorization::Credentials { scheme: "Bearer".to_owned(), credentials });
    Job {
        interval_ms: INTERVAL_MS,
        timeout_ms: TIMEOUT_MS,
        client: ClientOptions { authorization, ..ClientOptions::default() },
        ..Job::new(name)
    }
}
