//! `ScrapeConfig`: a job nearly as it stands in a configuration.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::rules::{constant, copy};
use super::service::finds;
use super::spec::{AttachMetadata, Common, Endpoint};
use super::{Monitor, MonitorError};
use crate::discover::Mechanism;
use crate::discover::http::HttpOptions;
use crate::discover::kubernetes::{Namespaces, Role};
use crate::job::{FixedTargets, Job};

/// Milliseconds from one request to the next, if nothing is said.
const REFRESH_MS: i64 = 60_000;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    job_name: Option<String>,
    static_configs: Vec<Fixed>,
    #[serde(rename = "httpSDConfigs")]
    http: Vec<Http>,
    #[serde(rename = "kubernetesSDConfigs")]
    kubernetes: Vec<Kubernetes>,
    enable_compression: Option<bool>,
    #[serde(flatten)]
    common: Common,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fixed {
    targets: Vec<String>,
    labels: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    url: String,
    refresh_interval: Option<String>,
    #[serde(flatten)]
    client: super::spec::Client,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kubernetes {
    role: String,
    #[serde(default)]
    namespaces: Places,
    #[serde(default)]
    attach_metadata: AttachMetadata,
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Places {
    own_namespace: bool,
    names: Vec<String>,
}

pub(super) fn jobs(monitor: &Monitor<'_>) -> Result<Vec<Job>, MonitorError> {
    let spec: Spec = monitor.spec()?;
    refuse_others(monitor)?;
    let endpoint: Endpoint = monitor.spec()?;
    let mut job = endpoint.job(monitor, "spec", monitor.place.job(), &spec.common)?;
    job.compression = spec.enable_compression.unwrap_or(true);
    let mut rules = vec![copy("job", "__tmp_prometheus_job_name")];
    rules.extend(spec.job_name.as_ref().map(|name| constant("job", name)));
    rules.append(&mut job.relabel);
    job.relabel = rules;
    let fixed = |one: Fixed| FixedTargets { addresses: one.targets, labels: one.labels };
    let written: Vec<_> = spec.static_configs.into_iter().map(fixed).collect();
    if !written.is_empty() {
        job.discover.push(Mechanism::Fixed(written));
    }
    for (index, one) in spec.http.iter().enumerate() {
        job.discover.push(one.find(monitor, &format!("spec.httpSDConfigs[{index}]"))?);
    }
    for (index, one) in spec.kubernetes.into_iter().enumerate() {
        job.discover.push(one.find(monitor, &format!("spec.kubernetesSDConfigs[{index}]"))?);
    }
    Ok(vec![job])
}

/// Targets that nobody would find are worse than none.
fn refuse_others(monitor: &Monitor<'_>) -> Result<(), MonitorError> {
    const KNOWN: [&str; 3] = ["staticConfigs", "httpSDConfigs", "kubernetesSDConfigs"];
    let fields = monitor.spec.as_object().into_iter().flat_map(|spec| spec.keys());
    let mut others =
        fields.filter(|name| name.ends_with("SDConfigs") && !KNOWN.contains(&name.as_str()));
    match others.next() {
        Some(name) => {
            let why = "is not supported here; httpSDConfigs can stand between";
            Err(monitor.place.error(&format!("spec.{name}"), why))
        }
        None => Ok(()),
    }
}

impl Http {
    fn find(&self, monitor: &Monitor<'_>, path: &str) -> Result<Mechanism, MonitorError> {
        let refresh = self.refresh_interval.as_deref().map(tsdb::model::duration::parse_duration);
        let refresh = refresh.transpose().map_err(|error| {
            monitor.place.error(&format!("{path}.refreshInterval"), error.to_string())
        })?;
        let client = self.client.options(monitor, path)?;
        let refresh_ms = refresh.unwrap_or(REFRESH_MS);
        let options = HttpOptions { url: self.url.clone(), refresh_ms, client };
        Ok(Mechanism::Http(Box::new(options)))
    }
}

impl Kubernetes {
    fn find(self, monitor: &Monitor<'_>, path: &str) -> Result<Mechanism, MonitorError> {
        let name = self.role.to_lowercase();
        let role = Role::ALL.into_iter().find(|role| role.as_str() == name);
        let role = role.ok_or_else(|| {
            monitor.place.error(&format!("{path}.role"), format!("{:?} is none", self.role))
        })?;
        if let Some(name) = self.rest.keys().next() {
            return Err(monitor.place.error(&format!("{path}.{name}"), "is not supported here"));
        }
        let namespaces =
            Namespaces { own: self.namespaces.own_namespace, names: self.namespaces.names };
        Ok(finds(role, namespaces, &self.attach_metadata))
    }
}
