//! Which data a plan's value at a step depends on, and whether on data alone.
//!
//! A value that was computed for a grid of steps may stand in another grid if it does not depend on
//! which steps are computed with it. That holds for all that is evaluated here except:
//! - `info` asks which identifying labels any series has at any step;
//! - a parameter of an aggregation (`topk(scalar(x), y)`) is checked over all steps at once;
//! - a range function of several metrics fails if two of its series are the same without their
//!   names, at whatever steps.

use tsdb::model::{METRIC_NAME, MatchOp, Matcher};

use super::{Call, Node, NodeKind, Range, RangeSource, Select, Shift};
use crate::ast::{AggregateOp, Grouping, RangeExtension};

/// The times whose samples a plan looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sight {
    /// From the step's time, in milliseconds: the earliest and the latest.
    pub(crate) moving: Option<(i64, i64)>,
    /// The same at each step (`@`): the earliest and the latest.
    pub(crate) fixed: Option<(i64, i64)>,
}

/// When a node is evaluated: within so many milliseconds from the step's time, or of the epoch.
#[derive(Clone, Copy)]
enum When {
    Moving(i64, i64),
    Fixed(i64, i64),
}

impl When {
    /// Moved as a selector or a subquery is.
    fn shifted(self, shift: Shift) -> Self {
        let moved = |time: i64| time.saturating_sub(shift.offset_ms);
        match (shift.at, self) {
            (Some(at), _) => Self::Fixed(moved(at.ms()), moved(at.ms())),
            (None, Self::Moving(first, last)) => Self::Moving(moved(first), moved(last)),
            (None, Self::Fixed(first, last)) => Self::Fixed(moved(first), moved(last)),
        }
    }

    /// Reaching farther back and ahead.
    fn widened(self, back_ms: i64, ahead_ms: i64) -> Self {
        let wide =
            |first: i64, last: i64| (first.saturating_sub(back_ms), last.saturating_add(ahead_ms));
        match self {
            Self::Moving(first, last) => {
                let (first, last) = wide(first, last);
                Self::Moving(first, last)
            }
            Self::Fixed(first, last) => {
                let (first, last) = wide(first, last);
                Self::Fixed(first, last)
            }
        }
    }
}

impl Sight {
    /// What `node` looks at, no less; `None` if its value at a step depends on other steps.
    pub(crate) fn of(node: &Node, lookback_ms: i64) -> Option<Self> {
        let mut sight = Self::default();
        sight.add(node, When::Moving(0, 0), lookback_ms)?;
        Some(sight)
    }

    fn add(&mut self, node: &Node, when: When, lookback_ms: i64) -> Option<()> {
        match &node.kind {
            NodeKind::Number(_) | NodeKind::Text(_) => Some(()),
            NodeKind::Select(select) => {
                let (back_ms, ahead_ms) = reach(select, None, lookback_ms);
                self.note(when.shifted(select.shift).widened(back_ms, ahead_ms));
                Some(())
            }
            NodeKind::Range(range) => self.add_range(range, when, lookback_ms),
            NodeKind::Aggregate(aggregate) => {
                if !aggregate.param.as_ref().is_none_or(is_constant) {
                    return None;
                }
                let nodes = [Some(&aggregate.input), aggregate.param.as_ref()];
                nodes.into_iter().flatten().try_for_each(|own| self.add(own, when, lookback_ms))
            }
            NodeKind::Binary(binary) => {
                self.add(&binary.left, when, lookback_ms)?;
                self.add(&binary.right, when, lookback_ms)
            }
            NodeKind::Negate(inner) | NodeKind::Plus(inner) | NodeKind::Invariant(inner) => {
                self.add(inner, when, lookback_ms)
            }
            NodeKind::Call(Call { function, args }) => {
                let is_of_all_steps = function.name == "info";
                (!is_of_all_steps).then_some(())?;
                args.iter().try_for_each(|arg| self.add(arg, when, lookback_ms))
            }
        }
    }

    fn add_range(&mut self, range: &Range, when: When, lookback_ms: i64) -> Option<()> {
        let when = when.shifted(range.shift());
        match &range.source {
            RangeSource::Select(select) if has_many_names(select) => None,
            RangeSource::Subquery(subquery) if may_have_names(&subquery.node) => None,
            RangeSource::Select(select) => {
                let (back_ms, ahead_ms) = reach(select, Some(range.range_ms), lookback_ms);
                self.note(when.widened(back_ms, ahead_ms));
                Some(())
            }
            RangeSource::Subquery(subquery) => {
                self.add(&subquery.node, when.widened(range.range_ms, 0), lookback_ms)
            }
        }
    }

    fn note(&mut self, when: When) {
        let join = |known: &mut Option<(i64, i64)>, first: i64, last: i64| {
            let (known_first, known_last) = known.unwrap_or((first, last));
            *known = Some((first.min(known_first), last.max(known_last)));
        };
        match when {
            When::Moving(first, last) => join(&mut self.moving, first, last),
            When::Fixed(first, last) => join(&mut self.fixed, first, last),
        }
    }
}

/// Whether a selector may find series of several metrics.
fn has_many_names(select: &Select) -> bool {
    let names_one = |own: &Matcher| own.name() == METRIC_NAME && own.op() == MatchOp::Equal;
    !select.matchers.iter().any(names_one)
}

/// Whether a vector may have series of several metrics, with their names.
fn may_have_names(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Select(select) => has_many_names(select),
        NodeKind::Plus(inner) | NodeKind::Invariant(inner) => may_have_names(inner),
        NodeKind::Number(_) | NodeKind::Text(_) | NodeKind::Range(_) | NodeKind::Negate(_) => false,
        NodeKind::Binary(binary) => may_have_names(&binary.left) || may_have_names(&binary.right),
        NodeKind::Aggregate(aggregate) => {
            let is_grouped_by_name = match &aggregate.grouping {
                Grouping::By(names) => names.iter().any(|name| name == METRIC_NAME),
                Grouping::Without(_) => false,
            };
            let keeps_series = matches!(
                aggregate.op,
                AggregateOp::Topk
                    | AggregateOp::Bottomk
                    | AggregateOp::Limitk
                    | AggregateOp::LimitRatio
            );
            is_grouped_by_name || keeps_series && may_have_names(&aggregate.input)
        }
        NodeKind::Call(call) => match call.function.name {
            "label_replace" | "label_join" => true,
            // What they look at is asked for as any range is.
            "last_over_time" | "first_over_time" => false,
            name if name.starts_with("sort") => call.args.iter().any(may_have_names),
            _ => false,
        },
    }
}

/// How far a selector (of a range, or of the newest sample) looks back and ahead, in milliseconds.
/// A range with values at its borders looks beyond them.
pub(crate) fn reach(select: &Select, range_ms: Option<i64>, lookback_ms: i64) -> (i64, i64) {
    let back_ms = match (range_ms, select.extension) {
        (None, _) => lookback_ms,
        (Some(range_ms), None) => range_ms,
        (Some(range_ms), Some(_)) => range_ms.saturating_add(lookback_ms),
    };
    let is_smoothed = select.extension == Some(RangeExtension::Smoothed);
    (back_ms, if is_smoothed { lookback_ms } else { 0 })
}

/// Whether a parameter is the same at each step.
fn is_constant(node: &Node) -> bool {
    match &node.kind {
        NodeKind::Number(_) | NodeKind::Text(_) | NodeKind::Invariant(_) => true,
        NodeKind::Negate(inner) => is_constant(inner),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::EngineOptions;
    use crate::notes::Notes;
    use crate::parse::Features;
    use crate::plan::{Context, lower};
    use crate::value::Steps;
    use tsdb::model::Timestamp;

    /// A query, and in seconds what it looks at, with a lookback of 5 s.
    type Row = (&'static str, Option<(Option<(i64, i64)>, Option<(i64, i64)>)>);

    #[test]
    fn what_a_plan_looks_at() {
        let moving = |first, last| Some((Some((first, last)), None));
        let rows: [Row; 23] = [
            ("1", Some((None, None))),
            ("time()", Some((None, None))),
            ("x", moving(-5, 0)),
            ("x offset 10s", moving(-15, -10)),
            ("x offset -10s", moving(5, 10)),
            ("x smoothed", moving(-5, 5)),
            ("rate(x[1m])", moving(-60, 0)),
            ("rate(x[1m] anchored)", moving(-65, 0)),
            ("rate(x[1m] smoothed)", moving(-65, 5)),
            ("x + rate(y[1m] offset -1m)", moving(-5, 60)),
            ("max_over_time(rate(x[1m])[10m:1m])", moving(-660, 0)),
            ("max_over_time((x offset -1m)[10m:1m] offset 5m)", moving(-845, -240)),
            ("x @ 100", Some((None, Some((95, 100))))),
            ("x + sum_over_time(y[1m] @ 100 offset 1m)", Some((Some((-5, 0)), Some((-20, 40))))),
            ("max_over_time(x[1m:1s] @ 100)", Some((None, Some((35, 100))))),
            ("topk(scalar(x), y)", None),
            ("{job=\"x\"}", moving(-5, 0)),
            ("rate({job=\"x\"}[1m])", None),
            ("max_over_time({__name__=~\"x|y\"}[1m:1s])", None),
            ("max_over_time(({job=\"x\"} > 1)[1m:1s])", None),
            ("max_over_time(topk(1, {job=\"x\"})[1m:1s])", None),
            ("max_over_time(sum({job=\"x\"})[1m:1s])", moving(-65, 0)),
            ("max_over_time((-{job=\"x\"})[1m:1s])", moving(-65, 0)),
        ];
        let options = EngineOptions { lookback_ms: 5000, ..EngineOptions::default() };
        let time = Timestamp::from_ms;
        let steps = Steps { start: time(0), end: time(100), step_ms: 1 };
        for (text, expected) in rows {
            let expr = crate::parse(text, &Features::ALL).expect("a query");
            let context = Context::of_range(&options, &steps);
            let node = lower(&expr, &context, &mut Notes::default()).expect("a plan");
            let sight = Sight::of(&node, options.lookback_ms);
            let seconds = |own: Option<(i64, i64)>| own.map(|(a, b)| (a / 1000, b / 1000));
            let sight = sight.map(|own| (seconds(own.moving), seconds(own.fixed)));
            assert_eq!(sight, expected, "{text}");
        }
    }
}
