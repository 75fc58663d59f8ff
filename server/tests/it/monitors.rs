//! Monitors and rules of a cluster and of files, through the whole server: found, scraped,
//! evaluated, explained, and still there after a reload.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use scraper::discover::kubernetes::MonitorOptions;
use scraper::job::Job;
use serde_json::{Value, json};
use server::app::AppOptions;
use server::features::Enabled;
use server::monitors::{self, MonitorSettings};
use server::packs::BuiltIn;
use server::reload::ConfigFile;
use server::rules::manager::RuleOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::reload::Binary;
use crate::running::{Running, job, options, testdata};

#[expect(dead_code, reason = "the tests of discovery need more of it")]
#[path = "../../../scraper/tests/it/kubernetes/fake.rs"]
mod fake;
#[expect(dead_code, reason = "the tests of discovery need more of it")]
#[path = "../../../scraper/tests/it/kubernetes/objects.rs"]
mod objects;

use fake::Fake;

/// Longest wait for something that has to happen.
const WAIT_MAX: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_millis(20);

/// A page on every path, for those who have the token; its port.
async fn page(token: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut head, mut part) = (Vec::new(), [0; 4096]);
                while let Ok(count @ 1..) = stream.read(&mut part).await {
                    head.extend_from_slice(&part[..count]);
                    if !head.ends_with(b"\r\n\r\n") {
                        continue;
                    }
                    let is_known = String::from_utf8_lossy(&head).contains(token);
                    let answer: &[u8] = match is_known {
                        true => {
                            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 15\r\n\r\nrequests 3\n\n\n\n\n"
                        }
                        false => b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
                    };
                    stream.write_all(answer).await.unwrap();
                    head.clear();
                }
            });
        }
    });
    port
}

/// A pod on this machine, and a monitor of it with a token in a Secret.
fn cluster(port: u16) -> Vec<Value> {
    let ports = json!([{ "name": "metrics", "containerPort": port, "protocol": "TCP" }]);
    let operator = "monitoring.coreos.com/v1";
    let meta = |name: &str| json!({ "name": name, "namespace": "llm" });
    let secret = json!({ "name": "s", "key": "token" });
    let rule = json!({ "record": "seen", "expr": "sum(requests)" });
    vec![
        json!({ "apiVersion": "v1", "kind": "Pod",
                "metadata": { "name": "vllm-0", "namespace": "llm", "labels": { "app": "vllm" } },
                "spec": { "containers": [{ "name": "c", "image": "i", "ports": ports }] },
                "status": { "phase": "Running", "podIP": "127.0.0.1" } }),
        json!({ "apiVersion": operator, "kind": "PodMonitor", "metadata": meta("vllm"),
                "spec": { "selector": { "matchLabels": { "app": "vllm" } },
                          "podMetricsEndpoints": [{ "port": "metrics", "interval": "1s",
                                                    "bearerTokenSecret": secret }] } }),
        json!({ "apiVersion": "v1", "kind": "Secret", "metadata": meta("s"),
                "data": { "token": "b25l" } }),
        json!({ "apiVersion": operator, "kind": "PrometheusRule", "metadata": meta("rules"),
                "spec": { "groups": [{ "name": "g", "interval": "1s", "rules": [rule] }] } }),
    ]
}

/// What a server in front of `fake` reads, with a configuration and files in `folder`.
fn settings(folder: &Path, fake: &Fake) -> AppOptions {
    let kubeconfig = folder.join("kubeconfig");
    let mut file = fs::File::create(&kubeconfig).unwrap();
    write!(
        file,
        "{{current-context: c, contexts: [{{name: c, context: {{cluster: c, user: u}}}}], \
         clusters: [{{name: c, cluster: {{server: '{}'}}}}], users: [{{name: u, user: {{}}}}]}}",
        fake.url()
    )
    .unwrap();
    let path = folder.join("prometheus.yml");
    let file = ConfigFile::load(&path, Some(EVERY), BuiltIn::default()).unwrap();
    let options = options();
    let language = Enabled::new(&options.shared.features).language;
    let cluster =
        MonitorOptions { kubeconfig: Some(kubeconfig.clone()), ..MonitorOptions::default() };
    AppOptions {
        rules: RuleOptions::load(&file.config, language).unwrap(),
        monitors: MonitorSettings {
            cluster: Some(cluster),
            kubeconfig: Some(kubeconfig),
            files: vec![folder.join("*.yaml")],
            watch: Some(EVERY),
            defaults: monitors::defaults(&file.config.global),
            ..MonitorSettings::default()
        },
        file: Some(file),
        lifecycle: true,
        ..options
    }
}

fn configure(folder: &Path, port: u16, more: &str) {
    let text = format!(
        "global: {{scrape_interval: 1s}}\nscrape_configs:\n- job_name: own\n  static_configs: \
         [{{targets: ['127.0.0.1:{port}']}}]\n{more}"
    );
    fs::write(folder.join("prometheus.yml"), text).unwrap();
}

struct Folders {
    data: tempfile::TempDir,
    config: tempfile::TempDir,
}

impl Folders {
    fn new() -> Self {
        Self { data: tempfile::tempdir().unwrap(), config: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.config.path().join(name)
    }
}

async fn ask(server: &Running, path: &str) -> Value {
    let (_, text) = server.get(path).await;
    serde_json::from_str::<Value>(&text).unwrap()["data"].take()
}

/// Asks until the answer is as wanted.
async fn until(server: &Running, path: &str, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let start = std::time::Instant::now();
    loop {
        let answer = ask(server, path).await;
        if wanted(&answer) {
            return answer;
        }
        assert!(start.elapsed() < WAIT_MAX, "waited in vain for {what}: {answer}");
        tokio::time::sleep(EVERY).await;
    }
}

const TARGETS: &str = "/api/v1/targets?state=active";
const DISCOVERY: &str = "/api/v1/status/discovery";
const RULES: &str = "/api/v1/rules";

/// Job and health of each target.
fn targets(answer: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let targets = answer["activeTargets"].as_array().unwrap().iter();
    targets
        .map(|target| format!("{} {}", text(&target["scrapePool"]), text(&target["health"])))
        .collect()
}

#[tokio::test]
async fn monitors_of_a_cluster_are_scraped_and_rules_evaluated() {
    let (port, other) = (page("Bearer one").await, page("").await);
    let (fake, folders) = (Fake::start(cluster(port)), Folders::new());
    configure(folders.config.path(), other, "");
    let options = settings(folders.config.path(), &fake);
    let jobs = options.file.as_ref().unwrap().config.jobs.clone();
    let server = Running::start_with(folders.data.path(), jobs, options).await;
    let up = ["own up", "podMonitor/llm/vllm/0 up"];
    let answer = until(&server, TARGETS, "both targets", |now| targets(now) == up).await;
    let labels = &answer["activeTargets"][1]["labels"];
    assert_eq!(labels["job"], "llm/vllm");
    assert_eq!((&labels["pod"], &labels["container"]), (&json!("vllm-0"), &json!("c")));
    until(&server, "/api/v1/query?query=seen", "the recorded series", |now| {
        now["result"][0]["value"][1] == "6"
    })
    .await;
    let groups = ask(&server, RULES).await;
    assert_eq!(groups["groups"][0]["file"], "llm/rules");

    // Another configuration leaves all of it alone.
    configure(folders.config.path(), other, "  metrics_path: /other\n");
    let moved = |now: &Value| {
        targets(now) == up
            && now["activeTargets"][0]["scrapeUrl"].as_str().unwrap().ends_with("/other")
    };
    until(&server, TARGETS, "the configuration's job", moved).await;
    assert_eq!(ask(&server, RULES).await["groups"].as_array().unwrap().len(), 1);

    // The token changes in the Secret only.
    fake.cluster().edit("secrets", "llm/s", "/data/token", "dHdv".into());
    let refused = ["own up", "podMonitor/llm/vllm/0 down"];
    let answer = until(&server, TARGETS, "the refusal", |now| targets(now) == refused).await;
    let error = &answer["activeTargets"][1]["lastError"];
    assert_eq!(error, "server returned HTTP status 401 Unauthorized");

    // A wrong monitor and a wrong rule are refused by their names, the others stay.
    let endpoints = json!({ "podMetricsEndpoints": [{ "interval": "5 s" }] });
    let operator = "monitoring.coreos.com/v1";
    let meta = |name: &str| json!({ "name": name, "namespace": "llm" });
    let monitor = json!({ "apiVersion": operator, "kind": "PodMonitor",
                          "metadata": meta("wrong"), "spec": endpoints });
    let groups =
        json!({ "groups": [{ "name": "g", "rules": [{ "record": "a", "expr": "sum(" }] }] });
    let rules = json!({ "apiVersion": operator, "kind": "PrometheusRule",
                        "metadata": meta("wrong"), "spec": groups });
    fake.cluster().apply(monitor);
    fake.cluster().apply(rules);
    fake.cluster().forbidden.insert(("list".into(), "probes".into()));
    fake.cluster().forget();
    fake.cluster().end_watches(false);
    let all = |now: &Value| {
        let monitors = &now["monitors"];
        monitors["refused"].as_array().is_some_and(|list| list.len() == 2)
            && monitors["problems"].as_array().is_some_and(|list| !list.is_empty())
    };
    let shown = until(&server, DISCOVERY, "the refusals", all).await;
    let monitors = &shown["monitors"];
    assert_eq!((&monitors["jobs"], &monitors["ruleGroups"]), (&json!(1), &json!(1)));
    assert_eq!(monitors["refused"][0]["object"], "PodMonitor llm/wrong");
    let error = monitors["refused"][0]["error"].as_str().unwrap();
    assert_eq!(error, "spec.podMetricsEndpoints[0].interval: not a valid duration string: \"5 s\"");
    assert_eq!(monitors["refused"][1]["object"], "PrometheusRule llm/wrong");
    let error = monitors["refused"][1]["error"].as_str().unwrap();
    assert!(error.contains("group \"g\", rule 1, \"a\": could not parse expression"), "{error}");
    assert_eq!(monitors["problems"][0]["tried"], "list probes in all namespaces");
    assert_eq!(monitors["kinds"][1]["resource"], "podmonitors");
    assert_eq!(monitors["kinds"][1]["objects"], 2);

    // Gone.
    fake.cluster().delete("podmonitors", "llm/vllm");
    fake.cluster().delete("prometheusrules", "llm/rules");
    until(&server, TARGETS, "the end of a job", |now| targets(now) == ["own up"]).await;
    until(&server, RULES, "the end of a group", |now| now["groups"] == json!([])).await;
    server.stop().await;
}

#[tokio::test]
async fn monitors_and_rules_of_files_are_followed() {
    let port = page("").await;
    let (fake, folders) = (Fake::start([]), Folders::new());
    configure(folders.config.path(), port, "");
    let mut options = settings(folders.config.path(), &fake);
    options.monitors.cluster = None;
    let jobs = options.file.as_ref().unwrap().config.jobs.clone();
    let server = Running::start_with(folders.data.path(), jobs, options).await;
    until(&server, TARGETS, "the configuration's job", |now| targets(now) == ["own up"]).await;
    let probe = "{apiVersion: monitoring.coreos.com/v1, kind: ScrapeConfig, metadata: {name: s}, \
                 spec: {basicAuth: {username: {name: u, key: k}}, staticConfigs: [{targets: ['ADDRESS']}]}}";
    let probe = probe.replace("ADDRESS", &format!("127.0.0.1:{port}"));
    let secret = "{apiVersion: v1, kind: Secret, metadata: {name: u}, stringData: {k: me}}";
    let rules = "{apiVersion: monitoring.coreos.com/v1, kind: PrometheusRule, metadata: {name: r}, \
                 spec: {groups: [{name: g, rules: [{record: a, expr: '1'}]}]}}";
    fs::write(folders.path("a.yaml"), format!("{probe}\n---\n{secret}\n---\n{rules}\n")).unwrap();
    let up = ["own up", "scrapeConfig/default/s up"];
    until(&server, TARGETS, "the file's job", |now| targets(now) == up).await;
    assert_eq!(ask(&server, RULES).await["groups"][0]["file"], "default/r");
    // Two jobs scrape the same page, and it is told.
    let answer = ask(&server, DISCOVERY).await;
    let shared = &answer["jobs"][0]["alsoScrapedBy"][0];
    assert_eq!(shared["scrapeUrl"], format!("http://127.0.0.1:{port}/metrics"));
    assert_eq!(shared["jobs"], json!(["scrapeConfig/default/s"]));
    // A file that is no YAML changes nothing.
    fs::write(folders.path("a.yaml"), "a: [").unwrap();
    let problem = |now: &Value| now["monitors"]["problems"][0]["tried"].is_string();
    let answer = until(&server, DISCOVERY, "the problem", problem).await;
    let tried = answer["monitors"]["problems"][0]["tried"].as_str().unwrap();
    assert!(tried.starts_with("read ") && tried.ends_with("a.yaml"), "{tried}");
    assert_eq!(answer["monitors"]["jobs"], 1);
    fs::remove_file(folders.path("a.yaml")).unwrap();
    until(&server, TARGETS, "the end of the job", |now| targets(now) == ["own up"]).await;
    until(&server, RULES, "the end of the group", |now| now["groups"] == json!([])).await;
    server.stop().await;
}

/// Built-in jobs leave to monitors what these scrape, and do not wait for ever for their first word.
#[tokio::test]
async fn jobs_that_yield_begin_when_monitors_are_known() {
    let port = page("").await;
    let rows = [(true, "podMonitor/llm/vllm/0 up"), (false, "built-in up")];
    for (is_there, expected) in rows {
        let (fake, folders) = (Fake::start(cluster(port)), Folders::new());
        configure(folders.config.path(), 1, "");
        let mut options = settings(folders.config.path(), &fake);
        if !is_there {
            fake.go_away();
            options.monitors.patience = EVERY;
        }
        let jobs = vec![Job { yields: true, ..job("built-in", format!("127.0.0.1:{port}")) }];
        let server = Running::start_with(folders.data.path(), jobs, options).await;
        until(&server, TARGETS, expected, |now| targets(now) == [expected]).await;
        if is_there {
            let shown = until(&server, DISCOVERY, "what is left to others", |now| {
                now["jobs"][0]["leftToOthers"] == 1
            })
            .await;
            let left = &shown["jobs"][0]["scrapedByOthers"][0]["jobs"];
            assert_eq!(left, &json!(["podMonitor/llm/vllm/0"]));
            fake.cluster().delete("podmonitors", "llm/vllm");
            let back = ["built-in up"];
            until(&server, TARGETS, "what comes back", |now| targets(now) == back).await;
        }
        server.stop().await;
    }
}

/// The binary with its flags: the built-in jobs bring the monitors of the cluster with them.
#[tokio::test]
async fn flags_lead_to_the_cluster() {
    let port = page("").await;
    let (fake, folders) = (Fake::start(cluster(port)), Folders::new());
    configure(folders.config.path(), port, "");
    let _writes_kubeconfig = settings(folders.config.path(), &fake);
    let kubeconfig = format!("--kubernetes.kubeconfig={}", folders.path("kubeconfig").display());
    let rows: [(&[&str], &[&str]); 3] = [
        (&["--kubernetes.monitors=on"], &["own up", "podMonitor/llm/vllm/0 up"]),
        (&["--kubernetes.monitors=on", "--kubernetes.monitor-namespaces=x,y"], &["own up"]),
        (&["--preset=llm-d"], &["own up", "podMonitor/llm/vllm/0 up"]),
    ];
    for (args, expected) in rows {
        let all = [&[kubeconfig.as_str()], args].concat();
        let binary = Binary::start(folders.config.path(), &all);
        let start = std::time::Instant::now();
        loop {
            // When the kinds are shown, what was found is carried out.
            let shown: Value = binary.get(DISCOVERY).await.1.parse().unwrap();
            let is_read = shown["data"]["monitors"]["kinds"].as_array().map(Vec::len) == Some(5);
            let answer: Value = binary.get(TARGETS).await.1.parse().unwrap();
            if is_read && targets(&answer["data"]) == expected {
                break;
            }
            assert!(start.elapsed() < WAIT_MAX, "{args:?}: waited in vain: {answer} {shown}");
            tokio::time::sleep(EVERY).await;
        }
    }
}

/// An API server goes away and comes back: jobs of several roles and the monitors wait, and the log
/// has one line for each.
#[tokio::test]
async fn a_server_that_is_away_is_logged_once() {
    let port = page("Bearer one").await;
    let (mut fake, folders) = (Fake::start(cluster(port)), Folders::new());
    let job = |role: &str| {
        let kubeconfig = folders.path("kubeconfig");
        let sd = format!("{{role: {role}, kubeconfig_file: '{}'}}", kubeconfig.display());
        format!("- job_name: of-{role}\n  kubernetes_sd_configs: [{sd}]\n")
    };
    let more: String = ["pod", "node", "endpointslice"].iter().map(|role| job(role)).collect();
    configure(folders.config.path(), 1, &more);
    let _writes_kubeconfig = settings(folders.config.path(), &fake);
    let kubeconfig = folders.path("kubeconfig").display().to_string();
    let flag = format!("--kubernetes.kubeconfig={kubeconfig}");
    let binary = Binary::start(folders.config.path(), &[&flag, "--kubernetes.monitors=on"]);
    binary.until_logged("1 jobs of monitors", 1).await;
    fake.go_away();
    let away = format!("cannot reach the API server of {kubeconfig}: ");
    binary.until_logged(&away, 1).await;
    let waiting = "waiting: job of-endpointslice, job of-node, job of-pod, job podMonitor/llm/vllm/0, \
                   monitors";
    assert_eq!(binary.logged(waiting).len(), 1, "{:?}", binary.logged(""));
    fake.come_back();
    let back = format!("the API server of {kubeconfig} answers again");
    binary.until_logged(&back, 1).await;
    let all = binary.logged("");
    // Nothing else, and nothing of the libraries below; but two jobs scrape the same pod.
    let others = all.iter().filter(|line| ![&away, &back].iter().any(|own| line.contains(*own)));
    let others: Vec<&String> = others.filter(|line| !line.contains(" INFO ")).collect();
    assert_eq!((all.len() - others.len(), others.len()), (3, 1), "{all:#?}");
    assert!(others[0].contains("scrape the same page http"), "{all:#?}");
}

/// The objects of the tests of discovery are good files, too.
#[tokio::test]
async fn monitors_of_all_kinds_may_stand_in_files() {
    let (fake, folders) = (Fake::start([]), Folders::new());
    configure(folders.config.path(), 1, "");
    fs::copy(testdata("kubernetes/monitors.yaml"), folders.path("m.yaml")).unwrap();
    let mut options = settings(folders.config.path(), &fake);
    options.monitors.cluster = None;
    let server = Running::start_with(folders.data.path(), Vec::new(), options).await;
    let shown = ask(&server, DISCOVERY).await;
    assert_eq!(
        (&shown["monitors"]["jobs"], &shown["monitors"]["refused"]),
        (&json!(12), &json!([]))
    );
    server.stop().await;
}
