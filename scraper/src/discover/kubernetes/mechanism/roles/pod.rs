//! Role `pod`: each declared port of each container, init containers included. A container
//! without ports is one target without a port.

use std::net::IpAddr;

use super::{Changed, Source};
use crate::discover::LabelPairs;
use crate::discover::kubernetes::mechanism::labels::{self, ADDRESS, set};
use crate::discover::kubernetes::mechanism::objects::{Container, ContainerPort, Pod};
use crate::discover::kubernetes::mechanism::view::View;

impl Source for Pod {
    const PREFIX: &'static str = "pod";

    fn targets(&self, view: &View) -> (Vec<LabelPairs>, LabelPairs) {
        // Pending, or evicted.
        if self.status.pod_ip.is_empty() {
            return Default::default();
        }
        let mut shared = self.labels();
        set(&mut shared, "namespace", &self.metadata.namespace);
        view.add_node(&mut shared, &self.spec.node_name);
        view.add_namespace(&mut shared, &self.metadata.namespace);
        let ports = self.containers().flat_map(|(container, init)| self.ports(container, init));
        (ports.collect(), shared)
    }

    fn mentions(&self, changed: &Changed<'_>) -> bool {
        changed.namespace(&self.metadata.namespace) || changed.node(&self.spec.node_name)
    }
}

impl Pod {
    /// The labels of all of its targets, whichever role found them.
    pub(super) fn labels(&self) -> LabelPairs {
        let mut all = LabelPairs::new();
        let ready = match self.status.ready.as_str() {
            "" => "unknown",
            ready => ready,
        };
        set(&mut all, "pod_ip", &self.status.pod_ip);
        set(&mut all, "pod_ready", ready);
        set(&mut all, "pod_phase", &self.status.phase);
        set(&mut all, "pod_node_name", &self.spec.node_name);
        set(&mut all, "pod_host_ip", &self.status.host_ip);
        set(&mut all, "pod_uid", &self.metadata.uid);
        labels::meta(&mut all, "pod", &self.metadata);
        let controller = self.metadata.owner_references.iter().find(|owner| owner.controller);
        if let Some(owner) = controller {
            set(&mut all, "pod_controller_kind", &owner.kind);
            set(&mut all, "pod_controller_name", &owner.name);
        }
        all
    }

    fn ports(&self, container: &Container, init: bool) -> Vec<LabelPairs> {
        let ip = &self.status.pod_ip;
        let target = |address: String| {
            let mut target = container.labels(init);
            set(&mut target, "pod_container_id", self.container_id(&container.name, init));
            target.insert(ADDRESS.into(), address);
            target
        };
        if container.ports.is_empty() {
            return vec![target(bare(ip))];
        }
        let port = |port: &ContainerPort| {
            let mut target = target(labels::host_port(ip, port.container_port));
            target.extend(port.labels());
            target
        };
        container.ports.iter().map(port).collect()
    }
}

impl Container {
    /// The labels of its targets, whichever role found them.
    pub(super) fn labels(&self, init: bool) -> LabelPairs {
        let mut all = LabelPairs::new();
        set(&mut all, "pod_container_name", &self.name);
        set(&mut all, "pod_container_image", &self.image);
        set(&mut all, "pod_container_init", init.to_string());
        all
    }
}

impl ContainerPort {
    pub(super) fn labels(&self) -> LabelPairs {
        let mut all = LabelPairs::new();
        set(&mut all, "pod_container_port_name", &self.name);
        set(&mut all, "pod_container_port_number", self.container_port.to_string());
        set(&mut all, "pod_container_port_protocol", &self.protocol);
        all
    }
}

/// An address without a port, as it stands in URLs.
fn bare(ip: &str) -> String {
    match ip.parse() {
        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => ip.to_owned(),
    }
}
