//! Discovery in Kubernetes, with an API server that the tests are.

mod behaviour;
mod fake;
mod golden;
mod monitors;
mod objects;
mod operator;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use scraper::discover::kubernetes::{Clusters, Kubernetes, KubernetesOptions, Retry, Role};
use scraper::discover::{LabelPairs, Problems, TargetGroup};
use scraper::job::ClientOptions;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// What a test waits for takes milliseconds; this only ends one that would wait for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mechanism that runs, and all that it has found.
struct Discovery {
    updates: mpsc::Receiver<Vec<TargetGroup>>,
    problems: Problems,
    groups: BTreeMap<String, TargetGroup>,
    /// The names of all groups that were ever sent, in order.
    sent: Vec<String>,
    task: JoinHandle<()>,
}

impl Discovery {
    fn start(options: KubernetesOptions) -> Self {
        Self::shared(options, &clusters())
    }

    fn shared(options: KubernetesOptions, clusters: &Clusters) -> Self {
        let (send, updates) = mpsc::channel(16);
        let problems = Problems::default();
        let run = Kubernetes::new(options, clusters.clone()).run(send, problems.clone());
        let task = tokio::spawn(run);
        Self { updates, problems, groups: BTreeMap::new(), sent: Vec::new(), task }
    }

    /// Waits until what was found is as wanted.
    async fn until(&mut self, what: &str, wanted: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !wanted(self) {
                // Problems have nobody that waits for them.
                match timeout(Duration::from_millis(5), self.updates.recv()).await {
                    Ok(Some(groups)) => self.take(groups),
                    Ok(None) => panic!("discovery has ended"),
                    Err(_) => {}
                }
            }
        };
        if timeout(PATIENCE, waiting).await.is_err() {
            panic!("{what}: {:#?}, problems {:?}", self.groups.keys(), self.problems.list());
        }
    }

    fn take(&mut self, groups: Vec<TargetGroup>) {
        for group in groups {
            self.sent.push(group.source.clone());
            match group.targets.is_empty() {
                true => self.groups.remove(&group.source),
                false => self.groups.insert(group.source.clone(), group),
            };
        }
    }

    /// The labels of all targets, as they are before relabelling.
    fn targets(&self) -> Vec<LabelPairs> {
        let all = self.groups.values().flat_map(|group| {
            group.targets.iter().map(|target| {
                let mut labels = group.labels.clone();
                labels.extend(target.clone());
                labels.retain(|_, value| !value.is_empty());
                labels
            })
        });
        all.collect()
    }

    fn addresses(&self) -> Vec<String> {
        let mut all: Vec<String> =
            self.targets().iter().filter_map(|labels| labels.get("__address__").cloned()).collect();
        all.sort();
        all
    }

    fn tried(&self) -> Vec<String> {
        self.problems.list().into_iter().map(|(tried, _)| tried).collect()
    }

    fn why(&self, tried: &str) -> String {
        let list = self.problems.list();
        list.into_iter().find(|(own, _)| own == tried).map(|(_, why)| why).unwrap_or_default()
    }
}

impl Drop for Discovery {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// With attempts that follow each other quickly.
fn clusters() -> Clusters {
    let (first, most) = (Duration::from_millis(5), Duration::from_millis(20));
    Clusters::with_retry(Retry { first, most, absent: most })
}

fn options(role: Role, url: String) -> KubernetesOptions {
    KubernetesOptions {
        role,
        api_server: Some(url),
        kubeconfig: None,
        namespaces: Default::default(),
        selectors: Vec::new(),
        attach_metadata: Default::default(),
        client: ClientOptions::default(),
    }
}

fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/kubernetes")
}
