//! Targets from a Kubernetes API server (`kubernetes_sd_configs`).
//!
//! What to find is said by [`KubernetesOptions`], which is always there; who finds it needs the
//! feature `kubernetes`.

#[cfg(not(feature = "kubernetes"))]
mod absent;
#[cfg(feature = "kubernetes")]
mod mechanism;
mod options;

#[cfg(not(feature = "kubernetes"))]
pub use absent::{Clusters, Kubernetes};
#[cfg(feature = "kubernetes")]
pub use mechanism::{Clusters, KindStatus, Kubernetes, MonitorOptions, Monitored, Monitors, Retry};
pub use options::{AttachMetadata, KubernetesOptions, Namespaces, REACH, Role, Selector};
