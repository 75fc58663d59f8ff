//! A real Alertmanager receives, deduplicates and resolves; a real Prometheus sends the same bytes.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use super::fake::{Fake, Manner};
use super::{BROKEN, metric, options_of, set_broken, until};
use crate::prometheus::Prometheus;
use crate::running::{Running, peer};

/// An alert counts as over if it is not told again for four times as long.
const RESEND_MS: i64 = 3_000;
/// Where Debian has the templates.
const TEMPLATES: &str = "/usr/share/prometheus/alertmanager";

/// A real Alertmanager, killed when dropped.
pub(super) struct Alertmanager {
    process: Child,
    pub(super) address: String,
    _folder: tempfile::TempDir,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Debian's program reads its templates from `/usr/share`, where they are not if it was only
/// unpacked: it is shown them there, in a namespace of its own.
fn with_templates(program: &Path) -> Command {
    if Path::new(TEMPLATES).exists() {
        return Command::new(program);
    }
    let root = program.ancestors().nth(3).unwrap();
    let script = "mount -t tmpfs none /usr/share && mkdir -p $(dirname $1) && ln -s $0$1 $1 && \
                  shift && exec \"$@\"";
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", script]);
    command.arg(root).arg(TEMPLATES).arg(program);
    command
}

impl Alertmanager {
    /// Starts one that tells `webhook` at once and never again.
    pub(super) async fn start(program: &Path, webhook: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("alertmanager.yml");
        let text = format!(
            "route: {{receiver: hook, group_by: [alertname], group_wait: 50ms, group_interval: 100ms, \
             repeat_interval: 1h}}\nreceivers: [{{name: hook, webhook_configs: [{{url: \
             'http://{webhook}/hook'}}]}}]\n"
        );
        std::fs::write(&config, text).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = with_templates(program)
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", folder.path().join("data").display()))
            .arg(format!("--web.listen-address={free}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let one = Self { process, address: free.to_string(), _folder: folder };
        until("Alertmanager is ready", async || {
            let ready = reqwest::get(format!("http://{}/-/ready", one.address)).await.ok()?;
            ready.status().is_success().then_some(())
        })
        .await;
        one
    }

    async fn alerts(&self) -> Vec<Value> {
        let url = format!("http://{}/api/v2/alerts", self.address);
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

#[tokio::test]
async fn a_real_one_receives_deduplicates_and_resolves() {
    let Some(program) = peer("prometheus-alertmanager") else { return };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let hook = Fake::start(Manner::Good).await;
    let manager = Alertmanager::start(&program, &hook.address).await;
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "global: {{external_labels: {{cluster: c}}}}\nalerting: {{alertmanagers: \
         [{{static_configs: [{{targets: ['{}']}}]}}]}}\n",
        manager.address
    );
    let options = options_of(folder.path(), &config, BROKEN, RESEND_MS);
    let server = Running::start_with(&folder.path().join("data"), Vec::new(), options).await;
    set_broken(&server, 1.0).await;
    until("the alert was told several times", async || {
        let sent = metric(&server, "prometheus_notifications_sent_total").await?;
        (sent >= 3.0).then_some(())
    })
    .await;
    let alerts = until("the alert is there", async || {
        let alerts = manager.alerts().await;
        (!alerts.is_empty()).then_some(alerts)
    })
    .await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    let labels = r#"{"alertname":"Broken","cluster":"c","pod":"a","severity":"page"}"#;
    assert_eq!(alerts[0]["labels"].to_string(), labels);
    assert_eq!(alerts[0]["annotations"]["summary"], "a <is> broken");
    set_broken(&server, 0.0).await;
    let told = until("people were told that it is over", async || {
        let told = hook.bodies();
        told.iter().any(|body| body["status"] == "resolved").then_some(told)
    })
    .await;
    let states: Vec<_> = told.iter().map(|body| body["status"].as_str().unwrap()).collect();
    assert_eq!(states, ["firing", "resolved"]);
    assert_eq!(manager.alerts().await.len(), 0);
    server.stop().await;
}

/// The first alert of the first request, times and host replaced.
fn first_alert(fake: &Fake) -> Option<String> {
    let (path, _, mut body) = fake.requests().into_iter().next()?;
    for name in [r#""endsAt":""#, r#""startsAt":""#] {
        let at = body.find(name).unwrap() + name.len();
        let end = at + body[at..].find('"').unwrap();
        // The form is compared, the time is not.
        let time: String =
            body[at..end].chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        body.replace_range(at..end, &time);
    }
    let at = body.find("http://").unwrap();
    let end = at + body[at..].find("/graph").unwrap();
    body.replace_range(at..end, "URL");
    Some(format!("POST {path} {body}"))
}

#[tokio::test]
async fn the_bytes_are_those_of_prometheus() {
    let Some(program) = peer("prometheus") else { return };
    let _ = rustls::crypto::ring::default_provider().install_default();
    let rules = "groups:
- name: g
  interval: 100ms
  rules:
  - {alert: A, expr: 'vector(1.5) > 1', labels: {b: '<x>', a: \"é\\u2028\"}, annotations: {d: '{{ $value }} & \"q\"', c: ''}}
";
    let folder = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    let (ours, theirs) = (Fake::start(Manner::Good).await, Fake::start(Manner::Good).await);
    let config = |address: &str| {
        format!(
            "global: {{external_labels: {{cluster: c, b: no}}}}\nalerting:\n  alert_relabel_configs: \
         [{{target_label: r, source_labels: [a], replacement: '$1!'}}]\n  alertmanagers:\n  - \
         {{path_prefix: /p, alert_relabel_configs: [{{regex: cluster, action: labeldrop}}], \
         static_configs: [{{targets: ['{address}']}}]}}\n"
        )
    };
    let options = options_of(folder.path(), &config(&ours.address), rules, 60_000);
    let server = Running::start_with(&folder.path().join("data"), Vec::new(), options).await;
    let file = folder.path().join("rules.yml");
    let config = format!("rule_files: ['{}']\n{}", file.display(), config(&theirs.address));
    let _prometheus =
        Prometheus::start(&program, &config, &["--rules.alert.resend-delay=1s"]).await;
    for fake in [&ours, &theirs] {
        seen.push(until("an alert came", async || first_alert(fake)).await);
    }
    assert_eq!(seen[0], seen[1]);
    server.stop().await;
}
