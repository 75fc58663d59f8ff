//! Clusters that are in use, and their watches: what several jobs ask for is asked once.
//!
//! A watch runs as long as somebody holds it. Jobs that name the same API server in the same way,
//! and there the same objects, hold the same one.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::task::JoinHandle;

use super::access::Access;
use super::api::Api;
use super::objects::Object;
use super::scope::Scope;
use super::store::Store;
use super::watch::{Retry, follow};

/// All clusters that jobs look into. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Clusters(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    retry: Retry,
    clusters: tokio::sync::Mutex<Vec<(Access, Weak<Cluster>)>>,
}

impl Clusters {
    /// With other times between attempts than the usual.
    pub fn with_retry(retry: Retry) -> Self {
        Self(Arc::new(Known { retry, clusters: Default::default() }))
    }

    pub(super) fn retry(&self) -> Retry {
        self.0.retry
    }

    /// The cluster at the end of `access`.
    pub(super) async fn cluster(&self, access: &Access) -> Result<Arc<Cluster>, String> {
        let mut clusters = self.0.clusters.lock().await;
        clusters.retain(|(_, cluster)| cluster.strong_count() > 0);
        let known = clusters.iter().find(|(known, _)| known == access);
        if let Some(cluster) = known.and_then(|(_, cluster)| cluster.upgrade()) {
            return Ok(cluster);
        }
        let (client, own_namespace) = access.connect().await?;
        let (api, watches) = (Api::new(client, access.reach()), Mutex::default());
        let cluster = Arc::new(Cluster { api, own_namespace, retry: self.0.retry, watches });
        clusters.push((access.clone(), Arc::downgrade(&cluster)));
        Ok(cluster)
    }
}

/// An API server, and what is watched there.
pub(crate) struct Cluster {
    pub(crate) api: Api,
    /// The namespace that we are in.
    pub(crate) own_namespace: String,
    retry: Retry,
    watches: Mutex<HashMap<Scope, Weak<dyn Any + Send + Sync>>>,
}

impl fmt::Debug for Cluster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cluster").field("own_namespace", &self.own_namespace).finish()
    }
}

impl Cluster {
    /// The watch of `scope`, which runs already or begins now.
    pub(crate) fn watch<K: Object>(&self, scope: Scope) -> Arc<Watch<K>> {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.retain(|_, watch| watch.strong_count() > 0);
        let known = watches.get(&scope).and_then(Weak::upgrade);
        if let Some(watch) = known.and_then(|watch| watch.downcast().ok()) {
            return watch;
        }
        let store = Arc::new(Store::default());
        let follow = follow(self.api.clone(), scope.clone(), store.clone(), self.retry);
        let watch = Arc::new(Watch { store, task: tokio::spawn(follow) });
        let weak: Weak<Watch<K>> = Arc::downgrade(&watch);
        watches.insert(scope, weak);
        watch
    }
}

/// A watch that runs; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Watch<K> {
    pub(crate) store: Arc<Store<K>>,
    task: JoinHandle<()>,
}

impl<K> Drop for Watch<K> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A watch, whatever it is about.
pub(crate) trait Watching: Send + Sync {
    /// Whether all objects are there, or are known to be out of reach.
    fn settled(&self) -> bool;

    /// What fails now: what was tried, and why.
    fn troubles(&self) -> BTreeMap<String, String>;
}

impl<K: Object> Watching for Watch<K> {
    fn settled(&self) -> bool {
        self.store.settled()
    }

    fn troubles(&self) -> BTreeMap<String, String> {
        self.store.troubles()
    }
}
