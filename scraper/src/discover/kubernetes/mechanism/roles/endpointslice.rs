//! Role `endpointslice`: each address of each port in a slice of what is behind a service; and of
//! the pods found that way all other declared ports too.

use super::behind::{Behind, reference};
use super::{Changed, Source};
use crate::discover::LabelPairs;
use crate::discover::kubernetes::mechanism::labels::{self, ADDRESS, set, set_some};
use crate::discover::kubernetes::mechanism::objects::{
    Endpoint, EndpointPort, EndpointSlice, Kind, key,
};
use crate::discover::kubernetes::mechanism::view::View;

/// The label that names a slice's service.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

impl Source for EndpointSlice {
    const PREFIX: &'static str = "endpointslice";

    fn targets(&self, view: &View) -> (Vec<LabelPairs>, LabelPairs) {
        let namespace = &self.metadata.namespace;
        let mut shared = LabelPairs::new();
        set(&mut shared, "namespace", namespace);
        set(&mut shared, "endpointslice_address_type", &self.address_type);
        labels::meta(&mut shared, "endpointslice", &self.metadata);
        if let Some(service) = self.service() {
            shared.extend(view.service_labels(namespace, service));
        }
        view.add_namespace(&mut shared, namespace);
        let mut behind = Behind::default();
        for endpoint in &self.endpoints {
            let mut common = endpoint.labels();
            if let Some(node) = endpoint.node() {
                view.add_node(&mut common, node);
            }
            for port in &self.ports {
                for address in &endpoint.addresses {
                    let mut target = common.clone();
                    target.extend(port_labels(port));
                    target.insert(ADDRESS.into(), port.address(address));
                    behind.add(target, port.port, view.pod(endpoint.target_ref.as_ref()));
                }
            }
        }
        (behind.into_targets(), shared)
    }

    fn mentions(&self, changed: &Changed<'_>) -> bool {
        let namespace = &self.metadata.namespace;
        let service = self.service().map(|service| key(namespace, service));
        changed.namespace(namespace)
            || service.is_some_and(|service| changed.has(Kind::Service, service))
            || self.endpoints.iter().any(|endpoint| {
                changed.reference(endpoint.target_ref.as_ref())
                    || endpoint.node().is_some_and(|node| changed.node(node))
            })
    }
}

impl EndpointSlice {
    fn service(&self) -> Option<&String> {
        self.metadata.labels.get(SERVICE_NAME)
    }
}

impl Endpoint {
    fn labels(&self) -> LabelPairs {
        let mut all = LabelPairs::new();
        let conditions = &self.conditions;
        let told = [
            ("ready", conditions.ready),
            ("serving", conditions.serving),
            ("terminating", conditions.terminating),
        ];
        for (name, value) in told {
            let value = value.map(|value| value.to_string());
            set_some(
                &mut all,
                &format!("endpointslice_endpoint_conditions_{name}"),
                value.as_ref(),
            );
        }
        set_some(&mut all, "endpointslice_endpoint_hostname", self.hostname.as_ref());
        set_some(&mut all, "endpointslice_endpoint_node_name", self.node_name.as_ref());
        set_some(&mut all, "endpointslice_endpoint_zone", self.zone.as_ref());
        reference(&mut all, "endpointslice", self.target_ref.as_ref());
        for (name, value) in &self.deprecated_topology {
            let name = labels::sanitized(name);
            set(&mut all, &format!("endpointslice_endpoint_topology_{name}"), value);
            set(&mut all, &format!("endpointslice_endpoint_topology_present_{name}"), "true");
        }
        all
    }

    /// The node that it is on, or is.
    fn node(&self) -> Option<&String> {
        let itself = self.target_ref.as_ref().filter(|target| target.kind == "Node");
        itself.map(|node| &node.name).or(self.node_name.as_ref())
    }
}

impl EndpointPort {
    fn address(&self, host: &str) -> String {
        match self.port {
            Some(port) => labels::host_port(host, port),
            None => host.to_owned(),
        }
    }
}

fn port_labels(port: &EndpointPort) -> LabelPairs {
    let mut all = LabelPairs::new();
    let number = port.port.map(|port| port.to_string());
    set_some(&mut all, "endpointslice_port", number.as_ref());
    set_some(&mut all, "endpointslice_port_name", port.name.as_ref());
    set_some(&mut all, "endpointslice_port_protocol", port.protocol.as_ref());
    set_some(&mut all, "endpointslice_port_app_protocol", port.app_protocol.as_ref());
    all
}
