//! Endpoints and EndpointSlices.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Meta, nullable};

/// The addresses behind a service, as one object.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Endpoints {
    pub(crate) metadata: Meta,
    #[serde(deserialize_with = "nullable")]
    pub(crate) subsets: Vec<Subset>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Subset {
    #[serde(deserialize_with = "nullable")]
    pub(crate) addresses: Vec<Address>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) not_ready_addresses: Vec<Address>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) ports: Vec<EndpointPort>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Address {
    pub(crate) ip: String,
    pub(crate) hostname: String,
    pub(crate) node_name: Option<String>,
    pub(crate) target_ref: Option<Reference>,
}

/// What an address belongs to: a pod, usually.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Reference {
    pub(crate) kind: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// Some of the addresses behind a service.
#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct EndpointSlice {
    pub(crate) metadata: Meta,
    pub(crate) address_type: String,
    #[serde(deserialize_with = "nullable")]
    pub(crate) endpoints: Vec<Endpoint>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) ports: Vec<EndpointPort>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Endpoint {
    #[serde(deserialize_with = "nullable")]
    pub(crate) addresses: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) conditions: Conditions,
    pub(crate) hostname: Option<String>,
    pub(crate) node_name: Option<String>,
    pub(crate) zone: Option<String>,
    pub(crate) target_ref: Option<Reference>,
    #[serde(deserialize_with = "nullable")]
    pub(crate) deprecated_topology: BTreeMap<String, String>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Conditions {
    pub(crate) ready: Option<bool>,
    pub(crate) serving: Option<bool>,
    pub(crate) terminating: Option<bool>,
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct EndpointPort {
    pub(crate) name: Option<String>,
    pub(crate) port: Option<u32>,
    pub(crate) protocol: Option<String>,
    pub(crate) app_protocol: Option<String>,
}
