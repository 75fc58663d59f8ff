//! The built-in jobs, and those of llm-d's guide, on what a real cluster showed Prometheus.

use std::collections::BTreeMap;
use std::path::Path;

use scraper::discover::Mechanism;
use scraper::discover::kubernetes::Role;
use scraper::job::Job;
use scraper::target::{Found, find_in};
use server::config;
use server::packs::jobs;
use tsdb::model::labels::Labels;

use crate::running::shared;

type Pairs = BTreeMap<String, String>;

fn labels(pairs: &Pairs) -> Labels {
    Labels::from_pairs(pairs.clone())
}

/// Labels as discovery gives them, without what the job of the recording added.
fn recorded(folder: &Path, role: Role) -> Vec<Pairs> {
    let path = folder.join(format!("golden/{}.json", role.as_str()));
    let mut sets: Vec<Pairs> =
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let of_job =
        ["__scheme__", "__metrics_path__", "__scrape_interval__", "__scrape_timeout__", "job"];
    sets.iter_mut().for_each(|set| set.retain(|name, _| !of_job.contains(&name.as_str())));
    sets
}

fn role(job: &Job) -> Option<Role> {
    job.discover.iter().find_map(|mechanism| match mechanism {
        Mechanism::Kubernetes(options) => Some(options.role),
        _ => None,
    })
}

fn find(job: &Job, sets: &[Pairs]) -> Found {
    let sets: Vec<Labels> = sets.iter().map(labels).collect();
    find_in(job, sets.iter())
}

/// A line for each target: its URL and its labels.
fn lines(found: &Found) -> Vec<String> {
    assert!(found.failures.is_empty(), "{:?}", found.failures);
    let line = |target: &scraper::target::Target| format!("{} {}", target.url, target.labels);
    let mut lines: Vec<String> = found.targets.iter().map(line).collect();
    lines.sort();
    lines
}

fn built_in(name: &str) -> Job {
    let name = format!("{}{name}", jobs::PREFIX);
    jobs::jobs().into_iter().find(|job| job.name == name).unwrap()
}

#[test]
fn every_program_of_the_cluster_is_found_once() {
    let Some(folder) = shared("k8s") else { return };
    let mut urls = Vec::new();
    for job in jobs::jobs() {
        let found = find(&job, &recorded(&folder, role(&job).unwrap()));
        println!("{}\n  {}", job.name, lines(&found).join("\n  "));
        urls.extend(found.targets.iter().map(|target| target.url.clone()));
    }
    urls.sort();
    let expected = [
        "http://10.128.0.10:9400/metrics",
        "http://10.128.0.11:9400/metrics",
        // The endpoint picker, the scheduler, the operator, the gateway, the lookup server's exporter.
        "http://10.128.4.146:9090/metrics",
        "http://10.128.4.147:9090/metrics",
        "http://10.128.4.148:8080/metrics",
        "http://10.128.4.149:15020/stats/prometheus",
        "http://10.128.4.151:9121/metrics",
        // Decode on 8001, prefill on 8000.
        "http://10.128.6.188:8000/metrics",
        "http://10.128.6.245:8001/metrics",
        "http://10.128.7.188:8001/metrics",
        "http://10.128.7.189:8000/metrics",
        "http://10.128.7.21:8001/metrics",
    ];
    assert_eq!(urls, expected);
}

/// A pod's container port, as the role `pod` shows it.
fn port(pod: &str, labels: &[(&str, &str)], container: &str, name: &str, number: &str) -> Pairs {
    let mut pairs: Pairs = [
        ("__address__", format!("10.0.0.1:{number}")),
        ("__meta_kubernetes_namespace", "team-a".to_owned()),
        ("__meta_kubernetes_pod_name", pod.to_owned()),
        ("__meta_kubernetes_pod_node_name", "node-1".to_owned()),
        ("__meta_kubernetes_pod_phase", "Running".to_owned()),
        ("__meta_kubernetes_pod_container_name", container.to_owned()),
        ("__meta_kubernetes_pod_container_port_name", name.to_owned()),
        ("__meta_kubernetes_pod_container_port_number", number.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    for (name, value) in labels {
        pairs.insert(format!("__meta_kubernetes_pod_label_{name}"), (*value).to_owned());
        pairs.insert(format!("__meta_kubernetes_pod_labelpresent_{name}"), "true".to_owned());
    }
    pairs.retain(|_, value| !value.is_empty());
    pairs
}

const SERVING: &[(&str, &str)] = &[("llm_d_ai_inferenceServing", "true")];
const DECODE: &[(&str, &str)] = &[
    ("llm_d_ai_inference_serving", "true"),
    ("llm_d_ai_model", "qwen"),
    ("llm_d_ai_role", "decode"),
];

#[test]
fn vllm_is_found_by_the_names_of_all_releases() {
    let job = built_in("vllm");
    let rows: [(Pairs, bool); 20] = [
        // The first releases: prefill, decode, and the proxy before decode.
        (port("p", SERVING, "vllm", "vllm", "8000"), true),
        (port("p", SERVING, "vllm", "vllm", "8001"), true),
        (port("p", SERVING, "routing-proxy", "vllm-proxy", "8000"), false),
        (port("p", SERVING, "vllm", "nixl", "5557"), false),
        // Today: guides, chart, an init container as a sidecar.
        (port("p", DECODE, "modelserver", "modelserver", "8200"), true),
        (port("p", DECODE, "vllm", "metrics", "8200"), true),
        (port("p", DECODE, "routing-proxy", "sidecar", "8000"), false),
        (port("p", DECODE, "routing-proxy", "", "8000"), false),
        (port("p", DECODE, "vllm", "", "5600"), false),
        // Ports without a name, several engines in a pod.
        (port("p", DECODE, "vllm", "", "8000"), true),
        (port("p", DECODE, "vllm", "", "8203"), true),
        (port("p", DECODE, "vllm", "vllm-dp3", "8003"), true),
        // One label is enough, or the container's name.
        (port("p", &[("llm_d_ai_role", "prefill")], "server", "http", "8080"), true),
        (port("p", &[("llm_d_ai_model", "qwen")], "server", "api", "8000"), true),
        (port("p", &[("app", "mine")], "vllm", "http", "8000"), true),
        // Others.
        (port("p", &[("app", "mine")], "server", "http", "8000"), false),
        (
            port(
                "p",
                &[("llm_d_ai_model", "qwen"), ("llm_d_ai_epp", "x")],
                "epp",
                "metrics",
                "9090",
            ),
            false,
        ),
        (port("p", DECODE, "istio-proxy", "http-envoy-prom", "15090"), false),
        (port("p", DECODE, "vllm", "grpc", "50051"), false),
        (port("p", &[("llm_d_ai_inferenceServing", "false")], "server", "http", "8000"), false),
    ];
    for (pairs, expected) in rows {
        let found = find(&job, std::slice::from_ref(&pairs));
        assert_eq!(found.targets.len(), usize::from(expected), "{pairs:?}");
    }
    let found = find(&job, &[port("p", DECODE, "vllm", "metrics", "8200")]);
    let expected = r#"http://10.0.0.1:8200/metrics {instance="10.0.0.1:8200", job="vllm-instances", namespace="team-a", pod="p", vllm_model="qwen", vllm_role="decode"}"#;
    assert_eq!(lines(&found), [expected]);
    let mut ended = port("p", DECODE, "vllm", "metrics", "8200");
    ended.insert("__meta_kubernetes_pod_phase".to_owned(), "Succeeded".to_owned());
    assert_eq!(find(&job, &[ended]).targets.len(), 0);
}

/// The same port behind a service's port of that name; without one, a port that only the pod has.
fn behind(service: &str, endpoint_port: &str, mut pod: Pairs) -> Pairs {
    pod.insert("__meta_kubernetes_service_name".to_owned(), service.to_owned());
    if !endpoint_port.is_empty() {
        pod.insert("__meta_kubernetes_endpoint_port_name".to_owned(), endpoint_port.to_owned());
    }
    pod
}

#[test]
fn the_endpoint_picker_is_found_by_the_names_of_all_releases() {
    let epp = |name, number| port("p", &[], "epp", name, number);
    let old = port("p", &[("llm_d_ai_epp", "llama-epp")], "epp", "metrics", "9090");
    let rows = [
        ("llama-epp-service", "metrics", old, Some("llama-epp")),
        ("llm-d-gaie-epp", "http-metrics", epp("metrics", "9090"), Some("llm-d-gaie-epp")),
        ("gaie-epp", "", epp("metrics", "9090"), Some("gaie-epp")),
        ("gaie-epp", "", epp("", "9090"), Some("gaie-epp")),
        ("gaie-epp", "grpc", epp("grpc", "9002"), None),
        ("gaie-epp", "", epp("grpc-health", "9003"), None),
        ("gaie-epp-v2", "metrics", epp("metrics", "9090"), None),
    ];
    let job = built_in("endpoint-picker");
    for (service, endpoint_port, pod, expected) in rows {
        let found = find(&job, &[behind(service, endpoint_port, pod)]);
        let labels = found.targets.first().map(|target| &target.labels);
        let extension = labels.and_then(|labels| labels.get("inference_extension"));
        assert_eq!(extension, expected, "{service} {endpoint_port}");
        assert!(labels.is_none_or(|own| own.get("job") == Some("gateway-api-inference-extension")));
    }
    let job = built_in("scheduler");
    for (service, expected) in
        [("llm-d-scheduler", 1), ("llm-d-inference-scheduler", 1), ("kube-scheduler", 0)]
    {
        let found = find(&job, &[behind(service, "metrics", epp("metrics", "9090"))]);
        assert_eq!(found.targets.len(), expected, "{service}");
    }
}

#[test]
fn gateways_gpus_and_the_rest() {
    let gateway: &[(&str, &str)] = &[("gateway_networking_k8s_io_gateway_name", "gw")];
    let app: &[(&str, &str)] = &[("app", "nvidia-dcgm-exporter")];
    let named: &[(&str, &str)] = &[("app_kubernetes_io_name", "dcgm-exporter")];
    let part: &[(&str, &str)] = &[("app_kubernetes_io_part_of", "llminferenceservice")];
    let llm_d: &[(&str, &str)] = &[("app_kubernetes_io_name", "llm-d-kv-cache-manager")];
    let metrics = |labels, container| port("p", labels, container, "metrics", "9000");
    let mut controller = metrics(&[], "envoy-gateway");
    controller.insert("__meta_kubernetes_namespace".into(), "envoy-gateway-system".into());
    let rows = [
        ("envoy-gateway", behind("x", "", metrics(gateway, "envoy")), "/stats/prometheus"),
        (
            "envoy-gateway",
            behind("x", "", port("p", gateway, "istio-proxy", "http-envoy-prom", "15090")),
            "/stats/prometheus",
        ),
        ("envoy-gateway", behind("envoy-gateway", "metrics", controller), "/metrics"),
        ("envoy-gateway", behind("api-gateway", "metrics", metrics(&[], "app")), ""),
        ("envoy-gateway", behind("x", "http", port("p", gateway, "envoy", "http", "80")), ""),
        ("dcgm", metrics(app, "x"), "/metrics"),
        ("dcgm", metrics(named, "x"), "/metrics"),
        ("dcgm", port("p", &[], "nvidia-dcgm-exporter", "", "9400"), "/metrics"),
        ("dcgm", metrics(&[], "node-exporter"), ""),
        ("components", metrics(part, "x"), "/metrics"),
        ("components", metrics(llm_d, "x"), "/metrics"),
        ("components", port("p", llm_d, "x", "http-metrics", "9000"), "/metrics"),
        ("components", port("p", llm_d, "x", "http", "9000"), ""),
        ("components", metrics(DECODE, "vllm"), ""),
        ("components", metrics(&[], "x"), ""),
    ];
    for (job, pairs, path) in rows {
        let found = find(&built_in(job), std::slice::from_ref(&pairs));
        let urls: Vec<&str> = found.targets.iter().map(|target| target.url.as_str()).collect();
        let number = &pairs["__meta_kubernetes_pod_container_port_number"];
        let number = if number == "80" { String::new() } else { format!(":{number}") };
        let expected: Vec<String> = (!path.is_empty())
            .then(|| format!("http://10.0.0.1{number}{path}"))
            .into_iter()
            .collect();
        assert_eq!(urls, expected, "{job} {pairs:?}");
    }
    assert!(built_in("dcgm").honor_labels);
}

#[test]
fn annotations_say_where_the_page_is() {
    let job = built_in("annotated-pods");
    let annotated = |pod: Pairs, pairs: &[(&str, &str)]| {
        let name = |own: &str| format!("__meta_kubernetes_pod_annotation_prometheus_io_{own}");
        let own = pairs.iter().map(|(own, value)| (name(own), (*value).to_owned()));
        pod.into_iter().chain(own).collect::<Pairs>()
    };
    let own = |number| port("p", &[("app", "mine")], "x", "http", number);
    let all = [("scrape", "true"), ("port", "9100"), ("path", "/m"), ("scheme", "https")];
    let found = find(&job, &[annotated(own("80"), &all), annotated(own("8080"), &all)]);
    let expected = r#"https://10.0.0.1:9100/m {app="mine", instance="10.0.0.1:9100", job="kubernetes-pods", namespace="team-a", pod="p"}"#;
    assert_eq!((lines(&found), found.duplicates), (vec![expected.to_owned()], 1));
    let rows = [
        (annotated(own("8080"), &[("scrape", "true")]), 1),
        (annotated(own("8080"), &[("scrape", "false"), ("port", "9100")]), 0),
        (own("8080"), 0),
        // These have jobs of their own.
        (annotated(port("p", DECODE, "vllm", "vllm", "8000"), &all), 0),
        (annotated(port("p", &[("llm_d_ai_epp", "x")], "y", "metrics", "9090"), &all), 0),
        (annotated(port("p", &[], "nvidia-dcgm-exporter", "metrics", "9400"), &all), 0),
    ];
    for (pairs, expected) in rows {
        assert_eq!(find(&job, std::slice::from_ref(&pairs)).targets.len(), expected, "{pairs:?}");
    }
}

#[test]
fn the_guide_s_own_jobs_run_unchanged() {
    let Some(file) = shared("corpus/configs/seed-guide-prometheus.yml") else { return };
    let Some(folder) = shared("k8s") else { return };
    let config = config::load(&file).unwrap();
    let targets = |job: &Job| match role(job) {
        Some(role) => {
            let names = job.discover.iter().find_map(|mechanism| match mechanism {
                Mechanism::Kubernetes(options) => Some(options.namespaces.names.clone()),
                _ => None,
            });
            let names = names.unwrap_or_default();
            let mut sets = recorded(&folder, role);
            sets.retain(|set| {
                let own = set.get("__meta_kubernetes_namespace");
                names.is_empty() || own.is_some_and(|own| names.contains(own))
            });
            lines(&find(job, &sets))
                .iter()
                .map(|line| line.split(' ').next().unwrap().to_owned())
                .collect()
        }
        None => vec![],
    };
    let found: Vec<(String, Vec<String>)> =
        config.jobs.iter().map(|job| (job.name.clone(), targets(job))).collect();
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names.len(), 9, "{names:?}");
    let of = |name: &str| &found.iter().find(|(own, _)| own == name).unwrap().1;
    assert_eq!(of("gateway-api-inference-extension"), &["http://10.128.4.146:9090/metrics"]);
    assert_eq!(of("llm-d-scheduler"), &["http://10.128.4.147:9090/metrics"]);
    assert_eq!(of("kubernetes-nodes").len(), 3);
    assert_eq!(of("vllm-instances").len(), 4);
    assert_eq!(of("kubernetes-pods").len(), 7);
    assert_eq!(of("kubernetes-pods"), of("llm-d-components"));
}
