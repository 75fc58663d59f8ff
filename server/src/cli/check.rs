//! `inferometer check config FILE…`: what a configuration is worth, with the output and the exit
//! codes of `promtool check config`.
//!
//! Of each file: it loads, the files that it names exist, targets that are written down or stand in
//! files are targets, its rule files are right. `--syntax-only` looks at the file alone.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use scraper::discover::{LabelPairs, Mechanism, TargetGroup, file};
use scraper::job::{Authorization, FixedTargets, Job, Secret, TlsOptions};
use scraper::target::{self, TargetError};
use tsdb::model::Labels;
use tsdb::model::duration::format_duration;
use tsdb::model::labels::Quoted;

use super::check_rules::{self, Verdict};
use crate::config::{self, Alertmanager, Config, glob};
use crate::flags::{CheckConfigFlags, Lint};
use crate::rules::file::Reading;

/// promtool's exit code when only `--lint` found something.
const LINT_FAILED: u8 = 3;

/// Checks each file and prints what is found; the exit code is 1 if one is wrong, 3 if
/// `--lint-fatal` is given and a lint found something.
pub fn config(flags: &CheckConfigFlags) -> anyhow::Result<ExitCode> {
    let mut verdict = Verdict::default();
    for path in &flags.files {
        let name = path.display();
        println!("Checking {name}");
        match checked(path, flags) {
            Ok((config, rule_files)) => {
                if !rule_files.is_empty() {
                    println!("  SUCCESS: {} rule files found", rule_files.len());
                }
                println!(" SUCCESS: {name} is valid prometheus config file syntax\n");
                verdict.has_lint |= lint(&config, flags);
                for path in rule_files {
                    check_rules::check(&path, Reading::default(), flags.lint, &mut verdict);
                }
            }
            Err(error) => {
                eprintln!("  FAILED: {error}");
                println!();
                verdict.has_failed = true;
            }
        }
    }
    Ok(match (verdict.has_failed, verdict.has_lint && flags.lint_fatal) {
        (true, _) => ExitCode::FAILURE,
        (false, true) => ExitCode::from(LINT_FAILED),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// The configuration, and the rule files that it names.
fn checked(path: &Path, flags: &CheckConfigFlags) -> Result<(Config, Vec<PathBuf>), String> {
    if flags.syntax_only {
        let config = config::load_alone(path).map_err(|error| error.to_string())?;
        return Ok((config, Vec::new()));
    }
    let config = config::load(path).map_err(|error| error.to_string())?;
    let rule_files = rule_files(&config)?;
    for job in &config.jobs {
        check_job(job)?;
    }
    for manager in &config.alerting.managers {
        check_manager(manager)?;
    }
    Ok((config, rule_files))
}

/// The rule files that exist; one that is named without a pattern has to.
fn rule_files(config: &Config) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    for pattern in &config.rule_files {
        let found = glob::expand(pattern);
        if found.is_empty() && !pattern.to_string_lossy().contains('*') {
            return Err(format!("{} does not point to an existing file", quoted(pattern)));
        }
        files.extend(found);
    }
    Ok(files)
}

fn check_job(job: &Job) -> Result<(), String> {
    if let Some(Authorization::Credentials { credentials, .. }) = &job.client.authorization {
        exists(Some(credentials), "authorization credentials or bearer token file")?;
    }
    check_tls(&job.client.tls)?;
    for mechanism in &job.discover {
        match mechanism {
            Mechanism::Fixed(groups) => check_targets(job, &written(groups))?,
            other => check_mechanism(other, job, &format!("scrape job {}", Quoted(&job.name)))?,
        }
    }
    Ok(())
}

fn check_manager(manager: &Alertmanager) -> Result<(), String> {
    let job = Job {
        scheme: manager.scheme,
        relabel: manager.relabel.clone(),
        ..Job::new("alertmanager")
    };
    for mechanism in &manager.discover {
        match mechanism {
            Mechanism::Fixed(groups) => {
                if let Some((_, _, error)) = first_failure(&job, &written(groups)) {
                    return Err(error.to_string());
                }
            }
            other => check_mechanism(other, &job, "alertmanager config")?,
        }
    }
    Ok(())
}

fn check_mechanism(mechanism: &Mechanism, job: &Job, whose: &str) -> Result<(), String> {
    match mechanism {
        Mechanism::Kubernetes(options) => check_tls(&options.client.tls),
        Mechanism::File(options) => {
            options.paths.iter().try_for_each(|pattern| check_files(pattern, job, whose))
        }
        Mechanism::Fixed(_) | Mechanism::Http(_) | Mechanism::Dns(_) => Ok(()),
    }
}

/// Files of targets: each is right, and so are the targets in it.
fn check_files(pattern: &Path, job: &Job, whose: &str) -> Result<(), String> {
    let found = glob::expand(pattern);
    let name = quoted(pattern);
    if found.is_empty() {
        println!("  WARNING: file {name} for file_sd in {whose} does not exist");
    }
    for path in found {
        let groups = file::groups(&path);
        let groups = groups.map_err(|error| format!("checking SD file {name}: {error}"))?;
        check_targets(job, &groups)?;
    }
    Ok(())
}

fn check_targets(job: &Job, groups: &[TargetGroup]) -> Result<(), String> {
    match first_failure(job, groups) {
        Some((group, at, error)) => Err(format!("instance {at} in group {group}: {error}")),
        None => Ok(()),
    }
}

/// Targets that are written down, as groups.
fn written(lists: &[FixedTargets]) -> Vec<TargetGroup> {
    let address = |text: &String| LabelPairs::from([("__address__".to_owned(), text.clone())]);
    let group = |list: &FixedTargets| TargetGroup {
        source: String::new(),
        targets: list.addresses.iter().map(address).collect(),
        labels: list.labels.clone(),
    };
    lists.iter().map(group).collect()
}

/// The first target that is none and is not dropped, and why; with its group and its place there.
fn first_failure(job: &Job, groups: &[TargetGroup]) -> Option<(usize, usize, TargetError)> {
    let instances = groups.iter().enumerate().flat_map(|(group, of)| {
        of.targets.iter().enumerate().map(move |(at, target)| (group, at, target, &of.labels))
    });
    let mut failures = instances.filter_map(|(group, instance, target, labels)| {
        let both = labels.iter().chain(target);
        let set = Labels::from_pairs(both.map(|(name, value)| (name.as_str(), value.as_str())));
        let (_, error) = target::find_in(job, [&set]).failures.into_iter().next()?;
        Some((group, instance, error))
    });
    failures.next()
}

fn check_tls(tls: &TlsOptions) -> Result<(), String> {
    exists(tls.certificate.as_ref(), "client cert file")?;
    exists(tls.key.as_ref(), "client key file")
}

fn exists(secret: Option<&Secret>, what: &str) -> Result<(), String> {
    let Some(Secret::File(path)) = secret else { return Ok(()) };
    match std::fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(error) => {
            let why = match error.kind() {
                std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
                _ => error.to_string(),
            };
            Err(format!("error checking {what} {}: stat {}: {why}", quoted(path), path.display()))
        }
    }
}

/// Whether something is suspicious; says what.
fn lint(config: &Config, flags: &CheckConfigFlags) -> bool {
    if flags.syntax_only || !matches!(flags.lint, Lint::All | Lint::TooLongScrapeInterval) {
        return false;
    }
    let mut jobs = config.jobs.iter();
    let long = jobs.find(|job| job.interval_ms >= flags.lookback_ms);
    if let Some(job) = long {
        eprintln!(
            "  FAILED: too long scrape interval found, data point will be marked as stale - job: \
             {}, interval: {}",
            job.name,
            format_duration(job.interval_ms)
        );
    }
    long.is_some()
}

fn quoted(path: &Path) -> String {
    Quoted(&path.display().to_string()).to_string()
}
