//! Durations in brackets and after `offset`: literals, or arithmetic that gives one.
//!
//! ```text
//! duration = term { (+ - * / % ^) term }        as for numbers; a sign binds looser than ^ only
//! term     = sign duration-of-^ | number | call | "(" duration ")"
//! call     = step() | range() | min_of(duration, duration) | max_of(duration, duration)
//! ```
//!
//! After `offset` a literal or a call, with or without a sign, ends the duration, and so does a
//! parenthesis with one: `foo offset 5m + 1` adds 1 to foo. After a parenthesis without a sign, or
//! after two signs, operators belong to the duration; so Prometheus's grammar happens to have it.

use tsdb::model::duration::parse_duration;

use super::error::{Failure, Parsed};
use super::grammar::{Parser, precedence, right_precedence, signed};
use super::number;
use super::token::{Keyword, Lexeme, Token};
use crate::ast::{BinaryOp, DurationExpr, Span, UnaryOp};

/// Most seconds that fit Prometheus's 64 bits of nanoseconds.
const SECONDS_MAX: f64 = (1_u64 << 63) as f64 / 1e9;

/// A duration, where it stands, and its seconds if it is a literal.
struct Spanned {
    duration: DurationExpr,
    span: Span,
    seconds: Option<f64>,
}

impl Spanned {
    fn new(duration: DurationExpr, span: Span) -> Self {
        Self { duration, span, seconds: None }
    }

    /// The finished duration: a literal becomes milliseconds.
    fn finish(self) -> DurationExpr {
        let nanoseconds = self.seconds.map(|seconds| (seconds * 1e9).round() as i64);
        nanoseconds.map_or(self.duration, |ns| DurationExpr::Ms(ns / 1_000_000))
    }
}

impl Parser<'_> {
    /// A duration in brackets, which as a literal must be positive.
    pub(super) fn positive_duration(
        &mut self,
        context: &str,
        expected: &str,
    ) -> Parsed<DurationExpr> {
        self.height = 0;
        let duration = self.duration(0).map_err(|failure| failure.within(context, expected))?;
        self.check_lexed()?;
        if duration.seconds.is_some_and(|seconds| seconds <= 0.0) {
            return Err(Failure::new(duration.span, "duration must be greater than 0"));
        }
        Ok(duration.finish())
    }

    /// The duration after `offset`.
    pub(super) fn offset_duration(&mut self) -> Parsed<DurationExpr> {
        self.height = 0;
        let after_sign = match self.peek() {
            Token::Op(BinaryOp::Add | BinaryOp::Sub) => self.peek_second(),
            _ => Token::End,
        };
        let goes_on = match after_sign {
            Token::End => self.peek() == Token::LeftParen,
            token => matches!(token, Token::Op(_)),
        };
        let offset = if goes_on {
            self.duration(0)?
        } else if let Some((op, sign)) = self.accept_sign() {
            let term = self.duration_term()?;
            self.signed_duration(op, sign, term)?
        } else {
            self.duration_term()?
        };
        let duration = offset.finish();
        Ok(if needs_paren(&duration) { DurationExpr::Paren(Box::new(duration)) } else { duration })
    }

    fn duration(&mut self, least: u8) -> Parsed<Spanned> {
        self.enter()?;
        let mut left = match self.accept_sign() {
            Some((op, sign)) => {
                let operand = self.duration(precedence(BinaryOp::Mul) + 1)?;
                self.signed_duration(op, sign, operand)?
            }
            None => self.duration_term()?,
        };
        while let Some(op) = self.duration_operator() {
            if precedence(op) < least {
                break;
            }
            let operator = self.take();
            let below = self.height;
            let right = self.duration(right_precedence(op))?;
            self.grow(below.max(self.height))?;
            left = self.duration_operation(left, op, operator, right)?;
        }
        self.leave();
        Ok(left)
    }

    fn duration_operator(&self) -> Option<BinaryOp> {
        use BinaryOp::{Add, Div, Mod, Mul, Pow, Sub};
        match self.peek() {
            Token::Op(op @ (Add | Sub | Mul | Div | Mod | Pow)) => Some(op),
            _ => None,
        }
    }

    fn duration_operation(
        &self,
        left: Spanned,
        op: BinaryOp,
        operator: Lexeme,
        right: Spanned,
    ) -> Parsed<Spanned> {
        self.check_enabled(left.span)?;
        if right.seconds == Some(0.0) && matches!(op, BinaryOp::Div | BinaryOp::Mod) {
            let name = if op == BinaryOp::Div { "division" } else { "modulo" };
            return Err(Failure::new(operator.span(), format!("{name} by zero")));
        }
        let span = Span { start: left.span.start, end: right.span.end };
        let operands = (Box::new(left.duration), Box::new(right.duration));
        Ok(Spanned::new(DurationExpr::Binary(op, operands.0, operands.1), span))
    }

    fn check_enabled(&self, span: Span) -> Parsed<()> {
        if self.features.duration_expressions {
            return Ok(());
        }
        Err(Failure::new(span, "experimental duration expression is not enabled"))
    }

    /// A literal takes the sign itself; a plus before anything else says nothing.
    fn signed_duration(&mut self, op: UnaryOp, sign: Lexeme, operand: Spanned) -> Parsed<Spanned> {
        let span = Span { start: sign.start as usize, end: operand.span.end };
        let duration = match (operand.duration, operand.seconds) {
            (literal, Some(seconds)) => {
                let seconds = signed(op, seconds);
                let duration = match literal {
                    DurationExpr::Ms(ms) if op == UnaryOp::Minus => DurationExpr::Ms(-ms),
                    DurationExpr::Ms(ms) => DurationExpr::Ms(ms),
                    _ => DurationExpr::Seconds(seconds),
                };
                return Ok(Spanned { duration, span, seconds: Some(seconds) });
            }
            (operand, None) if op == UnaryOp::Plus => operand,
            (operand, None) => {
                self.grow(self.height)?;
                DurationExpr::Unary(op, Box::new(operand))
            }
        };
        Ok(Spanned::new(duration, span))
    }

    fn duration_term(&mut self) -> Parsed<Spanned> {
        self.height = 1;
        match self.peek() {
            Token::Number | Token::Duration => self.duration_literal(),
            Token::LeftParen => self.duration_paren(),
            Token::Keyword(
                word @ (Keyword::Step | Keyword::Range | Keyword::MinOf | Keyword::MaxOf),
            ) => self.duration_call(word),
            _ => Err(self.unexpected()),
        }
    }

    fn duration_literal(&mut self) -> Parsed<Spanned> {
        let lexeme = self.take();
        let (text, span) = (lexeme.text(self.text), lexeme.span());
        let (duration, seconds) = if lexeme.token == Token::Duration {
            let ms = parse_duration(text).map_err(|e| Failure::new(span, e.to_string()))?;
            (DurationExpr::Ms(ms), ms as f64 / 1000.0)
        } else {
            let seconds = number::value(text).map_err(|e| Failure::new(span, e))?;
            (DurationExpr::Seconds(seconds), seconds)
        };
        if seconds.is_nan() || seconds > SECONDS_MAX {
            return Err(Failure::new(span, "duration out of range"));
        }
        Ok(Spanned { duration, span, seconds: Some(seconds) })
    }

    /// Parentheses are kept once, however many there are.
    fn duration_paren(&mut self) -> Parsed<Spanned> {
        let open = self.take();
        let inner = self.duration(0)?;
        let close = self.expect(Token::RightParen)?;
        self.check_enabled(inner.span)?;
        self.grow(self.height)?;
        let span = Span { start: open.start as usize, end: close.end as usize };
        let duration = match inner.duration {
            paren @ DurationExpr::Paren(_) => paren,
            duration => DurationExpr::Paren(Box::new(duration)),
        };
        Ok(Spanned::new(duration, span))
    }

    fn duration_call(&mut self, word: Keyword) -> Parsed<Spanned> {
        let name = self.take();
        self.expect(Token::LeftParen)?;
        let duration = match word {
            Keyword::Step => DurationExpr::Step,
            Keyword::Range => DurationExpr::Range,
            _ => {
                let left = Box::new(self.duration(0)?.duration);
                let below = self.height;
                self.expect(Token::Comma)?;
                let right = Box::new(self.duration(0)?.duration);
                self.grow(below.max(self.height))?;
                match word {
                    Keyword::MinOf => DurationExpr::Min(left, right),
                    _ => DurationExpr::Max(left, right),
                }
            }
        };
        let close = self.expect(Token::RightParen)?;
        let span = Span { start: name.start as usize, end: close.end as usize };
        self.check_enabled(span)?;
        Ok(Spanned::new(duration, span))
    }
}

/// Whether a duration after `offset` would end earlier if it were printed as it is: an operation
/// that begins with a literal or a call (reached by two signs, `offset - -1 + 2`).
fn needs_paren(duration: &DurationExpr) -> bool {
    let mut leftmost = duration;
    while let DurationExpr::Binary(_, left, _) = leftmost {
        leftmost = left;
    }
    let is_binary = matches!(duration, DurationExpr::Binary(..));
    is_binary && !matches!(leftmost, DurationExpr::Paren(_) | DurationExpr::Unary(..))
}
