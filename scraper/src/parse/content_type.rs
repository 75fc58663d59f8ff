//! Which format a page has, by its `Content-Type`.
//!
//! As in Prometheus 3 a target has to say what it sends: nothing is guessed from the bytes.

use thiserror::Error;
use tsdb::model::labels::Quoted;

use super::Format;

/// A page whose format is not known. The first half of each text is Prometheus's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ContentTypeError {
    /// There is none.
    #[error(
        "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol \
         specified for target"
    )]
    Blank,
    /// It follows no grammar.
    #[error(
        "cannot parse Content-Type {quoted} and no fallback_scrape_protocol for target",
        quoted = Quoted(.0)
    )]
    Malformed(String),
    /// It is none of the formats.
    #[error(
        "received unsupported Content-Type {quoted} and no fallback_scrape_protocol specified \
         for target",
        quoted = Quoted(.0)
    )]
    Unsupported(String),
    /// It is a web page.
    #[error(
        "received unsupported Content-Type {quoted} and no fallback_scrape_protocol specified \
         for target: this is an HTML page, not metrics; check metrics_path and port",
        quoted = Quoted(.0)
    )]
    Html(String),
}

/// The format of a page with this `Content-Type`. Versions and parameters do not matter: the
/// parsers read all of them.
pub fn format_of(content_type: Option<&str>) -> Result<Format, ContentTypeError> {
    let written = content_type.map(str::trim).filter(|text| !text.is_empty());
    let written = written.ok_or(ContentTypeError::Blank)?;
    let media_type = written.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "text/plain" => Ok(Format::Text),
        "application/openmetrics-text" => Ok(Format::OpenMetrics),
        "text/html" | "application/xhtml+xml" => Err(ContentTypeError::Html(written.into())),
        other if is_media_type(other) => Err(ContentTypeError::Unsupported(written.into())),
        _ => Err(ContentTypeError::Malformed(written.into())),
    }
}

/// `token` or `token/token` (RFC 9110, 5.6.2).
fn is_media_type(text: &str) -> bool {
    let is_token = |text: &str| {
        let special = b"!#$%&'*+-.^_`|~";
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || special.contains(&b))
    };
    text.split_once('/').map_or(is_token(text), |(kind, sub)| is_token(kind) && is_token(sub))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let rows = [
            (Some("text/plain"), Ok(Format::Text)),
            (Some("text/plain; version=0.0.4; charset=utf-8"), Ok(Format::Text)),
            (Some("Text/Plain;version=1.0.0;escaping=allow-utf-8"), Ok(Format::Text)),
            (Some("application/openmetrics-text; version=1.0.0"), Ok(Format::OpenMetrics)),
            (
                None,
                Err(
                    "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target",
                ),
            ),
            (
                Some(" "),
                Err(
                    "non-compliant scrape target sending blank Content-Type and no fallback_scrape_protocol specified for target",
                ),
            ),
            (
                Some("application/json"),
                Err(
                    "received unsupported Content-Type \"application/json\" and no fallback_scrape_protocol specified for target",
                ),
            ),
            (
                Some("text/html; charset=utf-8"),
                Err(
                    "received unsupported Content-Type \"text/html; charset=utf-8\" and no fallback_scrape_protocol specified for target: this is an HTML page, not metrics; check metrics_path and port",
                ),
            ),
            (
                Some("a b"),
                Err("cannot parse Content-Type \"a b\" and no fallback_scrape_protocol for target"),
            ),
        ];
        for (content_type, expected) in rows {
            let got = format_of(content_type).map_err(|error| error.to_string());
            assert_eq!(got, expected.map_err(str::to_owned));
        }
    }
}
