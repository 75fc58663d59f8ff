//! `/-/reload` and `/-/quit`, off unless `--web.enable-lifecycle` is given, and what the
//! configuration is (`/api/v1/status/config`).

use std::sync::Arc;

use axum::extract::State as Shared;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::Notify;

use super::envelope::Success;
use super::{State, json};
use crate::reload::Reloader;

/// What reloads and what ends.
pub struct Lifecycle {
    /// Whether requests may do it.
    pub enabled: bool,
    /// What reads the configuration again, if there is a file.
    pub reloader: Option<Arc<Reloader>>,
    /// Told when the server is to end.
    pub quit: Arc<Notify>,
}

/// POST or PUT `/-/reload`
pub(super) async fn reload(Shared(state): Shared<State>) -> Response {
    if !state.lifecycle.enabled {
        return disabled();
    }
    let Some(reloader) = state.lifecycle.reloader.clone() else {
        return failed("there is no configuration file");
    };
    // In a task of its own: who asks and goes away does not end it halfway.
    let reload = tokio::spawn(async move { reloader.reload("asked for").await });
    match reload.await {
        Ok(Ok(())) => StatusCode::OK.into_response(),
        Ok(Err(error)) => failed(&error),
        Err(error) => failed(&error.to_string()),
    }
}

/// POST or PUT `/-/quit`
pub(super) async fn quit(Shared(state): Shared<State>) -> Response {
    if !state.lifecycle.enabled {
        return disabled();
    }
    state.lifecycle.quit.notify_one();
    "Requesting termination... Goodbye!".into_response()
}

/// Other methods on both.
pub(super) async fn wrong_method() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, "Only POST or PUT requests allowed").into_response()
}

/// `/api/v1/status/config`: the file's text, without secrets.
pub(super) async fn config(Shared(state): Shared<State>) -> Success {
    let config = state.lifecycle.reloader.as_ref().map(|reloader| reloader.config());
    Success::with(|out| {
        out.push_str(r#"{"yaml":"#);
        json::write_html_safe(out, config.as_ref().map_or("", |config| config.text.as_str()));
        out.push('}');
    })
}

fn disabled() -> Response {
    (StatusCode::FORBIDDEN, "Lifecycle API is not enabled.").into_response()
}

fn failed(error: &str) -> Response {
    let text = format!("failed to reload config: {error}\n");
    (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
}
