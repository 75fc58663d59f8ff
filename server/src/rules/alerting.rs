//! Alerting rules: the life of alerts, as in Prometheus (`rules/alerting.go`).
//!
//! 1. Each series of the vector is an alert: a new one is pending since now, a known one has new
//!    value and annotations.
//! 2. An alert without series ends, unless it is to keep firing; one that was pending is forgotten.
//! 3. What has been pending for long enough fires.
//! 4. Alerts become series: `ALERTS`, and `ALERTS_FOR_STATE` for the next start of the server.

use std::collections::BTreeMap;

use promql::value::{InstantSample, Point, PointValue};
use tsdb::model::{Labels, METRIC_NAME, Timestamp};

use super::alert::{Alert, AlertState, RESOLVED_KEPT_MS};
use super::file::{Rule, Texts};
use super::notify::Notice;
use super::template::Expander;

/// The series that says which alerts there are.
const ALERTS: &str = "ALERTS";
/// The series that says since when.
pub(super) const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";
/// The label with the alert's name.
pub(super) const ALERT_NAME: &str = "alertname";
/// The label with its state.
const ALERT_STATE: &str = "alertstate";

/// The alerts of a rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Alerts {
    /// Those that there are, and those that ended a short while ago.
    pub(super) all: BTreeMap<Labels, Alert>,
    /// Whether what was before the start of the server is known: only then series are written.
    pub(super) is_restored: bool,
}

/// What a rule says of its alerts.
pub(super) struct AlertRule<'a> {
    pub(super) rule: &'a Rule,
    pub(super) hold_ms: i64,
    pub(super) keep_firing_ms: i64,
    pub(super) annotations: &'a Texts,
}

impl Alerts {
    /// Takes the vector of time `now` and gives the series to write, at `at`; `limit` 0 is none.
    pub(super) fn evaluate(
        &mut self,
        rule: &AlertRule<'_>,
        vector: &[InstantSample],
        expander: &Expander,
        (now, at): (Timestamp, Timestamp),
        limit: usize,
    ) -> Result<Vec<InstantSample>, String> {
        let found = found(rule, vector, expander, now)?;
        self.take(&found);
        let active = self.move_on(rule, &found, now);
        if limit > 0 && active > limit {
            self.all.clear();
            return Err(format!("exceeded limit of {limit} with {active} alerts"));
        }
        if !self.is_restored {
            return Ok(Vec::new());
        }
        let active = self.all.values().filter(|alert| alert.state != AlertState::Inactive);
        Ok(active.flat_map(|alert| series(rule.rule, alert, at)).collect())
    }

    fn take(&mut self, found: &BTreeMap<Labels, Alert>) {
        for (labels, new) in found {
            match self.all.get_mut(labels) {
                Some(known) if known.state != AlertState::Inactive => {
                    (known.value, known.annotations) = (new.value, new.annotations.clone());
                }
                _ => drop(self.all.insert(labels.clone(), new.clone())),
            }
        }
    }

    /// Ends and fires; how many are pending or firing then.
    fn move_on(
        &mut self,
        rule: &AlertRule<'_>,
        found: &BTreeMap<Labels, Alert>,
        now: Timestamp,
    ) -> usize {
        self.all.retain(|labels, alert| {
            if found.contains_key(labels) {
                alert.keep_firing_since = None;
            } else {
                let is_kept = keeps_firing(alert, rule.keep_firing_ms, now);
                let is_old = |ended: Timestamp| now.ms_since(ended) > RESOLVED_KEPT_MS;
                if alert.state == AlertState::Pending || alert.resolved_at.is_some_and(is_old) {
                    return false;
                }
                if alert.state != AlertState::Inactive && !is_kept {
                    alert.state = AlertState::Inactive;
                    alert.resolved_at = Some(now);
                }
            }
            if alert.state == AlertState::Pending && now.ms_since(alert.active_at) >= rule.hold_ms {
                alert.state = AlertState::Firing;
                alert.fired_at = Some(now);
            }
            true
        });
        self.all.values().filter(|alert| alert.state != AlertState::Inactive).count()
    }

    /// What is to be told at `now`, of a group that is evaluated every `interval_ms`.
    pub(super) fn notices(
        &mut self,
        rule: &Rule,
        now: Timestamp,
        resend_ms: i64,
        interval_ms: i64,
    ) -> Vec<Notice> {
        let due = self.all.values_mut().filter(|alert| alert.needs_sending(now, resend_ms));
        let tell = |alert: &mut Alert| {
            alert.last_sent_at = Some(now);
            // Two evaluations or sendings may fail.
            let valid_ms = interval_ms.max(resend_ms).saturating_mul(4);
            Notice {
                labels: alert.labels.clone(),
                annotations: alert.annotations.clone(),
                starts_at: alert.fired_at.unwrap_or(alert.active_at),
                ends_at: alert.resolved_at.unwrap_or(now.plus_ms(valid_ms)),
                query: rule.query.clone(),
            }
        };
        due.map(tell).collect()
    }

    /// Those that have not ended.
    pub(super) fn active(&self) -> Vec<Alert> {
        self.all.values().filter(|alert| alert.resolved_at.is_none()).cloned().collect()
    }
}

fn keeps_firing(alert: &mut Alert, keep_firing_ms: i64, now: Timestamp) -> bool {
    if alert.state != AlertState::Firing || keep_firing_ms == 0 {
        return false;
    }
    let since = *alert.keep_firing_since.get_or_insert(now);
    now.ms_since(since) < keep_firing_ms
}

/// The alerts of a vector, pending since now.
fn found(
    rule: &AlertRule<'_>,
    vector: &[InstantSample],
    expander: &Expander,
    now: Timestamp,
) -> Result<BTreeMap<Labels, Alert>, String> {
    let mut found = BTreeMap::new();
    for sample in vector {
        let mut labels = sample.labels.without_metric_name().to_builder();
        for (name, text) in &rule.rule.labels {
            labels.set(name.as_str(), expander.expand(text, sample));
        }
        labels.set(ALERT_NAME, rule.rule.name.as_str());
        let labels = labels.build();
        let texts = rule.annotations.iter();
        let texts = texts.map(|(name, text)| (name.clone(), expander.expand(text, sample)));
        let alert = Alert {
            state: AlertState::Pending,
            labels: labels.clone(),
            annotations: texts.collect(),
            value: match &sample.point.value {
                PointValue::Float(value) => *value,
                PointValue::Histogram(_) => 0.0,
            },
            active_at: now,
            fired_at: None,
            keep_firing_since: None,
            resolved_at: None,
            last_sent_at: None,
        };
        if found.insert(labels, alert).is_some() {
            let what = "vector contains metrics with the same labelset after applying alert labels";
            return Err(what.to_owned());
        }
    }
    Ok(found)
}

/// An alert as series. A rule's label whose template is empty stays as it is written there, as in
/// Prometheus.
fn series(rule: &Rule, alert: &Alert, at: Timestamp) -> [InstantSample; 2] {
    let mut labels =
        Labels::from_pairs(rule.labels.iter().map(|(n, v)| (n.as_str(), v.as_str()))).to_builder();
    for (name, value) in alert.labels.iter() {
        labels.set(name, value);
    }
    labels.set(ALERT_NAME, rule.name.as_str());
    let sample = |labels: Labels, value: f64| {
        let point = Point { timestamp: at, value: PointValue::Float(value) };
        InstantSample { labels, point }
    };
    let since = labels.set(METRIC_NAME, ALERTS_FOR_STATE).build();
    let state = labels.set(METRIC_NAME, ALERTS).set(ALERT_STATE, alert.state.as_str()).build();
    let since_seconds = alert.active_at.ms().div_euclid(1000) as f64;
    [sample(state, 1.0), sample(since, since_seconds)]
}
