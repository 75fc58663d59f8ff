//! `/api/v1/openapi.yaml`: the API described in OpenAPI 3.1. A test holds it against the routes.

use axum::http::header;
use axum::response::{IntoResponse, Response};

const DOCUMENT: &str = include_str!("openapi.yaml");

/// The document.
pub(super) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/yaml; charset=utf-8")], DOCUMENT).into_response()
}
