//! Selectors and label sets: a name, and conditions or pairs in braces.
//!
//! ```text
//! selector = name [matchers] | matchers
//! matchers = "{" [matcher {"," matcher} [","]] "}"
//! matcher  = label (= | != | =~ | !~) text | text      a lone text is the metric's name
//! metric   = [name] ["{" [label = text, …] "}"]
//! ```
//!
//! The order of conditions means nothing; they are sorted here, so that equal selectors are equal
//! trees however they were written.

use tsdb::model::{Labels, LabelsBuilder, METRIC_NAME, MatchOp, Matcher};

use super::error::{Failure, Parsed};
use super::grammar::Parser;
use super::text::unquote;
use super::token::{Lexeme, Token};
use crate::ast::{BinaryOp, Expr, ExprKind, Span, VectorSelector};

const MATCHING: &str = "label matching";
const LABEL_SET: &str = "label set";

fn match_op(token: Token) -> Option<MatchOp> {
    match token {
        Token::Equal => Some(MatchOp::Equal),
        Token::Op(BinaryOp::NotEqual) => Some(MatchOp::NotEqual),
        Token::EqualRegex => Some(MatchOp::Regex),
        Token::NotEqualRegex => Some(MatchOp::NotRegex),
        _ => None,
    }
}

impl Parser<'_> {
    /// An instant vector's selector.
    pub(super) fn selector(&mut self) -> Parsed<Expr> {
        let start = self.next().start as usize;
        let (selector, end) = self.vector_selector()?;
        Ok(Expr { kind: ExprKind::Vector(selector), span: Span { start, end } })
    }

    /// A selector and where it ends.
    pub(super) fn vector_selector(&mut self) -> Parsed<(VectorSelector, usize)> {
        let (mut selector, end) = self.written_selector()?;
        let braced = selector.matchers.len() - usize::from(selector.name.is_some());
        selector.matchers[..braced].sort_by(|a, b| {
            let (a_key, b_key) = ((a.name(), a.op() as u8), (b.name(), b.op() as u8));
            a_key.cmp(&b_key).then_with(|| a.value().cmp(b.value()))
        });
        Ok((selector, end))
    }

    /// The same with its conditions in the order in which they were written.
    pub(super) fn written_selector(&mut self) -> Parsed<(VectorSelector, usize)> {
        let (mut name, mut end) = (None, 0);
        if self.peek().is_metric_name() {
            let lexeme = self.take();
            name = Some(lexeme.text(self.text).to_owned());
            end = lexeme.end as usize;
        } else if self.peek() != Token::LeftBrace {
            return Err(self.unexpected());
        }
        let mut matchers = Vec::with_capacity(1);
        if self.peek() == Token::LeftBrace {
            self.matchers(&mut matchers)?;
            end = self.last_closing;
        }
        if let Some(name) = &name {
            matchers.push(Matcher::equal(METRIC_NAME, name.as_str()));
        }
        Ok((VectorSelector { name, matchers, ..VectorSelector::default() }, end))
    }

    fn matchers(&mut self, matchers: &mut Vec<Matcher>) -> Parsed<()> {
        self.expect(Token::LeftBrace)?;
        while self.accept(Token::RightBrace).is_none() {
            matchers.push(self.matcher()?);
            if self.accept(Token::Comma).is_none() && self.peek() != Token::RightBrace {
                return Err(self.unexpected().within(MATCHING, "\",\" or \"}\""));
            }
        }
        Ok(())
    }

    fn matcher(&mut self) -> Parsed<Matcher> {
        let lexeme = self.next();
        let name = match lexeme.token {
            Token::Text => unquote(self.take(), self.text)?,
            Token::Identifier => self.take().text(self.text).to_owned(),
            _ => return Err(self.unexpected().within(MATCHING, "identifier or \"}\"")),
        };
        let Some(op) = match_op(self.peek()) else {
            if lexeme.token == Token::Text {
                return Ok(Matcher::equal(METRIC_NAME, name));
            }
            return Err(self.unexpected().within(MATCHING, "label matching operator"));
        };
        self.take();
        let value = self.value(MATCHING)?;
        let span = Span { start: lexeme.start as usize, end: value.end as usize };
        let value = unquote(value, self.text)?;
        Matcher::new(op, name, value).map_err(|error| Failure::new(span, error.to_string()))
    }

    fn value(&mut self, context: &str) -> Parsed<Lexeme> {
        self.expect(Token::Text).map_err(|failure| failure.within(context, "string"))
    }

    /// A series' name and labels.
    pub(super) fn metric(&mut self) -> Parsed<Labels> {
        let name = self.peek().is_metric_name().then(|| self.take().text(self.text).to_owned());
        let mut labels = LabelsBuilder::new();
        if self.accept(Token::LeftBrace).is_some() {
            self.label_set(&mut labels)?;
        }
        if let Some(name) = name {
            labels.set(METRIC_NAME, name);
        }
        Ok(labels.build())
    }

    fn label_set(&mut self, labels: &mut LabelsBuilder) -> Parsed<()> {
        while self.accept(Token::RightBrace).is_none() {
            self.label_pair(labels)?;
            if self.accept(Token::Comma).is_none() && self.peek() != Token::RightBrace {
                return Err(self.unexpected().within(LABEL_SET, "\",\" or \"}\""));
            }
        }
        Ok(())
    }

    fn label_pair(&mut self, labels: &mut LabelsBuilder) -> Parsed<()> {
        let lexeme = self.next();
        let name = match lexeme.token {
            Token::Text => unquote(self.take(), self.text)?,
            Token::Identifier => self.take().text(self.text).to_owned(),
            _ => return Err(self.unexpected().within(LABEL_SET, "identifier or \"}\"")),
        };
        if self.accept(Token::Equal).is_none() {
            if lexeme.token == Token::Text {
                labels.set(METRIC_NAME, name);
                return Ok(());
            }
            return Err(self.unexpected().within(LABEL_SET, "\"=\""));
        }
        let value = self.value(LABEL_SET)?;
        labels.set(name, unquote(value, self.text)?);
        Ok(())
    }
}
