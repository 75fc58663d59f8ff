//! Role `endpoints`: each address of each port behind a service; and of the pods found that way
//! all other declared ports too.

use super::behind::{Behind, reference};
use super::{Changed, Source};
use crate::discover::LabelPairs;
use crate::discover::kubernetes::mechanism::labels::{self, ADDRESS, set, set_some};
use crate::discover::kubernetes::mechanism::objects::{
    Address, EndpointPort, Endpoints, Kind, Subset,
};
use crate::discover::kubernetes::mechanism::view::View;

impl Source for Endpoints {
    const PREFIX: &'static str = "endpoints";

    fn targets(&self, view: &View) -> (Vec<LabelPairs>, LabelPairs) {
        let (namespace, name) = (&self.metadata.namespace, &self.metadata.name);
        let mut shared = view.service_labels(namespace, name);
        set(&mut shared, "namespace", namespace);
        labels::meta(&mut shared, "endpoints", &self.metadata);
        view.add_namespace(&mut shared, namespace);
        let mut behind = Behind::default();
        for subset in &self.subsets {
            for port in &subset.ports {
                for (address, ready) in subset.all() {
                    let target = target(address, port, ready, view);
                    behind.add(target, port.port, view.pod(address.target_ref.as_ref()));
                }
            }
        }
        (behind.into_targets(), shared)
    }

    fn mentions(&self, changed: &Changed<'_>) -> bool {
        let address = |(address, _): (&Address, _)| {
            changed.reference(address.target_ref.as_ref())
                || address.node_name.as_deref().is_some_and(|node| changed.node(node))
        };
        changed.namespace(&self.metadata.namespace)
            || changed.has(Kind::Service, self.metadata.key())
            || self.subsets.iter().flat_map(Subset::all).any(address)
    }
}

impl Subset {
    /// Each address, and whether it is ready.
    fn all(&self) -> impl Iterator<Item = (&Address, bool)> {
        let ready = self.addresses.iter().map(|address| (address, true));
        ready.chain(self.not_ready_addresses.iter().map(|address| (address, false)))
    }
}

fn target(address: &Address, port: &EndpointPort, ready: bool, view: &View) -> LabelPairs {
    let mut target = LabelPairs::new();
    target.insert(ADDRESS.into(), labels::host_port(&address.ip, port.port.unwrap_or_default()));
    set(&mut target, "endpoint_port_name", port.name.as_deref().unwrap_or_default());
    set(&mut target, "endpoint_port_protocol", port.protocol.as_deref().unwrap_or_default());
    set(&mut target, "endpoint_ready", ready.to_string());
    set_some(&mut target, "endpoint_node_name", address.node_name.as_ref());
    if !address.hostname.is_empty() {
        set(&mut target, "endpoint_hostname", &address.hostname);
    }
    let owner = address.target_ref.as_ref();
    reference(&mut target, "endpoint", owner);
    let node = owner.filter(|owner| owner.kind == "Node").map(|owner| &owner.name);
    if let Some(node) = address.node_name.as_ref().or(node) {
        view.add_node(&mut target, node);
    }
    target
}
