//! Asking a running server: one GET, with what `--http.config.file` says.

use std::time::Duration;

use anyhow::{Context, anyhow};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use scraper::fetch::HttpClient;
use scraper::job::ClientOptions;

use crate::config;
use crate::flags::ClientFlags;

/// What a server answered.
pub(super) struct Answer {
    /// The status code.
    pub(super) status: u16,
    /// All of it.
    pub(super) body: Vec<u8>,
}

/// Gets `url` within `timeout`; `headers` are `NAME=VALUE`.
pub(super) async fn get(
    flags: &ClientFlags,
    url: &str,
    headers: &[String],
    timeout: Duration,
) -> anyhow::Result<Answer> {
    let options = match &flags.http_config_file {
        Some(path) => config::load_client(path)?,
        None => ClientOptions::default(),
    };
    let client = HttpClient::new(&options, timeout);
    let asked = async {
        let response = client.get(url, parsed(headers)?).await.map_err(anyhow::Error::msg)?;
        let status = response.status().as_u16();
        anyhow::Ok(Answer { status, body: response.bytes().await?.to_vec() })
    };
    let answer = tokio::time::timeout(timeout, asked).await;
    answer
        .unwrap_or_else(|_| Err(anyhow!("context deadline exceeded")))
        .context(format!("Get {url:?}"))
}

/// The address of a path on a server, whose scheme may be missing.
pub(super) fn address(server: &str, path: &str) -> String {
    let server = server.trim_end_matches('/');
    let scheme = if server.contains("://") { "" } else { "http://" };
    format!("{scheme}{server}{path}")
}

fn parsed(headers: &[String]) -> anyhow::Result<HeaderMap> {
    let mut map = HeaderMap::new();
    for text in headers {
        let pair = text.split_once('=');
        let header = pair.and_then(|(name, value)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
        });
        let (name, value) = header.with_context(|| format!("{text:?} is no header NAME=VALUE"))?;
        map.append(name, value);
    }
    Ok(map)
}
