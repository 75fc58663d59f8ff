//! Targets from a URL (`http_sd_configs`).

use std::fmt;

use crate::client::{ClientOptions, Redacted};

/// Whom to ask, and how often.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpOptions {
    /// `http` or `https`, with a host.
    pub url: String,
    /// Milliseconds from one request to the next.
    pub refresh_ms: i64,
    /// How to connect.
    pub client: ClientOptions,
}

impl fmt::Debug for HttpOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("HttpOptions");
        shown.field("url", &Redacted(&self.url)).field("refresh_ms", &self.refresh_ms);
        shown.field("client", &self.client).finish()
    }
}
