//! `/api/v1/write`: the receiver of remote write 1.0.

use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use tsdb::Rejected;

use super::State;
use crate::ingest::remote_write::WriteError;

/// Takes a snappy-compressed `WriteRequest`; 204 if all of it was stored, else nothing was.
pub(super) async fn receive(
    Shared(state): Shared<State>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !state.options.remote_write {
        let message = "remote write receiver needs to be enabled with \
                       --web.enable-remote-write-receiver\n";
        return (StatusCode::NOT_FOUND, message).into_response();
    }
    if let Some(refusal) = refused(&headers) {
        return (StatusCode::UNSUPPORTED_MEDIA_TYPE, refusal).into_response();
    }
    let takes_late = state.options.takes_late;
    let stored = tokio::task::spawn_blocking(move || {
        let stored = state.receiver.receive(&body, &*state.db);
        stored.map(|samples| state.metrics.count_written(samples))
    });
    match stored.await {
        Ok(Ok(())) => StatusCode::NO_CONTENT.into_response(),
        Ok(Err(WriteError::Rejected(Rejected::TooOld))) if takes_late => {
            // Prometheus has another word for it where it takes late samples at all.
            (StatusCode::BAD_REQUEST, "too old sample\n").into_response()
        }
        Ok(Err(error)) => (status(&error), format!("{error}\n")).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

/// Only protobuf in snappy's block format, and of it only version 1.
fn refused(headers: &HeaderMap) -> Option<String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("");
    let media_type = text(header::CONTENT_TYPE);
    let mut parts = media_type.split(';').map(str::trim);
    let kind = parts.next().filter(|kind| !kind.is_empty()).unwrap_or("application/x-protobuf");
    let message = parts.find_map(|part| part.strip_prefix("proto="));
    if kind != "application/x-protobuf" || message.is_some_and(|m| m != "prometheus.WriteRequest") {
        return Some(format!(
            "{media_type} is not accepted; send application/x-protobuf with \
             proto=prometheus.WriteRequest (remote write 1.0)\n"
        ));
    }
    let encoding = text(header::CONTENT_ENCODING);
    (!matches!(encoding, "" | "snappy")).then(|| {
        format!(
            "{encoding} encoding (compression) is not accepted by this server; only snappy is\n"
        )
    })
}

/// 400: do not send it again. 500: try later.
fn status(error: &WriteError) -> StatusCode {
    match error {
        WriteError::Store(_) => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}
