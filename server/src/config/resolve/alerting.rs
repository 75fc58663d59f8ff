//! `alerting`: where alerts go.

use std::path::Path;

use scraper::job::Validation;

use super::super::error::Problem;
use super::super::raw::{self, given, items, or_default, section};
use super::super::yaml::Value;
use super::super::{Alerting, Alertmanager};
use super::{client, discovery, job, present, relabel, value};

/// Prometheus's `DefaultAlertmanagerConfig.Timeout`.
const TIMEOUT_MS: i64 = 10_000;

/// Decides the section; nothing if it does not stand there.
pub(super) fn alerting(
    field: &Option<Value<raw::Alerting>>,
    validation: Validation,
    base_dir: &Path,
) -> Result<Alerting, Problem> {
    let Some(raw) = section(field) else { return Ok(Alerting::default()) };
    let relabel = relabel::rules(
        items(&raw.alert_relabel_configs),
        "empty or null alert relabeling rule",
        validation,
    )?;
    let managers = items(&raw.alertmanagers).iter().map(|item| {
        let (raw, _) = present(item, "empty or null section in alertmanagers")?;
        manager(raw, validation, base_dir)
    });
    Ok(Alerting { relabel, managers: managers.collect::<Result<_, _>>()? })
}

fn manager(
    raw: &raw::Alertmanager,
    validation: Validation,
    base_dir: &Path,
) -> Result<Alertmanager, Problem> {
    if let Some((version, place)) = given(&raw.api_version).filter(|(text, _)| *text != "v2") {
        let what = format!("expected Alertmanager api version to be one of [v2] but got {version}");
        return Err(Problem::new(place, what, "write v2, or leave it out"));
    }
    let checked = items(&raw.relabel_configs).is_empty();
    Ok(Alertmanager {
        client: client::client(&raw.client, base_dir)?,
        discover: discovery::mechanisms(&raw.discovery, checked, base_dir)?,
        scheme: job::scheme(&raw.scheme)?,
        path_prefix: or_default(&raw.path_prefix, String::new()),
        timeout_ms: value::duration(&raw.timeout)?.unwrap_or(TIMEOUT_MS),
        relabel: relabel::rules(
            items(&raw.relabel_configs),
            "empty or null Alertmanager target relabeling rule",
            validation,
        )?,
        alert_relabel: relabel::rules(
            items(&raw.alert_relabel_configs),
            "empty or null Alertmanager alert relabeling rule",
            validation,
        )?,
    })
}
