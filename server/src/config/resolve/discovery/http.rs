//! `http_sd_configs`.

use std::path::Path;

use scraper::discover::http::HttpOptions;

use super::super::super::error::{Place, Problem};
use super::super::super::raw::{HttpConfig, given};
use super::{client, value};

/// Prometheus's `DefaultSDConfig.RefreshInterval` of URLs.
const REFRESH_MS: i64 = 60_000;

/// Decides whom to ask.
pub(super) fn http(
    (raw, place): (&HttpConfig, Place),
    base_dir: &Path,
) -> Result<HttpOptions, Problem> {
    let url = given(&raw.url).filter(|(url, _)| !url.0.is_empty());
    let (url, url_place) = url.ok_or_else(|| {
        Problem::new(place, "URL is missing", "add `url`, which answers with a list of targets")
    })?;
    value::http_url(&url.0, url_place)?;
    Ok(HttpOptions {
        url: url.0.clone(),
        refresh_ms: value::duration(&raw.refresh_interval)?.unwrap_or(REFRESH_MS),
        client: client::client(&raw.client, base_dir)?,
    })
}
