//! What a role may look up beside its own objects.

use std::sync::Arc;

use super::labels;
use super::objects::{Namespace, Node, Object, Pod, Reference, Service, key};
use super::store::Store;
use crate::discover::LabelPairs;

/// Stores of other kinds, each for one namespace or for all. A kind that is not wanted, or that
/// we may not read, is empty.
#[derive(Debug, Default)]
pub(super) struct View {
    pub(super) pods: Vec<Arc<Store<Pod>>>,
    pub(super) services: Vec<Arc<Store<Service>>>,
    pub(super) nodes: Vec<Arc<Store<Node>>>,
    pub(super) namespaces: Vec<Arc<Store<Namespace>>>,
}

impl View {
    /// The pod that an address belongs to.
    pub(super) fn pod(&self, reference: Option<&Reference>) -> Option<Arc<Pod>> {
        let pod = reference.filter(|reference| reference.kind == "Pod")?;
        get(&self.pods, &key(&pod.namespace, &pod.name))
    }

    /// The labels of a service, if there is such a one.
    pub(super) fn service_labels(&self, namespace: &str, name: &str) -> LabelPairs {
        let service = get(&self.services, &key(namespace, name));
        service.map(|service| service.labels()).unwrap_or_default()
    }

    /// Adds what is known of a node.
    pub(super) fn add_node(&self, labels: &mut LabelPairs, name: &str) {
        if let Some(node) = get(&self.nodes, name) {
            labels::meta(labels, "node", &node.metadata);
        }
    }

    /// Adds what is known of a namespace; its name is there anyway.
    pub(super) fn add_namespace(&self, labels: &mut LabelPairs, name: &str) {
        if let Some(namespace) = get(&self.namespaces, name) {
            labels::labels_and_annotations(labels, "namespace", &namespace.metadata);
        }
    }
}

fn get<K: Object>(stores: &[Arc<Store<K>>], key: &str) -> Option<Arc<K>> {
    stores.iter().find_map(|store| store.get(key))
}
