//! Lexing inside of brackets and braces, where the language is a smaller one.

use super::lex::{Bracket, Lexer, Step, length, letters, word};
use super::text::quote_char;
use super::token::{Keyword, Token, classify};
use crate::ast::BinaryOp::NotEqual;

impl Lexer<'_> {
    /// A word after the first number in brackets, or a colon.
    pub(super) fn step_word_in_brackets(&mut self, first: char) -> Step {
        if first == ':' {
            if self.had_colon {
                return self.fail(0, "unexpected colon ':'");
            }
            self.had_colon = true;
            return self.emitted(Token::Colon, 1);
        }
        match self.duration_keyword() {
            Some((token, length)) => self.emitted(token, length),
            None => {
                let first = quote_char(Some(first));
                self.fail(0, format!("unexpected character: {first}, expected ':'"))
            }
        }
    }

    /// `step`, `range`, `min_of` or `max_of` before anything but another letter.
    fn duration_keyword(&self) -> Option<(Token, usize)> {
        use Keyword::{MaxOf, MinOf, Range, Step};
        let length = length(letters, self.rest);
        let token = classify(&self.rest[..length]);
        let is_known = matches!(token, Token::Keyword(MaxOf | MinOf | Range | Step));
        is_known.then_some((token, length))
    }

    /// Inside of brackets, before the first number.
    pub(super) fn step_in_duration(&mut self) -> Step {
        let Some(c) = self.next_char() else {
            return self.fail(0, "unexpected end of input in duration expression");
        };
        match c {
            ']' => self.close_bracket(),
            ':' if !self.had_duration => {
                self.fail(1, "unexpected colon before duration in duration expression")
            }
            ':' if self.had_colon => {
                self.fail(1, "unexpected repeated colon in duration expression")
            }
            ':' => {
                self.had_colon = true;
                self.emitted(Token::Colon, 1)
            }
            '(' => self.open_paren(),
            ')' => self.close_paren(),
            ',' => self.emitted(Token::Comma, 1),
            '+' | '-' | '*' | '/' | '%' | '^' => self.step_operator(c),
            _ if self.sees_digit() => {
                self.had_duration = true;
                self.bracket = Bracket::Rest;
                self.step_number()
            }
            _ => match self.duration_keyword() {
                Some((token, length)) => {
                    // Prometheus counts only numbers, so that it refuses `foo[step():]`.
                    self.had_duration = true;
                    self.emitted(token, length)
                }
                None => {
                    let c = quote_char(Some(c));
                    self.fail(0, format!("unexpected character in duration expression: {c}"))
                }
            },
        }
    }

    /// Inside of braces: names, operators and values.
    pub(super) fn step_in_braces(&mut self) -> Step {
        let Some(c) = self.next_char() else {
            return self.fail(0, "unexpected end of input inside braces");
        };
        let after = self.char_after(c.len_utf8());
        match (c, after) {
            ('a'..='z' | 'A'..='Z' | '_', _) => {
                let length = length(word, self.rest);
                self.emitted(Token::Identifier, length)
            }
            (',', _) => self.emitted(Token::Comma, 1),
            ('"' | '\'' | '`', _) => self.step_text(),
            ('=', Some('~')) => self.emitted(Token::EqualRegex, 2),
            ('=', _) => self.emitted(Token::Equal, 1),
            ('!', Some('~')) => self.emitted(Token::NotEqualRegex, 2),
            ('!', Some('=')) => self.emitted(Token::Op(NotEqual), 2),
            ('!', _) => {
                let after = quote_char(after);
                self.fail(0, format!("unexpected character after '!' inside braces: {after}"))
            }
            ('{', _) => self.fail(0, "unexpected left brace '{'"),
            ('}', _) => {
                self.in_braces = false;
                self.emitted(Token::RightBrace, 1)
            }
            _ => {
                let c = quote_char(Some(c));
                self.fail(0, format!("unexpected character inside braces: {c}"))
            }
        }
    }
}
