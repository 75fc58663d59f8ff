//! Flags of rules and alerts: how rules are evaluated and raise them and how they are sent. Names and defaults are Prometheus's.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::pause_ms;
use crate::notify::NotifyOptions;

/// Flags of alerts.
#[derive(Args, Clone, Debug)]
pub struct AlertingFlags {
    /// How long the server may have been down for alerts to go on pending where they were
    #[arg(long = "rules.alert.for-outage-tolerance", default_value = "1h",
          value_parser = pause_ms, value_name = "DURATION")]
    pub outage_tolerance_ms: i64,
    /// How long an alert stays pending after a start at least, if its `for` is longer than that
    #[arg(long = "rules.alert.for-grace-period", default_value = "10m", value_parser = pause_ms,
          value_name = "DURATION")]
    pub grace_ms: i64,
    /// How long it takes until an alert that still fires is told again
    #[arg(long = "rules.alert.resend-delay", default_value = "1m", value_parser = pause_ms,
          value_name = "DURATION")]
    pub resend_ms: i64,
    /// With --enable-feature=concurrent-rule-eval: how many rules may be evaluated beside the first
    /// of each group
    #[arg(long = "rules.max-concurrent-evals", default_value_t = 4, value_name = "COUNT")]
    pub concurrent_max: usize,
    /// How many alerts may wait for one Alertmanager; when it is more, the oldest are dropped
    #[arg(
        long = "alertmanager.notification-queue-capacity",
        default_value_t = 10_000,
        value_name = "COUNT"
    )]
    pub queue_capacity: usize,
    /// How many alerts one request to an Alertmanager has at most
    #[arg(long = "alertmanager.notification-batch-size", default_value_t = 256,
          value_parser = batch_size, value_name = "COUNT")]
    pub batch_size: usize,
    /// Send alerts that wait before the server ends (for 5 seconds at most); this is the default
    #[arg(long = "alertmanager.drain-notification-queue-on-shutdown",
          action = ArgAction::SetTrue)]
    drain: bool,
    /// The built-in sender's file: who is told of alerts where there is no Alertmanager
    #[arg(long = "notify.file", value_name = "FILE")]
    pub notify_file: Option<PathBuf>,
    /// Drop alerts that wait when the server ends
    #[arg(long = "no-alertmanager.drain-notification-queue-on-shutdown",
          action = ArgAction::SetTrue, overrides_with = "drain")]
    no_drain: bool,
}

/// How alerts are raised and sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertingOptions {
    /// How alerts go on after a start.
    pub outage_tolerance_ms: i64,
    /// The same.
    pub grace_ms: i64,
    /// How many rules may be evaluated beside the first of each group, if that is on.
    pub concurrent_max: usize,
    /// When an alert is told again.
    pub resend_ms: i64,
    /// How alerts are sent.
    pub notify: NotifyOptions,
}

impl Default for AlertingOptions {
    /// Prometheus's.
    fn default() -> Self {
        Self {
            outage_tolerance_ms: 3_600_000,
            grace_ms: 600_000,
            concurrent_max: 4,
            resend_ms: 60_000,
            notify: NotifyOptions::default(),
        }
    }
}

impl AlertingFlags {
    /// What they say.
    pub fn options(&self) -> AlertingOptions {
        let Self { outage_tolerance_ms, grace_ms, resend_ms, .. } = *self;
        let Self { concurrent_max, queue_capacity, batch_size, no_drain, .. } = *self;
        let notify = NotifyOptions { queue_capacity, batch_size, drains: !no_drain };
        AlertingOptions { outage_tolerance_ms, grace_ms, concurrent_max, resend_ms, notify }
    }
}

fn batch_size(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(0) => Err("has to be at least 1".to_owned()),
        Ok(size) => Ok(size),
        Err(error) => Err(format!("{error}")),
    }
}
