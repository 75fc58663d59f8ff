//! What a query would do, said before it is done: the plan as a tree of sentences.
//!
//! 1. The query is planned as it would be for its evaluation; nothing is evaluated.
//! 2. `describe` walks the plan with the steps that each node would be evaluated at, and asks the
//!    store how many series each selector has there.
//! 3. The tree is data; its [`Display`] is a text, one line for each node, indented.

mod describe;
pub(crate) mod words;

use std::fmt::{self, Display, Formatter};

use tsdb::Select;
use tsdb::model::{TimeRange, Timestamp};

use crate::ast::Span;
use crate::budget::Budget;
use crate::cache;
use crate::engine::{Engine, Query};
use crate::error::EvalError;
use crate::notes::Notes;
use crate::parse::position;
use crate::plan::{Context, lower};
use crate::range::RangeQuery;
use crate::value::Steps;
use describe::Describer;

/// What a query would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The steps that were asked for; one for an instant query.
    pub steps: Steps,
    /// The operator whose values are the answer.
    pub root: Operator,
    /// What is said about keeping its steps for the next time, in words.
    pub kept: String,
}

/// An operator, and those whose values it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Operator {
    /// What it does.
    pub words: String,
    /// Where it stands in the query.
    pub span: Span,
    /// What stands there.
    pub text: String,
    /// Line and column of that, from 1.
    pub position: (usize, usize),
    /// Which series it reads, if it is a selector.
    pub selects: Option<Selected>,
    /// Its value is the same at each step: it is evaluated once.
    pub is_once: bool,
    /// What it has to do with an equal part of the query.
    pub shared: Option<Shared>,
    /// Where its values come from; nothing if they are another's.
    pub inputs: Vec<Operator>,
}

/// What a selector reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Selected {
    /// As PromQL writes them.
    pub matchers: String,
    /// From the first to the last millisecond at which a sample may count, both included.
    pub range: TimeRange,
    /// Series that may have samples there, now.
    pub series: usize,
}

/// Parts of a query that are equal are evaluated once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shared {
    /// Evaluated here, for so many places.
    First(u32),
    /// Evaluated at another place: line and column.
    As(usize, usize),
}

impl Engine {
    /// What [`Engine::instant`] would do.
    pub fn explain_instant(
        &self,
        query: Query<'_>,
        store: &dyn Select,
        time: Timestamp,
        budget: &Budget<'_>,
    ) -> Result<Explanation, EvalError> {
        let context = Context::of_instant(&self.options, time);
        let node = lower(query.expr, &context, &mut Notes::default())?;
        let steps = Steps::instant(time);
        let root = Describer::new(self, query, store, budget, &node).describe(&node, &steps)?;
        Ok(Explanation { steps, root, kept: "nothing: it is an instant query".to_owned() })
    }

    /// What [`Engine::range_cached`] would do.
    pub fn explain_range(
        &self,
        query: Query<'_>,
        store: &dyn Select,
        steps: Steps,
        budget: &Budget<'_>,
    ) -> Result<Explanation, EvalError> {
        let asked = RangeQuery::new(self, query, store, steps, budget)?;
        let node = &asked.node;
        let root = Describer::new(self, query, store, budget, node).describe(node, &steps)?;
        let kept = match cache::sight(&asked) {
            Ok(sight) => words::kept(&sight),
            Err(why) => format!("nothing: {why}"),
        };
        Ok(Explanation { steps, root, kept })
    }
}

impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", words::steps(&self.steps))?;
        self.root.write(f, 0)?;
        writeln!(f, "kept for the next time: {}", self.kept)
    }
}

impl Operator {
    fn write(&self, f: &mut Formatter<'_>, depth: usize) -> fmt::Result {
        let (line, column) = self.position;
        write!(f, "{:indent$}{} ({line}:{column})", "", self.words, indent = 2 * depth)?;
        if self.is_once {
            f.write_str("; the same at each step, evaluated once")?;
        }
        match self.shared {
            Some(Shared::First(places)) => write!(f, "; evaluated once for {places} places")?,
            Some(Shared::As(line, column)) => write!(f, "; evaluated already at {line}:{column}")?,
            None => {}
        }
        f.write_str("\n")?;
        if let Some(own) = &self.selects {
            let range = words::range(own.range);
            let (matchers, series) = (&own.matchers, own.series);
            let indent = 2 * depth + 4;
            writeln!(f, "{:indent$}{matchers}: {series} series {range}", "")?;
        }
        self.inputs.iter().try_for_each(|input| input.write(f, depth + 1))
    }
}

/// Line and column of where a node starts.
fn place(query: Query<'_>, span: Span) -> (usize, usize) {
    position(query.text, span.start).unwrap_or((1, 1))
}
