//! `/api/v2/silences` and `/api/v2/silence/{id}`: silences of the built-in sender, with
//! Alertmanager's paths and JSON, so that `amtool` works.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State as Shared};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::error::{ApiError, ErrorType};
use super::{State, blocking};
use crate::notify::silence::{Silence, SilenceError, Silences};

/// All of them.
pub(super) async fn list(Shared(state): Shared<State>) -> Result<Response, ApiError> {
    let now = state.clock.now();
    let all =
        silences(&state)?.list().into_iter().map(|silence| shown(&silence, silence.state(now)));
    Ok(Json(all.collect::<Vec<_>>()).into_response())
}

/// One of them.
pub(super) async fn get(
    Shared(state): Shared<State>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    let all = silences(&state)?.list();
    let one = all.iter().find(|own| own.id == id).ok_or(SilenceError::Unknown)?;
    Ok(Json(shown(one, one.state(state.clock.now()))).into_response())
}

/// Makes or replaces one; the answer has its id.
pub(super) async fn add(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    // Browsers ask before they send that to another origin; so no page silences alerts by a form.
    let of_json = |text: &HeaderValue| text.as_bytes().starts_with(b"application/json");
    if !headers.get(CONTENT_TYPE).is_some_and(of_json) {
        return Err(ApiError::bad_data("the content type has to be application/json"));
    }
    let silence: Silence =
        serde_json::from_slice(&body).map_err(|error| ApiError::bad_data(error.to_string()))?;
    let id = blocking(move || Ok(silences(&state)?.add(silence, state.clock.now())?)).await?;
    Ok(Json(json!({"silenceID": id})).into_response())
}

/// Ends one.
pub(super) async fn expire(
    Shared(state): Shared<State>,
    Path(id): Path<String>,
) -> Result<Response, ApiError> {
    blocking(move || Ok(silences(&state)?.expire(&id, state.clock.now())?)).await?;
    Ok(Json(json!({})).into_response())
}

fn silences(state: &State) -> Result<&Silences, ApiError> {
    state.notifier.silences().ok_or_else(|| ApiError {
        kind: ErrorType::NotFound,
        message: "there is no built-in sender: start the server with --notify.file".to_owned(),
    })
}

fn shown(silence: &Silence, is: &str) -> Value {
    let mut value = json!(silence);
    value["status"] = json!({"state": is});
    value["updatedAt"] = value["startsAt"].clone();
    value
}

impl From<SilenceError> for ApiError {
    fn from(error: SilenceError) -> Self {
        let kind = match error {
            SilenceError::Invalid(_) => ErrorType::BadData,
            SilenceError::Unknown => ErrorType::NotFound,
            SilenceError::Disk(..) => ErrorType::Internal,
        };
        Self { kind, message: error.to_string() }
    }
}
