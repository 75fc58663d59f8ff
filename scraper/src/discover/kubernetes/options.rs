//! What to find in Kubernetes, and how to get at it.

use std::path::PathBuf;

use crate::client::ClientOptions;

/// How the name of what is tried in vain begins while an API server does not answer at all; the rest
/// says which one. It is the same for everybody who asks that server, whatever they ask for.
pub const REACH: &str = "reach the API server";

/// What to find, and whom to ask. With neither `api_server` nor `kubeconfig`: as a pod does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KubernetesOptions {
    /// What becomes a target.
    pub role: Role,
    /// The API server's URL.
    pub api_server: Option<String>,
    /// A file that says where the API server is and who we are; not together with `api_server`.
    pub kubeconfig: Option<PathBuf>,
    /// Where to look.
    pub namespaces: Namespaces,
    /// Which objects, at most one for each role.
    pub selectors: Vec<Selector>,
    /// What else a target is told.
    pub attach_metadata: AttachMetadata,
    /// How to connect; matters with `api_server` only.
    pub client: ClientOptions,
}

/// A kind of objects. In a selector `Endpoints` means these objects alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named as in Kubernetes")]
pub enum Role {
    Node,
    Pod,
    Service,
    Endpoints,
    EndpointSlice,
    Ingress,
}

impl Role {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Node, Self::Pod, Self::Service, Self::Endpoints, Self::EndpointSlice, Self::Ingress];

    /// As in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Pod => "pod",
            Self::Service => "service",
            Self::Endpoints => "endpoints",
            Self::EndpointSlice => "endpointslice",
            Self::Ingress => "ingress",
        }
    }
}

/// Where to look; if neither is set: in all namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespaces {
    /// In that of the pod that we run in.
    pub own: bool,
    /// In these.
    pub names: Vec<String>,
}

/// Which objects of a kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// The kind.
    pub role: Role,
    /// As the API's `labelSelector`; may be empty.
    pub label: String,
    /// As the API's `fieldSelector`; may be empty.
    pub field: String,
}

/// What else a target is told, at the cost of more objects that are watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AttachMetadata {
    /// Labels and annotations of its node.
    pub node: bool,
    /// Labels and annotations of its namespace.
    pub namespace: bool,
}
