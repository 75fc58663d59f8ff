//! What is wrong with a monitor, and where.

use serde_json::Value;
use thiserror::Error;

/// A monitor that makes no job.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{monitor}: {field}: {why}")]
pub struct MonitorError {
    /// Kind, namespace and name: `PodMonitor llm-d/decode`.
    pub monitor: String,
    /// The field, as a path: `spec.podMetricsEndpoints[0].interval`.
    pub field: String,
    /// What is wrong with it.
    pub why: String,
}

/// Which monitor it is.
pub(super) struct Place {
    kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Place {
    pub(super) fn of(object: &Value) -> Self {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str);
        let [kind, name] = ["/kind", "/metadata/name"].map(|own| text(own).unwrap_or_default());
        let namespace = text("/metadata/namespace").filter(|own| !own.is_empty());
        let namespace = namespace.unwrap_or("default");
        Self { kind: kind.into(), namespace: namespace.into(), name: name.into() }
    }

    pub(super) fn error(&self, field: &str, why: impl Into<String>) -> MonitorError {
        let monitor = format!("{} {}/{}", self.kind, self.namespace, self.name);
        MonitorError { monitor, field: field.into(), why: why.into() }
    }

    /// The name of a job: `serviceMonitor/<namespace>/<name>`.
    pub(super) fn job(&self) -> String {
        let mut letters = self.kind.chars();
        let first = letters.next().map(|first| first.to_ascii_lowercase());
        let kind: String = first.into_iter().chain(letters).collect();
        format!("{kind}/{}/{}", self.namespace, self.name)
    }
}
