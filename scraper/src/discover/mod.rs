//! Discovery: what finds the addresses of a job.
//!
//! A mechanism (one file or folder each) runs until it is dropped and sends [`TargetGroup`]s: what
//! it knows of one source. A group replaces the one that came before from the same source, an
//! empty one removes it, and what a mechanism does not mention stays. So an API server that goes
//! away for an hour takes no target with it.

pub mod dns;
pub mod file;
pub mod http;
pub mod kubernetes;
#[cfg(feature = "kubernetes")]
pub mod monitors;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use crate::job::FixedTargets;
use dns::DnsOptions;
use file::FileOptions;
use http::HttpOptions;
use kubernetes::KubernetesOptions;

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
