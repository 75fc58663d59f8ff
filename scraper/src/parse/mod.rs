//! Exposition formats: bytes of a page in, borrowed entries out. (Protobuf has its own: `protobuf`.)
//!
//! 1. [`format_of`] decides the format from the `Content-Type`.
//! 2. [`Parser`] walks over the page, one entry a call, and copies nothing: an entry points into
//!    the page. Labels are checked on the way and decoded only when somebody asks
//!    ([`decode`](series::decode)).
//! 3. A caller that knows what comes next, from an earlier page, says so ([`Parser::skip`]) and
//!    asks for the number behind it alone ([`Parser::plain_value`]): nothing else is looked at.
//!
//! The grammar is that of Prometheus's parsers, which is wider than the specifications in some
//! places (families in any order, repeated `TYPE` lines, names without regard to their type).
//! The bytes are a stranger's: nothing here panics, and every error says where it stands.

mod content_type;
mod cursor;
mod decimal;
mod error;
mod open_metrics;
pub mod protobuf;
pub mod series;
mod text;

use tsdb::model::{MetricType, Timestamp};

pub use content_type::{ContentTypeError, PageFormat, format_of};
pub use error::ParseError;
pub use protobuf::ProtobufError;
pub use series::{Label, Series};

use cursor::Cursor;

/// How a page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Prometheus's text format, 0.0.4 and 1.0.0.
    Text,
    /// OpenMetrics 0.0.1 and 1.0.0.
    OpenMetrics,
}

/// One line of a page, or what counts as one.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry<'p> {
    /// `# TYPE`
    Type {
        /// The family's name.
        family: &'p str,
        /// What it is.
        kind: MetricType,
    },
    /// `# HELP`
    Help {
        /// The family's name.
        family: &'p str,
        /// The text, still with its escapes; see [`series::unescape`].
        text: &'p str,
    },
    /// `# UNIT`
    Unit {
        /// The family's name.
        family: &'p str,
        /// The unit.
        unit: &'p str,
    },
    /// Any other comment.
    Comment,
    /// A sample.
    Sample(Sample<'p>),
}

/// What stands behind a series on its line.
#[derive(Clone, Debug, PartialEq)]
pub struct Values<'p> {
    /// The value; every NaN has the same bits.
    pub value: f64,
    /// When it was taken, if the page says so.
    pub timestamp: Option<Timestamp>,
    /// An example, if the page gives one.
    pub exemplar: Option<ExemplarText<'p>>,
}

/// One sample of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample<'p> {
    /// Name and labels as they are written.
    pub series: Series<'p>,
    /// Where the series begins, in bytes of the page.
    pub begins: usize,
    /// Whether `series` is what the caller expected.
    pub as_expected: bool,
    /// The value; every NaN has the same bits.
    pub value: f64,
    /// When it was taken, if the page says so.
    pub timestamp: Option<Timestamp>,
    /// An example, if the page gives one.
    pub exemplar: Option<ExemplarText<'p>>,
}

/// An exemplar as it stands on a page.
#[derive(Clone, Debug, PartialEq)]
pub struct ExemplarText<'p> {
    /// Its labels.
    pub labels: Vec<Label<'p>>,
    /// The measured value.
    pub value: f64,
    /// When it was measured, if the page says so.
    pub timestamp: Option<Timestamp>,
}

/// Walks over a page.
pub struct Parser<'p> {
    cursor: Cursor<'p>,
    format: Format,
}

impl<'p> Parser<'p> {
    /// A parser at the start of `page`.
    pub fn new(page: &'p [u8], format: Format) -> Self {
        Self { cursor: Cursor::new(page), format }
    }

    /// The next entry, `None` after the last one. After an error the parser is of no more use.
    ///
    /// `expected` is the text of the series that the caller thinks comes next, empty if it has
    /// none in mind. It must have come from an earlier page of the same format.
    pub fn next(&mut self, expected: &[u8]) -> Result<Option<Entry<'p>>, ParseError> {
        match self.format {
            Format::Text => text::next(&mut self.cursor, expected),
            Format::OpenMetrics => open_metrics::next(&mut self.cursor, expected),
        }
    }

    /// The next byte to be read, counted from the start of the page.
    pub fn offset(&self) -> usize {
        self.cursor.position()
    }

    /// Goes back to an offset where an entry began.
    pub fn rewind(&mut self, offset: usize) {
        self.cursor.rewind(offset);
    }

    /// Consumes `text` if the page goes on with it and then with a blank. `text` ends with a
    /// series, begins where an entry began, and was read on an earlier page of this format.
    pub fn skip(&mut self, text: &[u8]) -> bool {
        self.cursor.rest().get(text.len()).is_some_and(|b| matches!(b, b' ' | b'\t'))
            && self.cursor.eat(text)
    }

    /// Behind a series: consumes its value and the end of the line, if there is nothing else and
    /// the value is a number as nearly all are; else `None`, and nothing is consumed.
    pub fn plain_value(&mut self) -> Option<f64> {
        let (value, length) = decimal::line(self.cursor.rest())?;
        self.cursor.advance(length);
        Some(value)
    }

    /// Behind a series: consumes the rest of the line.
    pub fn values(&mut self) -> Result<Values<'p>, ParseError> {
        match self.format {
            Format::Text => text::values(&mut self.cursor),
            Format::OpenMetrics => open_metrics::values(&mut self.cursor),
        }
    }
}

impl<'p> Iterator for Parser<'p> {
    type Item = Result<Entry<'p>, ParseError>;

    fn next(&mut self) -> Option<Self::Item> {
        Parser::next(self, b"").transpose()
    }
}
