//! `/api/v1/features`: what this server can do and what of it is switched on, by Prometheus's
//! categories and names (`util/features`, `cmd/prometheus/testdata/features.json`), each in order.
//!
//! What Prometheus names and this server does not have is `false`; what says how Prometheus is built
//! (`ui`, `stringlabels`) and other kinds of discovery are left out.

use std::collections::BTreeMap;

use axum::extract::State as Shared;
use promql::ast::{AggregateOp, BinaryOp};
use promql::functions::FUNCTIONS;

use super::envelope::Success;
use super::{State, json};
use crate::rules::template::function_names;

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

/// What Prometheus's lexer counts among the operators too.
const OTHER_OPERATORS: [&str; 3] = ["!~", "=~", "@"];

/// What is always on, by categories.
const ON: [(&str, &[&str]); 7] = [
    (
        "api",
        &[
            "exclude_alerts",
            "label_values_match",
            "openapi_3.1",
            "query_stats",
            "query_warnings",
            "time_range_labels",
            "time_range_series",
        ],
    ),
    ("prometheus", &["server_mode"]),
    (
        "promql",
        &[
            "at_modifier",
            "bool",
            "by",
            "group_left",
            "group_right",
            "ignoring",
            "negative_offset",
            "offset",
            "on",
            "per_query_lookback_delta",
            "per_step_stats",
            "subqueries",
            "without",
        ],
    ),
    ("rules", &["keep_firing_for", "query_offset"]),
    ("scrape", &["extra_scrape_metrics"]),
    ("service_discovery_providers", &["dns", "file", "http", "kubernetes", "static"]),
    ("tsdb", &["isolation", "native_histograms"]),
];

/// What is not there, by categories.
const OFF: [(&str, &[&str]); 6] = [
    ("api", &["openapi_3.2", "otlp_write_receiver"]),
    ("otlp_receiver", &["delta_conversion", "native_delta_ingestion"]),
    ("prometheus", &["agent_mode"]),
    ("promql", &["type_and_unit_labels"]),
    ("scrape", &["type_and_unit_labels"]),
    ("tsdb", &["delayed_compaction", "use_uncached_io"]),
];

/// A category, a name of it, and whether that is on.
type Feature = (&'static str, &'static str, bool);

/// Categories of names with whether they are on.
pub(super) async fn list(Shared(state): Shared<State>) -> Success {
    let mut categories: BTreeMap<&str, BTreeMap<&str, bool>> = BTreeMap::new();
    let experimental = state.options.enabled.language.experimental_functions;
    let fixed = listed(&ON, true).chain(listed(&OFF, false)).chain(switched(&state));
    for (category, name, is_on) in
        fixed.chain(functions(experimental)).chain(operators(experimental))
    {
        categories.entry(category).or_default().insert(name, is_on);
    }
    Success::with(|out| {
        json::write_object(out, &categories, |out, names| {
            json::write_object(out, names, |out, is_on| out.push_str(&is_on.to_string()));
        });
    })
}

fn listed(
    table: &'static [(&'static str, &'static [&'static str])],
    is_on: bool,
) -> impl Iterator<Item = Feature> {
    table
        .iter()
        .flat_map(move |(category, names)| names.iter().map(move |name| (*category, *name, is_on)))
}

/// What flags and the configuration switch.
fn switched(state: &State) -> [Feature; 14] {
    let (options, enabled) = (&state.options, &state.options.enabled);
    let language = &enabled.language;
    [
        ("api", "admin", options.admin),
        ("api", "lifecycle", state.lifecycle.enabled),
        ("api", "remote_write_receiver", options.remote_write),
        ("prometheus", "auto_reload_config", options.follows_file),
        ("promql", "anchored", language.extended_range_selectors),
        ("promql", "delayed_name_removal", enabled.delayed_name_removal),
        ("promql", "duration_expr", language.duration_expressions),
        ("promql", "fill", language.fill_modifiers),
        ("promql", "fill_left", language.fill_modifiers),
        ("promql", "fill_right", language.fill_modifiers),
        ("promql", "smoothed", language.extended_range_selectors),
        ("rules", "concurrent_rule_eval", enabled.concurrent_rules),
        ("scrape", "start_timestamp_zero_ingestion", enabled.starts.zeros),
        ("tsdb", "exemplar_storage", options.keeps_exemplars),
    ]
}

fn functions(experimental: bool) -> impl Iterator<Item = Feature> {
    let language = FUNCTIONS
        .iter()
        .map(move |own| ("promql_functions", own.name, !own.experimental || experimental));
    language.chain(function_names().map(|name| ("templating_functions", name, true)))
}

fn operators(experimental: bool) -> impl Iterator<Item = Feature> {
    let is_on = move |own: AggregateOp| !own.is_experimental() || experimental;
    let aggregations = AggregateOp::ALL.into_iter().map(move |(name, own)| (name, is_on(own)));
    let binary = OPERATORS.iter().map(|own| own.as_str()).chain(OTHER_OPERATORS);
    let all = aggregations.chain(binary.map(|name| (name, true)));
    all.map(|(name, is_on)| ("promql_operators", name, is_on))
}
