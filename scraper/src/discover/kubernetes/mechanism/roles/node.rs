//! Role `node`: the kubelet of each node.

use super::Source;
use crate::discover::LabelPairs;
use crate::discover::kubernetes::mechanism::labels::{self, ADDRESS};
use crate::discover::kubernetes::mechanism::objects::Node;
use crate::discover::kubernetes::mechanism::view::View;

/// Which of a node's addresses is asked, the best first.
const ADDRESS_TYPES: [&str; 6] =
    ["InternalIP", "InternalDNS", "ExternalIP", "ExternalDNS", "LegacyHostIP", "Hostname"];

impl Source for Node {
    const PREFIX: &'static str = "node";

    fn targets(&self, _view: &View) -> (Vec<LabelPairs>, LabelPairs) {
        let mut shared = LabelPairs::new();
        labels::set(&mut shared, "node_provider_id", &self.spec.provider_id);
        labels::meta(&mut shared, "node", &self.metadata);
        (self.kubelet().into_iter().collect(), shared)
    }
}

impl Node {
    /// None as long as the node has no address.
    fn kubelet(&self) -> Option<LabelPairs> {
        let first = |r#type: &str| self.status.addresses.iter().find(|own| own.r#type == r#type);
        let address = ADDRESS_TYPES.into_iter().find_map(first)?;
        let port = self.status.daemon_endpoints.kubelet_endpoint.port;
        let mut target = LabelPairs::new();
        // The first of each type counts, so the later ones are written first.
        for own in self.status.addresses.iter().rev() {
            let name = format!("node_address_{}", labels::sanitized(&own.r#type));
            labels::set(&mut target, &name, &own.address);
        }
        target.insert(ADDRESS.into(), labels::host_port(&address.address, port));
        target.insert("instance".into(), self.metadata.name.clone());
        Some(target)
    }
}
