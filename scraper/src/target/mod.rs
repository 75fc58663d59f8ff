//! Targets: what a job's addresses become after relabelling, and how each of them is doing.
//!
//! 1. **Discovered labels**: what discovery says, completed by the job's defaults (`job`,
//!    `__scheme__`, `__metrics_path__`, `__scrape_interval__`, `__scrape_timeout__`,
//!    `__param_<name>`).
//! 2. Relabelling, which may drop the target.
//! 3. The `__…__` labels that are left make URL, interval and timeout; the others, with
//!    `instance` defaulting to the address, are the target's labels.
//!
//! Source of the rules: Prometheus 3.14, `scrape/target.go`.

mod find;
mod health;
#[cfg(test)]
mod tests;
mod url;

use std::collections::BTreeMap;

use thiserror::Error;
use tsdb::model::duration::{DurationError, parse_duration};
use tsdb::model::labels::{Labels, LabelsBuilder, Quoted};

pub(crate) use find::label_sets;
pub use find::{DROPPED_MAX, Dropped, DroppedTarget, FAILURES_MAX, Found, find, find_in};
pub use health::{FamilyMetadata, Health, Record, TargetStatus};

use crate::discover::ADDRESS;
use crate::job::{Histograms, Job};

/// Labels that describe where a target was found; gone after relabelling.
const META_PREFIX: &str = "__meta_";
/// Labels that are not stored.
const RESERVED_PREFIX: &str = "__";
const PARAM_PREFIX: &str = "__param_";
const SCHEME: &str = "__scheme__";
const PATH: &str = "__metrics_path__";
const INTERVAL: &str = "__scrape_interval__";
const TIMEOUT: &str = "__scrape_timeout__";
const NATIVE: &str = "__scrape_native_histograms__";
const CLASSIC_TOO: &str = "__always_scrape_classic_histograms__";
const TO_CUSTOM: &str = "__convert_classic_histograms_to_nhcb__";

/// Something to scrape.
#[derive(Debug)]
pub struct Target {
    /// The labels before relabelling.
    pub discovered: Labels,
    /// The labels that every series of it gets.
    pub labels: Labels,
    /// The name of its job's configuration.
    pub pool: String,
    /// Where its page is.
    pub url: String,
    /// Milliseconds from one scrape to the next.
    pub interval_ms: i64,
    /// Milliseconds after which a scrape has failed.
    pub timeout_ms: i64,
    /// Which histograms are read.
    pub histograms: Histograms,
    /// Equal for two targets if they are scraped alike: the same labels (those for scraping
    /// included) and URL.
    pub identity: u64,
    /// How it is doing.
    pub record: Record,
}

/// Why an address makes no target.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[expect(missing_docs, reason = "the texts say it")]
pub enum TargetError {
    #[error("no address")]
    NoAddress,
    #[error("{} is not a valid hostname", Quoted(.0))]
    BadAddress(String),
    #[error("invalid scheme: {}", Quoted(.0))]
    BadScheme(String),
    #[error("error parsing scrape interval: {0}")]
    BadInterval(DurationError),
    #[error("scrape interval cannot be 0")]
    NoInterval,
    #[error("error parsing scrape timeout: {0}")]
    BadTimeout(DurationError),
    #[error("scrape timeout cannot be 0")]
    NoTimeout,
    #[error("error parsing {label}: strconv.ParseBool: parsing {}: invalid syntax", Quoted(value))]
    NoBool { label: &'static str, value: String },
    #[error(
        "scrape timeout cannot be greater than scrape interval ({} > {})",
        Quoted(timeout),
        Quoted(interval)
    )]
    TimeoutTooLong { timeout: String, interval: String },
}

/// The URL of a path at `address`, which has to be a host with or without a port.
pub fn endpoint(scheme: &str, address: &str, path: &str) -> Result<String, TargetError> {
    match address {
        "" => Err(TargetError::NoAddress),
        _ if address.contains('/') => Err(TargetError::BadAddress(address.to_owned())),
        _ => Ok(url::build(scheme, address, path, &BTreeMap::new())),
    }
}

/// The target that `discovered` becomes, having been relabelled to `relabelled`.
fn resolve(
    job: &Job,
    discovered: &Labels,
    relabelled: LabelsBuilder,
) -> Result<Target, TargetError> {
    let labels = relabelled.build().filtered(|name| !name.starts_with(META_PREFIX));
    let address = labels.get(ADDRESS).ok_or(TargetError::NoAddress)?.to_owned();
    if address.contains('/') {
        return Err(TargetError::BadAddress(address));
    }
    let scheme = labels.get(SCHEME).unwrap_or("http");
    if !["http", "https"].contains(&scheme) {
        return Err(TargetError::BadScheme(scheme.to_owned()));
    }
    let (interval_ms, timeout_ms) = times(&labels)?;
    let histograms = histograms(job.histograms, &labels)?;
    let path = labels.get(PATH).unwrap_or_default();
    let url = url::build(scheme, &address, path, &params(job, &labels));
    let mut own = labels.filtered(|name| !name.starts_with(RESERVED_PREFIX)).to_builder();
    if own.get("instance").is_none() {
        own.set("instance", address);
    }
    let own = own.build();
    Ok(Target {
        discovered: discovered.clone(),
        identity: identity(&labels, &own, &url),
        labels: own,
        pool: job.name.clone(),
        url,
        interval_ms,
        timeout_ms,
        histograms,
        record: Record::default(),
    })
}

/// Interval and timeout in milliseconds.
fn times(labels: &Labels) -> Result<(i64, i64), TargetError> {
    let text = |name| labels.get(name).unwrap_or_default();
    let interval_ms = parse_duration(text(INTERVAL)).map_err(TargetError::BadInterval)?;
    let timeout_ms = parse_duration(text(TIMEOUT)).map_err(TargetError::BadTimeout)?;
    match (interval_ms, timeout_ms) {
        (0, _) => Err(TargetError::NoInterval),
        (_, 0) => Err(TargetError::NoTimeout),
        _ if timeout_ms > interval_ms => Err(TargetError::TimeoutTooLong {
            timeout: text(TIMEOUT).to_owned(),
            interval: text(INTERVAL).to_owned(),
        }),
        times => Ok(times),
    }
}

/// What the job reads, as far as labels do not say otherwise.
fn histograms(of_job: Histograms, labels: &Labels) -> Result<Histograms, TargetError> {
    let or = |name: &'static str, of_job: bool| match labels.get(name) {
        None => Ok(of_job),
        Some("1" | "t" | "T" | "true" | "TRUE" | "True") => Ok(true),
        Some("0" | "f" | "F" | "false" | "FALSE" | "False") => Ok(false),
        Some(other) => Err(TargetError::NoBool { label: name, value: other.to_owned() }),
    };
    Ok(Histograms {
        native: or(NATIVE, of_job.native)?,
        classic_too: or(CLASSIC_TOO, of_job.classic_too)?,
        to_custom: or(TO_CUSTOM, of_job.to_custom)?,
    })
}

/// The job's parameters, the first value of each replaced by what relabelling left of it.
fn params(job: &Job, labels: &Labels) -> BTreeMap<String, Vec<String>> {
    let mut params = job.params.clone();
    for (name, value) in labels.iter() {
        if let Some(name) = name.strip_prefix(PARAM_PREFIX) {
            let values = params.entry(name.to_owned()).or_default();
            match values.first_mut() {
                Some(first) => *first = value.to_owned(),
                None => values.push(value.to_owned()),
            }
        }
    }
    params
}

fn identity(labels: &Labels, own: &Labels, url: &str) -> u64 {
    let mut all = labels.to_builder();
    for (name, value) in own.iter() {
        all.set(name, value);
    }
    all.set("__url__", url).build().hash64()
}
