//! Tokens: what the lexer makes of the text, and how error messages call them.

use std::borrow::Cow;

use tsdb::model::labels::{Quoted, is_legacy_name};

use crate::ast::{AggregateOp, BinaryOp, Span};

/// The longest token text that an error message quotes whole, in bytes.
const QUOTED_BYTES_MAX: usize = 10;

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// The end of the text.
    End,
    /// The text goes on, but not as PromQL; the lexer says why.
    Error,
    Comma,
    Colon,
    LeftParen,
    RightParen,
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    /// `=`
    Equal,
    /// `=~`
    EqualRegex,
    /// `!~`
    NotEqualRegex,
    /// `@`
    At,
    /// A quoted text, with its quotes.
    Text,
    Number,
    Duration,
    /// A word without colons.
    Identifier,
    /// A word with colons.
    MetricIdentifier,
    /// A binary operator; `!=` also stands in label matchers.
    Op(BinaryOp),
    Aggregate(AggregateOp),
    Keyword(Keyword),
}

/// Words that mean something in some places, and are names in others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keyword {
    Anchored,
    Bool,
    By,
    End,
    Fill,
    FillLeft,
    FillRight,
    GroupLeft,
    GroupRight,
    Ignoring,
    MaxOf,
    MinOf,
    Offset,
    On,
    Range,
    Smoothed,
    Start,
    Step,
    Without,
}

/// The longest keyword or operator word, in bytes.
const KEYWORD_BYTES_MAX: usize = 12;

/// What a word is; capitals make no difference, except in names.
pub(super) fn classify(word: &str) -> Token {
    let mut lower = [0_u8; KEYWORD_BYTES_MAX];
    let Some(lower) = lower.get_mut(..word.len()) else { return name(word) };
    lower.copy_from_slice(word.as_bytes());
    lower.make_ascii_lowercase();
    match &*lower {
        b"and" => Token::Op(BinaryOp::And),
        b"or" => Token::Op(BinaryOp::Or),
        b"unless" => Token::Op(BinaryOp::Unless),
        b"atan2" => Token::Op(BinaryOp::Atan2),
        b"sum" => Token::Aggregate(AggregateOp::Sum),
        b"avg" => Token::Aggregate(AggregateOp::Avg),
        b"count" => Token::Aggregate(AggregateOp::Count),
        b"min" => Token::Aggregate(AggregateOp::Min),
        b"max" => Token::Aggregate(AggregateOp::Max),
        b"group" => Token::Aggregate(AggregateOp::Group),
        b"stddev" => Token::Aggregate(AggregateOp::Stddev),
        b"stdvar" => Token::Aggregate(AggregateOp::Stdvar),
        b"topk" => Token::Aggregate(AggregateOp::Topk),
        b"bottomk" => Token::Aggregate(AggregateOp::Bottomk),
        b"count_values" => Token::Aggregate(AggregateOp::CountValues),
        b"quantile" => Token::Aggregate(AggregateOp::Quantile),
        b"limitk" => Token::Aggregate(AggregateOp::Limitk),
        b"limit_ratio" => Token::Aggregate(AggregateOp::LimitRatio),
        b"anchored" => Token::Keyword(Keyword::Anchored),
        b"bool" => Token::Keyword(Keyword::Bool),
        b"by" => Token::Keyword(Keyword::By),
        b"end" => Token::Keyword(Keyword::End),
        b"fill" => Token::Keyword(Keyword::Fill),
        b"fill_left" => Token::Keyword(Keyword::FillLeft),
        b"fill_right" => Token::Keyword(Keyword::FillRight),
        b"group_left" => Token::Keyword(Keyword::GroupLeft),
        b"group_right" => Token::Keyword(Keyword::GroupRight),
        b"ignoring" => Token::Keyword(Keyword::Ignoring),
        b"max_of" => Token::Keyword(Keyword::MaxOf),
        b"min_of" => Token::Keyword(Keyword::MinOf),
        b"offset" => Token::Keyword(Keyword::Offset),
        b"on" => Token::Keyword(Keyword::On),
        b"range" => Token::Keyword(Keyword::Range),
        b"smoothed" => Token::Keyword(Keyword::Smoothed),
        b"start" => Token::Keyword(Keyword::Start),
        b"step" => Token::Keyword(Keyword::Step),
        b"without" => Token::Keyword(Keyword::Without),
        b"inf" | b"nan" => Token::Number,
        _ => name(word),
    }
}

fn name(word: &str) -> Token {
    if word.contains(':') { Token::MetricIdentifier } else { Token::Identifier }
}

/// Whether a label in `by (…)` needs no quotes.
pub(crate) fn is_bare_label(name: &str) -> bool {
    is_legacy_name(name) && classify(name).is_label_name()
}

impl Token {
    /// Whether a metric can be called so outside of quotes.
    pub(super) fn is_metric_name(self) -> bool {
        use Keyword::{Bool, GroupLeft, GroupRight, Ignoring, On};
        match self {
            Self::Identifier | Self::MetricIdentifier | Self::Aggregate(_) => true,
            Self::Op(op) => op.is_set(),
            Self::Keyword(keyword) => {
                !matches!(keyword, Bool | GroupLeft | GroupRight | Ignoring | On)
            }
            _ => false,
        }
    }

    /// Whether a label in `by (…)` can be called so outside of quotes.
    pub(super) fn is_label_name(self) -> bool {
        match self {
            Self::Keyword(keyword) => keyword != Keyword::Without,
            Self::Op(BinaryOp::Atan2) => true,
            _ => self.is_metric_name(),
        }
    }

    /// Whether a function can be called so.
    pub(super) fn is_function_name(self) -> bool {
        use Keyword::{End, MaxOf, MinOf, Range, Start, Step};
        match self {
            Self::Identifier => true,
            Self::Keyword(keyword) => {
                matches!(keyword, End | MaxOf | MinOf | Range | Start | Step)
            }
            _ => false,
        }
    }

    /// `fill`, `fill_left` or `fill_right`.
    pub(super) fn is_fill(self) -> bool {
        use Keyword::{Fill, FillLeft, FillRight};
        matches!(self, Self::Keyword(Fill | FillLeft | FillRight))
    }

    /// Whether an expression can begin with it.
    pub(super) fn starts_expression(self) -> bool {
        use Token::{Duration, LeftBrace, LeftParen, Number, Op, Text};
        let sign_or_literal = matches!(
            self,
            LeftParen | LeftBrace | Text | Number | Duration | Op(BinaryOp::Add | BinaryOp::Sub)
        );
        sign_or_literal || self.is_metric_name()
    }
}

/// A token and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lexeme {
    /// What it is.
    pub(super) token: Token,
    /// Offset of its first byte.
    pub(super) start: u32,
    /// Offset after its last byte.
    pub(super) end: u32,
}

impl Lexeme {
    /// Where it stands.
    pub(super) fn span(self) -> Span {
        Span { start: self.start as usize, end: self.end as usize }
    }

    /// Its text.
    pub(super) fn text(self, all: &str) -> &str {
        &all[self.start as usize..self.end as usize]
    }

    /// What error messages call it: `identifier "foo"`, `<op:*>`, `"("`.
    pub(super) fn describe(self, all: &str) -> Cow<'static, str> {
        use Keyword::{End, MaxOf, MinOf, Range, Start, Step};
        let text = self.text(all);
        Cow::Owned(match self.token {
            Token::End => return Cow::Borrowed("end of input"),
            Token::Identifier => format!("identifier {}", Quoted(text)),
            Token::MetricIdentifier => format!("metric identifier {}", Quoted(text)),
            Token::Text => format!("string {}", shortened(text)),
            Token::Number => format!("number {}", shortened(text)),
            Token::Duration => format!("duration {}", shortened(text)),
            Token::Keyword(End | MaxOf | MinOf | Range | Start | Step) => shortened(text),
            Token::Keyword(_) => format!("<{text}>"),
            Token::Op(_) | Token::EqualRegex | Token::NotEqualRegex | Token::At => {
                format!("<op:{text}>")
            }
            Token::Aggregate(_) => format!("<aggr:{text}>"),
            _ => shortened(text),
        })
    }
}

fn shortened(text: &str) -> String {
    if text.len() <= QUOTED_BYTES_MAX {
        return Quoted(text).to_string();
    }
    let start: String = text.chars().take(QUOTED_BYTES_MAX).collect();
    format!("{}...", Quoted(&start))
}
