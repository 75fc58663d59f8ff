//! A job, and relabel rules.

use super::super::error::Place;
use super::super::yaml::{At, Pairs, Value};
use super::{Client, Discovery, List, fields, settings};

settings! {
    /// An item of `scrape_configs`.
    ScrapeConfig in SCRAPE_CONFIG {
        job_name: String,
        scrape_interval: String,
        scrape_timeout: String,
        scrape_protocols: List<String>,
        fallback_scrape_protocol: String,
        metrics_path: String,
        scheme: String,
        params: Pairs<Value<List<String>>>,
        honor_labels: bool,
        honor_timestamps: bool,
        track_timestamps_staleness: bool,
        enable_compression: bool,
        scrape_failure_log_file: String,
        body_size_limit: String,
        sample_limit: u64,
        target_limit: u64,
        label_limit: u64,
        label_name_length_limit: u64,
        label_value_length_limit: u64,
        keep_dropped_targets: u64,
        native_histogram_bucket_limit: u64,
        native_histogram_min_bucket_factor: f64,
        metric_name_validation_scheme: String,
        metric_name_escaping_scheme: String,
        scrape_native_histograms: bool,
        convert_classic_histograms_to_nhcb: bool,
        always_scrape_classic_histograms: bool,
        extra_scrape_metrics: bool,
        relabel_configs: List<RelabelConfig>,
        metric_relabel_configs: List<RelabelConfig>,
        ..client: Client,
        ..discovery: Discovery,
    }
}

settings! {
    /// An item of `relabel_configs` or `metric_relabel_configs`.
    RelabelConfig in RELABEL_CONFIG {
        source_labels: List<String>,
        separator: String,
        regex: String,
        modulus: u64,
        target_label: String,
        replacement: String,
        action: String,
    }
}
