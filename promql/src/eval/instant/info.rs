//! `info`: adds the labels of info metrics (`target_info`, `build_info`) to series.
//!
//! 1. Info series are found by the second argument's matchers, at the time that the first
//!    argument's selector looks at.
//! 2. A series and an info series belong together if they agree in `instance` and `job`, and the
//!    series has those of the two that any series of the vector has.
//! 3. At each step, of several info series with the same name the one with the newest sample
//!    counts. Its labels are added: those that the second argument names, or all; none that the
//!    series has already.

use std::collections::{BTreeMap, HashMap};

use tsdb::model::{Labels, METRIC_NAME, MatchOp, Matcher, Timestamp};

use crate::ast::Span;
use crate::error::EvalError;
use crate::eval::Evaluator;
use crate::eval::column::Column;
use crate::eval::select::{self, SamplePart};
use crate::eval::series::{StepSeries, StepVector, metric_name};
use crate::plan::{Call, Node, NodeKind, RangeSource, Select, Shift};
use crate::value::Steps;

/// Labels by which series and info series find each other.
const IDENTIFYING: [&str; 2] = ["instance", "job"];
/// The info metric that is meant if none is named.
const DEFAULT_NAME: &str = "target_info";
/// What the names of info metrics look like.
const ANY_NAME: &str = ".+_info";

pub(super) fn info(
    evaluator: &mut Evaluator<'_>,
    call: &Call,
    steps: &Steps,
) -> Result<StepVector, EvalError> {
    let vector = evaluator.vector(&call.args[0], steps)?;
    let selector = Selector::new(call.args.get(1));
    let known = IDENTIFYING.map(|name| vector.iter().any(|own| own.labels.get(name).is_some()));
    if !known.contains(&true) {
        return Ok(vector.into_iter().filter(|_| selector.allows_none()).collect());
    }
    let shift = shift(&call.args[0]).unwrap_or(Shift { at: None, offset_ms: 0 });
    let infos = Infos::read(evaluator, &selector, shift, steps)?;
    let mut output = StepVector::new();
    for series in vector {
        let name = metric_name(&series.labels);
        let is_info = !selector.names.is_empty()
            && selector.names.iter().all(|matcher| matcher.matches(name));
        let has_all = |(name, known): (&str, bool)| !known || series.labels.get(name).is_some();
        match (is_info, IDENTIFYING.into_iter().zip(known).all(has_all)) {
            (true, _) => output.push(series),
            (false, true) => output.extend(infos.enrich(&series, &selector)?),
            (false, false) if selector.allows_none() => output.push(series),
            (false, false) => {}
        }
    }
    Ok(output)
}

/// What the second argument asks for.
struct Selector {
    /// Conditions on the info metric's name.
    names: Vec<Matcher>,
    /// Conditions on other labels; if there are any, only these labels are added.
    data: Vec<Matcher>,
}

impl Selector {
    fn new(node: Option<&Node>) -> Self {
        let Some(node) = node else {
            return Self {
                names: vec![Matcher::equal(METRIC_NAME, DEFAULT_NAME)],
                data: Vec::new(),
            };
        };
        let matchers = match &node.kind {
            NodeKind::Select(select) => select.matchers.clone(),
            NodeKind::Invariant(inner) => return Self::new(Some(inner)),
            _ => Vec::new(),
        };
        let (mut names, data): (Vec<_>, _) =
            matchers.into_iter().partition(|matcher| matcher.name() == METRIC_NAME);
        let is_positive =
            |matcher: &Matcher| matches!(matcher.op(), MatchOp::Equal | MatchOp::Regex);
        if !names.is_empty() && !names.iter().any(is_positive) {
            // Only what it must not be: any other info metric.
            names.extend(Matcher::new(MatchOp::Regex, METRIC_NAME, ANY_NAME).ok());
        }
        Self { names, data }
    }

    fn matchers(&self) -> Vec<Matcher> {
        let default = Matcher::equal(METRIC_NAME, DEFAULT_NAME);
        let default = self.names.is_empty().then_some(default);
        default.into_iter().chain(self.names.clone()).chain(self.data.clone()).collect()
    }

    /// Whether a series without info series is in the result.
    fn allows_none(&self) -> bool {
        self.data.iter().all(Matcher::matches_empty)
    }

    fn wants(&self, label: &str) -> bool {
        self.data.is_empty() || self.data.iter().any(|matcher| matcher.name() == label)
    }
}

/// How the first selector below `node` moves the time.
fn shift(node: &Node) -> Option<Shift> {
    match &node.kind {
        NodeKind::Number(_) | NodeKind::Text(_) => None,
        NodeKind::Select(select) => Some(select.shift),
        NodeKind::Range(range) => match &range.source {
            RangeSource::Select(select) => Some(select.shift),
            RangeSource::Subquery(subquery) => {
                shift(&subquery.node).map(|inner| within(subquery.shift, inner))
            }
        },
        NodeKind::Aggregate(aggregate) => shift(&aggregate.input),
        NodeKind::Binary(binary) => shift(&binary.left).or_else(|| shift(&binary.right)),
        NodeKind::Negate(inner) | NodeKind::Plus(inner) | NodeKind::Invariant(inner) => {
            shift(inner)
        }
        NodeKind::Call(call) => call.args.iter().find_map(shift),
    }
}

fn within(outer: Shift, inner: Shift) -> Shift {
    match inner.at {
        Some(_) => inner,
        None => Shift { at: outer.at, offset_ms: outer.offset_ms.saturating_add(inner.offset_ms) },
    }
}

/// Info series, with the time of the sample that counts at each step.
struct Infos {
    series: StepVector,
    /// By identifying labels, then by name.
    by_identity: HashMap<Labels, BTreeMap<String, Vec<usize>>>,
}

impl Infos {
    fn read(
        evaluator: &mut Evaluator<'_>,
        selector: &Selector,
        shift: Shift,
        steps: &Steps,
    ) -> Result<Self, EvalError> {
        let matchers = selector.matchers();
        let select = Select { matchers, shift, extension: None, counts_only: false };
        for series in select::vector(evaluator, &select, SamplePart::Value, Span::default(), steps)?
        {
            if series.column.has_histograms() {
                let labels = series.labels;
                return Err(EvalError::Execution(format!(
                    "this should be an info metric, with float samples: {labels}"
                )));
            }
        }
        let series =
            select::vector(evaluator, &select, SamplePart::Timestamp, Span::default(), steps)?;
        let mut by_identity: HashMap<Labels, BTreeMap<String, Vec<usize>>> = HashMap::new();
        for (index, own) in series.iter().enumerate() {
            let by_name = by_identity.entry(identity(&own.labels)).or_default();
            by_name.entry(metric_name(&own.labels).to_owned()).or_default().push(index);
        }
        Ok(Self { series, by_identity })
    }

    /// The series with the labels that its info series have at each step.
    fn enrich(&self, series: &StepSeries, selector: &Selector) -> Result<StepVector, EvalError> {
        let none = BTreeMap::new();
        let candidates = self.by_identity.get(&identity(&series.labels)).unwrap_or(&none);
        let mut columns: BTreeMap<Vec<usize>, Column> = BTreeMap::new();
        for (step, cell) in series.column.cells() {
            let mut chosen = Vec::new();
            for infos in candidates.values() {
                chosen.extend(self.newest(infos, step)?);
            }
            if chosen.is_empty() && !selector.allows_none() {
                continue;
            }
            let empty = || Column::empty(series.column.steps());
            let column = columns.entry(chosen).or_insert_with(empty);
            column.set_value(step, cell.into());
        }
        let enriched = columns.into_iter().map(|(chosen, column)| {
            let labels = self.labels(&series.labels, &chosen, selector)?;
            Ok(StepSeries { labels, drop_name: series.drop_name, column })
        });
        enriched.collect()
    }

    /// Of info series with the same name, the one with the newest sample.
    fn newest(&self, infos: &[usize], step: usize) -> Result<Option<usize>, EvalError> {
        let mut newest: Option<(usize, f64)> = None;
        for index in infos {
            let Some(time) = self.series[*index].column.float(step) else { continue };
            match newest {
                Some((_, other)) if other > time => {}
                Some((other, at)) if at == time => {
                    return Err(self.duplicate(other, *index, time));
                }
                _ => newest = Some((*index, time)),
            }
        }
        Ok(newest.map(|(index, _)| index))
    }

    fn duplicate(&self, existing: usize, new: usize, seconds: f64) -> EvalError {
        let ms = Timestamp::from_ms((seconds * 1000.0).round() as i64).ms();
        let (existing, new) = (&self.series[existing].labels, &self.series[new].labels);
        EvalError::Execution(format!(
            "found duplicate series for info metric: existing {existing} @ {ms}, new {new} @ {ms}"
        ))
    }

    fn labels(
        &self,
        base: &Labels,
        chosen: &[usize],
        selector: &Selector,
    ) -> Result<Labels, EvalError> {
        let mut added: BTreeMap<&str, &str> = BTreeMap::new();
        for index in chosen {
            for (name, value) in self.series[*index].labels.iter() {
                if name == METRIC_NAME || !selector.wants(name) || base.get(name).is_some() {
                    continue;
                }
                if *added.entry(name).or_insert(value) != value {
                    return Err(EvalError::Execution(format!("conflicting label: {name}")));
                }
            }
        }
        let mut builder = base.to_builder();
        for (name, value) in added {
            builder.set(name, value);
        }
        Ok(builder.build())
    }
}

fn identity(labels: &Labels) -> Labels {
    labels.filtered(|name| IDENTIFYING.contains(&name))
}
