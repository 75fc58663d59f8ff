//! What the server is told by objects of Kubernetes, beside its configuration: monitors become
//! jobs, `PrometheusRule` objects become rules, without an operator.
//!
//! 1. [`MonitorSettings`] says where the objects are: in an API server, in files (`files`), or
//!    nowhere.
//! 2. [`Wanted`] holds what the configuration says and what the objects say. Whenever one of the
//!    two changes, the manager of scrapes is given all jobs, that of rules all groups; they keep what
//!    stays as it is.
//! 3. [`Shown`] says how it is with the objects; each that is refused is said once in the log.
//!
//! Jobs that leave targets to others ([`scraper::job::Job::yields`]) begin when the monitors are known,
//! so that a restart does not have them scrape for a moment what monitors are for.
//!
//! A wrong object is refused by its name, and the others count. While the API server is away or a
//! file is wrong, what was read last counts.

mod files;
mod wanted;

use std::path::PathBuf;
use std::time::Duration;

use scraper::discover::kubernetes::{KindStatus, MonitorOptions};
use scraper::discover::monitors::Defaults;

pub use self::wanted::Wanted;
use crate::config::Global;

/// Longer than it takes to list all monitors of a cluster.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where monitors are read.
#[derive(Clone, Debug)]
pub struct MonitorSettings {
    /// In an API server; `None`: in none.
    pub cluster: Option<MonitorOptions>,
    /// Which cluster the targets of monitors are looked for in; `None`: in the one that we run in.
    pub kubeconfig: Option<PathBuf>,
    /// In files, each maybe a pattern for [`crate::config::glob::expand`].
    pub files: Vec<PathBuf>,
    /// How often is looked whether the files have changed; `None`: only when the configuration is
    /// read again.
    pub watch: Option<Duration>,
    /// How long jobs that leave targets to others wait for the first word of the API server.
    pub patience: Duration,
    /// What monitors do not say, as long as no configuration says it.
    pub defaults: Defaults,
}

impl Default for MonitorSettings {
    /// Nowhere; a scrape each minute, as in Prometheus.
    fn default() -> Self {
        let defaults = Defaults { interval_ms: 60_000, timeout_ms: 10_000 };
        let (files, patience) = (Vec::new(), PATIENCE);
        Self { cluster: None, kubeconfig: None, files, watch: None, patience, defaults }
    }
}

/// What monitors do not say is what jobs do not say.
pub fn defaults(global: &Global) -> Defaults {
    Defaults { interval_ms: global.scrape_interval_ms, timeout_ms: global.scrape_timeout_ms }
}

/// How it is with the objects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shown {
    /// Each kind in the API server; none if that is not asked, or has said nothing yet.
    pub kinds: Vec<KindStatus>,
    /// How many jobs the monitors make.
    pub jobs: usize,
    /// How many groups of rules the objects have.
    pub groups: usize,
    /// What is refused, by the object's kind and name, and why.
    pub refused: Vec<(String, String)>,
}
