//! What the server exports about itself, under Prometheus's names where it has them.
//!
//! Counters live in a registry; gauges that belong to the store or the scraper are read from
//! there when the page is made.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use promql::CacheStats;
use scraper::target::{Health, TargetStatus};
use tsdb::Stats;

use crate::process;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    handler: String,
    code: u32,
}

/// The registry and what is counted while the server runs.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    samples_written: Counter,
    head_series: Gauge,
    head_groups: Gauge,
    head_samples: Gauge<u64, AtomicU64>,
    wal_bytes: Gauge<u64, AtomicU64>,
    blocks: Gauge,
    block_bytes: Gauge<u64, AtomicU64>,
    lowest_timestamp: Gauge,
    block_write_failing: Gauge,
    log_suspended: Gauge,
    config_loaded: Gauge,
    config_loaded_at: Gauge<f64, AtomicU64>,
    cache_hits: Counter,
    cache_misses: Counter,
    cache_entries: Gauge,
    cache_bytes: Gauge,
    query_bytes: Gauge,
    targets_up: Gauge,
    targets: Gauge,
    resident_bytes: Gauge,
    cpu_seconds: Counter<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::default(),
            requests: Family::default(),
            samples_written: Counter::default(),
            head_series: Gauge::default(),
            head_groups: Gauge::default(),
            head_samples: Gauge::default(),
            wal_bytes: Gauge::default(),
            blocks: Gauge::default(),
            block_bytes: Gauge::default(),
            lowest_timestamp: Gauge::default(),
            block_write_failing: Gauge::default(),
            log_suspended: Gauge::default(),
            config_loaded: Gauge::default(),
            config_loaded_at: Gauge::default(),
            cache_hits: Counter::default(),
            cache_misses: Counter::default(),
            cache_entries: Gauge::default(),
            cache_bytes: Gauge::default(),
            query_bytes: Gauge::default(),
            targets_up: Gauge::default(),
            targets: Gauge::default(),
            resident_bytes: Gauge::default(),
            cpu_seconds: Counter::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("inferometer_build", "The running version", build);
        let requests = self.requests.clone();
        registry.register(
            "prometheus_http_requests",
            "HTTP requests by route and status",
            requests,
        );
        let written = self.samples_written.clone();
        registry.register(
            "inferometer_remote_write_received_samples",
            "Samples that came in by remote write",
            written,
        );
        let counters = [
            (
                "inferometer_query_cache_hits",
                "Range queries of which some steps were kept from an earlier one",
                self.cache_hits.clone(),
            ),
            (
                "inferometer_query_cache_misses",
                "Range queries of which too few steps were kept, or were no longer right",
                self.cache_misses.clone(),
            ),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter);
        }
        registry.register(
            "prometheus_config_last_reload_success_timestamp_seconds",
            "When the configuration file was last read with success",
            self.config_loaded_at.clone(),
        );
        let gauges = [
            (
                "inferometer_query_cache_entries",
                "Range queries that are kept",
                self.cache_entries.clone(),
            ),
            (
                "inferometer_query_cache_bytes",
                "Bytes in memory of the range queries that are kept",
                self.cache_bytes.clone(),
            ),
            (
                "inferometer_query_memory_bytes",
                "Bytes that running queries hold, of those that --query.max-memory allows",
                self.query_bytes.clone(),
            ),
            ("prometheus_tsdb_head_series", "Series in memory", self.head_series.clone()),
            (
                "inferometer_tsdb_groups",
                "Groups of series that arrive together",
                self.head_groups.clone(),
            ),
            ("inferometer_targets", "Targets that are scraped", self.targets.clone()),
            (
                "prometheus_config_last_reload_successful",
                "Whether the last reading of the configuration file succeeded",
                self.config_loaded.clone(),
            ),
            (
                "inferometer_targets_up",
                "Targets whose last scrape succeeded",
                self.targets_up.clone(),
            ),
            ("prometheus_tsdb_blocks_loaded", "Blocks that are open", self.blocks.clone()),
            (
                "prometheus_tsdb_lowest_timestamp",
                "Time of the oldest sample, in milliseconds; 0 if there is none",
                self.lowest_timestamp.clone(),
            ),
            (
                "inferometer_storage_block_write_failing",
                "Whether the last try to write or merge blocks failed",
                self.block_write_failing.clone(),
            ),
            (
                "inferometer_storage_log_suspended",
                "Whether the disk has no space and samples are in memory only",
                self.log_suspended.clone(),
            ),
            ("process_resident_memory_bytes", "Resident memory", self.resident_bytes.clone()),
        ];
        for (name, help, gauge) in gauges {
            registry.register(name, help, gauge);
        }
        let sizes = [
            ("inferometer_tsdb_samples", "Samples in memory", self.head_samples.clone()),
            (
                "prometheus_tsdb_wal_storage_size_bytes",
                "Bytes of the write-ahead log",
                self.wal_bytes.clone(),
            ),
            (
                "prometheus_tsdb_storage_blocks_bytes",
                "Bytes of all blocks",
                self.block_bytes.clone(),
            ),
        ];
        for (name, help, gauge) in sizes {
            registry.register(name, help, gauge);
        }
        let cpu_seconds = self.cpu_seconds.clone();
        registry.register("process_cpu_seconds", "CPU time, user and system", cpu_seconds);
    }

    /// One more request was answered.
    pub fn count_request(&self, handler: String, code: u16) {
        self.requests.get_or_create(&RequestLabels { handler, code: code.into() }).inc();
    }

    /// Samples came in by remote write.
    pub fn count_written(&self, samples: usize) {
        self.samples_written.inc_by(samples as u64);
    }

    /// Whether blocks cannot be written.
    pub fn set_block_write_failing(&self, is_failing: bool) {
        self.block_write_failing.set(is_failing.into());
    }

    /// Whether samples are in memory only.
    pub fn set_log_suspended(&self, is_suspended: bool) {
        self.log_suspended.set(is_suspended.into());
    }

    /// What the cache of range queries says.
    pub fn set_query_cache(&self, stats: &CacheStats) {
        for (counter, now) in [(&self.cache_hits, stats.hits), (&self.cache_misses, stats.misses)] {
            counter.inner().store(now, Ordering::Relaxed);
        }
        self.cache_entries.set(stats.entries as i64);
        self.cache_bytes.set(stats.bytes as i64);
    }

    /// Bytes that running queries hold.
    pub fn set_query_memory(&self, bytes: usize) {
        self.query_bytes.set(i64::try_from(bytes).unwrap_or(i64::MAX));
    }

    /// The configuration file was read, or could not be.
    pub fn set_config_loaded(&self, is_loaded: bool) {
        self.config_loaded.set(i64::from(is_loaded));
        if is_loaded {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            self.config_loaded_at.set(now.map_or(0.0, |now| now.as_secs_f64()));
        }
    }

    /// The page in OpenMetrics text.
    pub fn page(&self, stats: &Stats, targets: &[TargetStatus]) -> String {
        self.head_series.set(stats.series as i64);
        self.head_groups.set(stats.groups as i64);
        self.head_samples.set(stats.samples);
        self.wal_bytes.set(stats.log_bytes);
        self.blocks.set(stats.blocks as i64);
        self.block_bytes.set(stats.block_bytes);
        self.lowest_timestamp.set(stats.oldest.map_or(0, |oldest| oldest.ms()));
        self.targets.set(targets.len() as i64);
        let up = targets.iter().filter(|target| target.health == Health::Up).count();
        self.targets_up.set(up as i64);
        self.read_process();
        let mut page = String::new();
        encode(&mut page, &self.registry).expect("BUG: writing to a string fails");
        page
    }

    /// Whether the configuration file was read with success, and when it last was, in seconds since
    /// 1970.
    pub fn config_loaded(&self) -> (bool, f64) {
        (self.config_loaded.get() != 0, self.config_loaded_at.get())
    }

    /// Where the system does not tell, the values stay 0.
    fn read_process(&self) {
        let Some(process) = process::read() else { return };
        self.resident_bytes.set(process.resident_bytes);
        let counted = self.cpu_seconds.get();
        self.cpu_seconds.inc_by((process.cpu_seconds - counted).max(0.0));
    }
}
