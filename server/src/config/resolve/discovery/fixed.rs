//! Targets that are written down.

use scraper::job::FixedTargets;

use super::super::super::error::Problem;
use super::super::super::raw::{StaticConfig, items};
use super::super::super::yaml::Value;
use super::{section, value};

/// The targets with their labels.
pub(super) fn fixed(
    groups: &[Value<StaticConfig>],
    checked: bool,
) -> Result<Vec<FixedTargets>, Problem> {
    let groups = groups.iter().map(|item| {
        let (group, _) = section(item, "static_configs")?;
        let labels = value::labels(&group.labels)?;
        Ok(FixedTargets { addresses: addresses(group, checked)?, labels })
    });
    groups.collect()
}

fn addresses(group: &StaticConfig, checked: bool) -> Result<Vec<String>, Problem> {
    let addresses = items(&group.targets).iter().map(|target| {
        let address = target.value.clone().unwrap_or_default();
        let what = format!("{address:?} is not a valid hostname");
        if address.is_empty() {
            return Err(Problem::new(target.place, what, "write host:port or delete the target"));
        }
        if checked && address.contains('/') {
            let cure = "write host:port, with `scheme` and `metrics_path` beside `static_configs`";
            return Err(Problem::new(target.place, what, cure));
        }
        Ok(address)
    });
    addresses.collect()
}
