//! Targets from a Kubernetes API server (`kubernetes_sd_configs`).
//!
//! What to find is said by [`KubernetesOptions`], which is always there; who finds it needs the
//! feature `kubernetes`.

#[cfg(feature = "kubernetes")]
mod mechanism;
mod options;

#[cfg(feature = "kubernetes")]
pub use mechanism::{Clusters, Kubernetes, Retry};
pub use options::{AttachMetadata, KubernetesOptions, Namespaces, Role, Selector};
