//! Kubernetes objects, reduced to what labels need.
//!
//! Everything else (`managedFields` above all, more than half of a pod) is gone as soon as an
//! answer is decoded, and two objects are equal if they make the same labels: a node's heartbeat
//! is no change. What is absent or null is empty.

mod endpoints;
mod plain;
mod pod;
mod written;

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

pub(crate) use endpoints::{
    Address, Endpoint, EndpointPort, EndpointSlice, Endpoints, Reference, Subset,
};
pub(crate) use plain::{Ingress, IngressRule, Namespace, Node, Service, ServicePort};
pub(crate) use pod::{Container, ContainerPort, Pod};
pub(crate) use written::{
    ConfigMap, Holder, PodMonitor, Probe, PrometheusRule, ScrapeConfig, Secret, ServiceMonitor,
    Written,
};

/// What all objects have.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Meta {
    pub(crate) name: String,
    /// Empty for objects of the whole cluster.
    pub(crate) namespace: String,
    pub(crate) uid: String,
    /// Where a watch would go on; taken out before an object is kept.
    pub(crate) resource_version: String,
    #[serde(deserialize_with = "nullable")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) annotations: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) owner_references: Vec<Owner>,
}

impl Meta {
    /// `namespace/name`, or `name`: unique among the objects of a kind.
    pub(crate) fn key(&self) -> String {
        key(&self.namespace, &self.name)
    }
}

/// `namespace/name`, or `name` where there is no namespace.
pub(crate) fn key(namespace: &str, name: &str) -> String {
    if namespace.is_empty() { name.to_owned() } else { format!("{namespace}/{name}") }
}

/// Who made an object.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Owner {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) controller: bool,
}

/// The kinds that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Node,
    Namespace,
    Pod,
    Service,
    Endpoints,
    EndpointSlice,
    Ingress,
    ServiceMonitor,
    PodMonitor,
    Probe,
    ScrapeConfig,
    PrometheusRule,
    Secret,
    ConfigMap,
}

impl Kind {
    /// API group (empty for the core), version, and the plural in URLs and in RBAC rules.
    pub(crate) fn resource(self) -> (&'static str, &'static str, &'static str) {
        const OPERATOR: &str = "monitoring.coreos.com";
        match self {
            Self::Node => ("", "v1", "nodes"),
            Self::Namespace => ("", "v1", "namespaces"),
            Self::Pod => ("", "v1", "pods"),
            Self::Service => ("", "v1", "services"),
            Self::Endpoints => ("", "v1", "endpoints"),
            Self::EndpointSlice => ("discovery.k8s.io", "v1", "endpointslices"),
            Self::Ingress => ("networking.k8s.io", "v1", "ingresses"),
            Self::ServiceMonitor => (OPERATOR, "v1", "servicemonitors"),
            Self::PodMonitor => (OPERATOR, "v1", "podmonitors"),
            Self::Probe => (OPERATOR, "v1", "probes"),
            Self::ScrapeConfig => (OPERATOR, "v1alpha1", "scrapeconfigs"),
            Self::PrometheusRule => (OPERATOR, "v1", "prometheusrules"),
            Self::Secret => ("", "v1", "secrets"),
            Self::ConfigMap => ("", "v1", "configmaps"),
        }
    }

    /// Whether its objects lie in namespaces.
    pub(crate) fn namespaced(self) -> bool {
        !matches!(self, Self::Node | Self::Namespace)
    }
}

/// An object that can be listed and watched.
pub(crate) trait Object: DeserializeOwned + PartialEq + Send + Sync + 'static {
    const KIND: Kind;

    fn meta(&self) -> &Meta;
    fn meta_mut(&mut self) -> &mut Meta;
}

macro_rules! objects {
    ($($kind:ident),*) => {$(
        impl Object for $kind {
            const KIND: Kind = Kind::$kind;

            fn meta(&self) -> &Meta {
                &self.metadata
            }

            fn meta_mut(&mut self) -> &mut Meta {
                &mut self.metadata
            }
        }
    )*};
}

objects!(Node, Namespace, Pod, Service, Endpoints, EndpointSlice, Ingress);
objects!(ServiceMonitor, PodMonitor, Probe, ScrapeConfig, PrometheusRule, Secret, ConfigMap);

/// Go writes empty lists and maps as `null` where a field is not optional.
pub(crate) fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}
