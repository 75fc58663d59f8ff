//! `/api/v1/features`: what this server can do and what of it is switched on, by Prometheus's
//! categories (`util/features`), each in order of names.

use std::collections::BTreeMap;

use axum::extract::State as Shared;
use promql::ast::{AggregateOp, BinaryOp};
use promql::functions::FUNCTIONS;

use super::envelope::Success;
use super::{State, json};

const OPERATORS: [BinaryOp; 18] = {
    use BinaryOp::*;
    [
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
    ]
};

type Category = BTreeMap<String, bool>;

/// Categories of names with whether they are on.
pub(super) async fn list(Shared(state): Shared<State>) -> Success {
    let categories = BTreeMap::from([
        ("api", api(&state)),
        ("promql", language(&state)),
        ("promql_functions", functions(&state)),
        ("promql_operators", operators(&state)),
        ("service_discovery_providers", on(["dns", "file", "http", "kubernetes", "static"])),
    ]);
    Success::with(|out| {
        json::write_object(out, &categories, |out, names| {
            json::write_object(out, names, |out, is_on| out.push_str(&is_on.to_string()));
        });
    })
}

fn on<const N: usize>(names: [&str; N]) -> Category {
    names.into_iter().map(|name| (name.to_owned(), true)).collect()
}

fn api(state: &State) -> Category {
    let options = &state.options;
    let mut names = on([
        "exclude_alerts",
        "label_values_match",
        "lifecycle",
        "query_stats",
        "query_warnings",
        "remote_write_receiver",
        "time_range_labels",
        "time_range_series",
    ]);
    names.insert("admin".to_owned(), options.admin);
    names.insert("lifecycle".to_owned(), state.lifecycle.enabled);
    names.insert("remote_write_receiver".to_owned(), options.remote_write);
    names
}

fn language(state: &State) -> Category {
    let own = &state.options.language;
    let switched = [
        ("anchored", own.extended_range_selectors),
        ("duration_expr", own.duration_expressions),
        ("fill", own.fill_modifiers),
        ("fill_left", own.fill_modifiers),
        ("fill_right", own.fill_modifiers),
        ("smoothed", own.extended_range_selectors),
    ];
    let mut names = on([
        "at_modifier",
        "bool",
        "by",
        "group_left",
        "group_right",
        "ignoring",
        "negative_offset",
        "offset",
        "on",
        "subqueries",
        "without",
    ]);
    names.extend(switched.map(|(name, is_on)| (name.to_owned(), is_on)));
    names
}

fn functions(state: &State) -> Category {
    let is_on =
        |is_experimental: bool| !is_experimental || state.options.language.experimental_functions;
    FUNCTIONS.iter().map(|own| (own.name.to_owned(), is_on(own.experimental))).collect()
}

fn operators(state: &State) -> Category {
    let is_on =
        |own: AggregateOp| !own.is_experimental() || state.options.language.experimental_functions;
    let aggregations = AggregateOp::ALL.map(|(name, own)| (name.to_owned(), is_on(own)));
    let binary = OPERATORS.map(|own| (own.as_str().to_owned(), true));
    aggregations.into_iter().chain(binary).collect()
}
