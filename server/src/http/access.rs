//! Who may read the API from where, and when: pages of other origins, and not before the server is
//! ready or after it has begun to stop.

use std::sync::atomic::Ordering;

use axum::extract::{Request, State as Shared};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::State;

/// What a page of another origin is told, as in Prometheus.
const ALLOWED: [(&str, &str); 3] = [
    ("access-control-allow-headers", "Accept, Authorization, Content-Type, Origin"),
    ("access-control-allow-methods", "GET, POST, OPTIONS"),
    ("access-control-expose-headers", "Date"),
];

/// Answers what the API is asked before it is asked, and adds what browsers want to know.
pub(super) async fn guard(Shared(state): Shared<State>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = if request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else if state.ready.load(Ordering::Acquire) {
        next.run(request).await
    } else {
        not_ready()
    };
    say_origins(response.headers_mut(), origin, &state);
    response
}

/// What requests get that come too early or too late.
pub(super) fn not_ready() -> Response {
    let stopping = [("x-prometheus-stopping", "true")];
    (StatusCode::SERVICE_UNAVAILABLE, stopping, "Service Unavailable").into_response()
}

fn say_origins(headers: &mut HeaderMap, origin: Option<HeaderValue>, state: &State) {
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let Some(origin) = origin else { return };
    for (name, value) in ALLOWED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if origin.to_str().is_ok_and(|text| state.options.origins.is_match(text)) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    }
}
