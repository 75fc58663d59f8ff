//! What rules export about themselves, under Prometheus's names.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tsdb::model::number::format_json;

use super::group::{Group, GroupStatus, key};

/// Counted over all groups, also those that are gone.
#[derive(Debug, Default)]
pub struct Totals {
    rules: Durations,
    groups: Durations,
}

#[derive(Debug, Default)]
struct Durations {
    count: AtomicU64,
    microseconds: AtomicU64,
}

impl Durations {
    fn add(&self, duration: Duration) {
        let microseconds = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.count.fetch_add(1, Ordering::Relaxed);
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    fn write(&self, out: &mut String, name: &str, help: &str) {
        let seconds = self.microseconds.load(Ordering::Relaxed) as f64 / 1e6;
        let count = self.count.load(Ordering::Relaxed);
        out.push_str(&format!("# HELP {name} {help}\n# TYPE {name} summary\n"));
        out.push_str(&format!("{name}_sum {}\n{name}_count {count}\n", format_json(seconds)));
    }
}

impl Totals {
    /// A rule was evaluated.
    pub(super) fn rule_evaluated(&self, duration: Duration) {
        self.rules.add(duration);
    }

    /// A group was.
    pub(super) fn group_evaluated(&self, duration: Duration) {
        self.groups.add(duration);
    }
}

type Figure = fn(&Group, &GroupStatus) -> f64;

/// Name, type, help, figure; counters have `_total` behind their names.
const FIGURES: [(&str, &str, &str, Figure); 11] = [
    (
        "prometheus_rule_group_iterations_missed",
        "counter",
        "Evaluations of the group that were missed because one took too long",
        |_, status| status.missed as f64,
    ),
    (
        "prometheus_rule_group_iterations",
        "counter",
        "Evaluations of the group, missed ones included",
        |_, status| status.iterations as f64,
    ),
    ("prometheus_rule_evaluations", "counter", "Evaluations of rules", |_, status| {
        status.evaluations as f64
    }),
    (
        "prometheus_rule_evaluation_failures",
        "counter",
        "Evaluations of rules that failed",
        |_, status| status.failures as f64,
    ),
    (
        "prometheus_rule_group_interval_seconds",
        "gauge",
        "Seconds between evaluations of the group",
        |group, _| group.definition.interval_ms as f64 / 1000.0,
    ),
    (
        "prometheus_rule_group_last_evaluation_timestamp_seconds",
        "gauge",
        "When the group was evaluated last",
        |_, status| status.last_evaluation.map_or(0.0, |at| at.seconds()),
    ),
    ("prometheus_rule_group_last_duration_seconds", "gauge", "How long that took", |_, status| {
        status.duration.as_secs_f64()
    }),
    (
        "prometheus_rule_group_last_rule_duration_sum_seconds",
        "gauge",
        "How long that took of all rules together",
        |_, status| status.rules.iter().map(|rule| rule.duration.as_secs_f64()).sum(),
    ),
    (
        "prometheus_rule_group_last_restore_duration_seconds",
        "gauge",
        "How long it took to restore the group's alerts after the start",
        |_, status| status.restore_duration.as_secs_f64(),
    ),
    ("prometheus_rule_group_rules", "gauge", "Rules of the group", |group, _| {
        group.definition.written.rules.len() as f64
    }),
    (
        "prometheus_rule_group_last_evaluation_samples",
        "gauge",
        "Samples that the group's last evaluation gave",
        |_, status| status.samples as f64,
    ),
];

/// All of it as OpenMetrics text, without the end of the page.
pub(super) fn page<'a>(
    totals: &Totals,
    groups: impl Iterator<Item = (&'a Group, GroupStatus)>,
) -> String {
    let mut out = String::new();
    let help = "How long the evaluation of a rule takes";
    totals.rules.write(&mut out, "prometheus_rule_evaluation_duration_seconds", help);
    let help = "How long the evaluation of a group takes";
    totals.groups.write(&mut out, "prometheus_rule_group_duration_seconds", help);
    let groups: Vec<_> = groups.collect();
    for (name, kind, help, figure) in FIGURES {
        out.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
        let end = if kind == "counter" { "_total" } else { "" };
        for (group, status) in &groups {
            let label = escaped(&key(&group.definition.written));
            let value = format_json(figure(group, status));
            out.push_str(&format!("{name}{end}{{rule_group=\"{label}\"}} {value}\n"));
        }
    }
    out
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
