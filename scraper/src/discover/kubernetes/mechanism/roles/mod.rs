//! What an object becomes in each role: pure functions from an object, and what may be looked up
//! beside it, to a group of targets. Source of names and rules: Prometheus 3, discovery/kubernetes.

mod behind;
mod endpoints;
mod endpointslice;
mod ingress;
mod node;
mod pod;
mod service;

use super::objects::{Kind, Object, Reference, key};
use super::store::Changes;
use super::view::View;
use crate::discover::{LabelPairs, TargetGroup};

/// An object that becomes targets.
pub(super) trait Source: Object {
    /// What the names of its groups begin with.
    const PREFIX: &'static str;

    /// Its targets, and the labels that they share.
    fn targets(&self, view: &View) -> (Vec<LabelPairs>, LabelPairs);

    /// Whether its targets have labels of another object that `changed`.
    fn mentions(&self, changed: &Changed<'_>) -> bool {
        changed.namespace(&self.meta().namespace)
    }
}

/// The group of an object.
pub(super) fn group<K: Source>(object: &K, view: &View) -> TargetGroup {
    let source = source::<K>(&object.meta().key());
    let (targets, labels) = object.targets(view);
    TargetGroup { source, targets, labels }
}

/// The name of the group of the object with that key.
pub(super) fn source<K: Source>(key: &str) -> String {
    format!("{}/{key}", K::PREFIX)
}

/// Changes, to be asked by kind.
pub(super) struct Changed<'a>(pub(super) &'a Changes);

impl Changed<'_> {
    fn has(&self, kind: Kind, key: String) -> bool {
        self.0.contains(&(kind, key))
    }

    fn namespace(&self, name: &str) -> bool {
        self.has(Kind::Namespace, name.to_owned())
    }

    /// The pod or node that an address belongs to.
    fn reference(&self, reference: Option<&Reference>) -> bool {
        reference.is_some_and(|target| match target.kind.as_str() {
            "Pod" => self.has(Kind::Pod, key(&target.namespace, &target.name)),
            "Node" => self.node(&target.name),
            _ => false,
        })
    }

    fn node(&self, name: &str) -> bool {
        self.has(Kind::Node, name.to_owned())
    }
}
