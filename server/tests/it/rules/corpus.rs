//! The rules of the field, evaluated by a real Prometheus and by our program over the same samples:
//! the same health, errors, alerts and series, at the same times.
//!
//! 1. Both take samples that reach some minutes into the future, so that no evaluation is early.
//! 2. Both read the rule files and evaluate them a few times, each for itself. The times are the
//!    same, as they follow from the names of file and group.
//! 3. What `/api/v1/rules` says has to become equal, and so have the series that came to be.
//!
//! A rule of which there is nothing on both sides counts as not compared.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::evaluator::{Labels, Rules, Samples, Server, labels};
use crate::running::{peer, shared};

/// The groups of the corpus and their rules.
pub(super) const GROUPS: usize = 39;
pub(super) const RULES: usize = 266;
/// Of these as many at least are compared; of the others there is nothing to see.
const COMPARED: usize = 250;
/// The folder of the rule files, and the interval of all groups. Both decide when in the interval a
/// group is evaluated. With these a group that reads what another one gives (a recorded metric, or
/// `ALERTS`) is evaluated 2.78 seconds or more after that one, and as long before it.
const FOLDER: &str = "alerts";
const INTERVAL: Duration = Duration::from_secs(25);
/// Who takes longer for a group, in seconds, might not be done when its output is read.
const LONGEST_S: f64 = 2.5;
/// How often each group is evaluated before anything is compared.
const EVALUATIONS: u32 = 3;
/// How often both are asked again as long as they differ; one may be amid an evaluation.
const LOOKS: usize = 12;

/// The rule files of the corpus, without the objects of Kubernetes around some of them: a name, and
/// `{"groups": […]}`, which is YAML too.
pub(super) fn files(folder: &Path) -> Vec<(String, Value)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).unwrap();
        let file: Value = serde_saphyr::from_str(&text).unwrap();
        let groups = file.get("groups").unwrap_or_else(|| &file["spec"]["groups"]);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, json!({"groups": groups}))
    };
    paths.into_iter().map(read).collect()
}

/// Every group at the same interval, and alerts after as many seconds as they have minutes.
fn hastened(mut file: Value) -> String {
    for group in file["groups"].as_array_mut().unwrap() {
        group.as_object_mut().unwrap().remove("interval");
        for rule in group["rules"].as_array_mut().unwrap() {
            let pending = rule.get("for").and_then(Value::as_str);
            if let Some(minutes) = pending.and_then(|text| text.strip_suffix('m')) {
                rule["for"] = format!("{minutes}s").into();
            }
        }
    }
    file.to_string()
}

/// Our program as it is shipped where `INFEROMETER` names it.
fn ours() -> PathBuf {
    std::env::var_os("INFEROMETER")
        .map_or_else(|| env!("CARGO_BIN_EXE_inferometer").into(), PathBuf::from)
}

fn now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
}

/// The same samples into both, as `fleetbench` makes them for the expressions of the rules.
fn seed(fleetbench: &Path, servers: [&Server; 2], rules: &Path) {
    let mut command = Command::new(fleetbench);
    command.args(["corpus", "seed", "--reference", &servers[0].url]);
    for server in servers {
        command.args(["--url", &format!("{}/api/v1/write", server.url)]);
    }
    // Prometheus takes nothing that is more than ten minutes ahead.
    command.args(["--start", "now-2h", "--end", "now+9m", "--step", "10s", "--corpus"]);
    let files = std::fs::read_dir(rules).unwrap().map(|entry| entry.unwrap().path());
    command.args(files.filter(|path| path.extension().is_some()));
    assert!(command.status().unwrap().success(), "fleetbench could not seed");
}

/// Waits until every group of each server was evaluated often enough.
async fn evaluated(servers: [&Server; 2]) {
    for server in servers {
        let enough = async || {
            let each = server.metric("prometheus_rule_group_iterations_total").await;
            each.len() == GROUPS && each.iter().all(|count| *count >= f64::from(EVALUATIONS))
        };
        let mut looks = 0;
        while !enough().await {
            looks += 1;
            assert!(looks < 10 * EVALUATIONS, "{} evaluates nothing", server.url);
            tokio::time::sleep(INTERVAL / 5).await;
        }
        let missed = server.metric("prometheus_rule_group_iterations_missed_total").await;
        let missed: f64 = missed.iter().sum();
        let took = server.metric("prometheus_rule_group_last_duration_seconds").await;
        let is_in_time = missed == 0.0 && took.iter().all(|seconds| *seconds < LONGEST_S);
        assert!(is_in_time, "the machine is too busy: {} {missed} missed, {took:?}", server.url);
    }
}

/// Whether `samples` has what `rule` gives.
fn gave(rule: &Value, samples: &Samples) -> bool {
    let kind = if rule["type"] == "recording" { "__name__" } else { "alertname" };
    let mut wanted = labels(&rule["labels"]);
    // A template gives what nobody knows here.
    wanted.retain(|_, value| !value.contains("{{"));
    wanted.insert(kind.to_owned(), rule["name"].as_str().unwrap().to_owned());
    let is_own =
        |series: &Labels| wanted.iter().all(|(name, value)| series.get(name) == Some(value));
    samples.keys().any(is_own)
}

/// The metrics that come of rules, as a regular expression.
fn outputs(rules: &Rules) -> String {
    let recorded = rules.values().filter(|rule| rule["type"] == "recording");
    let names: BTreeSet<&str> = recorded.filter_map(|rule| rule["name"].as_str()).collect();
    let names: Vec<&str> = names.into_iter().chain(["ALERTS", "ALERTS_FOR_STATE"]).collect();
    names.join("|")
}

/// What differs between two maps, by key.
fn differences<K: Ord + std::fmt::Debug>(
    theirs: &BTreeMap<K, Value>,
    ours: &BTreeMap<K, Value>,
) -> Vec<String> {
    let keys: BTreeSet<&K> = theirs.keys().chain(ours.keys()).collect();
    let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    let pairs = keys.into_iter().map(|key| (key, shown(theirs.get(key)), shown(ours.get(key))));
    let differ = pairs.filter(|(_, theirs, ours)| theirs != ours && !is_near(theirs, ours));
    differ
        .map(|(key, theirs, ours)| {
            let same = theirs.chars().zip(ours.chars()).take_while(|(a, b)| a == b).count();
            let from = |text: &str| {
                text.chars().skip(same.saturating_sub(80)).take(240).collect::<String>()
            };
            let (theirs, ours) = (from(&theirs), from(&ours));
            format!("{key:?}\n  Prometheus  … {theirs}\n  Inferometer … {ours}")
        })
        .collect()
}

/// Whether two texts differ in the last digits of numbers at most: Prometheus adds in the order in
/// which series came to be.
fn is_near(theirs: &str, ours: &str) -> bool {
    let number = regex::Regex::new(r"\d+(\.\d+)?(e[-+]?\d+)?").unwrap();
    let numbers = |text| number.find_iter(text).map(|found| found.as_str().parse::<f64>().unwrap());
    number.split(theirs).eq(number.split(ours))
        && numbers(theirs).zip(numbers(ours)).all(|(a, b)| (a - b).abs() <= 1e-13 * a.abs())
}

/// Starts both over the same samples and the same rules, in `folder`.
async fn start(prometheus: &Path, fleetbench: &Path, folder: &Path, rules: &Path) -> [Server; 2] {
    let interval = INTERVAL.as_secs();
    let config =
        format!("global: {{evaluation_interval: {interval}s}}\nrule_files: ['{FOLDER}/*.yaml']\n");
    std::fs::write(folder.join("prometheus.yml"), config).unwrap();
    let servers = [
        Server::start(prometheus, &[], folder, "theirs").await,
        Server::start(&ours(), &["serve"], folder, "ours").await,
    ];
    seed(fleetbench, [&servers[0], &servers[1]], rules);
    std::fs::create_dir(folder.join(FOLDER)).unwrap();
    for (name, file) in files(rules) {
        std::fs::write(folder.join(FOLDER).join(name), hastened(file)).unwrap();
    }
    servers
}

#[tokio::test]
#[ignore = "takes two minutes and fleetbench: .ci/peers runs it"]
async fn prometheus_gives_the_same() {
    let (Some(prometheus), Some(rules)) = (peer("prometheus"), shared("corpus/rules")) else {
        return;
    };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fleetbench = std::env::var_os("FLEETBENCH").expect("FLEETBENCH names the program");
    let folder = tempfile::tempdir().unwrap();
    let rules = rules.canonicalize().unwrap();
    let servers = start(&prometheus, Path::new(&fleetbench), folder.path(), &rules).await;
    let [theirs, own] = &servers;

    let began = now();
    for server in [theirs, own] {
        server.reload().await;
    }
    evaluated([theirs, own]).await;
    let ended = now();
    let names = outputs(&theirs.rules().await);
    // What was there before any evaluation is nobody's output.
    let seeded = theirs.samples(&names, began, 600).await;
    let seen = async |server: &Server| {
        let mut samples = server.samples(&names, ended, (ended - began) as u64).await;
        samples.retain(|series, _| !seeded.contains_key(series));
        (server.rules().await, samples)
    };
    let mut looks = 1;
    let (rules, samples, differing) = loop {
        let ((rules, samples), own) = (seen(theirs).await, seen(own).await);
        let mut differing = differences(&rules, &own.0);
        differing.extend(differences(&samples, &own.1));
        if differing.is_empty() || looks == LOOKS {
            break (rules, samples, differing);
        }
        looks += 1;
        tokio::time::sleep(Duration::from_secs(5)).await;
    };
    let compared = |rule: &&Value| rule["lastError"].is_string() || gave(rule, &samples);
    let count = rules.values().filter(compared).count();
    println!(
        "{} rules: {count} compared, {} empty on both sides; {} series; {} differences",
        rules.len(),
        rules.len() - count,
        samples.len(),
        differing.len(),
    );
    assert!(differing.is_empty(), "{}", differing[..differing.len().min(20)].join("\n"));
    assert_eq!(rules.len(), RULES);
    assert!(count >= COMPARED, "{count} of {RULES} compared");
}
