//! One item of `scrape_configs`.

use std::collections::BTreeMap;
use std::path::Path;

use scraper::job::{Escaping, Histograms, Job, Limits, Protocol, Scheme, Validation};

use super::super::error::{Place, Problem};
use super::super::raw::{self, ScrapeConfig, given, items, or_default, pairs};
use super::super::yaml::Value;
use super::global::{Inherited, own};
use super::{client, discovery, names, present, protocol, relabel, size, value};

/// Decides a job; `global` is what holds if it says nothing.
pub(super) fn job(
    item: &Value<ScrapeConfig>,
    global: &Inherited,
    base_dir: &Path,
) -> Result<Job, Problem> {
    let (raw, place) = present(item, "empty or null scrape config section")?;
    // With rules an address may be anything: they can make a host of it.
    let checked = items(&raw.relabel_configs).is_empty();
    let discover = discovery::mechanisms(&raw.discovery, checked, base_dir)?;
    let name = name(raw, place)?;
    let client = client::client(&raw.client, base_dir)?;
    let (interval_ms, timeout_ms) = timing(raw, global, &name)?;
    let (validation, escaping) = name_schemes(raw, global)?;
    let histograms = histograms(raw, global);
    Ok(Job {
        discover,
        scheme: scheme(&raw.scheme)?,
        metrics_path: or_default(&raw.metrics_path, "/metrics".to_owned()),
        params: params(raw),
        interval_ms,
        timeout_ms,
        honor_labels: or_default(&raw.honor_labels, false),
        honor_timestamps: or_default(&raw.honor_timestamps, true),
        track_timestamps_staleness: or_default(&raw.track_timestamps_staleness, false),
        protocols: protocols(raw, global, histograms.native, &name)?,
        fallback: protocol::fallback(&raw.fallback_scrape_protocol, &name)?,
        compression: or_default(&raw.enable_compression, true),
        limits: limits(raw, &global.limits)?,
        histograms,
        extra_metrics: own(&raw.extra_scrape_metrics, global.extra_metrics),
        validation,
        escaping,
        failure_log: value::path(&raw.scrape_failure_log_file, base_dir)
            .or_else(|| global.failure_log.clone()),
        client,
        relabel: relabel::rules(
            items(&raw.relabel_configs),
            "empty or null target relabeling rule in scrape config",
            validation,
        )?,
        metric_relabel: relabel::rules(
            items(&raw.metric_relabel_configs),
            "empty or null metric relabeling rule in scrape config",
            validation,
        )?,
        start_timestamps: false,
        start_zeros: false,
        yields: false,
        name,
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

/// Interval and timeout in milliseconds.
fn timing(raw: &ScrapeConfig, global: &Inherited, name: &str) -> Result<(i64, i64), Problem> {
    let interval_ms = value::duration(&raw.scrape_interval)?.unwrap_or(global.interval_ms);
    let timeout = value::duration(&raw.scrape_timeout)?;
    if let Some(timeout_ms) = timeout.filter(|timeout_ms| *timeout_ms > interval_ms) {
        let place = value::place(&raw.scrape_timeout);
        let what = "scrape timeout greater than scrape interval for scrape config with job name";
        let what = format!("{what} {name:?}");
        return Err(value::too_long(place, &what, timeout_ms, interval_ms));
    }
    Ok((interval_ms, timeout.unwrap_or(global.timeout_ms.min(interval_ms))))
}

fn protocols(
    raw: &ScrapeConfig,
    global: &Inherited,
    native: bool,
    name: &str,
) -> Result<Vec<Protocol>, Problem> {
    let whose = format!("scrape config with job name {name:?}");
    let written = protocol::list(&raw.scrape_protocols, &whose)?;
    Ok(written.or_else(|| global.protocols.clone()).unwrap_or_else(|| match native {
        true => Protocol::PROTO_FIRST.to_vec(),
        false => Protocol::TEXT_FIRST.to_vec(),
    }))
}

fn histograms(raw: &ScrapeConfig, global: &Inherited) -> Histograms {
    let Histograms { native, classic_too, to_custom } = global.histograms;
    Histograms {
        native: own(&raw.scrape_native_histograms, native),
        classic_too: own(&raw.always_scrape_classic_histograms, classic_too),
        to_custom: own(&raw.convert_classic_histograms_to_nhcb, to_custom),
    }
}

fn limits(raw: &ScrapeConfig, global: &Limits) -> Result<Limits, Problem> {
    let factor = given(&raw.native_histogram_min_bucket_factor).map(|(factor, _)| *factor);
    Ok(Limits {
        body_bytes: size::bytes(&raw.body_size_limit)?.or(global.body_bytes),
        samples: value::limit(&raw.sample_limit).or(global.samples),
        targets: value::limit(&raw.target_limit).or(global.targets),
        labels: value::limit(&raw.label_limit).or(global.labels),
        label_name_bytes: value::limit(&raw.label_name_length_limit).or(global.label_name_bytes),
        label_value_bytes: value::limit(&raw.label_value_length_limit).or(global.label_value_bytes),
        dropped_kept: value::limit(&raw.keep_dropped_targets).or(global.dropped_kept),
        histogram_buckets: value::limit(&raw.native_histogram_bucket_limit),
        histogram_factor: factor.filter(|factor| *factor != 0.0),
    })
}

/// A job that says which names are good has the escaping that follows from it, and not the global
/// one.
fn name_schemes(raw: &ScrapeConfig, global: &Inherited) -> Result<(Validation, Escaping), Problem> {
    let own = names::validation(&raw.metric_name_validation_scheme, "scrape config")?;
    let validation = own.unwrap_or(global.validation);
    let follows = own.map_or(global.escaping, names::escaping_of);
    let written = names::escaping(&raw.metric_name_escaping_scheme, "scrape config")?;
    let escaping = written.unwrap_or(follows);
    if escaping == Escaping::AllowUtf8 && validation == Validation::Legacy {
        let what = "utf8 metric names requested but validation scheme is not set to UTF8";
        let field = raw.metric_name_escaping_scheme.as_ref();
        let field = field.or(raw.metric_name_validation_scheme.as_ref());
        let place = field.or(raw.job_name.as_ref()).map(|at| at.place).unwrap_or_default();
        return Err(Problem::new(place, what, "write `underscores`, `dots` or `values`"));
    }
    Ok((validation, escaping))
}

/// `http` or `https`; `http` if it does not stand there.
pub(super) fn scheme(field: &Option<Value<String>>) -> Result<Scheme, Problem> {
    let Some((text, place)) = given(field) else { return Ok(Scheme::Http) };
    let known = [Scheme::Http, Scheme::Https];
    let scheme = known.into_iter().find(|scheme| text.eq_ignore_ascii_case(scheme.as_str()));
    scheme.ok_or_else(|| {
        Problem::new(place, format!("unknown scheme {text:?}"), "write http or https")
    })
}

fn params(raw: &ScrapeConfig) -> BTreeMap<String, Vec<String>> {
    let param = |values: &Value<raw::List<String>>| values.value.as_deref().map(value::texts);
    let params = pairs(&raw.params).iter();
    params.map(|(name, values)| (name.value.clone(), param(values).unwrap_or_default())).collect()
}
