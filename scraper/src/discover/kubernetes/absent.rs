//! What stands in for discovery in a build without the feature `kubernetes`: it says so.

use super::KubernetesOptions;
use crate::discover::{Problems, Updates};

/// All clusters that jobs look into: none.
#[derive(Clone, Debug, Default)]
pub struct Clusters;

/// Finds nothing.
#[derive(Debug)]
pub struct Kubernetes(());

impl Kubernetes {
    /// Asks nobody, ever.
    pub fn new(_: KubernetesOptions, _: Clusters) -> Self {
        Self(())
    }

    /// Says why there are no targets.
    pub async fn run(self, _: Updates, problems: Problems) {
        problems.set("watch objects", "this build has no Kubernetes discovery");
    }
}
