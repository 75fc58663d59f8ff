//! The Alertmanagers of one section of the configuration: found, relabelled, each with its loop.
//!
//! As long as the section stays, an Alertmanager that is found again (the same URL) keeps its
//! queue.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use scraper::discover::kubernetes::Clusters;
use scraper::fetch::HttpClient;
use scraper::manager::{Obstacle, Search, UPDATE_EVERY};
use scraper::relabel;
use scraper::target::endpoint;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tracing::warn;
use tsdb::model::Labels;

use super::alert::Alert;
use super::instance::Instance;
use super::metrics::Figures;
use super::{Alertmanagers, DRAIN_MAX, NotifyOptions};
use crate::config::Alertmanager;

/// The path of the API, behind the prefix.
const ALERTS_PATH: &str = "/api/v2/alerts";
/// The label with the path, for relabelling.
const PATH_LABEL: &str = "__alerts_path__";
/// The label with the scheme.
const SCHEME_LABEL: &str = "__scheme__";
/// The label with host and port.
const ADDRESS_LABEL: &str = "__address__";
/// Connections stay open for so long without use: longer than an alert is not told again.
const IDLE: Duration = Duration::from_secs(300);

/// The Alertmanagers of one section.
pub(super) struct Set {
    /// What the configuration says.
    pub(super) section: Alertmanager,
    options: NotifyOptions,
    client: Arc<HttpClient>,
    search: Search,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    instances: Vec<Instance>,
    /// URLs of those that relabelling dropped.
    dropped: Vec<String>,
    /// What is no Alertmanager, and was said.
    refused: BTreeSet<String>,
    /// Whether it has ended: nobody is found any more.
    has_ended: bool,
}

/// What a label set that was found is.
enum Found {
    Active(String),
    Dropped(String),
    /// No Alertmanager, and why.
    Refused(String),
}

impl Set {
    /// Starts to look for them, within a tokio runtime. Those that are written down are there when
    /// this returns.
    pub(super) fn start(
        section: Alertmanager,
        options: NotifyOptions,
        clusters: &Clusters,
    ) -> Arc<Self> {
        let search = Search::start(&section.discover, clusters);
        let client = Arc::new(HttpClient::new(&section.client, IDLE));
        let known = Mutex::default();
        let set = Arc::new(Self { section, options, client, search, known });
        let mut changes = set.search.changes();
        changes.mark_unchanged();
        set.update();
        tokio::spawn(follow(Arc::downgrade(&set), changes));
        set
    }

    /// Takes over what is found now.
    fn update(&self) {
        let found: Vec<Found> =
            self.search.label_sets().iter().map(|set| self.decide(set)).collect();
        let mut known = self.known();
        if known.has_ended {
            return;
        }
        let mut before = std::mem::take(&mut known.instances);
        let refused = std::mem::take(&mut known.refused);
        known.dropped.clear();
        for one in found {
            match one {
                Found::Active(url) if known.instances.iter().any(|own| own.url() == url) => {}
                Found::Active(url) => {
                    let kept = before.iter().position(|own| own.url() == url);
                    let kept = kept.map(|at| before.swap_remove(at));
                    known.instances.push(kept.unwrap_or_else(|| self.begin(url)));
                }
                Found::Dropped(url) => known.dropped.push(url),
                Found::Refused(why) => {
                    if !refused.contains(&why) {
                        warn!("alertmanagers: {why}");
                    }
                    known.refused.insert(why);
                }
            }
        }
        for gone in before {
            tokio::spawn(gone.stop(Instant::now() + DRAIN_MAX));
        }
    }

    fn begin(&self, url: String) -> Instance {
        let timeout = Duration::from_millis(self.section.timeout_ms.max(0).unsigned_abs());
        Instance::start(url, self.client.clone(), timeout, self.options)
    }

    fn decide(&self, found: &Labels) -> Found {
        let mut labels = found.to_builder();
        labels.set(SCHEME_LABEL, self.section.scheme.as_str());
        labels.set(PATH_LABEL, path(&self.section.path_prefix));
        let before = labels.build();
        let is_kept = relabel::apply(&mut labels, &self.section.relabel);
        let labels = if is_kept { labels.build() } else { before };
        let text = |name| labels.get(name).unwrap_or_default();
        match endpoint(text(SCHEME_LABEL), text(ADDRESS_LABEL), text(PATH_LABEL)) {
            Ok(url) if is_kept => Found::Active(url),
            Ok(url) => Found::Dropped(url),
            Err(why) => Found::Refused(format!("{found}: {why}")),
        }
    }

    /// Relabels alerts and queues them for each Alertmanager.
    pub(super) fn add(&self, alerts: &[Alert]) {
        let relabelled = alerts.iter().filter_map(|alert| {
            Some(Arc::from(alert.clone().relabelled(&self.section.alert_relabel)?.to_json()))
        });
        let relabelled: Vec<Arc<str>> = relabelled.collect();
        for instance in &self.known().instances {
            instance.add(&relabelled);
        }
    }

    /// Adds what is known to `all`.
    pub(super) fn list(&self, all: &mut Alertmanagers) {
        let known = self.known();
        all.active.extend(known.instances.iter().map(|own| own.url().to_owned()));
        all.dropped.extend(known.dropped.iter().cloned());
    }

    /// What the search tries in vain.
    pub(super) fn obstacles(&self) -> Vec<Obstacle> {
        self.search.obstacles()
    }

    /// Adds its counters to `figures`.
    pub(super) fn count(&self, figures: &mut Figures) {
        for instance in &self.known().instances {
            let (counts, waiting) = instance.counts();
            figures.add(instance.url(), counts, waiting);
        }
    }

    /// Sends what is queued until `deadline`, if that is wanted; then all end.
    pub(super) async fn stop(&self, deadline: Instant) {
        let instances = {
            let mut known = self.known();
            known.has_ended = true;
            std::mem::take(&mut known.instances)
        };
        let ending = instances.into_iter().map(|one| tokio::spawn(one.stop(deadline)));
        for one in ending.collect::<Vec<_>>() {
            // An error is a bug that cost what this one had queued; the others go on.
            let _ended = one.await;
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes over what is found, as long as the set is there.
async fn follow(set: Weak<Set>, mut changes: watch::Receiver<u64>) {
    while changes.changed().await.is_ok() {
        let Some(set) = set.upgrade() else { return };
        set.update();
        drop(set);
        sleep(UPDATE_EVERY).await;
    }
}

/// The path of the API behind `prefix`, as Go's `path.Join` writes it.
fn path(prefix: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in prefix.split('/').chain(ALERTS_PATH.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let rows = [
            ("", "/api/v2/alerts"),
            ("/", "/api/v2/alerts"),
            ("am/", "/am/api/v2/alerts"),
            ("//a//b/../c", "/a/c/api/v2/alerts"),
        ];
        for (prefix, expected) in rows {
            assert_eq!(path(prefix), expected, "{prefix}");
        }
    }
}
