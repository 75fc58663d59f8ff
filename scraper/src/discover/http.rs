//! Targets from a URL (`http_sd_configs`).
//!
//! Every `refresh_ms` the URL is asked for a JSON list of groups; all of the answer has to be there
//! within that time. An answer other than 200, of another type, too long or unreadable changes
//! nothing and is a problem until there is a good one.
//!
//! Source of the rules: Prometheus 3.14, `discovery/http`.

use std::fmt;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Response, StatusCode};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tsdb::model::labels::Quoted;

use super::read::{self, Form, TEXT_BYTES_MAX};
use super::{Problems, TargetGroup, Updates, pause, refresh};
use crate::client::{ClientOptions, Redacted};
use crate::fetch::{HttpClient, describe};

/// The label that says which URL a target is from.
const URL_LABEL: &str = "__meta_url";
/// Tells the server how often we ask, in seconds.
const REFRESH_HEADER: &str = "X-Prometheus-Refresh-Interval-Seconds";

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

impl HttpOptions {
    /// Sends what the URL says, until it is dropped or nobody takes it.
    pub async fn run(self, updates: Updates, problems: Problems) {
        let every = refresh(self.refresh_ms);
        let client = HttpClient::new(&self.client, 2 * every);
        let tried = format!("get {}", Redacted(&self.url));
        let mut known = 0;
        loop {
            let asked = timeout(every, self.ask(&client, every)).await;
            match asked.unwrap_or_else(|_| Err(self.failed("context deadline exceeded"))) {
                Ok(mut groups) => {
                    problems.clear(&tried);
                    let count = groups.len();
                    groups.extend((count..known).map(|index| self.empty(index)));
                    known = count;
                    if updates.send(groups).await.is_err() {
                        return;
                    }
                }
                Err(why) => {
                    problems.set(&tried, &why);
                }
            }
            if !pause(&updates, every).await {
                return;
            }
        }
    }

    async fn ask(&self, client: &HttpClient, every: Duration) -> Result<Vec<TargetGroup>, String> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        let seconds = HeaderValue::from_str(&every.as_secs_f64().to_string());
        headers.insert(REFRESH_HEADER, seconds.map_err(|error| error.to_string())?);
        let response = client.get(&self.url, headers).await.map_err(|why| self.failed(&why))?;
        if response.status() != StatusCode::OK {
            return Err(format!("server returned HTTP status {}", response.status()));
        }
        let kind = response.headers().get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        let kind = String::from_utf8_lossy(kind).into_owned();
        if !is_json(&kind) {
            return Err(format!("unsupported content type {}", Quoted(&kind)));
        }
        let (text, url) = (body(response).await?, self.url.clone());
        let read = spawn_blocking(move || read::groups(&text, Form::Json, &url, URL_LABEL)).await;
        read.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
    }

    fn failed(&self, why: &str) -> String {
        format!("Get {}: {why}", Quoted(&Redacted(&self.url).to_string()))
    }

    fn empty(&self, index: usize) -> TargetGroup {
        TargetGroup { source: format!("{}:{index}", self.url), ..TargetGroup::default() }
    }
}

/// `application/json`, perhaps with `charset=utf-8`.
fn is_json(content_type: &str) -> bool {
    let lower = content_type.trim().to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("application/json") else { return false };
    let charset = rest.strip_prefix(';').map(str::trim_start);
    rest.is_empty() || matches!(charset, Some("charset=utf-8" | "charset=\"utf-8\""))
}

/// The whole body, chunk by chunk, so that no more than the limit and one chunk is ever held.
async fn body(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| describe(&error, ""))? {
        if body.len() as u64 + chunk.len() as u64 > TEXT_BYTES_MAX {
            return Err(format!("the answer is larger than {TEXT_BYTES_MAX} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::is_json;

    #[test]
    fn content_types() {
        let rows = [
            ("application/json", true),
            (" Application/JSON ", true),
            ("application/json; charset=utf-8", true),
            ("application/json;charset=\"UTF-8\"", true),
            ("application/json; charset=latin1", false),
            ("application/json;", false),
            ("application/jsonp", false),
            ("text/plain", false),
            ("", false),
        ];
        for (content_type, expected) in rows {
            assert_eq!(is_json(content_type), expected, "{content_type}");
        }
    }
}
