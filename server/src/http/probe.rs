//! `/-/healthy` and `/-/ready`, for Kubernetes and scripts.

use std::sync::atomic::Ordering;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::State;

/// The process runs.
pub(super) async fn healthy() -> &'static str {
    "Inferometer is Healthy.\n"
}

/// Queries are answered.
pub(super) async fn ready(Shared(state): Shared<State>) -> Response {
    if state.ready.load(Ordering::Acquire) {
        "Inferometer is Ready.\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable").into_response()
    }
}
