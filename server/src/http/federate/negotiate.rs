//! Which format a scraper wants and how it wants names, by its `Accept` header, as Prometheus's
//! common library decides (`expfmt.Negotiate`). Without a wish it is text 0.0.4 with underscores.

/// What stands in the `Accept` header for protobuf.
const PROTOBUF: &str = "application/vnd.google.protobuf";
/// The message of it.
const MESSAGE: &str = "io.prometheus.client.MetricFamily";

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) form: Form,
    pub(super) escaping: Escaping,
}

/// The formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Text 0.0.4.
    Text,
    /// Messages with their lengths before them.
    Protobuf,
}

/// What becomes of names that are not only letters, digits, `_` and `:`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escaping {
    /// They stay as they are.
    AllowUtf8,
    /// Other characters become `_`.
    Underscores,
    /// `_` becomes `__`, `.` becomes `_dot_`, others `__`.
    Dots,
    /// `U__`, and other characters become their number.
    Values,
}

impl Escaping {
    const ALL: [(&str, Self); 4] = [
        ("allow-utf-8", Self::AllowUtf8),
        ("underscores", Self::Underscores),
        ("dots", Self::Dots),
        ("values", Self::Values),
    ];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(own, _)| *own == name).map(|(_, escaping)| *escaping)
    }

    fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, own)| *own == self).map_or("", |(name, _)| name)
    }
}

impl Format {
    /// The best of what the header names. An escaping that any of the better ones named holds.
    pub(super) fn negotiate(accept: &str) -> Self {
        let mut format = Self { form: Form::Text, escaping: Escaping::Underscores };
        for term in terms(accept) {
            if let Some(escaping) = term.parameter("escaping").and_then(Escaping::named) {
                format.escaping = escaping;
            }
            let is_delimited = term.parameter("encoding") == Some("delimited");
            if term.media_type == PROTOBUF && term.parameter("proto") == Some(MESSAGE) {
                if is_delimited {
                    return Self { form: Form::Protobuf, ..format };
                }
            } else if term.media_type == "text/plain"
                && matches!(term.parameter("version"), None | Some("0.0.4" | "1.0.0" | ""))
            {
                return format;
            }
        }
        format
    }

    pub(super) fn content_type(self) -> String {
        let escaping = self.escaping.as_str();
        match self.form {
            Form::Text => format!("text/plain; version=0.0.4; charset=utf-8; escaping={escaping}"),
            Form::Protobuf => {
                format!("{PROTOBUF}; proto={MESSAGE}; encoding=delimited; escaping={escaping}")
            }
        }
    }
}

/// One of the formats of a header.
struct Term<'a> {
    media_type: &'a str,
    parameters: Vec<(&'a str, &'a str)>,
    quality: f64,
}

impl<'a> Term<'a> {
    fn parse(text: &'a str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let media_type = parts.next().unwrap_or("");
        let parameters = parts.filter_map(|part| part.split_once('='));
        let parameters: Vec<_> = parameters.map(|(name, value)| (name.trim(), value)).collect();
        let quality = parameters.iter().find(|(name, _)| *name == "q");
        let quality = quality.and_then(|(_, value)| value.parse().ok()).unwrap_or(1.0);
        Self { media_type, parameters, quality }
    }

    fn parameter(&self, name: &str) -> Option<&'a str> {
        self.parameters.iter().find(|(own, _)| *own == name).map(|(_, value)| *value)
    }
}

/// The best first, equal ones as they stand.
fn terms(accept: &str) -> Vec<Term<'_>> {
    let mut terms: Vec<_> = accept.split(',').map(Term::parse).collect();
    terms.sort_by(|a, b| b.quality.total_cmp(&a.quality));
    terms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        use Escaping::{AllowUtf8, Dots, Underscores, Values};
        let delimited = "application/vnd.google.protobuf;\
                         proto=io.prometheus.client.MetricFamily;encoding=delimited";
        // As a real Prometheus 3.5.3 decides.
        let rows = [
            (String::new(), Form::Text, Underscores),
            ("text/plain;version=1.0.0".into(), Form::Text, Underscores),
            ("text/plain;version=1.0.0;escaping=allow-utf-8".into(), Form::Text, AllowUtf8),
            ("text/plain;version=0.0.4;escaping=dots".into(), Form::Text, Dots),
            ("text/plain;escaping=values".into(), Form::Text, Values),
            ("text/plain;escaping=other".into(), Form::Text, Underscores),
            ("application/json;escaping=dots".into(), Form::Text, Dots),
            (delimited.into(), Form::Protobuf, Underscores),
            (format!("text/plain;q=0.1,{delimited};q=0.2"), Form::Protobuf, Underscores),
            (format!("text/plain;q=0.3,{delimited};q=0.2"), Form::Text, Underscores),
            (
                format!("{delimited}; escaping=allow-utf-8;q=0.6,*/*;q=0.1"),
                Form::Protobuf,
                AllowUtf8,
            ),
        ];
        for (accept, form, escaping) in rows {
            assert_eq!(Format::negotiate(&accept), Format { form, escaping }, "{accept}");
        }
    }
}
