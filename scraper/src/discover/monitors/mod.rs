//! Monitors: `ServiceMonitor`, `PodMonitor`, `Probe` and `ScrapeConfig` objects as jobs, without an
//! operator.
//!
//! Pure: [`jobs`] makes of one object what the operator would have written for it into a
//! configuration, job by job; [`Objects`] are all of one moment, with their rules and what they
//! refer to. Who reads them from an API server is `kubernetes::Monitors`. Source of the meaning:
//! prometheus-operator, pkg/prometheus/promcfg.go. A `Prometheus` object's selectors are ignored:
//! each monitor that is given counts.
//!
//! Unlike the operator's, values of selectors are no patterns (`v1.2` is not `v1x2`), and fields
//! that we do not know are passed over.

mod client;
mod endpoint;
mod error;
mod oauth2;
mod objects;
mod pod;
mod probe;
mod reference;
mod rules;
mod scrape_config;
mod selector;
mod service;
mod spec;

use serde::de::DeserializeOwned;
use serde_json::Value;

pub use error::MonitorError;
pub use objects::{OBJECTS_MAX, Objects, REFERENCES_MAX, RuleObject};
pub(crate) use reference::decode;
pub use reference::{DataKind, Reference, Referred, Texts};

use crate::job::Job;
use error::Place;

/// What a job has that its monitor does not speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Defaults {
    /// Milliseconds from one scrape to the next.
    pub interval_ms: i64,
    /// Milliseconds after which a scrape has failed, if that is not longer than the interval.
    pub timeout_ms: i64,
}

/// Looks up the text that stands under a key; `None`: there is none; an error says why it cannot be
/// read.
pub type Lookup<'a> = &'a dyn Fn(&Reference, &str) -> Result<Option<String>, String>;

/// Whether objects of that kind are monitors; `api_version` as it stands in the object.
pub fn is_monitor(api_version: &str, kind: &str) -> bool {
    let group = api_version.split('/').next().unwrap_or_default();
    match group {
        "monitoring.coreos.com" | "monitoring.rhobs" => {
            ["ServiceMonitor", "PodMonitor", "Probe", "ScrapeConfig"].contains(&kind)
        }
        "monitoring.googleapis.com" => kind == "PodMonitoring",
        _ => false,
    }
}

/// The jobs of a monitor, one for each of its endpoints.
pub fn jobs(
    object: &Value,
    defaults: Defaults,
    lookup: Lookup<'_>,
) -> Result<Vec<Job>, MonitorError> {
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let (version, kind) = (text("/apiVersion"), text("/kind"));
    let place = Place::of(object);
    if !is_monitor(version, kind) {
        let why = format!("{kind:?} of {version:?} is no monitor that is known");
        return Err(place.error("kind", why));
    }
    let monitor = Monitor { place: &place, spec: &object["spec"], defaults, lookup };
    match kind {
        "ServiceMonitor" => service::jobs(&monitor),
        "Probe" => probe::jobs(&monitor),
        "ScrapeConfig" => scrape_config::jobs(&monitor),
        _ => pod::jobs(&monitor),
    }
}

/// A monitor on its way to jobs.
struct Monitor<'a> {
    place: &'a Place,
    spec: &'a Value,
    defaults: Defaults,
    lookup: Lookup<'a>,
}

impl Monitor<'_> {
    fn spec<T: DeserializeOwned>(&self) -> Result<T, MonitorError> {
        self.decode("spec", self.spec)
    }

    /// The endpoints in a field of the spec, each with its path; each is decoded by itself, so
    /// that an error names it.
    fn endpoints<T: DeserializeOwned>(
        &self,
        field: &str,
    ) -> Result<Vec<(String, T)>, MonitorError> {
        let all = self.spec[field].as_array().map(Vec::as_slice).unwrap_or_default();
        let numbered = all.iter().enumerate();
        let decode = |(index, value): (usize, &Value)| {
            let path = format!("spec.{field}[{index}]");
            Ok((path.clone(), self.decode(&path, value)?))
        };
        numbered.map(decode).collect()
    }

    fn decode<T: DeserializeOwned>(&self, path: &str, value: &Value) -> Result<T, MonitorError> {
        serde_json::from_value(value.clone())
            .map_err(|error| self.place.error(path, error.to_string()))
    }
}
