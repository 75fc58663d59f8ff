//! `/api/v1/status/tsdb`: how many series, labels and windows are in memory, and the largest of
//! them.

use axum::extract::{RawQuery, State as Shared};
use tsdb::Cardinality;

use super::envelope::Success;
use super::error::ApiError;
use super::params::Params;
use super::{State, blocking, json};

/// Entries of each list unless `limit` says otherwise.
const LIMIT: usize = 10;
/// The most that may be asked for (Prometheus's number).
const LIMIT_MAX: usize = 10_000;

/// The counts; lists of at most `limit` entries.
pub(super) async fn cardinality(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Success, ApiError> {
    let params = Params::new(&[], query.as_deref().unwrap_or(""));
    let limit = params.get("limit").map_or(Some(LIMIT), |text| text.parse().ok());
    let limit = limit.filter(|limit| *limit > 0);
    let limit = limit.ok_or_else(|| ApiError::bad_data("limit must be a positive number"))?;
    if limit > LIMIT_MAX {
        return Err(ApiError::bad_data(format!("limit must not exceed {LIMIT_MAX}")));
    }
    blocking(move || {
        let counted = state.db.cardinality(limit);
        Ok(Success::with(|out| write(out, &counted)))
    })
    .await
}

fn write(out: &mut String, counted: &Cardinality) {
    let Cardinality { series, label_pairs, chunk_count, .. } = counted;
    // An empty head's times are Go's largest and smallest number.
    let min_time = counted.min_time.map_or(i64::MAX, |time| time.ms());
    let max_time = counted.max_time.map_or(i64::MIN, |time| time.ms());
    out.push_str(&format!(
        r#"{{"headStats":{{"numSeries":{series},"numLabelPairs":{label_pairs},"chunkCount":{chunk_count},"minTime":{min_time},"maxTime":{max_time}}}"#
    ));
    let lists = [
        ("seriesCountByMetricName", &counted.series_count_by_metric_name),
        ("labelValueCountByLabelName", &counted.label_value_count_by_label_name),
        ("memoryInBytesByLabelName", &counted.memory_in_bytes_by_label_name),
        ("seriesCountByLabelValuePair", &counted.series_count_by_label_value_pair),
    ];
    for (key, counts) in lists {
        out.push_str(&format!(r#","{key}":"#));
        json::write_list(out, counts, |out, (name, count)| {
            out.push_str(r#"{"name":"#);
            json::write_html_safe(out, name);
            out.push_str(&format!(r#","value":{count}}}"#));
        });
    }
    out.push('}');
}
