//! From the file as it is written to settings that are decided.
//!
//! `global` and each job report all their names that are not read, or else the first value that
//! is wrong, so that one look finds most of what is to be done. Checks, their order and the words
//! of errors are Prometheus's where it has them; defaults too (3.14, `config`).

mod client;
mod expand;
mod job;
mod relabel;
mod size;
mod storage;
mod value;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use scraper::job::Job;

use super::error::{Place, Problem};
use super::names::{self, Level};
use super::raw::{self, Section, given, items};
use super::yaml::Value;
use super::{Global, Storage};
pub(crate) use size::parse_bytes;
use value::Timing;

/// Prometheus's `DefaultGlobalConfig.ScrapeInterval`.
const SCRAPE_INTERVAL_MS: i64 = 60_000;
/// Prometheus's `DefaultGlobalConfig.ScrapeTimeout`.
const SCRAPE_TIMEOUT_MS: i64 = 10_000;
/// Prometheus's `DefaultGlobalConfig.EvaluationInterval`.
const EVALUATION_INTERVAL_MS: i64 = 60_000;

/// Decides everything, or says all that is wrong.
pub(super) fn file(
    file: &raw::File,
    base_dir: &Path,
) -> Result<(Global, Storage, Vec<Job>), Vec<Problem>> {
    let mut problems = refused(names::FILE, [file]);
    let nothing = raw::Global::default();
    let raw_global = section(&file.global).unwrap_or(&nothing);
    let global = checked(global(raw_global), refused(names::GLOBAL, [raw_global]), &mut problems);
    let storage = checked(storage::storage(file), storage::names_refused(file), &mut problems);
    let timing = global.as_ref().map_or(Timing::UNKNOWN, Timing::of);
    let jobs = items(&file.scrape_configs).iter().filter_map(|item| {
        let names = item.value.as_ref().map(names_refused).unwrap_or_default();
        checked(job::job(item, timing, base_dir), names, &mut problems)
    });
    let jobs: Vec<Job> = jobs.collect();
    problems.extend(names_unique(items(&file.scrape_configs)).err());
    match global.zip(storage) {
        Some((global, storage)) if problems.is_empty() => Ok((global, storage, jobs)),
        _ => Err(problems),
    }
}

/// What was decided, if all of its section's names are read. Otherwise they are the problem: that
/// a value is missing may come of a name that is misspelt.
fn checked<T>(
    decided: Result<T, Problem>,
    names: Vec<Problem>,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    if !names.is_empty() {
        problems.extend(names);
        return None;
    }
    decided.map_err(|problem| problems.push(problem)).ok()
}

fn global(raw: &raw::Global) -> Result<Global, Problem> {
    let interval_ms = value::duration(&raw.scrape_interval)?.unwrap_or(SCRAPE_INTERVAL_MS);
    let timeout = value::duration(&raw.scrape_timeout)?;
    if let Some(timeout_ms) = timeout.filter(|timeout_ms| *timeout_ms > interval_ms) {
        let place = value::place(&raw.scrape_timeout);
        let what = "global scrape timeout greater than scrape interval";
        return Err(value::too_long(place, what, timeout_ms, interval_ms));
    }
    Ok(Global {
        scrape_interval_ms: interval_ms,
        scrape_timeout_ms: timeout.unwrap_or(SCRAPE_TIMEOUT_MS.min(interval_ms)),
        evaluation_interval_ms: value::duration(&raw.evaluation_interval)?
            .unwrap_or(EVALUATION_INTERVAL_MS),
        external_labels: external_labels(raw)?,
    })
}

fn external_labels(raw: &raw::Global) -> Result<BTreeMap<String, String>, Problem> {
    let labels = value::labels(&raw.external_labels)?;
    let environment = |name: &str| std::env::var(name).unwrap_or_default();
    Ok(labels.into_iter().map(|(name, text)| (name, expand::expand(&text, environment))).collect())
}

fn names_unique(jobs: &[Value<raw::ScrapeConfig>]) -> Result<(), Problem> {
    let mut lines: HashMap<&str, usize> = HashMap::new();
    let names = jobs.iter().filter_map(|job| given(&job.value.as_ref()?.job_name));
    for (name, place) in names.filter(|(name, _)| !name.is_empty()) {
        if let Some(line) = lines.insert(name, place.line) {
            let what = format!("found multiple scrape configs with job name {name:?}");
            let cure = format!("the other is in line {line}: give each its own name");
            return Err(Problem::new(place, what, cure));
        }
    }
    Ok(())
}

/// Every name of a job that is not read, refused.
fn names_refused(job: &raw::ScrapeConfig) -> Vec<Problem> {
    let mut problems = refused(names::SCRAPE_CONFIG, [job]);
    problems.extend(refused(names::STATIC_CONFIG, sections(&job.static_configs)));
    problems.extend(refused(names::RELABEL_CONFIG, sections(&job.relabel_configs)));
    problems.extend(refused(names::RELABEL_CONFIG, sections(&job.metric_relabel_configs)));
    problems.extend(refused(names::AUTHORIZATION, section(&job.authorization)));
    problems.extend(refused(names::BASIC_AUTH, section(&job.basic_auth)));
    problems.extend(refused(names::TLS_CONFIG, section(&job.tls_config)));
    problems
}

fn refused<'a, S: Section + 'a>(
    level: Level,
    sections: impl IntoIterator<Item = &'a S>,
) -> Vec<Problem> {
    let others = sections.into_iter().flat_map(Section::others);
    others.map(|name| level.refuse(name)).collect()
}

fn section<T>(field: &Option<Value<T>>) -> Option<&T> {
    given(field).map(|(section, _)| section)
}

fn sections<T>(field: &Option<Value<raw::List<T>>>) -> impl Iterator<Item = &T> {
    items(field).iter().filter_map(|item| item.value.as_ref())
}

/// The item, or an error with Prometheus's words if it is null.
fn present<'a, T>(item: &'a Value<T>, what: &str) -> Result<(&'a T, Place), Problem> {
    let cure = "fill it or delete its `-`";
    let value = item.value.as_ref().ok_or_else(|| Problem::new(item.place, what, cure))?;
    Ok((value, item.place))
}
