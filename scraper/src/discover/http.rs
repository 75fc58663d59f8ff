//! Targets from a URL (`http_sd_configs`).

use crate::client::ClientOptions;

/// Whom to ask, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpOptions {
    /// `http` or `https`, with a host.
    pub url: String,
    /// Milliseconds from one request to the next.
    pub refresh_ms: i64,
    /// How to connect.
    pub client: ClientOptions,
}
