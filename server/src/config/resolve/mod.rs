//! From the file as it is written to settings that are decided.
//!
//! `global` and each job report all their names that are not read, or else the first value that
//! is wrong, so that one look finds most of what is to be done. Checks, their order and the words
//! of errors are Prometheus's where it has them; defaults too (3.14, `config`).

mod alerting;
mod client;
mod discovery;
mod expand;
mod global;
mod job;
mod names;
mod notify;
mod otlp;
mod protocol;
mod relabel;
mod size;
mod storage;
mod value;
mod web;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use scraper::job::{ClientOptions, Job};

use super::error::{Place, Problem};
use super::raw::{self, Inspect, given, items, section};
use super::yaml::Value;
use super::{Alerting, Global, Storage};
pub(super) use global::Inherited;
pub(super) use notify::notify_file;
pub(crate) use size::parse_bytes;
pub(super) use web::web;

/// What a file says.
pub(super) struct Resolved {
    pub(super) global: Global,
    pub(super) storage: Storage,
    pub(super) jobs: Vec<Job>,
    pub(super) alerting: Alerting,
    /// Patterns of files, not looked at.
    pub(super) rule_files: Vec<PathBuf>,
    /// Patterns of files, not looked at.
    pub(super) scrape_config_files: Vec<PathBuf>,
    /// What holds for jobs in those files.
    pub(super) inherited: Inherited,
}

/// Decides everything, or says all that is wrong.
pub(super) fn file(file: &raw::File, base_dir: &Path) -> Result<Resolved, Vec<Problem>> {
    let mut problems = raw::refused_here(file);
    let nothing = raw::Global::default();
    let raw_global = section(&file.global).unwrap_or(&nothing);
    let global = checked(global::global(raw_global, base_dir), raw_global, &mut problems);
    let storage = checked(storage::storage(file), &file.storage, &mut problems);
    let unknown = Inherited::unknown();
    let inherited = global.as_ref().map_or(&unknown, |(_, inherited)| inherited);
    let jobs = jobs(&file.scrape_configs, inherited, base_dir, &mut problems);
    let validation = inherited.validation;
    let alerting = alerting::alerting(&file.alerting, validation, base_dir);
    let alerting = checked(alerting, &file.alerting, &mut problems);
    checked(otlp::check(&file.otlp, validation), &file.otlp, &mut problems);
    problems.extend(raw::found(&file.runtime).refused);
    let rules = patterns(&file.rule_files, "rule", base_dir, &mut problems);
    let more = patterns(&file.scrape_config_files, "scrape config", base_dir, &mut problems);
    match (global, storage, alerting) {
        (Some((global, inherited)), Some(storage), Some(alerting)) if problems.is_empty() => {
            Ok(Resolved {
                global,
                storage,
                jobs,
                alerting,
                rule_files: rules,
                scrape_config_files: more,
                inherited,
            })
        }
        _ => Err(problems),
    }
}

/// Decides the jobs of another file.
pub(super) fn scrape_file(
    file: &raw::ScrapeFile,
    inherited: &Inherited,
    base_dir: &Path,
) -> Result<Vec<Job>, Vec<Problem>> {
    let mut problems = raw::refused_here(file);
    let jobs = jobs(&file.scrape_configs, inherited, base_dir, &mut problems);
    if problems.is_empty() { Ok(jobs) } else { Err(problems) }
}

/// Decides how a client connects.
pub(super) fn client_file(
    file: &raw::ClientFile,
    base_dir: &Path,
) -> Result<ClientOptions, Vec<Problem>> {
    let mut problems = Vec::new();
    let decided = checked(client::client(&file.client, base_dir), file, &mut problems);
    decided.ok_or(problems)
}

/// Where the job of that name is written in another file.
pub(super) fn place_of(file: &raw::ScrapeFile, name: &str) -> Place {
    let names = items(&file.scrape_configs).iter().filter_map(|job| job.value.as_ref());
    let mut names = names.filter_map(|job| given(&job.job_name));
    names.find(|(written, _)| *written == name).map(|(_, place)| place).unwrap_or_default()
}

fn jobs(
    list: &Option<Value<raw::List<raw::ScrapeConfig>>>,
    inherited: &Inherited,
    base_dir: &Path,
    problems: &mut Vec<Problem>,
) -> Vec<Job> {
    let items = items(list);
    let jobs = items
        .iter()
        .filter_map(|item| checked(job::job(item, inherited, base_dir), item, problems));
    let jobs = jobs.collect();
    problems.extend(names_unique(items).err());
    jobs
}

/// What was decided, if all names of what it was decided of are read. Otherwise they are the
/// problem: that a value is missing may come of a name that is misspelt.
fn checked<T>(
    decided: Result<T, Problem>,
    of: &impl Inspect,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let refused = raw::found(of).refused;
    if !refused.is_empty() {
        problems.extend(refused);
        return None;
    }
    decided.map_err(|problem| problems.push(problem)).ok()
}

/// Paths that may hold a `*`.
fn patterns(
    list: &Option<Value<raw::List<String>>>,
    kind: &str,
    base_dir: &Path,
    problems: &mut Vec<Problem>,
) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    for item in items(list) {
        let path = item.value.as_deref().unwrap_or_default();
        if !value::is_pattern(path) {
            let what = format!("invalid {kind} file path {path:?}");
            let cure = "have no `*` but in its last part";
            problems.push(Problem::new(item.place, what, cure));
        }
        paths.push(value::file(path, base_dir));
    }
    paths
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

/// The item, or an error with Prometheus's words if it is null.
fn present<'a, T>(item: &'a Value<T>, what: &str) -> Result<(&'a T, Place), Problem> {
    let cure = "fill it or delete its `-`";
    let value = item.value.as_ref().ok_or_else(|| Problem::new(item.place, what, cure))?;
    Ok((value, item.place))
}
