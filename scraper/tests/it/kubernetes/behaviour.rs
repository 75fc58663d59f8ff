//! What a real API server does, and what discovery makes of it.

use std::io::Write as _;
use std::time::Duration;

use scraper::discover::kubernetes::{
    AttachMetadata, Clusters, KubernetesOptions, Namespaces, Retry, Role, Selector,
};
use scraper::job::{Authorization, ClientOptions, Secret};
use serde_json::{Value, json};

use super::fake::{Cluster, Fake};
use super::{Discovery, clusters, objects, options, testdata};

const PODS: [&str; 5] =
    ["10.1.0.1:8000", "10.1.0.1:8200", "10.1.0.2:5600", "10.1.0.2:8200", "[fd00::2]"];

fn small() -> Vec<Value> {
    objects::read(&testdata().join("small.yaml"))
}

/// Pods, found.
async fn pods(fake: &Fake) -> Discovery {
    let mut discovery = Discovery::start(options(Role::Pod, fake.url()));
    discovery.until("all pods", |found| found.addresses() == PODS).await;
    discovery
}

/// Pods, found and watched.
async fn watched_pods(fake: &Fake) -> Discovery {
    let mut discovery = pods(fake).await;
    discovery.until("a watch", |_| fake.cluster().watching() == 1).await;
    discovery
}

fn move_decode(cluster: &mut Cluster, ip: &str) {
    cluster.edit("pods", "llm/decode", "/status/podIP", ip.into());
}

async fn until_moved(discovery: &mut Discovery, ip: &str) {
    let address = format!("{ip}:8200");
    discovery.until("the pod's new address", |found| found.addresses().contains(&address)).await;
}

#[tokio::test]
async fn every_role_finds_its_objects() {
    let fake = Fake::start(small());
    let rows: [(Role, &[&str]); 6] = [
        (Role::Node, &["10.0.0.1:10250"]),
        (Role::Pod, &PODS),
        (Role::Service, &["elsewhere.other.svc:443", "vllm.llm.svc:80"]),
        (Role::Endpoints, &PODS[..4]),
        (Role::EndpointSlice, &PODS[..4]),
        (Role::Ingress, &["a.b.example.com", "a.example.com", "a.example.com"]),
    ];
    for (role, addresses) in rows {
        let mut discovery = Discovery::start(options(role, fake.url()));
        discovery.until(role.as_str(), |found| found.addresses() == addresses).await;
        assert_eq!(discovery.problems.list(), []);
        // Who may not see slices need not.
        if role == Role::Endpoints {
            assert_eq!(fake.requests("endpointslices"), [""; 0]);
        }
    }
}

#[tokio::test]
async fn metadata_of_nodes_and_namespaces_is_attached_and_followed() {
    let fake = Fake::start(small());
    let both = AttachMetadata { node: true, namespace: true };
    for role in [Role::Pod, Role::Endpoints, Role::EndpointSlice] {
        fake.cluster().edit("nodes", "gpu-0", "/metadata/labels/zone", "a".into());
        let mut discovery = Discovery::start(KubernetesOptions {
            attach_metadata: both,
            ..options(role, fake.url())
        });
        let has = |found: &Discovery, name: &str, value: &str| {
            let targets = found.targets();
            let name = format!("__meta_kubernetes_{name}");
            targets.iter().any(|labels| labels.get(&name).is_some_and(|own| own == value))
        };
        discovery.until("labels of the node", |found| has(found, "node_label_zone", "a")).await;
        assert!(has(&discovery, "namespace_label_team", "inference"), "{role:?}");
        assert!(has(&discovery, "namespace_annotation_cost_center", "7"), "{role:?}");
        fake.cluster().edit("nodes", "gpu-0", "/metadata/labels/zone", "b".into());
        discovery.until("the node's new label", |found| has(found, "node_label_zone", "b")).await;
        let ready = "/status/conditions/1/status";
        fake.cluster().edit("pods", "llm/decode", ready, "Unknown".into());
        discovery.until("the pod's new state", |found| has(found, "pod_ready", "unknown")).await;
        fake.cluster().edit("pods", "llm/decode", ready, "True".into());
    }
}

#[tokio::test]
async fn long_lists_come_in_pages_compressed_and_an_expired_page_begins_anew() {
    let fake = Fake::start(small());
    fake.cluster().page = Some(1);
    fake.cluster().expire_page = true;
    let discovery = pods(&fake).await;
    assert!(fake.requests("/api/v1/pods?limit=500").len() > 4, "{:?}", fake.requests("pods"));
    assert_eq!(fake.requests("continue=1").len(), 2, "expired once, then asked again");
    assert_eq!(discovery.problems.list(), []);
}

#[tokio::test]
async fn an_expired_version_inside_a_stream_that_began_well_leads_to_a_new_list() {
    let mut fake = Fake::start(small());
    let mut discovery = watched_pods(&fake).await;
    fake.go_away();
    let reach = format!("reach the API server {}", fake.url());
    let refused = |found: &Discovery| found.why(&reach).contains("connection refused");
    discovery.until("the failure", refused).await;
    assert_eq!(discovery.addresses(), PODS, "targets stay while nobody answers");
    fake.cluster().delete("pods", "llm/prefill");
    move_decode(&mut fake.cluster(), "10.1.0.9");
    fake.cluster().forget();
    fake.come_back();
    let now = ["10.1.0.9:8000", "10.1.0.9:8200", "[fd00::2]"];
    discovery.until("the new list", |found| found.addresses() == now).await;
    discovery.until("no failure", |found| found.problems.list().is_empty()).await;
}

#[tokio::test]
async fn a_server_that_was_away_is_well_again_without_any_event() {
    let mut fake = Fake::start(small());
    let mut discovery = watched_pods(&fake).await;
    fake.go_away();
    discovery.until("the failure", |found| !found.problems.list().is_empty()).await;
    fake.come_back();
    discovery.until("no failure", |found| found.problems.list().is_empty()).await;
    assert_eq!(fake.requests("/api/v1/pods?limit").len(), 1, "the version was still known");
}

/// Whatever a job asks for, that nobody answers is one problem, the same for all who ask there; it
/// stays while nobody answers, and so do the targets.
#[tokio::test]
async fn a_server_that_is_away_is_one_problem_of_the_same_name_for_all_jobs() {
    let mut fake = Fake::start(small());
    let clusters = clusters();
    let both = AttachMetadata { node: true, namespace: true };
    let mut jobs: Vec<(Discovery, Vec<String>)> = Vec::new();
    for role in [Role::Pod, Role::Endpoints, Role::EndpointSlice, Role::Node] {
        let options = KubernetesOptions { attach_metadata: both, ..options(role, fake.url()) };
        let mut job = Discovery::shared(options, &clusters);
        job.until("targets", |found| !found.addresses().is_empty()).await;
        let addresses = job.addresses();
        jobs.push((job, addresses));
    }
    fake.go_away();
    let reach = [format!("reach the API server {}", fake.url())];
    for attempt in 0..3 {
        for (job, addresses) in &mut jobs {
            job.until("the one problem", |found| found.tried() == reach).await;
            assert_eq!(job.addresses(), *addresses, "{attempt}");
        }
    }
    fake.come_back();
    for (job, addresses) in &mut jobs {
        job.until("no problem", |found| found.problems.list().is_empty()).await;
        assert_eq!(job.addresses(), *addresses);
    }
}

/// Nobody answers for an hour, in which time jumps from attempt to attempt.
#[tokio::test]
async fn a_server_that_was_away_for_an_hour_is_found_again() {
    const HOUR: Duration = Duration::from_secs(3600);
    let mut fake = Fake::start(small());
    let (first, most) = (Duration::from_millis(5), Duration::from_secs(5));
    let clusters = Clusters::with_retry(Retry { first, most, absent: most });
    let mut discovery = Discovery::shared(options(Role::Pod, fake.url()), &clusters);
    discovery.until("all pods", |found| found.addresses() == PODS).await;
    discovery.until("a watch", |_| fake.cluster().watching() == 1).await;
    fake.go_away();
    let reach = [format!("reach the API server {}", fake.url())];
    discovery.until("the problem", |found| found.tried() == reach).await;
    tokio::time::pause();
    tokio::time::sleep(HOUR).await;
    tokio::time::resume();
    assert_eq!(
        (discovery.tried(), discovery.addresses()),
        (reach.to_vec(), PODS.map(str::to_owned).to_vec())
    );
    move_decode(&mut fake.cluster(), "10.1.0.9");
    fake.cluster().forget();
    fake.come_back();
    until_moved(&mut discovery, "10.1.0.9").await;
    discovery.until("no problem", |found| found.problems.list().is_empty()).await;
}

#[tokio::test]
async fn a_version_from_before_a_restored_backup_leads_to_a_new_list() {
    let mut fake = Fake::start(small());
    let mut discovery = watched_pods(&fake).await;
    fake.go_away();
    fake.cluster().restore();
    move_decode(&mut fake.cluster(), "10.1.0.9");
    fake.come_back();
    until_moved(&mut discovery, "10.1.0.9").await;
    discovery.until("no failure", |found| found.problems.list().is_empty()).await;
}

#[tokio::test]
async fn watches_that_end_or_are_cut_go_on_where_they_were() {
    let fake = Fake::start(small());
    let mut discovery = watched_pods(&fake).await;
    for (cut, ip) in [(false, "10.1.0.5"), (true, "10.1.0.6")] {
        // Something else moves the version on, and only a bookmark says so.
        fake.cluster().edit("nodes", "gpu-0", "/metadata/labels/zone", ip.into());
        fake.cluster().bookmark();
        fake.cluster().end_watches(cut);
        discovery.until("a new watch", |_| fake.cluster().watching() == 1).await;
        let version = fake.cluster().version();
        let last = fake.requests("watch=true").pop().unwrap();
        assert!(last.ends_with(&format!("resourceVersion={version}")), "{last}, not {version}");
        assert!(last.contains("allowWatchBookmarks=true"), "{last}");
        move_decode(&mut fake.cluster(), ip);
        until_moved(&mut discovery, ip).await;
    }
    assert_eq!(fake.requests("/api/v1/pods?limit").len(), 1, "nothing was listed again");
    assert_eq!(discovery.problems.list(), []);
}

#[tokio::test]
async fn what_leaves_the_selector_goes_and_may_come_back() {
    let fake = Fake::start(small());
    let selectors = vec![Selector {
        role: Role::Pod,
        label: "app=vllm,llm-d.ai/role".into(),
        field: "spec.nodeName=gpu-0".into(),
    }];
    let mut discovery =
        Discovery::start(KubernetesOptions { selectors, ..options(Role::Pod, fake.url()) });
    discovery.until("the pod", |found| found.addresses() == PODS[..2]).await;
    fake.cluster().edit("pods", "llm/decode", "/metadata/labels/app", "no".into());
    discovery.until("no pod", |found| found.addresses().is_empty()).await;
    fake.cluster().edit("pods", "llm/decode", "/metadata/labels/app", "vllm".into());
    discovery.until("the pod again", |found| found.addresses() == PODS[..2]).await;
    let query = "labelSelector=app%3Dvllm%2Cllm-d.ai%2Frole&fieldSelector=spec.nodeName%3Dgpu-0";
    assert!(!fake.requests(query).is_empty(), "{:?}", fake.requests("pods"));
}

#[tokio::test]
async fn only_the_wanted_namespaces_are_asked_for() {
    let fake = Fake::start(small());
    let names = vec!["other".to_owned(), "llm".to_owned(), "other".to_owned()];
    let namespaces = Namespaces { own: false, names };
    let mut discovery =
        Discovery::start(KubernetesOptions { namespaces, ..options(Role::Pod, fake.url()) });
    discovery.until("all pods", |found| found.addresses() == PODS).await;
    assert_eq!(fake.requests("/api/v1/pods"), [""; 0]);
    assert_eq!(fake.requests("/api/v1/namespaces/other/pods?limit").len(), 1);
    discovery.until("watches", |_| fake.cluster().watching() == 2).await;
    fake.cluster().forbidden.insert(("list".into(), "pods".into()));
    fake.cluster().edit("nodes", "gpu-0", "/metadata/labels/zone", "b".into());
    fake.cluster().forget();
    fake.cluster().end_watches(false);
    let refused = ["list pods in llm", "list pods in other"];
    discovery.until("refusals", |found| found.tried() == refused).await;
    assert_eq!(discovery.addresses(), PODS);
}

#[tokio::test]
async fn refusals_are_told_with_their_cure_and_the_others_go_on() {
    let fake = Fake::start(small());
    let forbidden = [("list", "pods"), ("list", "nodes")];
    fake.cluster().forbidden = forbidden.map(|(verb, what)| (verb.into(), what.into())).into();
    let attach_metadata = AttachMetadata { node: true, namespace: false };
    let mut discovery = Discovery::start(KubernetesOptions {
        attach_metadata,
        ..options(Role::Endpoints, fake.url())
    });
    discovery
        .until("addresses", |found| found.addresses() == ["10.1.0.1:8200", "10.1.0.2:8200"])
        .await;
    discovery.until("refusals", |found| found.tried().len() == 2).await;
    assert_eq!(
        discovery.why("list pods in all namespaces"),
        "403 pods is forbidden: User \"test\" cannot list resource \"pods\"; add to a ClusterRole of \
         our account: {apiGroups: [\"\"], resources: [\"pods\"], verbs: [\"list\", \"watch\"]}"
    );
    fake.cluster().forbidden.clear();
    discovery.until("all ports of the pods", |found| found.addresses() == PODS[..4]).await;
    discovery.until("no refusal", |found| found.problems.list().is_empty()).await;
}

#[tokio::test]
async fn where_only_listing_is_allowed_lists_have_to_do() {
    let fake = Fake::start(small());
    fake.cluster().forbidden.insert(("watch".into(), "pods".into()));
    let mut discovery = pods(&fake).await;
    discovery.until("the refusal", |found| found.tried() == ["watch pods in all namespaces"]).await;
    move_decode(&mut fake.cluster(), "10.1.0.9");
    until_moved(&mut discovery, "10.1.0.9").await;
}

#[tokio::test]
async fn what_nobody_understands_leads_to_a_new_list() {
    let fake = Fake::start(small());
    let mut discovery = watched_pods(&fake).await;
    for (line, ip) in
        [("no JSON\n", "10.1.0.7"), ("{\"type\":\"ODD\",\"object\":{}}\n", "10.1.0.8")]
    {
        let lists = fake.requests("/api/v1/pods?limit").len();
        discovery.until("a watch", |_| fake.cluster().watching() > 0).await;
        fake.cluster().say("pods", line);
        discovery.until("a list", |_| fake.requests("/api/v1/pods?limit").len() > lists).await;
        move_decode(&mut fake.cluster(), ip);
        until_moved(&mut discovery, ip).await;
        discovery.until("no failure", |found| found.problems.list().is_empty()).await;
    }
}

#[tokio::test]
async fn a_heartbeat_is_no_change() {
    let fake = Fake::start(small());
    let mut discovery = Discovery::start(options(Role::Node, fake.url()));
    discovery.until("the node", |found| found.addresses() == ["10.0.0.1:10250"]).await;
    let beat = "/status/conditions/0/lastHeartbeatTime";
    fake.cluster().edit("nodes", "gpu-0", beat, "2026-01-01T00:00:10Z".into());
    let port = "/status/daemonEndpoints/kubeletEndpoint/Port";
    fake.cluster().edit("nodes", "gpu-0", port, json!(10251));
    discovery.until("the port", |found| found.addresses() == ["10.0.0.1:10251"]).await;
    let sent = discovery.sent.iter().filter(|source| *source == "node/gpu-0").count();
    assert_eq!(sent, 2, "found, and its port changed: {:?}", discovery.sent);
}

#[tokio::test]
async fn jobs_that_ask_for_the_same_share_a_watch() {
    let fake = Fake::start(small());
    let clusters: Clusters = clusters();
    let mut jobs: Vec<Discovery> =
        (0..9).map(|_| Discovery::shared(options(Role::Pod, fake.url()), &clusters)).collect();
    for job in &mut jobs {
        job.until("all pods", |found| found.addresses() == PODS).await;
    }
    jobs.truncate(1);
    move_decode(&mut fake.cluster(), "10.1.0.9");
    until_moved(&mut jobs[0], "10.1.0.9").await;
    assert_eq!(fake.requests("/api/v1/pods?limit").len(), 1);
    assert_eq!(fake.requests("/api/v1/pods?watch").len(), 1);
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[tokio::test]
async fn a_token_is_read_again_when_it_was_replaced() {
    let fake = Fake::start(small());
    fake.cluster().token = Some("new".into());
    let token = file("old\n");
    let credentials = Secret::File(token.path().to_owned());
    let authorization = Some(Authorization::Credentials { scheme: "Bearer".into(), credentials });
    let client = ClientOptions { authorization, ..ClientOptions::default() };
    let mut discovery =
        Discovery::start(KubernetesOptions { client, ..options(Role::Pod, fake.url()) });
    discovery.until("the refusal", |found| found.tried() == ["list pods in all namespaces"]).await;
    let why = discovery.why("list pods in all namespaces");
    assert!(why.starts_with("401 Unauthorized: "), "{why}");
    std::fs::write(token.path(), "new\n").unwrap();
    discovery.until("all pods", |found| found.addresses() == PODS).await;
}

#[tokio::test]
async fn a_kubeconfig_leads_there_with_the_token_of_its_file() {
    let fake = Fake::start(small());
    fake.cluster().token = Some("known".into());
    let token = file("known\n");
    let config = file(&format!(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n\
         contexts: [{{name: here, context: {{cluster: c, user: u}}}}]\n\
         clusters: [{{name: c, cluster: {{server: '{}'}}}}]\n\
         users: [{{name: u, user: {{tokenFile: '{}'}}}}]\n",
        fake.url(),
        token.path().display()
    ));
    let kubeconfig = Some(config.path().to_owned());
    let options =
        KubernetesOptions { api_server: None, kubeconfig, ..options(Role::Pod, String::new()) };
    let mut discovery = Discovery::start(options.clone());
    discovery.until("all pods", |found| found.addresses() == PODS).await;
    let missing = Some("/nowhere/config".into());
    let discovery = Discovery::start(KubernetesOptions { kubeconfig: missing, ..options });
    let mut discovery = discovery;
    let reach = "reach the API server of /nowhere/config";
    discovery.until("the failure", |found| found.tried() == [reach]).await;
    let why = discovery.why(reach);
    assert!(why.contains("/nowhere/config"), "{why}");
}
