//! From text to a well-typed tree.
//!
//! Reading order: `lex` makes tokens (nom), `grammar` makes the tree by precedence climbing, with
//! `operator`, `call`, `selector`, `postfix` and `duration` beside it, `check` types the tree.
//! [`series`] reads the notation of expected series in tests.
//!
//! The language and the texts of errors are those of Prometheus 3.14. Text length, nesting and
//! the height of the tree are bounded, so that no text can exhaust memory or the stack.

mod call;
mod check;
mod duration;
mod error;
mod grammar;
mod lex;
mod lex_inside;
mod number;
mod operator;
mod postfix;
mod selector;
pub mod series;
mod series_histogram;
mod text;
mod token;

use tsdb::model::{Labels, Matcher};

use crate::ast::{Expr, Span};
use error::{Failure, Parsed};
use grammar::Parser;

pub use error::{ParseError, position};
pub(crate) use token::is_bare_label;

/// Longest text that is parsed, in bytes.
pub const TEXT_BYTES_MAX: usize = 256 * 1024;

/// Deepest nesting of expressions: bounds the parser's own recursion, at most 1 MiB of stack.
pub const NESTING_MAX: usize = 128;

/// Greatest height of the tree (that of `a + a + a` is 3): bounds all later walks over it.
pub const HEIGHT_MAX: usize = 256;

/// Which optional parts of the language are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// The functions and aggregations that the tables call experimental.
    pub experimental_functions: bool,
    /// `anchored` and `smoothed`.
    pub extended_range_selectors: bool,
    /// `fill`, `fill_left` and `fill_right`.
    pub fill_modifiers: bool,
    /// Arithmetic in durations.
    pub duration_expressions: bool,
}

impl Features {
    /// Everything on, as in conformance tests.
    pub const ALL: Self = Self {
        experimental_functions: true,
        extended_range_selectors: true,
        fill_modifiers: true,
        duration_expressions: true,
    };
}

impl Default for Features {
    /// What is on without flags: of these, only duration expressions.
    fn default() -> Self {
        Self {
            experimental_functions: false,
            extended_range_selectors: false,
            fill_modifiers: false,
            duration_expressions: true,
        }
    }
}

/// Parses an expression and checks its types.
pub fn parse(text: &str, features: &Features) -> Result<Expr, ParseError> {
    run(text, features, |parser| {
        let mut expr = parser.whole()?;
        check::check(&mut expr, text)?;
        Ok(expr)
    })
}

/// Parses a vector selector alone, as the API's `match[]` takes it. It may match everything.
pub fn parse_metric_selector(text: &str) -> Result<Vec<Matcher>, ParseError> {
    run(text, &Features::default(), |parser| {
        let (selector, _) = parser.vector_selector()?;
        parser.end()?;
        Ok(selector.matchers)
    })
}

/// The conditions of the vector selector at the beginning of `text`, in the order in which they were
/// written, that of the name before the braces last.
pub fn parse_written_matchers(text: &str) -> Result<Vec<Matcher>, ParseError> {
    run(text, &Features::default(), |parser| {
        let (selector, _) = parser.written_selector()?;
        Ok(selector.matchers)
    })
}

/// Parses a series' name and labels, `up{job="vllm"}`.
pub fn parse_metric(text: &str) -> Result<Labels, ParseError> {
    run(text, &Features::default(), |parser| {
        let labels = parser.metric()?;
        parser.end()?;
        Ok(labels)
    })
}

fn run<T>(
    text: &str,
    features: &Features,
    rule: impl FnOnce(&mut Parser<'_>) -> Parsed<T>,
) -> Result<T, ParseError> {
    check_length(text)?;
    let mut parser = Parser::new(text, lex::lex(text), *features);
    rule(&mut parser).map_err(|failure| failure.at(text))
}

fn check_length(text: &str) -> Result<(), ParseError> {
    if text.len() <= TEXT_BYTES_MAX {
        return Ok(());
    }
    let message = format!("expression is longer than {TEXT_BYTES_MAX} bytes");
    Err(Failure::new(Span { start: 0, end: text.len() }, message).at(text))
}
