//! A scrape job, resolved: everything that was to be decided is decided.
//!
//! Whoever reads configuration makes these; nothing here knows YAML. [`Job::new`] has Prometheus's
//! defaults, for those who make a job without a file.

use std::collections::BTreeMap;
use std::path::PathBuf;

pub use crate::client::{
    Authorization, ClientOptions, Environment, OAuth2, Proxy, ProxyServer, Redacted, Secret,
    TlsOptions, TlsVersion,
};
use crate::discover::Mechanism;
use crate::relabel::Rule;

/// What to scrape, how often, and what to do with the page.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its name: the `job` label, unless relabelling sets another.
    pub name: String,
    /// What finds its targets, in the order of the file.
    pub discover: Vec<Mechanism>,
    /// `http` or `https`, unless a target's `__scheme__` says otherwise.
    pub scheme: Scheme,
    /// The path of the page.
    pub metrics_path: String,
    /// Query parameters, each with its values in order.
    pub params: BTreeMap<String, Vec<String>>,
    /// Milliseconds from one scrape to the next.
    pub interval_ms: i64,
    /// Milliseconds after which a scrape has failed; at most `interval_ms`.
    pub timeout_ms: i64,
    /// Labels of the page win over the target's (else they are renamed to `exported_…`).
    pub honor_labels: bool,
    /// Timestamps on the page count.
    pub honor_timestamps: bool,
    /// A series that had timestamps of its own is ended too when it leaves the page.
    pub track_timestamps_staleness: bool,
    /// What a page may be written in, the best first; never empty, nothing twice.
    pub protocols: Vec<Protocol>,
    /// What a page is taken for whose `Content-Type` says nothing that we know.
    pub fallback: Option<Protocol>,
    /// Whether a page may come compressed.
    pub compression: bool,
    /// What a page, or the whole job, may have at most.
    pub limits: Limits,
    /// Which of its histograms are read, and how.
    pub histograms: Histograms,
    /// Whether the limits, the timeout and the page's size are reported as metrics
    /// (`extra_scrape_metrics`).
    pub extra_metrics: bool,
    /// Which names of metrics and labels are good.
    pub validation: Validation,
    /// What targets are asked to do with names that are not.
    pub escaping: Escaping,
    /// A file to which each failed scrape is written, one JSON object a line.
    pub failure_log: Option<PathBuf>,
    /// How to connect and who we are.
    pub client: ClientOptions,
    /// Applied to each target.
    pub relabel: Vec<Rule>,
    /// Applied to each series of a page.
    pub metric_relabel: Vec<Rule>,
    /// Keep when counters started with their samples: `_created` lines of OpenMetrics are no series
    /// then. No file says so; a feature of the server does.
    pub start_timestamps: bool,
    /// Store a sample of 0 where a counter started, if it has none that is newer. Like
    /// `start_timestamps` otherwise.
    pub start_zeros: bool,
    /// Leave targets to the jobs that scrape the same URL: all that do not yield, and those before
    /// this one that do. No file says so; it is for jobs that are built in.
    pub yields: bool,
}

/// Largest page that is ever read if a job sets no limit: 64 MiB. (Prometheus has no limit; a
/// real vLLM page has 58 KB, the largest exporters known about 10 MB.)
pub const PAGE_BYTES_MAX: u64 = 64 << 20;

impl Job {
    /// A job as Prometheus has it if nothing but the name is written, without targets.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            discover: Vec::new(),
            scheme: Scheme::Http,
            metrics_path: "/metrics".to_owned(),
            params: BTreeMap::new(),
            interval_ms: 60_000,
            timeout_ms: 10_000,
            honor_labels: false,
            honor_timestamps: true,
            track_timestamps_staleness: false,
            protocols: Protocol::TEXT_FIRST.to_vec(),
            fallback: None,
            compression: true,
            limits: Limits::default(),
            histograms: Histograms::default(),
            extra_metrics: false,
            validation: Validation::default(),
            escaping: Escaping::default(),
            failure_log: None,
            client: ClientOptions::default(),
            relabel: Vec::new(),
            metric_relabel: Vec::new(),
            start_timestamps: false,
            start_zeros: false,
            yields: false,
        }
    }

    /// The same, with these targets written down.
    pub fn with_targets(name: impl Into<String>, targets: Vec<FixedTargets>) -> Self {
        Self { discover: vec![Mechanism::Fixed(targets)], ..Self::new(name) }
    }

    /// Whether it matters when counters started.
    pub fn reads_starts(&self) -> bool {
        self.start_timestamps || self.start_zeros
    }

    /// The targets that are written down.
    pub fn fixed(&self) -> impl Iterator<Item = &FixedTargets> {
        let fixed = self.discover.iter().filter_map(|mechanism| match mechanism {
            Mechanism::Fixed(targets) => Some(targets),
            _ => None,
        });
        fixed.flatten()
    }
}

/// Targets that stand in the configuration, with the labels they share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FixedTargets {
    /// `host:port` of each.
    pub addresses: Vec<String>,
    /// Labels of all of them.
    pub labels: BTreeMap<String, String>,
}

/// The scheme of a target's URL.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// Plain.
    #[default]
    Http,
    /// TLS.
    Https,
}

impl Scheme {
    /// As in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// What may be on a page, or in a job; more than that, and the whole scrape fails. `None`: no
/// limit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Limits {
    /// Bytes of a page after decompression; `None`: [`PAGE_BYTES_MAX`].
    pub body_bytes: Option<u64>,
    /// Samples of a page that are left after relabelling.
    pub samples: Option<u64>,
    /// Targets of the job that are left after relabelling; with more all of them fail.
    pub targets: Option<u64>,
    /// Labels of a series.
    pub labels: Option<u64>,
    /// Bytes of a label's name.
    pub label_name_bytes: Option<u64>,
    /// Bytes of a label's value.
    pub label_value_bytes: Option<u64>,
    /// Buckets of a native histogram; its resolution is lowered until it has no more, and if that
    /// does not do, the scrape fails.
    pub histogram_buckets: Option<u64>,
    /// The least factor from one bucket of a native histogram to the next; the resolution is
    /// lowered until it holds.
    pub histogram_factor: Option<f64>,
    /// How many dropped targets are remembered.
    pub dropped_kept: Option<u64>,
}

/// Which histograms of a page are read; a target's labels may say otherwise
/// (`__scrape_native_histograms__` and its like).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Histograms {
    /// Read native histograms (`scrape_native_histograms`).
    pub native: bool,
    /// Read the classic buckets too where there is a native histogram
    /// (`always_scrape_classic_histograms`).
    pub classic_too: bool,
    /// Make native histograms with custom buckets of classic ones
    /// (`convert_classic_histograms_to_nhcb`).
    pub to_custom: bool,
}

/// A form of a page, as `scrape_protocols` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in the configuration")]
pub enum Protocol {
    PrometheusProto,
    PrometheusText0_0_4,
    PrometheusText1_0_0,
    OpenMetricsText0_0_1,
    OpenMetricsText1_0_0,
}

impl Protocol {
    /// Prometheus's `DefaultScrapeProtocols`.
    pub const TEXT_FIRST: [Self; 4] = [
        Self::OpenMetricsText1_0_0,
        Self::OpenMetricsText0_0_1,
        Self::PrometheusText1_0_0,
        Self::PrometheusText0_0_4,
    ];

    /// Prometheus's `DefaultProtoFirstScrapeProtocols`: the order when native histograms are read.
    pub const PROTO_FIRST: [Self; 5] = [
        Self::PrometheusProto,
        Self::OpenMetricsText1_0_0,
        Self::OpenMetricsText0_0_1,
        Self::PrometheusText1_0_0,
        Self::PrometheusText0_0_4,
    ];

    /// Every form.
    pub const ALL: [Self; 5] = Self::PROTO_FIRST;

    /// As in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PrometheusProto => "PrometheusProto",
            Self::PrometheusText0_0_4 => "PrometheusText0.0.4",
            Self::PrometheusText1_0_0 => "PrometheusText1.0.0",
            Self::OpenMetricsText0_0_1 => "OpenMetricsText0.0.1",
            Self::OpenMetricsText1_0_0 => "OpenMetricsText1.0.0",
        }
    }
}

/// Which names of metrics and labels are good (`metric_name_validation_scheme`); a page with
/// another one fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validation {
    /// Any UTF-8 text.
    #[default]
    Utf8,
    /// Letters, digits, `_` and (metrics only) `:`.
    Legacy,
}

/// What a target is asked to do with names that have other characters than those of
/// [`Validation::Legacy`] (`metric_name_escaping_scheme`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escaping {
    /// Leave them.
    #[default]
    AllowUtf8,
    /// Write `_` for each such character.
    Underscores,
    /// `.` becomes `_dot_`, `_` becomes `__`, others `__`.
    Dots,
    /// Prefix `U__`, and each such character by its code point.
    Values,
}

impl Escaping {
    /// As in the configuration and in `Accept`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AllowUtf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }
}
