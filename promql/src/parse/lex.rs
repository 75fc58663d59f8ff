//! From text to tokens, with byte spans.
//!
//! PromQL is not lexed the same everywhere: words in braces are always names, and the inside of
//! brackets knows only durations. [`Lexer`] keeps that state; the pieces are small nom parsers.
//! Lexing stops at the first error, which stands as [`Token::Error`] in the list: the parser
//! reports it when it gets there, so that whichever error comes first in the text wins.

use nom::branch::alt;
use nom::bytes::complete::{take_till, take_while, take_while1};
use nom::character::complete::char;
use nom::combinator::recognize;
use nom::multi::many0_count;
use nom::{IResult, Parser as _};

use super::error::{Failure, Parsed, span};
use super::number;
use super::text::{self, quote_char};
use super::token::{Lexeme, Token, classify};
use crate::ast::BinaryOp::{
    Add, Div, Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Mod, Mul, NotEqual, Pow, Sub,
    TrimLower, TrimUpper,
};

/// All tokens of a text. The last one is `End` or `Error`.
pub(super) struct Lexed {
    /// The tokens.
    pub(super) lexemes: Vec<Lexeme>,
    /// There exactly if the last token is `Error`.
    pub(super) error: Option<Box<Failure>>,
}

/// Where in brackets the lexer is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bracket {
    /// Outside.
    None,
    /// Inside, before the first number: only what durations are made of.
    Start,
    /// Inside, after the first number.
    Rest,
}

/// The state of lexing one text.
pub(super) struct Lexer<'a> {
    text: &'a str,
    /// What has not been read yet.
    pub(super) rest: &'a str,
    lexemes: Vec<Lexeme>,
    open_parens: usize,
    /// Whether it stands between braces.
    pub(super) in_braces: bool,
    pub(super) bracket: Bracket,
    pub(super) had_colon: bool,
    pub(super) had_duration: bool,
}

/// Whether there may be more tokens.
pub(super) type Step = Parsed<bool>;

pub(super) fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Spaces and comments.
fn blank(input: &str) -> IResult<&str, usize> {
    let comment = recognize((char('#'), take_till(|c| matches!(c, '\r' | '\n'))));
    many0_count(alt((take_while1(is_space), comment))).parse(input)
}

/// Spaces alone.
fn spaces(input: &str) -> IResult<&str, &str> {
    take_while(is_space).parse(input)
}

/// Letters, digits, `_`.
pub(super) fn word(input: &str) -> IResult<&str, &str> {
    take_while(is_word).parse(input)
}

/// Letters and `_`.
pub(super) fn letters(input: &str) -> IResult<&str, &str> {
    take_while(|c: char| c.is_ascii_alphabetic() || c == '_').parse(input)
}

/// Letters, digits, `_` and `:`.
fn word_with_colons(input: &str) -> IResult<&str, &str> {
    take_while(|c| is_word(c) || c == ':').parse(input)
}

/// Length of what `piece` takes from the start of `input`; nothing if it does not match.
pub(super) fn length<'a, T>(
    piece: impl Fn(&'a str) -> IResult<&'a str, T>,
    input: &'a str,
) -> usize {
    piece(input).map_or(0, |(rest, _)| input.len() - rest.len())
}

/// The tokens of `text`.
pub(super) fn lex(text: &str) -> Lexed {
    let mut lexer = Lexer::new(text);
    let error = loop {
        match lexer.step() {
            Ok(true) => {}
            Ok(false) => break None,
            Err(failure) => break Some(failure),
        }
    };
    lexer.finish(error)
}

impl<'a> Lexer<'a> {
    /// At the start of `text`, which is shorter than 4 GiB.
    pub(super) fn new(text: &'a str) -> Self {
        Self {
            text,
            rest: text,
            lexemes: Vec::with_capacity(text.len() / 4 + 4),
            open_parens: 0,
            in_braces: false,
            bracket: Bracket::None,
            had_colon: false,
            had_duration: false,
        }
    }

    /// Closes the list of tokens.
    pub(super) fn finish(mut self, error: Option<Box<Failure>>) -> Lexed {
        self.emit(if error.is_some() { Token::Error } else { Token::End }, 0);
        Lexed { lexemes: self.lexemes, error }
    }

    /// How far it is, in bytes.
    pub(super) fn offset(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    /// Reads the next token, if there is one.
    pub(super) fn step(&mut self) -> Step {
        if self.bracket == Bracket::Start {
            self.skip(length(spaces, self.rest));
            return self.step_in_duration();
        }
        if self.rest.starts_with(|c| is_space(c) || c == '#') {
            self.skip(length(blank, self.rest));
        }
        if self.in_braces { self.step_in_braces() } else { self.step_in_expression() }
    }

    fn skip(&mut self, length: usize) {
        self.rest = &self.rest[length..];
    }

    fn emit(&mut self, token: Token, length: usize) {
        let start = self.offset();
        self.lexemes.push(Lexeme { token, start: start as u32, end: (start + length) as u32 });
        self.skip(length);
    }

    pub(super) fn emitted(&mut self, token: Token, length: usize) -> Step {
        self.emit(token, length);
        Ok(true)
    }

    /// An error about the rest of the text from `skipped` bytes on.
    pub(super) fn fail(&self, skipped: usize, message: impl Into<String>) -> Step {
        Err(Failure::new(span(self.offset() + skipped, self.text.len()), message))
    }

    pub(super) fn next_char(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn char_after(&self, skipped: usize) -> Option<char> {
        self.rest[skipped..].chars().next()
    }

    pub(super) fn sees_digit(&self) -> bool {
        let bytes = self.rest.as_bytes();
        match bytes {
            [b'.', digit, ..] | [digit, ..] => digit.is_ascii_digit(),
            [] => false,
        }
    }

    /// Outside of braces, and inside of brackets after the first number.
    fn step_in_expression(&mut self) -> Step {
        let Some(c) = self.next_char() else { return self.end() };
        match c {
            'a'..='z' | 'A'..='Z' | '_' | ':' => self.step_word(c),
            _ if self.sees_digit() => self.step_number(),
            ',' => self.emitted(Token::Comma, 1),
            '(' => self.open_paren(),
            ')' => self.close_paren(),
            '{' => {
                self.in_braces = true;
                self.emitted(Token::LeftBrace, 1)
            }
            '[' => self.open_bracket(),
            ']' => self.close_bracket(),
            '@' => self.emitted(Token::At, 1),
            '"' | '\'' | '`' => self.step_text(),
            _ => self.step_operator(c),
        }
    }

    pub(super) fn step_operator(&mut self, c: char) -> Step {
        let after = self.char_after(c.len_utf8());
        let (token, length) = match (c, after) {
            ('+', _) => (Token::Op(Add), 1),
            ('-', _) => (Token::Op(Sub), 1),
            ('*', _) => (Token::Op(Mul), 1),
            ('/', _) => (Token::Op(Div), 1),
            ('%', _) => (Token::Op(Mod), 1),
            ('^', _) => (Token::Op(Pow), 1),
            ('=', Some('=')) => (Token::Op(Equal), 2),
            ('=', Some('~')) => return self.fail(0, "unexpected character after '=': '~'"),
            ('=', _) => (Token::Equal, 1),
            ('!', Some('=')) => (Token::Op(NotEqual), 2),
            ('!', _) => {
                let after = quote_char(after);
                return self.fail(0, format!("unexpected character after '!': {after}"));
            }
            ('<', Some('=')) => (Token::Op(LessOrEqual), 2),
            ('<', Some('/')) => (Token::Op(TrimUpper), 2),
            ('<', _) => (Token::Op(Less), 1),
            ('>', Some('=')) => (Token::Op(GreaterOrEqual), 2),
            ('>', Some('/')) => (Token::Op(TrimLower), 2),
            ('>', _) => (Token::Op(Greater), 1),
            _ => return self.fail(0, format!("unexpected character: {}", quote_char(Some(c)))),
        };
        self.emitted(token, length)
    }

    fn end(&self) -> Step {
        if self.open_parens > 0 {
            return self.fail(0, "unclosed left parenthesis");
        }
        if self.bracket != Bracket::None {
            return self.fail(0, "unclosed left bracket");
        }
        Ok(false)
    }

    pub(super) fn open_paren(&mut self) -> Step {
        self.open_parens += 1;
        self.emitted(Token::LeftParen, 1)
    }

    pub(super) fn close_paren(&mut self) -> Step {
        if self.open_parens == 0 {
            return self.fail(1, "unexpected right parenthesis ')'");
        }
        self.open_parens -= 1;
        self.emitted(Token::RightParen, 1)
    }

    fn open_bracket(&mut self) -> Step {
        if self.bracket != Bracket::None {
            return self.fail(0, "unexpected left bracket '['");
        }
        self.bracket = Bracket::Start;
        self.had_colon = false;
        self.emitted(Token::LeftBracket, 1)
    }

    pub(super) fn close_bracket(&mut self) -> Step {
        if self.bracket == Bracket::None {
            return self.fail(0, "unexpected right bracket ']'");
        }
        self.bracket = Bracket::None;
        self.emitted(Token::RightBracket, 1)
    }

    pub(super) fn step_number(&mut self) -> Step {
        match number::scan(self.rest) {
            Ok((token, length)) => self.emitted(token, length),
            Err(length) => {
                let read = tsdb::model::labels::Quoted(&self.rest[..length]).to_string();
                self.fail(0, format!("bad number or duration syntax: {read}"))
            }
        }
    }

    pub(super) fn step_text(&mut self) -> Step {
        match text::scan(self.rest) {
            Ok(length) => self.emitted(Token::Text, length),
            Err(message) => self.fail(0, message),
        }
    }

    fn step_word(&mut self, first: char) -> Step {
        if self.bracket == Bracket::Rest {
            return self.step_word_in_brackets(first);
        }
        let length = length(word_with_colons, self.rest);
        let token = classify(&self.rest[..length]);
        let after = self.rest[length..].trim_start_matches(is_space);
        let is_name = token.is_fill() && !after.starts_with('(');
        self.emitted(if is_name { Token::Identifier } else { token }, length)
    }
}
