//! A real vmalert evaluates the rules of the field: it asks us, writes to us what it records, and
//! after a restart finds with us since when its alerts are.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tsdb::model::Labels;

use super::corpus::{GROUPS, RULES, files};
use crate::running::{Running, peer, series, shared};

/// How often a test looks for something that has to happen.
const LOOKS: usize = 600;
const PAUSE: Duration = Duration::from_millis(100);

type Pairs = &'static [(&'static str, &'static str)];

/// What the rules find: a target that is down, and one that is up and works. Each series begins at
/// a value and rises by another one each second.
const SERIES: [(Pairs, f64, f64); 4] = [
    (&[("__name__", "up"), ("job", "node-exporter"), ("instance", "a:9100")], 0.0, 0.0),
    (&[("__name__", "up"), ("job", "node-exporter"), ("instance", "b:9100")], 1.0, 0.0),
    (&[("__name__", "node_cpu_seconds_total"), ("mode", "user"), ("instance", "b:9100")], 0.0, 2.0),
    (&[("__name__", "node_network_receive_bytes_total"), ("instance", "b:9100")], 0.0, 5.0),
];

/// What is recorded of them.
const RECORDED: [(&str, f64); 4] = [
    ("count:up0", 1.0),
    ("count:up1", 1.0),
    ("instance:node_cpu:rate:sum", 2.0),
    ("instance:node_network_receive_bytes:rate:sum", 5.0),
];

/// The program, killed when dropped.
struct Vmalert {
    process: Child,
    url: String,
}

impl Drop for Vmalert {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Vmalert {
    /// Starts it with the rule files of a folder and all its addresses at `url`.
    fn start(program: &Path, rules: &Path, url: &str) -> Self {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new(program)
            .arg(format!("-rule={}", rules.join("*.yaml").display()))
            .args(["datasource", "remoteWrite", "remoteRead"].map(|to| format!("-{to}.url={url}")))
            .args(["-notifier.blackhole", "-evaluationInterval=1s", "-group.maxStartDelay=1s"])
            // It looks at 30 s ago otherwise.
            .args(["-rule.evalDelay=0s", "-remoteWrite.flushInterval=100ms"])
            .arg(format!("-httpListenAddr={free}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { process, url: format!("http://{free}") }
    }

    async fn get(&self, path: &str) -> Option<String> {
        reqwest::get(format!("{}{path}", self.url)).await.ok()?.text().await.ok()
    }

    /// All rules once each was evaluated.
    async fn rules(&self) -> Option<Vec<Value>> {
        let body: Value = serde_json::from_str(&self.get("/api/v1/rules").await?).ok()?;
        let groups = body["data"]["groups"].as_array()?;
        let rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone());
        let rules: Vec<Value> = rules.collect();
        let is_done = |rule: &Value| !rule["lastEvaluation"].as_str().unwrap().starts_with("0001");
        assert_eq!((groups.len(), rules.len()), (GROUPS, RULES));
        rules.iter().all(is_done).then_some(rules)
    }

    /// The pending alert of a target that is down.
    async fn down(&self) -> Option<Value> {
        let body: Value = serde_json::from_str(&self.get("/api/v1/alerts").await?).ok()?;
        let alerts = body["data"]["alerts"].as_array()?;
        alerts.iter().find(|alert| alert["name"] == "TargetDown").cloned()
    }

    /// The sum of a metric of its own.
    async fn metric(&self, name: &str) -> f64 {
        let page = self.get("/metrics").await.unwrap();
        let lines = page.lines().filter(|line| line.split(['{', ' ']).next() == Some(name));
        lines.map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap()).sum()
    }
}

async fn until<T, F: Future<Output = Option<T>>>(what: &str, look: impl Fn() -> F) -> T {
    for _ in 0..LOOKS {
        if let Some(found) = look().await {
            return found;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("not so after a long while: {what}");
}

/// Ten minutes of samples before now, and five after it.
async fn seed(server: &Running) {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as i64;
    let written = SERIES.map(|(pairs, first, rise)| {
        let labels = Labels::from_pairs(pairs.iter().copied());
        let at = |s: i64| ((now_s + s) * 1000, first + rise * (s + 600) as f64);
        series(&labels, (-600..=300).step_by(10).map(at))
    });
    assert_eq!(server.write(written.into()).await.0, 204);
}

/// The value of the only series of a metric.
async fn value(server: &Running, metric: &str) -> Option<f64> {
    let (_, body) = server.get(&format!("/api/v1/query?query={metric}")).await;
    let body: Value = serde_json::from_str(&body).unwrap();
    body["data"]["result"][0]["value"][1].as_str()?.parse().ok()
}

#[tokio::test]
async fn a_real_one_asks_records_and_restores() {
    let (Some(program), Some(corpus)) = (peer("vmalert"), shared("corpus/rules")) else { return };
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    std::fs::create_dir(&rules).unwrap();
    for (name, file) in files(&corpus) {
        std::fs::write(rules.join(name), file.to_string()).unwrap();
    }
    let server = Running::start(&folder.path().join("data"), Vec::new()).await;
    seed(&server).await;

    let vmalert = Vmalert::start(&program, &rules, &server.url);
    let all = until("every rule was evaluated", async || vmalert.rules().await).await;
    for rule in all {
        assert!(rule["health"] == "ok" && rule["lastError"] == "", "{rule}");
    }
    for (metric, expected) in RECORDED {
        let value = until(metric, async || value(&server, metric).await).await;
        assert!((value - expected).abs() < 1e-6, "{metric}: {value}");
    }
    let down = until("a target is down", async || vmalert.down().await).await;
    assert_eq!((&down["state"], &down["restored"]), (&"pending".into(), &false.into()), "{down}");
    let since = "ALERTS_FOR_STATE{alertname=\"TargetDown\"}";
    let since = until("the alert is stored", async || value(&server, since).await).await;
    for name in ["vmalert_execution_errors_total", "vmalert_remotewrite_dropped_rows_total"] {
        assert_eq!(vmalert.metric(name).await, 0.0, "{name}");
    }
    assert!(vmalert.metric("vmalert_remotewrite_sent_rows_total").await > 0.0);
    drop(vmalert);

    let vmalert = Vmalert::start(&program, &rules, &server.url);
    let restored = until("the alert is restored", async || {
        vmalert.down().await.filter(|alert| alert["restored"] == true)
    })
    .await;
    let active: jiff::Timestamp = restored["activeAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(active.as_second() as f64, since);
    server.stop().await;
}
