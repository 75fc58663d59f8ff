//! Rule files: text in, checked groups out.
//!
//! Steps: the first document is read into a mirror of the file (`raw`); then every name and value
//! is checked, each expression and template parsed (`check`). Errors have Prometheus's words and
//! stand as promtool prints them: `line:column: group "…", rule N, "…": what`.
//!
//! Invariant: a [`RuleGroup`] that comes out can be evaluated: its expressions and templates parse.

mod check;
mod raw;

use std::collections::{BTreeMap, HashSet};
use std::io::Read;
use std::path::Path;

use promql::ast::Expr;
use promql::parse::Features;
use thiserror::Error;

use super::section::first_document;
use crate::config::{CONFIG_BYTES_MAX, Place, yaml};

/// Names and their texts. Unlike in a label set a text may be empty: it removes the label.
pub type Texts = BTreeMap<String, String>;

/// A group of a rule file.
#[derive(Clone, Debug)]
pub struct RuleGroup {
    /// Unique within its file.
    pub name: String,
    /// The file, as it was named.
    pub file: String,
    /// Milliseconds between evaluations; `None`: the global setting.
    pub interval_ms: Option<i64>,
    /// How many milliseconds before the evaluation's time its queries look; `None`: as global.
    pub query_offset_ms: Option<i64>,
    /// Series that a rule may give; 0: any number.
    pub limit: usize,
    /// In the order of the file.
    pub rules: Vec<Rule>,
}

/// A rule, its group's labels among its own.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The metric that is recorded, or the alert.
    pub name: String,
    /// What is evaluated.
    pub expr: Expr,
    /// The same as text.
    pub query: String,
    /// Added to the output; an alert's are templates.
    pub labels: Texts,
    /// What it makes of its expression's series.
    pub kind: RuleKind,
}

/// What a rule makes of its expression's series.
#[derive(Clone, Debug, PartialEq)]
pub enum RuleKind {
    /// Series of another name.
    Recording,
    /// Alerts.
    Alerting {
        /// Milliseconds for which a series has to be there until its alert fires.
        hold_ms: i64,
        /// Milliseconds for which it keeps firing when the series is gone.
        keep_firing_ms: i64,
        /// Templates of texts for people.
        annotations: Texts,
    },
}

/// One thing that is wrong in a rule file; prints as promtool does, behind the file's name.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}{}{text}", at(*.place), at(*.second))]
pub struct RuleError {
    /// Where; line 0 if it has no place.
    pub place: Place,
    /// Where the other half of a contradiction stands.
    pub second: Place,
    /// What.
    pub text: String,
}

fn at(place: Place) -> String {
    if place.line == 0 { String::new() } else { format!("{}:{}: ", place.line, place.column) }
}

/// What is wrong with a file, each with the file's name in front.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}", .0.join("\n"))]
pub struct RuleFileError(pub Vec<String>);

/// How names that are not known are treated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownNames {
    /// They are errors.
    #[default]
    Refused,
    /// They are passed over.
    Ignored,
}

/// How a file is read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// Names that are not known.
    pub unknown: UnknownNames,
    /// Which optional parts of the language its expressions may have.
    pub language: Features,
}

/// Reads and checks a file.
pub fn load(path: &Path, reading: Reading) -> Result<Vec<RuleGroup>, RuleFileError> {
    let name = path.display().to_string();
    let text = read(path).map_err(|error| RuleFileError(vec![format!("{name}: {error}")]))?;
    parse(&text, &name, reading)
}

/// Checks the text of a file that is called `name`.
pub fn parse(text: &str, name: &str, reading: Reading) -> Result<Vec<RuleGroup>, RuleFileError> {
    let failed = |errors: Vec<RuleError>| {
        // What several rules refer to by an alias is wrong once.
        let mut seen = HashSet::new();
        let texts = errors.iter().map(|error| format!("{name}: {error}"));
        RuleFileError(texts.filter(|text| seen.insert(text.clone())).collect())
    };
    let file: raw::File = yaml::read(first_document(text)).map_err(|problem| {
        let (place, text) = (problem.place, problem.text);
        failed(vec![RuleError { place, second: Place::default(), text }])
    })?;
    check::file(file, name, reading).map_err(failed)
}

/// Reads a text file of bounded size; fails in the system's words.
pub(in crate::rules) fn read(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    file.take(CONFIG_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > CONFIG_BYTES_MAX {
        return Err(format!("larger than {CONFIG_BYTES_MAX} bytes; is it a rule file?"));
    }
    String::from_utf8(bytes).map_err(|_| "not UTF-8; save the file as UTF-8 text".to_owned())
}
