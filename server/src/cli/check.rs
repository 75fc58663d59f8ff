//! `inferometer check config FILE…`: what a configuration is worth, with the output and the exit
//! codes of `promtool check config`.
//!
//! Of each file: it loads, the files that it names exist, targets that are written down are
//! targets. `--syntax-only` looks at the file alone. Rule files are only counted yet.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use scraper::discover::Mechanism;
use scraper::job::{Authorization, FixedTargets, Job, Secret, TlsOptions};
use scraper::target::TargetError;
use tsdb::model::duration::format_duration;
use tsdb::model::labels::Quoted;

use crate::config::{self, Alertmanager, Config, glob};
use crate::flags::{CheckConfigFlags, Lint};

/// promtool's exit code when only `--lint` found something.
const LINT_FAILED: u8 = 3;

/// Checks each file and prints what is found; the exit code is 1 if one is wrong, 3 if
/// `--lint-fatal` is given and a lint found something.
pub fn config(flags: &CheckConfigFlags) -> anyhow::Result<ExitCode> {
    let (mut is_wrong, mut is_suspicious) = (false, false);
    for path in &flags.files {
        let name = path.display();
        println!("Checking {name}");
        match checked(path, flags) {
            Ok((config, rule_files)) => {
                if rule_files > 0 {
                    println!("  SUCCESS: {rule_files} rule files found");
                }
                println!(" SUCCESS: {name} is valid prometheus config file syntax\n");
                is_suspicious |= lint(&config, flags);
            }
            Err(error) => {
                eprintln!("  FAILED: {error}");
                println!();
                is_wrong = true;
            }
        }
    }
    Ok(match (is_wrong, is_suspicious && flags.lint_fatal) {
        (true, _) => ExitCode::FAILURE,
        (false, true) => ExitCode::from(LINT_FAILED),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// The configuration, and how many rule files it names.
fn checked(path: &Path, flags: &CheckConfigFlags) -> Result<(Config, usize), String> {
    if flags.syntax_only {
        let config = config::load_alone(path).map_err(|error| error.to_string())?;
        return Ok((config, 0));
    }
    let config = config::load(path).map_err(|error| error.to_string())?;
    for sentence in config.idle() {
        eprintln!("  WARNING: {sentence}");
    }
    let rule_files = rule_files(&config)?;
    for job in &config.jobs {
        check_job(job)?;
    }
    for manager in &config.alerting.managers {
        check_manager(manager)?;
    }
    Ok((config, rule_files.len()))
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
            Mechanism::Fixed(groups) => {
                if let Some((group, instance, error)) = first_failure(job, groups) {
                    return Err(format!("instance {instance} in group {group}: {error}"));
                }
            }
            other => check_mechanism(other, &job.name)?,
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
                if let Some((_, _, error)) = first_failure(&job, groups) {
                    return Err(error.to_string());
                }
            }
            other => check_mechanism(other, &job.name)?,
        }
    }
    Ok(())
}

fn check_mechanism(mechanism: &Mechanism, job: &str) -> Result<(), String> {
    match mechanism {
        Mechanism::Kubernetes(options) => check_tls(&options.client.tls),
        Mechanism::File(options) => {
            for path in options.paths.iter().filter(|path| glob::expand(path).is_empty()) {
                let (path, job) = (quoted(path), Quoted(job));
                println!("  WARNING: file {path} for file_sd in scrape job {job} does not exist");
            }
            Ok(())
        }
        Mechanism::Fixed(_) | Mechanism::Http(_) | Mechanism::Dns(_) => Ok(()),
    }
}

/// The first address that makes no target and is not dropped, and why; with its list and its place
/// in the list.
fn first_failure(job: &Job, groups: &[FixedTargets]) -> Option<(usize, usize, TargetError)> {
    let instances = groups.iter().enumerate().flat_map(|(group, targets)| {
        let addresses = targets.addresses.iter().enumerate();
        addresses.map(move |(instance, address)| (group, instance, address, &targets.labels))
    });
    let mut failures = instances.filter_map(|(group, instance, address, labels)| {
        let one = FixedTargets { addresses: vec![address.clone()], labels: labels.clone() };
        let job = Job { discover: vec![Mechanism::Fixed(vec![one])], ..job.clone() };
        let (_, error) = scraper::target::find(&job).failures.into_iter().next()?;
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
