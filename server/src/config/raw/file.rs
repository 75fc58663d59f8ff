//! The top level, and the sections that are no jobs.

use super::super::error::Place;
use super::super::yaml::{At, Pairs, Value};
use super::{Alerting, List, ScrapeConfig, fields, settings};

settings! {
    /// The whole file.
    File in FILE {
        global: Global,
        scrape_configs: List<ScrapeConfig>,
        scrape_config_files: List<String>,
        rule_files: List<String>,
        alerting: Alerting,
        storage: Storage,
        otlp: Otlp,
        runtime: Runtime,
    }
}

settings! {
    /// A file of `scrape_config_files`.
    ScrapeFile in SCRAPE_FILE {
        scrape_configs: List<ScrapeConfig>,
    }
}

settings! {
    /// `global`.
    Global in GLOBAL {
        scrape_interval: String,
        scrape_timeout: String,
        scrape_protocols: List<String>,
        evaluation_interval: String,
        rule_query_offset: String,
        scrape_failure_log_file: String,
        query_log_file: String,
        external_labels: Pairs<Value<String>>,
        body_size_limit: String,
        sample_limit: u64,
        target_limit: u64,
        label_limit: u64,
        label_name_length_limit: u64,
        label_value_length_limit: u64,
        keep_dropped_targets: u64,
        metric_name_validation_scheme: String,
        metric_name_escaping_scheme: String,
        scrape_native_histograms: bool,
        convert_classic_histograms_to_nhcb: bool,
        always_scrape_classic_histograms: bool,
        extra_scrape_metrics: bool,
    }
}

settings! {
    /// `storage`.
    Storage in STORAGE {
        tsdb: Tsdb,
        exemplars: Exemplars,
    }
}

settings! {
    /// `storage.tsdb`.
    Tsdb in TSDB {
        out_of_order_time_window: String,
        retention: Retention,
        chunk_encoding: ChunkEncoding,
        stale_series_compaction_threshold: f64,
    }
}

settings! {
    /// `storage.tsdb.retention`.
    Retention in RETENTION {
        time: String,
        size: String,
        percentage: f64,
    }
}

settings! {
    /// `storage.tsdb.chunk_encoding`.
    ChunkEncoding in CHUNK_ENCODING {
        floats: String,
    }
}

settings! {
    /// `storage.exemplars`.
    Exemplars in EXEMPLARS {
        max_exemplars: i64,
    }
}

settings! {
    /// `runtime`.
    Runtime in RUNTIME {
        gogc: i64,
    }
}

settings! {
    /// `otlp`.
    Otlp in OTLP {
        promote_all_resource_attributes: bool,
        promote_resource_attributes: List<String>,
        ignore_resource_attributes: List<String>,
        translation_strategy: String,
        keep_identifying_resource_attributes: bool,
        convert_histograms_to_nhcb: bool,
        promote_scope_metadata: bool,
        label_name_underscore_sanitization: bool,
        label_name_preserve_multiple_underscores: bool,
    }
}
