//! Monitors and rules read in an API server, with what they refer to.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use scraper::discover::Mechanism;
use scraper::discover::Problems;
use scraper::discover::kubernetes::{MonitorOptions, Monitored, Monitors};
use scraper::discover::monitors::{self, Defaults, MonitorError};
use scraper::job::{Authorization, Job, Secret};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::fake::Fake;
use super::{PATIENCE, clusters, testdata};

const DEFAULTS: Defaults = Defaults { interval_ms: 30_000, timeout_ms: 10_000 };
/// Every kind that may be missing.
const KINDS: [&str; 5] =
    ["servicemonitors", "podmonitors", "probes", "scrapeconfigs", "prometheusrules"];

/// A reader of monitors that runs.
struct Reader {
    found: watch::Receiver<Monitored>,
    problems: Problems,
    task: JoinHandle<()>,
    kubeconfig: tempfile::NamedTempFile,
}

impl Reader {
    fn start(fake: &Fake, namespaces: &[&str], selector: &str) -> Self {
        let mut kubeconfig = tempfile::NamedTempFile::new().unwrap();
        write!(
            kubeconfig,
            "{{apiVersion: v1, kind: Config, current-context: c, contexts: [{{name: c, context: \
             {{cluster: c, user: u}}}}], clusters: [{{name: c, cluster: {{server: '{}'}}}}], \
             users: [{{name: u, user: {{}}}}]}}",
            fake.url()
        )
        .unwrap();
        let options = MonitorOptions {
            kubeconfig: Some(kubeconfig.path().to_owned()),
            namespaces: namespaces.iter().map(|name| (*name).to_owned()).collect(),
            selector: selector.to_owned(),
        };
        let (send, found) = watch::channel(Monitored::default());
        let problems = Problems::default();
        let run = Monitors::new(options, clusters()).run(send, problems.clone());
        Self { found, problems, task: tokio::spawn(run), kubeconfig }
    }

    async fn until(&self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !wanted(self) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        if timeout(PATIENCE, waiting).await.is_err() {
            panic!("{what}: {:?}, problems {:?}", self.jobs(), self.problems.list());
        }
    }

    fn found(&self) -> (Vec<Job>, Vec<MonitorError>) {
        self.found.borrow().objects.jobs(DEFAULTS, Some(self.kubeconfig.path()))
    }

    /// The names of the jobs.
    fn jobs(&self) -> Vec<String> {
        self.found().0.into_iter().map(|job| job.name).collect()
    }

    /// What is refused, in words.
    fn refused(&self) -> Vec<String> {
        self.found().1.iter().map(ToString::to_string).collect()
    }

    fn rules(&self) -> Vec<String> {
        self.found.borrow().objects.rules().into_iter().map(|rules| rules.name).collect()
    }

    fn has_problem(&self, tried: &str) -> bool {
        self.problems.list().iter().any(|(own, _)| own == tried)
    }

    /// The credentials of the first job.
    fn token(&self) -> Option<String> {
        match self.found().0.first()?.client.authorization.clone()? {
            Authorization::Credentials { credentials: Secret::Inline(token), .. } => Some(token),
            _ => None,
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn monitor(kind: &str, key: &str, spec: Value) -> Value {
    let (namespace, name) = key.split_once('/').unwrap();
    let version = if kind == "ScrapeConfig" { "v1alpha1" } else { "v1" };
    json!({ "apiVersion": format!("monitoring.coreos.com/{version}"), "kind": kind, "spec": spec,
            "metadata": { "name": name, "namespace": namespace, "labels": { "release": name } } })
}

fn service_monitor(key: &str, endpoint: Value) -> Value {
    monitor("ServiceMonitor", key, json!({ "selector": {}, "endpoints": [endpoint] }))
}

/// One of each kind.
fn all() -> Vec<Value> {
    let groups = json!({ "groups": [{ "name": "g", "rules": [{ "record": "a", "expr": "1" }] }] });
    vec![
        service_monitor("llm/a", json!({ "port": "http" })),
        monitor("PodMonitor", "llm/b", json!({ "podMetricsEndpoints": [{ "port": "http" }] })),
        monitor(
            "Probe",
            "ops/c",
            json!({ "prober": { "url": "p:1" }, "targets": { "staticConfig": { "static": ["x"] } } }),
        ),
        monitor("ScrapeConfig", "ops/d", json!({ "staticConfigs": [{ "targets": ["y:1"] }] })),
        monitor("PrometheusRule", "ops/e", groups),
    ]
}

const ALL: [&str; 4] =
    ["podMonitor/llm/b/0", "probe/ops/c", "scrapeConfig/ops/d", "serviceMonitor/llm/a/0"];

#[tokio::test]
async fn every_kind_is_read_and_followed() {
    let fake = Fake::start(all());
    let reader = Reader::start(&fake, &[], "");
    reader.until("all jobs", |found| found.jobs() == ALL).await;
    assert_eq!(reader.rules(), ["ops/e"]);
    assert_eq!(reader.problems.list(), []);
    // Their targets are looked for where they are from.
    let (jobs, _) = reader.found();
    let Mechanism::Kubernetes(options) = &jobs[0].discover[0] else { panic!() };
    assert_eq!(options.kubeconfig.as_deref(), Some(reader.kubeconfig.path()));
    let kinds = reader.found.borrow().kinds.clone();
    let shown = kinds.iter().map(|kind| (kind.resource, kind.is_installed, kind.objects));
    assert_eq!(shown.collect::<Vec<_>>(), KINDS.map(|kind| (kind, true, 1)));
    // Changed, new, gone.
    fake.cluster().edit("servicemonitors", "llm/a", "/spec/endpoints/0/port", "x".into());
    fake.cluster().apply(service_monitor("llm/f", json!({ "port": "http" })));
    fake.cluster().delete("podmonitors", "llm/b");
    fake.cluster().delete("prometheusrules", "ops/e");
    let now = [ALL[1], ALL[2], ALL[3], "serviceMonitor/llm/f/0"];
    reader.until("the changes", |found| found.jobs() == now && found.rules().is_empty()).await;
}

#[tokio::test]
async fn namespaces_and_labels_choose() {
    let fake = Fake::start(all());
    let rows: [(&[&str], &str, &[&str], usize); 4] = [
        (&["llm"], "", &[ALL[0], ALL[3]], 0),
        (&["ops", "llm", "ops"], "", &ALL, 1),
        (&[], "release=a", &[ALL[3]], 0),
        (&["ops"], "release=e", &[], 1),
    ];
    for (namespaces, selector, jobs, rules) in rows {
        let reader = Reader::start(&fake, namespaces, selector);
        let is_there = |found: &Reader| !found.found.borrow().kinds.is_empty();
        reader.until("an answer", is_there).await;
        assert_eq!((reader.jobs(), reader.rules().len()), (strings(jobs), rules), "{selector}");
    }
    assert!(!fake.requests("/apis/monitoring.coreos.com/v1/namespaces/ops/podmonitors").is_empty());
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// Without rights on it a kind that is not there is refused as one that is.
#[tokio::test]
async fn kinds_that_are_not_installed_are_no_problem_and_are_looked_for_again() {
    for is_forbidden in [false, true] {
        let fake = Fake::start(all());
        fake.cluster().unknown = KINDS[1..].iter().map(|kind| (*kind).to_owned()).collect();
        if is_forbidden {
            let refused = KINDS[1..].iter().map(|kind| ("list".to_owned(), (*kind).to_owned()));
            fake.cluster().forbidden = refused.collect();
        }
        let reader = Reader::start(&fake, &[], "");
        reader.until("the service monitor", |found| found.jobs() == ALL[3..]).await;
        let installed = |found: &Reader| {
            found.found.borrow().kinds.iter().filter(|kind| kind.is_installed).count()
        };
        assert_eq!((installed(&reader), reader.problems.list()), (1, Vec::new()));
        fake.cluster().unknown.clear();
        fake.cluster().forbidden.clear();
        reader.until("all kinds", |found| found.jobs() == ALL && installed(found) == 5).await;
        // And one goes again, with all its objects.
        fake.cluster().unknown.insert("servicemonitors".into());
        fake.cluster().end_watches(false);
        reader.until("the end of a kind", |found| found.jobs() == ALL[..3]).await;
        reader.until("no problem", |found| found.problems.list().is_empty()).await;
    }
}

#[tokio::test]
async fn a_kind_that_is_refused_is_told_with_its_cure_and_the_others_go_on() {
    let fake = Fake::start(all());
    fake.cluster().forbidden.insert(("list".into(), "podmonitors".into()));
    let reader = Reader::start(&fake, &["llm"], "");
    reader.until("the others", |found| found.jobs() == ALL[3..]).await;
    let [(tried, why)] = &reader.problems.list()[..] else { panic!() };
    assert_eq!(tried, "list podmonitors in llm");
    assert_eq!(
        why,
        "403 podmonitors is forbidden: User \"test\" cannot list resource \"podmonitors\"; add to a \
         ClusterRole, or a Role in llm, of our account: {apiGroups: [\"monitoring.coreos.com\"], \
         resources: [\"podmonitors\"], verbs: [\"list\", \"watch\"]}"
    );
    fake.cluster().forbidden.clear();
    reader.until("all", |found| found.jobs() == [ALL[0], ALL[3]]).await;
    reader.until("no problem", |found| found.problems.list().is_empty()).await;
}

#[tokio::test]
async fn monitors_stay_while_the_server_is_away_and_are_listed_anew_when_it_forgot() {
    let mut fake = Fake::start(all());
    let reader = Reader::start(&fake, &[], "");
    reader.until("all jobs", |found| found.jobs() == ALL).await;
    reader.until("watches", |_| fake.cluster().watching() == 5).await;
    fake.go_away();
    let reach = |found: &Reader| {
        let list = found.problems.list();
        list.len() == 1 && list[0].0.starts_with("reach the API server of ")
    };
    reader.until("the one failure", reach).await;
    assert_eq!(reader.jobs(), ALL);
    fake.cluster().delete("servicemonitors", "llm/a");
    // The next watch begins well and has an ERROR event with 410 in it.
    fake.cluster().forget();
    fake.come_back();
    reader.until("the new list", |found| found.jobs() == ALL[..3]).await;
    reader.until("no problem", |found| found.problems.list().is_empty()).await;
    // Watches that are cut go on.
    reader.until("watches", |_| fake.cluster().watching() == 5).await;
    fake.cluster().page = Some(1);
    fake.cluster().end_watches(true);
    fake.cluster().apply(service_monitor("llm/a", json!({})));
    reader.until("the next event", |found| found.jobs() == ALL).await;
}

fn secret(token: &str) -> Value {
    let data = json!({ "token": token });
    json!({ "apiVersion": "v1", "kind": "Secret", "data": data,
            "metadata": { "name": "s", "namespace": "llm" } })
}

#[tokio::test]
async fn secrets_are_read_by_name_and_again_when_they_change() {
    let credentials =
        json!({ "authorization": { "credentials": { "name": "s", "key": "token" } } });
    let fake = Fake::start([
        service_monitor("llm/a", credentials),
        service_monitor("llm/b", json!({ "port": "http" })),
    ]);
    let of_a = "ServiceMonitor llm/a: spec.endpoints[0].authorization.credentials: ";
    let reader = Reader::start(&fake, &[], "");
    reader.until("the other", |found| found.jobs() == ["serviceMonitor/llm/b/0"]).await;
    assert_eq!(reader.refused(), [format!("{of_a}there is no key \"token\" in Secret llm/s")]);
    // "one\n", "two" and bytes that are no text, in base64.
    let rows = [("b25lCg==", Some("one")), ("dHdv", Some("two")), ("/w==", None)];
    for (data, token) in rows {
        fake.cluster().apply(secret(data));
        reader.until(data, |found| found.token().as_deref() == token).await;
        assert!(!format!("{:?}", reader.found.borrow()).contains(token.unwrap_or("\u{fffd}")));
    }
    let why = format!("{of_a}Secret llm/s cannot be read: token is no text");
    assert_eq!(reader.refused(), [why]);
    fake.cluster().delete("secrets", "llm/s");
    reader.until("its end", |found| found.refused()[0].ends_with("in Secret llm/s")).await;
    // Only this one was asked for, and nothing once nobody refers to it.
    let asked = fake.requests("/secrets?");
    let only = "/api/v1/namespaces/llm/secrets?";
    let name = "fieldSelector=metadata.name%3Ds";
    assert!(asked.iter().all(|own| own.starts_with(only) && own.contains(name)), "{asked:?}");
    let port = json!({ "port": "http" });
    fake.cluster().edit("servicemonitors", "llm/a", "/spec/endpoints/0", port);
    reader.until("no reference", |found| found.refused().is_empty()).await;
}

#[tokio::test]
async fn a_secret_that_is_refused_is_the_problem_of_its_job_alone() {
    let token = json!({ "bearerTokenSecret": { "name": "s", "key": "token" } });
    let fake = Fake::start([
        service_monitor("llm/a", token),
        service_monitor("llm/b", json!({ "port": "http" })),
        secret("b25l"),
    ]);
    fake.cluster().forbidden.insert(("list".into(), "secrets".into()));
    let reader = Reader::start(&fake, &[], "");
    reader.until("the other", |found| found.jobs() == ["serviceMonitor/llm/b/0"]).await;
    assert_eq!(
        reader.refused(),
        [
            "ServiceMonitor llm/a: spec.endpoints[0].bearerTokenSecret: Secret llm/s cannot be read: \
          403 secrets is forbidden: User \"test\" cannot list resource \"secrets\"; add to a \
          ClusterRole, or a Role in llm, of our account: {apiGroups: [\"\"], resources: \
          [\"secrets\"], resourceNames: [\"s\"], verbs: [\"list\", \"watch\"]}"
        ]
    );
    assert!(reader.has_problem("list s of secrets in llm"), "{:?}", reader.problems.list());
    fake.cluster().forbidden.clear();
    reader.until("the token", |found| found.token().as_deref() == Some("one")).await;
    reader.until("no problem", |found| found.problems.list().is_empty()).await;
}

/// Our monitors, those of the field and those of the guide's cluster (if they are here), all of the
/// operator's kinds.
fn monitors_of_files() -> Vec<Value> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let corpus = std::fs::read_dir(shared.join("corpus/configs")).into_iter().flatten();
    let mut paths: Vec<PathBuf> = corpus.map(|entry| entry.unwrap().path()).collect();
    paths.extend([testdata().join("monitors.yaml"), shared.join("k8s/llm-d-objects.yaml")]);
    let mut all: BTreeMap<String, Value> = BTreeMap::new();
    for path in paths.iter().filter(|path| path.extension().is_some_and(|own| own == "yaml")) {
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let documents: Vec<Value> = serde_saphyr::from_multiple(&text).unwrap();
        for mut object in documents {
            let version = object["apiVersion"].as_str().unwrap_or_default();
            if version.starts_with("monitoring.coreos.com/") {
                let metadata = object["metadata"].as_object_mut().unwrap();
                metadata.entry("namespace").or_insert("default".into());
                let meta = &object["metadata"];
                let key = format!("{} {}/{}", object["kind"], meta["namespace"], meta["name"]);
                all.insert(key, object);
            }
        }
    }
    all.into_values().collect()
}

/// What is read in a cluster is what was written there.
#[tokio::test]
async fn monitors_of_the_field_come_through_as_they_are() {
    let objects = monitors_of_files();
    assert!(objects.len() >= 8, "{}", objects.len());
    let (fake, nothing) = (Fake::start(objects.clone()), |_: &_, _: &str| Ok(None));
    let own = |object: &Value| monitors::jobs(object, DEFAULTS, &nothing).unwrap_or_default();
    let mut expected: Vec<Job> = objects.iter().flat_map(own).collect();
    expected.sort_by(|a, b| a.name.cmp(&b.name));
    let reader = Reader::start(&fake, &[], "");
    reader.until("all jobs", |found| found.jobs().len() == expected.len()).await;
    let (mut jobs, _) = reader.found.borrow().objects.jobs(DEFAULTS, None);
    jobs.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(jobs, expected);
}
