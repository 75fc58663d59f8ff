//! Discovery: what finds the addresses of a job.
//!
//! A mechanism (one file or folder each) runs until it is dropped and sends [`TargetGroup`]s: what
//! it knows of one source. A group replaces the one that came before from the same source, an
//! empty one removes it, and what a mechanism does not mention stays. So an API server that goes
//! away for an hour takes no target with it.

pub mod dns;
pub mod file;
pub(crate) mod fixed;
pub mod http;
pub mod kubernetes;
#[cfg(feature = "kubernetes")]
pub mod monitors;
mod read;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::client::Redacted;
use crate::job::FixedTargets;
use dns::DnsOptions;
use file::FileOptions;
use http::HttpOptions;
use kubernetes::{Clusters, Kubernetes, KubernetesOptions};

/// Targets that one mechanism may find, before relabelling. (A cluster of 5 000 nodes has 150 000
/// pods at most.)
pub const TARGETS_MAX: usize = 200_000;
/// Bytes that the labels of one mechanism's targets may have all together.
pub const LABEL_BYTES_MAX: usize = 256 << 20;
/// No mechanism looks again sooner than this.
const REFRESH_MIN: Duration = Duration::from_secs(1);
/// The label that says where a target is.
pub(crate) const ADDRESS: &str = "__address__";

/// One way to find the targets of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// They are written down (`static_configs`).
    Fixed(Vec<FixedTargets>),
    /// In files.
    File(FileOptions),
    /// From a URL.
    Http(Box<HttpOptions>),
    /// From DNS.
    Dns(DnsOptions),
    /// From a Kubernetes API server.
    Kubernetes(Box<KubernetesOptions>),
}

impl Mechanism {
    /// Its kind, as in the names of the configuration (`static`, `file`, …).
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Fixed(_) => "static",
            Self::File(_) => "file",
            Self::Http(_) => "http",
            Self::Dns(_) => "dns",
            Self::Kubernetes(_) => "kubernetes",
        }
    }

    /// Where it looks, in a few words without secrets.
    pub fn place(&self) -> String {
        match self {
            Self::Fixed(groups) => {
                let targets = groups.iter().map(|group| group.addresses.len());
                format!("{} written down", targets.sum::<usize>())
            }
            Self::File(options) => {
                let paths = options.paths.iter().map(|path| path.display().to_string());
                paths.collect::<Vec<_>>().join(", ")
            }
            Self::Http(options) => Redacted(&options.url).to_string(),
            Self::Dns(options) => format!("{} {}", options.kind.as_str(), options.names.join(", ")),
            Self::Kubernetes(options) => format!("role {}", options.role.as_str()),
        }
    }

    /// Sends what it finds until it is dropped or nobody takes it; a mechanism that changes nothing
    /// any more ends.
    /// Mechanisms that are given the same `clusters` share their watches.
    pub async fn run(self, clusters: Clusters, updates: Updates, problems: Problems) {
        match self {
            Self::Fixed(groups) => {
                // An error means that nobody wants them.
                let _gone = updates.send(fixed::groups(&groups)).await;
            }
            Self::File(options) => options.run(updates, problems).await,
            Self::Http(options) => options.run(updates, problems).await,
            Self::Dns(options) => options.run(updates, problems).await,
            Self::Kubernetes(options) => {
                Kubernetes::new(*options, clusters).run(updates, problems).await;
            }
        }
    }
}

/// Waits for the next look; `false`: nobody takes what is found any more.
async fn pause(updates: &Updates, time: Duration) -> bool {
    timeout(time, updates.closed()).await.is_err()
}

/// The time between two looks.
fn refresh(ms: i64) -> Duration {
    Duration::from_millis(ms.max(0).unsigned_abs()).max(REFRESH_MIN)
}

/// Labels by name, as discovery finds them: `__address__`, `__meta_…`, and whatever it is told.
pub type LabelPairs = BTreeMap<String, String>;

/// What one source (a file, a URL, a pod) has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TargetGroup {
    /// The source, unique within its mechanism.
    pub source: String,
    /// The labels of each target; they win over the group's.
    pub targets: Vec<LabelPairs>,
    /// The labels that all of them have.
    pub labels: LabelPairs,
}

/// Where a mechanism sends what it found; when the other end is gone it stops.
pub type Updates = mpsc::Sender<Vec<TargetGroup>>;

/// What stands in the way of a mechanism now, by what it tried (`list pods in llm-d`): for the page,
/// the API and the log. Clones share one list.
#[derive(Clone, Debug, Default)]
pub struct Problems(Arc<Mutex<BTreeMap<String, String>>>);

impl Problems {
    /// `tried` fails, and why. Says whether that is news.
    pub fn set(&self, tried: &str, why: &str) -> bool {
        self.list_mut().insert(tried.to_owned(), why.to_owned()).as_deref() != Some(why)
    }

    /// `tried` works (again). Says whether that is news.
    pub fn clear(&self, tried: &str) -> bool {
        self.list_mut().remove(tried).is_some()
    }

    /// All that fails now, in order of what was tried.
    pub fn list(&self) -> Vec<(String, String)> {
        let list = self.list_mut();
        list.iter().map(|(tried, why)| (tried.clone(), why.clone())).collect()
    }

    fn list_mut(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
