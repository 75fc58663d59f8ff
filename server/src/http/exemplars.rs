//! `/api/v1/query_exemplars`: the exemplars of the series that a query selects.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State as Shared};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tsdb::model::{Exemplar, Labels, Matcher, TimeRange};

use super::envelope::Success;
use super::error::ApiError;
use super::params::{Form, Params};
use super::{State, blocking, json};

/// Oldest first, series by series in label order. 204 if the query selects nothing at all.
pub(super) async fn list(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
    Form(body): Form,
) -> Result<Response, ApiError> {
    let params = Params::new(&body, query.as_deref().unwrap_or(""));
    let range = params.range()?;
    if range.end < range.start {
        return Err(ApiError::bad_data("end timestamp must not be before start timestamp"));
    }
    let expr = state.queries.parse(params.get("query").unwrap_or(""));
    let expr = expr.map_err(|error| ApiError::bad_data(error.to_string()))?;
    let selectors: Vec<_> = expr.selectors().iter().map(|own| own.matchers.clone()).collect();
    if selectors.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    blocking(move || {
        let series = find(&state, range, &selectors);
        Ok(Success::with(|out| json::write_list(out, &series, write_series)).into_response())
    })
    .await
}

/// Each series' exemplars once, however many selectors choose it.
fn find(
    state: &State,
    range: TimeRange,
    selectors: &[Vec<Matcher>],
) -> BTreeMap<Labels, Vec<Exemplar>> {
    let mut all: BTreeMap<Labels, Vec<Exemplar>> = BTreeMap::new();
    for matchers in selectors {
        let mut own: BTreeMap<Labels, Vec<Exemplar>> = BTreeMap::new();
        for (labels, exemplar) in state.db.exemplars(range, matchers) {
            own.entry(labels).or_default().push(exemplar);
        }
        all.extend(own);
    }
    all
}

fn write_series(out: &mut String, (labels, exemplars): (&Labels, &Vec<Exemplar>)) {
    out.push_str(r#"{"seriesLabels":"#);
    json::write_labels(out, labels);
    out.push_str(r#","exemplars":"#);
    json::write_list(out, exemplars, |out, exemplar| {
        out.push_str(r#"{"labels":"#);
        json::write_labels(out, &exemplar.labels);
        out.push_str(r#","value":"#);
        json::write_float(out, exemplar.value);
        out.push_str(r#","timestamp":"#);
        json::write_seconds(out, exemplar.timestamp);
        out.push('}');
    });
    out.push('}');
}
