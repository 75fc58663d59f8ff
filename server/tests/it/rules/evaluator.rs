//! A server that evaluates rule files, a real Prometheus or our program, and what it says of them.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// A server, killed when dropped.
pub(super) struct Server {
    process: Child,
    pub(super) url: String,
    client: reqwest::Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Server {
    /// Starts `program` in `folder`, where `prometheus.yml` is; its store is called `store`.
    pub(super) async fn start(program: &Path, first: &[&str], folder: &Path, store: &str) -> Self {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new(program)
            .args(first)
            // A path without folders: it is part of what decides when a group is evaluated.
            .args(["--config.file=prometheus.yml", &format!("--storage.tsdb.path={store}")])
            .args(["--web.enable-remote-write-receiver", "--web.enable-lifecycle"])
            .arg(format!("--web.listen-address={free}"))
            .current_dir(folder)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self { process, url: format!("http://{free}"), client };
        for _ in 0..600 {
            let ready = server.client.get(format!("{}/-/ready", server.url)).send().await;
            if ready.is_ok_and(|answer| answer.status().is_success()) {
                return server;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{} did not get ready", program.display());
    }

    /// Reads its configuration and its rules again.
    pub(super) async fn reload(&self) {
        let answer = self.client.post(format!("{}/-/reload", self.url)).send().await.unwrap();
        answer.error_for_status().unwrap();
    }

    async fn text(&self, path: &str) -> String {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        answer.error_for_status().unwrap().text().await.unwrap()
    }

    /// The values of a metric of its own.
    pub(super) async fn metric(&self, name: &str) -> Vec<f64> {
        let page = self.text("/metrics").await;
        let lines = page.lines().filter(|line| line.split('{').next() == Some(name));
        lines.map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap()).collect()
    }

    /// All rules in their order, each with where it stands; without what depends on the moment.
    pub(super) async fn rules(&self) -> Rules {
        let body: Value = serde_json::from_str(&self.text("/api/v1/rules").await).unwrap();
        let mut all = Rules::new();
        for group in body["data"]["groups"].as_array().unwrap() {
            for rule in group["rules"].as_array().unwrap() {
                let mut rule = rule.clone();
                if let Some(alerts) = rule.get_mut("alerts").and_then(Value::as_array_mut) {
                    alerts.sort_by_key(|alert| alert["labels"].to_string());
                    for alert in alerts {
                        alert["activeAt"] =
                            milliseconds(alert["activeAt"].as_str().unwrap()).into();
                    }
                }
                let moment = ["evaluationTime", "lastEvaluation"];
                rule.as_object_mut().unwrap().retain(|name, _| !moment.contains(&&**name));
                let place = format!("{} {} {}", group["file"], group["name"], rule["name"]);
                all.insert((all.len(), place), rule);
            }
        }
        all
    }

    /// The samples of these metrics in the range `(end - range, end]`.
    pub(super) async fn samples(&self, names: &str, end: f64, range_s: u64) -> Samples {
        let query = format!("{{__name__=~\"{names}\"}}[{range_s}s]");
        let url = format!("{}/api/v1/query", self.url);
        let params = [("query", query), ("time", end.to_string())];
        let url = reqwest::Url::parse_with_params(&url, params).unwrap();
        let body = self.client.get(url).send().await.unwrap().text().await.unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        let series = body["data"]["result"].as_array().unwrap().iter();
        series.map(|one| (labels(&one["metric"]), one["values"].clone())).collect()
    }
}

/// By number and place.
pub(super) type Rules = BTreeMap<(usize, String), Value>;
pub(super) type Labels = BTreeMap<String, String>;
/// Values by their series.
pub(super) type Samples = BTreeMap<Labels, Value>;

pub(super) fn labels(object: &Value) -> Labels {
    let pairs = object.as_object().into_iter().flatten();
    pairs.map(|(name, value)| (name.clone(), value.as_str().unwrap_or("").to_owned())).collect()
}

/// A time of Prometheus, which counts nanoseconds, as ours are.
fn milliseconds(time: &str) -> String {
    let time = time.trim_end_matches('Z');
    let (seconds, fraction) = time.split_once('.').unwrap_or((time, ""));
    format!("{seconds}.{fraction:0<3.3}")
}
