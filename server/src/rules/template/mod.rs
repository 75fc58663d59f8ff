//! Templates of alerts' labels and annotations: Go's `text/template` with Prometheus's functions.
//!
//! The only place that knows the template library. [`check`] is what is refused when a file is
//! loaded; an [`Expander`] belongs to one evaluation of one rule.
//!
//! Invariant: expanding ends, and takes bounded memory, whatever the text. Texts that a template
//! makes are at most `TEXT_BYTES_MAX` long, all its loops together take `ROUNDS_MAX` rounds,
//! and templates that call themselves are refused.

mod address;
mod blocks;
mod data;
mod functions;
mod humanize;
mod time;
mod walk;

use std::fmt;
use std::sync::Arc;

use gotmpl::{MissingKey, Template, TemplateError, Value};
use promql::value::InstantSample;

use super::file::Texts;

pub use functions::own_names as function_names;

pub(in crate::rules) use time::go_duration;

/// Bytes of a text that a template makes at most.
const TEXT_BYTES_MAX: usize = 256 << 10;
/// Rounds of all `range` loops of a template.
const ROUNDS_MAX: u64 = 100_000;
/// What alert templates may rely on.
const DEFINITIONS: &str = "{{$labels := .Labels}}{{$externalLabels := .ExternalLabels}}\
    {{$externalURL := .ExternalURL}}{{$value := .Value}}";

/// Asks for an instant vector at the time of the evaluation; fails with a text.
pub type AskVector = Arc<dyn Fn(&str) -> Result<Vec<InstantSample>, String> + Send + Sync>;

/// What templates know beside the alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The labels of this server.
    pub external_labels: Texts,
    /// Where users reach this server.
    pub external_url: String,
}

/// The page that shows what an expression gives now, below the server's URL.
pub(crate) fn table_link(expr: &str) -> String {
    address::link(expr, address::TABLE)
}

/// Why a template `name` with this text would be refused; with Go's words.
pub fn check(name: &str, text: &str) -> Result<(), String> {
    let nothing: AskVector = Arc::new(|_| Ok(Vec::new()));
    parse(&base(name, &nothing, &Surroundings::default(), 0.0), name, text).map(drop)
}

/// A library template without text, with all functions; `now` in seconds.
fn base(name: &str, ask: &AskVector, around: &Surroundings, now: f64) -> Template {
    Template::new(name)
        .missing_key(MissingKey::ZeroValue)
        .max_range_iters(ROUNDS_MAX)
        .funcs(functions::all(ask.clone(), &around.external_url, now))
}

fn parse(base: &Template, name: &str, text: &str) -> Result<Template, String> {
    let whole = format!("{DEFINITIONS}{text}");
    let template = base.clone().parse(&whole).map_err(|error| said(name, &error))?;
    let prepared = blocks::check(&whole).and_then(|()| walk::prepare(template, functions::names()));
    prepared.map_err(|(line, what)| format!("template: {name}:{line}: {what}"))
}

/// The library's error as Go writes it.
fn said(name: &str, error: &TemplateError) -> String {
    match error {
        TemplateError::Parse { line, message, .. } | TemplateError::Lex { line, message, .. } => {
            format!("template: {name}:{line}: {message}")
        }
        other => format!("template: {name}: {other}"),
    }
}

/// Expands the templates of one rule at one time.
pub struct Expander {
    name: String,
    base: Template,
    external_labels: Value,
    external_url: Value,
}

impl Expander {
    /// For alert `alert` evaluated at `now` (in seconds).
    pub fn new(alert: &str, ask: &AskVector, around: &Surroundings, now: f64) -> Self {
        let name = format!("__alert_{alert}");
        Self {
            base: base(&name, ask, around, now),
            name,
            external_labels: data::texts(
                around.external_labels.iter().map(|(n, v)| (n.as_str(), v.as_str())),
            ),
            external_url: Value::String(around.external_url.as_str().into()),
        }
    }

    /// The text for an alert of `sample`. What goes wrong is the text then, as in Prometheus.
    pub fn expand(&self, text: &str, sample: &InstantSample) -> String {
        if !text.contains("{{") {
            return text.to_owned();
        }
        self.try_expand(text, sample).unwrap_or_else(|error| {
            tracing::warn!("{}: expanding a template failed: {error}", self.name);
            format!("<error expanding template: {error}>")
        })
    }

    fn try_expand(&self, text: &str, sample: &InstantSample) -> Result<String, String> {
        let name = &self.name;
        let template = parse(&self.base, name, text)
            .map_err(|error| format!("error parsing template {name}: {error}"))?;
        let data = Value::from_entries([
            ("Labels".to_owned(), data::texts(sample.labels.iter())),
            ("ExternalLabels".to_owned(), self.external_labels.clone()),
            ("ExternalURL".to_owned(), self.external_url.clone()),
            ("Value".to_owned(), data::value(&sample.point.value)),
        ]);
        let mut out = Bounded::default();
        let done = template.execute_template_fmt(&mut out, name, &data);
        let failed = |error: TemplateError| match error {
            TemplateError::Write => format!("text is longer than {TEXT_BYTES_MAX} bytes"),
            other => said(name, &other),
        };
        done.map_err(|error| format!("error executing template {name}: {}", failed(error)))?;
        Ok(out.0)
    }
}

/// A text that does not become too long.
#[derive(Default)]
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.0.len() + text.len() > TEXT_BYTES_MAX {
            return Err(fmt::Error);
        }
        self.0.push_str(text);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
