//! `stats=…` on `/api/v1/query` and `/api/v1/query_range`: what a query took, in Prometheus's layout
//! (`util/stats/query_stats.go`). `operators` is ours.

use std::time::Duration;

use promql::OperatorProfile;

use super::json;
use crate::queries::QueryStats;

/// Writes `,"stats":{…}` for the query `text` that waited for `queued`.
pub(super) fn write(out: &mut String, stats: &QueryStats, queued: Duration, text: &str) {
    out.push_str(r#","stats":{"timings":"#);
    write_timings(out, stats, queued);
    out.push_str(r#","samples":{"#);
    if !stats.per_step.is_empty() {
        out.push_str(r#""totalQueryableSamplesPerStep":"#);
        json::write_list(out, &stats.per_step, |out, (time, samples)| {
            out.push('[');
            json::write_seconds(out, *time);
            out.push_str(&format!(",{samples}]"));
        });
        out.push(',');
    }
    let (samples, peak) = (stats.samples, stats.peak);
    out.push_str(&format!(r#""totalQueryableSamples":{samples},"peakSamples":{peak}}}"#));
    if !stats.operators.is_empty() {
        out.push_str(r#","operators":"#);
        json::write_list(out, &stats.operators, |out, own| write_operator(out, own, text));
    }
    out.push('}');
}

/// Seconds of each part. Reading is part of the inner evaluation.
fn write_timings(out: &mut String, stats: &QueryStats, queued: Duration) {
    let phases = &stats.phases;
    let times = [
        ("evalTotalTime", stats.total),
        ("resultSortTime", phases.sorting),
        ("queryPreparationTime", phases.preparation),
        ("innerEvalTime", phases.evaluation),
        ("execQueueTime", queued),
        ("execTotalTime", queued + stats.total),
    ];
    out.push('{');
    for (index, (name, time)) in times.into_iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        out.push_str(&format!(r#"{comma}"{name}":{}"#, time.as_secs_f64()));
    }
    out.push('}');
}

fn write_operator(out: &mut String, own: &OperatorProfile, text: &str) {
    out.push_str(r#"{"operator":"#);
    json::write_html_safe(out, &own.words);
    out.push_str(r#","query":"#);
    json::write_html_safe(out, text.get(own.span.start..own.span.end).unwrap_or(""));
    out.push_str(&format!(
        r#","evaluations":{},"reuses":{},"seconds":{},"ownSeconds":{},"samples":{},"series":{}}}"#,
        own.evaluations,
        own.reuses,
        own.time.as_secs_f64(),
        own.own_time.as_secs_f64(),
        own.samples,
        own.series,
    ));
}
