//! What Prometheus 3.5 made of the objects of a whole llm-d cluster, role by role, we make too.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use scraper::discover::LabelPairs;
use scraper::discover::kubernetes::Role;

use super::fake::Fake;
use super::{Discovery, objects, options};

fn shared() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/k8s")
}

/// Labels of a target that only the cluster of the recording gave it, or that its job did.
fn is_foreign(name: &str, value: &str) -> bool {
    let job =
        ["__scheme__", "__metrics_path__", "__scrape_interval__", "__scrape_timeout__", "job"];
    job.contains(&name)
        || name == "__meta_kubernetes_pod_uid"
        || name == "__meta_kubernetes_service_cluster_ip" && value != "None"
        // Somebody annotated the pod of a running cluster.
        || ["__meta_kubernetes_pod_annotation_x", "__meta_kubernetes_pod_annotationpresent_x"].contains(&name)
        || name.ends_with("endpoints_kubernetes_io_last_change_trigger_time")
}

fn stripped(mut labels: LabelPairs) -> LabelPairs {
    labels.retain(|name, value| !is_foreign(name, value));
    if let Some(name) = labels.get_mut("__meta_kubernetes_endpointslice_name") {
        // Made up of the service's name and five letters.
        let kept = name.rfind('-').unwrap();
        name.truncate(kept);
    }
    labels
}

fn sorted(labels: impl IntoIterator<Item = LabelPairs>) -> Vec<LabelPairs> {
    let mut all: Vec<_> = labels.into_iter().map(stripped).collect();
    all.sort();
    all
}

#[tokio::test]
async fn labels_are_prometheus_s() {
    if !shared().exists() {
        eprintln!("skipped: no recorded labels at {}", shared().display());
        return;
    }
    let fake = Fake::start(objects::read(&shared().join("llm-d-objects.yaml")));
    let roles =
        [Role::Node, Role::Pod, Role::Service, Role::Endpoints, Role::EndpointSlice, Role::Ingress];
    for role in roles {
        let path = shared().join(format!("golden/{}.json", role.as_str()));
        let recorded: Vec<BTreeMap<String, String>> =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        // The API server's own service is no object of the file.
        let api = |labels: &LabelPairs| {
            labels.get("__meta_kubernetes_service_name").is_some_and(|name| name == "kubernetes")
        };
        let expected = sorted(recorded.into_iter().filter(|labels| !api(labels)));
        let mut options = options(role, fake.url());
        options.attach_metadata.node = true;
        let mut discovery = Discovery::start(options);
        discovery.until(role.as_str(), |found| found.targets().len() >= expected.len()).await;
        let found = sorted(discovery.targets());
        assert_eq!(found.len(), expected.len(), "{role:?}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{role:?}");
        }
        assert!(discovery.problems.list().is_empty(), "{:?}", discovery.problems.list());
    }
}
