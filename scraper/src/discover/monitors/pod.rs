//! `PodMonitor`, and Google's `PodMonitoring`: pods.

use serde::Deserialize;

use super::rules::{constant, copy, copy_some, drop, keep, literal};
use super::service::{ENDED, finds, label_of, labels};
use super::spec::{AttachMetadata, Common, Endpoint, NamespaceSelector, Port, Selector};
use super::{Monitor, MonitorError};
use crate::discover::kubernetes::Role;
use crate::job::Job;
use crate::relabel::Rule;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    selector: Selector,
    namespace_selector: NamespaceSelector,
    job_label: Option<String>,
    pod_target_labels: Vec<String>,
    attach_metadata: AttachMetadata,
    #[serde(flatten)]
    common: Common,
}

pub(super) fn jobs(monitor: &Monitor<'_>) -> Result<Vec<Job>, MonitorError> {
    let spec: Spec = monitor.spec()?;
    let selected = spec.selector.rules(monitor.place, "pod")?;
    let google = monitor.spec["endpoints"].is_array();
    let field = if google { "endpoints" } else { "podMetricsEndpoints" };
    // Google names jobs after the object alone.
    let place = monitor.place;
    let owner =
        if google { place.name.clone() } else { format!("{}/{}", place.namespace, place.name) };
    let mut jobs = Vec::new();
    for (index, (path, endpoint)) in monitor.endpoints::<Endpoint>(field)?.iter().enumerate() {
        let name = format!("{}/{index}", place.job());
        let mut job = endpoint.job(monitor, path, name, &spec.common)?;
        let mut rules = vec![copy("job", "__tmp_prometheus_job_name")];
        if endpoint.filter_running.unwrap_or(true) {
            rules.push(drop(&["__meta_kubernetes_pod_phase"], ENDED));
        }
        rules.extend(selected.iter().cloned());
        rules.extend(spec.rules(endpoint, &owner, google));
        rules.append(&mut job.relabel);
        job.relabel = rules;
        let namespaces = spec.namespace_selector.namespaces(&place.namespace);
        job.discover = vec![finds(Role::Pod, namespaces, &spec.attach_metadata)];
        jobs.push(job);
    }
    Ok(jobs)
}

impl Spec {
    fn rules(&self, endpoint: &Endpoint, owner: &str, google: bool) -> Vec<Rule> {
        let port = endpoint.pod_port(google);
        let mut rules: Vec<Rule> = Vec::new();
        if let Some(port) = &port {
            let what = if matches!(port, Port::Number(_)) { "number" } else { "name" };
            let label = format!("__meta_kubernetes_pod_container_port_{what}");
            rules.push(keep(&[&label], &literal(&port.text())));
        }
        rules.extend([
            copy("__meta_kubernetes_namespace", "namespace"),
            copy("__meta_kubernetes_pod_container_name", "container"),
            copy("__meta_kubernetes_pod_name", "pod"),
        ]);
        rules.extend(labels("pod", &self.pod_target_labels));
        rules.push(constant("job", owner));
        if let Some(label) = &self.job_label {
            rules.push(copy_some(&label_of("pod", label), "job"));
        }
        rules.extend(port.map(|port| constant("endpoint", &port.text())));
        rules
    }
}

impl Endpoint {
    /// `port` is a name, whatever it looks like; only Google's may be a number.
    fn pod_port(&self, google: bool) -> Option<Port> {
        match (&self.port, self.port_number, &self.target_port) {
            (Some(port), _, _) if google => Some(port.clone()),
            (Some(port), _, _) => Some(Port::Name(port.text())),
            (None, Some(number), _) => Some(Port::Number(number)),
            (None, None, port) => port.clone(),
        }
    }
}
