//! Monitors in an API server: prometheus-operator's objects, and the Secrets and ConfigMaps that
//! they refer to. No operator is needed.
//!
//! 1. Each kind is watched as the objects of roles are. One that the cluster does not know is
//!    looked for again from time to time; one that is refused is a problem, and the others go on.
//! 2. Whenever something changed all objects are gathered. Each object that they refer to is
//!    watched by its name, so that no right to read all Secrets is needed, and is read again when
//!    it changes.
//! 3. When all watches have said something, [`Monitored`] is what there is now.
//!
//! While the API server is away, everything stays as it was. [`Problems`] says what fails now.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

use super::access::Access;
use super::cluster::{Cluster, Clusters, Watch, Watching};
use super::objects::{
    ConfigMap, Holder, PodMonitor, Probe, PrometheusRule, ScrapeConfig, Secret, ServiceMonitor,
    Written, key,
};
use super::scope::Scope;
use super::store::Inbox;
use super::{Report, connect};
use crate::discover::Problems;
use crate::discover::monitors::{DataKind, OBJECTS_MAX, Objects, Reference, Referred};

/// What is a problem if there are too many objects.
const TAKE: &str = "take all monitors";

/// Which monitors are read, and where.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonitorOptions {
    /// A file that says where the API server is and who we are; without it: as a pod does.
    pub kubeconfig: Option<PathBuf>,
    /// In these namespaces; in all of them if there is none.
    pub namespaces: Vec<String>,
    /// Those with such labels, as the API's `labelSelector`; all of them if it is empty.
    pub selector: String,
}

/// What an API server has.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Monitored {
    /// The objects.
    pub objects: Objects,
    /// How it is with each kind.
    pub kinds: Vec<KindStatus>,
}

/// How it is with a kind of monitors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KindStatus {
    /// Its plural: `servicemonitors`.
    pub resource: &'static str,
    /// Whether the cluster knows it.
    pub is_installed: bool,
    /// How many of them there are.
    pub objects: usize,
}

/// Reads the monitors of a cluster.
#[derive(Debug)]
pub struct Monitors {
    options: MonitorOptions,
    clusters: Clusters,
}

impl Monitors {
    /// Asks nobody yet.
    pub fn new(options: MonitorOptions, clusters: Clusters) -> Self {
        Self { options, clusters }
    }

    /// Says what there is whenever it changes, until it is dropped or nobody listens.
    pub async fn run(self, found: watch::Sender<Monitored>, problems: Problems) {
        let access = self.options.kubeconfig.clone().map_or(Access::InCluster, Access::Kubeconfig);
        let cluster = connect(&self.clusters, &access, &problems).await;
        let mut watches = Watches::open(&cluster, &self.options);
        let mut report = Report::default();
        while !found.is_closed() {
            watches.inbox.next().await;
            let mut now = watches.monitored(&problems);
            watches.follow(&cluster, now.objects.references());
            report.pass_on(watches.troubles(), &problems);
            if watches.have_answered() {
                watches.refer(&mut now.objects);
                found.send_if_modified(|known| {
                    let is_new = *known != now;
                    *known = now;
                    is_new
                });
            }
        }
    }
}

/// A watch of monitors or rules.
trait Objective: Watching {
    fn status(&self) -> KindStatus;

    fn objects(&self) -> Vec<Value>;
}

impl<K: Written> Objective for Watch<K> {
    fn status(&self) -> KindStatus {
        let resource = K::KIND.resource().2;
        let is_installed = !self.store.is_absent();
        KindStatus { resource, is_installed, objects: self.store.all().len() }
    }

    fn objects(&self) -> Vec<Value> {
        self.store.all().iter().map(|object| object.whole()).collect()
    }
}

/// A watch of the one object that a reference leads to.
trait Referent: Watching {
    fn referred(&self, reference: &Reference) -> Referred;
}

impl<K: Holder> Referent for Watch<K> {
    fn referred(&self, reference: &Reference) -> Referred {
        match self.store.get(&key(&reference.namespace, &reference.name)) {
            Some(object) => object.texts().map(Some),
            None => match self.store.troubles().into_values().next() {
                Some(why) => Err(why),
                None => Ok(None),
            },
        }
    }
}

/// All watches that run.
struct Watches {
    inbox: Arc<Inbox>,
    objects: Vec<Arc<dyn Objective>>,
    referents: BTreeMap<Reference, Arc<dyn Referent>>,
}

impl Watches {
    fn open(cluster: &Cluster, options: &MonitorOptions) -> Self {
        let (inbox, referents) = (Arc::default(), BTreeMap::new());
        let mut own = Self { inbox, objects: Vec::new(), referents };
        own.open_kind::<ServiceMonitor>(cluster, options);
        own.open_kind::<PodMonitor>(cluster, options);
        own.open_kind::<Probe>(cluster, options);
        own.open_kind::<ScrapeConfig>(cluster, options);
        own.open_kind::<PrometheusRule>(cluster, options);
        own
    }

    fn open_kind<K: Written>(&mut self, cluster: &Cluster, options: &MonitorOptions) {
        let scope = Scope { label: options.selector.clone(), ..Scope::all(K::KIND) };
        let names: BTreeSet<&String> = options.namespaces.iter().collect();
        let of = |name: &String| Scope { namespace: Some(name.clone()), ..scope.clone() };
        let mut scopes: Vec<Scope> = names.into_iter().map(of).collect();
        if scopes.is_empty() {
            scopes.push(scope);
        }
        for scope in scopes {
            let watch = cluster.watch::<K>(scope);
            watch.store.subscribe(&self.inbox);
            self.objects.push(watch);
        }
    }

    /// What there is, without what it refers to.
    fn monitored(&self, problems: &Problems) -> Monitored {
        let mut now = Monitored::default();
        let mut left_out = 0;
        for watch in &self.objects {
            let status = watch.status();
            match now.kinds.last_mut().filter(|last| last.resource == status.resource) {
                Some(last) => {
                    last.objects += status.objects;
                    last.is_installed |= status.is_installed;
                }
                None => now.kinds.push(status),
            }
            let mut objects = watch.objects();
            objects.sort_by_key(|object| object["metadata"].to_string());
            left_out += objects.into_iter().filter(|own| !now.objects.add(own.clone())).count();
        }
        match left_out {
            0 => problems.clear(TAKE),
            count => problems
                .set(TAKE, &format!("{count} are left out, for there are more than {OBJECTS_MAX}")),
        };
        now
    }

    /// Watches what is referred to, and nothing that is no longer.
    fn follow(&mut self, cluster: &Cluster, references: BTreeSet<Reference>) {
        self.referents.retain(|reference, _| references.contains(reference));
        for reference in references {
            if self.referents.contains_key(&reference) {
                continue;
            }
            let watch = match reference.kind {
                DataKind::Secret => self.open_one::<Secret>(cluster, &reference),
                DataKind::ConfigMap => self.open_one::<ConfigMap>(cluster, &reference),
            };
            self.referents.insert(reference, watch);
        }
    }

    fn open_one<K: Holder>(&self, cluster: &Cluster, reference: &Reference) -> Arc<dyn Referent> {
        let watch = cluster.watch::<K>(Scope::one(K::KIND, &reference.namespace, &reference.name));
        watch.store.subscribe(&self.inbox);
        watch
    }

    fn refer(&self, objects: &mut Objects) {
        for (reference, watch) in &self.referents {
            objects.refer(reference.clone(), watch.referred(reference));
        }
    }

    fn troubles(&self) -> BTreeMap<String, String> {
        let objects = self.objects.iter().flat_map(|watch| watch.troubles());
        objects.chain(self.referents.values().flat_map(|watch| watch.troubles())).collect()
    }

    /// Whether each watch has objects, or says why not.
    fn have_answered(&self) -> bool {
        let answered = |settled: bool, troubles: BTreeMap<_, _>| settled || !troubles.is_empty();
        self.objects.iter().all(|watch| answered(watch.settled(), watch.troubles()))
            && self.referents.values().all(|watch| answered(watch.settled(), watch.troubles()))
    }
}
