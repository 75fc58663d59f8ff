//! What is wrong with a monitor, and where.

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
    pub(super) fn new(kind: &str, namespace: &str, name: &str) -> Self {
        let namespace = if namespace.is_empty() { "default" } else { namespace };
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
