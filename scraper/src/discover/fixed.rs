//! Targets that are written down (`static_configs`).

use super::{ADDRESS, LabelPairs, TargetGroup};
use crate::job::FixedTargets;

/// A group for each list, named by its place as in Prometheus.
pub(crate) fn groups(fixed: &[FixedTargets]) -> Vec<TargetGroup> {
    let groups = fixed.iter().enumerate();
    groups
        .map(|(index, written)| TargetGroup {
            source: index.to_string(),
            targets: written.addresses.iter().map(|text| address(text)).collect(),
            labels: written.labels.clone(),
        })
        .collect()
}

fn address(address: &str) -> LabelPairs {
    [(ADDRESS.to_owned(), address.to_owned())].into()
}
