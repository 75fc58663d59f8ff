//! The tree of a PromQL expression, as it was written.
//!
//! Every node has a [`Span`] (byte offsets into the text), so that errors and annotations can
//! point at it. The tree says nothing about how it is evaluated; that is the plan's business.
//! Invariant: a tree that the parser gave out is well-typed.

use std::fmt;

use tsdb::model::{Matcher, Timestamp};

use crate::functions::Function;

/// Where a node stands in the text: bytes `start..end`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

/// A node: what it is and where it stands. Equality ignores positions.
#[derive(Clone, Debug)]
pub struct Expr {
    /// What it is.
    pub kind: ExprKind,
    /// Where it stands.
    pub span: Span,
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// The kinds of nodes.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// `1.5`, `0x1f`, `Inf`, `1h30m` as seconds.
    Number(Number),
    /// `"text"`.
    Text(String),
    /// `name{matchers} offset 5m @ 0`: an instant vector.
    Vector(VectorSelector),
    /// `name{matchers}[5m] offset 5m`: a range vector.
    Matrix(MatrixSelector),
    /// `expr[30m:1m]`: a range vector of an expression's values.
    Subquery(Box<Subquery>),
    /// `sum by (job) (expr)`.
    Aggregate(Box<Aggregate>),
    /// `left + right`.
    Binary(Box<Binary>),
    /// `-expr` or `+expr`.
    Unary(UnaryOp, Box<Expr>),
    /// `rate(expr)`.
    Call(Call),
    /// `(expr)`.
    Paren(Box<Expr>),
}

/// A number and how it was written.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// Its value; of a duration, the seconds.
    pub value: f64,
    /// Whether it was written as a duration (`5m`), which printing keeps.
    pub is_duration: bool,
}

impl PartialEq for Number {
    /// NaN equals NaN here: it is the same text.
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value || (self.value.is_nan() && other.value.is_nan())
    }
}

/// Selects the series whose newest sample within the lookback counts.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct VectorSelector {
    /// The metric name, if it was written before the braces; one in the braces is a matcher only.
    pub name: Option<String>,
    /// All conditions, sorted; that on `__name__` of `name` is the last one.
    pub matchers: Vec<Matcher>,
    /// Moves the time.
    pub modifiers: Modifiers,
    /// `anchored` or `smoothed`, if written.
    pub extension: Option<RangeExtension>,
}

/// How a range selector treats its borders (both experimental).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeExtension {
    /// The last sample before the range counts as one at its start.
    Anchored,
    /// Values at the borders are interpolated.
    Smoothed,
}

/// `@` and `offset`, in whichever order they were written.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Modifiers {
    /// How far back to look; negative: ahead.
    pub offset: Option<DurationExpr>,
    /// A fixed time of evaluation.
    pub at: Option<At>,
}

/// The `@` modifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// `@ 1700000000.5`
    Time(Timestamp),
    /// `@ start()`: of the whole query.
    Start,
    /// `@ end()`: of the whole query.
    End,
}

/// A vector selector and how far back its range goes.
#[derive(Clone, Debug, PartialEq)]
pub struct MatrixSelector {
    /// Which series.
    pub selector: VectorSelector,
    /// The range's length.
    pub range: DurationExpr,
}

/// An expression evaluated at each step of a range.
#[derive(Clone, Debug, PartialEq)]
pub struct Subquery {
    /// What to evaluate.
    pub expr: Expr,
    /// The range's length.
    pub range: DurationExpr,
    /// The distance of its steps; `None`: the engine's default.
    pub step: Option<DurationExpr>,
    /// Moves the time.
    pub modifiers: Modifiers,
}

/// A duration, or an expression that gives one.
#[derive(Clone, Debug, PartialEq)]
pub enum DurationExpr {
    /// Milliseconds.
    Ms(i64),
    /// A bare number of seconds; kept apart since it prints and checks differently.
    Seconds(f64),
    /// `step()`: the query's step (0 for an instant query).
    Step,
    /// `range()`: the query's end minus its start.
    Range,
    /// `-d` or `+d`.
    Unary(UnaryOp, Box<DurationExpr>),
    /// `d + d` and so on (`+ - * / % ^`).
    Binary(BinaryOp, Box<DurationExpr>, Box<DurationExpr>),
    /// `min_of(d, d)`.
    Min(Box<DurationExpr>, Box<DurationExpr>),
    /// `max_of(d, d)`.
    Max(Box<DurationExpr>, Box<DurationExpr>),
    /// `(d)`.
    Paren(Box<DurationExpr>),
}

/// An aggregation over the series of a vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// Which one.
    pub op: AggregateOp,
    /// What is aggregated.
    pub expr: Expr,
    /// `k`, the quantile, or the label's name.
    pub param: Option<Expr>,
    /// Which labels make an output group.
    pub grouping: Grouping,
}

/// `by (…)` or `without (…)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grouping {
    /// These labels make the group; none at all if nothing was written.
    By(Vec<String>),
    /// All labels but these and the metric name make the group.
    Without(Vec<String>),
}

/// The aggregations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is named as PromQL names it")]
pub enum AggregateOp {
    Sum,
    Avg,
    Count,
    Min,
    Max,
    Group,
    Stddev,
    Stdvar,
    Topk,
    Bottomk,
    CountValues,
    Quantile,
    Limitk,
    LimitRatio,
}

impl AggregateOp {
    /// All of them with their names.
    pub const ALL: [(&'static str, Self); 14] = [
        ("sum", Self::Sum),
        ("avg", Self::Avg),
        ("count", Self::Count),
        ("min", Self::Min),
        ("max", Self::Max),
        ("group", Self::Group),
        ("stddev", Self::Stddev),
        ("stdvar", Self::Stdvar),
        ("topk", Self::Topk),
        ("bottomk", Self::Bottomk),
        ("count_values", Self::CountValues),
        ("quantile", Self::Quantile),
        ("limitk", Self::Limitk),
        ("limit_ratio", Self::LimitRatio),
    ];

    /// Its name in PromQL.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, op)| *op == self).map_or("", |(name, _)| name)
    }

    /// Whether it takes a parameter before the expression.
    pub fn has_param(self) -> bool {
        use AggregateOp::{Bottomk, CountValues, LimitRatio, Limitk, Quantile, Topk};
        matches!(self, Topk | Bottomk | CountValues | Quantile | Limitk | LimitRatio)
    }

    /// Whether it needs the experimental functions to be on.
    pub fn is_experimental(self) -> bool {
        matches!(self, Self::Limitk | Self::LimitRatio)
    }
}

/// An operator between two expressions.
#[derive(Clone, Debug, PartialEq)]
pub struct Binary {
    /// The operator.
    pub op: BinaryOp,
    /// What stands left of it.
    pub left: Expr,
    /// What stands right of it.
    pub right: Expr,
    /// Comparisons only: 0 or 1 instead of filtering.
    pub returns_bool: bool,
    /// How series find each other; there exactly if both sides are vectors.
    pub matching: Option<VectorMatching>,
}

/// The binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "`as_str` shows each as PromQL writes it")]
pub enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Mod,
    Pow,
    Atan2,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
    And,
    Or,
    Unless,
    TrimUpper,
    TrimLower,
}

impl BinaryOp {
    /// The operator as PromQL writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::Mod => "%",
            Self::Pow => "^",
            Self::Atan2 => "atan2",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Greater => ">",
            Self::Less => "<",
            Self::GreaterOrEqual => ">=",
            Self::LessOrEqual => "<=",
            Self::And => "and",
            Self::Or => "or",
            Self::Unless => "unless",
            Self::TrimUpper => "</",
            Self::TrimLower => ">/",
        }
    }

    /// `== != > < >= <=`
    pub fn is_comparison(self) -> bool {
        use BinaryOp::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        matches!(self, Equal | NotEqual | Greater | Less | GreaterOrEqual | LessOrEqual)
    }

    /// `and or unless`
    pub fn is_set(self) -> bool {
        matches!(self, Self::And | Self::Or | Self::Unless)
    }
}

/// `-` or `+` before an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-`
    Minus,
    /// `+`
    Plus,
}

/// How the series of two vectors find each other.
#[derive(Clone, Debug)]
pub struct VectorMatching {
    /// How many series of a side one match may have.
    pub cardinality: Cardinality,
    /// Which labels are compared.
    pub labels: MatchingLabels,
    /// `group_left(a, b)`: labels copied from the side that has one.
    pub include: Vec<String>,
    /// `fill_left(0)`: stands for a missing left side (experimental).
    pub fill_left: Option<f64>,
    /// `fill_right(0)`: stands for a missing right side (experimental).
    pub fill_right: Option<f64>,
}

impl PartialEq for VectorMatching {
    /// As for [`Number`], NaN equals NaN.
    fn eq(&self, other: &Self) -> bool {
        let number = |value| Number { value, is_duration: false };
        let fills = |m: &Self| [m.fill_left.map(number), m.fill_right.map(number)];
        (self.cardinality, &self.labels, &self.include, fills(self))
            == (other.cardinality, &other.labels, &other.include, fills(other))
    }
}

/// Series for each match on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cardinality {
    /// One to one.
    OneToOne,
    /// `group_left`: many on the left.
    ManyToOne,
    /// `group_right`: many on the right.
    OneToMany,
    /// Set operators.
    ManyToMany,
}

/// `on (…)` or `ignoring (…)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MatchingLabels {
    /// Only these are compared.
    On(Vec<String>),
    /// All but these and the metric name are compared.
    Ignoring(Vec<String>),
}

/// A function call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The function.
    pub function: &'static Function,
    /// Its arguments, as many and of the types that the table allows.
    pub args: Vec<Expr>,
}

/// What an expression evaluates to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// A number for each step.
    Scalar,
    /// A text.
    Text,
    /// A value at most for each series and step.
    Vector,
    /// Many values for each series.
    Matrix,
}

impl ValueType {
    /// The API's name of the type.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Text => "string",
            Self::Vector => "vector",
            Self::Matrix => "matrix",
        }
    }

    /// The name that error messages use.
    pub fn documented(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Text => "string",
            Self::Vector => "instant vector",
            Self::Matrix => "range vector",
        }
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Expr {
    /// What it evaluates to.
    pub fn value_type(&self) -> ValueType {
        match &self.kind {
            ExprKind::Number(_) => ValueType::Scalar,
            ExprKind::Text(_) => ValueType::Text,
            ExprKind::Vector(_) | ExprKind::Aggregate(_) => ValueType::Vector,
            ExprKind::Matrix(_) | ExprKind::Subquery(_) => ValueType::Matrix,
            ExprKind::Binary(binary) => match (binary.left.value_type(), binary.right.value_type())
            {
                (ValueType::Scalar, ValueType::Scalar) => ValueType::Scalar,
                _ => ValueType::Vector,
            },
            ExprKind::Unary(_, expr) | ExprKind::Paren(expr) => expr.value_type(),
            ExprKind::Call(call) => call.function.returns,
        }
    }
}
