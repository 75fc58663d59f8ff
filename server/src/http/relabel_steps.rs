//! `/api/v1/targets/relabel_steps`: what each rule of a job makes of a label set.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State as Shared};
use scraper::relabel::{self, Rule};
use tsdb::model::Labels;

use super::State;
use super::envelope::Success;
use super::error::ApiError;
use super::json;
use super::params::Params;

/// The rules of `scrapePool`, applied to `labels` (a JSON object).
pub(super) async fn list(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Success, ApiError> {
    let params = Params::new(&[], query.as_deref().unwrap_or(""));
    let required = |name: &str| {
        let missing = || ApiError::bad_data(format!("no {name} parameter provided"));
        params.get(name).ok_or_else(missing)
    };
    let (pool, labels) = (required("scrapePool")?, required("labels")?);
    let pairs: BTreeMap<String, String> = serde_json::from_str(labels)
        .map_err(|error| ApiError::bad_data(format!("error parsing labels: {error}")))?;
    let job = state.scrapes.job(pool).ok_or_else(|| {
        ApiError::bad_data(format!("error getting scrape config: scrape pool {pool:?} not found"))
    })?;
    let steps = relabel::steps(&Labels::from_pairs(pairs), &job.relabel);
    Ok(Success::with(|out| {
        out.push_str(r#"{"steps":"#);
        json::write_list(out, job.relabel.iter().zip(&steps), write);
        out.push('}');
    }))
}

fn write(out: &mut String, (rule, after): (&Rule, &Option<Labels>)) {
    out.push_str(r#"{"rule":"#);
    write_rule(out, rule);
    out.push_str(r#","output":"#);
    json::write_labels(out, after.as_ref().unwrap_or(&Labels::empty()));
    out.push_str(&format!(r#","keep":{}}}"#, after.is_some()));
}

/// As Go writes Prometheus's `relabel.Config`: what is empty is left out, but for the pattern.
fn write_rule(out: &mut String, rule: &Rule) {
    out.push('{');
    if !rule.source_labels.is_empty() {
        out.push_str(r#""sourceLabels":"#);
        json::write_list(out, &rule.source_labels, |out, name| json::write_html_safe(out, name));
        out.push(',');
    }
    write_text(out, "separator", &rule.separator);
    out.push_str(r#""regex":"#);
    json::write_html_safe(out, &rule.pattern);
    out.push(',');
    if rule.modulus != 0 {
        out.push_str(&format!(r#""modulus":{},"#, rule.modulus));
    }
    write_text(out, "targetLabel", &rule.target_label);
    write_text(out, "replacement", &rule.replacement);
    out.push_str(&format!(r#""action":"{}"}}"#, rule.action.as_str()));
}

fn write_text(out: &mut String, name: &str, text: &str) {
    if !text.is_empty() {
        out.push_str(&format!(r#""{name}":"#));
        json::write_html_safe(out, text);
        out.push(',');
    }
}
