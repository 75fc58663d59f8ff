//! Notification: what rules have to tell reaches people.
//!
//! 1. [`Notifier::notify`] takes notices, adds the external labels, applies `alert_relabel_configs`
//!    and hands them to each `set` of Alertmanagers. It never waits.
//! 2. A set finds its Alertmanagers, relabels once more, and writes each alert as JSON (`alert`).
//! 3. Each Alertmanager has a bounded queue (`queue`) and a loop of its own (`instance`): one that
//!    hangs delays no other.
//! 4. Where there is no Alertmanager, the built-in sender (`direct`) tells people itself.
//!
//! Invariants: a queue that is full drops the oldest alert and counts it. What could not be sent is
//! dropped and counted, too: the rule tells it again after the resend delay.

mod alert;
mod direct;
mod instance;
mod metrics;
mod queue;
mod set;

use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use scraper::cycle::Clock;
use scraper::discover::kubernetes::Clusters;
use scraper::manager::Obstacle;
use scraper::relabel::Rule;
use tokio::time::Instant;
use tsdb::model::Labels;

use crate::config::{Config, NotifyFile};
use crate::rules::notify::{Notice, Notify};
use alert::Alert;
use direct::Direct;
use set::Set;
use silence::{SilenceError, Silences};

pub use direct::silence;

/// How long sending what is queued may delay the end of the server.
pub const DRAIN_MAX: Duration = Duration::from_secs(5);

/// How alerts are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotifyOptions {
    /// Alerts that wait for one Alertmanager at most.
    pub queue_capacity: usize,
    /// Alerts of one request at most.
    pub batch_size: usize,
    /// Whether what is queued is sent when the server ends.
    pub drains: bool,
}

impl Default for NotifyOptions {
    /// Prometheus's.
    fn default() -> Self {
        Self { queue_capacity: 10_000, batch_size: 256, drains: true }
    }
}

/// Tells alerts to all that the configuration names.
pub struct Notifier {
    options: NotifyOptions,
    external_url: String,
    clusters: Clusters,
    /// The built-in sender and its silences, if there is one.
    direct: Option<(Direct, Arc<Silences>)>,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    external_labels: Labels,
    relabel: Arc<[Rule]>,
    sets: Vec<Arc<Set>>,
}

/// The Alertmanagers that are known, by their URLs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Alertmanagers {
    /// Those that alerts are sent to.
    pub active: Vec<String>,
    /// Those that relabelling dropped.
    pub dropped: Vec<String>,
}

impl Notifier {
    /// Tells nobody yet. `external_url` is where users reach this server.
    pub fn new(options: NotifyOptions, external_url: String) -> Self {
        let (clusters, state) = (Clusters::default(), RwLock::default());
        Self { options, external_url, clusters, direct: None, state }
    }

    /// The same, with the built-in sender, which keeps silences and what it told in the store's
    /// `directory`. Who fired before the start counts as firing for `grace_ms` more, unless it is
    /// heard of.
    pub fn with_direct(
        mut self,
        clock: Arc<dyn Clock>,
        directory: &Path,
        grace_ms: i64,
    ) -> Result<Self, SilenceError> {
        let silences = Arc::new(Silences::open_or_put_aside(directory)?);
        let (own, url) = (silences.clone(), self.external_url.clone());
        let direct = Direct::new(clock, own, url, (directory, grace_ms));
        self.direct = Some((direct, silences));
        Ok(self)
    }

    /// Silences of the built-in sender, if there is one.
    pub fn silences(&self) -> Option<&Silences> {
        self.direct.as_ref().map(|(_, silences)| &**silences)
    }

    /// Makes what a configuration says hold, within a tokio runtime. Alertmanagers whose section is
    /// as it was keep their queues; others are told what they have queued, and end.
    pub fn apply(&self, config: &Config) {
        let labels = config.global.external_labels.iter();
        let labels = labels.map(|(name, value)| (name.as_str(), value.as_str()));
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let mut old = std::mem::take(&mut state.sets);
        let set = |section: &_| {
            let same = old.iter().position(|set| set.section == *section);
            same.map(|at| old.swap_remove(at))
                .unwrap_or_else(|| Set::start(section.clone(), self.options, &self.clusters))
        };
        *state = State {
            external_labels: Labels::from_pairs(labels),
            relabel: config.alerting.relabel.as_slice().into(),
            sets: config.alerting.managers.iter().map(set).collect(),
        };
        for set in old {
            tokio::spawn(async move { set.stop(Instant::now() + DRAIN_MAX).await });
        }
    }

    /// Makes what the built-in sender's file says hold, within a tokio runtime.
    pub fn apply_direct(&self, file: &NotifyFile) {
        if let Some((direct, _)) = &self.direct {
            direct.apply(file);
        }
    }

    /// Sends what is queued, for [`DRAIN_MAX`] at most, unless that is switched off; then ends.
    pub async fn stop(&self) {
        let deadline = Instant::now() + DRAIN_MAX;
        let sets = std::mem::take(&mut self.write().sets);
        let stopping = sets.into_iter().map(|set| {
            tokio::spawn(async move {
                set.stop(deadline).await;
            })
        });
        for one in stopping.collect::<Vec<_>>() {
            // An error is a bug that cost what this set had queued; the others go on.
            let _ended = one.await;
        }
        if let Some((direct, _)) = &self.direct {
            direct.stop(deadline).await;
        }
    }

    /// Whom alerts are sent to, and whom not.
    pub fn alertmanagers(&self) -> Alertmanagers {
        let mut all = Alertmanagers::default();
        for set in &self.read().sets {
            set.list(&mut all);
        }
        all
    }

    /// What the search for Alertmanagers tries in vain, with the number of their section, from 0.
    pub fn obstacles(&self) -> Vec<(usize, Obstacle)> {
        let state = self.read();
        let sets = state.sets.iter().enumerate();
        sets.flat_map(|(at, set)| set.obstacles().into_iter().map(move |one| (at, one))).collect()
    }

    /// What is counted, as OpenMetrics text without the end of the page.
    pub fn metrics(&self) -> String {
        let mut figures = metrics::Figures::default();
        for set in &self.read().sets {
            set.count(&mut figures);
        }
        let direct = self.direct.as_ref().map(|(direct, _)| direct.metrics());
        figures.page(self.options.queue_capacity) + &direct.unwrap_or_default()
    }

    fn tell(&self, alerts: Vec<Alert>) {
        if alerts.is_empty() {
            return;
        }
        for set in &self.read().sets {
            set.add(&alerts);
        }
        if let Some((direct, _)) = &self.direct {
            direct.add(&alerts);
        }
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Notify for Notifier {
    fn notify(&self, notices: Vec<Notice>) {
        let (labels, relabel) = {
            let state = self.read();
            (state.external_labels.clone(), state.relabel.clone())
        };
        let alerts = notices.into_iter().filter_map(|notice| {
            Alert::new(notice, &labels, &self.external_url).relabelled(&relabel)
        });
        self.tell(alerts.collect());
    }
}
