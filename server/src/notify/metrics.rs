//! What notification exports about itself, under Prometheus's names.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tsdb::model::number::format_json;

/// Counters of one Alertmanager.
#[derive(Debug, Default)]
pub(super) struct Counts {
    sent: AtomicU64,
    errors: AtomicU64,
    dropped: AtomicU64,
    requests: AtomicU64,
    microseconds: AtomicU64,
}

impl Counts {
    /// A request with so many alerts succeeded.
    pub(super) fn sent(&self, alerts: usize, took: Duration) {
        self.sent.fetch_add(alerts as u64, Ordering::Relaxed);
        self.requests.fetch_add(1, Ordering::Relaxed);
        let microseconds = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.microseconds.fetch_add(microseconds, Ordering::Relaxed);
    }

    /// One failed, and they are dropped.
    pub(super) fn failed(&self, alerts: usize) {
        self.errors.fetch_add(alerts as u64, Ordering::Relaxed);
        self.dropped(alerts);
    }

    /// Alerts were dropped.
    pub(super) fn dropped(&self, alerts: usize) {
        self.dropped.fetch_add(alerts as u64, Ordering::Relaxed);
    }
}

/// The figures of all Alertmanagers, by URL; what has the same URL is added.
#[derive(Debug, Default)]
pub(super) struct Figures(BTreeMap<String, Figure>);

#[derive(Clone, Copy, Debug, Default)]
struct Figure {
    sent: u64,
    errors: u64,
    dropped: u64,
    requests: u64,
    microseconds: u64,
    waiting: u64,
    instances: u64,
}

type Read = fn(&Figure) -> f64;

/// Name, type, help, suffix of the sample, value.
const FAMILIES: [(&str, &str, &str, &str, Read); 4] = [
    ("sent", "counter", "Alerts sent", "_total", |figure| figure.sent as f64),
    ("errors", "counter", "Alerts in requests that failed", "_total", |figure| {
        figure.errors as f64
    }),
    (
        "dropped",
        "counter",
        "Alerts dropped: the queue was full, or sending failed",
        "_total",
        |figure| figure.dropped as f64,
    ),
    ("queue_length", "gauge", "Alerts that wait to be sent", "", |figure| figure.waiting as f64),
];

impl Figures {
    /// Adds those of one Alertmanager.
    pub(super) fn add(&mut self, url: &str, counts: &Counts, waiting: usize) {
        let figure = self.0.entry(url.to_owned()).or_default();
        let pairs = [
            (&mut figure.sent, &counts.sent),
            (&mut figure.errors, &counts.errors),
            (&mut figure.dropped, &counts.dropped),
            (&mut figure.requests, &counts.requests),
            (&mut figure.microseconds, &counts.microseconds),
        ];
        for (sum, counter) in pairs {
            *sum += counter.load(Ordering::Relaxed);
        }
        figure.waiting += waiting as u64;
        figure.instances += 1;
    }

    /// As OpenMetrics text without the end of the page.
    pub(super) fn page(&self, queue_capacity: usize) -> String {
        let mut out = String::new();
        for (name, kind, help, suffix, read) in FAMILIES {
            let name = format!("prometheus_notifications_{name}");
            begin(&mut out, &name, kind, help);
            for (url, figure) in &self.0 {
                let value = format_json(read(figure));
                let url = escaped(url);
                out.push_str(&format!("{name}{suffix}{{alertmanager=\"{url}\"}} {value}\n"));
            }
        }
        let name = "prometheus_notifications_latency_seconds";
        begin(&mut out, name, "summary", "How long sending alerts takes");
        for (url, figure) in &self.0 {
            let (url, seconds) = (escaped(url), format_json(figure.microseconds as f64 / 1e6));
            out.push_str(&format!("{name}_sum{{alertmanager=\"{url}\"}} {seconds}\n"));
            let count = figure.requests;
            out.push_str(&format!("{name}_count{{alertmanager=\"{url}\"}} {count}\n"));
        }
        let instances: u64 = self.0.values().map(|figure| figure.instances).sum();
        let single = [
            ("queue_capacity", "Alerts that may wait for one Alertmanager", queue_capacity as u64),
            ("alertmanagers_discovered", "Alertmanagers that alerts are sent to", instances),
        ];
        for (name, help, value) in single {
            let name = format!("prometheus_notifications_{name}");
            begin(&mut out, &name, "gauge", help);
            out.push_str(&format!("{name} {value}\n"));
        }
        out
    }
}

fn begin(out: &mut String, name: &str, kind: &str, help: &str) {
    out.push_str(&format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
}

/// A label value, as it is written.
pub(super) fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', "\\n")
}
