//! The tables of paths: those below `/api/v1`, and the others. What stands in none is not served
//! but by the page.

use axum::routing::{MethodRouter, get, post};

use super::{
    State, admin, alertmanagers, discovery, exemplars, features, federate, labels, lifecycle,
    metadata, notifications, openapi, probe, query, relabel_steps, rules, runtime, scrape_pool,
    self_metrics, series, silences, status, status_rules, status_tsdb, syntax, targets,
    targets_metadata, write,
};

/// Each path outside of `/api/v1` with what answers there.
pub(super) fn own() -> Vec<(&'static str, MethodRouter<State>)> {
    let change = lifecycle::wrong_method;
    vec![
        ("/-/healthy", get(probe::healthy).head(probe::healthy)),
        ("/-/ready", get(probe::ready).head(probe::ready)),
        ("/-/reload", post(lifecycle::reload).put(lifecycle::reload).fallback(change)),
        ("/-/quit", post(lifecycle::quit).put(lifecycle::quit).fallback(change)),
        ("/federate", get(federate::expose)),
        ("/metrics", get(status::metrics)),
        ("/version", get(runtime::version)),
        ("/api/v2/silences", get(silences::list).post(silences::add)),
        ("/api/v2/silence/{id}", get(silences::get).delete(silences::expire)),
    ]
}

/// Each path below `/api/v1` with what answers there.
pub(super) fn api() -> Vec<(&'static str, MethodRouter<State>)> {
    vec![
        ("/query", get(query::instant).post(query::instant)),
        ("/query_range", get(query::range).post(query::range)),
        ("/query_exemplars", get(exemplars::list).post(exemplars::list)),
        ("/format_query", get(syntax::format).post(syntax::format)),
        ("/parse_query", get(syntax::parse).post(syntax::parse)),
        ("/series", get(series::list).post(series::list)),
        ("/labels", get(labels::names).post(labels::names)),
        ("/label/{name}/values", get(labels::values).post(labels::values)),
        ("/targets", get(targets::list)),
        ("/targets/metadata", get(targets_metadata::list)),
        ("/targets/relabel_steps", get(relabel_steps::list)),
        ("/scrape_pools", get(targets::pools)),
        ("/scrape_pools/config", get(scrape_pool::config)),
        ("/rules", get(rules::list)),
        ("/alerts", get(rules::alerts)),
        ("/alertmanagers", get(alertmanagers::list)),
        ("/metadata", get(metadata::list)),
        ("/features", get(features::list)),
        ("/notifications", get(notifications::list)),
        ("/notifications/live", get(notifications::live)),
        ("/openapi.yaml", get(openapi::document)),
        ("/status/buildinfo", get(status::build)),
        ("/status/config", get(lifecycle::config)),
        ("/status/discovery", get(discovery::list)),
        ("/status/flags", get(runtime::flags)),
        ("/status/notice", get(status::notice)),
        ("/status/rules", get(status_rules::list)),
        ("/status/runtimeinfo", get(runtime::info)),
        ("/status/self_metrics", get(self_metrics::list)),
        ("/status/tsdb", get(status_tsdb::cardinality)),
        ("/status/tsdb/blocks", get(runtime::blocks)),
        ("/status/walreplay", get(runtime::wal_replay)),
        ("/write", post(write::receive)),
        ("/admin/tsdb/delete_series", post(admin::delete_series).put(admin::delete_series)),
        (
            "/admin/tsdb/clean_tombstones",
            post(admin::clean_tombstones).put(admin::clean_tombstones),
        ),
        ("/admin/tsdb/snapshot", post(admin::snapshot).put(admin::snapshot)),
    ]
}
