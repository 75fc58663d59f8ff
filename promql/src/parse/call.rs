//! Function calls and aggregations.
//!
//! ```text
//! call        = name arguments
//! aggregation = op [by labels] arguments | op arguments [by labels]      (or `without`)
//! arguments   = "(" [expression {"," expression}] ")"
//! ```

use tsdb::model::labels::Quoted;

use super::error::{Failure, Parsed};
use super::grammar::Parser;
use super::token::{Keyword, Lexeme, Token};
use crate::ast::{Aggregate, AggregateOp, Call, Expr, ExprKind, Grouping, Span};
use crate::functions;

impl Parser<'_> {
    /// A call of a function that must exist and be enabled.
    pub(super) fn call(&mut self) -> Parsed<Expr> {
        let name = self.take();
        let args = self.arguments()?;
        let text = name.text(self.text);
        let Some(function) = functions::find(text) else {
            let message = format!("unknown function with name {}", Quoted(text));
            return Err(Failure::new(name.span(), message));
        };
        if function.experimental && !self.features.experimental_functions {
            let message = format!("function {} is not enabled", Quoted(text));
            return Err(Failure::new(name.span(), message));
        }
        let span = Span { start: name.start as usize, end: self.last_closing };
        Ok(Expr { kind: ExprKind::Call(Call { function, args }), span })
    }

    /// Expressions in parentheses; leaves the height of a tree over them.
    fn arguments(&mut self) -> Parsed<Vec<Expr>> {
        self.expect(Token::LeftParen)?;
        let (mut args, mut below) = (Vec::new(), 0);
        while self.accept(Token::RightParen).is_none() {
            args.push(self.expression(0)?);
            below = below.max(self.height);
            if let Some(comma) = self.accept(Token::Comma) {
                self.check_lexed()?;
                if !self.peek().starts_expression() {
                    let message = "trailing commas not allowed in function call args";
                    return Err(Failure::new(comma.span(), message));
                }
            } else if self.peek() != Token::RightParen {
                return Err(self.unexpected());
            }
        }
        self.grow(below)?;
        Ok(args)
    }

    /// An aggregation.
    pub(super) fn aggregation(&mut self, op: AggregateOp) -> Parsed<Expr> {
        let name = self.take();
        let (args, grouping) =
            self.aggregation_body().map_err(|failure| failure.within("aggregation", ""))?;
        self.aggregate(op, name, args, grouping.unwrap_or(Grouping::By(Vec::new())))
    }

    fn aggregation_body(&mut self) -> Parsed<(Vec<Expr>, Option<Grouping>)> {
        if let Some(grouping) = self.grouping()? {
            return Ok((self.arguments()?, Some(grouping)));
        }
        let args = self.arguments()?;
        self.check_lexed()?;
        let grouping = self.grouping()?;
        Ok((args, grouping))
    }

    fn grouping(&mut self) -> Parsed<Option<Grouping>> {
        let grouping = match self.peek() {
            Token::Keyword(Keyword::By) => Grouping::By,
            Token::Keyword(Keyword::Without) => Grouping::Without,
            _ => return Ok(None),
        };
        self.take();
        Ok(Some(grouping(self.label_list()?)))
    }

    fn aggregate(
        &self,
        op: AggregateOp,
        name: Lexeme,
        args: Vec<Expr>,
        grouping: Grouping,
    ) -> Parsed<Expr> {
        let span = Span { start: name.start as usize, end: self.last_closing };
        let count = args.len();
        if count == 0 {
            return Err(Failure::new(span, "no arguments for aggregate expression provided"));
        }
        if op.is_experimental() && !self.features.experimental_functions {
            let message = format!(
                "{}() is experimental and must be enabled with \
                 --enable-feature=promql-experimental-functions",
                op.as_str()
            );
            return Err(Failure::new(span, message));
        }
        let mut args = args.into_iter();
        let param = if op.has_param() { args.next() } else { None };
        match (args.next(), args.next()) {
            (Some(expr), None) => {
                let aggregate = Aggregate { op, expr, param, grouping };
                Ok(Expr { kind: ExprKind::Aggregate(Box::new(aggregate)), span })
            }
            _ => {
                let expected = 1 + usize::from(op.has_param());
                let message = format!(
                    "wrong number of arguments for aggregate expression provided, \
                     expected {expected}, got {count}"
                );
                Err(Failure::new(span, message))
            }
        }
    }
}
