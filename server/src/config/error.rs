//! What is wrong with a configuration, said so that it can be put right.
//!
//! A problem prints as `file:line:column: what; what to do`, with the line it stands in and a
//! mark below. What stands behind the mark is not shown (of a name that is not known, its value
//! may be a secret), nor are lines that name a secret.

use std::fmt;
use std::io;

use thiserror::Error;

/// How many problems of one file are printed.
const PROBLEMS_MAX: usize = 20;
/// How many characters of a line are shown.
const SNIPPET_CHARS_MAX: usize = 120;
/// Lines that set one of these are not shown.
const SECRET_NAMES: [&str; 5] = ["credentials", "password", "token", "secret", "key"];

/// Why a configuration was refused.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{name}: {source}; check the path and who may read it")]
    Unreadable {
        /// The file.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The file is larger than [`CONFIG_BYTES_MAX`](super::CONFIG_BYTES_MAX).
    #[error("{name}: larger than {bytes_max} bytes; is it the configuration file?")]
    TooLarge {
        /// The file.
        name: String,
        /// The limit.
        bytes_max: u64,
    },
    /// The file holds bytes that are no text.
    #[error("{name}:{line}: not UTF-8; save the file as UTF-8 text")]
    NotUtf8 {
        /// The file.
        name: String,
        /// The line of the first such byte, from 1.
        line: usize,
    },
    /// The text was read and is wrong.
    #[error("{report}")]
    Refused {
        /// What is wrong, in the order of the file; never empty.
        problems: Vec<Problem>,
        /// The same, to be printed.
        report: String,
    },
}

impl ConfigError {
    /// Sorts the problems and reports them with the lines of `text` that they are about.
    pub(super) fn refused(name: &str, text: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.place.line, problem.place.column));
        // A wrong value that several jobs merge in or refer to is one problem.
        problems.dedup();
        let lines: Vec<&str> = text.lines().collect();
        let shown = problems.iter().take(PROBLEMS_MAX).map(|Problem { place, text }| {
            let line = lines.get(place.line.wrapping_sub(1)).copied().unwrap_or_default();
            format!("{name}:{}:{}: {text}{}", place.line, place.column, snippet(place, line))
        });
        let more = problems.len().saturating_sub(PROBLEMS_MAX);
        let more = (more > 0).then(|| format!("and {more} more"));
        let report = shown.chain(more).collect::<Vec<_>>().join("\n");
        Self::Refused { problems, report }
    }
}

/// Where something stands in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// From 1; 0: not known.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// Offset in bytes.
    pub start: usize,
    /// Length in bytes; 0 where it is not known.
    pub len: usize,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What, and what to do about it.
    pub text: String,
}

impl Problem {
    /// `what` is wrong at `place`, and `cure` puts it right.
    pub(super) fn new(place: Place, what: impl fmt::Display, cure: impl fmt::Display) -> Self {
        Self { place, text: format!("{what}; {cure}") }
    }
}

/// The line with a mark below the place, unless there is nothing to show or it may hold a secret.
fn snippet(place: &Place, line: &str) -> String {
    // A URL may hold a password before its `@`.
    let is_secret = line.contains('@') || SECRET_NAMES.iter().any(|name| line.contains(name));
    if line.trim().is_empty() || is_secret {
        return String::new();
    }
    let before = place.column.saturating_sub(1);
    let cut = before.saturating_sub(SNIPPET_CHARS_MAX / 2);
    let (number, gap) = (place.line, before - cut);
    let marked = chars(line, place).clamp(1, SNIPPET_CHARS_MAX - gap);
    let shown = line.chars().skip(cut).take(gap + marked);
    let shown: String = shown.map(|c| if c.is_control() { ' ' } else { c }).collect();
    let more = if line.trim_end().chars().count() > before + marked { " …" } else { "" };
    let margin = " ".repeat(number.to_string().len());
    let mark = format!("{}{}", " ".repeat(gap), "^".repeat(marked));
    format!("\n{margin} |\n{number} | {}{more}\n{margin} | {mark}", shown.trim_end())
}

/// How many characters of `line` the place covers.
fn chars(line: &str, place: &Place) -> usize {
    let mut bytes = 0;
    let rest = line.trim_end().chars().skip(place.column.saturating_sub(1));
    rest.take_while(|c| {
        bytes += c.len_utf8();
        bytes <= place.len
    })
    .count()
}
