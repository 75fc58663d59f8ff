//! Commands → a report.

use tsdb::model::{Labels, Timestamp};

use super::TestStore;
use super::annotation;
use super::compare;
use super::pin::pin;
use super::report::{Case, Report};
use super::script::{self, Command, Eval, EvalTime, Load, ScriptError};
use crate::ast::{Expr, ExprKind};
use crate::value::{Answer, InstantSample, Steps, Value};
use crate::{Engine, EngineOptions, EvalError, Features, Query, parse};

/// Half of the range query that an instant case is run in, and its step, in milliseconds.
const AROUND_MS: i64 = 60_000;

/// Under which conditions a script is run.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The engine's options.
    pub engine: EngineOptions,
    /// Which parts of the language are on.
    pub features: Features,
}

impl Default for Settings {
    /// Those of Prometheus's own runner: everything on, at most 10 000 samples a query.
    fn default() -> Self {
        let engine = EngineOptions {
            samples_max: 10_000,
            delayed_name_removal: true,
            use_start_timestamps: true,
            ..EngineOptions::default()
        };
        Self { engine, features: Features::ALL }
    }
}

/// Runs a script on stores that `make` gives: one at the start, one after each `clear`.
pub fn run<S: TestStore>(
    text: &str,
    settings: &Settings,
    mut make: impl FnMut() -> Result<S, String>,
) -> Result<Report, ScriptError> {
    let commands = script::parse(text)?;
    let no_store = |what: String| ScriptError { line: 0, what };
    let mut data = Data::new(make().map_err(no_store)?);
    let engine = Engine::new(settings.engine.clone());
    let mut report = Report::default();
    for command in commands {
        match command {
            Command::Clear => data = Data::new(make().map_err(no_store)?),
            Command::Load(load) => data.load(load),
            Command::Eval(eval) => {
                let runner = Runner { engine: &engine, settings, data: &data, eval: &eval };
                report.cases.push(runner.case());
            }
        }
    }
    Ok(report)
}

/// A store and what is known about what was loaded.
struct Data<S> {
    store: S,
    /// Series that could not be loaded, and why.
    missing: Vec<(Labels, String)>,
}

impl<S: TestStore> Data<S> {
    fn new(store: S) -> Self {
        Self { store, missing: Vec::new() }
    }

    fn load(&mut self, load: Load) {
        if let Err(error) = self.store.load(&load.series) {
            let all = load.series.into_iter().map(|series| series.labels);
            self.missing.extend(all.map(|labels| (labels, error.clone())));
        }
    }
}

struct Runner<'a, S> {
    engine: &'a Engine,
    settings: &'a Settings,
    data: &'a Data<S>,
    eval: &'a Eval,
}

impl<S: TestStore> Runner<'_, S> {
    fn case(&self) -> Case {
        let outcome = match parse(&self.eval.text, &self.settings.features) {
            Err(error) => self.failed(&error.to_string()),
            Ok(expr) => self.check(&expr),
        };
        let query = self.eval.text.clone();
        Case { line: self.eval.line, query, failure: outcome.err() }
    }

    fn check(&self, expr: &Expr) -> Result<(), String> {
        let lost = self.data.missing.iter().find(|(labels, _)| reaches(expr, labels));
        if let Some((labels, why)) = lost {
            return Err(format!("{labels} was not loaded: {why}"));
        }
        match self.eval.time {
            EvalTime::Range(steps) => self.range(expr, steps),
            EvalTime::Instant(time) => {
                let eval_time = self.eval.matrix.map_or(time, |steps| steps.end);
                self.instant(&self.eval.text, expr, eval_time)?;
                self.pinned(expr, eval_time)
            }
        }
    }

    fn range(&self, expr: &Expr, steps: Steps) -> Result<(), String> {
        match self.ask_range(&self.eval.text, expr, steps) {
            Err(error) => self.failed(&error.to_string()),
            Ok(answer) => self.judge(&answer),
        }
    }

    /// The same with each selector pinned to `time`, evaluated at other times.
    fn pinned(&self, expr: &Expr, time: Timestamp) -> Result<(), String> {
        let Some(pinned) = pin(expr, time) else { return Ok(()) };
        let text = pinned.to_string();
        let expr = parse(&text, &self.settings.features)
            .map_err(|error| format!("{text}, printed with @, is no query: {error}"))?;
        let ms = time.ms();
        let times = match ms {
            0 => vec![-1000, 0, 1000],
            _ => vec![-10 * ms, 0, ms / 5, ms, 10 * ms],
        };
        for ms in times {
            self.instant(&text, &expr, Timestamp::from_ms(ms))
                .map_err(|error| format!("as {text} at {ms} ms: {error}"))?;
        }
        Ok(())
    }

    fn instant(&self, text: &str, expr: &Expr, time: Timestamp) -> Result<(), String> {
        let query = Query { text, expr };
        let store = self.data.store.select();
        let answer = match self.engine.instant(query, store, time, &self.engine.budget()) {
            Err(error) => return self.failed(&error.to_string()),
            Ok(answer) => answer,
        };
        self.judge(&answer)?;
        let excluded = self.eval.matrix.is_some() || self.eval.string.is_some();
        let of_the_query = ["start()", "end()", "range()", "step()"];
        if excluded || of_the_query.iter().any(|call| text.contains(call)) {
            return Ok(());
        }
        self.in_range(text, expr, time, &answer).map_err(|error| format!("in a range: {error}"))
    }

    /// The same as the middle step of a range query.
    fn in_range(
        &self,
        text: &str,
        expr: &Expr,
        time: Timestamp,
        instant: &Answer,
    ) -> Result<(), String> {
        let (start, end) = (time.plus_ms(-AROUND_MS), time.plus_ms(AROUND_MS));
        let answer = self
            .ask_range(text, expr, Steps { start, end, step_ms: AROUND_MS })
            .map_err(|error| error.to_string())?;
        let Value::Matrix(matrix) = answer.value else { return Err("not a matrix".into()) };
        if self.eval.ordered {
            return Ok(());
        }
        compare::check_sorted(&matrix)?;
        let middle = matrix.into_iter().filter_map(|series| {
            let point = series.points.into_iter().find(|point| point.timestamp == time)?;
            Some(InstantSample { labels: series.labels, point })
        });
        let middle: Vec<_> = middle.collect();
        match &instant.value {
            Value::Scalar(value, _) => match middle.as_slice() {
                [sample] if sample.point.value == crate::value::PointValue::Float(*value) => Ok(()),
                [sample] if value.is_nan() => compare::check_nan(&sample.point.value),
                other => Err(format!("expected {value}, got {other:?}")),
            },
            _ => compare::check_vector(self.eval, &middle),
        }
    }

    fn ask_range(&self, text: &str, expr: &Expr, steps: Steps) -> Result<Answer, EvalError> {
        let store = self.data.store.select();
        self.engine.range(Query { text, expr }, store, steps, &self.engine.budget())
    }

    fn judge(&self, answer: &Answer) -> Result<(), String> {
        if self.eval.fails.is_some() {
            return Err(format!("expected a failure, got {:?}", answer.value));
        }
        annotation::check("warning", &self.eval.warnings, &answer.warnings)?;
        annotation::check("info", &self.eval.infos, &answer.infos)?;
        compare::check(self.eval, &answer.value)
    }

    fn failed(&self, error: &str) -> Result<(), String> {
        match &self.eval.fails {
            Some(pattern) if pattern.matches(error) => Ok(()),
            Some(pattern) => Err(format!("expected {pattern:?}, got the error: {error}")),
            None => Err(error.to_owned()),
        }
    }
}

/// Whether a selector of the expression selects the series.
fn reaches(expr: &Expr, labels: &Labels) -> bool {
    let selects = |selector: &crate::ast::VectorSelector| {
        selector.matchers.iter().all(|matcher| matcher.matches_labels(labels))
    };
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) => false,
        ExprKind::Vector(selector) => selects(selector),
        ExprKind::Matrix(matrix) => selects(&matrix.selector),
        ExprKind::Subquery(subquery) => reaches(&subquery.expr, labels),
        ExprKind::Aggregate(aggregate) => {
            let param = aggregate.param.as_ref();
            reaches(&aggregate.expr, labels) || param.is_some_and(|param| reaches(param, labels))
        }
        ExprKind::Binary(binary) => reaches(&binary.left, labels) || reaches(&binary.right, labels),
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => reaches(inner, labels),
        ExprKind::Call(call) => call.args.iter().any(|arg| reaches(arg, labels)),
    }
}
