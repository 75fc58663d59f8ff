//! Targets from a Kubernetes API server (`kubernetes_sd_configs`).

mod options;

pub use options::{AttachMetadata, KubernetesOptions, Namespaces, Role, Selector};
