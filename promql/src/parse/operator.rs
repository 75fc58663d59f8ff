//! What may stand between a binary operator and its right operand, and lists of labels.
//!
//! ```text
//! modifiers = [bool] [(on | ignoring) labels [(group_left | group_right) [labels]]] [fills]
//! fills     = fill (n) | fill_left (n) [fill_right (n)] | fill_right (n) [fill_left (n)]
//! labels    = "(" [label {"," label} [","]] ")"
//! ```

use super::error::Parsed;
use super::grammar::{Parser, signed};
use super::text::unquote;
use super::token::{Keyword, Token};
use crate::ast::{Cardinality, MatchingLabels, VectorMatching};

/// The modifiers of one operator. Whether they are allowed is checked with the types.
pub(super) struct OperatorModifiers {
    pub(super) returns_bool: bool,
    pub(super) matching: VectorMatching,
}

impl Parser<'_> {
    fn accept_keyword(&mut self, keyword: Keyword) -> bool {
        self.accept(Token::Keyword(keyword)).is_some()
    }

    /// All modifiers of an operator.
    pub(super) fn operator_modifiers(&mut self) -> Parsed<OperatorModifiers> {
        let returns_bool = self.accept_keyword(Keyword::Bool);
        let mut matching = VectorMatching {
            cardinality: Cardinality::OneToOne,
            labels: MatchingLabels::Ignoring(Vec::new()),
            include: Vec::new(),
            fill_left: None,
            fill_right: None,
        };
        if self.accept_keyword(Keyword::On) {
            matching.labels = MatchingLabels::On(self.label_list()?);
            self.group_modifier(&mut matching)?;
        } else if self.accept_keyword(Keyword::Ignoring) {
            matching.labels = MatchingLabels::Ignoring(self.label_list()?);
            self.group_modifier(&mut matching)?;
        }
        self.fill_modifiers(&mut matching)?;
        Ok(OperatorModifiers { returns_bool, matching })
    }

    fn group_modifier(&mut self, matching: &mut VectorMatching) -> Parsed<()> {
        matching.cardinality = match self.peek() {
            Token::Keyword(Keyword::GroupLeft) => Cardinality::ManyToOne,
            Token::Keyword(Keyword::GroupRight) => Cardinality::OneToMany,
            _ => return Ok(()),
        };
        self.take();
        // Without a list an operand or a fill must follow; of anything else, the list is missed.
        let next = self.peek();
        if next == Token::LeftParen || !(next.starts_expression() || next.is_fill()) {
            matching.include = self.label_list()?;
        }
        Ok(())
    }

    fn fill_modifiers(&mut self, matching: &mut VectorMatching) -> Parsed<()> {
        if self.accept_keyword(Keyword::Fill) {
            let value = self.fill_value()?;
            (matching.fill_left, matching.fill_right) = (Some(value), Some(value));
        } else if self.accept_keyword(Keyword::FillLeft) {
            matching.fill_left = Some(self.fill_value()?);
            if self.accept_keyword(Keyword::FillRight) {
                matching.fill_right = Some(self.fill_value()?);
            }
        } else if self.accept_keyword(Keyword::FillRight) {
            matching.fill_right = Some(self.fill_value()?);
            if self.accept_keyword(Keyword::FillLeft) {
                matching.fill_left = Some(self.fill_value()?);
            }
        }
        Ok(())
    }

    fn fill_value(&mut self) -> Parsed<f64> {
        self.expect(Token::LeftParen)?;
        let value = self.signed_number()?;
        self.expect(Token::RightParen)?;
        Ok(value)
    }

    /// A number or a duration's seconds, with or without a sign.
    pub(super) fn signed_number(&mut self) -> Parsed<f64> {
        let sign = self.accept_sign();
        let (number, _) = self.number()?;
        Ok(sign.map_or(number.value, |(op, _)| signed(op, number.value)))
    }

    /// Labels in parentheses.
    pub(super) fn label_list(&mut self) -> Parsed<Vec<String>> {
        const CONTEXT: &str = "grouping opts";
        if self.accept(Token::LeftParen).is_none() {
            return Err(self.unexpected().within(CONTEXT, "\"(\""));
        }
        let mut labels = Vec::new();
        while self.accept(Token::RightParen).is_none() {
            labels.push(self.label().map_err(|failure| failure.within(CONTEXT, "label"))?);
            if self.accept(Token::Comma).is_none() && self.peek() != Token::RightParen {
                return Err(self.unexpected().within(CONTEXT, "\",\" or \")\""));
            }
        }
        Ok(labels)
    }

    fn label(&mut self) -> Parsed<String> {
        match self.peek() {
            Token::Text => {
                let lexeme = self.take();
                let label = unquote(lexeme, self.text)?;
                if label.is_empty() {
                    let message = "invalid label name for grouping: \"\"";
                    return Err(super::error::Failure::new(lexeme.span(), message));
                }
                Ok(label)
            }
            token if token.is_label_name() => Ok(self.take().text(self.text).to_owned()),
            _ => Err(self.unexpected()),
        }
    }
}
