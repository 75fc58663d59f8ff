//! From the tree back to text: one line, as Prometheus prints an expression.
//!
//! What is printed parses to the same tree again. Only what was written can be printed so: a tree
//! that needs parentheses has to hold them ([`ExprKind::Paren`]), as parsed trees do.

use std::fmt::{self, Display, Formatter, Write};

use tsdb::model::duration::format_duration;
use tsdb::model::labels::Quoted;
use tsdb::model::number::{format_general, format_plain};
use tsdb::model::{METRIC_NAME, MatchOp, Matcher};

use crate::ast::{
    Aggregate, At, Binary, BinaryOp, Call, Cardinality, DurationExpr, Expr, ExprKind, Grouping,
    MatchingLabels, MatrixSelector, Modifiers, Number, RangeExtension, Subquery, UnaryOp,
    VectorMatching, VectorSelector,
};
use crate::parse::is_bare_label;

/// The canonical text of an expression.
pub fn format(expr: &Expr) -> String {
    expr.to_string()
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Number(number) => write!(f, "{number}"),
            ExprKind::Text(text) => write!(f, "{}", Quoted(text)),
            ExprKind::Vector(selector) => write!(f, "{selector}"),
            ExprKind::Matrix(matrix) => write!(f, "{matrix}"),
            ExprKind::Subquery(subquery) => write!(f, "{subquery}"),
            ExprKind::Aggregate(aggregate) => write!(f, "{aggregate}"),
            ExprKind::Binary(binary) => write!(f, "{binary}"),
            ExprKind::Unary(op, expr) => write!(f, "{op}{expr}"),
            ExprKind::Call(call) => write!(f, "{call}"),
            ExprKind::Paren(expr) => write!(f, "({expr})"),
        }
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_duration {
            f.write_str(&format_duration((self.value * 1000.0).round() as i64))
        } else {
            f.write_str(&format_plain(self.value))
        }
    }
}

impl Display for UnaryOp {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_char(match self {
            Self::Minus => '-',
            Self::Plus => '+',
        })
    }
}

impl Display for VectorSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write_series(self, f)?;
        write_at(&self.modifiers, f)?;
        write_extension(self.extension, f)?;
        write_offset(&self.modifiers, f)
    }
}

impl Display for MatrixSelector {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { selector, range } = self;
        write_series(selector, f)?;
        write!(f, "[{range}]")?;
        write_extension(selector.extension, f)?;
        write_at(&selector.modifiers, f)?;
        write_offset(&selector.modifiers, f)
    }
}

impl Display for Subquery {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.expr, self.suffix())
    }
}

impl Subquery {
    /// What stands behind its expression: range, step and modifiers.
    pub fn suffix(&self) -> impl Display + '_ {
        Suffix(self)
    }
}

struct Suffix<'a>(&'a Subquery);

impl Display for Suffix<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Subquery { range, step, modifiers, .. } = self.0;
        write!(f, "[{range}:")?;
        if let Some(step) = step {
            write!(f, "{step}")?;
        }
        f.write_char(']')?;
        write_at(modifiers, f)?;
        write_offset(modifiers, f)
    }
}

/// Name and conditions, these in order of their texts.
fn write_series(selector: &VectorSelector, f: &mut Formatter<'_>) -> fmt::Result {
    let name = selector.name.as_deref().unwrap_or("");
    f.write_str(name)?;
    let says_name = |matcher: &Matcher| {
        matcher.name() == METRIC_NAME && matcher.op() == MatchOp::Equal && matcher.value() == name
    };
    let others = selector.matchers.iter().filter(|matcher| name.is_empty() || !says_name(matcher));
    let mut conditions: Vec<_> = others.map(Matcher::to_string).collect();
    if conditions.is_empty() {
        // Only an argument of `info` may select everything; elsewhere this does not parse.
        return f.write_str(if name.is_empty() { "{}" } else { "" });
    }
    conditions.sort_unstable();
    write!(f, "{{{}}}", conditions.join(","))
}

fn write_at(modifiers: &Modifiers, f: &mut Formatter<'_>) -> fmt::Result {
    match modifiers.at {
        Some(At::Time(time)) => write!(f, " @ {time}"),
        Some(At::Start) => f.write_str(" @ start()"),
        Some(At::End) => f.write_str(" @ end()"),
        None => Ok(()),
    }
}

fn write_offset(modifiers: &Modifiers, f: &mut Formatter<'_>) -> fmt::Result {
    match &modifiers.offset {
        Some(offset) => write!(f, " offset {offset}"),
        None => Ok(()),
    }
}

fn write_extension(extension: Option<RangeExtension>, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_str(match extension {
        Some(RangeExtension::Anchored) => " anchored",
        Some(RangeExtension::Smoothed) => " smoothed",
        None => "",
    })
}

impl Display for DurationExpr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ms(ms) => f.write_str(&format_duration(*ms)),
            Self::Seconds(seconds) => f.write_str(&format_plain(*seconds)),
            Self::Step => f.write_str("step()"),
            Self::Range => f.write_str("range()"),
            Self::Unary(op, duration) => write!(f, "{op}{duration}"),
            Self::Binary(op, left, right) => write!(f, "{left} {} {right}", op.as_str()),
            Self::Min(left, right) => write!(f, "min_of({left}, {right})"),
            Self::Max(left, right) => write!(f, "max_of({left}, {right})"),
            Self::Paren(duration) => write!(f, "({duration})"),
        }
    }
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.op.as_str())?;
        match &self.grouping {
            Grouping::By(labels) if labels.is_empty() => {}
            grouping => write!(f, "{grouping} ")?,
        }
        match &self.param {
            Some(param) => write!(f, "({param}, {})", self.expr),
            None => write!(f, "({})", self.expr),
        }
    }
}

impl Display for Grouping {
    /// With a space before it.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::By(labels) => write!(f, " by ({})", List(labels)),
            Self::Without(labels) => write!(f, " without ({})", List(labels)),
        }
    }
}

impl Display for Call {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.function.name)?;
        for (index, arg) in self.args.iter().enumerate() {
            write!(f, "{}{arg}", if index == 0 { "" } else { ", " })?;
        }
        f.write_char(')')
    }
}

impl Display for Binary {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.left.kind {
            // `+Inf ^ 2` would be a sign before a power.
            ExprKind::Number(Number { value: f64::INFINITY, .. }) if self.op == BinaryOp::Pow => {
                f.write_str("Inf")?
            }
            _ => write!(f, "{}", self.left)?,
        }
        write!(f, " {}{}", self.op.as_str(), if self.returns_bool { " bool" } else { "" })?;
        if let Some(matching) = &self.matching {
            write!(f, "{matching}")?;
        }
        write!(f, " {}", self.right)
    }
}

impl Display for VectorMatching {
    /// With a space before each part.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let group = match self.cardinality {
            Cardinality::ManyToOne => Some("left"),
            Cardinality::OneToMany => Some("right"),
            Cardinality::OneToOne | Cardinality::ManyToMany => None,
        };
        match &self.labels {
            MatchingLabels::On(labels) => write!(f, " on ({})", List(labels))?,
            MatchingLabels::Ignoring(labels) if labels.is_empty() && group.is_none() => {}
            MatchingLabels::Ignoring(labels) => write!(f, " ignoring ({})", List(labels))?,
        }
        if let Some(side) = group {
            write!(f, " group_{side} ({})", List(&self.include))?;
        }
        match (self.fill_left, self.fill_right) {
            (Some(left), Some(right)) if left.to_bits() == right.to_bits() => {
                write!(f, " fill ({})", format_general(left))
            }
            (left, right) => {
                for (side, fill) in [("left", left), ("right", right)] {
                    if let Some(fill) = fill {
                        write!(f, " fill_{side} ({})", format_general(fill))?;
                    }
                }
                Ok(())
            }
        }
    }
}

/// Labels with commas between them, in quotes where needed.
struct List<'a>(&'a [String]);

impl Display for List<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, label) in self.0.iter().enumerate() {
            f.write_str(if index == 0 { "" } else { ", " })?;
            if is_bare_label(label) {
                f.write_str(label)?;
            } else {
                write!(f, "{}", Quoted(label))?;
            }
        }
        Ok(())
    }
}
