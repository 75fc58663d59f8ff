//! Prometheus's own test files and configurations of others: what only uses settings that are
//! read loads; the rest is refused, good files by nothing but the sentence that a setting is not
//! supported.

use std::fs;
use std::path::{Path, PathBuf};

use server::config::{self, Config, ConfigError};

/// Refused by promtool alone, which also looks at files and relabelled targets; a server starts.
const REFUSED_BY_PROMTOOL: [&str; 2] = [
    "promtool/authorization_credentials_file.bad.yml",
    "promtool/url_in_scrape_targetgroup_with_relabel_config.bad.yml",
];

/// Named good, and good for something else: a file of rules.
const NO_CONFIGURATION: &str = "promtool/prometheus-config.rules.good.yml";

fn shared(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    let required = std::env::var("INFEROMETER_REQUIRE").is_ok_and(|value| value == "1");
    assert!(!required, "../shared/{folder} is not there");
    // Past the test harness, which shows nothing of a test that passes.
    drop(std::io::Write::write_all(&mut std::io::stderr(), b"skipped: ../shared is not there\n"));
    None
}

fn parse(path: &Path) -> Result<Config, ConfigError> {
    let text = String::from_utf8_lossy(&fs::read(path).expect("a file")).into_owned();
    config::parse(&text, &path.display().to_string(), Path::new(""))
}

/// Whether nothing but settings that are not supported was wrong.
fn is_unsupported(error: &ConfigError) -> bool {
    let ConfigError::Refused { problems, .. } = error else { return false };
    let sentence = "is a Prometheus setting that Inferometer does not support yet: ";
    problems.iter().all(|problem| problem.text.contains(sentence))
}

/// Whether a good file loads; panics if it is refused for a wrong reason.
fn loads(path: &Path) -> bool {
    match parse(path) {
        Ok(_) => true,
        Err(error) => {
            assert!(is_unsupported(&error), "{error}");
            false
        }
    }
}

fn yml_files(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    let mut paths: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|name| name == "yml")).collect();
    paths.sort();
    paths
}

#[test]
fn files_of_prometheus() {
    let Some(folder) = shared("prometheus-testdata") else { return };
    let verdicts = fs::read_to_string(folder.join("verdicts.tsv")).expect("the verdicts");
    let (mut loaded, mut unsupported, mut bad, mut other) = (0, 0, 0, 0);
    for row in verdicts.lines().skip(1) {
        let mut fields = row.split('\t');
        let (Some(name), Some(command), Some(exit)) = (fields.next(), fields.next(), fields.next())
        else {
            panic!("{row}");
        };
        if command != "check config" {
            continue;
        }
        let path = folder.join(name);
        if REFUSED_BY_PROMTOOL.contains(&name) {
            assert!(loads(&path), "{name}");
            loaded += 1;
        } else if name.contains(".bad.") || name == NO_CONFIGURATION {
            assert!(parse(&path).is_err(), "{name}");
            bad += 1;
        } else if exit == "0" || name.contains(".good.") || name.starts_with("examples/prometheus")
        {
            let loads = loads(&path);
            (loaded, unsupported) = (loaded + i32::from(loads), unsupported + i32::from(!loads));
        } else {
            // Neither good nor bad by name, and refused by promtool: it must only not panic.
            other += i32::from(parse(&path).is_err());
        }
    }
    for path in yml_files(&folder.join("config/scrape_configs")) {
        let loads = loads(&path);
        (loaded, unsupported) = (loaded + i32::from(loads), unsupported + i32::from(!loads));
    }
    println!(
        "Prometheus's files: {loaded} good ones load, {unsupported} use what is not supported"
    );
    println!("{bad} bad ones are refused, and {other} that are neither");
    assert!(loaded >= 10 && bad >= 90, "{loaded} {bad}");
}

#[test]
fn files_of_others() {
    let Some(folder) = shared("corpus/configs") else { return };
    let paths = yml_files(&folder);
    let loaded: Vec<&PathBuf> = paths.iter().filter(|path| loads(path)).collect();
    println!("configurations of others: {} of {} load", loaded.len(), paths.len());
    for name in ["dynamo-prometheus.yml", "inference-perf-prometheus.yml"] {
        assert!(loaded.iter().any(|path| path.ends_with(name)), "{name}");
    }
}
