//! `/api/v1/admin/tsdb/…`: deleting series, cleaning up after it, snapshots. Off unless
//! `--web.enable-admin-api` is given, since whoever reaches the port may do it.

use std::hash::{BuildHasher, RandomState};

use axum::extract::{RawQuery, State as Shared};
use axum::http::StatusCode;
use tsdb::model::labels::Quoted;
use tsdb::model::{Matcher, TimeRange, Timestamp};

use super::envelope::Success;
use super::error::{ApiError, ErrorType};
use super::params::{Form, Params, invalid};
use super::{State, blocking};

/// Deletes the samples from `start` to `end` of the series that a `match[]` chooses.
pub(super) async fn delete_series(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
    Form(body): Form,
) -> Result<StatusCode, ApiError> {
    let params = permitted(&state, query, &body)?;
    if params.all("match[]").next().is_none() {
        return Err(ApiError::bad_data("no match[] parameter provided"));
    }
    let range = params.range()?;
    // A selector that chooses everything is allowed here, as in Prometheus.
    let selectors = params.all("match[]").map(promql::parse::parse_metric_selector);
    let selectors: Vec<_> = selectors
        .collect::<Result<_, _>>()
        .map_err(|error| invalid("match[]", error.to_string()))?;
    blocking(move || delete(&state, range, &selectors)).await
}

fn delete(
    state: &State,
    range: TimeRange,
    selectors: &[Vec<Matcher>],
) -> Result<StatusCode, ApiError> {
    if range.start <= range.end {
        for matchers in selectors {
            let series = state.db.delete(range, matchers)?;
            tracing::info!("samples of {series} series in blocks were deleted on request");
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Gives back the room of what was deleted.
pub(super) async fn clean_tombstones(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
    Form(body): Form,
) -> Result<StatusCode, ApiError> {
    permitted(&state, query, &body)?;
    blocking(move || {
        let blocks = state.db.clean_deleted()?;
        tracing::info!("{blocks} blocks were written anew without what was deleted in them");
        Ok(StatusCode::NO_CONTENT)
    })
    .await
}

/// Makes a store in `snapshots` of the data directory that holds what this one does now.
pub(super) async fn snapshot(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
    Form(body): Form,
) -> Result<Success, ApiError> {
    let params = permitted(&state, query, &body)?;
    let skip_head = params.get("skip_head").map_or(Ok(false), parse_bool);
    let skip_head = skip_head.map_err(|message| invalid("skip_head", message))?;
    let name = snapshot_name(state.clock.now());
    blocking(move || {
        let dir = state.options.data_dir.join("snapshots").join(&name);
        state.db.snapshot(&dir, skip_head)?;
        tracing::info!("snapshot taken in {}", dir.display());
        Ok(Success::with(|out| out.push_str(&format!(r#"{{"name":"{name}"}}"#))))
    })
    .await
}

/// The parameters, if the API is on.
fn permitted(state: &State, query: Option<String>, body: &[u8]) -> Result<Params, ApiError> {
    if !state.options.admin {
        let message = "admin APIs disabled".to_owned();
        return Err(ApiError { kind: ErrorType::Unavailable, message });
    }
    Ok(Params::new(body, query.as_deref().unwrap_or("")))
}

/// The second, so that names sort, and a random number, so that they differ.
fn snapshot_name(now: Timestamp) -> String {
    let second = jiff::Timestamp::from_millisecond(now.ms()).unwrap_or_default();
    // 63 bits, as Prometheus's number has.
    let random = RandomState::new().hash_one(now.ms()) >> 1;
    format!("{}-{random:016x}", second.strftime("%Y%m%dT%H%M%SZ"))
}

/// What Go's `strconv.ParseBool` takes, with its error.
fn parse_bool(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => {
            let quoted = Quoted(text);
            let parsed = "unable to parse boolean: strconv.ParseBool: parsing";
            Err(format!("{parsed} {quoted}: invalid syntax"))
        }
    }
}
