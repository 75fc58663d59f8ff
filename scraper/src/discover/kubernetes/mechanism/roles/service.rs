//! Role `service`: each port of each service, under the service's name.

use super::Source;
use crate::discover::LabelPairs;
use crate::discover::kubernetes::mechanism::labels::{self, ADDRESS, set};
use crate::discover::kubernetes::mechanism::objects::{Service, ServicePort};
use crate::discover::kubernetes::mechanism::view::View;

impl Source for Service {
    const PREFIX: &'static str = "svc";

    fn targets(&self, view: &View) -> (Vec<LabelPairs>, LabelPairs) {
        let mut shared = self.labels();
        view.add_namespace(&mut shared, &self.metadata.namespace);
        let host = format!("{}.{}.svc", self.metadata.name, self.metadata.namespace);
        let target = |port: &ServicePort| {
            let mut target = self.address_labels();
            target.insert(ADDRESS.into(), labels::host_port(&host, port.port));
            set(&mut target, "service_port_name", &port.name);
            set(&mut target, "service_port_number", port.port.to_string());
            set(&mut target, "service_port_protocol", &port.protocol);
            target
        };
        (self.spec.ports.iter().map(target).collect(), shared)
    }
}

impl Service {
    /// The labels of all that belongs to it, whichever role found it.
    pub(in crate::discover::kubernetes::mechanism) fn labels(&self) -> LabelPairs {
        let mut all = LabelPairs::new();
        set(&mut all, "namespace", &self.metadata.namespace);
        labels::meta(&mut all, "service", &self.metadata);
        all
    }

    fn address_labels(&self) -> LabelPairs {
        let mut target = LabelPairs::new();
        set(&mut target, "service_type", &self.spec.r#type);
        match self.spec.r#type.as_str() {
            "ExternalName" => set(&mut target, "service_external_name", &self.spec.external_name),
            _ => set(&mut target, "service_cluster_ip", &self.spec.cluster_ip),
        }
        if self.spec.r#type == "LoadBalancer" {
            set(&mut target, "service_loadbalancer_ip", &self.spec.load_balancer_ip);
        }
        target
    }
}
