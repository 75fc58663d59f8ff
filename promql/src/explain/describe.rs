//! The walk over a plan: each node with the steps that it would be evaluated at.

use std::collections::HashMap;

use tsdb::Select;
use tsdb::model::{TimeRange, Timestamp};

use super::{Operator, Selected, Shared, place, words};
use crate::budget::{Budget, Meter};
use crate::engine::{Engine, Query};
use crate::error::EvalError;
use crate::eval::own_steps;
use crate::plan::{self, Node, NodeKind, Range, RangeSource, reach, uses};
use crate::value::Steps;

/// What the walk takes along.
pub(super) struct Describer<'a> {
    query: Query<'a>,
    store: &'a dyn Select,
    meter: Meter<'a>,
    lookback_ms: i64,
    /// Numbers of nodes that are evaluated once for several places.
    uses: HashMap<usize, u32>,
    /// Where the first one of each stands.
    first: HashMap<usize, (usize, usize)>,
}

impl<'a> Describer<'a> {
    pub(super) fn new(
        engine: &Engine,
        query: Query<'a>,
        store: &'a dyn Select,
        budget: &'a Budget<'a>,
        root: &Node,
    ) -> Self {
        let uses = if engine.options.share_equal { uses(root) } else { HashMap::new() };
        let (meter, lookback_ms) = (Meter::new(budget), engine.options.lookback_ms);
        Self { query, store, meter, lookback_ms, uses, first: HashMap::new() }
    }

    /// The operator that `node` is, evaluated at `steps`.
    pub(super) fn describe(&mut self, node: &Node, steps: &Steps) -> Result<Operator, EvalError> {
        if let NodeKind::Invariant(inner) = &node.kind {
            let once = self.describe(inner, &Steps::instant(steps.start))?;
            return Ok(Operator { is_once: true, ..once });
        }
        self.meter.check()?;
        let position = place(self.query, node.span);
        let shared = self.shared(node, position);
        let is_again = matches!(shared, Some(Shared::As(..)));
        let (selects, inputs) = match is_again {
            true => (None, Vec::new()),
            false => (self.selects(node, steps)?, self.inputs(node, steps)?),
        };
        Ok(Operator {
            words: words::of(node, self.lookback_ms),
            span: node.span,
            text: self.query.text.get(node.span.start..node.span.end).unwrap_or("").to_owned(),
            position,
            selects,
            is_once: false,
            shared,
            inputs,
        })
    }

    fn shared(&mut self, node: &Node, position: (usize, usize)) -> Option<Shared> {
        let places = *self.uses.get(&node.id)?;
        match self.first.insert(node.id, position) {
            None => Some(Shared::First(places)),
            Some(first) => {
                self.first.insert(node.id, first);
                Some(Shared::As(first.0, first.1))
            }
        }
    }

    fn inputs(&mut self, node: &Node, steps: &Steps) -> Result<Vec<Operator>, EvalError> {
        let steps = match &node.kind {
            NodeKind::Range(Range { source: RangeSource::Subquery(subquery), range_ms }) => {
                own_steps(subquery, *range_ms, steps)
            }
            _ => *steps,
        };
        node.inputs().into_iter().map(|input| self.describe(input, &steps)).collect()
    }

    fn selects(&self, node: &Node, steps: &Steps) -> Result<Option<Selected>, EvalError> {
        match &node.kind {
            NodeKind::Select(select) => self.selected(select, None, steps).map(Some),
            NodeKind::Range(Range { source: RangeSource::Select(select), range_ms }) => {
                self.selected(select, Some(*range_ms), steps).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn selected(
        &self,
        select: &plan::Select,
        range_ms: Option<i64>,
        steps: &Steps,
    ) -> Result<Selected, EvalError> {
        let (back_ms, ahead_ms) = reach(select, range_ms, self.lookback_ms);
        let last = steps.time(steps.count().saturating_sub(1));
        let (first, last) = (select.shift.apply(steps.start), select.shift.apply(last));
        // A window does not have its start.
        let start = first.ms().saturating_sub(back_ms).saturating_add(1);
        let end = last.ms().saturating_add(ahead_ms);
        let range = TimeRange::new(Timestamp::from_ms(start), Timestamp::from_ms(end));
        let is_empty = steps.count() == 0 || start > end;
        let series = match is_empty {
            true => 0,
            false => self.store.resolve(range, &select.matchers)?.series.len(),
        };
        let matchers: Vec<_> = select.matchers.iter().map(ToString::to_string).collect();
        Ok(Selected { matchers: format!("{{{}}}", matchers.join(", ")), range, series })
    }
}
