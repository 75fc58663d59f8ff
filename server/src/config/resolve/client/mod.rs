//! How something connects: who we are, what stands in between and how TLS is spoken.
//!
//! Checks and words are those of Prometheus's common library (`config/http_config`). There an
//! empty text is as good as none, so here too.

mod authorization;
mod header;
mod proxy;
mod tls;

use std::path::Path;

use scraper::job::{ClientOptions, Secret};

use super::super::error::{Place, Problem};
use super::super::raw::{self, Hidden, given, or_default};
use super::super::yaml::Value;
use super::value;

/// Decides how `raw` connects.
pub(super) fn client(raw: &raw::Client, base_dir: &Path) -> Result<ClientOptions, Problem> {
    Ok(ClientOptions {
        authorization: authorization::authorization(raw, base_dir)?,
        tls: tls::tls(&raw.tls_config, base_dir)?,
        proxy: proxy::proxy(&raw.proxy)?,
        headers: header::headers(&raw.http_headers, base_dir)?,
        follow_redirects: or_default(&raw.follow_redirects, true),
        http2: or_default(&raw.enable_http2, true),
    })
}

/// What a text stands for that may be in the configuration.
pub(super) trait Inline {
    fn text(&self) -> &str;
}

impl Inline for String {
    fn text(&self) -> &str {
        self
    }
}

impl Inline for Hidden {
    fn text(&self) -> &str {
        &self.0
    }
}

/// A secret that may be written down or be in a file, and where the one that counts is named.
pub(super) fn secret<T: Inline>(
    inline: &Option<Value<T>>,
    file: &Option<Value<String>>,
    what: &str,
    base_dir: &Path,
) -> Result<Option<(Secret, Place)>, Problem> {
    let inline = given(inline).map(|(text, place)| (text.text(), place));
    match (inline.filter(|(text, _)| !text.is_empty()), value::text(file)) {
        (Some(_), Some((_, place))) => Err(Problem::new(place, what, "keep one of the two")),
        (Some((text, place)), None) => Ok(Some((Secret::Inline(text.to_owned()), place))),
        (None, Some((path, place))) => Ok(Some((Secret::File(value::file(path, base_dir)), place))),
        (None, None) => Ok(None),
    }
}
