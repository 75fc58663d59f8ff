//! `/api/v1/series`.

use axum::extract::{RawQuery, State as Shared};

use super::envelope::Success;
use super::error::ApiError;
use super::params::{Form, Params, invalid};
use super::{State, blocking, json, labels};

/// The label sets of the chosen series; at least one `match[]` has to be given.
pub(super) async fn list(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
    Form(body): Form,
) -> Result<Success, ApiError> {
    let params = Params::new(&body, query.as_deref().unwrap_or(""));
    if params.all("match[]").next().is_none() {
        return Err(ApiError::bad_data("no match[] parameter provided"));
    }
    let matchers = params.matchers().map_err(|error| invalid("match[]", error.message))?;
    let (range, limit) = (params.range()?, params.limit()?);
    blocking(move || {
        let mut series = state.queries.series(range, &matchers, labels::ask(limit))?;
        let warnings = labels::cut(&mut series, limit);
        let success = Success::with(|out| json::write_list(out, &series, json::write_labels));
        Ok(Success { warnings, ..success })
    })
    .await
}
