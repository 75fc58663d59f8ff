//! What a refused text gets: where, and Prometheus's words for why.
//!
//! Inside the parser an error is a [`Failure`]. One that says only "unexpected X" is open: the
//! innermost construct that knows what it expected completes the sentence on the way out. This
//! gives the texts of the `error` productions of Prometheus's grammar.

use std::fmt;

use crate::ast::Span;

/// A text that is no PromQL. Displays as `1:5: parse error: unexpected character: '$'`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The part of the text that it is about, in bytes.
    pub span: Span,
    /// Line (from 1) and column (in bytes, from 1) of the span's start; `None` for an empty text.
    pub position: Option<(usize, usize)>,
    /// Prometheus's text.
    pub message: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some((line, column)) => write!(f, "{line}:{column}: parse error: {}", self.message),
            None => write!(f, "unknown position: parse error: {}", self.message),
        }
    }
}

impl std::error::Error for ParseError {}

/// Line and column of a byte offset, both from 1, the column in bytes; `None` in an empty text.
pub fn position(text: &str, offset: usize) -> Option<(usize, usize)> {
    if text.is_empty() {
        return None;
    }
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Some((line, 1 + before.len() - line_start))
}

/// The result of every parsing step.
pub(super) type Parsed<T> = Result<T, Box<Failure>>;

/// An error that has not left the parser yet.
#[derive(Debug)]
pub(super) struct Failure {
    span: Span,
    message: String,
    /// Whether an enclosing construct may still say what it expected.
    is_open: bool,
}

impl Failure {
    /// A complete error.
    pub(super) fn new(span: Span, message: impl Into<String>) -> Box<Self> {
        Box::new(Self { span, message: message.into(), is_open: false })
    }

    /// "unexpected X", to be completed by [`Failure::within`].
    pub(super) fn unexpected(span: Span, what: &str) -> Box<Self> {
        Box::new(Self { span, message: format!("unexpected {what}"), is_open: true })
    }

    /// Completes an open error with its context and, unless empty, what was expected there.
    pub(super) fn within(mut self: Box<Self>, context: &str, expected: &str) -> Box<Self> {
        if self.is_open {
            self.is_open = false;
            self.message.push_str(" in ");
            self.message.push_str(context);
            if !expected.is_empty() {
                self.message.push_str(", expected ");
                self.message.push_str(expected);
            }
        }
        self
    }

    /// The error as it leaves the parser of `text`.
    pub(super) fn at(self, text: &str) -> ParseError {
        let position = position(text, self.span.start);
        ParseError { span: self.span, position, message: self.message }
    }
}

/// Shorthand for a span.
pub(super) const fn span(start: usize, end: usize) -> Span {
    Span { start, end }
}
