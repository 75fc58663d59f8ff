//! What notification exports about itself, under Prometheus's names.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use scraper::totals::Durations;

use crate::exposition::Page;

/// Upper bounds of how long sending takes, in seconds: Prometheus's.
const BOUNDS: [f64; 4] = [0.01, 0.1, 1.0, 10.0];

/// Counters of one Alertmanager.
#[derive(Debug, Default)]
pub(super) struct Counts {
    sent: AtomicU64,
    errors: AtomicU64,
    dropped: AtomicU64,
    latency: Mutex<Latency>,
}

/// How long requests took that succeeded.
#[derive(Clone, Debug, Default)]
struct Latency {
    durations: Durations,
    /// How many took at most as long as each of [`BOUNDS`], and longer than the one before.
    buckets: [u64; BOUNDS.len()],
}

impl Latency {
    fn add(&mut self, took: Duration) {
        self.durations.add(took);
        if let Some(at) = BOUNDS.iter().position(|bound| took.as_secs_f64() <= *bound) {
            self.buckets[at] += 1;
        }
    }

    fn join(&mut self, other: &Self) {
        self.durations.join(&other.durations);
        self.buckets.iter_mut().zip(other.buckets).for_each(|(own, more)| *own += more);
    }
}

impl Counts {
    /// A request with so many alerts succeeded.
    pub(super) fn sent(&self, alerts: usize, took: Duration) {
        self.sent.fetch_add(alerts as u64, Ordering::Relaxed);
        self.latency.lock().unwrap_or_else(PoisonError::into_inner).add(took);
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

#[derive(Clone, Debug, Default)]
struct Figure {
    sent: u64,
    errors: u64,
    dropped: u64,
    latency: Latency,
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
        ];
        for (sum, counter) in pairs {
            *sum += counter.load(Ordering::Relaxed);
        }
        figure.latency.join(&counts.latency.lock().unwrap_or_else(PoisonError::into_inner));
        figure.waiting += waiting as u64;
        figure.instances += 1;
    }

    /// As OpenMetrics text without the end of the page.
    pub(super) fn page(&self, queue_capacity: usize) -> String {
        let mut page = Page::default();
        for (name, kind, help, suffix, read) in FAMILIES {
            let name = format!("prometheus_notifications_{name}");
            page.family(&name, kind, help);
            for (url, figure) in &self.0 {
                let name = format!("{name}{suffix}");
                page.sample(&name, &[("alertmanager", url)], read(figure));
            }
        }
        self.write_latency(&mut page);
        let instances: u64 = self.0.values().map(|figure| figure.instances).sum();
        let single = [
            ("queue_capacity", "Alerts that may wait for one Alertmanager", queue_capacity as u64),
            ("alertmanagers_discovered", "Alertmanagers that alerts are sent to", instances),
        ];
        for (name, help, value) in single {
            let name = format!("prometheus_notifications_{name}");
            page.one(&name, "gauge", help, value as f64);
        }
        page.0
    }

    fn write_latency(&self, page: &mut Page) {
        let name = "prometheus_notifications_latency_seconds";
        page.family(name, "summary", "How long sending alerts takes");
        for (url, Figure { latency, .. }) in &self.0 {
            page.durations(name, &[("alertmanager", url)], &latency.durations);
        }
        let name = "prometheus_notifications_latency_histogram_seconds";
        page.family(name, "histogram", "How long sending alerts takes");
        for (url, Figure { latency: Latency { durations, buckets }, .. }) in &self.0 {
            let (buckets, all) =
                (BOUNDS.into_iter().zip(*buckets), (durations.count, durations.sum));
            page.histogram(name, &[("alertmanager", url)], buckets, all);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latency_is_a_summary_and_a_histogram_of_each_url() {
        let (first, same, other) = (Counts::default(), Counts::default(), Counts::default());
        for (counts, milliseconds) in [(&first, [5, 50]), (&same, [50, 20_000])] {
            milliseconds.iter().for_each(|ms| counts.sent(1, Duration::from_millis(*ms)));
        }
        other.failed(1);
        let mut figures = Figures::default();
        for (url, counts) in [("http://a", &first), ("http://a", &same), ("http://b", &other)] {
            figures.add(url, counts, 0);
        }
        let page = figures.page(10);
        let lines: Vec<&str> = page.lines().filter(|line| line.contains("latency")).collect();
        let expected = r#"# HELP prometheus_notifications_latency_seconds How long sending alerts takes
# TYPE prometheus_notifications_latency_seconds summary
prometheus_notifications_latency_seconds{alertmanager="http://a",quantile="0.5"} 0.05
prometheus_notifications_latency_seconds{alertmanager="http://a",quantile="0.9"} 20
prometheus_notifications_latency_seconds{alertmanager="http://a",quantile="0.99"} 20
prometheus_notifications_latency_seconds_sum{alertmanager="http://a"} 20.105
prometheus_notifications_latency_seconds_count{alertmanager="http://a"} 4
prometheus_notifications_latency_seconds{alertmanager="http://b",quantile="0.5"} NaN
prometheus_notifications_latency_seconds{alertmanager="http://b",quantile="0.9"} NaN
prometheus_notifications_latency_seconds{alertmanager="http://b",quantile="0.99"} NaN
prometheus_notifications_latency_seconds_sum{alertmanager="http://b"} 0
prometheus_notifications_latency_seconds_count{alertmanager="http://b"} 0
# HELP prometheus_notifications_latency_histogram_seconds How long sending alerts takes
# TYPE prometheus_notifications_latency_histogram_seconds histogram
prometheus_notifications_latency_histogram_seconds_bucket{alertmanager="http://a",le="0.01"} 1
prometheus_notifications_latency_histogram_seconds_bucket{alertmanager="http://a",le="0.1"} 3
prometheus_notifications_latency_histogram_seconds_bucket{alertmanager="http://a",le="1"} 3
prometheus_notifications_latency_histogram_seconds_bucket{alertmanager="http://a",le="10"} 3
prometheus_notifications_latency_histogram_seconds_bucket{alertmanager="http://a",le="+Inf"} 4
prometheus_notifications_latency_histogram_seconds_sum{alertmanager="http://a"} 20.105
prometheus_notifications_latency_histogram_seconds_count{alertmanager="http://a"} 4
prometheus_notifications_latency_histogram_seconds_bucket{alertmanager="http://b",le="0.01"} 0
prometheus_notifications_latency_histogram_seconds_bucket{alertmanager="http://b",le="0.1"} 0
prometheus_notifications_latency_histogram_seconds_bucket{alertmanager="http://b",le="1"} 0
prometheus_notifications_latency_histogram_seconds_bucket{alertmanager="http://b",le="10"} 0
prometheus_notifications_latency_histogram_seconds_bucket{alertmanager="http://b",le="+Inf"} 0
prometheus_notifications_latency_histogram_seconds_sum{alertmanager="http://b"} 0
prometheus_notifications_latency_histogram_seconds_count{alertmanager="http://b"} 0"#;
        assert_eq!(lines.join("\n"), expected);
    }
}
