//! Objects that people write for a monitoring system (prometheus-operator's kinds), and those that
//! hold texts for them.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Kind, Meta, Object, nullable};
use crate::discover::monitors::{Texts, decode};

/// An object whose specification is read elsewhere.
pub(crate) trait Written: Object {
    const NAME: &'static str;

    fn spec(&self) -> &Value;

    /// The object as a whole, as far as it matters.
    fn whole(&self) -> Value {
        let (group, version, _) = Self::KIND.resource();
        let Meta { name, namespace, .. } = self.meta();
        json!({
            "apiVersion": format!("{group}/{version}"),
            "kind": Self::NAME,
            "metadata": { "name": name, "namespace": namespace },
            "spec": self.spec(),
        })
    }
}

macro_rules! written {
    ($($kind:ident),*) => {$(
        #[derive(Debug, Default, PartialEq, Deserialize)]
        #[serde(default)]
        pub(crate) struct $kind {
            pub(super) metadata: Meta,
            spec: Value,
        }

        impl Written for $kind {
            const NAME: &'static str = stringify!($kind);

            fn spec(&self) -> &Value {
                &self.spec
            }
        }
    )*};
}

written!(ServiceMonitor, PodMonitor, Probe, ScrapeConfig, PrometheusRule);

/// An object that holds texts.
pub(crate) trait Holder: Object {
    fn texts(&self) -> Result<Texts, String>;
}

#[derive(Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Secret {
    pub(super) metadata: Meta,
    #[serde(deserialize_with = "nullable")]
    data: BTreeMap<String, ByteString>,
}

#[derive(Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct ConfigMap {
    pub(super) metadata: Meta,
    #[serde(deserialize_with = "nullable")]
    data: BTreeMap<String, String>,
}

impl Holder for Secret {
    fn texts(&self) -> Result<Texts, String> {
        decode(Some(self.data.clone()))
    }
}

impl Holder for ConfigMap {
    fn texts(&self) -> Result<Texts, String> {
        Ok(Texts(self.data.clone()))
    }
}

impl Kind {
    /// Whether a cluster may not know it: what prometheus-operator has brought.
    pub(crate) fn may_be_absent(self) -> bool {
        self.resource().0 == "monitoring.coreos.com"
    }
}
