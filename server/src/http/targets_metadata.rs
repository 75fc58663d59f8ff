//! `/api/v1/targets/metadata`: what each target says about its metrics.

use axum::extract::{RawQuery, State as Shared};
use promql::parse::parse_metric_selector;
use scraper::target::FamilyMetadata;
use tsdb::model::Labels;

use super::State;
use super::envelope::Success;
use super::error::ApiError;
use super::json;
use super::params::{Params, invalid};

/// Of the targets that `match_target` selects, of all families or of `metric`. After a target with
/// which there are `limit` entries or more no other one comes.
pub(super) async fn list(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Success, ApiError> {
    let params = Params::new(&[], query.as_deref().unwrap_or(""));
    let limit = limit(&params)?;
    let matchers = params.get("match_target").map(parse_metric_selector).transpose();
    let matchers =
        matchers.map_err(|error| invalid("match_target", error.to_string()))?.unwrap_or_default();
    let metric = params.get("metric");
    let targets = state.scrapes.metadata();
    let mut shown = Vec::new();
    for target in &targets {
        if shown.len() >= limit {
            break;
        }
        if matchers.iter().all(|matcher| matcher.matches_labels(&target.labels)) {
            let families = target.families.iter().map(|family| &**family);
            let families = families.filter(|(name, _)| metric.is_none_or(|metric| name == metric));
            shown.extend(families.map(|family| (&target.labels, family)));
        }
    }
    let write = |out: &mut String, (labels, family)| write(out, labels, family, metric.is_none());
    Ok(Success::with(|out| json::write_list(out, shown, write)))
}

/// Missing or negative means none.
fn limit(params: &Params) -> Result<usize, ApiError> {
    let Some(text) = params.get("limit") else { return Ok(usize::MAX) };
    let limit: Result<i64, _> = text.parse();
    let limit = limit.map_err(|_| ApiError::bad_data("limit must be a number"))?;
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

fn write(out: &mut String, labels: &Labels, (name, metadata): &FamilyMetadata, names: bool) {
    out.push_str(r#"{"target":"#);
    json::write_labels(out, labels);
    if names {
        out.push_str(r#","metric":"#);
        json::write_html_safe(out, name);
    }
    out.push_str(&format!(r#","type":"{}","help":"#, metadata.kind.as_str()));
    json::write_html_safe(out, &metadata.help);
    out.push_str(r#","unit":"#);
    json::write_html_safe(out, &metadata.unit);
    out.push('}');
}
