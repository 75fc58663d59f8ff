//! `Probe`: addresses or ingresses, asked through a prober.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::rules::{constant, copy, rule, written};
use super::service::finds;
use super::spec::{AttachMetadata, Common, Endpoint, NamespaceSelector, Relabeling, Selector};
use super::{Monitor, MonitorError};
use crate::discover::Mechanism;
use crate::discover::kubernetes::Role;
use crate::job::{FixedTargets, Job};
use crate::relabel::{Action, Rule};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    job_name: Option<String>,
    module: Option<String>,
    prober: Prober,
    targets: Targets,
    #[serde(flatten)]
    common: Common,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Prober {
    url: String,
    scheme: Option<String>,
    path: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Targets {
    static_config: Option<Written>,
    ingress: Option<Ingresses>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Written {
    r#static: Vec<String>,
    labels: BTreeMap<String, String>,
    relabeling_configs: Vec<Relabeling>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Ingresses {
    selector: Selector,
    namespace_selector: NamespaceSelector,
    relabeling_configs: Vec<Relabeling>,
}

pub(super) fn jobs(monitor: &Monitor<'_>) -> Result<Vec<Job>, MonitorError> {
    let place = monitor.place;
    let spec: Spec = monitor.spec()?;
    if spec.prober.url.is_empty() {
        return Err(place.error("spec.prober.url", "is missing"));
    }
    let endpoint: Endpoint = monitor.spec()?;
    let endpoint = Endpoint { scheme: spec.prober.scheme.clone(), ..endpoint };
    let mut job = endpoint.job(monitor, "spec", place.job(), &spec.common)?;
    job.metrics_path = spec.prober.path.clone().unwrap_or_else(|| "/probe".into());
    if let Some(module) = &spec.module {
        job.params.insert("module".into(), vec![module.clone()]);
    }
    let mut rules = vec![copy("job", "__tmp_prometheus_job_name")];
    rules.extend(spec.job_name.as_ref().map(|name| constant("job", name)));
    let target = &spec.targets;
    let (found, own) = match (&target.static_config, &target.ingress) {
        (Some(fixed), _) => fixed.find(&place.namespace, &mut rules),
        (None, Some(ingress)) => {
            rules.extend(ingress.selector.rules(place, "ingress")?);
            ingress.find(&place.namespace, &mut rules)
        }
        (None, None) => {
            return Err(place.error("spec.targets", "staticConfig or ingress is needed"));
        }
    };
    rules.push(copy("__param_target", "instance"));
    rules.push(constant("__address__", &spec.prober.url));
    rules.extend(written(place, "spec.targets relabelingConfigs", own)?);
    job.discover = vec![found];
    job.relabel = rules;
    Ok(vec![job])
}

impl Written {
    fn find(&self, namespace: &str, rules: &mut Vec<Rule>) -> (Mechanism, &[Relabeling]) {
        let mut labels = self.labels.clone();
        labels.insert("namespace".into(), namespace.into());
        let fixed = FixedTargets { addresses: self.r#static.clone(), labels };
        rules.push(copy("__address__", "__param_target"));
        (Mechanism::Fixed(vec![fixed]), &self.relabeling_configs)
    }
}

impl Ingresses {
    fn find(&self, namespace: &str, rules: &mut Vec<Rule>) -> (Mechanism, &[Relabeling]) {
        let url =
            ["__meta_kubernetes_ingress_scheme", "__address__", "__meta_kubernetes_ingress_path"];
        let whole = "${1}://${2}${3}";
        rules.push(rule(Action::Replace, &url, "(.+);(.+);(.+)", "__param_target", whole));
        rules.push(copy("__meta_kubernetes_namespace", "namespace"));
        rules.push(copy("__meta_kubernetes_ingress_name", "ingress"));
        let namespaces = self.namespace_selector.namespaces(namespace);
        let found = finds(Role::Ingress, namespaces, &AttachMetadata::default());
        (found, &self.relabeling_configs)
    }
}
