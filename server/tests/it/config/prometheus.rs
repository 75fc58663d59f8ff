//! Prometheus's own test files and configurations of others: good files load, or are refused by
//! nothing but the name of a setting that is not supported; bad ones are refused with the fault
//! named, in Prometheus's words where promtool's verdict has some.

use std::fs;
use std::path::{Path, PathBuf};

use server::config::{self, Config, ConfigError};

/// Refused by promtool alone, which also looks at files and relabelled targets; a server starts.
const REFUSED_BY_PROMTOOL: [&str; 3] = [
    "promtool/authorization_credentials_file.bad.yml",
    "promtool/url_in_alert_targetgroup_with_relabel_config.bad.yml",
    "promtool/url_in_scrape_targetgroup_with_relabel_config.bad.yml",
];

/// Named good, and good for something else: a file of rules.
const NO_CONFIGURATION: &str = "promtool/prometheus-config.rules.good.yml";

/// Bad files whose fault promtool 3.5.3 says in other words than we, or not at all, with ours.
const OUR_WORDS: &[(&str, &str)] = &[
    ("config/kubernetes_selectors_pod.bad.yml", "pod role supports only pod, node selectors"),
    ("config/labelmap.bad.yml", "this !!binary is not base64"),
    ("config/labelvalue.bad.yml", "this !!binary is not UTF-8 text"),
    (
        "config/otlp_sanitize_ignore_resource_attributes.bad.yml",
        "duplicated ignored OTel resource attribute",
    ),
    (
        "config/otlp_sanitize_promote_resource_attributes.bad.yml",
        "duplicated promoted OTel resource attribute",
    ),
    ("config/regex.bad.yml", "error parsing regexp: unclosed group"),
    (
        "config/scrape_config_files_double_import.bad.yml",
        "found multiple scrape configs with job name \"prometheus\"; first found in",
    ),
    ("config/scrape_config_files_fallback_scrape_protocol2.bad.yml", "expected a text"),
    ("config/scrape_config_files_global_duplicate.bad.yml", "first found in main config file"),
    ("config/section_key_dup.bad.yml", "`scrape_configs` is set twice here"),
    ("config/tsdb_chunk_encoding_floats.bad.yml", "unknown chunk encoding"),
    ("config/tsdb_chunk_encoding_floats_wrong_case_xor2.bad.yml", "unknown chunk encoding"),
    ("config/tsdb_retention_percentage.bad.yml", "is not between 0 and 100"),
    ("config/tsdb_retention_percentage_negative.bad.yml", "is not between 0 and 100"),
    ("config/tsdb_retention_time.bad.yml", "not a valid duration string"),
    ("config/unknown_attr.bad.yml", "did you mean `consul_sd_configs`?"),
    ("config/unknown_global_attr.bad.yml", "`nonexistent_field` is not a setting of `global`"),
    ("promtool/prometheus-config.bad.yml", "`not-prometheus` is not a setting"),
    ("promtool/prometheus-config.rules.good.yml", "`groups` is not a setting"),
];

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

fn load(path: &Path) -> Result<Config, ConfigError> {
    config::load(path)
}

/// Whether nothing but settings that are not supported was wrong.
fn is_unsupported(error: &ConfigError) -> bool {
    let ConfigError::Refused { problems, .. } = error else { return false };
    let sentence = "is a Prometheus setting that Inferometer does not support yet: ";
    problems.iter().all(|problem| problem.text.contains(sentence))
}

/// Whether a good file loads; panics if it is refused for a wrong reason.
fn loads(path: &Path) -> bool {
    match load(path) {
        Ok(_) => true,
        Err(error) => {
            assert!(is_unsupported(&error), "{error}");
            false
        }
    }
}

/// Checks that a bad file is refused, and that the error names the fault that promtool named.
fn check_bad(path: &Path, name: &str, verdict: &str) {
    let error = load(path).expect_err(name);
    if is_unsupported(&error) {
        return;
    }
    let ours = OUR_WORDS.iter().find(|(file, _)| *file == name).map(|(_, words)| *words);
    let theirs = verdict.rsplit_once(".yml: ").map_or(verdict, |(_, words)| words);
    let words = ours.unwrap_or(theirs);
    assert!(error.to_string().contains(words), "{name}: {words}\n{error}");
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
        let mut next = || fields.next().unwrap_or_else(|| panic!("{row}"));
        let (name, command, exit, verdict) = (next(), next(), next(), next());
        if command != "check config" {
            continue;
        }
        let path = folder.join(name);
        if REFUSED_BY_PROMTOOL.contains(&name) {
            assert!(loads(&path), "{name}");
            loaded += 1;
        } else if name.contains(".bad.") || name == NO_CONFIGURATION {
            check_bad(&path, name, verdict);
            bad += 1;
        } else if exit == "0" || name.contains(".good.") || name.starts_with("examples/prometheus")
        {
            let loads = loads(&path);
            (loaded, unsupported) = (loaded + i32::from(loads), unsupported + i32::from(!loads));
        } else {
            // Neither good nor bad by name, and refused by promtool: it must only not panic.
            other += i32::from(load(&path).is_err());
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
    let named = |path: &&PathBuf| path.to_string_lossy().ends_with("prometheus.yml");
    let paths: Vec<&PathBuf> = paths.iter().filter(named).collect();
    for path in &paths {
        load(path).unwrap_or_else(|error| panic!("{error}"));
    }
    assert!(paths.len() >= 4, "{paths:?}");
}
