//! Jobs and rules for tests, with the defaults of the configuration.

use scraper::job::{ClientOptions, FixedTargets, Job, Scheme};
use scraper::relabel::{Action, Rule};
use tsdb::model::regex::Anchored;

/// A job without targets.
pub(crate) fn job() -> Job {
    Job {
        name: "vllm".into(),
        fixed: vec![],
        scheme: Scheme::Http,
        metrics_path: "/metrics".into(),
        params: Default::default(),
        interval_ms: 5_000,
        timeout_ms: 5_000,
        honor_labels: false,
        honor_timestamps: true,
        body_bytes_max: None,
        client: ClientOptions::default(),
        relabel: vec![],
        metric_relabel: vec![],
    }
}

/// A job with one target.
pub(crate) fn job_for(address: &str) -> Job {
    let fixed = FixedTargets { addresses: vec![address.into()], labels: Default::default() };
    Job { fixed: vec![fixed], ..job() }
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
