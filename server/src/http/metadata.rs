//! `/api/v1/metadata`: type, help and unit of metric families.

use axum::extract::{RawQuery, State as Shared};
use tsdb::model::Metadata;

use super::State;
use super::envelope::Success;
use super::error::ApiError;
use super::json;
use super::params::Params;

/// Of all families, or of `metric`; at most `limit` families.
pub(super) async fn list(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Success, ApiError> {
    let params = Params::new(&[], query.as_deref().unwrap_or(""));
    let limit = count(&params, "limit")?;
    let per_metric = count(&params, "limit_per_metric")?;
    let mut families = state.db.metadata();
    if let Some(metric) = params.get("metric") {
        families.retain(|(name, _)| name == metric);
    }
    families.truncate(limit);
    Ok(Success::with(|out| write_families(out, &families, per_metric)))
}

/// A limit; missing or negative means none.
fn count(params: &Params, name: &'static str) -> Result<usize, ApiError> {
    let Some(text) = params.get(name) else { return Ok(usize::MAX) };
    let number: i64 =
        text.parse().map_err(|_| ApiError::bad_data(format!("{name} must be a number")))?;
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

fn write_families(out: &mut String, families: &[(String, Metadata)], per_metric: usize) {
    out.push('{');
    for (index, (name, metadata)) in families.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        json::write_html_safe(out, name);
        out.push(':');
        json::write_list(out, [metadata].into_iter().take(per_metric), write_metadata);
    }
    out.push('}');
}

fn write_metadata(out: &mut String, metadata: &Metadata) {
    out.push_str(&format!(r#"{{"type":"{}","help":"#, metadata.kind.as_str()));
    json::write_html_safe(out, &metadata.help);
    out.push_str(r#","unit":"#);
    json::write_html_safe(out, &metadata.unit);
    out.push('}');
}
