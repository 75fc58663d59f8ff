//! `ServiceMonitor`: endpoints of services.

use serde::Deserialize;

use super::rules::{constant, copy, copy_some, drop, keep, literal, rule, sanitized};
use super::spec::{AttachMetadata, Common, Endpoint, NamespaceSelector, Port, Selector};
use super::{Monitor, MonitorError};
use crate::discover::Mechanism;
use crate::discover::kubernetes::{self, KubernetesOptions, Role};
use crate::job::{ClientOptions, Job};
use crate::relabel::{Action, Rule};

/// Pods that have ended.
pub(super) const ENDED: &str = "(Failed|Succeeded)";

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    selector: Selector,
    namespace_selector: NamespaceSelector,
    job_label: Option<String>,
    target_labels: Vec<String>,
    pod_target_labels: Vec<String>,
    attach_metadata: AttachMetadata,
    #[serde(flatten)]
    common: Common,
}

pub(super) fn jobs(monitor: &Monitor<'_>) -> Result<Vec<Job>, MonitorError> {
    let spec: Spec = monitor.spec()?;
    let selected = spec.selector.rules(monitor.place, "service")?;
    let mut jobs = Vec::new();
    for (index, (path, endpoint)) in monitor.endpoints::<Endpoint>("endpoints")?.iter().enumerate()
    {
        let name = format!("{}/{index}", monitor.place.job());
        let mut job = endpoint.job(monitor, path, name, &spec.common)?;
        let mut rules = vec![copy("job", "__tmp_prometheus_job_name")];
        rules.extend(selected.iter().cloned());
        rules.extend(spec.rules(endpoint));
        rules.append(&mut job.relabel);
        job.relabel = rules;
        let namespaces = spec.namespace_selector.namespaces(&monitor.place.namespace);
        job.discover = vec![finds(Role::Endpoints, namespaces, &spec.attach_metadata)];
        jobs.push(job);
    }
    Ok(jobs)
}

/// What finds objects of a role in the cluster that we run in.
pub(super) fn finds(
    role: Role,
    namespaces: kubernetes::Namespaces,
    attach: &AttachMetadata,
) -> Mechanism {
    let attach_metadata = kubernetes::AttachMetadata { node: attach.node, namespace: false };
    Mechanism::Kubernetes(Box::new(KubernetesOptions {
        role,
        api_server: None,
        kubeconfig: None,
        namespaces,
        selectors: Vec::new(),
        attach_metadata,
        client: ClientOptions::default(),
    }))
}

impl Spec {
    fn rules(&self, endpoint: &Endpoint) -> Vec<Rule> {
        const KIND: &str = "__meta_kubernetes_endpoint_address_target_kind";
        const NAME: &str = "__meta_kubernetes_endpoint_address_target_name";
        let owner = |kind: &str, target: &str| {
            rule(Action::Replace, &[KIND, NAME], &format!("{kind};(.*)"), target, "$1")
        };
        let mut rules: Vec<Rule> = endpoint.service_port().into_iter().collect();
        rules.extend([owner("Node", "node"), owner("Pod", "pod")]);
        rules.extend([
            copy("__meta_kubernetes_namespace", "namespace"),
            copy("__meta_kubernetes_service_name", "service"),
            copy("__meta_kubernetes_pod_name", "pod"),
            copy("__meta_kubernetes_pod_container_name", "container"),
        ]);
        if endpoint.filter_running.unwrap_or(true) {
            rules.push(drop(&["__meta_kubernetes_pod_phase"], ENDED));
        }
        rules.extend(labels("service", &self.target_labels));
        rules.extend(labels("pod", &self.pod_target_labels));
        rules.push(copy("__meta_kubernetes_service_name", "job"));
        if let Some(label) = &self.job_label {
            rules.push(copy_some(&label_of("service", label), "job"));
        }
        let port = endpoint.port.as_ref().or(endpoint.target_port.as_ref());
        rules.extend(port.map(|port| constant("endpoint", &port.text())));
        rules
    }
}

impl Endpoint {
    /// Keeps the port of a service, or of the containers behind it.
    fn service_port(&self) -> Option<Rule> {
        const CONTAINER: &str = "__meta_kubernetes_pod_container_port";
        let port = |port: &Port| literal(&port.text());
        match (&self.port, &self.target_port) {
            (Some(own), _) => Some(keep(&["__meta_kubernetes_endpoint_port_name"], &port(own))),
            (None, Some(own @ Port::Name(_))) => {
                Some(keep(&[&format!("{CONTAINER}_name")], &port(own)))
            }
            (None, Some(own @ Port::Number(_))) => {
                Some(keep(&[&format!("{CONTAINER}_number")], &port(own)))
            }
            (None, None) => None,
        }
    }
}

/// Labels of a service or pod that become the target's.
pub(super) fn labels(owner: &str, names: &[String]) -> Vec<Rule> {
    names.iter().map(|name| copy_some(&label_of(owner, name), &sanitized(name))).collect()
}

/// The meta label of a label.
pub(super) fn label_of(owner: &str, name: &str) -> String {
    format!("__meta_kubernetes_{owner}_label_{}", sanitized(name))
}
