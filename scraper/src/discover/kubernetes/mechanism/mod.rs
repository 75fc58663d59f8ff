//! Discovery in Kubernetes: nodes, pods, services, endpoints, slices and ingresses of a cluster.
//!
//! 1. [`access`]: a way to the API server.
//! 2. [`cluster`], [`watch`]: watches of the role's objects, and of those that their labels are
//!    looked up in, shared between jobs; each keeps a [`store`] equal to the server.
//! 3. The mechanism waits until all stores are filled, and then sends a group for each object that
//!    changed, or that has labels of one that changed ([`roles`]).
//!
//! Right after a refusal ("pods is forbidden") the others go on; what is refused counts as empty.
//! While the API server is away, everything stays as it was. [`Problems`] says what fails now; that
//! nobody answers is one problem, of the same name ([`REACH`]) for all who ask that server.

mod access;
mod api;
mod cluster;
mod labels;
mod objects;
mod operator;
mod roles;
mod scope;
mod store;
mod view;
mod watch;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use cluster::Clusters;
pub use operator::{KindStatus, MonitorOptions, Monitored, Monitors};
pub use watch::Retry;

use super::{KubernetesOptions, REACH, Role};
use crate::discover::{Problems, TargetGroup, Updates};
use access::Access;
use cluster::{Cluster, Watching};
use objects::{EndpointSlice, Endpoints, Ingress, Kind, Node, Object, Pod, Service};
use roles::{Changed, Source, group, source};
use scope::Scope;
use store::{Changes, Inbox, Store};
use view::View;
use watch::Pause;

/// Finds the targets of one `kubernetes_sd_configs` entry.
#[derive(Debug)]
pub struct Kubernetes {
    options: KubernetesOptions,
    clusters: Clusters,
}

impl Kubernetes {
    /// Asks nobody yet. Mechanisms that are given the same `clusters` share their watches.
    pub fn new(options: KubernetesOptions, clusters: Clusters) -> Self {
        Self { options, clusters }
    }

    /// Sends groups as the cluster changes, until it is dropped or nobody takes them.
    pub async fn run(self, updates: Updates, problems: Problems) {
        let access = Access::of(&self.options);
        let cluster = connect(&self.clusters, &access, &problems).await;
        match self.options.role {
            Role::Node => self.serve::<Node>(&cluster, &updates, &problems).await,
            Role::Pod => self.serve::<Pod>(&cluster, &updates, &problems).await,
            Role::Service => self.serve::<Service>(&cluster, &updates, &problems).await,
            Role::Endpoints => self.serve::<Endpoints>(&cluster, &updates, &problems).await,
            Role::EndpointSlice => {
                self.serve::<EndpointSlice>(&cluster, &updates, &problems).await;
            }
            Role::Ingress => self.serve::<Ingress>(&cluster, &updates, &problems).await,
        }
    }

    async fn serve<K: Source>(&self, cluster: &Cluster, updates: &Updates, problems: &Problems) {
        let mut open =
            Opening { options: &self.options, cluster, inbox: Arc::default(), watches: Vec::new() };
        let own: Vec<Arc<Store<K>>> = open.in_namespaces(Some(self.options.role));
        let view = open.view(K::KIND);
        let (inbox, watches) = (open.inbox, open.watches);
        let mut report = Report::default();
        let mut waiting = Changes::new();
        loop {
            waiting.extend(inbox.next().await);
            let troubles = watches.iter().flat_map(|watch| watch.troubles()).collect();
            report.pass_on(troubles, problems);
            if !watches.iter().all(|watch| watch.settled()) {
                continue;
            }
            let groups = groups(&own, &view, &std::mem::take(&mut waiting));
            if !groups.is_empty() && updates.send(groups).await.is_err() {
                return;
            }
        }
    }
}

/// Tries until there is a way to the API server.
async fn connect(clusters: &Clusters, access: &Access, problems: &Problems) -> Arc<Cluster> {
    let (tried, mut pause) = (access.reach(), Pause::new(clusters.retry()));
    loop {
        match clusters.cluster(access).await {
            Ok(cluster) => {
                problems.clear(&tried);
                return cluster;
            }
            Err(why) => {
                problems.set(&tried, &why);
            }
        }
        pause.wait().await;
    }
}

/// Opens the watches that a role needs.
struct Opening<'a> {
    options: &'a KubernetesOptions,
    cluster: &'a Cluster,
    inbox: Arc<Inbox>,
    watches: Vec<Arc<dyn Watching>>,
}

impl Opening<'_> {
    /// What the labels of objects of `kind` are looked up in.
    fn view(&mut self, kind: Kind) -> View {
        let mut view = View::default();
        let attach = self.options.attach_metadata;
        if matches!(kind, Kind::Endpoints | Kind::EndpointSlice) {
            view.pods = self.in_namespaces(Some(Role::Pod));
            view.services = self.in_namespaces(Some(Role::Service));
        }
        if attach.node && matches!(kind, Kind::Pod | Kind::Endpoints | Kind::EndpointSlice) {
            view.nodes = vec![self.open(Scope::all(Kind::Node))];
        }
        if attach.namespace && kind != Kind::Node {
            view.namespaces = vec![self.open(Scope::all(Kind::Namespace))];
        }
        view
    }

    /// The objects of a kind in all namespaces that are wanted, as the selector of `role` says.
    fn in_namespaces<K: Object>(&mut self, role: Option<Role>) -> Vec<Arc<Store<K>>> {
        let mut scope = Scope::all(K::KIND);
        let selectors = &self.options.selectors;
        if let Some(selector) = selectors.iter().find(|selector| Some(selector.role) == role) {
            (scope.label, scope.field) = (selector.label.clone(), selector.field.clone());
        }
        let mut namespaces = self.options.namespaces.names.clone();
        namespaces.extend(self.options.namespaces.own.then(|| self.cluster.own_namespace.clone()));
        namespaces.sort();
        namespaces.dedup();
        if namespaces.is_empty() || !K::KIND.namespaced() {
            return vec![self.open(scope)];
        }
        let scopes =
            namespaces.into_iter().map(|name| Scope { namespace: Some(name), ..scope.clone() });
        scopes.map(|scope| self.open(scope)).collect()
    }

    fn open<K: Object>(&mut self, scope: Scope) -> Arc<Store<K>> {
        let watch = self.cluster.watch::<K>(scope);
        let store = watch.store.clone();
        store.subscribe(&self.inbox);
        self.watches.push(watch);
        store
    }
}

/// The groups of all objects that changed, are gone, or have labels of others that changed.
fn groups<K: Source>(own: &[Arc<Store<K>>], view: &View, changes: &Changes) -> Vec<TargetGroup> {
    let changed = Changed(changes);
    let others = changes.iter().any(|(kind, _)| *kind != K::KIND);
    let mut groups = BTreeMap::new();
    for (_, key) in changes.iter().filter(|(kind, _)| *kind == K::KIND) {
        let object = own.iter().find_map(|store| store.get(key));
        let gone = || TargetGroup { source: source::<K>(key), ..TargetGroup::default() };
        groups.insert(key.clone(), object.map_or_else(gone, |object| group(&*object, view)));
    }
    for object in own.iter().filter(|_| others).flat_map(|store| store.all()) {
        let key = object.meta().key();
        if !groups.contains_key(&key) && object.mentions(&changed) {
            groups.insert(key, group(&*object, view));
        }
    }
    groups.into_values().collect()
}

/// What the watches' troubles were when they were last passed on.
#[derive(Default)]
struct Report(BTreeMap<String, String>);

impl Report {
    fn pass_on(&mut self, now: BTreeMap<String, String>, problems: &Problems) {
        for tried in self.0.keys().filter(|tried| !now.contains_key(*tried)) {
            problems.clear(tried);
        }
        for (tried, why) in &now {
            problems.set(tried, why);
        }
        self.0 = now;
    }
}
