//! Pods.

use serde::{Deserialize, Deserializer};

use super::{Meta, nullable};

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Pod {
    pub(crate) metadata: Meta,
    pub(crate) spec: PodSpec,
    pub(crate) status: PodStatus,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PodSpec {
    pub(crate) node_name: String,
    #[serde(deserialize_with = "nullable")]
    pub(crate) containers: Vec<Container>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) init_containers: Vec<Container>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Container {
    pub(crate) name: String,
    pub(crate) image: String,
    #[serde(deserialize_with = "nullable")]
    pub(crate) ports: Vec<ContainerPort>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct ContainerPort {
    pub(crate) name: String,
    pub(crate) container_port: u32,
    pub(crate) protocol: String,
}

impl Default for ContainerPort {
    fn default() -> Self {
        Self { name: String::new(), container_port: 0, protocol: "TCP".into() }
    }
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PodStatus {
    pub(crate) phase: String,
    #[serde(rename = "podIP")]
    pub(crate) pod_ip: String,
    #[serde(rename = "hostIP")]
    pub(crate) host_ip: String,
    /// The status of the condition `Ready`, in lower case; empty if it is not told.
    #[serde(rename = "conditions", deserialize_with = "ready")]
    pub(crate) ready: String,
    #[serde(deserialize_with = "nullable")]
    pub(crate) container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) init_container_statuses: Vec<ContainerStatus>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ContainerStatus {
    pub(crate) name: String,
    #[serde(rename = "containerID")]
    pub(crate) container_id: String,
}

/// Of all conditions only one becomes a label.
fn ready<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    struct Condition {
        r#type: String,
        status: String,
    }
    let conditions: Vec<Condition> = nullable(from)?;
    let ready = conditions.into_iter().find(|condition| condition.r#type == "Ready");
    Ok(ready.map(|condition| condition.status.to_lowercase()).unwrap_or_default())
}

impl Pod {
    /// All containers in order, and whether each is an init container (native sidecars are).
    pub(crate) fn containers(&self) -> impl Iterator<Item = (&Container, bool)> {
        let plain = self.spec.containers.iter().map(|container| (container, false));
        plain.chain(self.spec.init_containers.iter().map(|container| (container, true)))
    }

    /// The id that the node gave a container; empty before it has one.
    pub(crate) fn container_id(&self, name: &str, init: bool) -> &str {
        let status = &self.status;
        let statuses =
            if init { &status.init_container_statuses } else { &status.container_statuses };
        let found = statuses.iter().find(|status| status.name == name);
        found.map(|status| status.container_id.as_str()).unwrap_or_default()
    }
}
