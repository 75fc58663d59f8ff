//! What a restart must not forget: since when an alert has been pending (`ALERTS_FOR_STATE`).
//!
//! Time during which the server was down does not count as pending, and no alert fires within the
//! grace period after the start for having been pending before. As in Prometheus
//! (`Group.RestoreForState`).

use std::collections::HashMap;

use promql::value::{InstantSample, PointValue};
use tsdb::model::{Labels, Timestamp};

use super::alerting::{ALERT_NAME, ALERTS_FOR_STATE, Alerts};
use super::ask;
use crate::queries::{Queries, QueryOptions};

/// What of the time before the start counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restoring {
    /// How long the server may have been down for its state to count, in milliseconds.
    pub outage_tolerance_ms: i64,
    /// How long an alert stays pending after the start at least, in milliseconds.
    pub grace_ms: i64,
}

impl Default for Restoring {
    /// Prometheus's: 1 hour and 10 minutes.
    fn default() -> Self {
        Self { outage_tolerance_ms: 3_600_000, grace_ms: 600_000 }
    }
}

/// Restores the alerts of rule `name` at `now`. If that fails they stay as they are.
pub(super) fn restore(
    alerts: &mut Alerts,
    name: &str,
    hold_ms: i64,
    queries: &dyn Queries,
    (options, restoring): (QueryOptions, Restoring),
    now: Timestamp,
) -> Result<(), String> {
    alerts.is_restored = true;
    if hold_ms < restoring.grace_ms || alerts.all.is_empty() {
        return Ok(());
    }
    let quoted = tsdb::model::labels::Quoted(name);
    let selector = format!("{ALERTS_FOR_STATE}{{{ALERT_NAME}={quoted}}}");
    let options = QueryOptions { lookback_ms: Some(restoring.outage_tolerance_ms), ..options };
    let since = seconds(ask::vector(queries, &selector, now, options)?);
    let last = seconds(ask::vector(queries, &format!("timestamp({selector})"), now, options)?);
    for (labels, alert) in &mut alerts.all {
        if let (Some(since), Some(last)) = (since.get(labels), last.get(labels)) {
            alert.active_at = active_at((*since, *last), hold_ms, restoring.grace_ms, now);
        }
    }
    Ok(())
}

/// Since when an alert counts as pending that was pending since `since` when it was last heard of.
fn active_at(
    (since, last): (Timestamp, Timestamp),
    hold_ms: i64,
    grace_ms: i64,
    now: Timestamp,
) -> Timestamp {
    let remaining_ms = hold_ms - last.ms_since(since);
    if remaining_ms <= 0 {
        // It was firing.
        since
    } else if remaining_ms < grace_ms {
        now.plus_ms(grace_ms - hold_ms)
    } else {
        since.plus_ms(now.ms_since(last))
    }
}

/// Values as times, to the second.
fn seconds(vector: Vec<InstantSample>) -> HashMap<Labels, Timestamp> {
    let times = vector.into_iter().filter_map(|sample| match sample.point.value {
        PointValue::Float(value) => {
            let time = Timestamp::from_ms((value.floor() as i64).saturating_mul(1000));
            Some((sample.labels.without_metric_name(), time))
        }
        PointValue::Histogram(_) => None,
    });
    times.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pending_goes_on_where_it_was() {
        let minute = |n: i64| Timestamp::from_ms(n * 60_000);
        let rows = [
            // Firing when the server went down.
            (0, 40, 30, 60, 0),
            // 25 minutes to go: down for 20, which do not count.
            (0, 5, 30, 25, 20),
            // 5 to go: the grace period is longer.
            (0, 25, 30, 50, 30),
        ];
        for (since, last, hold, now, expected) in rows {
            let active =
                active_at((minute(since), minute(last)), hold * 60_000, 600_000, minute(now));
            assert_eq!(active, minute(expected), "{since} {last} {hold} {now}");
        }
    }
}
