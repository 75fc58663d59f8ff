//! Arithmetic and comparisons between two vectors.
//!
//! Series with the same matching labels make a match. One side has one series at most at each step
//! (the right one, or the left one of `group_right`): the **one side**. The other, the **many
//! side**, has one too unless grouping was asked for. For each match:
//! 1. the one side's series at each step is found; two at a step are an error, even if there is
//!    nothing on the other side of this match;
//! 2. each series of the many side is combined with it, column by column;
//! 3. two results of a match at the same step with the same labels are an error, also if a
//!    comparison filters them out. One to one, any two are.
//!
//! Errors are those of the first step that has one, as if steps were evaluated one by one.

use std::collections::HashMap;

use tsdb::model::Labels;

use super::pair::{floats, with_histograms};
use super::signature::{Match, matches, matching_labels};
use super::{Evaluator, changes_meaning, without_metadata};
use crate::ast::{Cardinality, MatchingLabels, Span, VectorMatching};
use crate::error::EvalError;
use crate::eval::column::{Cell, Column, Presence};
use crate::eval::series::{StepSeries, StepVector};
use crate::notes::Notes;
use crate::plan::Binary;

pub(super) fn evaluate(
    evaluator: &mut Evaluator<'_>,
    binary: &Binary,
    matching: &VectorMatching,
    left: StepVector,
    right: StepVector,
    span: Span,
) -> Result<StepVector, EvalError> {
    let Some(first) = left.first().or(right.first()) else { return Ok(Vec::new()) };
    let steps = first.column.steps();
    let swapped = matching.cardinality == Cardinality::OneToMany;
    let found = matches(&left, &right, &matching.labels);
    let (many, one) = if swapped { (right, left) } else { (left, right) };
    let active = active_steps(&many, &one, matching, steps);
    let matcher = Matcher {
        binary,
        matching,
        many: &many,
        one: &one,
        active,
        swapped,
        // Also with `group_right`: the sides are swapped, their fillings are not (as in Prometheus).
        fill_many: matching.fill_left,
        fill_one: matching.fill_right,
        drop_name: binary.returns_bool,
        delayed: evaluator.options.delayed_name_removal,
        span,
    };
    let mut output = Vec::with_capacity(many.len());
    let mut failure = Failure::default();
    for found in &found {
        matcher.evaluate(found, &mut output, &mut failure, &mut evaluator.notes);
    }
    failure.result()?;
    Ok(output)
}

/// Steps at which anything happens: with an empty side there is none, unless it can be filled.
fn active_steps(
    many: &StepVector,
    one: &StepVector,
    matching: &VectorMatching,
    steps: usize,
) -> Presence {
    let there = |vector: &StepVector| {
        let mut there = Presence::none(steps);
        vector.iter().for_each(|series| there.union(series.column.present()));
        there
    };
    let mut active = there(many);
    if matching.fill_left.is_some() || matching.fill_right.is_some() {
        active.union(&there(one));
    } else {
        active.intersect(&there(one));
    }
    active
}

/// The error of the earliest step.
#[derive(Default)]
struct Failure(Option<(usize, EvalError)>);

impl Failure {
    fn at(&mut self, step: usize, error: impl FnOnce() -> EvalError) {
        if self.0.as_ref().is_none_or(|(earliest, _)| step < *earliest) {
            self.0 = Some((step, error()));
        }
    }

    fn result(self) -> Result<(), EvalError> {
        self.0.map_or(Ok(()), |(_, error)| Err(error))
    }
}

struct Matcher<'a> {
    binary: &'a Binary,
    matching: &'a VectorMatching,
    many: &'a StepVector,
    one: &'a StepVector,
    active: Presence,
    /// The one side is the left one.
    swapped: bool,
    /// Values that stand for a missing series of either side.
    fill_many: Option<f64>,
    fill_one: Option<f64>,
    drop_name: bool,
    delayed: bool,
    span: Span,
}

/// The results of one match.
struct Results<'a> {
    /// By the indexes of the series that were combined, `None` for a filled side.
    columns: Vec<(Option<usize>, Option<usize>, Column)>,
    /// Steps that have a result, filtered or not.
    matched: Presence,
    /// The same for each label set, if results may differ in labels.
    by_labels: HashMap<Labels, Presence>,
    failure: &'a mut Failure,
}

impl Matcher<'_> {
    fn evaluate(
        &self,
        found: &Match,
        output: &mut StepVector,
        failure: &mut Failure,
        notes: &mut Notes,
    ) {
        let (many, one) = match self.swapped {
            true => (&found.right, &found.left),
            false => (&found.left, &found.right),
        };
        let steps = self.active.steps();
        let ones = self.one_side(found, one, failure);
        let matched = Presence::none(steps);
        let mut results =
            Results { columns: Vec::new(), matched, by_labels: HashMap::new(), failure };
        for index in many {
            let column = &self.many[*index].column;
            for (step, cell) in column.cells().filter(|(step, _)| self.active.contains(*step)) {
                let partner = ones[step];
                let partner_cell = match partner {
                    Some(one) => self.one[one].column.get(step),
                    None => self.fill_one.map(Cell::Float),
                };
                if let Some(partner_cell) = partner_cell {
                    let sides = (Some(*index), partner);
                    self.add(&mut results, sides, step, (cell, partner_cell), notes);
                }
            }
        }
        if let Some(fill) = self.fill_many {
            for step in self.active.iter() {
                let Some(one) = ones[step].filter(|_| !results.matched.contains(step)) else {
                    continue;
                };
                if let Some(cell) = self.one[one].column.get(step) {
                    let cells = (Cell::Float(fill), cell);
                    self.add(&mut results, (None, Some(one)), step, cells, notes);
                }
            }
        }
        for (many, one, column) in results.columns {
            let labels = self.result_labels(many, one);
            output.push(StepSeries { labels, drop_name: self.drops_name(many), column });
        }
    }

    /// The one side's series at each step.
    fn one_side(
        &self,
        found: &Match,
        series: &[usize],
        failure: &mut Failure,
    ) -> Vec<Option<usize>> {
        let mut ones: Vec<Option<usize>> = vec![None; self.active.steps()];
        for index in series {
            for step in self.one[*index].column.present().iter() {
                match ones[step] {
                    None => ones[step] = Some(*index),
                    Some(earlier) if self.active.contains(step) => {
                        failure.at(step, || self.duplicate(found, *index, earlier));
                    }
                    Some(_) => {}
                }
            }
        }
        ones
    }

    fn duplicate(&self, found: &Match, later: usize, earlier: usize) -> EvalError {
        let side = if self.swapped { "left" } else { "right" };
        let (a, b) = (&self.one[earlier].labels, &self.one[later].labels);
        let (first, second) = if a <= b { (a, b) } else { (b, a) };
        let group = &found.labels;
        EvalError::Execution(format!(
            "found duplicate series for the match group {group} on the {side} hand-side of the \
             operation: [{first}, {second}];many-to-many matching not allowed: matching labels \
             must be unique on one side"
        ))
    }

    /// Combines two values of a step.
    fn add(
        &self,
        results: &mut Results<'_>,
        sides: (Option<usize>, Option<usize>),
        step: usize,
        (many, one): (Cell<'_>, Cell<'_>),
        notes: &mut Notes,
    ) {
        let (left, right) = if self.swapped { (one, many) } else { (many, one) };
        let op = self.binary.op;
        if let Some((value, keep)) = floats(op, left, right) {
            self.put(results, sides, step, keep, |column| column.set(step, value));
        } else if let Some((value, keep)) = with_histograms(notes, op, left, right, self.span) {
            self.put(results, sides, step, keep, |column| column.set_value(step, value));
        }
    }

    /// Puts a result in its column, unless a comparison filters it out.
    #[inline]
    fn put(
        &self,
        results: &mut Results<'_>,
        sides: (Option<usize>, Option<usize>),
        step: usize,
        keep: bool,
        set: impl FnOnce(&mut Column),
    ) {
        self.claim(results, sides, step);
        let returns_bool = self.binary.returns_bool;
        if !keep && !returns_bool {
            return;
        }
        let known = results.columns.last().is_some_and(|(many, one, _)| (*many, *one) == sides);
        if !known {
            let column = Column::empty(self.active.steps());
            results.columns.push((sides.0, sides.1, column));
        }
        match results.columns.last_mut() {
            Some((_, _, column)) if returns_bool => column.set(step, f64::from(u8::from(keep))),
            Some((_, _, column)) => set(column),
            None => {}
        }
    }

    /// Notes that the match has a result at this step, which fails if it has one already.
    fn claim(&self, results: &mut Results<'_>, sides: (Option<usize>, Option<usize>), step: usize) {
        let taken = results.matched.contains(step);
        results.matched.insert(step);
        if self.matching.cardinality == Cardinality::OneToOne {
            if taken {
                results.failure.at(step, || {
                    EvalError::execution(
                        "multiple matches for labels: many-to-one matching must be explicit \
                         (group_left/group_right)",
                    )
                });
            }
            return;
        }
        let labels = self.result_labels(sides.0, sides.1);
        let none = || Presence::none(self.active.steps());
        let own = results.by_labels.entry(labels).or_insert_with(none);
        if own.contains(step) {
            results.failure.at(step, || {
                EvalError::execution(
                    "multiple matches for labels: grouping labels must ensure unique matches",
                )
            });
        }
        own.insert(step);
    }

    fn drops_name(&self, many: Option<usize>) -> bool {
        let kept_name = many.is_some_and(|many| self.many[many].drop_name);
        self.drop_name || kept_name && !changes_meaning(self.binary.op)
    }

    /// The many side's labels (a filled side has the matching ones only), with those that
    /// `group_…` copies from the one side.
    fn result_labels(&self, many: Option<usize>, one: Option<usize>) -> Labels {
        let matching = &self.matching.labels;
        let of = |own: Option<&StepSeries>, other: Option<&StepSeries>| match (own, other) {
            (Some(series), _) => series.labels.clone(),
            (None, Some(other)) => matching_labels(&other.labels, matching),
            (None, None) => Labels::empty(),
        };
        let many = many.map(|index| &self.many[index]);
        let one = one.map(|index| &self.one[index]);
        let (many, one) = (of(many, one), of(one, many));
        let drop_now = changes_meaning(self.binary.op) || self.binary.returns_bool && !self.delayed;
        let mut labels = if drop_now { without_metadata(&many) } else { many };
        if self.matching.cardinality == Cardinality::OneToOne {
            labels = match matching {
                MatchingLabels::On(_) => matching_labels(&labels, matching),
                MatchingLabels::Ignoring(names) => {
                    labels.filtered(|name| !names.iter().any(|own| own == name))
                }
            };
        }
        if self.matching.include.is_empty() {
            return labels;
        }
        let mut builder = labels.to_builder();
        for name in &self.matching.include {
            builder.set(name.as_str(), one.get(name).unwrap_or(""));
        }
        builder.build()
    }
}
