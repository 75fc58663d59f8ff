//! What the parts are made of.

use crate::config::NotifyFile;
use crate::flags::{AlertingOptions, SharedFlags};
use crate::monitors::MonitorSettings;
use crate::reload::ConfigFile;
use crate::rules::manager::RuleOptions;
use crate::upkeep::Retention;
use crate::web::WebOptions;

/// What the parts are made of.
#[derive(Clone, Debug)]
pub struct AppOptions {
    /// Limits that all subcommands share.
    pub shared: SharedFlags,
    /// Accept remote write.
    pub remote_write: bool,
    /// Answer the admin API.
    pub admin: bool,
    /// What is dropped.
    pub retention: Retention,
    /// How late a sample may come, in ms; see [`tsdb::Options::out_of_order_ms`].
    pub out_of_order_ms: i64,
    /// How many exemplars are kept; `None`: as the store does by itself.
    pub exemplars_max: Option<usize>,
    /// The file that the jobs are from, if it can be read again.
    pub file: Option<ConfigFile>,
    /// Answer `/-/reload` and `/-/quit`.
    pub lifecycle: bool,
    /// Rules that are evaluated.
    pub rules: RuleOptions,
    /// Where monitors are read.
    pub monitors: MonitorSettings,
    /// How alerts are raised and sent.
    pub alerting: AlertingOptions,
    /// Whom the built-in sender tells, if it is on.
    pub direct: Option<NotifyFile>,
    /// A sentence that the page shows.
    pub notice: Option<String>,
    /// How it is served.
    pub web: WebOptions,
}
