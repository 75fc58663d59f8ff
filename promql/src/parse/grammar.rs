//! From tokens to the tree: expressions by precedence climbing.
//!
//! ```text
//! expression = unary { operator modifiers unary }      loosest to tightest:
//!              or · and unless · == != < > <= >= </ >/ · + - · * / % atan2 · ^
//! unary      = ("+" | "-") expression-of-^ | postfix   a sign binds looser than ^ only
//! postfix    = primary { "[…]" | offset … | @ … | anchored | smoothed }
//! primary    = "(" expression ")" | text | number | call | aggregation | selector
//! ```
//!
//! The parser stops at the first error. Its recursion is bounded by [`NESTING_MAX`], the height of
//! the tree by [`HEIGHT_MAX`], so that no later walk over it can overflow the stack either.

use tsdb::model::duration::parse_duration;

use super::error::{Failure, Parsed};
use super::lex::Lexed;
use super::text::unquote;
use super::token::{Keyword, Lexeme, Token};
use super::{Features, HEIGHT_MAX, NESTING_MAX, number};
use crate::ast::{Binary, BinaryOp, Expr, ExprKind, Number, Span, UnaryOp};

/// How tightly `*` and signs bind.
const MULTIPLICATION: u8 = 5;

/// How tightly an operator binds; more is tighter.
pub(super) fn precedence(op: BinaryOp) -> u8 {
    use BinaryOp as Op;
    match op {
        Op::Or => 1,
        Op::And | Op::Unless => 2,
        Op::Equal | Op::NotEqual | Op::Greater | Op::Less => 3,
        Op::GreaterOrEqual | Op::LessOrEqual | Op::TrimUpper | Op::TrimLower => 3,
        Op::Add | Op::Sub => 4,
        Op::Mul | Op::Div | Op::Mod | Op::Atan2 => MULTIPLICATION,
        Op::Pow => 6,
    }
}

/// The least precedence of a right operand: `^` groups to the right, all others to the left.
pub(super) fn right_precedence(op: BinaryOp) -> u8 {
    if op == BinaryOp::Pow { precedence(op) } else { precedence(op) + 1 }
}

/// The state of parsing one text.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) features: Features,
    lexemes: Vec<Lexeme>,
    lex_error: Option<Box<Failure>>,
    /// Index of the next token.
    at: usize,
    /// End of the last consumed token that can end an expression.
    pub(super) last_closing: usize,
    /// How many expressions are open.
    depth: usize,
    /// Height of the tree that was parsed last.
    pub(super) height: usize,
}

impl<'a> Parser<'a> {
    /// At the first token of `text`.
    pub(super) fn new(text: &'a str, lexed: Lexed, features: Features) -> Self {
        let Lexed { lexemes, error } = lexed;
        Self {
            text,
            features,
            lexemes,
            lex_error: error,
            at: 0,
            last_closing: 0,
            depth: 0,
            height: 0,
        }
    }

    /// The next token. `End` and `Error` are never consumed, so there always is one.
    pub(super) fn next(&self) -> Lexeme {
        self.lexemes[self.at]
    }

    /// The kind of the next token.
    pub(super) fn peek(&self) -> Token {
        self.next().token
    }

    /// The kind of the token after the next one.
    pub(super) fn peek_second(&self) -> Token {
        self.lexemes.get(self.at + 1).map_or(Token::End, |lexeme| lexeme.token)
    }

    /// Consumes the next token.
    pub(super) fn take(&mut self) -> Lexeme {
        let lexeme = self.next();
        match lexeme.token {
            Token::End | Token::Error => return lexeme,
            Token::RightBrace
            | Token::RightParen
            | Token::RightBracket
            | Token::Duration
            | Token::Number => self.last_closing = lexeme.end as usize,
            _ => {}
        }
        self.at += 1;
        lexeme
    }

    /// Consumes the next token if it is a `token`.
    pub(super) fn accept(&mut self, token: Token) -> Option<Lexeme> {
        (self.peek() == token).then(|| self.take())
    }

    /// Consumes a `token`, or fails without saying what was expected.
    pub(super) fn expect(&mut self, token: Token) -> Parsed<Lexeme> {
        self.accept(token).ok_or_else(|| self.unexpected())
    }

    /// The error that the next token does not belong here: the lexer's own if it is one.
    pub(super) fn unexpected(&mut self) -> Box<Failure> {
        let lexeme = self.next();
        match self.lex_error.take() {
            Some(error) if lexeme.token == Token::Error => error,
            _ => Failure::unexpected(lexeme.span(), &lexeme.describe(self.text)),
        }
    }

    /// Fails if the next token is the lexer's error: for rules that look one token ahead.
    pub(super) fn check_lexed(&mut self) -> Parsed<()> {
        if self.peek() == Token::Error { Err(self.unexpected()) } else { Ok(()) }
    }

    /// Fails unless all tokens are consumed.
    pub(super) fn end(&mut self) -> Parsed<()> {
        if self.peek() == Token::End { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Opens a nested expression.
    pub(super) fn enter(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth <= NESTING_MAX {
            return Ok(());
        }
        let message = format!("expression is nested more than {NESTING_MAX} levels deep");
        Err(Failure::new(self.next().span(), message))
    }

    /// Closes it.
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Sets the height of a tree over one of height `below`.
    pub(super) fn grow(&mut self, below: usize) -> Parsed<()> {
        self.height = below + 1;
        if self.height <= HEIGHT_MAX {
            return Ok(());
        }
        let message = format!("expression is a tree of more than {HEIGHT_MAX} levels");
        Err(Failure::new(self.next().span(), message))
    }

    /// A whole expression, then the end of the text.
    pub(super) fn whole(&mut self) -> Parsed<Expr> {
        if self.peek() == Token::End {
            return Err(Failure::new(Span::default(), "no expression found in input"));
        }
        let expr = self.expression(0)?;
        self.end()?;
        Ok(expr)
    }

    /// Operands joined by operators of at least `least` precedence.
    pub(super) fn expression(&mut self, least: u8) -> Parsed<Expr> {
        self.enter()?;
        let mut left = self.unary()?;
        while let Token::Op(op) = self.peek() {
            if precedence(op) < least {
                break;
            }
            self.take();
            let below = self.height;
            let binary = self.operation(op, left)?;
            self.grow(below.max(self.height))?;
            left = binary;
        }
        self.leave();
        Ok(left)
    }

    /// What follows an operator: its modifiers and its right operand.
    fn operation(&mut self, op: BinaryOp, left: Expr) -> Parsed<Expr> {
        let modifiers = self.operator_modifiers()?;
        let right = self.expression(right_precedence(op))?;
        let span = Span { start: left.span.start, end: right.span.end };
        let fills =
            modifiers.matching.fill_left.is_some() || modifiers.matching.fill_right.is_some();
        if fills && !self.features.fill_modifiers {
            return Err(Failure::new(
                span,
                "binop fill modifiers are experimental and not enabled",
            ));
        }
        let (returns_bool, matching) = (modifiers.returns_bool, Some(modifiers.matching));
        let binary = Binary { op, left, right, returns_bool, matching };
        Ok(Expr { kind: ExprKind::Binary(Box::new(binary)), span })
    }

    fn unary(&mut self) -> Parsed<Expr> {
        let Some((op, sign)) = self.accept_sign() else {
            let primary = self.primary()?;
            return self.postfix(primary);
        };
        let mut operand = self.expression(MULTIPLICATION + 1)?;
        let start = sign.start as usize;
        if let ExprKind::Number(number) = &mut operand.kind {
            number.value = signed(op, number.value);
            operand.span.start = start;
            return Ok(operand);
        }
        self.grow(self.height)?;
        let span = Span { start, end: operand.span.end };
        Ok(Expr { kind: ExprKind::Unary(op, Box::new(operand)), span })
    }

    /// Consumes a sign.
    pub(super) fn accept_sign(&mut self) -> Option<(UnaryOp, Lexeme)> {
        let op = match self.peek() {
            Token::Op(BinaryOp::Add) => UnaryOp::Plus,
            Token::Op(BinaryOp::Sub) => UnaryOp::Minus,
            _ => return None,
        };
        Some((op, self.take()))
    }

    fn primary(&mut self) -> Parsed<Expr> {
        self.height = 1;
        match self.peek() {
            Token::LeftParen => self.paren(),
            Token::Text => self.text_literal(),
            Token::Number | Token::Duration => self.number_literal(),
            Token::LeftBrace => self.selector(),
            Token::Aggregate(op) if self.sees_aggregation() => self.aggregation(op),
            token if token.is_function_name() && self.peek_second() == Token::LeftParen => {
                self.call()
            }
            token if token.is_metric_name() => self.selector(),
            _ => Err(self.unexpected()),
        }
    }

    /// Whether the name of an aggregation is followed by one; else it is a metric's name.
    fn sees_aggregation(&self) -> bool {
        matches!(
            self.peek_second(),
            Token::LeftParen | Token::Keyword(Keyword::By | Keyword::Without)
        )
    }

    fn paren(&mut self) -> Parsed<Expr> {
        let open = self.take();
        let expr = self.expression(0)?;
        let close = self.expect(Token::RightParen)?;
        self.grow(self.height)?;
        let span = Span { start: open.start as usize, end: close.end as usize };
        Ok(Expr { kind: ExprKind::Paren(Box::new(expr)), span })
    }

    fn text_literal(&mut self) -> Parsed<Expr> {
        let lexeme = self.take();
        let text = unquote(lexeme, self.text)?;
        Ok(Expr { kind: ExprKind::Text(text), span: lexeme.span() })
    }

    fn number_literal(&mut self) -> Parsed<Expr> {
        let (number, span) = self.number()?;
        Ok(Expr { kind: ExprKind::Number(number), span })
    }

    /// A number, or a duration as its seconds.
    pub(super) fn number(&mut self) -> Parsed<(Number, Span)> {
        let lexeme = self.next();
        let is_duration = match lexeme.token {
            Token::Number => false,
            Token::Duration => true,
            _ => return Err(self.unexpected()),
        };
        self.take();
        let (text, span) = (lexeme.text(self.text), lexeme.span());
        let value = if is_duration {
            parse_duration(text).map(|ms| ms as f64 / 1000.0).map_err(|error| error.to_string())
        } else {
            number::value(text)
        };
        let value = value.map_err(|message| Failure::new(span, message))?;
        Ok((Number { value, is_duration }, span))
    }
}

/// `value` with the sign applied.
pub(super) fn signed(op: UnaryOp, value: f64) -> f64 {
    match op {
        UnaryOp::Minus => -value,
        UnaryOp::Plus => value,
    }
}
