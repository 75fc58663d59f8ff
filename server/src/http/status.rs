//! What the server says about itself: build, notice, `/metrics`, and unknown paths.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State as Shared};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::envelope::Success;
use super::{HttpOptions, State, json};

/// The version of the Prometheus API that we speak. Clients switch features on by it, so it is
/// the reference's version and not our own, which stands in `revision`.
pub(super) const API_VERSION: &str = "3.14.0";

/// What the page says when everybody is answered.
const OPEN: &str = "everybody who reaches this address can read what is here: no password is \
    asked for (--web.config.file changes that)";

/// `/api/v1/status/buildinfo`
pub(super) async fn build() -> Success {
    Success::with(write_build)
}

/// The build as an object; Prometheus has the same at `/version`.
pub(super) fn write_build(out: &mut String) {
    let revision = concat!("inferometer-", env!("CARGO_PKG_VERSION"));
    let fields = [
        ("version", API_VERSION),
        ("revision", revision),
        ("branch", ""),
        ("buildUser", ""),
        ("buildDate", ""),
        ("goVersion", ""),
    ];
    json::write_object(out, fields, json::write_html_safe);
}

/// `/api/v1/status/notice` (our own): a sentence that the page shows on top, or null.
pub(super) async fn notice(Shared(state): Shared<State>) -> Success {
    let HttpOptions { notice, access, .. } = &state.options;
    let open = access.as_ref().filter(|access| access.is_open()).map(|_| OPEN);
    let sentences: Vec<&str> = notice.as_deref().into_iter().chain(open).collect();
    Success::with(|out| {
        out.push_str(r#"{"notice":"#);
        match sentences.as_slice() {
            [] => out.push_str("null"),
            sentences => json::write_html_safe(out, &sentences.join("; ")),
        }
        out.push('}');
    })
}

/// `/metrics`: OpenMetrics text.
pub(super) async fn metrics(Shared(state): Shared<State>) -> Response {
    let content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([("content-type", content_type)], page(&state)).into_response()
}

/// What we export about ourselves.
pub(super) fn page(state: &State) -> String {
    state.metrics.set_query_cache(&state.queries.cache_stats());
    state.metrics.set_query_memory(state.queries.held_bytes());
    let stats = state.db.stats();
    let page = state.metrics.page(&stats, &state.scrapes.targets());
    // What rules and the notifier say stands before the end of the page.
    let chunks = state.db.head_chunks();
    let more = state.mixin.page(API_VERSION, &stats, chunks, &state.scrapes);
    let more = more + &state.rules.metrics() + &state.notifier.metrics();
    page.replace("# EOF\n", &(more + "# EOF\n"))
}

/// Paths below `/api/v1` that do not exist.
pub(super) async fn unknown_path() -> Response {
    (StatusCode::NOT_FOUND, "404 page not found\n").into_response()
}

/// Paths below `/api/v1` that exist, for other methods.
pub(super) async fn wrong_method() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed\n").into_response()
}

/// Counts each request by its route and status.
pub(super) async fn count_request(
    Shared(state): Shared<State>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let handler = route.map_or("/", MatchedPath::as_str).to_owned();
    let began = Instant::now();
    let response = next.run(request).await;
    state.mixin.request_answered(&handler, began.elapsed());
    state.metrics.count_request(handler, response.status().as_u16());
    response
}
