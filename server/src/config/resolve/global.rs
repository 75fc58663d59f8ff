//! `global`, and what a job has of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use scraper::job::{Escaping, Histograms, Limits, Protocol, Validation};

use super::super::Global;
use super::super::error::Problem;
use super::super::raw::{self, given, or_default};
use super::{expand, names, protocol, size, value};

/// Prometheus's `DefaultGlobalConfig.ScrapeInterval`.
const SCRAPE_INTERVAL_MS: i64 = 60_000;
/// Prometheus's `DefaultGlobalConfig.ScrapeTimeout`.
const SCRAPE_TIMEOUT_MS: i64 = 10_000;
/// Prometheus's `DefaultGlobalConfig.EvaluationInterval`.
const EVALUATION_INTERVAL_MS: i64 = 60_000;

/// What holds for a job that says nothing else.
#[derive(Clone, Debug)]
pub(in crate::config) struct Inherited {
    pub(super) interval_ms: i64,
    pub(super) timeout_ms: i64,
    /// `None`: what follows from the job's histograms.
    pub(super) protocols: Option<Vec<Protocol>>,
    pub(super) limits: Limits,
    pub(super) histograms: Histograms,
    pub(super) extra_metrics: bool,
    pub(super) validation: Validation,
    pub(super) escaping: Escaping,
    pub(super) failure_log: Option<PathBuf>,
}

impl Inherited {
    /// For jobs whose `global` is refused: nothing is above it.
    pub(super) fn unknown() -> Self {
        Self {
            interval_ms: i64::MAX,
            timeout_ms: i64::MAX,
            protocols: None,
            limits: Limits::default(),
            histograms: Histograms::default(),
            extra_metrics: false,
            validation: Validation::default(),
            escaping: Escaping::default(),
            failure_log: None,
        }
    }
}

/// Decides the section.
pub(super) fn global(raw: &raw::Global, base_dir: &Path) -> Result<(Global, Inherited), Problem> {
    let validation =
        names::validation(&raw.metric_name_validation_scheme, "global")?.unwrap_or_default();
    let external_labels = external_labels(raw, validation)?;
    let (interval_ms, timeout_ms) = timing(raw)?;
    let escaping = names::escaping(&raw.metric_name_escaping_scheme, "global")?;
    let inherited = Inherited {
        interval_ms,
        timeout_ms,
        protocols: protocol::list(&raw.scrape_protocols, "global config")?,
        limits: limits(raw)?,
        histograms: Histograms {
            native: or_default(&raw.scrape_native_histograms, false),
            classic_too: or_default(&raw.always_scrape_classic_histograms, false),
            to_custom: or_default(&raw.convert_classic_histograms_to_nhcb, false),
        },
        extra_metrics: or_default(&raw.extra_scrape_metrics, false),
        validation,
        escaping: escaping.unwrap_or(names::escaping_of(validation)),
        failure_log: value::path(&raw.scrape_failure_log_file, base_dir),
    };
    let global = Global {
        scrape_interval_ms: interval_ms,
        scrape_timeout_ms: timeout_ms,
        evaluation_interval_ms: value::duration(&raw.evaluation_interval)?
            .unwrap_or(EVALUATION_INTERVAL_MS),
        rule_query_offset_ms: value::duration(&raw.rule_query_offset)?.unwrap_or(0),
        external_labels,
        query_log: value::path(&raw.query_log_file, base_dir),
    };
    Ok((global, inherited))
}

fn timing(raw: &raw::Global) -> Result<(i64, i64), Problem> {
    let interval_ms = value::duration(&raw.scrape_interval)?.unwrap_or(SCRAPE_INTERVAL_MS);
    let timeout = value::duration(&raw.scrape_timeout)?;
    if let Some(timeout_ms) = timeout.filter(|timeout_ms| *timeout_ms > interval_ms) {
        let place = value::place(&raw.scrape_timeout);
        let what = "global scrape timeout greater than scrape interval";
        return Err(value::too_long(place, what, timeout_ms, interval_ms));
    }
    Ok((interval_ms, timeout.unwrap_or(SCRAPE_TIMEOUT_MS.min(interval_ms))))
}

fn limits(raw: &raw::Global) -> Result<Limits, Problem> {
    Ok(Limits {
        body_bytes: size::bytes(&raw.body_size_limit)?,
        samples: value::limit(&raw.sample_limit),
        targets: value::limit(&raw.target_limit),
        labels: value::limit(&raw.label_limit),
        label_name_bytes: value::limit(&raw.label_name_length_limit),
        label_value_bytes: value::limit(&raw.label_value_length_limit),
        dropped_kept: value::limit(&raw.keep_dropped_targets),
        histogram_buckets: None,
        histogram_factor: None,
    })
}

fn external_labels(
    raw: &raw::Global,
    validation: Validation,
) -> Result<BTreeMap<String, String>, Problem> {
    let labels = value::labels(&raw.external_labels)?;
    for (name, _) in raw::pairs(&raw.external_labels) {
        names::label(&name.value, validation).map_err(|what| {
            Problem::new(name.place, what, "write letters, digits and `_`, or use `utf8`")
        })?;
    }
    let environment = |name: &str| std::env::var(name).unwrap_or_default();
    let expanded = labels.into_iter().map(|(name, text)| {
        let text = expand::expand(&text, environment);
        (name, text)
    });
    Ok(expanded.collect())
}

/// The job's own setting, or the global one.
pub(super) fn own<T: Copy>(field: &Option<super::super::yaml::Value<T>>, global: T) -> T {
    given(field).map_or(global, |(own, _)| *own)
}
