//! Which format a page has, by its `Content-Type`.
//!
//! As in Prometheus 3 a target has to say what it sends: nothing is guessed from the bytes.

use thiserror::Error;
use tsdb::model::labels::Quoted;

use super::Format;
use crate::job::Protocol;

/// How a page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageFormat {
    /// In lines of text.
    Lines(Format),
    /// As protobuf messages.
    Protobuf,
}

impl From<Protocol> for PageFormat {
    fn from(protocol: Protocol) -> Self {
        match protocol {
            Protocol::PrometheusProto => Self::Protobuf,
            Protocol::PrometheusText0_0_4 | Protocol::PrometheusText1_0_0 => {
                Self::Lines(Format::Text)
            }
            Protocol::OpenMetricsText0_0_1 | Protocol::OpenMetricsText1_0_0 => {
                Self::Lines(Format::OpenMetrics)
            }
        }
    }
}

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

/// The format of a page with this `Content-Type`; `fallback` counts if that names none. Versions
/// and parameters do not matter: the parsers read all of them.
pub fn format_of(
    content_type: Option<&str>,
    fallback: Option<Protocol>,
) -> Result<PageFormat, ContentTypeError> {
    named(content_type).or_else(|error| fallback.map(PageFormat::from).ok_or(error))
}

fn named(content_type: Option<&str>) -> Result<PageFormat, ContentTypeError> {
    let written = content_type.map(str::trim).filter(|text| !text.is_empty());
    let written = written.ok_or(ContentTypeError::Blank)?;
    let media_type = written.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "text/plain" => Ok(PageFormat::Lines(Format::Text)),
        "application/openmetrics-text" => Ok(PageFormat::Lines(Format::OpenMetrics)),
        "application/vnd.google.protobuf" => Ok(PageFormat::Protobuf),
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

    const TEXT: PageFormat = PageFormat::Lines(Format::Text);

    #[test]
    fn what_counts_if_nothing_is_said() {
        let proto = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily";
        let rows = [
            (None, Protocol::PrometheusText0_0_4, TEXT),
            (Some("text/html"), Protocol::PrometheusText1_0_0, TEXT),
            (Some("a b"), Protocol::PrometheusProto, PageFormat::Protobuf),
            (Some("text/plain"), Protocol::PrometheusProto, TEXT),
            (Some(proto), Protocol::PrometheusText0_0_4, PageFormat::Protobuf),
        ];
        for (content_type, fallback, format) in rows {
            assert_eq!(format_of(content_type, Some(fallback)), Ok(format), "{content_type:?}");
        }
    }

    #[test]
    fn formats() {
        let rows = [
            (Some("text/plain"), Ok(TEXT)),
            (Some("text/plain; version=0.0.4; charset=utf-8"), Ok(TEXT)),
            (Some("Text/Plain;version=1.0.0;escaping=allow-utf-8"), Ok(TEXT)),
            (
                Some("application/openmetrics-text; version=1.0.0"),
                Ok(PageFormat::Lines(Format::OpenMetrics)),
            ),
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
            let got = format_of(content_type, None).map_err(|error| error.to_string());
            assert_eq!(got, expected.map_err(str::to_owned));
        }
    }
}
