//! Entrances for fuzzing: text of a stranger, as a query. Hidden from the documentation because
//! nobody else has a use for them.
//!
//! 1. [`text`]: it is parsed or refused; what was parsed is printed to a text that parses to the
//!    same tree and prints the same again.
//! 2. [`query`]: what was parsed is also answered, over series that its selectors ask for and within
//!    a small budget, or refused.
//!
//! Invariant: the functions panic only if the language or the engine has a fault.
//! `promql/tests/it/fuzz.rs` runs them on stable Rust, the target `promql` of `fuzz` under libFuzzer.

use tsdb::model::{Labels, MatchOp, Matcher, STALE_NAN, Sample, Timestamp, Value};

use crate::ast::{Expr, ExprKind};
use crate::promqltest::{LoadedSeries, MemoryStore};
use crate::value::Steps;
use crate::{Budget, Engine, Features, Query, parse};

/// Samples that a fuzzed query may hold.
const SAMPLES_MAX: usize = 20_000;

/// Parses a text in every way, prints what it is, and gives it back.
pub fn text(text: &str) -> Option<Expr> {
    let _ = (parse::parse_metric(text), parse::parse_metric_selector(text));
    let _ = parse::series::parse_series(text);
    if let Err(error) = parse(text, &Features::default()) {
        assert!(error.span.start <= text.len() && !error.to_string().is_empty(), "{text:?}");
    }
    let expr = parse(text, &Features::ALL).ok()?;
    let printed = expr.to_string();
    let again = parse(&printed, &Features::ALL);
    assert_eq!(again.as_ref().ok(), Some(&expr), "{text:?} was printed as {printed:?}");
    let twice = again.map(|expr| expr.to_string());
    assert_eq!(twice.ok(), Some(printed), "{text:?} is printed in two ways");
    Some(expr)
}

/// Parses a text, and answers it for one time and for several.
pub fn query(query: &str) {
    let Some(expr) = text(query) else { return };
    let mut series = Vec::new();
    selected(&expr, &mut series);
    let mut store = MemoryStore::new();
    store.insert(&series);
    let (engine, budget) = (Engine::default(), Budget::samples(SAMPLES_MAX));
    let time = Timestamp::from_ms;
    let query = Query { text: query, expr: &expr };
    let _ = engine.instant(query, &store, time(250_500), &budget);
    let steps = Steps { start: time(0), end: time(300_000), step_ms: 30_000 };
    let _ = engine.range(query, &store, steps, &budget);
}

/// Two series for each selector of the expression, as far as its matchers say what they are.
fn selected(expr: &Expr, series: &mut Vec<LoadedSeries>) {
    match &expr.kind {
        ExprKind::Vector(selector) => series.extend(matching(&selector.matchers, series.len())),
        ExprKind::Matrix(matrix) => {
            series.extend(matching(&matrix.selector.matchers, series.len()));
        }
        ExprKind::Subquery(subquery) => selected(&subquery.expr, series),
        ExprKind::Aggregate(aggregate) => {
            aggregate.param.iter().for_each(|param| selected(param, series));
            selected(&aggregate.expr, series);
        }
        ExprKind::Binary(binary) => {
            selected(&binary.left, series);
            selected(&binary.right, series);
        }
        ExprKind::Unary(_, inner) | ExprKind::Paren(inner) => selected(inner, series),
        ExprKind::Call(call) => call.args.iter().for_each(|arg| selected(arg, series)),
        ExprKind::Number(_) | ExprKind::Text(_) => {}
    }
}

fn matching(matchers: &[Matcher], seed: usize) -> [LoadedSeries; 2] {
    [("0.5", 7), ("+Inf", 11)].map(|(le, modulus)| {
        let said = matchers.iter().filter(|own| own.op() == MatchOp::Equal);
        let said = said.map(|own| (own.name(), own.value()));
        // Not among the matchers, if they say it.
        let labels = Labels::from_pairs([("le", le), ("__name__", "some")].into_iter().chain(said));
        let sample = |minute: usize| {
            let value = match (minute * modulus + seed) % 17 {
                16 => STALE_NAN,
                15 => f64::NAN,
                value => value as f64,
            };
            let timestamp = Timestamp::from_ms(minute as i64 * 15_000);
            Sample { timestamp, value: Value::Float(value), start: None }
        };
        LoadedSeries { labels, samples: (0..20).map(sample).collect() }
    })
}
