//! Settings that are no jobs, resolved.

use std::collections::BTreeMap;
use std::path::PathBuf;

use scraper::discover::Mechanism;
use scraper::job::{ClientOptions, Scheme, Secret};
use scraper::relabel::Rule;
use tsdb::model::Matcher;

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

/// The file of the built-in sender.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NotifyFile {
    /// Alerts that are alike in these labels are told together.
    pub group_by: Vec<String>,
    /// Milliseconds from the first alert of a group until it is told.
    pub group_wait_ms: i64,
    /// Milliseconds until more about the group is told.
    pub group_interval_ms: i64,
    /// Milliseconds until the same is told again.
    pub repeat_interval_ms: i64,
    /// Who is told; names are unique.
    pub receivers: Vec<Receiver>,
}

/// Somebody who is told of alerts.
#[derive(Clone, Debug, PartialEq)]
pub struct Receiver {
    /// Names it in the log and in metrics.
    pub name: String,
    /// What it understands.
    pub kind: ReceiverKind,
    /// Where it is.
    pub url: Secret,
    /// Which alerts it is told of: those that all of these match.
    pub matchers: Vec<Matcher>,
    /// Whether it is told that an alert is over.
    pub sends_resolved: bool,
    /// Milliseconds after which telling has failed.
    pub timeout_ms: i64,
    /// How to connect and who we are.
    pub client: ClientOptions,
}

/// What a receiver understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiverKind {
    /// Alertmanager's webhook, version 4.
    Webhook,
    /// Slack's incoming webhook, which others speak, too.
    Slack,
}
