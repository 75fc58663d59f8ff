//! Jobs and rules for tests, with the defaults of the configuration.

use scraper::discover::Mechanism;
use scraper::job::{FixedTargets, Job};
use scraper::relabel::{Action, Rule};
use tsdb::model::regex::Anchored;

/// A job without targets.
pub(crate) fn job() -> Job {
    Job { interval_ms: 5_000, timeout_ms: 5_000, ..Job::new("vllm") }
}

/// A job with one target.
pub(crate) fn job_for(address: &str) -> Job {
    let fixed = FixedTargets { addresses: vec![address.into()], labels: Default::default() };
    Job { discover: vec![Mechanism::Fixed(vec![fixed])], ..job() }
}

/// A rule.
pub(crate) fn rule(
    action: Action,
    source: &str,
    pattern: &str,
    target: &str,
    replacement: &str,
) -> Rule {
    Rule {
        source_labels: vec![source.into()],
        separator: ";".into(),
        regex: Anchored::new(pattern).unwrap(),
        pattern: pattern.into(),
        modulus: 0,
        target_label: target.into(),
        replacement: replacement.into(),
        action,
    }
}
