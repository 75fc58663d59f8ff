//! What may follow an operand: ranges, subqueries, `offset`, `@`, `anchored` and `smoothed`.
//!
//! These bind tighter than any operator. The grammar lets them follow everything; whether the
//! operand can have them is checked as each one is read.

use tsdb::model::Timestamp;

use super::error::{Failure, Parsed};
use super::grammar::Parser;
use super::token::{Keyword, Lexeme, Token};
use crate::ast::{
    At, DurationExpr, Expr, ExprKind, MatrixSelector, Modifiers, RangeExtension, Span, Subquery,
};

/// What stands for a duration, in error messages.
pub(super) const DURATION: &str = "number, duration, step(), or range()";

impl Parser<'_> {
    /// `expr` with all that follows it.
    pub(super) fn postfix(&mut self, mut expr: Expr) -> Parsed<Expr> {
        loop {
            expr = match self.peek() {
                Token::LeftBracket => self.bracket(expr)?,
                Token::At => self.at(expr)?,
                Token::Keyword(Keyword::Offset) => self.offset(expr)?,
                Token::Keyword(Keyword::Anchored) => {
                    self.extend(expr, RangeExtension::Anchored, "anchored")?
                }
                Token::Keyword(Keyword::Smoothed) => {
                    self.extend(expr, RangeExtension::Smoothed, "smoothed")?
                }
                _ => return Ok(expr),
            };
        }
    }

    /// `[range]` or `[range:step]`.
    fn bracket(&mut self, expr: Expr) -> Parsed<Expr> {
        let below = self.height;
        let open = self.take();
        let range = self.positive_duration("subquery or range selector", DURATION)?;
        if self.accept(Token::Colon).is_some() {
            return self.subquery(expr, range, below);
        }
        let close = self.expect(Token::RightBracket);
        let close = close.map_err(|f| f.within("subquery or range", "\":\" or \"]\""))?;
        self.grow(below.max(self.height))?;
        matrix(expr, range, open, close)
    }

    fn subquery(&mut self, expr: Expr, range: DurationExpr, below: usize) -> Parsed<Expr> {
        let mut below = below.max(self.height);
        let step = if self.peek() == Token::RightBracket {
            None
        } else {
            let expected = "number, duration, step(), range(), or \"]\"";
            let step = self.positive_duration("subquery selector", expected)?;
            below = below.max(self.height);
            Some(step)
        };
        let close = self.expect(Token::RightBracket);
        let close = close.map_err(|failure| failure.within("subquery selector", "\"]\""))?;
        self.grow(below)?;
        let span = Span { start: expr.span.start, end: close.end as usize };
        let subquery = Subquery { expr, range, step, modifiers: Modifiers::default() };
        Ok(Expr { kind: ExprKind::Subquery(Box::new(subquery)), span })
    }

    /// `offset 5m`. An offset of nothing counts as none.
    fn offset(&mut self, mut expr: Expr) -> Parsed<Expr> {
        let below = self.height;
        self.take();
        let offset = self.offset_duration().map_err(|f| f.within("offset", DURATION))?;
        self.grow(below.max(self.height))?;
        let span = expr.span;
        let Some(modifiers) = modifiers(&mut expr) else {
            let message = "offset modifier must be preceded by an instant vector selector or range \
                           vector selector or a subquery";
            return Err(Failure::new(span, message));
        };
        if modifiers.offset.is_some() {
            return Err(Failure::new(span, "offset may not be set multiple times"));
        }
        modifiers.offset = (offset != DurationExpr::Ms(0)).then_some(offset);
        expr.span.end = self.last_closing;
        Ok(expr)
    }

    /// `@ 1700000000`, `@ start()` or `@ end()`.
    fn at(&mut self, mut expr: Expr) -> Parsed<Expr> {
        self.take();
        let at = self.at_time(expr.span).map_err(|failure| failure.within("@", "timestamp"))?;
        let span = expr.span;
        let Some(modifiers) = modifiers(&mut expr) else {
            let message = "@ modifier must be preceded by an instant vector selector or range \
                           vector selector or a subquery";
            return Err(Failure::new(span, message));
        };
        if modifiers.at.is_some() {
            return Err(Failure::new(span, "@ <timestamp> may not be set multiple times"));
        }
        modifiers.at = Some(at);
        expr.span.end = self.last_closing;
        Ok(expr)
    }

    fn at_time(&mut self, span: Span) -> Parsed<At> {
        let at = match self.peek() {
            Token::Keyword(Keyword::Start) => At::Start,
            Token::Keyword(Keyword::End) => At::End,
            _ => {
                let seconds = self.signed_number()?;
                return timestamp(seconds).map(At::Time).ok_or_else(|| {
                    let seconds = go_fixed(seconds);
                    let message = format!("timestamp out of bounds for @ modifier: {seconds}");
                    Failure::new(span, message)
                });
            }
        };
        self.take();
        self.expect(Token::LeftParen)?;
        self.expect(Token::RightParen)?;
        Ok(at)
    }

    /// `anchored` or `smoothed`.
    fn extend(&mut self, mut expr: Expr, to: RangeExtension, name: &str) -> Parsed<Expr> {
        self.take();
        let fail = |what: &str| Err(Failure::new(expr.span, format!("{name} modifier {what}")));
        if !self.features.extended_range_selectors {
            return fail("is experimental and not enabled");
        }
        let extension = match &mut expr.kind {
            ExprKind::Vector(selector) => &mut selector.extension,
            ExprKind::Matrix(matrix) => &mut matrix.selector.extension,
            ExprKind::Subquery(_) => return fail("is not supported for subqueries"),
            _ => return fail("not implemented"),
        };
        if extension.is_some_and(|before| before != to) {
            let message = "anchored and smoothed modifiers cannot be used together";
            return Err(Failure::new(expr.span, message));
        }
        *extension = Some(to);
        Ok(expr)
    }
}

fn matrix(expr: Expr, range: DurationExpr, open: Lexeme, close: Lexeme) -> Parsed<Expr> {
    let span = Span { start: expr.span.start, end: close.end as usize };
    let fail = |message: &str| {
        let brackets = Span { start: open.start as usize, end: close.end as usize };
        Err(Failure::new(brackets, message))
    };
    let ExprKind::Vector(selector) = expr.kind else {
        return fail("ranges only allowed for vector selectors");
    };
    // Computed offsets and `@ start()` may stand before a range, as in Prometheus.
    if matches!(selector.modifiers.offset, Some(DurationExpr::Ms(_))) {
        return fail("no offset modifiers allowed before range");
    }
    if matches!(selector.modifiers.at, Some(At::Time(_))) {
        return fail("no @ modifiers allowed before range");
    }
    Ok(Expr { kind: ExprKind::Matrix(MatrixSelector { selector, range }), span })
}

/// The modifiers of an expression that can have some.
fn modifiers(expr: &mut Expr) -> Option<&mut Modifiers> {
    match &mut expr.kind {
        ExprKind::Vector(selector) => Some(&mut selector.modifiers),
        ExprKind::Matrix(matrix) => Some(&mut matrix.selector.modifiers),
        ExprKind::Subquery(subquery) => Some(&mut subquery.modifiers),
        _ => None,
    }
}

/// Seconds as a timestamp, rounded to milliseconds; `None` out of Prometheus's bounds.
fn timestamp(seconds: f64) -> Option<Timestamp> {
    let in_bounds = seconds > i64::MIN as f64 && seconds < i64::MAX as f64;
    in_bounds.then(|| Timestamp::from_ms((seconds * 1000.0).round() as i64))
}

/// Go's `%f`: six decimals.
fn go_fixed(value: f64) -> String {
    if value.is_finite() { format!("{value:.6}") } else { tsdb::model::number::format_plain(value) }
}
