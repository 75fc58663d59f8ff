//! Labels of a series: those on the page, laid over those of the target.
//!
//! Both may have a label of the same name. With `honor_labels` the page's wins, even if it is
//! empty (the target's is hidden then); else the target's wins and the page's is renamed to
//! `exported_…`. Then the rules for series run over the result. What comes out is told to the
//! store as the difference to the target's labels: own pairs, and empty ones that hide.
//! Source: Prometheus 3.14, `scrape.mutateSampleLabels`.

use std::borrow::Cow;

use tsdb::model::number::{format_open_metrics, parse_float};
use tsdb::model::{BUCKET_LABEL, Labels, LabelsBuilder, METRIC_NAME, MetricType};

use crate::parse::Label;
use crate::relabel::{self, Rule};

/// The label that holds a summary's quantile.
const QUANTILE_LABEL: &str = "quantile";
const EXPORTED_PREFIX: &str = "exported_";

/// Writes `le` and `quantile` as OpenMetrics does (`1` becomes `1.0`), if the `TYPE` line says
/// that they are numbers.
pub(super) fn normalize(kind: MetricType, labels: &mut [Label<'_>]) {
    let name = match kind {
        MetricType::Histogram => BUCKET_LABEL,
        MetricType::Summary => QUANTILE_LABEL,
        _ => return,
    };
    for (_, value) in labels.iter_mut().filter(|(own, _)| own == name) {
        if let Some(number) = parse_float(value) {
            *value = Cow::Owned(format_open_metrics(number));
        }
    }
}

/// The whole label set of a series; `None` if a rule drops it.
pub(super) fn merge(
    target: &Labels,
    metric: &str,
    page: &[Label<'_>],
    honor_labels: bool,
    rules: &[Rule],
) -> Option<Labels> {
    let mut merged = LabelsBuilder::new();
    merged.set(METRIC_NAME, metric);
    for (name, value) in page {
        merged.set(name.as_ref(), value.as_ref());
    }
    if honor_labels {
        honor(&mut merged, target, page);
    } else {
        export(&mut merged, target);
    }
    relabel::apply(&mut merged, rules).then(|| merged.build())
}

fn honor(merged: &mut LabelsBuilder, target: &Labels, page: &[Label<'_>]) {
    for (name, value) in target.iter() {
        if !page.iter().any(|(own, _)| own == name) {
            merged.set(name, value);
        }
    }
}

fn export(merged: &mut LabelsBuilder, target: &Labels) {
    let mut renamed = Vec::new();
    for (name, value) in target.iter() {
        if let Some(own) = merged.get(name) {
            renamed.push((name, own.to_owned()));
        }
        merged.set(name, value);
    }
    // Shorter names first, so that `a` takes `exported_a` before an `exported_a` of the page.
    renamed.sort_by_key(|(name, _)| name.len());
    for (name, value) in renamed {
        let mut exported = format!("{EXPORTED_PREFIX}{name}");
        while merged.get(&exported).is_some() {
            exported.insert_str(0, EXPORTED_PREFIX);
        }
        merged.set(exported, value);
    }
}

/// What `labels` has beside or instead of `target`'s labels, and an empty value for each of
/// `target`'s that it lacks; sorted by name.
pub(super) fn difference(target: &Labels, labels: &Labels) -> Vec<(String, String)> {
    let other = labels.iter().filter(|(name, value)| target.get(name) != Some(*value));
    let hidden = target.iter().filter(|(name, _)| labels.get(name).is_none());
    let hidden = hidden.map(|(name, _)| (name.to_owned(), String::new()));
    let other = other.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut own: Vec<_> = other.chain(hidden).collect();
    own.sort();
    own
}
