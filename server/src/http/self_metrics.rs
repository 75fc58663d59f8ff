//! `/api/v1/status/self_metrics`: what `/metrics` says, as JSON in the layout of protobuf's
//! `io.prometheus.client.MetricFamily`.

use axum::extract::{RawQuery, State as Shared};
use regex::Regex;

use super::envelope::Success;
use super::error::ApiError;
use super::params::{Params, invalid};
use super::{State, json, status};
use crate::exposition::{Family, Line, families};

/// All families, or those whose whole name matches `metric_name_pattern`.
pub(super) async fn list(
    Shared(state): Shared<State>,
    RawQuery(query): RawQuery,
) -> Result<Success, ApiError> {
    let params = Params::new(&[], query.as_deref().unwrap_or(""));
    let pattern = params.get("metric_name_pattern").unwrap_or(".*");
    let pattern = Regex::new(&format!("^(?:{pattern})$"))
        .map_err(|error| invalid("metric_name_pattern", error.to_string()))?;
    let page = status::page(&state);
    let chosen = families(&page).into_iter().filter(|family| pattern.is_match(family.name));
    Ok(Success::with(|out| json::write_list(out, chosen, |out, family| write(out, &family))))
}

fn write(out: &mut String, family: &Family<'_>) {
    out.push_str(r#"{"name":"#);
    json::write_html_safe(out, family.name);
    out.push_str(r#","help":"#);
    json::write_html_safe(out, family.help);
    out.push_str(&format!(r#","type":"{}","metric":"#, family.kind.to_uppercase()));
    json::write_list(out, family.metrics(), |out, metric| {
        write_metric(out, family.kind, &metric.labels, &metric.lines);
    });
    out.push('}');
}

fn write_metric(out: &mut String, kind: &str, labels: &[(String, String)], lines: &[Line<'_>]) {
    out.push_str(r#"{"label":"#);
    json::write_list(out, labels, |out, (name, value)| {
        json::write_object(out, [("name", name), ("value", value)], |out, text| {
            json::write_html_safe(out, text);
        });
    });
    out.push_str(&format!(r#","{kind}":"#));
    match kind {
        "histogram" => write_parts(out, lines, "bucket", "le", "upperBound", "cumulativeCount"),
        "summary" => write_parts(out, lines, "quantile", "quantile", "quantile", "value"),
        _ => {
            out.push_str(r#"{"value":"#);
            write_number(out, lines.first().map_or("NaN", |line| line.value));
            out.push('}');
        }
    }
    out.push('}');
}

/// Count, sum, and the lines that have the label `label`.
fn write_parts(
    out: &mut String,
    lines: &[Line<'_>],
    list: &str,
    label: &str,
    key: &str,
    value_key: &str,
) {
    let named = |end: &str| {
        lines.iter().find(|line| line.name.ends_with(end)).map_or("0", |line| line.value)
    };
    out.push_str(&format!(r#"{{"sampleCount":"{}","sampleSum":"#, named("_count")));
    write_number(out, named("_sum"));
    out.push_str(&format!(r#","{list}":"#));
    let parts = lines.iter().filter_map(|line| Some((line.label(label)?, line.value)));
    json::write_list(out, parts, |out, (bound, value)| {
        out.push_str(&format!(r#"{{"{key}":"#));
        write_number(out, bound);
        out.push_str(&format!(r#","{value_key}":"#));
        match value_key {
            "cumulativeCount" => json::write_text(out, value),
            _ => write_number(out, value),
        }
        out.push('}');
    });
    out.push('}');
}

/// JSON has no infinities and no NaN: protobuf's layout writes them as texts.
fn write_number(out: &mut String, number: &str) {
    match number {
        "NaN" => out.push_str("\"NaN\""),
        "+Inf" => out.push_str("\"Infinity\""),
        "-Inf" => out.push_str("\"-Infinity\""),
        number => out.push_str(number),
    }
}
