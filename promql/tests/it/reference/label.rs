//! `label_replace`, `label_join`, and the labels of `absent`.

use std::collections::BTreeSet;

use promql::ast::{Expr, ExprKind};
use regex::Regex;
use tsdb::model::{Labels, METRIC_NAME, MatchOp};

use super::{Found, Sample, bare, fail};

pub(super) fn text(expr: &Expr) -> &str {
    let ExprKind::Text(text) = &expr.kind else { unreachable!("a text") };
    text
}

fn with(labels: &Labels, name: &str, value: &str) -> Labels {
    labels.to_builder().set(name, value).build()
}

/// `label_replace(vector, destination, replacement, source, pattern)`
pub(super) fn replaced(sample: Sample, args: &[Expr]) -> Found<Sample> {
    let [destination, replacement, source, pattern] = [1, 2, 3, 4].map(|at| text(&args[at]));
    let pattern = Regex::new(&format!("^(?s:{pattern})$"));
    let Ok(pattern) = pattern else { return fail("a bad pattern") };
    if destination.is_empty() {
        return fail("a bad label");
    }
    let own = sample.labels.get(source).unwrap_or("").to_owned();
    let Some(found) = pattern.captures(&own) else { return Ok(sample) };
    let mut value = String::new();
    found.expand(replacement, &mut value);
    Ok(Sample { labels: with(&sample.labels, destination, &value), ..sample })
}

/// `label_join(vector, destination, separator, sources…)`
pub(super) fn joined(sample: Sample, args: &[Expr]) -> Found<Sample> {
    let (destination, separator) = (text(&args[1]), text(&args[2]));
    let values = args[3..].iter().map(|own| sample.labels.get(text(own)).unwrap_or("").to_owned());
    let value = values.collect::<Vec<_>>().join(separator);
    if destination.is_empty() || args[3..].iter().any(|own| text(own).is_empty()) {
        return fail("a bad label");
    }
    Ok(Sample { labels: with(&sample.labels, destination, &value), ..sample })
}

/// The labels that a selector says by `=`, each of them once.
pub(super) fn of_absent(expr: &Expr) -> Labels {
    let matchers = match &bare(expr).kind {
        ExprKind::Vector(selector) => &selector.matchers,
        ExprKind::Matrix(matrix) => &matrix.selector.matchers,
        _ => return Labels::empty(),
    };
    let (mut builder, mut seen) = (Labels::empty().to_builder(), BTreeSet::new());
    for matcher in matchers.iter().filter(|own| own.name() != METRIC_NAME) {
        if matcher.op() == MatchOp::Equal && seen.insert(matcher.name()) {
            builder.set(matcher.name(), matcher.value());
        } else {
            builder.remove(matcher.name());
        }
    }
    builder.build()
}
