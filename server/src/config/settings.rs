//! Settings that are no jobs, resolved.

use std::collections::BTreeMap;
use std::path::PathBuf;

use scraper::discover::Mechanism;
use scraper::job::{ClientOptions, Scheme};
use scraper::relabel::Rule;

/// The section `global`. Defaults are Prometheus's (3.14, `config.DefaultGlobalConfig`); what it
/// says for jobs is in the jobs already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Global {
    /// Milliseconds between scrapes of jobs that set no interval of their own; 1 minute.
    pub scrape_interval_ms: i64,
    /// Milliseconds until a scrape fails, for jobs that set none; 10 seconds, at most the interval.
    pub scrape_timeout_ms: i64,
    /// Milliseconds between evaluations of rules; 1 minute.
    pub evaluation_interval_ms: i64,
    /// How many milliseconds before now rules are evaluated; 0.
    pub rule_query_offset_ms: i64,
    /// Labels that are added when something leaves this server; `$NAME` and `${NAME}` stand for
    /// environment variables and are replaced already.
    pub external_labels: BTreeMap<String, String>,
    /// Where each query is written; `None`: nowhere.
    pub query_log: Option<PathBuf>,
}

/// The section `storage`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Storage {
    /// How much older than the newest sample a late one may be, in milliseconds; 0: none may be
    /// late.
    pub out_of_order_ms: i64,
    /// How long samples are kept, in milliseconds; `None`: as the flag says.
    pub retention_ms: Option<i64>,
    /// How many bytes they may take; `None`: as the flag says.
    pub retention_bytes: Option<u64>,
    /// The same as a part of the disk, in percent.
    pub retention_percent: Option<f64>,
    /// How many exemplars are kept; `None`: as the store does by itself.
    pub exemplars_max: Option<usize>,
}

/// The section `alerting`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Alerting {
    /// Applied to each alert.
    pub relabel: Vec<Rule>,
    /// Whom alerts are sent to.
    pub managers: Vec<Alertmanager>,
}

/// A group of Alertmanagers.
#[derive(Clone, Debug, PartialEq)]
pub struct Alertmanager {
    /// What finds them.
    pub discover: Vec<Mechanism>,
    /// How to connect and who we are.
    pub client: ClientOptions,
    /// `http` or `https`.
    pub scheme: Scheme,
    /// What stands before the path of the API.
    pub path_prefix: String,
    /// Milliseconds after which sending has failed.
    pub timeout_ms: i64,
    /// Applied to each of them.
    pub relabel: Vec<Rule>,
    /// Applied to each alert that is sent to them.
    pub alert_relabel: Vec<Rule>,
}
