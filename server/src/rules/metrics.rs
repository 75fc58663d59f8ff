//! What rules export about themselves, under Prometheus's names.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scraper::totals::Durations;

use super::group::{Group, GroupStatus, key};
use crate::exposition::Page;

/// Counted over all groups, also those that are gone.
#[derive(Debug, Default)]
pub struct Totals {
    rules: Mutex<Durations>,
    groups: Mutex<Durations>,
}

impl Totals {
    /// A rule was evaluated.
    pub(super) fn rule_evaluated(&self, duration: Duration) {
        locked(&self.rules).add(duration);
    }

    /// A group was.
    pub(super) fn group_evaluated(&self, duration: Duration) {
        locked(&self.groups).add(duration);
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
    let mut page = Page::default();
    for (what, help, own) in [
        ("evaluation", "How long the evaluation of a rule takes", &totals.rules),
        ("group", "How long the evaluation of a group takes", &totals.groups),
    ] {
        let name = format!("prometheus_rule_{what}_duration_seconds");
        page.family(&name, "summary", help);
        page.durations(&name, &[], &locked(own));
    }
    let groups: Vec<_> = groups.collect();
    for (name, kind, help, figure) in FIGURES {
        page.family(name, kind, help);
        let end = if kind == "counter" { "_total" } else { "" };
        for (group, status) in &groups {
            let label = key(&group.definition.written);
            let labels = [("rule_group", label.as_str())];
            page.sample(&format!("{name}{end}"), &labels, figure(group, status));
        }
    }
    page.0
}

fn locked(durations: &Mutex<Durations>) -> MutexGuard<'_, Durations> {
    durations.lock().unwrap_or_else(PoisonError::into_inner)
}
