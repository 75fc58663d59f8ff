//! Monitors become jobs, and the jobs find what the monitors' authors meant.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use scraper::discover::kubernetes::{KubernetesOptions, Role};
use scraper::discover::monitors::{self, Defaults, Reference};
use scraper::discover::{LabelPairs, Mechanism};
use scraper::job::{Authorization, Job, OAuth2, Proxy, ProxyServer, Scheme, Secret, TlsOptions};
use scraper::relabel;
use serde_json::{Value, json};
use tsdb::model::labels::LabelsBuilder;

use super::fake::Fake;
use super::{Discovery, objects, options, testdata};

const DEFAULTS: Defaults = Defaults { interval_ms: 30_000, timeout_ms: 10_000 };

fn read(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    serde_saphyr::from_multiple(&text).unwrap()
}

fn shared(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared").join(path)
}

fn is_monitor(object: &Value) -> bool {
    let text = |name: &str| object[name].as_str().unwrap_or_default();
    monitors::is_monitor(text("apiVersion"), text("kind"))
}

fn jobs(monitor: &Value) -> Vec<Job> {
    let lookup = |reference: &Reference, key: &str| Ok(Some(format!("{reference} {key}")));
    monitors::jobs(monitor, DEFAULTS, &lookup).unwrap()
}

/// What a cluster has for discovery.
struct Found(BTreeMap<Role, Vec<LabelPairs>>);

impl Found {
    async fn of(objects: Vec<Value>) -> Self {
        let fake = Fake::start(objects);
        let mut found = BTreeMap::new();
        for role in [Role::Node, Role::Pod, Role::Endpoints, Role::Ingress] {
            let mut discovery = Discovery::start(options(role, fake.url()));
            // All groups come at once.
            discovery.until("groups", |found| !found.groups.is_empty()).await;
            found.insert(role, discovery.targets());
        }
        Self(found)
    }

    fn targets(&self, options: &KubernetesOptions) -> Vec<LabelPairs> {
        let names = &options.namespaces.names;
        let wanted = |labels: &&LabelPairs| {
            let own = labels.get("__meta_kubernetes_namespace");
            names.is_empty() || own.is_some_and(|own| names.contains(own))
        };
        self.0[&options.role].iter().filter(wanted).cloned().collect()
    }

    /// The targets of a job after relabelling, each as `address label=value …`, sorted.
    fn scraped(&self, job: &Job, shown: &[&str]) -> Vec<String> {
        let mut all = Vec::new();
        for mechanism in &job.discover {
            let found = match mechanism {
                Mechanism::Kubernetes(options) => self.targets(options),
                Mechanism::Fixed(fixed) => {
                    let labels = |address: &String| {
                        let mut labels = fixed[0].labels.clone();
                        labels.insert("__address__".into(), address.clone());
                        labels
                    };
                    fixed[0].addresses.iter().map(labels).collect()
                }
                other => panic!("{other:?}"),
            };
            all.extend(found.into_iter().filter_map(|labels| relabelled(job, labels, shown)));
        }
        all.sort();
        all
    }
}

fn relabelled(job: &Job, labels: LabelPairs, shown: &[&str]) -> Option<String> {
    let mut builder = LabelsBuilder::new();
    builder.set("job", job.name.as_str());
    for (name, value) in labels {
        builder.set(name, value);
    }
    relabel::apply(&mut builder, &job.relabel).then(|| {
        let mut line = builder.get("__address__").unwrap().to_owned();
        for name in shown {
            line.push_str(&format!(" {name}={}", builder.get(name).unwrap_or("-")));
        }
        line
    })
}

#[tokio::test]
async fn every_kind_finds_its_targets() {
    let found = Found::of(objects::read(&testdata().join("small.yaml"))).await;
    let all: Vec<Job> = read(&testdata().join("monitors.yaml")).iter().flat_map(jobs).collect();
    let by_name: BTreeMap<&str, &Job> = all.iter().map(|job| (job.name.as_str(), job)).collect();
    assert_eq!(by_name.len(), 12);
    let labels = ["job", "namespace", "pod", "container", "endpoint"];
    let rows: [(&str, &[&str], &[&str]); 12] = [
        (
            "serviceMonitor/llm/by-name/0",
            &["job", "service", "app", "llm_d_ai_role", "pod", "endpoint"],
            &[
                "10.1.0.1:8200 job=vllm service=vllm app=vllm llm_d_ai_role=decode pod=decode endpoint=http",
            ],
        ),
        (
            "serviceMonitor/elsewhere/by-target-port/0",
            &labels,
            &["10.1.0.1:8000 job=vllm namespace=llm pod=decode container=proxy endpoint=8000"],
        ),
        (
            "serviceMonitor/elsewhere/by-target-port/1",
            &labels,
            &["10.1.0.1:8200 job=vllm namespace=llm pod=decode container=vllm endpoint=http"],
        ),
        ("podMonitor/other/ports/0", &labels, &[]),
        (
            "podMonitor/other/ports/1",
            &labels,
            &[
                "10.1.0.1:8200 job=other/ports namespace=llm pod=decode container=vllm endpoint=8200",
            ],
        ),
        (
            "podMonitor/other/ports/2",
            &labels,
            &[
                "10.1.0.1:8000 job=other/ports namespace=llm pod=decode container=proxy endpoint=sidecar",
            ],
        ),
        (
            "podMonitoring/llm/google/0",
            &["job", "pod"],
            &["10.1.0.1:8200 job=google pod=decode", "10.1.0.2:8200 job=google pod=prefill"],
        ),
        ("podMonitor/other/not-here/0", &labels, &[]),
        (
            "probe/llm/urls",
            &["job", "namespace", "instance", "__param_target", "tier"],
            &["prober:9115 job=blackbox namespace=llm instance=https://a.example.com/health \
               __param_target=https://a.example.com/health tier=front"],
        ),
        (
            "probe/other/ingresses",
            &["job", "ingress", "instance"],
            &[
                "prober:9115 job=probe/other/ingresses ingress=models instance=http://a.b.example.com/",
                "prober:9115 job=probe/other/ingresses ingress=models instance=https://a.example.com/",
                "prober:9115 job=probe/other/ingresses ingress=models instance=https://a.example.com/v1",
            ],
        ),
        ("scrapeConfig/llm/fixed", &["job", "a"], &["gateway:19001 job=gateway a=b"]),
        ("scrapeConfig/llm/nodes", &["job"], &["10.0.0.1:10250 job=scrapeConfig/llm/nodes"]),
    ];
    for (name, shown, expected) in rows {
        assert_eq!(found.scraped(by_name[name], shown), expected, "{name}");
    }
    let job = by_name["serviceMonitor/llm/by-name/0"];
    assert_eq!((job.interval_ms, job.timeout_ms, job.honor_labels), (5000, 5000, true));
    assert_eq!((job.limits.samples, job.limits.body_bytes), (Some(5000), Some(10 << 20)));
    let job = by_name["probe/llm/urls"];
    assert_eq!(
        (job.metrics_path.as_str(), &job.params["module"]),
        ("/probe", &vec!["http_2xx".into()])
    );
    let job = by_name["scrapeConfig/llm/fixed"];
    assert_eq!((job.metrics_path.as_str(), job.interval_ms), ("/stats/prometheus", 20_000));
    assert_eq!(job.metric_relabel.len(), 1);
}

#[tokio::test]
async fn monitors_from_the_field_find_what_they_are_for() {
    let corpus = shared("corpus/configs");
    if !corpus.exists() {
        eprintln!("skipped: no monitors at {}", corpus.display());
        return;
    }
    let cluster = shared("k8s/llm-d-objects.yaml");
    let found = Found::of(objects::read(&cluster)).await;
    let vllm: &[&str] = &[
        "10.128.6.188:8000 job=llama-3-2-1b-service-prefill",
        "10.128.6.245:8001 job=llama-3-2-1b-service-decode",
        "10.128.7.188:8001 job=llama-3-2-1b-service-decode",
        "10.128.7.189:8000 job=llama-3-2-1b-service-prefill",
        "10.128.7.21:8001 job=qwen3-32b-service-decode",
        "10.128.9.10:8000 job=external-vllm",
        "10.128.9.11:8000 job=external-vllm",
        "10.128.9.12:8000 job=external-vllm",
    ];
    // File, which endpoint of it, and what it finds in the cluster of the guide.
    let rows: [(PathBuf, &str, &[&str]); 16] = [
        (cluster.clone(), "serviceMonitor/llm-d/llm-d-operator-modelservice-monitor/0", vllm),
        (
            cluster.clone(),
            "serviceMonitor/llm-d/llama-3-2-1b-epp-monitor/0",
            &["10.128.4.146:9090 job=llama-3-2-1b-epp"],
        ),
        (
            cluster.clone(),
            "podMonitor/llm-d/llm-d-decode-podmonitor/0",
            &[
                "10.128.6.245:8001 job=llm-d/llm-d-decode-podmonitor",
                "10.128.7.188:8001 job=llm-d/llm-d-decode-podmonitor",
                "10.128.7.21:8001 job=llm-d/llm-d-decode-podmonitor",
            ],
        ),
        (
            cluster,
            "podMonitor/llm-d/llm-d-prefill-podmonitor/0",
            &[
                "10.128.6.188:8000 job=llm-d/llm-d-prefill-podmonitor",
                "10.128.7.189:8000 job=llm-d/llm-d-prefill-podmonitor",
            ],
        ),
        (
            corpus.join("seed-guide-servicemonitors.yaml"),
            "serviceMonitor/llm-d/llm-d-operator-modelservice-monitor/0",
            vllm,
        ),
        (
            corpus.join("seed-guide-servicemonitors.yaml"),
            "serviceMonitor/llm-d/llm-d-epp-monitor/0",
            &["10.128.4.146:9090 job=llama-3-2-1b-epp-service"],
        ),
        // A number written as a name, a namespace that is not there, labels of other versions:
        // nothing is found, as the operator would find nothing.
        (
            corpus.join("seed-guide-servicemonitors.yaml"),
            "podMonitor/llm-d/port-number-written-as-name/0",
            &[],
        ),
        (
            corpus.join("dcgm-exporter-servicemonitor.yaml"),
            "serviceMonitor/default/dcgm-exporter/0",
            &[],
        ),
        (
            corpus.join("kserve-llmisvc-servicemonitor.yaml"),
            "serviceMonitor/default/kserve-llmisvc-metrics/1",
            &[],
        ),
        (
            corpus.join("kube-prometheus-kubelet-servicemonitor.yaml"),
            "serviceMonitor/monitoring/kubelet/3",
            &[],
        ),
        (corpus.join("llmd-decode-podmonitor.yaml"), "podMonitor/default/decode/0", &[]),
        (corpus.join("llmd-prefill-podmonitor.yaml"), "podMonitor/default/prefill/0", &[]),
        (
            corpus.join("llmd-gke-podmonitoring.yaml"),
            "podMonitoring/default/prometheus-metrics-monitor/0",
            &[],
        ),
        (
            corpus.join("llmd-router-epp-servicemonitor.yaml"),
            "serviceMonitor/default/epp-metrics/0",
            &[],
        ),
        (
            corpus.join("llmd-router-vllm-sim-podmonitor.yaml"),
            "podMonitor/default/vllm-sim-metrics/0",
            &[],
        ),
        (
            corpus.join("production-stack-servicemonitor.yaml"),
            "serviceMonitor/kube-prometheus-stack/vllm-monitor/1",
            &[],
        ),
    ];
    for (path, name, expected) in rows {
        let all: Vec<Job> =
            read(&path).iter().filter(|object| is_monitor(object)).flat_map(jobs).collect();
        let job = all.iter().find(|job| job.name == name);
        let job = job.unwrap_or_else(|| panic!("{}: no {name}", path.display()));
        assert_eq!(found.scraped(job, &["job"]), expected, "{name}");
    }
}

/// The same monitors, put where their authors' pods are.
#[tokio::test]
async fn monitors_from_the_field_keep_the_pods_that_they_name() {
    let corpus = shared("corpus/configs");
    if !corpus.exists() {
        eprintln!("skipped: no monitors at {}", corpus.display());
        return;
    }
    let row = |port: &str, number: u32, labels: Value| {
        json!({ "apiVersion": "v1", "kind": "Pod",
                "metadata": { "name": "p", "namespace": "default", "labels": labels },
                "spec": { "containers": [{ "name": "c", "image": "i",
                    "ports": [{ "name": port, "containerPort": number }, { "containerPort": 5600 }] }] },
                "status": { "phase": "Running", "podIP": "10.0.0.7" } })
    };
    let rows = [
        (
            "llmd-decode-podmonitor.yaml",
            row("modelserver", 8200, json!({ "llm-d.ai/role": "decode" })),
        ),
        (
            "llmd-prefill-podmonitor.yaml",
            row("modelserver", 8000, json!({ "llm-d.ai/role": "prefill" })),
        ),
        (
            "llmd-gke-podmonitoring.yaml",
            row("x", 8000, json!({ "llm-d.ai/inference-serving": "true" })),
        ),
        (
            "llmd-router-vllm-sim-podmonitor.yaml",
            row("sidecar-http", 8000, json!({ "app": "${POOL_NAME}" })),
        ),
    ];
    for (file, pod) in rows {
        let port = pod["spec"]["containers"][0]["ports"][0]["containerPort"].clone();
        let mut objects = objects::read(&testdata().join("small.yaml"));
        objects.push(pod);
        let found = Found::of(objects).await;
        let jobs: Vec<Job> = read(&corpus.join(file)).iter().flat_map(jobs).collect();
        assert_eq!(found.scraped(&jobs[0], &["pod"]), [format!("10.0.0.7:{port} pod=p")], "{file}");
    }
}

#[test]
fn credentials_and_tls_are_the_job_s() {
    let monitor = |client: Value| {
        let mut endpoint = json!({ "port": "metrics", "scheme": "https" });
        endpoint.as_object_mut().unwrap().extend(client.as_object().unwrap().clone());
        json!({ "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
                "metadata": { "name": "m", "namespace": "n" }, "spec": { "endpoints": [endpoint] } })
    };
    let bearer = |credentials| Authorization::Credentials { scheme: "Bearer".into(), credentials };
    let inline = |text: &str| Secret::Inline(text.into());
    let rows = [
        (json!({ "bearerTokenFile": "/token" }), Some(bearer(Secret::File("/token".into())))),
        (json!({ "bearerTokenSecret": { "name": "", "key": "" } }), None),
        (
            json!({ "bearerTokenSecret": { "name": "s", "key": "k" } }),
            Some(bearer(inline("Secret n/s k"))),
        ),
        (
            json!({ "authorization": { "credentials": { "name": "s", "key": "k" } } }),
            Some(bearer(inline("Secret n/s k"))),
        ),
        (
            json!({ "basicAuth": { "username": { "name": "s", "key": "u" }, "password": { "name": "s", "key": "p" } } }),
            Some(Authorization::Basic {
                username: inline("Secret n/s u"),
                password: Some(inline("Secret n/s p")),
            }),
        ),
        (
            json!({ "oauth2": { "clientId": { "configMap": { "name": "c", "key": "id" } },
                "clientSecret": { "name": "s", "key": "secret" }, "tokenUrl": "https://a/token",
                "scopes": ["metrics"], "endpointParams": { "audience": "vllm" },
                "tlsConfig": { "insecureSkipVerify": true }, "proxyUrl": "http://p:3128" } }),
            Some(Authorization::OAuth2(Box::new(OAuth2 {
                client_id: "ConfigMap n/c id".into(),
                client_secret: inline("Secret n/s secret"),
                scopes: vec!["metrics".into()],
                token_url: "https://a/token".into(),
                params: [("audience".to_owned(), "vllm".to_owned())].into(),
                tls: TlsOptions { insecure_skip_verify: true, ..TlsOptions::default() },
                proxy: Proxy {
                    server: ProxyServer::Url {
                        url: "http://p:3128".into(),
                        no_proxy: String::new(),
                    },
                    ..Proxy::default()
                },
            }))),
        ),
    ];
    for (client, expected) in rows {
        let job = jobs(&monitor(client.clone())).remove(0);
        assert_eq!((job.scheme, job.client.authorization), (Scheme::Https, expected), "{client}");
    }
    let tls = json!({ "tlsConfig": {
        "ca": { "configMap": { "name": "c", "key": "ca" } }, "cert": { "secret": { "name": "s", "key": "crt" } },
        "keySecret": { "name": "s", "key": "key" }, "serverName": "epp", "insecureSkipVerify": true } });
    let options = jobs(&monitor(tls)).remove(0).client.tls;
    assert_eq!(options.ca, Some(inline("ConfigMap n/c ca")));
    assert_eq!(options.certificate, Some(inline("Secret n/s crt")));
    assert_eq!(options.key, Some(inline("Secret n/s key")));
    assert_eq!((options.server_name.as_deref(), options.insecure_skip_verify), (Some("epp"), true));
}

#[test]
fn errors_say_what_and_where() {
    let service = |spec: Value| {
        json!({ "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
                "metadata": { "name": "m", "namespace": "n" }, "spec": spec })
    };
    let endpoint = |endpoint: Value| service(json!({ "endpoints": [{}, endpoint] }));
    let rows = [
        (
            endpoint(json!({ "interval": "5 s" })),
            "ServiceMonitor n/m: spec.endpoints[1].interval: not a valid duration string: \"5 s\"",
        ),
        (
            endpoint(json!({ "interval": "5s", "scrapeTimeout": "6s" })),
            "ServiceMonitor n/m: spec.endpoints[1].scrapeTimeout: is longer than the interval (6000 ms > 5000 ms)",
        ),
        (
            endpoint(json!({ "scheme": "ftp" })),
            "ServiceMonitor n/m: spec.endpoints[1].scheme: \"ftp\" is neither http nor https",
        ),
        (
            endpoint(json!({ "relabelings": [{ "action": "replce", "targetLabel": "a" }] })),
            "ServiceMonitor n/m: spec.endpoints[1].relabelings[0].action: \"replce\" is none",
        ),
        (
            endpoint(json!({ "authorization": { "credentials": { "name": "s", "key": "k" } } })),
            "ServiceMonitor n/m: spec.endpoints[1].authorization.credentials: there is no key \"k\" in Secret n/s",
        ),
        (
            endpoint(json!({ "oauth2": { "clientId": {} } })),
            "ServiceMonitor n/m: spec.endpoints[1].oauth2.tokenUrl: is missing",
        ),
        (
            service(
                json!({ "selector": { "matchExpressions": [{ "key": "a", "operator": "Like" }] } }),
            ),
            "ServiceMonitor n/m: spec.selector.matchExpressions[0].operator: \"Like\" is none",
        ),
        (
            service(json!({ "bodySizeLimit": "10 XB", "endpoints": [{}] })),
            "ServiceMonitor n/m: spec.bodySizeLimit: \"10 XB\" is no size",
        ),
        (
            json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p" } }),
            "Pod default/p: kind: \"Pod\" of \"v1\" is no monitor that is known",
        ),
        (
            json!({ "apiVersion": "monitoring.coreos.com/v1alpha1", "kind": "ScrapeConfig", "metadata": { "name": "s" },
                    "spec": { "consulSDConfigs": [] } }),
            "ScrapeConfig default/s: spec.consulSDConfigs: is not supported here; httpSDConfigs can stand between",
        ),
    ];
    for (monitor, expected) in rows {
        let error = monitors::jobs(&monitor, DEFAULTS, &|_, _| Ok(None)).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}
