//! One item of `scrape_configs`.

use std::collections::BTreeMap;
use std::path::Path;

use scraper::discover::Mechanism;
use scraper::job::{FixedTargets, Job, Limits, Scheme};

use super::super::error::{Place, Problem};
use super::super::raw::{self, ScrapeConfig, StaticConfig, given, items, or_default, pairs};
use super::super::yaml::Value;
use super::value::{self, Timing};
use super::{client, present, relabel, size};

/// Decides a job; `global` is what holds if it says nothing.
pub(super) fn job(
    item: &Value<ScrapeConfig>,
    global: Timing,
    base_dir: &Path,
) -> Result<Job, Problem> {
    let (raw, place) = present(item, "empty or null scrape config section")?;
    let name = name(raw, place)?;
    let timing = timing(raw, global, &name)?;
    Ok(Job {
        discover: vec![Mechanism::Fixed(fixed(raw)?)],
        scheme: scheme(raw)?,
        metrics_path: or_default(&raw.metrics_path, "/metrics".to_owned()),
        params: params(raw),
        interval_ms: timing.interval_ms,
        timeout_ms: timing.timeout_ms,
        honor_labels: or_default(&raw.honor_labels, false),
        honor_timestamps: or_default(&raw.honor_timestamps, true),
        limits: Limits { body_bytes: size::bytes(&raw.body_size_limit)?, ..Limits::default() },
        client: client::client(raw, base_dir)?,
        relabel: relabel::rules(
            items(&raw.relabel_configs),
            "empty or null target relabeling rule in scrape config",
        )?,
        metric_relabel: relabel::rules(
            items(&raw.metric_relabel_configs),
            "empty or null metric relabeling rule in scrape config",
        )?,
        ..Job::new(name)
    })
}

fn name(raw: &ScrapeConfig, place: Place) -> Result<String, Problem> {
    let name = or_default(&raw.job_name, String::new());
    if name.is_empty() {
        let place = raw.job_name.as_ref().map_or(place, |at| at.place);
        let cure = "give the job a name with `job_name`, it becomes the label `job`";
        return Err(Problem::new(place, "job_name is empty", cure));
    }
    Ok(name)
}

fn timing(raw: &ScrapeConfig, global: Timing, name: &str) -> Result<Timing, Problem> {
    let interval_ms = value::duration(&raw.scrape_interval)?.unwrap_or(global.interval_ms);
    let timeout = value::duration(&raw.scrape_timeout)?;
    if let Some(timeout_ms) = timeout.filter(|timeout_ms| *timeout_ms > interval_ms) {
        let place = value::place(&raw.scrape_timeout);
        let what = "scrape timeout greater than scrape interval for scrape config with job name";
        let what = format!("{what} {name:?}");
        return Err(value::too_long(place, &what, timeout_ms, interval_ms));
    }
    Ok(Timing { interval_ms, timeout_ms: timeout.unwrap_or(global.timeout_ms.min(interval_ms)) })
}

fn scheme(raw: &ScrapeConfig) -> Result<Scheme, Problem> {
    let Some((text, place)) = given(&raw.scheme) else { return Ok(Scheme::Http) };
    let known = [Scheme::Http, Scheme::Https];
    let scheme = known.into_iter().find(|scheme| text.eq_ignore_ascii_case(scheme.as_str()));
    scheme.ok_or_else(|| {
        Problem::new(place, format!("unknown scheme {text:?}"), "write http or https")
    })
}

fn params(raw: &ScrapeConfig) -> BTreeMap<String, Vec<String>> {
    let texts = |values: &raw::List<String>| {
        values.iter().map(|at| at.value.clone().unwrap_or_default()).collect()
    };
    let param = |values: &Value<raw::List<String>>| values.value.as_ref().map(texts);
    let params = pairs(&raw.params).iter();
    params.map(|(name, values)| (name.value.clone(), param(values).unwrap_or_default())).collect()
}

fn fixed(raw: &ScrapeConfig) -> Result<Vec<FixedTargets>, Problem> {
    let groups = items(&raw.static_configs).iter();
    groups
        .map(|item| {
            let (group, _) = present(item, "empty or null section in static_configs")?;
            // With rules an address may be anything: they can make a host of it.
            let checked = items(&raw.relabel_configs).is_empty();
            let labels = value::labels(&group.labels)?;
            Ok(FixedTargets { addresses: addresses(group, checked)?, labels })
        })
        .collect()
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
