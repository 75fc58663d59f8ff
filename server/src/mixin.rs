//! What Prometheus's own dashboards ask for, under its names: times of queries and requests, what
//! scrapes count, build and process. Everything else that is exported stands in `metrics`.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use scraper::manager::Manager;
use scraper::totals::Durations;
use tsdb::Stats;
use tsdb::model::duration::format_duration;

use crate::exposition::Page;
use crate::process;

/// Upper bounds of the times of requests, in seconds: Prometheus's.
const BOUNDS: [f64; 9] = [0.1, 0.2, 0.4, 1.0, 3.0, 8.0, 20.0, 60.0, 120.0];

/// What is measured while the server runs.
#[derive(Debug, Default)]
pub struct Mixin {
    queued: Mutex<Durations>,
    evaluated: Mutex<Durations>,
    requests: Mutex<BTreeMap<String, Requests>>,
}

#[derive(Clone, Debug, Default)]
struct Requests {
    /// How many took at most as long as each of [`BOUNDS`], and no less than the one before.
    buckets: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

impl Mixin {
    /// A query waited and was evaluated.
    pub fn query_evaluated(&self, queued: Duration, took: Duration) {
        locked(&self.queued).add(queued);
        locked(&self.evaluated).add(took);
    }

    /// A request was answered. Handlers are routes, so that there are not many.
    pub fn request_answered(&self, handler: &str, took: Duration) {
        let mut requests = locked(&self.requests);
        let own = match requests.get_mut(handler) {
            Some(own) => own,
            None => requests.entry(handler.to_owned()).or_default(),
        };
        let seconds = took.as_secs_f64();
        (own.count, own.sum) = (own.count + 1, own.sum + seconds);
        if let Some(at) = BOUNDS.iter().position(|bound| seconds <= *bound) {
            own.buckets[at] += 1;
        }
    }

    /// All of it as OpenMetrics text, without the end of the page.
    pub fn page(&self, version: &str, stats: &Stats, chunks: u64, scrapes: &Manager) -> String {
        let mut page = Page::default();
        write_process(&mut page, version);
        write_head(&mut page, stats, chunks);
        write_scrapes(&mut page, scrapes);
        let name = "prometheus_engine_query_duration_seconds";
        page.family(name, "summary", "How long queries waited and how long they were evaluated");
        for (slice, own) in [("queue_time", &self.queued), ("inner_eval", &self.evaluated)] {
            page.durations(name, &[("slice", slice)], &locked(own).clone());
        }
        self.write_requests(&mut page);
        page.0
    }

    fn write_requests(&self, page: &mut Page) {
        let name = "prometheus_http_request_duration_seconds";
        page.family(name, "histogram", "How long requests took until the answer began");
        for (handler, own) in &*locked(&self.requests) {
            let labels = [("handler", handler.as_str())];
            let buckets = BOUNDS.iter().copied().zip(own.buckets);
            page.histogram(name, &labels, buckets, (own.count, own.sum));
        }
    }
}

fn write_process(page: &mut Page, version: &str) {
    page.family("prometheus_build_info", "gauge", "The version, as a label");
    let revision = concat!("inferometer-", env!("CARGO_PKG_VERSION"));
    let labels = [("branch", ""), ("goversion", ""), ("revision", revision), ("version", version)];
    page.sample("prometheus_build_info", &labels, 1.0);
    page.one("prometheus_ready", "gauge", "Whether requests are answered", 1.0);
    if let Some(started) = process::start_seconds() {
        let help = "When the process started, in seconds since 1970";
        page.one("process_start_time_seconds", "gauge", help, started);
    }
    if let Some(process) = process::read() {
        let bytes = process.virtual_bytes as f64;
        page.one("process_virtual_memory_bytes", "gauge", "Memory that is mapped", bytes);
    }
    if let Some((open, limit)) = process::open_files() {
        page.one("process_open_fds", "gauge", "Open files", open as f64);
        page.one("process_max_fds", "gauge", "How many files may be open", limit as f64);
    }
}

fn write_head(page: &mut Page, stats: &Stats, chunks: u64) {
    let name = "prometheus_tsdb_head_samples_appended";
    page.family(name, "counter", "Samples that were stored since the start");
    let labels = [("type", "float")];
    page.sample(&format!("{name}_total"), &labels, stats.appended as f64);
    let help = "Runs of samples in memory that are compressed together";
    page.one("prometheus_tsdb_head_chunks", "gauge", help, chunks as f64);
    if let Some(newest) = stats.newest {
        let help = "Time of the newest sample, in milliseconds";
        page.one("prometheus_tsdb_head_max_time", "gauge", help, newest.ms() as f64);
    }
}

fn write_scrapes(page: &mut Page, scrapes: &Manager) {
    let totals = scrapes.totals();
    let counters: [(&str, &str, &AtomicU64); 4] = [
        ("exceeded_body_size_limit", "Pages that were too long", &totals.too_large),
        ("exceeded_sample_limit", "Pages with too many samples", &totals.too_many_samples),
        ("sample_duplicate_timestamp", "Samples that were on their page before", &totals.repeated),
        (
            "sample_out_of_order",
            "Samples that were refused: out of order, too old or contradicting",
            &totals.refused,
        ),
    ];
    for (name, help, counter) in counters {
        let name = format!("prometheus_target_scrapes_{name}");
        page.one(&name, "counter", help, counter.load(Ordering::Relaxed) as f64);
    }
    let help = "Always 0: these samples are counted as out of order";
    page.one("prometheus_target_scrapes_sample_out_of_bounds", "counter", help, 0.0);
    let name = "prometheus_target_interval_length_seconds";
    page.family(name, "summary", "From one scrape of a target to its next");
    for (interval_ms, own) in totals.intervals() {
        page.durations(name, &[("interval", &format_duration(interval_ms))], &own);
    }
    let name = "prometheus_target_sync_length_seconds";
    page.family(name, "summary", "How long it took to take over a job's targets");
    for (job, own) in totals.syncs() {
        page.durations(name, &[("scrape_job", &job)], &own);
    }
    let jobs = scrapes.discovery(None);
    let name = "prometheus_sd_discovered_targets";
    page.family(name, "gauge", "Targets that were found, before relabelling");
    for job in &jobs {
        let labels = [("config", job.job.name.as_str()), ("name", "scrape")];
        page.sample(name, &labels, job.discovered as f64);
    }
    let name = "prometheus_target_scrape_pool_targets";
    page.family(name, "gauge", "Targets of the job that are scraped");
    for job in &jobs {
        page.sample(name, &[("scrape_job", &job.job.name)], job.active as f64);
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
