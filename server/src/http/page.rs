//! The web page, embedded in the binary: `/` and its assets.
//!
//! Files are stored gzipped; a client that does not take gzip gets them unpacked.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

/// The dashboard's address in Grafana, which guides and bookmarks name.
const GUIDE_PATH: &str = "d/llm-performance";

/// Serves a file of the page, or 404.
pub(super) async fn serve(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if path == GUIDE_PATH {
        let query = request.uri().query().map_or_else(String::new, |query| format!("?{query}"));
        // Relative, so that it works behind any path prefix.
        return (StatusCode::FOUND, [(header::LOCATION, format!("../{query}"))]).into_response();
    }
    let Some(asset) = ui::asset(path) else {
        return (StatusCode::NOT_FOUND, "404 page not found\n").into_response();
    };
    let headers = request.headers();
    if headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == asset.etag.as_bytes())
    {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, asset.etag)]).into_response();
    }
    let common = [
        (header::CONTENT_TYPE, asset.content_type.to_owned()),
        (header::CACHE_CONTROL, asset.cache_control().to_owned()),
        (header::ETAG, asset.etag.clone()),
        (header::CONTENT_SECURITY_POLICY, ui::CONTENT_SECURITY_POLICY.to_owned()),
        (header::VARY, "Accept-Encoding".to_owned()),
    ];
    if takes_gzip(headers) {
        let encoding = [(header::CONTENT_ENCODING, "gzip")];
        return (common, encoding, asset.gzip.into_owned()).into_response();
    }
    match asset.plain() {
        Ok(bytes) => (common, bytes).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|codings| codings.split(',').any(|c| c.trim().starts_with("gzip")))
}
