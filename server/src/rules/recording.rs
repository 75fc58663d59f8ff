//! Recording rules: a vector under another name.

use std::collections::HashSet;

use promql::value::InstantSample;
use tsdb::model::METRIC_NAME;

use super::file::Rule;

/// What `rule` records of `vector`; `limit` 0 is none.
pub(super) fn outputs(
    rule: &Rule,
    vector: Vec<InstantSample>,
    limit: usize,
) -> Result<Vec<InstantSample>, String> {
    let rename = |sample: InstantSample| {
        let mut labels = sample.labels.to_builder();
        labels.set(METRIC_NAME, rule.name.as_str());
        for (name, value) in &rule.labels {
            labels.set(name.as_str(), value.as_str());
        }
        InstantSample { labels: labels.build(), point: sample.point }
    };
    let outputs: Vec<InstantSample> = vector.into_iter().map(rename).collect();
    let mut seen = HashSet::new();
    if outputs.iter().any(|sample| !seen.insert(&sample.labels)) {
        let what = "vector contains metrics with the same labelset after applying rule labels";
        return Err(what.to_owned());
    }
    if limit > 0 && outputs.len() > limit {
        return Err(format!("exceeded limit of {limit} with {} series", outputs.len()));
    }
    Ok(outputs)
}
