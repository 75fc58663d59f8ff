//! The pods behind addresses: what they add to a target, and their ports that no address has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::discover::LabelPairs;
use crate::discover::kubernetes::mechanism::labels::{self, ADDRESS, set};
use crate::discover::kubernetes::mechanism::objects::Pod;

/// Targets of addresses, and the pods that were found behind them.
#[derive(Default)]
pub(super) struct Behind {
    targets: Vec<LabelPairs>,
    pods: BTreeMap<String, Found>,
}

struct Found {
    pod: Arc<Pod>,
    ports: BTreeSet<u32>,
}

impl Behind {
    /// Adds the target of an address; `pod` is what it belongs to.
    pub(super) fn add(&mut self, mut target: LabelPairs, port: Option<u32>, pod: Option<Arc<Pod>>) {
        if let Some(pod) = pod {
            target.extend(pod.labels());
            if let Some(port) = port {
                target.extend(port_labels(&pod, port));
            }
            let found = Found { pod: pod.clone(), ports: BTreeSet::new() };
            self.pods.entry(pod.metadata.key()).or_insert(found).ports.extend(port);
        }
        self.targets.push(target);
    }

    /// All targets: those of the addresses, then the other ports of their pods.
    pub(super) fn into_targets(self) -> Vec<LabelPairs> {
        let mut targets = self.targets;
        for found in self.pods.values() {
            targets.extend(found.others());
        }
        targets
    }
}

impl Found {
    fn others(&self) -> Vec<LabelPairs> {
        let ip = &self.pod.status.pod_ip;
        let mut others = Vec::new();
        for (container, init) in self.pod.containers() {
            for port in &container.ports {
                if ip.is_empty() || self.ports.contains(&port.container_port) {
                    continue;
                }
                let mut target = container.labels(init);
                target.extend(port.labels());
                target.extend(self.pod.labels());
                target.insert(ADDRESS.into(), labels::host_port(ip, port.container_port));
                others.push(target);
            }
        }
        others
    }
}

/// The labels of the containers that declare a port; of two the later one's count.
fn port_labels(pod: &Pod, number: u32) -> LabelPairs {
    let mut all = LabelPairs::new();
    for (container, init) in pod.containers() {
        if let Some(port) = container.ports.iter().find(|port| port.container_port == number) {
            all.extend(container.labels(init));
            all.extend(port.labels());
        }
    }
    all
}

/// The labels of a target's name and kind, as far as it has them.
pub(super) fn reference(
    target: &mut LabelPairs,
    role: &str,
    reference: Option<&crate::discover::kubernetes::mechanism::objects::Reference>,
) {
    if let Some(reference) = reference {
        set(target, &format!("{role}_address_target_kind"), &reference.kind);
        set(target, &format!("{role}_address_target_name"), &reference.name);
    }
}
